//! The wire: HTTP over a socket, one connection a request.
//!
//! bollard sends its requests through this transport as well ([`Http::bollard`]). It is our own
//! so that a failure before the request was sent ("nothing was done") is told apart from one
//! after ("perhaps done"), and so that logs, commands and builds can be read byte by byte.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName};
use hyper::http::uri::PathAndQuery;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;

use super::api::Result;
use super::connect::Endpoint;
use super::sort;
use super::{EngineError, EngineErrorKind};

/// The newest API version whose answers the models know.
const NEWEST: (u16, u16) = (1, 53);
/// How long a connection may take to be accepted.
const CONNECT: Duration = Duration::from_secs(5);
/// What a request may take to answer "who are you".
const PING: Duration = Duration::from_secs(10);

/// The body of a request.
pub(super) type RequestBody = UnsyncBoxBody<Bytes, io::Error>;

/// A whole body.
pub(super) fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body read as it is sent.
pub(super) fn streamed(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> RequestBody {
    use futures_util::TryStreamExt;
    StreamBody::new(stream.map_ok(Frame::data)).boxed_unsync()
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// No connection was made; nothing was sent.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The connection broke after the request was, or may have been, sent.
    #[error("connection lost")]
    Lost(#[source] hyper::Error),
}

/// Marks an error as one of connecting on its way through bollard's own error type.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect: {0}")]
pub(super) struct ConnectFailed(pub(super) io::Error);

/// A client of one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Http {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    version: OnceCell<Ping>,
}

/// What the engine says to a ping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ping {
    /// The API version to speak.
    pub(super) api: (u16, u16),
    /// Whether it is Podman behind Docker's API.
    pub(super) podman: bool,
}

impl Ping {
    /// Whether the engine can build with BuildKit: Docker from API 1.39 on.
    pub(super) fn can_buildkit(self) -> bool {
        !self.podman && self.api >= (1, 39)
    }
}

/// A request in the engine's terms.
#[derive(Debug)]
pub(super) struct Call {
    operation: String,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, String)>,
    body: Option<RequestBody>,
}

impl Call {
    /// A request for `path` (from `/` on, without version); `operation` names it in errors.
    pub(super) fn new(operation: impl Into<String>, method: Method, path: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a parameter.
    pub(super) fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends a value as JSON.
    pub(super) fn json(self, value: &serde_json::Value) -> Self {
        let bytes = value.to_string();
        self.body("application/json", full(bytes))
    }

    /// Sends a body.
    pub(super) fn body(mut self, content_type: &str, body: RequestBody) -> Self {
        self.headers.push((CONTENT_TYPE, content_type.to_owned()));
        self.body = Some(body);
        self
    }

    fn into_request(self) -> Result<(String, Request<RequestBody>)> {
        let mut target = self.path;
        for (at, (key, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(key);
            target.push('=');
            encode_into(value, &mut target);
        }
        let mut request = Request::builder().method(self.method).uri(target);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(self.body.unwrap_or_else(|| full(Bytes::new())))
            .map_err(|e| EngineError::new(&self.operation, EngineErrorKind::Protocol(e.to_string())))?;
        Ok((self.operation, request))
    }
}

/// Percent-encodes all but the unreserved characters.
pub(super) fn encode_into(text: &str, out: &mut String) {
    use std::fmt::Write;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

impl Http {
    /// A client of the engine at `endpoint`; connects nowhere yet.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            shared: Arc::new(Shared {
                endpoint,
                version: OnceCell::new(),
            }),
        }
    }

    /// Where the engine is.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// bollard's client over this transport. Its own timeout, which does not cover bodies, is out
    /// of the way: each of our calls has a deadline.
    pub(super) fn bollard(&self) -> bollard::Docker {
        const NO_TIMEOUT: u64 = 366 * 24 * 3600;
        let http = self.clone();
        bollard::Docker::connect_with_custom_transport(
            move |request: bollard::BollardRequest| {
                let http = http.clone();
                async move { http.send(request).await.map_err(into_bollard) }
            },
            Some("http://engine"),
            NO_TIMEOUT,
            bollard::API_DEFAULT_VERSION,
        )
        .expect("it only stores the transport")
    }

    /// What the engine said to its first ping, which settles the API version.
    pub(super) async fn ping(&self) -> std::result::Result<Ping, SendError> {
        self.shared
            .version
            .get_or_try_init(|| async {
                let mut request = Request::new(full(Bytes::new()));
                *request.uri_mut() = Uri::from_static("/_ping");
                let asked = tokio::time::timeout(PING, self.send_as_is(request)).await;
                let response = asked.map_err(|_| {
                    SendError::Connect(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!("no answer within {PING:?}"),
                    ))
                })??;
                let header = |name: &str| {
                    response
                        .headers()
                        .get(name)
                        .and_then(|v| v.to_str().ok())
                        .unwrap_or_default()
                };
                // An engine that does not say is as old as the oldest we know.
                let theirs = parse_version(header("api-version")).unwrap_or((1, 24));
                Ok(Ping {
                    api: theirs.min(NEWEST),
                    podman: response.headers().contains_key("libpod-api-version"),
                })
            })
            .await
            .copied()
    }

    /// Pings, however often it was done before, and reads the answer to its end.
    pub(super) async fn ping_again(&self) -> std::result::Result<(), SendError> {
        let mut request = Request::new(full(Bytes::new()));
        *request.uri_mut() = Uri::from_static("/_ping");
        let answer = self.send_as_is(request).await?;
        answer.into_body().collect().await.map_err(SendError::Lost)?;
        Ok(())
    }

    /// Sends a request with the API version before its path.
    pub(super) async fn send<B>(
        &self,
        request: Request<B>,
    ) -> std::result::Result<Response<Incoming>, SendError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (major, minor) = self.ping().await?.api;
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if let Ok(uri) = format!("/v{major}.{minor}{target}").parse::<Uri>() {
            parts.uri = uri;
        }
        self.send_as_is(Request::from_parts(parts, body)).await
    }

    async fn send_as_is<B>(
        &self,
        mut request: Request<B>,
    ) -> std::result::Result<Response<Incoming>, SendError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        request
            .headers_mut()
            .insert(HOST, hyper::header::HeaderValue::from_static("engine"));
        match &self.shared.endpoint {
            Endpoint::Unix(path) => {
                let stream = connected(UnixStream::connect(path))
                    .await
                    .map_err(|e| self.at(e))?;
                exchange(TokioIo::new(stream), request).await
            }
            Endpoint::Tcp(host, port) => {
                let stream = connected(TcpStream::connect((host.as_str(), *port)))
                    .await
                    .map_err(|e| self.at(e))?;
                let _ = stream.set_nodelay(true);
                exchange(TokioIo::new(stream), request).await
            }
        }
    }

    /// Says where no connection could be made.
    fn at(&self, error: SendError) -> SendError {
        match error {
            SendError::Connect(e) => {
                SendError::Connect(io::Error::new(e.kind(), format!("{}: {e}", self.shared.endpoint)))
            }
            lost => lost,
        }
    }

    /// Sends a call and returns the answer once its head is there; a refusal becomes an error.
    pub(super) async fn open(&self, call: Call) -> Result<(String, Response<Incoming>)> {
        let (operation, request) = call.into_request()?;
        let response = self
            .send(request)
            .await
            .map_err(|e| EngineError::new(&operation, sort::send_error(&e)))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok((operation, response));
        }
        let body = response
            .into_body()
            .collect()
            .await
            .map(|b| b.to_bytes())
            .unwrap_or_default();
        let kind = sort::refusal(status.as_u16(), &sort::message_of(&body));
        Err(EngineError::new(operation, kind))
    }

    /// Sends a call and reads the whole answer, all within `deadline`.
    pub(super) async fn read(&self, call: Call, deadline: Duration) -> Result<Bytes> {
        let operation = call.operation.clone();
        within(&operation, deadline, async {
            let (operation, response) = self.open(call).await?;
            let body = response.into_body().collect().await;
            body.map(|b| b.to_bytes())
                .map_err(|e| EngineError::new(operation, sort::lost(&e)))
        })
        .await
    }

    /// Sends a call and decodes its answer, all within `deadline`.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, call: Call, deadline: Duration) -> Result<T> {
        let operation = call.operation.clone();
        let bytes = self.read(call, deadline).await?;
        serde_json::from_slice(&bytes)
            .map_err(|e| EngineError::new(operation, EngineErrorKind::Protocol(e.to_string())))
    }

    /// Sends a call that turns its connection into a stream both ways.
    pub(super) async fn upgrade(&self, call: Call, protocol: &str) -> Result<TokioIo<Upgraded>> {
        let call = call
            .header(hyper::header::CONNECTION, "Upgrade")
            .header(hyper::header::UPGRADE, protocol);
        let (operation, response) = self.open(call).await?;
        hyper::upgrade::on(response)
            .await
            .map(TokioIo::new)
            .map_err(|e| EngineError::new(operation, sort::lost(&e)))
    }
}

/// An operation bounded in time; at the deadline the request is given up.
pub(super) async fn within<T>(
    operation: &str,
    deadline: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(EngineError::new(operation, EngineErrorKind::TimedOut(deadline))),
    }
}

async fn connected<S>(connecting: impl Future<Output = io::Result<S>>) -> std::result::Result<S, SendError> {
    match tokio::time::timeout(CONNECT, connecting).await {
        Ok(result) => result.map_err(SendError::Connect),
        Err(_) => Err(SendError::Connect(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("not accepted within {CONNECT:?}"),
        ))),
    }
}

async fn exchange<S, B>(io: S, request: Request<B>) -> std::result::Result<Response<Incoming>, SendError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::handshake(io).await.map_err(SendError::Lost)?;
    // Ends by itself: when the answer has been read or dropped, or the connection breaks.
    tokio::spawn(async move {
        let _ = connection.with_upgrades().await;
    });
    sender.send_request(request).await.map_err(SendError::Lost)
}

fn into_bollard(error: SendError) -> bollard::errors::Error {
    match error {
        SendError::Connect(err) => bollard::errors::Error::IOError {
            err: io::Error::new(err.kind(), ConnectFailed(err)),
        },
        SendError::Lost(err) => bollard::errors::Error::HyperResponseError { err },
    }
}

fn parse_version(text: &str) -> Option<(u16, u16)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
