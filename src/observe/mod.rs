//! Observes a living project: everything that the dashboard learns, and that nobody did in this process.
//!
//! [`start`] begins; from then on [`Fact`]s flow, as far as [`Needs`] ask for them: `containers` keeps the
//! list and tells what happened, `usage` streams what containers use, `logs` follows their logs, `probes`
//! tries their probes, `traffic`, `alerts` and `charts` ask the project's own Prometheus and Alertmanager.
//! What is not needed is not read.
//!
//! Invariants: nothing is changed; an engine that does not answer is told as such and never as absence;
//! what is lost is asked for again, slower and slower, for ever; dropping the [`Observing`] ends all.

pub mod time;
mod alerts;
mod beat;
mod boards;
mod charts;
mod containers;
mod find;
mod happenings;
mod inspect;
mod logs;
mod position;
mod probes;
mod traffic;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::base::{Clock, ContainerId, Masker, ProjectName};
use crate::engine::SharedEngine;
use crate::event::live::Fact;
use crate::event::request::Needs;
use crate::model::{Container, Project};
use crate::plan::Instance;
use crate::probe::{EngineHost, ExecLimit};

/// What is observed, and how.
#[derive(Clone)]
pub struct Setting {
    /// The project.
    pub project: ProjectName,
    /// Its files as loaded now, where they are at hand; they may change while it is observed.
    pub stack: watch::Receiver<Option<Arc<Project>>>,
    /// The engine.
    pub engine: SharedEngine,
    /// Moments.
    pub clock: Arc<dyn Clock>,
    /// Nanoseconds since 1970.
    pub wall: fn() -> i64,
    /// Hides secrets in what probes saw.
    pub masker: Masker,
    /// The bound on commands in containers.
    pub execs: ExecLimit,
}

/// A project that is being observed. Dropping it ends that, and all connections.
#[derive(Debug)]
pub struct Observing {
    _parts: JoinSet<()>,
    look: Arc<Notify>,
    probe: mpsc::UnboundedSender<Vec<Instance>>,
}

impl Observing {
    /// Tries the probes of containers now, beside their pace.
    pub fn probe_now(&self, instances: Vec<Instance>) {
        // Where the parts have ended, nobody waits for an answer either.
        let _ = self.probe.send(instances);
    }

    /// Reads the list of containers now: something was done to them.
    pub fn look_now(&self) {
        self.look.notify_one();
    }
}

/// Begins to observe. The facts end where nobody takes them any more, or `needs` is dropped.
///
/// Must be called within a runtime.
pub fn start(setting: Setting, needs: watch::Receiver<Needs>, facts: mpsc::Sender<Fact>) -> Observing {
    let (told, there) = watch::channel(There::default());
    let (probe, asked) = mpsc::unbounded_channel();
    let look = Arc::new(Notify::new());
    let shared = Shared {
        stack: setting.stack.clone(),
        setting,
        needs,
        facts,
        there,
    };
    let mut parts = JoinSet::new();
    parts.spawn(containers::run(shared.clone(), told, look.clone()));
    parts.spawn(usage::run(shared.clone()));
    parts.spawn(logs::run(shared.clone()));
    parts.spawn(traffic::run(shared.clone()));
    parts.spawn(alerts::run(shared.clone()));
    parts.spawn(charts::run(shared.clone()));
    parts.spawn(probes::run(shared, asked));
    Observing {
        _parts: parts,
        look,
        probe,
    }
}

/// What the parts share.
#[derive(Clone)]
struct Shared {
    setting: Setting,
    needs: watch::Receiver<Needs>,
    facts: mpsc::Sender<Fact>,
    there: watch::Receiver<There>,
    stack: watch::Receiver<Option<Arc<Project>>>,
}

impl Shared {
    /// Tells a fact. `false` where nobody listens any more.
    async fn tell(&self, fact: Fact) -> bool {
        self.facts.send(fact).await.is_ok()
    }
}

/// What is there, for the parts that need to know.
#[derive(Debug, Clone)]
struct There {
    /// Whether the engine answers; what follows is what was known last where it does not.
    reached: bool,
    /// Whether a list was read at all: before, nobody knows who is there.
    listed: bool,
    /// Where published ports are.
    host: EngineHost,
    /// The newest list, without the engine's words for ages.
    containers: Arc<Vec<Container>>,
    /// How many starts and ends were seen of each container: tells incarnations apart.
    lives: Arc<BTreeMap<ContainerId, u64>>,
}

impl Default for There {
    fn default() -> Self {
        Self {
            reached: false,
            listed: false,
            host: EngineHost::Local,
            containers: Arc::default(),
            lives: Arc::default(),
        }
    }
}

impl There {
    /// The life that a container is in.
    fn life(&self, id: &ContainerId) -> u64 {
        self.lives.get(id).copied().unwrap_or(0)
    }
}

/// Service and number of a container.
fn instance_of(container: &Container) -> Instance {
    Instance {
        service: container.service.clone(),
        number: container.number,
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod metrics_tests;
