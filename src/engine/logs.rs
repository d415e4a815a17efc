//! A container's log, to its very last line.
//!
//! The engine's stream may end early (a container that died takes its last words along, a rotated
//! file is followed no more), so that the end of a stream is checked: where the container still
//! runs, the log is opened again from the last entry seen; where it does not, its tail is read
//! again. Entries that were handed out already are known by time and stream, and left out.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;

use super::api::Result;
use super::docker::Docker;
use super::frames::{Entries, Entry, Lines};
use super::raw::{Call, within};
use super::{EngineError, EngineErrorKind, LogLine, LogOptions, LogStream, sort};
use crate::base::ContainerId;
use crate::model::ContainerState;

/// After so long without an entry a followed log is checked.
const CHECK: Duration = Duration::from_secs(15);
/// A log that is not followed comes without pauses.
const IDLE: Duration = Duration::from_secs(60);
/// So many entries are remembered to tell new ones from old.
const REMEMBERED: usize = 256;

impl Docker {
    /// A container's log.
    pub(super) fn read_log(
        &self,
        id: &ContainerId,
        options: LogOptions,
    ) -> BoxStream<'static, Result<LogLine>> {
        let reader = Reader {
            docker: self.clone(),
            operation: format!("read the log of container {}", id.short()),
            id: id.clone(),
            options,
            tty: false,
            lines: Lines::default(),
            phase: Phase::Start,
            seen: VecDeque::with_capacity(REMEMBERED),
            untimed: false,
        };
        stream::unfold(reader, |mut reader| async move {
            let item = reader.next().await?;
            Some((item, reader))
        })
        .boxed()
    }
}

struct Reader {
    docker: Docker,
    operation: String,
    id: ContainerId,
    options: LogOptions,
    tty: bool,
    lines: Lines,
    phase: Phase,
    /// The last entries handed on, oldest first.
    seen: VecDeque<(String, LogStream)>,
    /// The engine gave an entry without its time.
    untimed: bool,
}

enum Phase {
    Start,
    Reading(Box<Reading>),
    /// A followed stream ended: is the container done?
    Ended,
    Done,
}

struct Reading {
    body: Incoming,
    entries: Entries,
    following: bool,
    /// Entries that come again, with how often.
    known: HashMap<(String, LogStream), usize>,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<LogLine>> {
        loop {
            if let Some(line) = self.lines.next() {
                return Some(Ok(line));
            }
            let step = match &mut self.phase {
                Phase::Done => return None,
                Phase::Start => self.begin().await,
                Phase::Reading(_) => self.read().await,
                Phase::Ended => self.after_follow().await,
            };
            if let Err(error) = step {
                self.phase = Phase::Done;
                return Some(Err(error));
            }
        }
    }

    async fn begin(&mut self) -> Result<()> {
        self.tty = self.docker.inspect_one(&self.id).await?.tty;
        self.lines = Lines::new(self.tty);
        if self.options.follow && self.options.tail == Some(0) {
            // Remember the last entry, so that a stream that must be opened again knows where "now" was.
            if let Some(entry) = self.last_entry().await? {
                self.remember(&entry);
            }
        }
        let call = self.call(self.options.follow, self.options.tail, self.options.since.clone());
        self.open(call, self.options.follow, false).await
    }

    fn call(&self, follow: bool, tail: Option<u64>, since: Option<String>) -> Call {
        let mut call = Call::new(
            &self.operation,
            Method::GET,
            format!("/containers/{}/logs", self.id),
        )
        .query("stdout", "1")
        .query("stderr", "1")
        .query("timestamps", "1");
        if follow {
            call = call.query("follow", "1");
        }
        if let Some(tail) = tail {
            call = call.query("tail", tail.to_string());
        }
        if let Some(since) = since {
            call = call.query("since", engine_time(&since));
        }
        if let Some(until) = &self.options.until {
            call = call.query("until", engine_time(until));
        }
        call
    }

    async fn open(&mut self, call: Call, following: bool, again: bool) -> Result<()> {
        let opened = within(&self.operation, self.docker.short(), self.docker.http.open(call)).await;
        let (_, response) = opened?;
        let mut known = HashMap::new();
        if again {
            for key in &self.seen {
                *known.entry(key.clone()).or_insert(0) += 1;
            }
        }
        self.phase = Phase::Reading(Box::new(Reading {
            body: response.into_body(),
            entries: Entries::new(self.tty),
            following,
            known,
        }));
        Ok(())
    }

    /// Opens the log again from the oldest entry remembered.
    async fn open_again(&mut self, follow: bool) -> Result<()> {
        let since = match self.seen.front() {
            Some((time, _)) => Some(time.clone()),
            None => self.options.since.clone(),
        };
        let call = self.call(follow, None, since);
        self.open(call, follow, true).await
    }

    async fn read(&mut self) -> Result<()> {
        let Phase::Reading(reading) = &mut self.phase else {
            return Ok(());
        };
        let pause = if reading.following { CHECK } else { IDLE };
        let frame = match tokio::time::timeout(pause, reading.body.frame()).await {
            Ok(frame) => frame,
            Err(_) if reading.following => return self.check().await,
            Err(_) => {
                return Err(EngineError::new(
                    &self.operation,
                    EngineErrorKind::TimedOut(pause),
                ));
            }
        };
        let ended = match frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    reading.entries.push(data);
                }
                false
            }
            None => true,
            Some(Err(error)) => {
                self.lines.finish();
                let error = EngineError::new(&self.operation, sort::lost(&error));
                self.phase = Phase::Done;
                return Err(error);
            }
        };
        let mut fresh = Vec::new();
        loop {
            match reading.entries.next(ended) {
                Ok(Some(entry)) if reading.known.is_empty() => fresh.push(entry),
                Ok(Some(entry)) => {
                    let key = (entry.timestamp.clone(), entry.stream);
                    match reading.known.get_mut(&key) {
                        Some(times) if *times > 0 => *times -= 1,
                        _ => fresh.push(entry),
                    }
                }
                Ok(None) => break,
                Err(kind) => return Err(EngineError::new(&self.operation, kind)),
            }
        }
        let following = reading.following;
        for entry in fresh {
            self.remember(&entry);
            self.lines.push(entry);
        }
        if ended && following {
            self.phase = Phase::Ended;
        } else if ended {
            self.lines.finish();
            self.phase = Phase::Done;
        }
        Ok(())
    }

    fn remember(&mut self, entry: &Entry) {
        if entry.timestamp.is_empty() {
            self.untimed = true;
        } else if self.options.follow {
            if self.seen.len() == REMEMBERED {
                self.seen.pop_front();
            }
            self.seen.push_back((entry.timestamp.clone(), entry.stream));
        }
    }

    /// The stream of a followed log ended: goes on if the container does, else reads the tail.
    async fn after_follow(&mut self) -> Result<()> {
        const PAUSE: Duration = Duration::from_millis(100);
        match self.docker.inspect_one(&self.id).await {
            Err(error) if error.is_not_found() => {
                self.lines.finish();
                self.phase = Phase::Done;
                Ok(())
            }
            Err(error) => Err(error),
            // Without times nothing tells new entries from old ones.
            Ok(_) if self.untimed || self.options.until.is_some() => {
                self.lines.finish();
                self.phase = Phase::Done;
                Ok(())
            }
            Ok(now) => match now.state {
                ContainerState::Running | ContainerState::Paused => {
                    // Its stream may end again at once, as when logs are not kept.
                    tokio::time::sleep(PAUSE).await;
                    self.open_again(true).await
                }
                ContainerState::Restarting => {
                    tokio::time::sleep(PAUSE).await;
                    Ok(())
                }
                _ => self.open_again(false).await,
            },
        }
    }

    /// A followed log has been silent: has it, or does the stream hang?
    async fn check(&mut self) -> Result<()> {
        let now = match self.docker.inspect_one(&self.id).await {
            Ok(now) => now,
            Err(error) if error.is_not_found() => {
                self.lines.finish();
                self.phase = Phase::Done;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if !matches!(
            now.state,
            ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
        ) {
            self.phase = Phase::Ended;
            return Ok(());
        }
        let last = self.last_entry().await?;
        let behind = match (&last, self.seen.back()) {
            (Some(last), Some((seen, _))) => last.timestamp > *seen,
            _ => false,
        };
        if behind {
            self.open_again(true).await?;
        }
        Ok(())
    }

    /// The last entry that the log has.
    async fn last_entry(&self) -> Result<Option<Entry>> {
        let call = self.call(false, Some(1), None);
        let bytes = self.docker.http.read(call, self.docker.short()).await?;
        let mut entries = Entries::new(self.tty);
        entries.push(&bytes);
        let mut last = None;
        while let Some(entry) = entries
            .next(true)
            .map_err(|kind| EngineError::new(&self.operation, kind))?
        {
            last = Some(entry);
        }
        Ok(last)
    }
}

/// A time as the engine's calls take it: seconds and nanoseconds since 1970.
pub(super) fn engine_time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => format!("{}.{:09}", time.as_second(), time.subsec_nanosecond()),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_as_the_engine_takes_them() {
        assert_eq!(
            engine_time("2026-11-21T13:17:04.123456789Z"),
            "1795267024.123456789"
        );
        assert_eq!(engine_time("2026-11-21T14:17:04+01:00"), "1795267024.000000000");
        assert_eq!(engine_time("1700000000"), "1700000000");
    }
}
