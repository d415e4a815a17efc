//! The streams of the engine in memory: logs, events, use of resources.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::calls::Kind;
use super::state::{FakeContainer, Op};
use super::{FakeEngine, gone};
use crate::base::{ContainerId, ProjectName};
use crate::engine::api::Result;
use crate::engine::{
    EngineError, EngineEvent, EngineEventKind, EventQuery, LogLine, LogOptions, ObjectEvent,
};
use crate::model::{EngineHealth, Usage};

impl FakeEngine {
    /// A container's log from its memory.
    pub(super) fn read_log(
        &self,
        id: &ContainerId,
        options: LogOptions,
    ) -> BoxStream<'static, Result<LogLine>> {
        let fake = self.clone();
        let id = id.clone();
        let skip = {
            let state = self.state();
            let log = state
                .containers
                .get(id.as_str())
                .map(|c| c.log.as_slice())
                .unwrap_or_default();
            let by_tail = options.tail.map_or(0, |tail| {
                log.len()
                    .saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX))
            });
            let by_time = options.since.as_ref().map_or(0, |since| {
                log.iter().take_while(|line| line.timestamp < *since).count()
            });
            by_tail.max(by_time)
        };
        stream::unfold(Some(skip), move |at| {
            let (fake, id, follow) = (fake.clone(), id.clone(), options.follow);
            async move {
                let at = at?;
                let next = fake
                    .until(|state| {
                        if state.down {
                            return Some(Err(gone()));
                        }
                        let found = match state.get(&id) {
                            Ok(found) => found,
                            Err(_) if at > skip => return Some(Ok(None)),
                            Err(kind) => return Some(Err(kind)),
                        };
                        match found.log.get(at) {
                            Some(line) => Some(Ok(Some(line.clone()))),
                            None if follow && found.container.state.is_running() => None,
                            None => Some(Ok(None)),
                        }
                    })
                    .await;
                match next {
                    Ok(None) => None,
                    Ok(Some(line)) => Some((Ok(line), Some(at + 1))),
                    Err(kind) => Some((Err(EngineError::new("read the log", kind)), None)),
                }
            }
        })
        .boxed()
    }

    /// Events of containers from now on.
    pub(super) fn watch(&self, project: Option<&ProjectName>) -> BoxStream<'static, Result<EngineEvent>> {
        let project = project.cloned();
        let fake = self.clone();
        let receiver = self.events.subscribe();
        stream::unfold(Some(receiver), move |receiver| {
            let (fake, project) = (fake.clone(), project.clone());
            async move {
                let mut receiver = receiver?;
                loop {
                    let down = fake.until(|state| state.down.then_some(()));
                    tokio::select! {
                        biased;
                        event = receiver.recv() => match event {
                            Ok(_) if fake.state().mute => {}
                            Ok(event) if project.is_none() || event.project == project => {
                                return Some((Ok(event), Some(receiver)));
                            }
                            Ok(_) => {}
                            Err(_) => return None,
                        },
                        () = down => {
                            let error = EngineError::new(
                                "watch the engine's events",
                                Kind::OutcomeUnknown("connection lost".into()),
                            );
                            return Some((Err(error), None));
                        }
                    }
                }
            }
        })
        .boxed()
    }

    /// Past events of containers, as far as `since` goes back, and those to come.
    pub(super) async fn watch_objects(
        &self,
        query: &EventQuery,
    ) -> Result<BoxStream<'static, Result<ObjectEvent>>> {
        self.call(Op::Events, "watch the engine's events", |_| Ok(((), Vec::new())))
            .await?;
        let to_come = self.watch(query.project.as_ref());
        let since = query.since.as_deref().and_then(moment).unwrap_or(i64::MAX);
        let past: Vec<Result<ObjectEvent>> = {
            let state = self.state();
            let wanted = |event: &&EngineEvent| {
                event.time >= since && (query.project.is_none() || event.project == query.project)
            };
            state
                .history
                .iter()
                .filter(wanted)
                .cloned()
                .map(|e| Ok(self.object_event(&state, e)))
                .collect()
        };
        let fake = self.clone();
        let to_come = to_come.map(move |event| event.map(|event| fake.object_event(&fake.state(), event)));
        Ok(stream::iter(past).chain(to_come).boxed())
    }

    fn object_event(&self, state: &super::State, event: EngineEvent) -> ObjectEvent {
        let container = state
            .containers
            .get(event.container.as_str())
            .map(|c: &FakeContainer| &c.container);
        let mut attributes = container.map(|c| c.labels.clone()).unwrap_or_default();
        attributes.insert("name".into(), event.name.clone());
        let action = match &event.kind {
            EngineEventKind::Create => "create",
            EngineEventKind::Start => "start",
            EngineEventKind::Die(code) => {
                attributes.insert("exitCode".into(), code.to_string());
                "die"
            }
            EngineEventKind::Stop => "stop",
            EngineEventKind::Kill(signal) => {
                attributes.insert("signal".into(), signal.clone());
                "kill"
            }
            EngineEventKind::Oom => "oom",
            EngineEventKind::Destroy => "destroy",
            EngineEventKind::Rename => "rename",
            EngineEventKind::Pause => "pause",
            EngineEventKind::Unpause => "unpause",
            EngineEventKind::Health(EngineHealth::Healthy) => "health_status: healthy",
            EngineEventKind::Health(_) => "health_status: unhealthy",
            EngineEventKind::Other(word) => word,
        };
        ObjectEvent {
            object: "container".into(),
            action: action.to_owned(),
            id: event.container.to_string(),
            attributes,
            time: event.time,
        }
    }

    /// A reading at once and then each second.
    pub(super) fn stream_stats(&self, id: &ContainerId) -> BoxStream<'static, Result<Usage>> {
        let (fake, id) = (self.clone(), id.clone());
        stream::unfold(Some(true), move |first| {
            let (fake, id) = (fake.clone(), id.clone());
            async move {
                if !first? {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let read = fake.call(Op::Stats, "watch the resources of a container", |state| {
                    Ok((state.get(&id)?.resource_use, Vec::new()))
                });
                let read = read.await;
                let next = read.is_ok().then_some(false);
                Some((read, next))
            }
        })
        .boxed()
    }
}

/// Nanoseconds since 1970 of a time as queries have it.
fn moment(text: &str) -> Option<i64> {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => i64::try_from(time.as_nanosecond()).ok(),
        Err(_) => text
            .split('.')
            .next()?
            .parse::<i64>()
            .ok()?
            .checked_mul(1_000_000_000),
    }
}
