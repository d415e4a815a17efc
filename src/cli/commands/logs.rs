//! `platform logs`: what containers wrote, merged in the order of time, then as it is written.
//!
//! Following goes on over restarts and recreations of containers, and over a lost engine: each
//! log is taken up from the last line shown.

use std::collections::{HashMap, VecDeque};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;

use crate::base::{ContainerId, ProjectName, parse_duration};
use crate::engine::api::{Result as EngineResult, SharedEngine};
use crate::engine::{LogLine, LogOptions};
use crate::model::Container;
use crate::view::logs::{LogEntry, LogPrinter};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::LogsSettings;
use super::check_services;

mod follow;
mod out;
mod source;

use out::Out;
use source::Source;

/// Lines printed with one write at most.
const BATCH: usize = 256;

/// Shows what containers wrote.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: LogsSettings) -> Outcome {
    let options = options(&settings)?;
    let (project, stack) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&settings.services, stack.as_deref(), &containers)?;
    let chosen: Vec<Container> = containers
        .into_iter()
        .filter(|c| is_chosen(c, &settings))
        .collect();
    let sources: HashMap<ContainerId, Source> = chosen
        .iter()
        .map(|c| (c.id.clone(), Source::of(c, settings.tail == Some(0))))
        .collect();
    let mut run = Run {
        engine,
        project,
        printer: LogPrinter::new(settings.style, sources.values().map(|s| s.name.as_str()))
            .marking(settings.grep.clone()),
        out: Out::default(),
        sources,
        was_running: false,
        over: None,
        settings,
    };
    run.history(&chosen, &options).await?;
    if run.settings.follow && options.until.is_none() {
        run.follow(&options).await?;
    }
    Ok(Exit::AsWanted)
}

/// What is asked of each container's log.
fn options(settings: &LogsSettings) -> Result<LogOptions, ExpectedError> {
    let now = jiff::Timestamp::now();
    let read = |flag, text: &Option<String>| text.as_deref().map(|text| time(flag, text, now)).transpose();
    Ok(LogOptions {
        follow: false,
        tail: settings.tail,
        since: read("--since", &settings.since)?,
        until: read("--until", &settings.until)?,
    })
}

fn is_chosen(container: &Container, settings: &LogsSettings) -> bool {
    !container.oneoff
        && (settings.services.is_empty() || settings.services.contains(&container.service))
        && settings.index.is_none_or(|index| index == container.number)
}

/// A time as the engine takes it, from a timestamp, a date, seconds since 1970 or an age.
pub(super) fn time(flag: &str, text: &str, now: jiff::Timestamp) -> Result<String, ExpectedError> {
    let bad = || {
        ExpectedError::usage(format!(
            "{flag} is `{text}`; expected a time such as 2026-11-21T13:00:00Z, or an age such as 42m"
        ))
    };
    if text.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0) {
        return Ok(text.to_owned());
    }
    if let Ok(age) = parse_duration(text) {
        return now.checked_sub(age).map(|t| t.to_string()).map_err(|_| bad());
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.to_string());
    }
    // Without an offset, the user's own time zone is meant, as in docker.
    let local: jiff::civil::DateTime = text.parse().map_err(|_| bad())?;
    let zoned = local.to_zoned(jiff::tz::TimeZone::system()).map_err(|_| bad())?;
    Ok(zoned.timestamp().to_string())
}

/// A run of `logs`.
struct Run {
    engine: SharedEngine,
    project: ProjectName,
    settings: LogsSettings,
    printer: LogPrinter,
    out: Out,
    sources: HashMap<ContainerId, Source>,
    /// Whether anything ran since following began.
    was_running: bool,
    /// A run that is followed: until it is over, there is more to come, also where nothing runs.
    over: Option<CancellationToken>,
}

/// Shows what the containers of a project write while a run brings them up, and after that until
/// `over`, with how each ends.
///
/// # Errors
/// As [`run`].
pub async fn alongside(
    context: &Context,
    project: ProjectName,
    settings: LogsSettings,
    over: CancellationToken,
) -> Result<(), ExpectedError> {
    let options = options(&settings)?;
    let mut run = Run {
        engine: context.engine().await?,
        project,
        printer: LogPrinter::new(settings.style, []),
        out: Out::default(),
        sources: HashMap::new(),
        was_running: true,
        over: Some(over),
        settings,
    };
    run.follow(&options).await
}

impl Run {
    /// Prints what was written so far, merged in the order of time.
    async fn history(&mut self, containers: &[Container], options: &LogOptions) -> Result<(), ExpectedError> {
        // The engine counts all lines, `--tail` with a pattern those that are wanted.
        let counted = options
            .tail
            .filter(|count| *count > 0 && self.settings.grep.is_some());
        let mut streams: Vec<BoxStream<'static, EngineResult<LogLine>>> =
            Vec::with_capacity(containers.len());
        for Container { id, .. } in containers {
            streams.push(if let Some(count) = counted {
                let all = self.engine.logs(
                    id,
                    LogOptions {
                        tail: None,
                        ..options.clone()
                    },
                );
                let last = self.last_wanted(id, all, count).await?;
                stream::iter(last.into_iter().map(Ok)).boxed()
            } else {
                self.engine.logs(id, options.clone())
            });
        }
        let mut heads = Vec::with_capacity(streams.len());
        for line in join_all(streams.iter_mut().map(StreamExt::next)).await {
            heads.push(usable(line)?.map(Head::of));
        }
        let mut lines = 0;
        while let Some(at) = earliest(&heads) {
            let (Some(container), Some(stream), Some(slot)) =
                (containers.get(at), streams.get_mut(at), heads.get_mut(at))
            else {
                break;
            };
            if let Some(head) = slot.take() {
                if counted.is_some() || self.is_wanted(&container.id, &head.line) {
                    self.print(&container.id, &head.line)?;
                }
                lines += 1;
            }
            *slot = usable(stream.next().await)?.map(Head::of);
            if lines == BATCH {
                self.write().await?;
                lines = 0;
            }
        }
        self.write().await
    }

    /// Reads a container's log to its end and keeps the last `count` lines that are wanted.
    async fn last_wanted(
        &mut self,
        id: &ContainerId,
        mut log: BoxStream<'static, EngineResult<LogLine>>,
        count: u64,
    ) -> Result<VecDeque<LogLine>, ExpectedError> {
        let mut last = VecDeque::new();
        while let Some(line) = usable(log.next().await)? {
            if self.is_wanted(id, &line) {
                if last.len() as u64 == count {
                    last.pop_front();
                }
                last.push_back(line);
            }
        }
        Ok(last)
    }

    /// Whether a line was not seen before, and is one of those that were asked for.
    fn is_wanted(&mut self, id: &ContainerId, line: &LogLine) -> bool {
        let grep = self.settings.grep.as_ref();
        self.sources.get_mut(id).is_some_and(|source| source.is_new(line))
            && grep.is_none_or(|grep| grep.chooses(&line.bytes))
    }

    /// Prints a line into the batch.
    fn print(&mut self, id: &ContainerId, line: &LogLine) -> Result<(), ExpectedError> {
        let Some(source) = self.sources.get(id) else {
            return Ok(());
        };
        let entry = LogEntry {
            source: &source.name,
            timestamp: &line.timestamp,
            bytes: &line.bytes,
            cut: line.cut,
        };
        self.printer
            .print(&entry, self.out.of(line.stream))
            .map_err(ExpectedError::Output)
    }

    /// Writes what was printed. A reader that does not read holds up nothing but this.
    async fn write(&mut self) -> Result<(), ExpectedError> {
        self.out.write().await
    }
}

/// A line of a stream. A log that cannot be read is told, and the others go on.
fn usable(item: Option<EngineResult<LogLine>>) -> Result<Option<LogLine>, ExpectedError> {
    match item {
        None => Ok(None),
        Some(Ok(line)) => Ok(Some(line)),
        Some(Err(error)) if error.is_engine_lost() => Err(error.into()),
        Some(Err(error)) => {
            if !error.is_not_found() {
                output::talk(&format!("{error}\n"));
            }
            Ok(None)
        }
    }
}

/// The next line of a container's log.
struct Head {
    /// When it was written. As texts, the engine's times do not sort: it leaves trailing zeros out.
    moment: Option<jiff::Timestamp>,
    line: LogLine,
}

impl Head {
    fn of(line: LogLine) -> Self {
        Self {
            moment: line.timestamp.parse().ok(),
            line,
        }
    }
}

/// The line that was written first; of several at one moment, the first container's.
fn earliest(heads: &[Option<Head>]) -> Option<usize> {
    heads
        .iter()
        .enumerate()
        .filter_map(|(at, head)| Some((at, head.as_ref()?.moment)))
        .min_by_key(|(at, moment)| (*moment, *at))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;

    fn line(timestamp: &str) -> Option<Head> {
        Some(Head::of(LogLine {
            stream: LogStream::Stdout,
            timestamp: timestamp.into(),
            bytes: "x".into(),
            complete: true,
            cut: false,
        }))
    }

    #[test]
    fn the_earliest_line_comes_first() {
        let heads = [
            line("2026-11-21T12:00:00.5Z"),
            None,
            line("2026-11-21T12:00:00.123456789Z"),
            line("2026-11-21T12:00:00.123456789Z"),
        ];
        assert_eq!(earliest(&heads), Some(2));
        assert_eq!(earliest(&[None, None]), None);
        assert_eq!(
            earliest(&[line("2026-11-21T12:00:00.5Z"), line("2026-11-21T12:00:00Z")]),
            Some(1)
        );
    }

    #[test]
    fn times_are_read_in_every_form_that_docker_takes() {
        let now: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let read = |text| time("--since", text, now).unwrap();
        assert_eq!(read("42m"), "2026-11-21T11:18:00Z");
        assert_eq!(read("1h30m"), "2026-11-21T10:30:00Z");
        assert_eq!(read("2026-01-02T13:23:37Z"), "2026-01-02T13:23:37Z");
        assert_eq!(read("2026-01-02T13:23:37+01:00"), "2026-01-02T12:23:37Z");
        assert_eq!(read("1700000000.5"), "1700000000.5");
        assert!(read("2026-01-02").starts_with("2026-01-0"));
        assert!(read("2026-01-02T13:23").starts_with("2026-01-0"));
        assert_eq!(time("--until", "yesterday", now).unwrap_err().exit().code(), 2);
    }
}
