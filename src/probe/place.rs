//! Where a service's port, or a URL, is reached from here.

use crate::base::ServiceName;
use crate::model::smoke::Address;
use crate::model::{Container, ContainerState, NetworkMode, Observed, Project};
use crate::probe::address::{Candidate, EngineHost, Prefer, Via, candidates};
use crate::probe::target::{HttpUrl, split_port};

/// An address, looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The ways there, best first: a published port, else the container's own address.
    pub ways: Vec<Candidate>,
    /// Path and query, where the address is a URL that has one.
    pub path: Option<String>,
    /// For people, where no way is known.
    pub name: String,
}

impl Place {
    /// The address that is tried first, for people.
    pub fn shown(&self) -> String {
        let way = self
            .ways
            .first()
            .map_or_else(|| self.name.clone(), ToString::to_string);
        format!("http://{way}{}", self.path.as_deref().unwrap_or_default())
    }

    /// What the `Host` header says to whom we connected: what a user's browser would say.
    pub fn host_header(way: &Candidate) -> String {
        let host = match way.via {
            Via::Container => "localhost".to_owned(),
            _ if way.host.starts_with("127.") || way.host == "::1" => "localhost".to_owned(),
            _ if way.host.contains(':') => format!("[{}]", way.host),
            _ => way.host.clone(),
        };
        match way.port {
            80 => host,
            port => format!("{host}:{port}"),
        }
    }
}

/// Looks an address up.
///
/// # Errors
/// Why there is no such place, for people.
pub fn locate(
    address: &Address,
    project: &Project,
    observed: &Observed,
    host: &EngineHost,
) -> Result<Place, String> {
    match address {
        Address::Url { url } => by_url(url),
        Address::Service { service, port } => by_service(service, *port, project, observed, host),
    }
}

fn by_url(url: &str) -> Result<Place, String> {
    let (host, port, path) = if url.contains("://") {
        let parsed = HttpUrl::parse(url).map_err(|e| e.to_string())?;
        (parsed.host, parsed.port, Some(parsed.path))
    } else {
        match split_port(url) {
            Some((Some(host), Some(port))) => (Some(host.to_owned()), port, None),
            _ => return Err(format!("`{url}` is neither a URL nor host:port")),
        }
    };
    let host = host.ok_or_else(|| format!("`{url}` names no host"))?;
    Ok(Place {
        ways: vec![Candidate {
            host,
            port,
            via: Via::Named,
        }],
        path,
        name: url.to_owned(),
    })
}

fn by_service(
    name: &ServiceName,
    port: Option<u16>,
    project: &Project,
    observed: &Observed,
    host: &EngineHost,
) -> Result<Place, String> {
    let container = running(name, observed)?;
    let port = match port {
        Some(port) => port,
        None => only_port(name, project, container)?,
    };
    of_service(name, port, Some(project), observed, host)
}

/// A port of a service's first running container; without the stack's files a network that it shares
/// with another service is not known.
///
/// # Errors
/// Why there is no such place, for people.
pub fn of_service(
    name: &ServiceName,
    port: u16,
    project: Option<&Project>,
    observed: &Observed,
    host: &EngineHost,
) -> Result<Place, String> {
    let container = match project {
        Some(project) => network_owner(name, project, observed)?,
        None => running(name, observed)?,
    };
    let ways = candidates(container, port, host, Prefer::Published);
    if ways.is_empty() {
        return Err(format!(
            "port {port} of {name} is not published and its container has no address that can be reached from here"
        ));
    }
    Ok(Place {
        ways,
        path: None,
        name: format!("{name}:{port}"),
    })
}

/// The service's first running container.
///
/// # Errors
/// Why there is none, for people.
pub fn running<'o>(name: &ServiceName, observed: &'o Observed) -> Result<&'o Container, String> {
    let own = || {
        observed
            .containers
            .iter()
            .filter(|c| c.service == *name && !c.oneoff)
    };
    if let Some(container) = own().filter(|c| c.state.is_running()).min_by_key(|c| c.number) {
        return Ok(container);
    }
    Err(match own().min_by_key(|c| c.number).map(|c| &c.state) {
        None => format!("{name} has no container"),
        Some(ContainerState::Exited { code, .. }) => {
            format!("{name} is not running: exited with code {code}")
        }
        Some(state) => format!("{name} is not running: {}", state.as_str()),
    })
}

/// The container whose network a service uses: its own, or the one that it shares.
fn network_owner<'o>(
    name: &ServiceName,
    project: &Project,
    observed: &'o Observed,
) -> Result<&'o Container, String> {
    let mut name = name.clone();
    // Bounded: the loader refuses cycles, and one that came past it must not hang us.
    for _ in 0..=project.services.len() {
        match project.services.get(&name).and_then(|s| s.network_mode.as_ref()) {
            Some(NetworkMode::Service(other)) => name = other.clone(),
            _ => return running(&name, observed),
        }
    }
    Err(format!("{name} shares its network in a circle"))
}

/// The one port that a service has: published, else exposed by the stack, else by the image.
fn only_port(name: &ServiceName, project: &Project, container: &Container) -> Result<u16, String> {
    let service = project.services.get(name);
    let published = service
        .iter()
        .flat_map(|s| &s.ports)
        .filter(|p| p.protocol.as_str() == "tcp")
        .map(|p| p.target);
    let exposed = service.iter().flat_map(|s| &s.expose).filter_map(|text| {
        let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        (protocol == "tcp").then(|| port.parse().ok()).flatten()
    });
    let by_engine = container
        .ports
        .iter()
        .filter(|p| p.protocol == "tcp")
        .map(|p| p.target);
    for ports in [
        published.collect::<Vec<u16>>(),
        exposed.collect(),
        by_engine.collect(),
    ] {
        let mut ports = ports;
        ports.sort_unstable();
        ports.dedup();
        match ports.as_slice() {
            [] => {}
            [port] => return Ok(*port),
            several => {
                let list: Vec<String> = several.iter().map(u16::to_string).collect();
                return Err(format!(
                    "{name} has the ports {}; the test must name one",
                    list.join(", ")
                ));
            }
        }
    }
    Err(format!("{name} has no port; the test must name one"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Service;
    use crate::probe::testing::{container, published};
    use crate::probe::testing::{observed, project};

    fn at(service: &str, port: Option<u16>) -> Address {
        Address::Service {
            service: service.into(),
            port,
        }
    }

    fn of(address: &Address, project: &Project, observed: &Observed) -> String {
        match locate(address, project, observed, &EngineHost::Local) {
            Ok(place) => {
                let ways: Vec<String> = place.ways.iter().map(ToString::to_string).collect();
                format!("{} {:?}", ways.join(" "), place.path)
            }
            Err(why) => why,
        }
    }

    #[test]
    fn services_and_urls() {
        let mut web = container(&["172.20.0.3"]);
        web.ports = vec![published(80, "127.0.0.1", 8080)];
        let mut second = web.clone();
        (second.number, second.ports) = (2, vec![published(80, "127.0.0.1", 8081)]);
        let mut job = container(&[]);
        job.service = "job".into();
        job.state = ContainerState::Exited {
            code: 3,
            oom_killed: false,
        };
        let mut run = container(&["172.20.0.9"]);
        (run.service, run.oneoff) = ("only".into(), true);
        let mut many = container(&["172.20.0.4"]);
        many.service = "many".into();
        many.ports = vec![published(80, "0.0.0.0", 1), published(443, "0.0.0.0", 2)];
        let mut project = project(&["web", "job", "many", "side", "none"]);
        project["side"] = Service {
            network_mode: Some(NetworkMode::Service("web".into())),
            expose: vec!["9000".into(), "53/udp".into()],
            ..Service::default()
        };
        let mut side = container(&[]);
        side.service = "side".into();
        let mut bare = container(&[]);
        bare.service = "none".into();
        let observed = observed(vec![second, web, job, run, many, side, bare]);
        let url = |url: &str| Address::Url { url: url.into() };
        let lines = [
            at("web", None),
            at("web", Some(9)),
            at("job", None),
            at("only", Some(1)),
            at("many", None),
            at("many", Some(443)),
            at("side", None),
            at("none", None),
            at("none", Some(7)),
            url("http://h/x?y"),
            url("db:5432"),
            url("[::1]:53"),
            url("https://h"),
            url("http://:80/"),
            url("h"),
        ]
        .map(|address| {
            let what = serde_json::to_string(&address).unwrap();
            format!("{what} → {}", of(&address, &project.0, &observed))
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"service":"web"} → 127.0.0.1:8080 172.20.0.3:80 None
        {"service":"web","port":9} → 172.20.0.3:9 None
        {"service":"job"} → job is not running: exited with code 3
        {"service":"only","port":1} → only has no container
        {"service":"many"} → many has the ports 80, 443; the test must name one
        {"service":"many","port":443} → 127.0.0.1:2 172.20.0.4:443 None
        {"service":"side"} → 172.20.0.3:9000 None
        {"service":"none"} → none has no port; the test must name one
        {"service":"none","port":7} → port 7 of none is not published and its container has no address that can be reached from here
        {"url":"http://h/x?y"} → h:80 Some("/x?y")
        {"url":"db:5432"} → db:5432 None
        {"url":"[::1]:53"} → [::1]:53 None
        {"url":"https://h"} → `https://h` cannot be probed: only http:// is spoken; use a command for https
        {"url":"http://:80/"} → `http://:80/` names no host
        {"url":"h"} → `h` is neither a URL nor host:port
        "#);
    }

    #[test]
    fn the_host_header_is_a_users() {
        let of = |host: &str, port, via| {
            Place::host_header(&Candidate {
                host: host.into(),
                port,
                via,
            })
        };
        assert_eq!(of("127.0.0.1", 8080, Via::Published), "localhost:8080");
        assert_eq!(of("172.20.0.3", 80, Via::Container), "localhost");
        assert_eq!(of("build.example", 8080, Via::Published), "build.example:8080");
        assert_eq!(of("fd00::1", 80, Via::Named), "[fd00::1]");
    }
}
