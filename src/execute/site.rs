//! What every part of an execution needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Clock, Masker, ServiceName};
use crate::engine::api::SharedEngine;
use crate::event::Hub;
use crate::model::{Image, Project};
use crate::probe::{EngineHost, ExecLimit};

use super::stop::Stop;

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
    /// How many engine operations are under way at one time.
    pub parallel: usize,
    /// How many of them may be starts: more than four gain nothing on two cores.
    pub parallel_starts: usize,
    /// Whether started containers have to prove themselves before the run ends.
    pub wait: bool,
    /// How long the whole proof of one container may take; each probe has its own deadline beside.
    pub wait_timeout: Option<std::time::Duration>,
}

impl Default for ExecuteOptions {
    fn default() -> Self {
        Self {
            parallel: 8,
            parallel_starts: 4,
            wait: true,
            wait_timeout: None,
        }
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
}
