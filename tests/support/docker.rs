//! The tests' own view of an engine: requests over its socket, written out by hand so that no
//! library shared with the program under test can hide a mistake from both.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Label that every object made by a test itself (not by the program) carries; the value is the
/// test's unique name.
pub const LABEL: &str = "platform.test";
/// Compose's project label.
pub const PROJECT: &str = "com.docker.compose.project";

/// An engine behind a unix socket.
#[derive(Clone, Debug)]
pub struct Docker {
    socket: PathBuf,
    timeout: Duration,
}

/// An answer that is not a success, or none.
#[derive(Debug)]
pub enum Failure {
    /// The engine answered with this status and message.
    Status(u16, String),
    /// No whole answer arrived.
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status, message) => write!(f, "{status}: {message}"),
            Self::Io(error) => write!(f, "{error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Docker {
    /// The engine behind `socket`.
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            timeout: Duration::from_secs(60),
        }
    }

    /// The machine's own engine, which others use too: `DOCKER_HOST` if it names a unix socket,
    /// else the usual place.
    pub fn shared() -> Self {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        Self::new(Path::new(
            host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"),
        ))
    }

    /// The same engine, giving up on a whole answer after `timeout`.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The engine's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The socket as a value for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Whether the engine answers.
    pub fn answers(&self) -> bool {
        self.clone()
            .with_timeout(Duration::from_secs(2))
            .raw("GET", "/_ping", "", &[])
            .is_ok()
    }

    /// One request with a raw body; gives the body of the answer.
    pub fn raw(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let begin = Instant::now();
        // HTTP/1.0 makes the engine answer without chunks and close at the end.
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        let mut buffer = [0; 16384];
        loop {
            // For the answer as a whole: one that trickles is late, too.
            let left = self.timeout.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Err(Failure::Io(io::ErrorKind::TimedOut.into()));
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer)? {
                0 => break,
                count => answer.extend_from_slice(&buffer[..count]),
            }
        }
        let cut = || Failure::Io(io::ErrorKind::UnexpectedEof.into());
        let split = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .ok_or_else(cut)?;
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let body = answer.split_off(split + 4);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(cut)?;
        if (200..400).contains(&status) {
            return Ok(body);
        }
        let message = serde_json::from_slice::<Value>(&body)
            .ok()
            .and_then(|value| value["message"].as_str().map(str::to_owned))
            .unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
        Err(Failure::Status(status, message))
    }

    /// One request with JSON in and out; an empty answer is `null`.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let answer = self.raw(method, path, "application/json", &body)?;
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    /// `GET path`, panicking on failure.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
            .unwrap_or_else(|failure| panic!("GET {path}: {failure}"))
    }

    /// Containers that carry the label (`key` or `key=value`), stopped ones included.
    pub fn containers(&self, label: &str) -> Vec<Value> {
        list(&self.get(&format!("/containers/json?all=1&filters={}", label_filter(label))))
    }

    /// Networks that carry the label.
    pub fn networks(&self, label: &str) -> Vec<Value> {
        list(&self.get(&format!("/networks?filters={}", label_filter(label))))
    }

    /// Volumes that carry the label.
    pub fn volumes(&self, label: &str) -> Vec<Value> {
        list(&self.get(&format!("/volumes?filters={}", label_filter(label)))["Volumes"])
    }

    /// Everything the engine knows of the container, or `None` if there is none of that name or id.
    pub fn inspect(&self, container: &str) -> Option<Value> {
        match self.call("GET", &format!("/containers/{container}/json"), &Value::Null) {
            Ok(value) => Some(value),
            Err(Failure::Status(404, _)) => None,
            Err(failure) => panic!("inspect {container}: {failure}"),
        }
    }

    /// Creates and starts a container that belongs to no project, labelled as `owner`'s; gives its id.
    ///
    /// `more` is merged over the body of the create request.
    #[track_caller]
    pub fn run(&self, owner: &str, name: &str, image: &str, command: &[&str], more: Value) -> String {
        let mut body = json!({
            "Image": image, "Cmd": command, "Labels": { LABEL: owner },
            "HostConfig": { "NetworkMode": "none" },
        });
        merge(&mut body, more);
        let made = self
            .call("POST", &format!("/containers/create?name={name}"), &body)
            .unwrap_or_else(|failure| panic!("create {name}: {failure}"));
        let id = made["Id"].as_str().unwrap().to_owned();
        self.call("POST", &format!("/containers/{id}/start"), &Value::Null)
            .unwrap_or_else(|failure| panic!("start {name}: {failure}"));
        id
    }

    /// Removes a container, running or not; none of that name is fine.
    pub fn remove(&self, container: &str) {
        let path = format!("/containers/{container}?force=1&v=1");
        // 409 says that its removal is already under way.
        match self.call("DELETE", &path, &Value::Null) {
            Ok(_) | Err(Failure::Status(404 | 409, _)) => {}
            Err(failure) => panic!("remove {container}: {failure}"),
        }
    }
}

/// The elements of a JSON list.
fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// `{"label":["…"]}`, percent-encoded.
fn label_filter(label: &str) -> String {
    encode(&json!({ "label": [label] }).to_string())
}

/// Percent-encodes what may not stand in a query.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Lays `over` on `base`: objects key by key, everything else replaced.
pub fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (base, over) => *base = over,
    }
}
