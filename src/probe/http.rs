//! One HTTP/1.1 request over one connection: no pool, no redirects, bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The most that is read of a response's head.
const MAX_HEAD: usize = 256 * 1024;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The `Host` header, unless `headers` has one.
    pub host: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// A response, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The standard phrase for it, or nothing.
    pub phrase: &'static str,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, up to the limit that was asked for.
    pub body: Vec<u8>,
    /// How the body ended.
    pub end: BodyEnd,
    /// From sending the request to the end of reading.
    pub took: Duration,
}

/// How reading a body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyEnd {
    /// It was read whole.
    Whole,
    /// There is more than was asked for.
    Cut,
    /// It did not end in time.
    TimedOut,
    /// The connection broke.
    Broken(String),
}

/// No response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The request is not one.
    #[error("the request is wrong: {0}")]
    Request(String),
    /// Connected, but no response head in time.
    #[error("no answer within {}", super::attempt::millis(*.0))]
    TimedOut(Duration),
    /// The connection was closed or reset before a response.
    #[error("the connection was closed without an answer")]
    Closed,
    /// What came is no HTTP.
    #[error("the answer is no HTTP: {0}")]
    NotHttp(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Sends a request and reads its response within `timeout`, of the body at most `limit(status)` bytes.
///
/// Dropping the future closes the connection.
///
/// # Errors
/// Where no response head came; a body that stalls or breaks is told by [`Response::end`].
pub async fn send(
    stream: TcpStream,
    request: &Request,
    timeout: Duration,
    limit: impl Fn(u16) -> usize,
) -> Result<Response, HttpError> {
    let began = Instant::now();
    let until = began + timeout;
    let message = build(request)?;
    let handshake = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = match tokio::time::timeout_at(until, handshake).await {
        Ok(done) => done.map_err(|e| classify(&e))?,
        Err(_) => return Err(HttpError::TimedOut(timeout)),
    };
    let exchange = async {
        let answer = match tokio::time::timeout_at(until, sender.send_request(message)).await {
            Ok(answer) => answer.map_err(|e| classify(&e))?,
            Err(_) => return Err(HttpError::TimedOut(timeout)),
        };
        let status = answer.status();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), value.into_owned())
            })
            .collect();
        let (body, end) = read_body(answer.into_body(), limit(status.as_u16()), until).await;
        Ok(Response {
            status: status.as_u16(),
            phrase: status.canonical_reason().unwrap_or_default(),
            headers,
            body,
            end,
            took: began.elapsed(),
        })
    };
    // The connection does the reading and writing; it may end before the exchange has taken
    // all that it read.
    tokio::pin!(exchange, connection);
    let mut connected = true;
    loop {
        tokio::select! {
            biased;
            done = &mut exchange => return done,
            _ = &mut connection, if connected => connected = false,
        }
    }
}

fn build(request: &Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
    let mut builder = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(request.path.as_str());
    let given = |name: &str| request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    for (name, value) in [
        ("host", request.host.as_str()),
        ("user-agent", concat!("platform/", env!("CARGO_PKG_VERSION"))),
        ("accept", "*/*"),
        ("connection", "close"),
    ] {
        if !given(name) {
            builder = builder.header(name, value);
        }
    }
    for (name, value) in &request.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    builder
        .body(Full::new(request.body.clone()))
        .map_err(|e| HttpError::Request(e.to_string()))
}

async fn read_body(mut body: Incoming, limit: usize, until: Instant) -> (Vec<u8>, BodyEnd) {
    let mut read = Vec::new();
    loop {
        if limit == 0 {
            return (read, BodyEnd::Cut);
        }
        match tokio::time::timeout_at(until, body.frame()).await {
            Err(_) => return (read, BodyEnd::TimedOut),
            Ok(None) => return (read, BodyEnd::Whole),
            Ok(Some(Err(e))) => return (read, BodyEnd::Broken(classify(&e).to_string())),
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                let room = limit - read.len();
                read.extend_from_slice(data.get(..room).unwrap_or(&data));
                if data.len() > room {
                    return (read, BodyEnd::Cut);
                }
            }
        }
    }
}

fn classify(error: &hyper::Error) -> HttpError {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                std::io::ErrorKind::ConnectionReset
                | std::io::ErrorKind::BrokenPipe
                | std::io::ErrorKind::UnexpectedEof => HttpError::Closed,
                _ => HttpError::Other(super::address::plain(io)),
            };
        }
        source = inner.source();
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        HttpError::Closed
    } else if error.is_parse() {
        HttpError::NotHttp(error.to_string())
    } else {
        HttpError::Other(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{Answer, serve};

    async fn ask(answer: Answer, timeout_ms: u64, limit: usize) -> Result<Response, HttpError> {
        let port = serve(answer).await;
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = Request {
            method: "GET".into(),
            path: "/health?x=1".into(),
            host: "localhost:8000".into(),
            headers: vec![("X-Trace".into(), "7".into())],
            ..Request::default()
        };
        send(stream, &request, Duration::from_millis(timeout_ms), |_| limit).await
    }

    fn body(response: &Response) -> String {
        String::from_utf8_lossy(&response.body).into_owned()
    }

    #[tokio::test]
    async fn plain_and_chunked_answers() {
        let answer = ask(
            Answer::Text("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello"),
            1000,
            100,
        )
        .await
        .unwrap();
        assert_eq!(
            (answer.status, answer.phrase, body(&answer).as_str(), &answer.end),
            (200, "OK", "hello", &BodyEnd::Whole)
        );
        assert_eq!(answer.headers[0], ("x-a".to_owned(), "b".to_owned()));
        let chunked = "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let answer = ask(Answer::Text(chunked), 1000, 100).await.unwrap();
        assert_eq!(
            (answer.status, body(&answer).as_str(), answer.end),
            (503, "abcde", BodyEnd::Whole)
        );
        let until_close = ask(Answer::Text("HTTP/1.0 200 OK\r\n\r\nhello"), 1000, 100)
            .await
            .unwrap();
        assert_eq!(
            (body(&until_close).as_str(), until_close.end),
            ("hello", BodyEnd::Whole)
        );
    }

    #[tokio::test]
    async fn sends_what_was_asked() {
        let answer = ask(Answer::Echo, 1000, 4000).await.unwrap();
        insta::assert_snapshot!(body(&answer).replace(env!("CARGO_PKG_VERSION"), "VERSION").replace("\r\n", "\n"), @r"
        GET /health?x=1 HTTP/1.1
        host: localhost:8000
        user-agent: platform/VERSION
        accept: */*
        connection: close
        x-trace: 7
        ");
    }

    #[tokio::test]
    async fn redirects_are_answers() {
        let answer = ask(
            Answer::Text("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
            1000,
            100,
        )
        .await
        .unwrap();
        assert_eq!(answer.status, 302);
    }

    #[tokio::test]
    async fn bounded_in_size() {
        let answer = ask(Answer::Endless, 5000, 1000).await.unwrap();
        assert_eq!((answer.body.len(), &answer.end), (1000, &BodyEnd::Cut));
        let exact = ask(
            Answer::Text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
            1000,
            5,
        )
        .await
        .unwrap();
        assert_eq!(exact.end, BodyEnd::Whole, "exactly the limit is not cut");
        let unread = ask(Answer::Endless, 5000, 0).await.unwrap();
        assert_eq!((unread.body.len(), &unread.end), (0, &BodyEnd::Cut));
        let head = ask(Answer::EndlessHead, 5000, 10).await.unwrap_err();
        assert!(matches!(head, HttpError::NotHttp(_)), "{head:?}");
    }

    #[tokio::test]
    async fn bounded_in_time() {
        let began = Instant::now();
        assert_eq!(
            ask(Answer::Never, 100, 10).await,
            Err(HttpError::TimedOut(Duration::from_millis(100)))
        );
        let stalled = Answer::Stall("HTTP/1.1 500 x\r\nContent-Length: 50\r\n\r\nsome");
        let answer = ask(stalled, 100, 100).await.unwrap();
        assert_eq!(
            (answer.status, body(&answer).as_str(), answer.end),
            (500, "some", BodyEnd::TimedOut)
        );
        let dripping = ask(Answer::Drip, 100, 100_000).await.unwrap();
        assert_eq!(dripping.end, BodyEnd::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn what_breaks_is_said() {
        assert_eq!(ask(Answer::Close, 1000, 10).await, Err(HttpError::Closed));
        assert_eq!(ask(Answer::Reset, 1000, 10).await, Err(HttpError::Closed));
        let no_http = ask(Answer::Text("220 smtp ready\r\n"), 1000, 10)
            .await
            .unwrap_err();
        assert!(matches!(no_http, HttpError::NotHttp(_)), "{no_http:?}");
        let half = ask(
            Answer::Text("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"),
            1000,
            100,
        )
        .await
        .unwrap();
        assert_eq!(
            (body(&half).as_str(), half.end),
            ("half", BodyEnd::Broken(HttpError::Closed.to_string()))
        );
        let stream = TcpStream::connect(("127.0.0.1", serve(Answer::Never).await))
            .await
            .unwrap();
        let wrong = Request {
            method: "GE T".into(),
            path: "/".into(),
            ..Request::default()
        };
        assert!(matches!(
            send(stream, &wrong, Duration::from_secs(1), |_| 0).await,
            Err(HttpError::Request(_))
        ));
    }
}
