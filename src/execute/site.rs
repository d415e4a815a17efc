//! What every part of an execution needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Clock, Masker, ServiceName};
use crate::engine::api::SharedEngine;
use crate::event::Hub;
use crate::model::{Image, Project};
use crate::probe::{EngineHost, ExecLimit};
use crate::provide::Programs;

use super::state::Room;
use super::stop::Stop;
use crate::plan::Action;

/// Where and how an execution takes place. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    /// The engine.
    pub engine: SharedEngine,
    /// Where its published ports are.
    pub host: EngineHost,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub hub: Hub,
    /// What asks the run to end.
    pub stop: Stop,
    /// Hides secrets.
    pub masker: Masker,
    /// The bound on commands in containers.
    pub execs: ExecLimit,
    /// The run's id.
    pub run: Arc<str>,
    /// How it is done.
    pub options: ExecuteOptions,
}

/// How an execution is done.
#[derive(Debug, Clone)]
pub struct ExecuteOptions {
    /// How many engine operations are under way at one time, stops included.
    pub parallel: usize,
    /// How many of them may be other than stops. A stop mostly waits for the container to end.
    pub parallel_work: usize,
    /// How many of them may be starts; where absent, twice the engine's cores and at least four
    /// (more than four gain nothing on two cores).
    pub parallel_starts: Option<usize>,
    /// The engine's cores.
    pub cores: usize,
    /// Whether started containers have to prove themselves before the run ends.
    pub wait: bool,
    /// How long the whole proof of one container may take; each probe has its own deadline beside.
    pub wait_timeout: Option<std::time::Duration>,
}

impl Default for ExecuteOptions {
    fn default() -> Self {
        Self {
            parallel: 64,
            parallel_work: 8,
            parallel_starts: None,
            cores: 2,
            wait: true,
            wait_timeout: None,
        }
    }
}

impl ExecuteOptions {
    /// What may be begun where so many operations are under way.
    pub fn room(&self, under_way: UnderWay) -> Room {
        let starts = self.parallel_starts.unwrap_or_else(|| (2 * self.cores).max(4));
        let work = self.parallel_work.max(starts.min(self.parallel));
        let room = |most: usize, now: usize| most.saturating_sub(now);
        Room {
            operations: room(self.parallel, under_way.operations),
            work: room(work, under_way.operations.saturating_sub(under_way.stops)),
            starts: room(starts, under_way.starts),
            cores: self.cores.max(1),
        }
    }
}

/// Operations that are under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// All.
    pub operations: usize,
    /// Starts among them.
    pub starts: usize,
    /// Stops among them.
    pub stops: usize,
}

impl UnderWay {
    /// One more.
    pub fn begin(&mut self, action: &Action) {
        self.operations += 1;
        self.starts += usize::from(matches!(action, Action::StartContainer { .. }));
        self.stops += usize::from(matches!(action, Action::StopContainer { .. }));
    }

    /// One less.
    pub fn end(&mut self, action: &Action) {
        self.operations -= 1;
        self.starts -= usize::from(matches!(action, Action::StartContainer { .. }));
        self.stops -= usize::from(matches!(action, Action::StopContainer { .. }));
    }
}

/// What the stack and the engine say about the services, for workers and proofs.
#[derive(Clone)]
pub struct Wants {
    /// The project.
    pub project: Arc<Project>,
    /// Images by service, where the engine has them.
    pub images: Arc<BTreeMap<ServiceName, Image>>,
    /// Digests of the configuration files that services bind from the host.
    pub bound_files: Arc<BTreeMap<ServiceName, Vec<(String, String)>>>,
    /// What providers and the runner of models are run with.
    pub programs: Arc<Programs>,
}
