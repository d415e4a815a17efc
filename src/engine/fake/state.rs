//! What the engine in memory has, and how it changes.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use crate::base::{ContainerId, ImageId, NetworkId, ProjectName, ServiceName};
use crate::engine::{
    CreateContainer, EngineErrorKind, EngineEvent, EngineEventKind, ExecOutcome, LogLine, LogStream,
};
use crate::model::observed::{Attachment, BoundPort};
use crate::model::{Container, ContainerState, EngineHealth, Image, NetworkFound, VolumeFound, labels};

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// `info`
    Info,
    /// `observe` and `list_projects`
    Observe,
    /// `inspect`
    Inspect,
    /// `create_network`
    CreateNetwork,
    /// `remove_network`
    RemoveNetwork,
    /// `create_volume`
    CreateVolume,
    /// `remove_volume`
    RemoveVolume,
    /// `create_container`
    CreateContainer,
    /// `start_container`
    StartContainer,
    /// `stop_container`
    StopContainer,
    /// `pause_container` and `unpause_container`
    PauseContainer,
    /// `kill_container`
    KillContainer,
    /// `remove_container`
    RemoveContainer,
    /// `rename_container`
    RenameContainer,
    /// `wait_container`
    WaitContainer,
    /// `exec` and `exec_attach`
    Exec,
    /// `image`
    Image,
    /// `pull`
    Pull,
    /// `build`
    Build,
    /// `import_image`, `load_images`
    Import,
    /// `tag_image`
    TagImage,
    /// `remove_image`
    RemoveImage,
    /// `ping`
    Ping,
    /// `object_events`
    Events,
    /// `stats` and `stats_once`
    Stats,
    /// `top`
    Top,
}

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It is refused; nothing was done.
    Refused(EngineErrorKind),
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It never answers; nothing was done.
    Hangs,
}

/// What a start does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnStart {
    /// The container runs until it is stopped.
    #[default]
    Runs,
    /// It ends at once with this code.
    Exits(i64),
    /// It is killed for memory at once.
    DiesOfMemory,
    /// The engine refuses the start; the container stays created.
    Refused(EngineErrorKind),
}

/// What the containers of a service do.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// At their start.
    pub on_start: OnStart,
    /// Lines they write at their start.
    pub log: Vec<String>,
    /// Outcomes of commands in them, one a command; the last one repeats.
    pub execs: VecDeque<ExecOutcome>,
    /// Whether they ignore the request to stop, so that the kill ends them (137).
    pub ignores_stop: bool,
}

/// A container with what only the engine knows.
#[derive(Debug, Clone)]
pub(super) struct FakeContainer {
    pub(super) container: Container,
    pub(super) log: Vec<LogLine>,
    pub(super) execs: VecDeque<ExecOutcome>,
    pub(super) volumes: BTreeSet<String>,
    /// Published: container port, protocol, host port.
    pub(super) publish: Vec<(u16, String, Option<u16>)>,
    pub(super) starts: u64,
    pub(super) tty: bool,
    pub(super) resource_use: crate::model::Usage,
}

impl FakeContainer {
    pub(super) fn of(container: Container) -> Self {
        Self {
            container,
            log: Vec::new(),
            execs: VecDeque::new(),
            volumes: BTreeSet::new(),
            publish: Vec::new(),
            starts: 0,
            tty: false,
            resource_use: crate::model::Usage::default(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) containers: BTreeMap<String, FakeContainer>,
    pub(super) networks: Vec<NetworkFound>,
    pub(super) volumes: BTreeMap<String, VolumeFound>,
    pub(super) images: BTreeMap<String, Image>,
    pub(super) files: HashMap<(String, String), Vec<u8>>,
    /// What the registry has; `None` where none can be reached.
    pub(super) registry: Option<BTreeSet<String>>,
    pub(super) scripts: HashMap<String, Script>,
    pub(super) execs: HashMap<String, VecDeque<ExecOutcome>>,
    pub(super) failures: Vec<(Op, usize, Failure)>,
    pub(super) counts: HashMap<Op, usize>,
    pub(super) changes: Vec<String>,
    pub(super) build_failure: Option<String>,
    /// Builds, with their contexts.
    pub(super) builds: Vec<(crate::engine::BuildRequest, Vec<u8>)>,
    pub(super) down: bool,
    /// Whether events reach nobody.
    pub(super) mute: bool,
    /// All events so far.
    pub(super) history: Vec<EngineEvent>,
    next: u64,
    ticks: i64,
}

impl State {
    pub(super) fn count(&self, op: Op) -> usize {
        self.counts.get(&op).copied().unwrap_or(0)
    }

    /// Counts a call; returns how it fails, if it does.
    pub(super) fn called(&mut self, op: Op) -> Option<Failure> {
        let count = self.counts.entry(op).or_insert(0);
        *count += 1;
        let count = *count;
        self.failures
            .iter()
            .find(|(o, at, _)| *o == op && *at == count)
            .map(|(_, _, failure)| failure.clone())
    }

    /// A number that was not used before.
    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn fresh_id(&mut self, kind: u8) -> String {
        let n = self.fresh();
        format!("{kind:02x}{n:062x}")
    }

    /// The engine's time, which goes on by a second with each thing that happens.
    fn tick(&mut self) -> i64 {
        self.ticks += 1;
        self.ticks
    }

    pub(super) fn add_image(&mut self, reference: &str, mut image: Image) -> ImageId {
        let id = match &image.id {
            Some(id) => id.clone(),
            None => {
                let id = format!("sha256:{}", self.fresh_id(1));
                ImageId::from(id)
            }
        };
        image.id = Some(id.clone());
        self.images.insert(reference.to_owned(), image);
        id
    }

    /// An image by reference (with or without `:latest`) or id.
    pub(super) fn image(&self, reference: &str) -> Option<&Image> {
        let bare = reference.strip_suffix(":latest").unwrap_or(reference);
        self.images
            .get(reference)
            .or_else(|| self.images.get(bare))
            .or_else(|| self.images.get(&format!("{bare}:latest")))
            .or_else(|| {
                self.images
                    .values()
                    .find(|i| i.id.as_ref().is_some_and(|id| id.as_str() == reference))
            })
    }

    /// A container's id by its name or id.
    pub(super) fn id_by_name(&self, name: &str) -> Option<String> {
        self.containers
            .iter()
            .find(|(id, c)| c.container.name == name || id.as_str() == name)
            .map(|(id, _)| id.clone())
    }

    pub(super) fn get(&mut self, id: &ContainerId) -> Result<&mut FakeContainer, EngineErrorKind> {
        self.containers
            .get_mut(id.as_str())
            .ok_or_else(|| EngineErrorKind::NotFound(format!("No such container: {id}")))
    }

    pub(super) fn create_network(
        &mut self,
        name: &str,
        driver: &str,
        all: BTreeMap<String, String>,
    ) -> NetworkId {
        let same = |n: &NetworkFound| {
            n.name == name
                && n.labels.get(labels::PROJECT) == all.get(labels::PROJECT)
                && n.labels.get(labels::NETWORK) == all.get(labels::NETWORK)
        };
        if let Some(there) = self.networks.iter().find(|n| same(n)) {
            return there.id.clone();
        }
        let id = NetworkId::from(self.fresh_id(2));
        self.networks.push(NetworkFound {
            id: id.clone(),
            name: name.to_owned(),
            driver: driver.to_owned(),
            labels: all,
        });
        id
    }

    /// Names of the running containers on a network.
    pub(super) fn members(&self, id: &NetworkId) -> Vec<String> {
        self.containers
            .values()
            .filter(|c| {
                c.container.state.is_running() && c.container.addresses.values().any(|a| a.network == *id)
            })
            .map(|c| c.container.name.clone())
            .collect()
    }

    pub(super) fn create_container(
        &mut self,
        request: &CreateContainer<'_>,
    ) -> Result<(ContainerId, Vec<EngineEvent>), EngineErrorKind> {
        let service = request.service;
        if let Some(id) = self.id_by_name(&request.name) {
            return Err(EngineErrorKind::Conflict(format!(
                "Conflict. The container name \"/{}\" is already in use by container \"{id}\".",
                request.name
            )));
        }
        if self.image(request.image.as_str()).is_none() {
            return Err(EngineErrorKind::NotFound(format!(
                "No such image: {}",
                request.image
            )));
        }
        let mut addresses = BTreeMap::new();
        for key in service.networks.keys() {
            let (Some(spec), Some(id)) = (request.project.networks.get(key), request.networks.get(key))
            else {
                continue;
            };
            if !self.networks.iter().any(|n| n.id == *id) {
                return Err(EngineErrorKind::NotFound(format!("network {id} not found")));
            }
            addresses.insert(
                spec.name.clone(),
                Attachment {
                    network: id.clone(),
                    ip: None,
                },
            );
        }
        let id = self.fresh_id(3);
        let created = self.tick();
        let all: BTreeMap<String, String> = service
            .labels
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .chain(request.labels.clone())
            .collect();
        let mut fake = FakeContainer::of(Container {
            id: ContainerId::from(id.as_str()),
            name: request.name.clone(),
            service: request.service_name.clone(),
            number: request.number,
            oneoff: request.oneoff.is_some(),
            state: ContainerState::Created,
            health: None,
            image: request.image.clone(),
            image_ref: service.image_reference(request.project.name.as_str(), request.service_name.as_str()),
            labels: all,
            addresses,
            ports: Vec::new(),
            created,
            status: "Created".into(),
            volumes: Vec::new(),
            command: service.command.clone().unwrap_or_default().join(" "),
        });
        fake.tty = service.tty;
        fake.publish = service
            .ports
            .iter()
            .map(|p| {
                let host = p.published.as_deref().and_then(|t| t.parse().ok());
                (p.target, p.protocol.as_str().to_owned(), host)
            })
            .collect();
        fake.volumes = service
            .volumes
            .iter()
            .filter_map(|m| match &m.kind {
                crate::model::MountKind::Volume {
                    source: Some(key), ..
                } => request.project.volumes.get(key).map(|v| v.name.clone()),
                _ => None,
            })
            .collect();
        self.containers.insert(id.clone(), fake);
        let events = self.event(&id, EngineEventKind::Create);
        Ok((ContainerId::from(id), events))
    }

    pub(super) fn start(&mut self, id: &ContainerId) -> Result<Vec<EngineEvent>, EngineErrorKind> {
        let fake = self.get(id)?;
        if fake.container.state.is_running() {
            return Ok(Vec::new());
        }
        let service = fake.container.service.to_string();
        let wanted: Vec<u16> = fake.publish.iter().filter_map(|(_, _, host)| *host).collect();
        let script = self.scripts.get(&service).cloned().unwrap_or_default();
        if let OnStart::Refused(kind) = script.on_start {
            return Err(kind);
        }
        let taken = self
            .containers
            .values()
            .filter(|c| c.container.state.is_running())
            .flat_map(|c| c.container.ports.iter())
            .filter_map(|p| p.host.as_ref())
            .find(|(_, port)| wanted.contains(port));
        if let Some((_, port)) = taken {
            return Err(EngineErrorKind::PortTaken {
                port: Some(*port),
                message: format!("Bind for 0.0.0.0:{port} failed: port is already allocated"),
            });
        }
        let host_part = u8::try_from(self.fresh() % 250).unwrap_or(0) + 2;
        let mut free = 40_000 + u16::try_from(self.fresh() % 20_000).unwrap_or(0);
        let fake = self.get(id)?;
        fake.starts += 1;
        fake.container.state = ContainerState::Running;
        fake.container.status = "Up Less than a second".into();
        for (at, attachment) in fake.container.addresses.values_mut().enumerate() {
            let network = u8::try_from(at % 250).unwrap_or(0);
            attachment.ip = Some(IpAddr::V4(Ipv4Addr::new(10, 99, network, host_part)));
        }
        fake.container.ports = fake
            .publish
            .iter()
            .map(|(target, protocol, host)| {
                free += 1;
                BoundPort {
                    target: *target,
                    protocol: protocol.clone(),
                    host: Some(("0.0.0.0".to_owned(), host.unwrap_or(free))),
                }
            })
            .collect();
        if fake.execs.is_empty() {
            fake.execs = script.execs.clone();
        }
        for line in &script.log {
            self.write_log(id.as_str(), LogStream::Stdout, line);
        }
        let mut events = self.event(id.as_str(), EngineEventKind::Start);
        match script.on_start {
            OnStart::Exits(code) => {
                let state = ContainerState::Exited {
                    code,
                    oom_killed: false,
                };
                events.extend(self.end(id.as_str(), state));
            }
            OnStart::DiesOfMemory => {
                let state = ContainerState::Exited {
                    code: 137,
                    oom_killed: true,
                };
                events.extend(self.end(id.as_str(), state));
            }
            OnStart::Runs | OnStart::Refused(_) => {}
        }
        Ok(events)
    }

    /// Pauses a running container, or lets a paused one go on.
    pub(super) fn freeze(
        &mut self,
        id: &ContainerId,
        from: ContainerState,
        to: ContainerState,
    ) -> Result<((), Vec<EngineEvent>), EngineErrorKind> {
        let fake = self.get(id)?;
        if fake.container.state != from {
            return Err(EngineErrorKind::Conflict(format!(
                "Container {id} is not {}",
                from.as_str()
            )));
        }
        let kind = match to {
            ContainerState::Paused => EngineEventKind::Pause,
            _ => EngineEventKind::Unpause,
        };
        fake.container.state = to;
        Ok(((), self.event(id.as_str(), kind)))
    }

    /// Asks a running container to stop; what ignores that is killed.
    pub(super) fn stop(&mut self, id: &ContainerId) -> Result<Vec<EngineEvent>, EngineErrorKind> {
        let fake = self.get(id)?;
        if !fake.container.state.is_running() {
            return Ok(Vec::new());
        }
        let service = fake.container.service.to_string();
        let stubborn = self.scripts.get(&service).is_some_and(|s| s.ignores_stop);
        let code = if stubborn { 137 } else { 0 };
        let mut events = self.end(
            id.as_str(),
            ContainerState::Exited {
                code,
                oom_killed: false,
            },
        );
        events.extend(self.event(id.as_str(), EngineEventKind::Stop));
        Ok(events)
    }

    /// Ends a container.
    pub(super) fn end(&mut self, id: &str, state: ContainerState) -> Vec<EngineEvent> {
        let Some(fake) = self.containers.get_mut(id) else {
            return Vec::new();
        };
        if !fake.container.state.is_running() {
            return Vec::new();
        }
        let code = match &state {
            ContainerState::Exited { code, .. } => *code,
            _ => 0,
        };
        let memory = matches!(&state, ContainerState::Exited { oom_killed: true, .. });
        fake.container.status = format!("Exited ({code}) Less than a second ago");
        fake.container.state = state;
        fake.container.health = None;
        fake.container.ports.clear();
        for attachment in fake.container.addresses.values_mut() {
            attachment.ip = None;
        }
        let mut events = Vec::new();
        if memory {
            events.extend(self.event(id, EngineEventKind::Oom));
        }
        events.extend(self.event(id, EngineEventKind::Die(code)));
        events
    }

    pub(super) fn set_health(&mut self, id: &str, health: EngineHealth) -> Vec<EngineEvent> {
        match self.containers.get_mut(id) {
            Some(fake) => fake.container.health = Some(health),
            None => return Vec::new(),
        }
        self.event(id, EngineEventKind::Health(health))
    }

    pub(super) fn write_log(&mut self, id: &str, stream: LogStream, line: &str) {
        let time = self.tick();
        if let Some(fake) = self.containers.get_mut(id) {
            fake.log.push(LogLine {
                stream,
                timestamp: timestamp(time),
                bytes: bytes::Bytes::copy_from_slice(line.as_bytes()),
                complete: true,
                cut: false,
            });
        }
    }

    /// The next outcome of a command in a container.
    pub(super) fn exec(&mut self, id: &ContainerId) -> Result<ExecOutcome, EngineErrorKind> {
        let fake = self.get(id)?;
        if !fake.container.state.is_running() {
            return Err(EngineErrorKind::Conflict(format!(
                "Container {id} is not running"
            )));
        }
        let name = fake.container.name.clone();
        let script = match self.execs.get_mut(&name) {
            Some(script) => script,
            None => &mut self.get(id)?.execs,
        };
        Ok(match script.len() {
            0 => super::exec_outcome(0, ""),
            1 => script
                .front()
                .cloned()
                .unwrap_or_else(|| super::exec_outcome(0, "")),
            _ => script.pop_front().unwrap_or_else(|| super::exec_outcome(0, "")),
        })
    }

    /// An event of a container, as a list of one.
    pub(super) fn event(&mut self, id: &str, kind: EngineEventKind) -> Vec<EngineEvent> {
        let time = self.tick();
        let Some(fake) = self.containers.get(id) else {
            return Vec::new();
        };
        let label = |key: &str| fake.container.labels.get(key).map(String::as_str);
        vec![EngineEvent {
            container: ContainerId::from(id),
            service: label(labels::SERVICE).map(ServiceName::from),
            project: label(labels::PROJECT).map(ProjectName::from),
            name: fake.container.name.clone(),
            kind,
            time: time * 1_000_000_000,
        }]
    }
}

/// A made-up time: so many seconds into a certain hour.
pub(super) fn timestamp(seconds: i64) -> String {
    format!(
        "2026-01-01T{:02}:{:02}:{:02}.000000000Z",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}
