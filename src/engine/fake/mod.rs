//! An engine in memory, for tests of planning and executing: no clock, no container, every
//! outcome scripted, any call made to fail or to lose its answer.

mod calls;
mod images;
mod state;
mod watch;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, broadcast};

pub use state::{Failure, OnStart, Op, Script};
use state::{FakeContainer, State};

use super::{EngineErrorKind, EngineEvent, ExecOutcome};
use crate::base::{ContainerId, ImageId};
use crate::model::{Container, ContainerState, Image, NetworkFound, VolumeFound};

/// The engine in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct FakeEngine {
    state: Arc<Mutex<State>>,
    /// Told on each change; those who wait look again.
    changed: Arc<Notify>,
    events: broadcast::Sender<EngineEvent>,
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEngine {
    /// An empty engine that no registry answers.
    pub fn new() -> Self {
        const EVENTS: usize = 4096;
        Self {
            state: Arc::new(Mutex::new(State::default())),
            changed: Arc::new(Notify::new()),
            events: broadcast::channel(EVENTS).0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Puts an image there, under a reference.
    pub fn add_image(&self, reference: &str) -> ImageId {
        self.add_image_with(reference, Image::default())
    }

    /// Puts an image with labels, a health check or exposed ports there; its id is made up where it
    /// has none.
    pub fn add_image_with(&self, reference: &str, image: Image) -> ImageId {
        self.state().add_image(reference, image)
    }

    /// Puts a file into an image.
    pub fn add_image_file(&self, image: &ImageId, path: &str, content: &[u8]) {
        self.state()
            .files
            .insert((image.to_string(), path.to_owned()), content.to_vec());
    }

    /// Makes a registry answer: it has these references, and says so of no other.
    pub fn set_registry(&self, references: &[&str]) {
        self.state().registry = Some(references.iter().map(|r| (*r).to_owned()).collect());
    }

    /// Puts a container there as if somebody had made it before, or without us.
    pub fn add_container(&self, container: Container) {
        let mut state = self.state();
        let id = container.id.to_string();
        state.containers.insert(id, FakeContainer::of(container));
    }

    /// Puts a network there.
    pub fn add_network(&self, network: NetworkFound) {
        self.state().networks.push(network);
    }

    /// Puts a volume there.
    pub fn add_volume(&self, volume: VolumeFound) {
        self.state().volumes.insert(volume.name.clone(), volume);
    }

    /// What the containers of a service do, from the next start on.
    pub fn script(&self, service: &str, script: Script) {
        self.state().scripts.insert(service.to_owned(), script);
    }

    /// Outcomes of commands in a container (by name), one a command; the last one repeats. Without a
    /// script of either kind a command exits with 0.
    pub fn script_execs(&self, container: &str, outcomes: impl IntoIterator<Item = ExecOutcome>) {
        self.state().execs.insert(
            container.to_owned(),
            outcomes.into_iter().collect::<VecDeque<_>>(),
        );
    }

    /// Makes the `nth` call (from 1, counted from now on) of a kind fail.
    pub fn fail(&self, op: Op, nth: usize, failure: Failure) {
        let mut state = self.state();
        let at = state.count(op) + nth;
        state.failures.push((op, at, failure));
    }

    /// Makes each build fail with this message, or build again.
    pub fn fail_builds(&self, message: Option<&str>) {
        self.state().build_failure = message.map(str::to_owned);
    }

    /// The builds so far, each with its context as a tar.
    pub fn builds(&self) -> Vec<(super::BuildRequest, Vec<u8>)> {
        self.state().builds.clone()
    }

    /// Makes the engine go away (each call is refused, each stream ends in an error) or come back.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
        self.changed.notify_waiters();
    }

    /// Ends a running container (by name) as a process would end.
    pub fn exit(&self, container: &str, code: i64) {
        self.exit_as(container, code, false);
    }

    /// Ends a running container (by name) as the kernel does for memory.
    pub fn kill_for_memory(&self, container: &str) {
        self.exit_as(container, 137, true);
    }

    fn exit_as(&self, name: &str, code: i64, oom_killed: bool) {
        let events = {
            let mut state = self.state();
            match state.id_by_name(name) {
                Some(id) => state.end(&id, ContainerState::Exited { code, oom_killed }),
                None => Vec::new(),
            }
        };
        self.publish(events);
    }

    /// Sets the engine's health verdict of a container (by name).
    pub fn set_health(&self, container: &str, health: crate::model::EngineHealth) {
        let events = {
            let mut state = self.state();
            match state.id_by_name(container) {
                Some(id) => state.set_health(&id, health),
                None => Vec::new(),
            }
        };
        self.publish(events);
    }

    /// Adds a line to a container's log (by name).
    pub fn log(&self, container: &str, line: &str) {
        {
            let mut state = self.state();
            if let Some(id) = state.id_by_name(container) {
                state.write_log(&id, super::LogStream::Stdout, line);
            }
        }
        self.changed.notify_waiters();
    }

    /// The changing calls that were made, in words, in order: `create container p-app-1`, …
    pub fn changes(&self) -> Vec<String> {
        self.state().changes.clone()
    }

    /// How often a kind of call was made.
    pub fn count(&self, op: Op) -> usize {
        self.state().count(op)
    }

    /// All containers.
    pub fn containers(&self) -> Vec<Container> {
        self.state()
            .containers
            .values()
            .map(|c| c.container.clone())
            .collect()
    }

    /// All networks.
    pub fn networks(&self) -> Vec<NetworkFound> {
        self.state().networks.clone()
    }

    /// All volumes.
    pub fn volumes(&self) -> Vec<VolumeFound> {
        self.state().volumes.values().cloned().collect()
    }

    /// The id of a container by name.
    pub fn id_of(&self, container: &str) -> Option<ContainerId> {
        self.state().id_by_name(container).map(ContainerId::from)
    }

    /// Keeps events from those who watch, as a stream that hangs does, or lets them through again.
    pub fn mute_events(&self, mute: bool) {
        self.state().mute = mute;
    }

    /// What a container (by name) uses from now on.
    pub fn set_use(&self, container: &str, resource_use: crate::model::Usage) {
        let mut state = self.state();
        if let Some(fake) = state
            .id_by_name(container)
            .and_then(|id| state.containers.get_mut(&id))
        {
            fake.resource_use = resource_use;
        }
    }

    fn publish(&self, events: Vec<EngineEvent>) {
        self.state().history.extend(events.iter().cloned());
        for event in events {
            let _ = self.events.send(event);
        }
        self.changed.notify_waiters();
    }
}

/// What a command that exits with `code` gives.
pub fn exec_outcome(code: i64, stdout: &str) -> ExecOutcome {
    ExecOutcome {
        code,
        stdout: stdout.as_bytes().to_vec(),
        stderr: Vec::new(),
    }
}

/// Why calls of an engine that is down fail.
fn gone() -> EngineErrorKind {
    EngineErrorKind::Unreachable("connection refused".into())
}
