//! A registry on the loopback that serves one tiny image under every name, or fails in a chosen way.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{images, owner};

/// How the registry behaves from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should.
    Serve,
    /// Sends so many bytes of the layer, then nothing, with the connection open.
    StallInLayer(usize),
    /// Sends so many bytes of the layer, then closes.
    CutInLayer(usize),
    /// Sends the layer at so many bytes a second.
    Slow(usize),
    /// Wants a name and a password (401).
    Unauthorized,
    /// Knows no such image (404, manifest unknown).
    Missing,
    /// Answers everything with this status.
    Status(u16),
    /// Accepts connections and answers nothing.
    Silent,
}

/// A registry. Closed when dropped.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: Mutex<Vec<String>>,
    /// What was pushed: `repository:tag`.
    pushed: Mutex<Vec<String>>,
    /// The digests of blobs that were sent whole.
    blobs: Mutex<Vec<String>>,
    stopped: AtomicBool,
    layer: Vec<u8>,
    layer_digest: String,
    config: Vec<u8>,
    config_digest: String,
    manifest: Vec<u8>,
    manifest_digest: String,
}

const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

impl Registry {
    /// Opens one, on the loopback of the network that the calling thread is in.
    pub fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::with_image());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&accepting);
                thread::spawn(move || drop(serving.serve(client)));
            }
        });
        Self { port, shared }
    }

    /// A reference to the image called `name` here.
    pub fn reference(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }

    /// A reference to an image in a registry that refuses connections.
    pub fn refused_reference(name: &str) -> String {
        format!("127.0.0.1:{}/{name}", super::ports::free())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The digest that the image is pinned by.
    pub fn digest(&self) -> &str {
        &self.shared.manifest_digest
    }

    /// How large the layer is, in bytes.
    pub fn layer_size(&self) -> usize {
        self.shared.layer.len()
    }

    /// Behaves otherwise from now on, running transfers included.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// Every request so far, as `GET /v2/…`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The images that were pushed whole, as `repository:tag`.
    pub fn pushed(&self) -> Vec<String> {
        self.shared.pushed.lock().unwrap().clone()
    }

    /// How many requests so far hold `text`.
    pub fn count(&self, text: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.contains(text))
            .count()
    }

    /// As [`Drop`], for a registry whose port is in a network that the dropping thread is not in.
    fn stop(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Makes the image: the test file system with one file that no other image has, so that the engine cannot
    /// know the layer already.
    fn with_image() -> Self {
        let mut files = images::rootfs();
        // An archive ends with two empty blocks; the new file goes in their place.
        while files.len() >= 512 && files[files.len() - 512..].iter().all(|byte| *byte == 0) {
            files.truncate(files.len() - 512);
        }
        let mut tar = tar::Builder::new(files);
        let salt = owner::unique();
        let mut header = tar::Header::new_gnu();
        header.set_size(salt.len() as u64);
        header.set_mode(0o644);
        // Appended behind the builder's back, the existing bytes are kept as they are.
        tar.append_data(&mut header, "etc/salt", salt.as_bytes()).unwrap();
        let files = tar.into_inner().unwrap();
        let diff_id = digest(&files);
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        packer.write_all(&files).unwrap();
        let layer = packer.finish().unwrap();
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": { "Cmd": ["sleep", "2147483647"], "Env": ["PATH=/bin"], "Labels": { "platform.test.salt": salt } },
            "rootfs": { "type": "layers", "diff_ids": [diff_id] },
            "history": [{ "created": "2026-01-01T00:00:00Z", "created_by": "test" }],
        })
        .to_string()
        .into_bytes();
        let (layer_digest, config_digest) = (digest(&layer), digest(&config));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json",
                        "size": config.len(), "digest": config_digest },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                         "size": layer.len(), "digest": layer_digest }],
        })
        .to_string()
        .into_bytes();
        let manifest_digest = digest(&manifest);
        Self {
            behaviour: Mutex::new(Behaviour::Serve),
            requests: Mutex::default(),
            pushed: Mutex::default(),
            blobs: Mutex::default(),
            stopped: AtomicBool::new(false),
            layer,
            layer_digest,
            config,
            config_digest,
            manifest,
            manifest_digest,
        }
    }

    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap()
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            if head.is_empty() && byte == [0x16] {
                // The engine tries TLS first, and plain HTTP at once when that fails.
                return Ok(());
            }
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        self.requests.lock().unwrap().push(format!("{method} {path}"));
        while self.behaviour() == Behaviour::Silent && !self.stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        let sent = read_body(&head, &mut client)?;
        let error =
            |code: &str| json!({ "errors": [{ "code": code, "message": code.to_lowercase() }] }).to_string();
        let mut reply = |status: u16, more: &str, body: &[u8]| {
            let length = body.len();
            write!(
                client,
                "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n"
            )?;
            if method == "HEAD" {
                Ok(())
            } else {
                client.write_all(body)
            }
        };
        match self.behaviour() {
            Behaviour::Status(status) => reply(status, "", error("UNKNOWN").as_bytes()),
            Behaviour::Unauthorized => {
                let more = "Www-Authenticate: Basic realm=\"test\"\r\n";
                reply(401, more, error("UNAUTHORIZED").as_bytes())
            }
            _ if path == "/v2/" => reply(200, "Docker-Distribution-Api-Version: registry/2.0\r\n", b"{}"),
            _ if method == "POST" && path.contains("/blobs/uploads/") => {
                let more = format!(
                    "Location: {}one\r\nRange: 0-0\r\n",
                    path.split('?').next().unwrap_or(path)
                );
                reply(202, &more, b"")
            }
            _ if method == "PATCH" => {
                let more = format!("Location: {path}\r\nRange: 0-{}\r\n", sent.len());
                reply(202, &more, b"")
            }
            _ if method == "PUT" && path.contains("/blobs/uploads/") => {
                let named = path
                    .rsplit("digest=")
                    .next()
                    .unwrap_or_default()
                    .replace("%3A", ":");
                self.blobs.lock().unwrap().push(named.clone());
                reply(201, &format!("Docker-Content-Digest: {named}\r\n"), b"")
            }
            _ if method == "PUT" && path.contains("/manifests/") => {
                let name = path.trim_start_matches("/v2/").replace("/manifests/", ":");
                self.pushed.lock().unwrap().push(name);
                reply(201, &format!("Docker-Content-Digest: {}\r\n", digest(&sent)), b"")
            }
            // The engine looks whether what it sent has come.
            _ if self.blobs.lock().unwrap().iter().any(|blob| path.ends_with(blob)) => reply(200, "", b"-"),
            Behaviour::Missing => reply(404, "", error("MANIFEST_UNKNOWN").as_bytes()),
            _ if path.contains("/manifests/") => {
                let more = format!(
                    "Content-Type: {MANIFEST_TYPE}\r\nDocker-Content-Digest: {}\r\n",
                    self.manifest_digest
                );
                reply(200, &more, &self.manifest)
            }
            _ if path.ends_with(&self.config_digest) => {
                reply(200, "Content-Type: application/octet-stream\r\n", &self.config)
            }
            _ if path.ends_with(&self.layer_digest) => self.send_layer(client),
            _ => reply(404, "", error("BLOB_UNKNOWN").as_bytes()),
        }
    }

    /// Sends the layer as the behaviour of each moment says.
    fn send_layer(&self, mut client: TcpStream) -> io::Result<()> {
        let length = self.layer.len();
        write!(
            client,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )?;
        let mut sent = 0;
        while sent < length && !self.stopped.load(Ordering::SeqCst) {
            let (room, pause) = match self.behaviour() {
                Behaviour::StallInLayer(limit) => (limit.saturating_sub(sent), 0),
                Behaviour::CutInLayer(limit) if sent >= limit => return Ok(()),
                Behaviour::CutInLayer(limit) => (limit - sent, 0),
                Behaviour::Slow(rate) => (rate.div_ceil(20), 50),
                _ => (1 << 16, 0),
            };
            let count = room.min(1 << 16).min(length - sent);
            client.write_all(&self.layer[sent..sent + count])?;
            sent += count;
            thread::sleep(Duration::from_millis(if count == 0 { 5 } else { pause }));
        }
        Ok(())
    }
}

/// Reads the body of a request, sent with its length or in chunks.
fn read_body(head: &str, client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let head = head.to_ascii_lowercase();
    let field = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()))
    };
    let mut body = Vec::new();
    if field("transfer-encoding:").is_none_or(|how| how != "chunked") {
        let length = field("content-length:").and_then(|text| text.parse().ok());
        body.resize(length.unwrap_or(0), 0);
        client.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            line.extend(byte);
        }
        let size = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; size + 2];
        client.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(&chunk[..size]);
    }
}

/// `sha256:…` of the bytes.
fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}
