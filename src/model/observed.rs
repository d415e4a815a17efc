//! What is there, as the engine tells it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{ContainerId, ImageId, NetworkId, ServiceName};

/// Everything of a project that the engine has, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Containers that carry the project's label, one-offs included.
    pub containers: Vec<Container>,
    /// Networks that carry the project's label, or bear a wanted name.
    pub networks: Vec<NetworkFound>,
    /// Volumes that carry the project's label, or bear a wanted name.
    pub volumes: Vec<VolumeFound>,
    /// Wanted image references that the engine has.
    pub images: BTreeMap<String, Image>,
    /// Containers without the project's label that hold a wanted name: name and id.
    pub foreign_names: BTreeMap<String, ContainerId>,
}

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Its name, without the leading slash.
    pub name: String,
    /// Its service, from the label.
    pub service: ServiceName,
    /// Its number within the service, from the label.
    pub number: u32,
    /// Whether `run` made it.
    pub oneoff: bool,
    /// Its state.
    pub state: ContainerState,
    /// The engine's own health verdict.
    pub health: Option<EngineHealth>,
    /// The image it was made from, by id.
    pub image: ImageId,
    /// The image as it was named at creation.
    pub image_ref: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Addresses by network name.
    pub addresses: BTreeMap<String, Attachment>,
    /// Published ports as they are bound now: container port and protocol to host addresses.
    pub ports: Vec<BoundPort>,
    /// Names of the volumes that are mounted in it, anonymous ones included.
    pub volumes: Vec<String>,
    /// What it runs, as one line.
    pub command: String,
    /// When it was created, seconds since 1970 on the engine's clock.
    pub created: i64,
    /// The engine's one-line status (`Up 3 seconds (healthy)`).
    pub status: String,
}

/// A container's place on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The network's id.
    pub network: NetworkId,
    /// Its address there, while it runs.
    pub ip: Option<IpAddr>,
}

/// A port that is bound on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundPort {
    /// Port in the container.
    pub target: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Address and port of the host; `None` for an exposed port that is not published.
    pub host: Option<(String, u16)>,
}

/// A container's state (Engine API, `ContainerState.Status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Created, never started; or a start that the engine refused.
    Created,
    /// Running.
    Running,
    /// Running, its processes frozen.
    Paused,
    /// Between an exit and the engine's next start.
    Restarting,
    /// Ended.
    Exited {
        /// The exit code; 128 + n for signal n.
        code: i64,
        /// Whether the kernel killed it for memory.
        oom_killed: bool,
    },
    /// Being removed.
    Removing,
    /// Broken; the engine can only remove it.
    Dead,
}

impl ContainerState {
    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    /// Whether it has processes, or will have some again without being asked.
    pub fn is_alive(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// The engine's word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited { .. } => "exited",
            Self::Removing => "removing",
            Self::Dead => "dead",
        }
    }
}

/// The engine's health verdict (Engine API, `Health.Status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineHealth {
    /// No verdict yet.
    Starting,
    /// Good.
    Healthy,
    /// Bad.
    Unhealthy,
}

/// A network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkFound {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VolumeFound {
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Where its files lie on the engine's machine.
    pub mountpoint: String,
    /// `local`, or `global` where all machines of a cluster have it.
    pub scope: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Image {
    /// Its id.
    pub id: Option<ImageId>,
    /// `repository@sha256:…` of each registry it was pulled from.
    pub digests: Vec<String>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// Its health check, in the engine's form.
    pub healthcheck: Option<super::Healthcheck>,
    /// Ports it exposes, `8080/tcp`.
    pub exposed: Vec<String>,
    /// What it runs on: `linux/amd64`, `linux/arm64/v8`.
    pub platform: String,
    /// Size in bytes.
    pub size: u64,
    /// When the engine last pulled, built or tagged it, RFC 3339 on the engine's clock
    /// (`Metadata.LastTagTime`); empty where unknown.
    pub last_tagged: String,
}
