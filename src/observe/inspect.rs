//! What only inspections tell, and what they show that no event told.

use std::collections::{BTreeMap, VecDeque};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Duration, Instant};

use super::happenings::Happenings;
use super::{instance_of, time};
use crate::base::ContainerId;
use crate::engine::{EngineError, Inspected, SharedEngine};
use crate::event::live::{ContainerDetails, Happening, Kind};
use crate::model::{Container, ContainerState};

/// Inspections at one time.
const AT_ONCE: usize = 4;
/// An inspection's time and that of the event of the same thing differ by less.
const SAME: i64 = 2_000_000_000;
/// How long the event of something that an inspection shows is waited for.
const LATE: Duration = Duration::from_secs(1);

/// Inspections that are wanted or under way.
#[derive(Default)]
pub(super) struct Inspections {
    queue: VecDeque<ContainerId>,
    running: FuturesUnordered<BoxFuture<'static, (ContainerId, Result<Inspected, EngineError>)>>,
    /// The state in which each container was inspected last.
    inspected: BTreeMap<ContainerId, ContainerState>,
    /// The last start and end that inspections showed of each.
    known: BTreeMap<ContainerId, (Option<i64>, Option<i64>)>,
    /// Starts and ends that no event told yet.
    unseen: Vec<(Instant, Unseen)>,
}

/// A start or an end that an inspection shows.
#[derive(Debug, Clone)]
struct Unseen {
    container: Box<Container>,
    kind: Kind,
    at: i64,
    code: i64,
}

impl Inspections {
    /// Inspects again what is in another state than when it was inspected last.
    pub(super) fn changed(&mut self, containers: &[Container]) {
        self.inspected
            .retain(|id, _| containers.iter().any(|c| c.id == *id));
        self.known.retain(|id, _| containers.iter().any(|c| c.id == *id));
        for container in containers {
            let state = &container.state;
            if self.inspected.get(&container.id) != Some(state) {
                self.inspected.insert(container.id.clone(), state.clone());
                self.inspect(&container.id);
            }
        }
    }

    /// Inspects a container.
    pub(super) fn inspect(&mut self, id: &ContainerId) {
        if !self.queue.contains(id) {
            self.queue.push_back(id.clone());
        }
    }

    /// Forgets what is under way: the engine is gone. All is inspected again when it is back.
    pub(super) fn forget(&mut self) {
        self.queue.clear();
        self.running.clear();
        self.inspected.clear();
    }

    /// The next answer; for ever nothing where none is wanted. Can be dropped and called again.
    pub(super) async fn next(
        &mut self,
        engine: &SharedEngine,
    ) -> (ContainerId, Result<Inspected, EngineError>) {
        while self.running.len() < AT_ONCE
            && let Some(id) = self.queue.pop_front()
        {
            let engine = engine.clone();
            self.running.push(Box::pin(async move {
                let answer = engine.inspect(&id).await;
                (id, answer)
            }));
        }
        match self.running.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Takes an answer in: compares its times with what events told.
    pub(super) fn compare(&mut self, inspected: &Inspected, happenings: &Happenings) {
        let container = &inspected.container;
        let (started, finished) = (
            time::nanos(&inspected.started_at),
            time::nanos(&inspected.finished_at),
        );
        let before = self.known.insert(container.id.clone(), (started, finished));
        // What was there when we came is no news.
        let Some((started_before, finished_before)) = before else {
            return;
        };
        let is_told = |kind, at: i64| {
            happenings
                .last_of(&container.id, kind)
                .is_some_and(|told| told >= at - SAME)
        };
        let code = match inspected.state {
            ContainerState::Exited { code, .. } => code,
            _ => 0,
        };
        let mut found = |kind, at: Option<i64>, before: Option<i64>| {
            if let Some(at) = at.filter(|at| Some(*at) != before && !is_told(kind, *at)) {
                let container = Box::new(container.clone());
                let unseen = Unseen {
                    container,
                    kind,
                    at,
                    code,
                };
                self.unseen.push((Instant::now() + LATE, unseen));
            }
        };
        if matches!(inspected.state, ContainerState::Exited { .. }) {
            found(Kind::Died, finished, finished_before);
        }
        if inspected.state.is_running() {
            found(Kind::Started, started, started_before);
        }
    }

    /// When the next unseen happening is to be told, where there is one.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unseen.iter().map(|(at, _)| *at).min()
    }

    /// What no event has told by now.
    pub(super) fn overdue(&mut self, happenings: &mut Happenings) -> Vec<Happening> {
        let now = Instant::now();
        let mut told = Vec::new();
        let mut left = Vec::new();
        for (due, unseen) in std::mem::take(&mut self.unseen) {
            if due > now {
                left.push((due, unseen));
                continue;
            }
            let container = &unseen.container;
            let known = happenings.last_of(&container.id, unseen.kind);
            if known.is_some_and(|known| known >= unseen.at - SAME) {
                continue;
            }
            let (kind, text) = happenings.unseen(&container.id, unseen.kind, unseen.at, unseen.code);
            told.push(Happening {
                time: unseen.at,
                kind,
                instance: (!container.oneoff).then(|| instance_of(container)),
                service: Some(container.service.clone()),
                container: Some(container.id.clone()),
                text,
            });
        }
        self.unseen = left;
        told
    }
}

/// What an inspection told.
pub(super) fn details(inspected: Inspected) -> ContainerDetails {
    ContainerDetails {
        oom_killed: matches!(inspected.state, ContainerState::Exited { oom_killed: true, .. }),
        started_at: inspected.started_at,
        finished_at: inspected.finished_at,
        restart_count: inspected.restart_count,
        error: inspected.error,
        pid: inspected.pid,
    }
}
