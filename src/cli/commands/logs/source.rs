//! A container whose log is shown, and what of it was shown already.

use crate::engine::{LogLine, LogOptions};
use crate::model::Container;
use crate::plan::Instance;
use crate::view::logs::source_name;

/// A container whose log is shown.
pub(super) struct Source {
    /// As shown before its lines.
    pub(super) name: String,
    /// Whether its log is being followed.
    pub(super) open: bool,
    /// Whether what it wrote before is not wanted.
    skip_history: bool,
    /// When the last line shown was written, and how many lines of that moment were shown.
    last: Option<(String, usize)>,
    /// So many lines of the last moment come again, now that the log was opened again.
    repeats: usize,
    /// The exit code, where it has ended and that was not said yet.
    pub(super) exit_code: Option<i64>,
    /// Whether it was followed, and its end was not said yet.
    pub(super) awaits_end: bool,
}

impl Source {
    /// A container of which nothing was shown yet.
    pub(super) fn of(container: &Container, skip_history: bool) -> Self {
        Self {
            name: source_name(&Instance {
                service: container.service.clone(),
                number: container.number,
            }),
            open: false,
            skip_history,
            last: None,
            repeats: 0,
            exit_code: None,
            awaits_end: false,
        }
    }

    /// Whether a line was not shown yet; from now on it was.
    pub(super) fn is_new(&mut self, line: &LogLine) -> bool {
        match &mut self.last {
            Some((moment, count)) if *moment == line.timestamp => {
                if self.repeats > 0 {
                    self.repeats -= 1;
                    return false;
                }
                *count += 1;
            }
            _ => {
                self.repeats = 0;
                self.last = Some((line.timestamp.clone(), 1));
            }
        }
        true
    }

    /// How to follow the log from the last line shown on. `started` is when the container was
    /// started, where that has just been learnt.
    pub(super) fn follow(&mut self, options: &LogOptions, started: Option<String>) -> LogOptions {
        self.open = true;
        self.awaits_end = true;
        let mut follow = LogOptions {
            follow: true,
            tail: None,
            since: options.since.clone(),
            until: None,
        };
        match &self.last {
            Some((moment, count)) => {
                self.repeats = *count;
                follow.since = Some(moment.clone());
            }
            None if self.skip_history => match started {
                Some(moment) => follow.since = Some(moment),
                None => follow.tail = Some(0),
            },
            None => {}
        }
        follow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;

    fn source(skip_history: bool) -> Source {
        Source {
            name: "app-1".into(),
            open: false,
            skip_history,
            last: None,
            repeats: 0,
            exit_code: None,
            awaits_end: false,
        }
    }

    fn line(timestamp: &str) -> LogLine {
        LogLine {
            stream: LogStream::Stdout,
            timestamp: timestamp.into(),
            bytes: "x".into(),
            complete: true,
            cut: false,
        }
    }

    #[test]
    fn lines_that_come_again_are_left_out() {
        let mut source = source(false);
        for moment in ["1", "2", "2"] {
            assert!(source.is_new(&line(moment)));
        }
        let options = source.follow(&LogOptions::default(), None);
        assert_eq!(options.since.as_deref(), Some("2"));
        assert!(options.follow && source.open);
        let shown: Vec<bool> = ["2", "2", "2", "3", "3"]
            .iter()
            .map(|moment| source.is_new(&line(moment)))
            .collect();
        assert_eq!(shown, [false, false, true, true, true]);
    }

    #[test]
    fn history_that_is_not_wanted_is_not_asked_for() {
        let mut quiet = source(true);
        let first = quiet.follow(&LogOptions::default(), None);
        assert_eq!((first.tail, first.since), (Some(0), None));
        let restarted = quiet.follow(&LogOptions::default(), Some("5".into()));
        assert_eq!((restarted.tail, restarted.since), (None, Some("5".into())));
        let mut fresh = source(false);
        let all = fresh.follow(&LogOptions::default(), Some("5".into()));
        assert_eq!((all.tail, all.since), (None, None));
    }
}
