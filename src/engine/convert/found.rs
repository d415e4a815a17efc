//! What the engine tells, in words of the model.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models;

use crate::base::{ContainerId, ImageId, NetworkId, ServiceName};
use crate::engine::{EngineInfo, Exit, Inspected};
use crate::model::observed::{Attachment, BoundPort};
use crate::model::{
    Container, ContainerState, EngineHealth, Healthcheck, HealthcheckTest, Image, NetworkFound, VolumeFound,
    labels,
};

/// Ends the name of a container whose files were not all copied in yet. Such a container is
/// shown without the label that plans compare with, so that it is made anew and never started.
pub(in crate::engine) const PARTIAL: &str = ".partial";

/// A container out of the engine's list.
pub(in crate::engine) fn container(summary: models::ContainerSummary) -> Container {
    let name = summary
        .names
        .unwrap_or_default()
        .into_iter()
        // A linked container also bears names such as `/other/alias`.
        .find(|n| n.matches('/').count() <= 1)
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let status = summary.status.unwrap_or_default();
    let word = summary.state.map(|s| s.to_string()).unwrap_or_default();
    let addresses = summary
        .network_settings
        .and_then(|s| s.networks)
        .unwrap_or_default();
    let ports = summary
        .ports
        .unwrap_or_default()
        .into_iter()
        .map(|port| BoundPort {
            target: port.private_port,
            protocol: port
                .typ
                .map(|t| t.to_string())
                .filter(|t| !t.is_empty())
                .unwrap_or_else(|| "tcp".to_owned()),
            host: port.public_port.map(|p| (port.ip.unwrap_or_default(), p)),
        })
        .collect();
    labelled(Container {
        id: ContainerId::from(summary.id.unwrap_or_default()),
        name,
        service: ServiceName::from(""),
        number: 1,
        oneoff: false,
        state: state(&word, exit_code_in(&status).unwrap_or(0), false),
        health: health_in(&status),
        image: ImageId::from(summary.image_id.unwrap_or_default()),
        image_ref: summary.image.unwrap_or_default(),
        labels: sorted(summary.labels),
        addresses: attachments(addresses),
        ports,
        volumes: volumes(summary.mounts),
        command: summary.command.unwrap_or_default(),
        created: summary.created.unwrap_or_default(),
        status,
    })
}

/// Fills in what the labels say.
fn labelled(mut container: Container) -> Container {
    let label = |key| container.labels.get(key).map(String::as_str);
    let service = ServiceName::from(label(labels::SERVICE).unwrap_or_default());
    let number = label(labels::NUMBER).and_then(|n| n.parse().ok()).unwrap_or(1);
    let oneoff = label(labels::ONEOFF).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    container.service = service;
    container.number = number;
    container.oneoff = oneoff;
    if container.name.ends_with(PARTIAL) {
        container.labels.remove(labels::SPEC);
        container.labels.remove(labels::CONFIG_HASH);
    }
    container
}

fn attachments(networks: HashMap<String, models::EndpointSettings>) -> BTreeMap<String, Attachment> {
    networks
        .into_iter()
        .map(|(name, endpoint)| {
            let address = |text: Option<String>| text.and_then(|t| t.parse::<IpAddr>().ok());
            let ip = address(endpoint.ip_address).or_else(|| address(endpoint.global_ipv6_address));
            let network = NetworkId::from(endpoint.network_id.unwrap_or_default());
            (name, Attachment { network, ip })
        })
        .collect()
}

/// The names of mounted volumes.
fn volumes(mounts: Option<Vec<models::MountPoint>>) -> Vec<String> {
    let names = mounts.into_iter().flatten().filter_map(|mount| mount.name);
    names.filter(|name| !name.is_empty()).collect()
}

/// A state by the engine's word.
fn state(word: &str, code: i64, oom_killed: bool) -> ContainerState {
    match word {
        "running" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting,
        "removing" => ContainerState::Removing,
        "dead" => ContainerState::Dead,
        // Podman's words.
        "stopped" | "exited" | "stopping" => ContainerState::Exited { code, oom_killed },
        _ => ContainerState::Created,
    }
}

/// The exit code in a status such as `Exited (137) 3 seconds ago`.
fn exit_code_in(status: &str) -> Option<i64> {
    let (_, rest) = status.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

/// The verdict in a status such as `Up 3 seconds (health: starting)`.
fn health_in(status: &str) -> Option<EngineHealth> {
    if status.ends_with("(healthy)") {
        Some(EngineHealth::Healthy)
    } else if status.ends_with("(unhealthy)") {
        Some(EngineHealth::Unhealthy)
    } else if status.ends_with("(health: starting)") || status.ends_with("(starting)") {
        Some(EngineHealth::Starting)
    } else {
        None
    }
}

/// The engine's word for a verdict.
pub(in crate::engine) fn health(word: &str) -> Option<EngineHealth> {
    match word {
        "starting" => Some(EngineHealth::Starting),
        "healthy" => Some(EngineHealth::Healthy),
        "unhealthy" => Some(EngineHealth::Unhealthy),
        _ => None,
    }
}

/// A container in full.
pub(in crate::engine) fn inspected(answer: models::ContainerInspectResponse) -> Inspected {
    let found = answer.state.unwrap_or_default();
    let word = found.status.map(|s| s.to_string()).unwrap_or_default();
    let state = state(
        &word,
        found.exit_code.unwrap_or(0),
        found.oom_killed.unwrap_or(false),
    );
    let verdict = found
        .health
        .and_then(|h| h.status)
        .and_then(|s| health(s.as_ref()));
    let config = answer.config.unwrap_or_default();
    let settings = answer.network_settings.unwrap_or_default();
    let ports = settings.ports.map(bound_ports).unwrap_or_default();
    let mut container = labelled(Container {
        id: ContainerId::from(answer.id.unwrap_or_default()),
        name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        service: ServiceName::from(""),
        number: 1,
        oneoff: false,
        state: state.clone(),
        health: verdict,
        image: ImageId::from(answer.image.unwrap_or_default()),
        image_ref: config.image.unwrap_or_default(),
        labels: sorted(config.labels),
        addresses: attachments(settings.networks.unwrap_or_default()),
        ports,
        volumes: volumes(answer.mounts),
        command: [answer.path.unwrap_or_default()]
            .into_iter()
            .chain(answer.args.unwrap_or_default())
            .collect::<Vec<_>>()
            .join(" "),
        created: 0,
        status: word,
    });
    container.created = answer.created.map(|t| t.unix_timestamp()).unwrap_or_default();
    Inspected {
        container,
        state,
        started_at: real_time(found.started_at),
        finished_at: real_time(found.finished_at),
        error: found.error.unwrap_or_default(),
        restart_count: answer
            .restart_count
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0),
        pid: found.pid.unwrap_or(0),
        tty: config.tty.unwrap_or(false),
        health: verdict,
    }
}

fn bound_ports(ports: models::PortMap) -> Vec<BoundPort> {
    let mut bound = Vec::new();
    for (key, hosts) in ports {
        let (target, protocol) = key.split_once('/').unwrap_or((&key, "tcp"));
        let Ok(target) = target.parse() else { continue };
        let hosts = hosts.unwrap_or_default();
        if hosts.is_empty() {
            bound.push(BoundPort {
                target,
                protocol: protocol.to_owned(),
                host: None,
            });
        }
        for host in hosts {
            let port = host.host_port.and_then(|p| p.parse().ok());
            bound.push(BoundPort {
                target,
                protocol: protocol.to_owned(),
                host: port.map(|p| (host.host_ip.unwrap_or_default(), p)),
            });
        }
    }
    bound.sort_by(|a, b| (a.target, &a.protocol, &a.host).cmp(&(b.target, &b.protocol, &b.host)));
    bound
}

/// The engine writes the year 1 for "never".
fn real_time(text: Option<String>) -> String {
    text.filter(|t| !t.starts_with("0001-")).unwrap_or_default()
}

/// How an inspected container ended.
pub(in crate::engine) fn exit(inspected: &Inspected) -> Option<Exit> {
    match inspected.state {
        ContainerState::Exited { code, oom_killed } => Some(Exit { code, oom_killed }),
        _ => None,
    }
}

/// A network out of the engine's list.
pub(in crate::engine) fn network(network: models::Network) -> NetworkFound {
    NetworkFound {
        id: NetworkId::from(network.id.unwrap_or_default()),
        name: network.name.unwrap_or_default(),
        driver: network.driver.unwrap_or_default(),
        labels: sorted(network.labels),
    }
}

/// A volume.
pub(in crate::engine) fn volume(volume: models::Volume) -> VolumeFound {
    VolumeFound {
        name: volume.name,
        driver: volume.driver,
        mountpoint: volume.mountpoint,
        scope: volume.scope.map(|scope| scope.to_string()).unwrap_or_default(),
        labels: volume.labels.into_iter().collect(),
    }
}

/// An image.
pub(in crate::engine) fn image(answer: models::ImageInspect) -> Image {
    let config = answer.config.unwrap_or_default();
    let mut exposed = config.exposed_ports.unwrap_or_default();
    exposed.sort();
    Image {
        last_tagged: answer
            .metadata
            .and_then(|m| m.last_tag_time)
            // The engine writes the year 1 for "never".
            .filter(|t| t.unix_timestamp() > 0)
            .and_then(|t| jiff::Timestamp::from_nanosecond(t.unix_timestamp_nanos()).ok())
            .map(|t| t.to_string())
            .unwrap_or_default(),
        id: answer.id.map(ImageId::from),
        digests: answer.repo_digests.unwrap_or_default(),
        labels: sorted(config.labels),
        healthcheck: config.healthcheck.and_then(healthcheck),
        exposed,
        platform: [answer.os, answer.architecture, answer.variant]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/"),
        size: answer.size.and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
    }
}

fn healthcheck(config: models::HealthConfig) -> Option<Healthcheck> {
    let duration = |nanos: Option<i64>| {
        nanos
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n > 0)
            .map(std::time::Duration::from_nanos)
    };
    let test = HealthcheckTest::from_engine(&config.test.unwrap_or_default())?;
    Some(Healthcheck {
        disable: test == HealthcheckTest::None,
        test: Some(test),
        interval: duration(config.interval),
        timeout: duration(config.timeout),
        retries: config
            .retries
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0),
        start_period: duration(config.start_period),
        start_interval: duration(config.start_interval),
    })
}

/// What the engine is; the fields about how it was reached are the caller's.
pub(in crate::engine) fn info(version: models::SystemVersion, info: models::SystemInfo) -> EngineInfo {
    let natural = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let options = info.security_options.unwrap_or_default();
    let component = version.components.as_ref().and_then(|c| c.first());
    let name = match (version.platform, component) {
        (Some(platform), _) if !platform.name.is_empty() => platform.name,
        // Docker's own component is plainly called `Engine`; Podman's is `Podman Engine`.
        (_, Some(component)) if component.name != "Engine" => component.name.clone(),
        _ => "Docker Engine".to_owned(),
    };
    EngineInfo {
        name,
        version: version.version.or(info.server_version).unwrap_or_default(),
        id: info.id.unwrap_or_default(),
        os: version.os.or(info.os_type).unwrap_or_default(),
        arch: version.arch.or(info.architecture).unwrap_or_default(),
        root_dir: info.docker_root_dir.unwrap_or_default(),
        storage_driver: info.driver.unwrap_or_default(),
        cgroup_version: info.cgroup_version.map(|v| v.to_string()).unwrap_or_default(),
        cpus: natural(info.ncpu),
        memory: natural(info.mem_total),
        rootless: options.iter().any(|o| o.contains("rootless")),
        system_time: info.system_time.unwrap_or_default(),
        ..EngineInfo::default()
    }
}

fn sorted(labels: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    labels.unwrap_or_default().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_tell_exit_codes_and_health() {
        for (status, code, verdict) in [
            ("Up 3 seconds (healthy)", None, Some(EngineHealth::Healthy)),
            ("Up 3 seconds (unhealthy)", None, Some(EngineHealth::Unhealthy)),
            (
                "Up Less than a second (health: starting)",
                None,
                Some(EngineHealth::Starting),
            ),
            ("Exited (137) 4 minutes ago", Some(137), None),
            ("Restarting (1) 2 seconds ago", Some(1), None),
            ("Created", None, None),
            ("Up 2 days", None, None),
        ] {
            assert_eq!(exit_code_in(status), code, "{status}");
            assert_eq!(health_in(status), verdict, "{status}");
        }
    }

    #[test]
    fn a_listed_container_becomes_one_of_the_model() {
        let summary: models::ContainerSummary = serde_json::from_str(
            r#"{"Id":"abc","Names":["/devops-nginx-1/app","/devops-app-2"],"Image":"app:1","ImageID":"sha256:1",
               "Created":1700000000,"State":"exited","Status":"Exited (3) 1 second ago",
               "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"PrivatePort":9,"Type":"udp"}],
               "Labels":{"com.docker.compose.project":"devops","com.docker.compose.service":"app",
                         "com.docker.compose.container-number":"2","com.docker.compose.oneoff":"False"},
               "NetworkSettings":{"Networks":{"devops_x":{"NetworkID":"n1","IPAddress":"10.0.0.2"}}}}"#,
        )
        .unwrap();
        let container = container(summary);
        assert_eq!(
            (container.name.as_str(), container.number, container.oneoff),
            ("devops-app-2", 2, false)
        );
        assert_eq!(container.service.as_str(), "app");
        assert_eq!(
            container.state,
            ContainerState::Exited {
                code: 3,
                oom_killed: false
            }
        );
        assert_eq!(
            container.addresses["devops_x"].ip,
            Some("10.0.0.2".parse().unwrap())
        );
        assert_eq!(container.ports[0].host, Some(("0.0.0.0".into(), 8080)));
        assert_eq!(container.ports[1].host, None);
    }

    #[test]
    fn a_half_made_container_is_never_taken_for_the_wanted_one() {
        let summary: models::ContainerSummary = serde_json::from_str(
            r#"{"Id":"abc","Names":["/p-a-1.partial"],"State":"created","Labels":{"dev.platform.spec":"{}"}}"#,
        )
        .unwrap();
        assert!(!container(summary).labels.contains_key(labels::SPEC));
    }
}
