//! Following: containers come, go, restart and are replaced, and so may the engine.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::base::ContainerId;
use crate::engine::{EngineError, EngineEvent, EngineEventKind, LogLine, LogOptions, LogStream};
use crate::model::{Container, ContainerState};

use super::super::super::exit::ExpectedError;
use super::super::super::output;
use super::{BATCH, Run, Source, is_chosen};

/// How long nothing of a followed project may run before following ends: longer than it takes to
/// replace a container.
const IDLE: Duration = Duration::from_secs(3);
/// How often the engine is asked what runs, beside its events.
const LOOK: Duration = Duration::from_secs(10);
/// How often, and at which pace, an engine that stopped answering is asked again.
const TRIES: u32 = 120;
const PACE: Duration = Duration::from_millis(500);

/// How long the next line of a run that is over is waited for, where a container still runs.
const LAST_LINES: Duration = Duration::from_millis(500);
/// And how long it is shown at most after it is over, where one goes on writing.
const LONGEST_END: Duration = Duration::from_secs(10);

/// What a followed log gives.
enum Item {
    Line(ContainerId, LogLine),
    Failed(EngineError),
    Ended(ContainerId),
}

type Items = SelectAll<BoxStream<'static, Item>>;

/// Why following was broken off.
enum Lost {
    /// The engine does not answer any more, or broke the connection.
    Engine(Option<EngineError>),
    /// Nothing can be done about it.
    Failed(ExpectedError),
}

impl From<EngineError> for Lost {
    fn from(error: EngineError) -> Self {
        if error.is_engine_lost() {
            Self::Engine(Some(error))
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<ExpectedError> for Lost {
    fn from(error: ExpectedError) -> Self {
        Self::Failed(error)
    }
}

impl Run {
    /// Prints as lines are written, until nothing of the project runs any more.
    pub(super) async fn follow(&mut self, options: &LogOptions) -> Result<(), ExpectedError> {
        loop {
            match self.follow_connected(options).await {
                Ok(()) => return Ok(()),
                Err(Lost::Failed(error)) => return Err(error),
                Err(Lost::Engine(error)) => self.wait_for_engine(error).await?,
            }
        }
    }

    async fn wait_for_engine(&mut self, mut error: Option<EngineError>) -> Result<(), ExpectedError> {
        let mut told = false;
        for _ in 0..TRIES {
            match self.engine.list_containers(Some(&self.project)).await {
                Ok(_) => return Ok(()),
                Err(now) if now.is_engine_lost() => error = Some(now),
                Err(now) => return Err(now.into()),
            }
            if !told {
                output::talk("the engine does not answer; waiting for it\n");
                told = true;
            }
            tokio::time::sleep(PACE).await;
        }
        match error {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    async fn follow_connected(&mut self, options: &LogOptions) -> Result<(), Lost> {
        for source in self.sources.values_mut() {
            source.open = false;
        }
        let mut items: Items = SelectAll::new();
        let mut events = self.engine.events(Some(&self.project)).await?;
        self.open_running(options, &mut items).await?;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.tick().await;
        let mut idle = tokio::time::Instant::now();
        let mut last = None;
        loop {
            let is_over = self.over.as_ref().is_none_or(CancellationToken::is_cancelled);
            if is_over && self.over.is_some() && last.is_none() {
                idle = tokio::time::Instant::now() + LAST_LINES;
                last = Some(tokio::time::Instant::now() + LONGEST_END);
            }
            let all_said = !self.sources.values().any(|source| source.awaits_end);
            if items.is_empty() && is_over && (!self.was_running || (self.over.is_some() && all_said)) {
                return Ok(());
            }
            if !items.is_empty() {
                self.was_running = true;
                if self.over.is_none() {
                    idle = tokio::time::Instant::now() + IDLE;
                }
            }
            tokio::select! {
                item = items.next(), if !items.is_empty() => {
                    self.take(item, &mut items, options).await?;
                    if let Some(last) = last {
                        idle = last.min(tokio::time::Instant::now() + LAST_LINES);
                    }
                }
                event = events.next() => match event {
                    Some(Ok(event)) => self.happened(&event, options, &mut items).await?,
                    Some(Err(error)) => return Err(error.into()),
                    None => return Err(Lost::Engine(None)),
                },
                // Events may get lost: they are hints.
                _ = look.tick() => self.open_running(options, &mut items).await?,
                () = over(&self.over), if !is_over => {}
                () = tokio::time::sleep_until(idle), if last.is_some() => return Ok(()),
                () = tokio::time::sleep_until(idle), if items.is_empty() && self.over.is_none() => {
                    self.open_running(options, &mut items).await?;
                    if items.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Prints what is there without waiting, and writes it.
    async fn take(
        &mut self,
        item: Option<Item>,
        items: &mut Items,
        options: &LogOptions,
    ) -> Result<(), Lost> {
        let mut next = item;
        let mut taken = 0;
        let mut ended = false;
        while let Some(item) = next {
            match item {
                Item::Line(id, line) => {
                    if self.is_wanted(&id, &line) {
                        self.print(&id, &line)?;
                    }
                }
                Item::Failed(error) => {
                    self.write().await?;
                    if error.is_engine_lost() {
                        return Err(error.into());
                    }
                    output::talk(&format!("{error}\n"));
                }
                Item::Ended(id) => {
                    if let Some(source) = self.sources.get_mut(&id) {
                        source.open = false;
                    }
                    self.say_end(&id)?;
                    ended = true;
                }
            }
            taken += 1;
            next = if taken < BATCH {
                items.next().now_or_never().flatten()
            } else {
                None
            };
        }
        self.write().await?;
        if ended {
            // It may have been started again before its log's end was seen.
            self.open_running(options, items).await?;
        }
        Ok(())
    }

    async fn happened(
        &mut self,
        event: &EngineEvent,
        options: &LogOptions,
        items: &mut Items,
    ) -> Result<(), Lost> {
        if let EngineEventKind::Die(code) = event.kind
            && let Some(source) = self.sources.get_mut(&event.container)
        {
            source.exit_code = Some(code);
            // Its last lines come first.
            if !source.open {
                self.say_end(&event.container)?;
                self.write().await?;
            }
        }
        if event.kind != EngineEventKind::Start {
            return Ok(());
        }
        let at = jiff::Timestamp::from_nanosecond(event.time.into())
            .ok()
            .map(|time| time.to_string());
        let list = self.engine.list_containers(Some(&self.project)).await?;
        if let Some(container) = list.iter().find(|c| c.id == event.container) {
            self.open(container, options, at, items);
        }
        Ok(())
    }

    /// Says how a container ended, once.
    fn say_end(&mut self, id: &ContainerId) -> Result<(), Lost> {
        if let Some(source) = self.sources.get_mut(id)
            && let Some(code) = source.exit_code.take()
        {
            source.awaits_end = false;
            let out = self.out.of(LogStream::Stdout);
            self.printer
                .ended(&source.name, code, out)
                .map_err(ExpectedError::Output)?;
        }
        Ok(())
    }

    /// Follows every container that runs and is not followed yet.
    async fn open_running(&mut self, options: &LogOptions, items: &mut Items) -> Result<(), Lost> {
        for container in &self.engine.list_containers(Some(&self.project)).await? {
            if matches!(
                container.state,
                ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
            ) {
                self.open(container, options, None, items);
            }
        }
        Ok(())
    }

    fn open(&mut self, container: &Container, options: &LogOptions, at: Option<String>, items: &mut Items) {
        if !is_chosen(container, &self.settings) {
            return;
        }
        let id = container.id.clone();
        let source = self
            .sources
            .entry(id.clone())
            .or_insert_with(|| Source::of(container, false));
        if source.open {
            return;
        }
        let lines = self.engine.logs(&id, source.follow(options, at));
        let ended = stream::once(std::future::ready(Item::Ended(id.clone())));
        let items_of = lines.map(move |line| match line {
            Ok(line) => Item::Line(id.clone(), line),
            Err(error) => Item::Failed(error),
        });
        items.push(items_of.chain(ended).boxed());
    }
}

/// Ends when a run that is followed is over; never where none is.
async fn over(over: &Option<CancellationToken>) {
    match over {
        Some(over) => over.cancelled().await,
        None => std::future::pending().await,
    }
}
