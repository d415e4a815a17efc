//! Where a port of a container can be reached from here.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::model::Container;

/// How long a connection to one address may take while another one is left to try.
const FIRST_PATIENCE: Duration = Duration::from_millis(300);

/// The machine the engine's containers publish their ports on, seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineHost {
    /// This one.
    Local,
    /// Another one, by name or address; its container addresses mean nothing here.
    Remote(String),
}

impl EngineHost {
    /// Read from the engine's endpoint (`unix://…`, `tcp://host:port`, `ssh://user@host`).
    pub fn of(endpoint: &str) -> Self {
        let rest = ["tcp://", "http://", "https://", "ssh://"]
            .iter()
            .find_map(|scheme| endpoint.strip_prefix(scheme));
        let Some(rest) = rest else {
            return Self::Local;
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let host = super::target::split_port(authority)
            .and_then(|(host, _)| host)
            .unwrap_or("localhost");
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if host == "localhost" || loopback {
            Self::Local
        } else {
            Self::Remote(host.to_owned())
        }
    }

    /// A name or address to connect to.
    fn name(&self) -> &str {
        match self {
            Self::Local => "127.0.0.1",
            Self::Remote(host) => host,
        }
    }
}

/// An address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What it is.
    pub via: Via,
}

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The container's own, on one of its networks (or the host's, in network mode `host`).
    Container,
    /// A port of the host. Something may accept there before the container does.
    Published,
    /// Named by the stack file.
    Named,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Which kind of address is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefer {
    /// The container's own: shows what the container does. For probes.
    Container,
    /// The published port: shows what users get. For smoke tests.
    Published,
}

/// All ways to a TCP port of a container, best first.
pub fn candidates(container: &Container, port: u16, host: &EngineHost, prefer: Prefer) -> Vec<Candidate> {
    let published = container
        .ports
        .iter()
        .filter(|p| p.target == port && p.protocol == "tcp")
        .filter_map(|p| p.host.as_ref())
        .map(|(bound, port)| Candidate {
            host: match bound.parse::<IpAddr>() {
                Ok(ip) if !ip.is_unspecified() => bound.clone(),
                _ => host.name().to_owned(),
            },
            port: *port,
            via: Via::Published,
        });
    let mut own: Vec<Candidate> = Vec::new();
    if *host == EngineHost::Local {
        let mut ips: Vec<IpAddr> = container.addresses.values().filter_map(|a| a.ip).collect();
        ips.sort_by_key(|ip| ip.is_ipv6());
        own.extend(ips.into_iter().map(|ip| Candidate {
            host: ip.to_string(),
            port,
            via: Via::Container,
        }));
    }
    if container.addresses.contains_key("host") {
        own.push(Candidate {
            host: host.name().to_owned(),
            port,
            via: Via::Container,
        });
    }
    let mut all: Vec<Candidate> = match prefer {
        Prefer::Container => own.into_iter().chain(published).collect(),
        Prefer::Published => published.chain(own).collect(),
    };
    let mut seen: Vec<(String, u16)> = Vec::new();
    all.retain(|c| {
        let key = (c.host.clone(), c.port);
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    all
}

/// Why no connection was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// There is no address to try.
    #[error("no address: {0}")]
    NoAddress(&'static str),
    /// The address is there and nobody listens.
    #[error("connection refused")]
    Refused,
    /// No answer in time.
    #[error("no connection within {}", super::attempt::millis(*.0))]
    TimedOut(Duration),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Connects to the first of `candidates` that can be reached, within `timeout` for all of them.
///
/// A refusal is an answer and ends the search; an address that cannot be reached at all
/// (another network, a firewall) leads to the next one. Returns also which one was tried last.
///
/// # Errors
/// With the candidate that gave the answer.
pub async fn connect(
    candidates: &[Candidate],
    timeout: Duration,
) -> Result<(TcpStream, Candidate), (ConnectError, Option<Candidate>)> {
    let until = Instant::now() + timeout;
    let mut last = (
        ConnectError::NoAddress(
            "the container is on no network that can be reached from here and does not publish the port",
        ),
        None,
    );
    for (at, candidate) in candidates.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let is_last = at + 1 == candidates.len();
        let patience = if is_last { left } else { left.min(FIRST_PATIENCE) };
        let connecting = TcpStream::connect((candidate.host.as_str(), candidate.port));
        let error = match tokio::time::timeout(patience, connecting).await {
            Ok(Ok(stream)) => {
                // Small requests, one answer each: waiting to fill a segment only costs time.
                let _ = stream.set_nodelay(true);
                return Ok((stream, candidate.clone()));
            }
            Ok(Err(e)) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                return Err((ConnectError::Refused, Some(candidate.clone())));
            }
            Ok(Err(e)) => ConnectError::Other(plain(&e)),
            Err(_) => ConnectError::TimedOut(patience),
        };
        last = (error, Some(candidate.clone()));
    }
    Err(last)
}

/// An I/O error without Rust's `(os error 113)`, in lower case.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "input/output error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{container, published};

    #[test]
    fn the_engines_host_is_read_from_its_endpoint() {
        for (endpoint, host) in [
            ("unix:///var/run/docker.sock", EngineHost::Local),
            ("npipe:////./pipe/docker_engine", EngineHost::Local),
            ("tcp://127.0.0.1:2375", EngineHost::Local),
            ("tcp://[::1]:2375", EngineHost::Local),
            (
                "tcp://build.example:2376",
                EngineHost::Remote("build.example".into()),
            ),
            ("ssh://me@10.0.0.9", EngineHost::Remote("10.0.0.9".into())),
            ("tcp://[fd00::9]:2375", EngineHost::Remote("fd00::9".into())),
        ] {
            assert_eq!(EngineHost::of(endpoint), host, "{endpoint}");
        }
    }

    #[test]
    fn ways_to_a_port_best_first() {
        let mut container = container(&["fd00::2", "172.20.0.3"]);
        container.ports = vec![
            published(80, "0.0.0.0", 8080),
            published(80, "::", 8080),
            published(80, "192.0.2.1", 81),
            published(443, "0.0.0.0", 8443),
        ];
        let of = |host: &EngineHost, prefer| {
            candidates(&container, 80, host, prefer)
                .iter()
                .map(Candidate::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let remote = EngineHost::Remote("build.example".into());
        assert_eq!(
            of(&EngineHost::Local, Prefer::Container),
            "172.20.0.3:80 [fd00::2]:80 127.0.0.1:8080 192.0.2.1:81"
        );
        assert_eq!(
            of(&EngineHost::Local, Prefer::Published),
            "127.0.0.1:8080 192.0.2.1:81 172.20.0.3:80 [fd00::2]:80"
        );
        assert_eq!(
            of(&remote, Prefer::Container),
            "build.example:8080 192.0.2.1:81",
            "a remote engine's container addresses may be somebody else's here"
        );
    }

    #[tokio::test]
    async fn goes_on_past_what_cannot_be_reached_and_stops_at_a_refusal() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().port();
        let shut = crate::probe::testing::closed_port().await;
        let at = |host: &str, port| Candidate {
            host: host.into(),
            port,
            via: Via::Container,
        };
        // The kernel itself refuses to connect to a broadcast address.
        let ways = [at("255.255.255.255", open), at("127.0.0.1", open)];
        let (_, which) = connect(&ways, Duration::from_secs(2)).await.unwrap();
        assert_eq!(which.host, "127.0.0.1");
        let ways = [at("127.0.0.1", shut), at("127.0.0.1", open)];
        let (error, which) = connect(&ways, Duration::from_secs(2)).await.unwrap_err();
        assert_eq!((error, which.unwrap().port), (ConnectError::Refused, shut));
        assert!(matches!(
            connect(&[], Duration::ZERO).await,
            Err((ConnectError::NoAddress(_), None))
        ));
    }
}
