//! The logs of all containers, followed while they are shown.
//!
//! Where they are shown again, or the engine is back, each is taken up from the last line handed on. The
//! engine's own reader sees to rotated files and to the last words of a container that died.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::position::Position;
use super::{Shared, instance_of, time};
use crate::base::ContainerId;
use crate::engine::{EngineError, LogLine, LogOptions, LogStream, SharedEngine};
use crate::event::live::{Fact, Level, LogRecord};
use crate::model::{Container, ContainerState};
use crate::plan::Instance;

/// Lines of each container that are read of what was written before.
const TAIL: u64 = 500;
/// Lines are handed on together: so many, or what came within so long.
const BATCH: usize = 500;
const GATHER: Duration = Duration::from_millis(50);
/// After a log ended while its container runs, or could not be read.
const AGAIN: Duration = Duration::from_secs(1);
/// After a log was refused: its driver may not let it be read.
const REFUSED: Duration = Duration::from_secs(30);

/// A container's log.
#[derive(Default)]
struct Source {
    position: Arc<Mutex<Position>>,
    open: Option<Open>,
    /// The life of the container that was read to its end.
    done: Option<u64>,
    /// Whether all of it is wanted: it began while logs were followed.
    whole: bool,
    /// Not to be opened before.
    not_before: Option<Instant>,
}

struct Open {
    task: AbortHandle,
    life: u64,
    /// Tells the tasks of one source apart.
    number: u64,
}

/// How following a log ended.
struct Ended {
    id: ContainerId,
    number: u64,
    result: Result<(), EngineError>,
}

/// Follows logs while they are needed, until nobody listens.
pub(super) async fn run(mut shared: Shared) {
    let (lines, gathered) = mpsc::channel(2 * BATCH);
    let mut tasks = JoinSet::new();
    tasks.spawn(hand_on(shared.clone(), gathered));
    let mut follower = Follower {
        lines,
        followed: false,
        sources: BTreeMap::new(),
        tasks: JoinSet::new(),
        opened: 0,
    };
    loop {
        let again = follower.reconcile(&mut shared);
        tokio::select! {
            changed = shared.needs.changed() => if changed.is_err() { return },
            changed = shared.there.changed() => if changed.is_err() { return },
            Some(ended) = follower.tasks.join_next(), if !follower.tasks.is_empty() => {
                // One that was aborted is none that ended.
                if let Ok(ended) = ended {
                    follower.ended(&ended);
                }
            }
            () = tokio::time::sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {}
            () = shared.facts.closed() => return,
        }
    }
}

struct Follower {
    lines: mpsc::Sender<LogRecord>,
    /// Whether logs were followed when we looked last.
    followed: bool,
    sources: BTreeMap<ContainerId, Source>,
    tasks: JoinSet<Ended>,
    opened: u64,
}

impl Follower {
    /// Opens and closes what needs to be; returns when to look again at the latest.
    fn reconcile(&mut self, shared: &mut Shared) -> Option<Instant> {
        let needed = shared.needs.borrow_and_update().logs;
        let there = shared.there.borrow_and_update().clone();
        if there.reached {
            self.sources
                .retain(|id, source| source.open.is_some() || there.containers.iter().any(|c| c.id == *id));
        }
        if !needed {
            for open in self.sources.values_mut().filter_map(|source| source.open.take()) {
                open.task.abort();
            }
            self.followed = false;
            return None;
        }
        if !there.reached {
            return None;
        }
        let now = Instant::now();
        let mut again: Option<Instant> = None;
        for container in there.containers.iter().filter(|c| !c.oneoff) {
            let followed = self.followed;
            let source = self
                .sources
                .entry(container.id.clone())
                .or_insert_with(|| Source {
                    whole: followed,
                    ..Source::default()
                });
            let life = there.life(&container.id);
            let runs = matches!(
                container.state,
                ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
            );
            let has_log = container.state != ContainerState::Created;
            let is_read = source.done == Some(life) && !runs;
            if source.open.is_some() || is_read || !has_log {
                continue;
            }
            if let Some(at) = source.not_before.filter(|at| *at > now) {
                again = Some(again.map_or(at, |other| other.min(at)));
                continue;
            }
            self.opened += 1;
            let reading = Reading {
                engine: shared.setting.engine.clone(),
                wall: shared.setting.wall,
                position: source.position.clone(),
                options: source.options(runs),
                lines: self.lines.clone(),
            };
            let (container, number) = (container.clone(), self.opened);
            let task = self.tasks.spawn(async move {
                let result = reading.follow(&container).await;
                let id = container.id;
                Ended { id, number, result }
            });
            source.open = Some(Open { task, life, number });
        }
        self.followed = true;
        again
    }

    fn ended(&mut self, ended: &Ended) {
        let Some(source) = self.sources.get_mut(&ended.id) else {
            return;
        };
        let Some(open) = source.open.take_if(|open| open.number == ended.number) else {
            return;
        };
        let pause = match &ended.result {
            Ok(()) => {
                // Where it has begun another life meanwhile, it is read once more.
                source.done = Some(open.life);
                AGAIN
            }
            Err(error) if error.is_engine_lost() || error.is_not_found() => AGAIN,
            Err(_) => REFUSED,
        };
        source.not_before = Some(Instant::now() + pause);
    }
}

impl Source {
    /// How to read on.
    fn options(&self, follow: bool) -> LogOptions {
        let position = self.position.lock().unwrap_or_else(|e| e.into_inner());
        let since = position.since().map(str::to_owned);
        LogOptions {
            follow,
            tail: (since.is_none() && !self.whole).then_some(TAIL),
            since,
            until: None,
        }
    }
}

/// A log that is being read.
struct Reading {
    engine: SharedEngine,
    wall: fn() -> i64,
    position: Arc<Mutex<Position>>,
    options: LogOptions,
    lines: mpsc::Sender<LogRecord>,
}

impl Reading {
    /// Reads to the log's end, or the engine's.
    async fn follow(self, container: &Container) -> Result<(), EngineError> {
        let instance = instance_of(container);
        let mut repeats = self.position().repeats();
        let mut log = self.engine.logs(&container.id, self.options.clone());
        while let Some(line) = log.next().await {
            let line = line?;
            if repeats.has(&line) {
                continue;
            }
            let record = record(&instance, &container.id, &line, self.wall);
            if self.lines.send(record).await.is_err() {
                break;
            }
            // Nothing waits between handing on and noting it, so that an end between the two cannot be.
            self.position().passed(line.timestamp);
        }
        Ok(())
    }

    fn position(&self) -> std::sync::MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn record(instance: &Instance, id: &ContainerId, line: &LogLine, wall: fn() -> i64) -> LogRecord {
    let mut kept = line.bytes.get(..LogRecord::LONGEST).unwrap_or(&line.bytes);
    if kept.len() < line.bytes.len() {
        // Whole characters: a cut one would look like bytes that are no UTF-8.
        let back = kept
            .iter()
            .rev()
            .take(3)
            .position(|b| (b & 0xc0) != 0x80)
            .unwrap_or(0);
        let start = kept.len() - 1 - back;
        if std::str::from_utf8(kept.get(start..).unwrap_or_default()).is_err() {
            kept = kept.get(..start).unwrap_or(kept);
        }
    }
    let text = String::from_utf8_lossy(kept);
    let text = head(&text, LogRecord::LONGEST);
    LogRecord {
        instance: instance.clone(),
        container: id.clone(),
        stderr: line.stream == LogStream::Stderr,
        time: time::nanos(&line.timestamp).unwrap_or_else(wall),
        text: text.into(),
        level: Level::of_line(text),
    }
}

/// The first bytes, whole characters: replaced bytes take more room than they had.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Hands lines on together, in the order of time.
async fn hand_on(shared: Shared, mut lines: mpsc::Receiver<LogRecord>) {
    let mut batch: Vec<LogRecord> = Vec::new();
    while lines.recv_many(&mut batch, BATCH).await > 0 {
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            match tokio::time::timeout_at(until, lines.recv_many(&mut batch, room)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        // Stable: what one container wrote at one moment keeps its order.
        batch.sort_by_key(|line| line.time);
        if !shared.tell(Fact::Logs(std::mem::take(&mut batch))).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(bytes: Vec<u8>) -> Arc<str> {
        let instance = Instance {
            service: "app".into(),
            number: 1,
        };
        let line = LogLine {
            stream: LogStream::Stderr,
            timestamp: "2026-11-21T13:17:04.5Z".into(),
            bytes: bytes.into(),
            complete: true,
            cut: false,
        };
        let record = record(&instance, &"c".into(), &line, || 0);
        assert!(record.stderr);
        assert_eq!(record.time, 1_795_267_024_500_000_000);
        record.text
    }

    #[test]
    fn texts_are_bounded_and_whole() {
        assert_eq!(&*text_of(b"a\xffb".to_vec()), "a\u{fffd}b");
        let long = text_of("ä".repeat(LogRecord::LONGEST).into_bytes());
        assert_eq!(long.len(), LogRecord::LONGEST);
        let odd = text_of(format!("x{}", "ä".repeat(LogRecord::LONGEST)).into_bytes());
        assert_eq!(odd.len(), LogRecord::LONGEST - 1);
        assert!(odd.ends_with('ä'));
        let binary = text_of(vec![0xff; LogRecord::LONGEST * 2]);
        assert!(binary.len() <= LogRecord::LONGEST && binary.chars().all(|c| c == '\u{fffd}'));
    }
}
