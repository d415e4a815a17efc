//! Finding the engine: which address to use, how it was found, and what was looked at.
//!
//! The order is the Docker command line's: `DOCKER_HOST`, then the context in use
//! (`DOCKER_CONTEXT`, `currentContext` of the configuration), then the usual sockets of Docker
//! and Podman. The environment comes in as a value; nothing here reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{EngineError, EngineErrorKind};

/// How long a socket may take to accept a connection while looking for the engine.
const PROBE: Duration = Duration::from_secs(2);

/// What finding the engine depends on: variables of the environment and the user.
#[derive(Debug, Clone, Default)]
pub struct EngineEnv {
    /// Variables by name (`DOCKER_HOST`, `HOME`, `XDG_RUNTIME_DIR`, …); others do no harm.
    pub vars: BTreeMap<String, String>,
    /// The user's numeric id.
    pub uid: u32,
}

impl EngineEnv {
    /// The environment as given, of the user who runs this process.
    pub fn new(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            vars: vars.into_iter().collect(),
            uid: rustix::process::getuid().as_raw(),
        }
    }

    /// A variable's value; one that is set to nothing counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The folder of Docker's configuration: `DOCKER_CONFIG`, else `~/.docker`.
    pub(super) fn docker_config_dir(&self) -> Option<PathBuf> {
        self.get("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| self.get("HOME").map(|home| Path::new(home).join(".docker")))
    }

    /// The user's runtime folder, which is on memory.
    pub(super) fn runtime_dir(&self) -> Option<PathBuf> {
        self.get("XDG_RUNTIME_DIR").map(PathBuf::from)
    }
}

/// Where an engine is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Host and port, not encrypted.
    Tcp(String, u16),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl Endpoint {
    /// Reads `unix:///path`, `tcp://host[:port]`, `http://host[:port]`, or a plain path.
    ///
    /// # Errors
    /// Why the address cannot be used, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!(
                "{text:?} is not an address such as unix:///var/run/docker.sock or tcp://host:2375"
            ));
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(format!("{text:?} needs an absolute path after unix://")),
            "tcp" | "http" => {
                let authority = rest.split('/').next().unwrap_or_default();
                let (host, port) = split_port(authority)
                    .ok_or_else(|| format!("{text:?} needs host:port after {scheme}://"))?;
                Ok(Self::Tcp(host, port))
            }
            "ssh" => Err(format!(
                "ssh is not supported ({text}); forward the engine's socket instead: \
                 ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST, and set DOCKER_HOST=unix:///tmp/engine.sock"
            )),
            "https" => Err(format!(
                "an encrypted engine is not supported ({text}); use its socket or a tunnel"
            )),
            other => Err(format!("{other}:// is not supported ({text})")),
        }
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; the port is 2375 where it is not said.
fn split_port(authority: &str) -> Option<(String, u16)> {
    const DEFAULT_PORT: u16 = 2375;
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = match after.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if after.is_empty() => DEFAULT_PORT,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, DEFAULT_PORT),
    };
    // `tcp://:2375` is this machine, as for the Docker command line.
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some((host.to_owned(), port))
}

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Who named it: `DOCKER_HOST`, `context NAME`, `default socket`, `podman socket`, …
    pub source: String,
    /// The address.
    pub address: String,
    /// What was found there.
    pub outcome: Outcome,
}

/// What was found at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This is the one in use.
    Chosen,
    /// There is no socket.
    Missing,
    /// There is a socket that this user may not open.
    PermissionDenied,
    /// There is a socket, and nobody listens on it.
    Refused,
    /// The connection is not accepted in time.
    NotAnswering,
    /// The address cannot be used: why.
    Unusable(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen => f.write_str("in use"),
            Self::Missing => f.write_str("no socket"),
            Self::PermissionDenied => f.write_str("permission denied"),
            Self::Refused => f.write_str("nobody listens"),
            Self::NotAnswering => f.write_str("not answering"),
            Self::Unusable(why) => f.write_str(why),
        }
    }
}

/// The address of the engine, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where the engine is.
    pub endpoint: Endpoint,
    /// Who named it.
    pub source: String,
    /// All that was looked at, in order, the chosen one last.
    pub looked_at: Vec<Looked>,
}

/// No engine was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(.looked_at))]
pub struct NotFound {
    /// All that was looked at, in order.
    pub looked_at: Vec<Looked>,
}

fn describe(looked_at: &[Looked]) -> String {
    let places: Vec<String> = looked_at
        .iter()
        .map(|l| format!("{} ({}): {}", l.address, l.source, l.outcome))
        .collect();
    if places.is_empty() {
        "no container engine found: neither DOCKER_HOST nor HOME says where to look".to_owned()
    } else {
        format!("no container engine found; looked at {}", places.join("; "))
    }
}

impl From<NotFound> for EngineError {
    fn from(error: NotFound) -> Self {
        let denied = error
            .looked_at
            .iter()
            .find(|l| l.outcome == Outcome::PermissionDenied);
        let kind = match denied {
            Some(l) => EngineErrorKind::PermissionDenied(l.address.clone()),
            None => EngineErrorKind::Unreachable(error.to_string()),
        };
        Self::new("find the engine", kind)
    }
}

/// Finds the engine.
///
/// An address that the user named is taken as it is, so that a wrong one is reported and not
/// silently replaced; of the usual sockets, the first that accepts a connection.
///
/// # Errors
/// All that was looked at, where nothing can be used.
pub async fn find(env: &EngineEnv) -> Result<Found, NotFound> {
    let mut looked_at = Vec::new();
    if let Some((source, address)) = named(env, &mut looked_at) {
        return choose(source, &address, looked_at);
    }
    if !looked_at.is_empty() {
        return Err(NotFound { looked_at });
    }
    for (source, path) in usual_sockets(env) {
        let outcome = try_socket(&path).await;
        let address = format!("unix://{}", path.display());
        looked_at.push(Looked {
            source: source.clone(),
            address,
            outcome: outcome.clone(),
        });
        if outcome == Outcome::Chosen {
            return Ok(Found {
                endpoint: Endpoint::Unix(path),
                source,
                looked_at,
            });
        }
    }
    Err(NotFound { looked_at })
}

fn choose(source: String, address: &str, mut looked_at: Vec<Looked>) -> Result<Found, NotFound> {
    let (outcome, endpoint) = match Endpoint::parse(address) {
        Ok(endpoint) => (Outcome::Chosen, Some(endpoint)),
        Err(why) => (Outcome::Unusable(why), None),
    };
    looked_at.push(Looked {
        source: source.clone(),
        address: address.to_owned(),
        outcome,
    });
    match endpoint {
        Some(endpoint) => Ok(Found {
            endpoint,
            source,
            looked_at,
        }),
        None => Err(NotFound { looked_at }),
    }
}

/// The address that the user named, with who named it. A named context that cannot be used is
/// noted in `looked_at`.
fn named(env: &EngineEnv, looked_at: &mut Vec<Looked>) -> Option<(String, String)> {
    let encrypted = |address: &str| {
        address.starts_with("tcp://") && env.get("DOCKER_TLS_VERIFY").is_some_and(|v| v != "0")
    };
    for variable in ["DOCKER_HOST", "CONTAINER_HOST"] {
        if let Some(address) = env.get(variable) {
            let address = if encrypted(address) {
                address.replacen("tcp://", "https://", 1)
            } else {
                address.to_owned()
            };
            return Some((variable.to_owned(), address));
        }
    }
    let dir = env.docker_config_dir()?;
    let name = match env.get("DOCKER_CONTEXT") {
        Some(name) => name.to_owned(),
        None => current_context(&dir)?,
    };
    if name == "default" {
        return None;
    }
    let source = format!("context {name}");
    match context_address(&dir, &name) {
        Ok(address) => Some((source, address)),
        Err(why) => {
            looked_at.push(Looked {
                source,
                address: dir.join("contexts/meta").display().to_string(),
                outcome: Outcome::Unusable(why),
            });
            None
        }
    }
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

fn current_context(dir: &Path) -> Option<String> {
    let text = std::fs::read(dir.join("config.json")).ok()?;
    let config: ConfigFile = serde_json::from_slice(&text).ok()?;
    (!config.current_context.is_empty()).then_some(config.current_context)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextMeta {
    name: String,
    #[serde(default)]
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEndpoint {
    #[serde(default)]
    host: String,
}

/// The address of a context, out of Docker's own store (`contexts/meta/*/meta.json`).
fn context_address(dir: &Path, name: &str) -> Result<String, String> {
    let meta = dir.join("contexts/meta");
    let entries = std::fs::read_dir(&meta).map_err(|_| format!("there is no context {name:?}"))?;
    for entry in entries.flatten() {
        let Ok(text) = std::fs::read(entry.path().join("meta.json")) else {
            continue;
        };
        let Ok(context) = serde_json::from_slice::<ContextMeta>(&text) else {
            continue;
        };
        if context.name != name {
            continue;
        }
        let host = context
            .endpoints
            .get("docker")
            .map(|e| e.host.clone())
            .unwrap_or_default();
        if host.is_empty() {
            return Err(format!("context {name:?} names no engine"));
        }
        let keys = dir.join("contexts/tls").join(entry.file_name()).join("docker");
        if host.starts_with("tcp://") && keys.is_dir() {
            return Ok(host.replacen("tcp://", "https://", 1));
        }
        return Ok(host);
    }
    Err(format!("there is no context {name:?}"))
}

/// The sockets that engines usually listen on, in the order of trying.
fn usual_sockets(env: &EngineEnv) -> Vec<(String, PathBuf)> {
    let mut sockets = vec![("default socket".to_owned(), PathBuf::from("/var/run/docker.sock"))];
    let runtime = env
        .runtime_dir()
        .unwrap_or_else(|| PathBuf::from(format!("/run/user/{}", env.uid)));
    sockets.push(("rootless Docker".to_owned(), runtime.join("docker.sock")));
    if let Some(home) = env.get("HOME") {
        let docker = Path::new(home).join(".docker");
        sockets.push(("Docker Desktop".to_owned(), docker.join("run/docker.sock")));
        sockets.push(("Docker Desktop".to_owned(), docker.join("desktop/docker.sock")));
    }
    sockets.push(("rootless Podman".to_owned(), runtime.join("podman/podman.sock")));
    sockets.push((
        "system Podman".to_owned(),
        PathBuf::from("/run/podman/podman.sock"),
    ));
    sockets
}

/// What a socket says to a connection.
async fn try_socket(path: &Path) -> Outcome {
    match tokio::time::timeout(PROBE, tokio::net::UnixStream::connect(path)).await {
        Err(_) => Outcome::NotAnswering,
        Ok(Ok(_)) => Outcome::Chosen,
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Outcome::Missing,
            io::ErrorKind::PermissionDenied => Outcome::PermissionDenied,
            io::ErrorKind::ConnectionRefused => Outcome::Refused,
            // The queue of connections is full: somebody listens but does not accept.
            io::ErrorKind::WouldBlock => Outcome::NotAnswering,
            _ => Outcome::Unusable(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> EngineEnv {
        EngineEnv {
            vars: vars
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            uid: 1000,
        }
    }

    #[test]
    fn addresses_are_read_or_refused_with_a_reason() {
        for (text, expected) in [
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("/run/x.sock", "unix:///run/x.sock"),
            ("tcp://10.0.0.1:2376", "tcp://10.0.0.1:2376"),
            ("tcp://host", "tcp://host:2375"),
            ("tcp://:2375", "tcp://127.0.0.1:2375"),
            ("http://[::1]:99/", "tcp://::1:99"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), expected, "{text}");
        }
        for (text, part) in [
            ("ssh://me@host", "ssh is not supported"),
            ("https://host", "encrypted"),
            ("npipe://x", "npipe://"),
            ("unix://x", "absolute path"),
            ("host:2375", "not an address"),
            ("tcp://h:port", "host:port"),
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn docker_host_is_taken_as_it_is() {
        let found = find(&env(&[
            ("DOCKER_HOST", "tcp://127.0.0.1:1"),
            ("DOCKER_CONTEXT", "x"),
        ]))
        .await
        .unwrap();
        assert_eq!(found.source, "DOCKER_HOST");
        assert_eq!(found.endpoint.to_string(), "tcp://127.0.0.1:1");
        let error = find(&env(&[("DOCKER_HOST", "tcp://h:1"), ("DOCKER_TLS_VERIFY", "1")]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("encrypted"), "{error}");
    }

    #[tokio::test]
    async fn contexts_come_from_dockers_own_store() {
        let home = tempfile::tempdir().unwrap();
        let meta = home.path().join(".docker/contexts/meta/0123");
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///far.sock","SkipTLSVerify":false}}}"#,
        )
        .unwrap();
        let home_text = home.path().to_str().unwrap();
        let by_variable = find(&env(&[("HOME", home_text), ("DOCKER_CONTEXT", "far")]))
            .await
            .unwrap();
        assert_eq!(by_variable.source, "context far");
        assert_eq!(by_variable.endpoint.to_string(), "unix:///far.sock");

        std::fs::write(
            home.path().join(".docker/config.json"),
            r#"{"auths":{},"currentContext":"far"}"#,
        )
        .unwrap();
        let by_file = find(&env(&[("HOME", home_text)])).await.unwrap();
        assert_eq!(by_file.source, "context far");

        let unknown = find(&env(&[("HOME", home_text), ("DOCKER_CONTEXT", "gone")]))
            .await
            .unwrap_err();
        assert!(
            unknown.to_string().contains("there is no context \"gone\""),
            "{unknown}"
        );
    }

    #[tokio::test]
    async fn sockets_tell_missing_refused_and_listening_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(try_socket(&dir.path().join("none")).await, Outcome::Missing);
        let path = dir.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(try_socket(&path).await, Outcome::Chosen);
        drop(listener);
        // A process that another test starts at this moment may hold the socket until it is up.
        let mut outcome = try_socket(&path).await;
        for _ in 0..100 {
            if outcome == Outcome::Refused {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            outcome = try_socket(&path).await;
        }
        assert_eq!(outcome, Outcome::Refused);
    }

    #[test]
    fn the_error_names_all_places_and_prefers_permission() {
        let error = NotFound {
            looked_at: vec![
                Looked {
                    source: "default socket".into(),
                    address: "unix:///var/run/docker.sock".into(),
                    outcome: Outcome::PermissionDenied,
                },
                Looked {
                    source: "rootless Podman".into(),
                    address: "unix:///x".into(),
                    outcome: Outcome::Missing,
                },
            ],
        };
        insta::assert_snapshot!(error, @"no container engine found; looked at unix:///var/run/docker.sock (default socket): permission denied; unix:///x (rootless Podman): no socket");
        let error = EngineError::from(error);
        assert!(matches!(error.kind, EngineErrorKind::PermissionDenied(_)));
    }
}
