//! Who holds a port of this host: a container, by the engine's list, else a process, by `/proc`.
//!
//! Meaningful only where the engine runs on this host.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::model::{Container, Protocol, labels};

/// Where the kernel tells about processes and sockets.
pub const PROC: &str = "/proc";

/// Who holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortHolder {
    /// A container.
    Container {
        /// Its name.
        name: String,
        /// Its project, where it has one.
        project: Option<String>,
    },
    /// A process of this host.
    Process {
        /// Its id.
        pid: u32,
        /// Its program, without arguments, which may hold secrets.
        program: String,
    },
    /// A process that this user may not look into.
    Hidden,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container {
                name,
                project: Some(project),
            } => write!(f, "container {name} of project {project}"),
            Self::Container { name, project: None } => write!(f, "container {name}"),
            Self::Process { pid, program } => write!(f, "process {pid} ({program})"),
            Self::Hidden => f.write_str("a process of another user"),
        }
    }
}

/// Who holds `port`, so that it cannot be published on `address` (all addresses where absent);
/// `None` where it is free. `containers` are all of the engine's, not one project's.
pub fn holder(
    address: Option<IpAddr>,
    port: u16,
    protocol: Protocol,
    containers: &[Container],
    proc: &Path,
) -> Option<PortHolder> {
    container(address, port, protocol, containers).or_else(|| process(address, port, protocol, proc))
}

fn container(
    address: Option<IpAddr>,
    port: u16,
    protocol: Protocol,
    containers: &[Container],
) -> Option<PortHolder> {
    let holds = |container: &&Container| {
        container.ports.iter().any(|bound| {
            bound.protocol == protocol.as_str()
                && bound.host.as_ref().is_some_and(|(host, number)| {
                    *number == port && host.parse().is_ok_and(|held| conflict(address, held))
                })
        })
    };
    containers
        .iter()
        .find(holds)
        .map(|container| PortHolder::Container {
            name: container.name.clone(),
            project: container.labels.get(labels::PROJECT).cloned(),
        })
}

/// Whether a socket on `held` keeps one from being bound on `wanted`.
fn conflict(wanted: Option<IpAddr>, held: IpAddr) -> bool {
    let Some(wanted) = wanted.filter(|ip| !ip.is_unspecified()) else {
        return true;
    };
    match held {
        // A socket on all IPv6 addresses usually has the IPv4 ones too.
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => true,
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => wanted.is_ipv4(),
        held => held.to_canonical() == wanted.to_canonical(),
    }
}

fn process(address: Option<IpAddr>, port: u16, protocol: Protocol, proc: &Path) -> Option<PortHolder> {
    // A listening TCP socket, or a bound UDP one (linux, include/net/tcp_states.h).
    let (tables, state) = match protocol {
        Protocol::Tcp => (["net/tcp", "net/tcp6"], "0A"),
        Protocol::Udp => (["net/udp", "net/udp6"], "07"),
        Protocol::Sctp => return None,
    };
    let inodes: BTreeSet<u64> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(proc.join(table)).ok())
        .flat_map(|text| sockets(&text, state))
        .filter(|socket| socket.port == port && conflict(address, socket.address))
        .map(|socket| socket.inode)
        .collect();
    if inodes.is_empty() {
        return None;
    }
    Some(owner(&inodes, proc).unwrap_or(PortHolder::Hidden))
}

struct Socket {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// The sockets of a kernel table that are in a state.
fn sockets(table: &str, state: &str) -> Vec<Socket> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let local = fields.nth(1)?;
            if fields.nth(1)? != state {
                return None;
            }
            let inode = fields.nth(5)?.parse().ok()?;
            let (address, port) = local.split_once(':')?;
            Some(Socket {
                address: hex_address(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode,
            })
        })
        .collect()
}

/// An address as the kernel prints it: 32-bit words in the machine's own byte order.
fn hex_address(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match text.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let mut bytes = [0u8; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::from(bytes))
        }
        _ => None,
    }
}

/// The first process that has one of the sockets open.
fn owner(inodes: &BTreeSet<u64>, proc: &Path) -> Option<PortHolder> {
    for entry in fs::read_dir(proc).ok()?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(files) = fs::read_dir(entry.path().join("fd")) else {
            continue;
        };
        for file in files.flatten() {
            let link = fs::read_link(file.path()).unwrap_or_default();
            let inode = link
                .to_str()
                .and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if inode.is_some_and(|inode| inodes.contains(&inode)) {
                let program = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                return Some(PortHolder::Process {
                    pid,
                    program: program.trim().to_owned(),
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::model::observed::BoundPort;
    use crate::model::{ContainerState, labels};

    fn holder_of(address: Option<&str>, port: u16, protocol: Protocol) -> Option<PortHolder> {
        let address = address.map(|a| a.parse().unwrap());
        holder(address, port, protocol, &[], Path::new(PROC))
    }

    #[test]
    fn finds_this_very_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [None, Some("127.0.0.1"), Some("0.0.0.0")] {
            let found = holder_of(address, port, Protocol::Tcp);
            let Some(PortHolder::Process { pid, program }) = found else {
                panic!("{address:?}: {found:?}");
            };
            assert_eq!(pid, std::process::id());
            assert!(!program.is_empty());
        }
        assert_eq!(holder_of(Some("127.0.0.2"), port, Protocol::Tcp), None);
        drop(listener);
        assert_eq!(holder_of(None, port, Protocol::Tcp), None);

        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(matches!(
            holder_of(None, port, Protocol::Udp),
            Some(PortHolder::Process { .. })
        ));
    }

    #[test]
    fn reads_the_kernels_tables() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0\n   \
                    1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 10 0\n   \
                    2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100 0 0 10 0\n\
                    nonsense\n";
        let found: Vec<_> = sockets(text, "0A")
            .iter()
            .map(|s| (s.address.to_string(), s.port, s.inode))
            .collect();
        assert_eq!(
            found,
            [("127.0.0.1".into(), 8080, 4242), ("::1".into(), 80, 4244)]
        );
    }

    #[test]
    fn a_container_is_named_before_the_engines_own_process() {
        let container = Container {
            id: "0".into(),
            name: "shop-web-1".into(),
            service: "web".into(),
            number: 1,
            oneoff: false,
            state: ContainerState::Running,
            health: None,
            image: "sha256:0".into(),
            image_ref: "web".into(),
            labels: BTreeMap::from([(labels::PROJECT.to_owned(), "shop".to_owned())]),
            addresses: BTreeMap::new(),
            ports: vec![BoundPort {
                target: 80,
                protocol: "tcp".into(),
                host: Some(("127.0.0.1".into(), 8080)),
            }],
            volumes: Vec::new(),
            command: String::new(),
            created: 0,
            status: String::new(),
        };
        let held = |address: Option<&str>, port, protocol| {
            let address = address.map(|a| a.parse().unwrap());
            super::container(address, port, protocol, std::slice::from_ref(&container)).map(|h| h.to_string())
        };
        assert_eq!(
            held(None, 8080, Protocol::Tcp).as_deref(),
            Some("container shop-web-1 of project shop")
        );
        assert_eq!(held(Some("127.0.0.2"), 8080, Protocol::Tcp), None);
        assert_eq!(held(None, 8081, Protocol::Tcp), None);
        assert_eq!(held(None, 8080, Protocol::Udp), None);
    }

    #[test]
    fn addresses_conflict_as_sockets_do() {
        let conflicts =
            |wanted: &str, held: &str| conflict(Some(wanted.parse().unwrap()), held.parse().unwrap());
        assert!(conflicts("127.0.0.1", "0.0.0.0"));
        assert!(conflicts("127.0.0.1", "::"));
        assert!(conflicts("0.0.0.0", "127.0.0.1"));
        assert!(conflicts("127.0.0.1", "::ffff:127.0.0.1"));
        assert!(!conflicts("::1", "0.0.0.0"));
        assert!(!conflicts("127.0.0.1", "127.0.0.2"));
    }
}
