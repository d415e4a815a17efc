//! The containers of the project, what happens to them, and whether the engine is there at all.
//!
//! The engine's events say when to look, the list says what is. Events may be lost, so that the list is
//! read from time to time in any case; a stream that ended or an engine that hangs is asked at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::beat::{LastAnswer, until_silent};
use super::happenings::Happenings;
use super::inspect::{Inspections, details};
use super::{Shared, There};
use crate::base::ContainerId;
use crate::engine::{EngineError, EngineEventKind, EventQuery, ObjectEvent};
use crate::event::live::{Fact, Link};
use crate::model::{Container, ContainerState};
use crate::probe::EngineHost;

/// After an event, what follows it at once is awaited.
const SETTLE: Duration = Duration::from_millis(50);
/// The engine tells of a start or an end before its list knows: so often it is read again, later each time.
const BEHIND: u32 = 6;
/// The list is read at least so often: events may be lost.
const LOOK: Duration = Duration::from_secs(8);
/// How far back the engine's memory of events is read at first.
const PAST: i64 = 15 * 60 * 1_000_000_000;
/// Between two questions to an engine that is gone.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// Before a stream of events that ended or was refused is opened again.
const REOPEN: Duration = Duration::from_millis(100);
const REFUSED: Duration = Duration::from_secs(10);

type Events = BoxStream<'static, Result<ObjectEvent, EngineError>>;

/// Observes until nobody listens.
pub(super) async fn run(shared: Shared, there: watch::Sender<There>, look: Arc<Notify>) {
    let facts = shared.facts.clone();
    let begin = (shared.setting.wall)().saturating_sub(PAST);
    let mut part = Part {
        shared,
        there,
        look,
        happenings: Happenings::from(begin),
        inspections: Inspections::default(),
        lives: BTreeMap::new(),
        running: BTreeMap::new(),
        behind: 0,
        last: LastAnswer::default(),
        pause: SHORTEST,
        told: None,
    };
    part.last.now(&*part.shared.setting.clock);
    tokio::select! {
        () = part.for_ever() => {}
        () = facts.closed() => {}
    }
}

struct Part {
    shared: Shared,
    there: watch::Sender<There>,
    look: Arc<Notify>,
    happenings: Happenings,
    inspections: Inspections,
    lives: BTreeMap<ContainerId, u64>,
    /// Whether each runs, as events and inspections told last.
    running: BTreeMap<ContainerId, bool>,
    /// How many lists in a row did not know that yet.
    behind: u32,
    last: LastAnswer,
    /// Before the engine is asked again.
    pause: Duration,
    /// Why the engine is gone, as told last.
    told: Option<String>,
}

impl Part {
    async fn for_ever(&mut self) {
        loop {
            let (engine, clock) = (
                self.shared.setting.engine.clone(),
                self.shared.setting.clock.clone(),
            );
            // The beat goes on beside the rest, so that a call that hangs is noticed as well.
            let last = std::mem::take(&mut self.last);
            let error = tokio::select! {
                error = until_silent(&*engine, &*clock, &last) => error,
                error = self.observe(&last) => error,
            };
            self.last = last;
            self.lost(&error).await;
            self.until_back().await;
        }
    }

    /// Observes an engine that answers, until it does not.
    async fn observe(&mut self, last: &LastAnswer) -> EngineError {
        match self.observe_until_error(last).await {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    async fn observe_until_error(
        &mut self,
        last: &LastAnswer,
    ) -> Result<std::convert::Infallible, EngineError> {
        let (engine, clock) = (
            self.shared.setting.engine.clone(),
            self.shared.setting.clock.clone(),
        );
        let project = self.shared.setting.project.clone();
        // Opened beside the rest, from a moment in the past on: what happens after the list was read is among
        // them. An engine may answer everything but this.
        let mut opening = Some(self.open_events());
        let mut events = None;
        let (info, list) = futures_util::try_join!(engine.info(), engine.list_containers(Some(&project)))?;
        last.now(&*clock);
        (self.pause, self.told) = (SHORTEST, None);
        let host = EngineHost::of(&info.endpoint);
        self.there.send_if_modified(|there| {
            let moved = there.host != host;
            there.host = host;
            moved
        });
        self.tell(Fact::Engine(Link::Up {
            description: format!("{} {} (API {})", info.name, info.version, info.api_version),
            endpoint: info.endpoint,
            cpus: info.cpus,
        }))
        .await;
        self.list(list).await;
        let mut reopen_at = Instant::now() + REFUSED;
        let mut look_at = Instant::now() + LOOK;
        let mut not_before = Instant::now();
        loop {
            let due = self.inspections.due();
            tokio::select! {
                event = next(&mut events) => match event {
                    Some(Ok(event)) => {
                        if self.happened(&event).await {
                            let settled = (Instant::now() + SETTLE).max(not_before);
                            look_at = look_at.min(settled);
                        }
                    }
                    Some(Err(_)) | None => {
                        // The stream is gone; whether the engine is, it says itself.
                        engine.ping().await?;
                        last.now(&*clock);
                        events = None;
                        reopen_at = Instant::now() + REOPEN;
                    }
                },
                () = tokio::time::sleep_until(reopen_at), if events.is_none() && opening.is_none() => {
                    opening = Some(self.open_events());
                }
                opened = opened(&mut opening) => {
                    events = opened;
                    // What happened in between may have been forgotten.
                    look_at = look_at.min(Instant::now() + SETTLE);
                    reopen_at = Instant::now() + REFUSED;
                }
                () = self.look.notified() => look_at = Instant::now(),
                () = tokio::time::sleep_until(look_at) => {
                    let began = Instant::now();
                    let list = engine.list_containers(Some(&project)).await?;
                    last.now(&*clock);
                    self.list(list).await;
                    // An engine that is slow is not asked without a pause.
                    not_before = Instant::now() + began.elapsed() * 3;
                    look_at = Instant::now() + if self.behind > 0 { SETTLE * self.behind } else { LOOK };
                }
                (id, answer) = self.inspections.next(&engine) => match answer {
                    Ok(inspected) => {
                        if self.is_news(&id, inspected.state.is_running()) {
                            look_at = look_at.min((Instant::now() + SETTLE).max(not_before));
                        }
                        self.inspections.compare(&inspected, &self.happenings);
                        self.tell(Fact::Details(id, details(inspected))).await;
                    }
                    Err(error) if error.is_engine_lost() => return Err(error),
                    // It is gone, which the next list tells.
                    Err(_) => {}
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    for happening in self.inspections.overdue(&mut self.happenings) {
                        self.tell(Fact::Happened(happening)).await;
                    }
                }
            }
        }
    }

    /// Opens the stream of events; nothing where the engine does not give it and must be looked at
    /// instead. Whether the engine is there at all, the beat tells.
    fn open_events(&self) -> BoxFuture<'static, Option<Events>> {
        let engine = self.shared.setting.engine.clone();
        let query = EventQuery {
            project: Some(self.shared.setting.project.clone()),
            kinds: vec!["container".into()],
            since: Some(self.happenings.since()),
            ..EventQuery::default()
        };
        Box::pin(async move { engine.object_events(&query).await.ok() })
    }

    /// Takes an event in. Whether the list is to be read.
    async fn happened(&mut self, event: &ObjectEvent) -> bool {
        let Some((kind, happening)) = self.happenings.take(event) else {
            return false;
        };
        if let Some(happening) = happening {
            self.tell(Fact::Happened(happening)).await;
        }
        let id = ContainerId::from(event.id.as_str());
        match kind {
            EngineEventKind::Start | EngineEventKind::Die(_) => {
                self.running.insert(id.clone(), kind == EngineEventKind::Start);
                *self.lives.entry(id.clone()).or_insert(0) += 1;
                self.inspections.inspect(&id);
            }
            EngineEventKind::Oom => self.inspections.inspect(&id),
            EngineEventKind::Kill(_) | EngineEventKind::Other(_) => return false,
            _ => {}
        }
        true
    }

    /// Takes in what an inspection tells. Whether the newest list does not know it.
    fn is_news(&mut self, id: &ContainerId, running: bool) -> bool {
        let listed = self.there.borrow().containers.clone();
        let listed = listed.iter().find(|c| c.id == *id).map(|c| c.state.is_running());
        // A paused container is neither.
        let news = listed.is_some_and(|listed| listed && !running);
        if news {
            self.running.insert(id.clone(), running);
        }
        news
    }

    /// Takes a list in.
    async fn list(&mut self, list: Vec<Container>) {
        self.lives.retain(|id, _| list.iter().any(|c| c.id == *id));
        let is_behind = |c: &Container| match self.running.get(&c.id) {
            Some(true) => matches!(c.state, ContainerState::Exited { .. } | ContainerState::Created),
            Some(false) => c.state.is_running(),
            None => false,
        };
        self.behind = match list.iter().any(is_behind) {
            true if self.behind < BEHIND => self.behind + 1,
            _ => 0,
        };
        if self.behind == 0 {
            // It knows all, or will not: an event may have been lost.
            self.running.clear();
        }
        self.inspections.changed(&list);
        let plain: Vec<Container> = list
            .iter()
            .map(|container| Container {
                status: String::new(),
                ..container.clone()
            })
            .collect();
        self.there.send_if_modified(|there| {
            let same = there.reached && *there.containers == plain && *there.lives == self.lives;
            if !same {
                (there.reached, there.listed) = (true, true);
                there.containers = Arc::new(plain);
                there.lives = Arc::new(self.lives.clone());
            }
            !same
        });
        self.tell(Fact::Containers(list)).await;
    }

    async fn lost(&mut self, error: &EngineError) {
        self.inspections.forget();
        self.there
            .send_if_modified(|there| std::mem::take(&mut there.reached));
        self.tell_lost(error).await;
    }

    async fn tell_lost(&mut self, error: &EngineError) {
        let reason = error.kind.to_string();
        if self.told.as_ref() != Some(&reason) {
            self.told = Some(reason.clone());
            let since = self.last.at();
            self.tell(Fact::Engine(Link::Lost { since, reason })).await;
        }
    }

    /// Asks, slower and slower, until the engine answers.
    async fn until_back(&mut self) {
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST);
            match self.shared.setting.engine.ping().await {
                Ok(()) => return,
                Err(error) if error.is_engine_lost() => self.tell_lost(&error).await,
                // It answers, if with a refusal: what it refuses is told by what is asked next.
                Err(_) => return,
            }
        }
    }

    async fn tell(&mut self, fact: Fact) {
        // That nobody listens ends this part elsewhere.
        self.shared.tell(fact).await;
    }
}

/// The stream that is being opened, once it is, or is known not to be.
async fn opened(opening: &mut Option<BoxFuture<'static, Option<Events>>>) -> Option<Events> {
    match opening {
        Some(future) => {
            let events = future.await;
            *opening = None;
            events
        }
        None => std::future::pending().await,
    }
}

async fn next(events: &mut Option<Events>) -> Option<Result<ObjectEvent, EngineError>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}
