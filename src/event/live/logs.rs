//! Log lines of all containers of a project, merged by time, within a bound.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::ContainerId;
use crate::plan::Instance;

/// A line of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Whose it is.
    pub instance: Instance,
    /// The container, which tells a service's incarnations apart.
    pub container: ContainerId,
    /// Whether it was written to standard error.
    pub stderr: bool,
    /// When, nanoseconds since 1970 on the engine's clock.
    pub time: i64,
    /// The text: bytes that are no UTF-8 are replaced, control characters are still in it (views escape
    /// them), at most [`LogRecord::LONGEST`] bytes.
    pub text: Arc<str>,
    /// The level, where the line tells one.
    pub level: Option<Level>,
}

impl LogRecord {
    /// The longest text in bytes that is kept of a line.
    pub const LONGEST: usize = 16 * 1024;

    /// What it takes in memory, about.
    fn weight(&self) -> usize {
        self.text.len() + 128
    }
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `trace`
    Trace,
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `warn`
    Warn,
    /// `error`
    Error,
    /// `fatal`, `critical`, `panic`
    Fatal,
}

impl Level {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// A word that programs use for a level.
    pub fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 20] = [
            ("trace", Level::Trace),
            ("trc", Level::Trace),
            ("debug", Level::Debug),
            ("dbg", Level::Debug),
            ("info", Level::Info),
            ("inf", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("note", Level::Info),
            ("log", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("wrn", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("eror", Level::Error),
            ("fatal", Level::Fatal),
            ("critical", Level::Fatal),
            ("crit", Level::Fatal),
            ("panic", Level::Fatal),
        ];
        WORDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
            .map(|(_, level)| *level)
    }

    /// The level that a line tells: `"level":"warn"` of JSON, `level=warn`, or one of the first words.
    pub fn of_line(text: &str) -> Option<Self> {
        let start = head(text, 512);
        for key in ["\"level\"", "\"severity\"", "\"lvl\"", "\"levelname\""] {
            if let Some(at) = start.find(key) {
                let value = start.get(at + key.len()..)?.trim_start_matches([' ', ':', '"']);
                return Self::of_word(word_of(value));
            }
        }
        for key in ["level=", "lvl=", "severity="] {
            if let Some(at) = start.find(key) {
                let value = start.get(at + key.len()..)?.trim_start_matches('"');
                return Self::of_word(word_of(value));
            }
        }
        head(text, 80)
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| word.len() >= 3)
            .take(6)
            // Words of a sentence are no levels: levels stand in capitals or in brackets.
            .filter(|word| word.chars().all(|c| c.is_ascii_uppercase()) || bracketed(text, word))
            .find_map(Self::of_word)
    }
}

fn bracketed(text: &str, word: &str) -> bool {
    let Some(at) = text.find(word) else { return false };
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
    matches!((before, after), (Some('['), Some(']')) | (Some('<'), Some('>')))
        || (before.is_none() && after == Some(':'))
}

/// The first `most` bytes at most, whole characters.
fn head(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn word_of(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Lines in the order of time. The oldest make room for new ones.
///
/// Each line has a number that it keeps, so that a view can remember lines and take in new ones only.
#[derive(Debug, Clone)]
pub struct LogBuffer {
    lines: VecDeque<LogRecord>,
    /// The number of the first line that is kept.
    first: u64,
    /// Raised when a line was put between others, which moves the numbers of those behind it.
    shuffles: u64,
    /// The numbers that the newest of these lines were given, oldest first.
    inserted: VecDeque<u64>,
    weight: usize,
    most: usize,
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self::new(Self::MOST)
    }
}

impl LogBuffer {
    /// How many bytes are kept by default.
    pub const MOST: usize = 16 * 1024 * 1024;
    /// How many lines that were put between others are remembered.
    const INSERTED: usize = 8_192;

    /// Keeps at most about `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            first: 0,
            shuffles: 0,
            inserted: VecDeque::new(),
            weight: 0,
            most,
        }
    }

    /// Takes a line in at its time.
    pub fn push(&mut self, record: LogRecord) {
        self.weight += record.weight();
        if self.lines.back().is_none_or(|last| last.time <= record.time) {
            self.lines.push_back(record);
        } else {
            let at = self.lines.partition_point(|other| other.time <= record.time);
            self.lines.insert(at, record);
            self.shuffles += 1;
            if self.inserted.len() == Self::INSERTED {
                self.inserted.pop_front();
            }
            self.inserted.push_back(self.first + at as u64);
        }
        while self.weight > self.most {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.weight -= oldest.weight();
            self.first += 1;
        }
    }

    /// The number of the oldest line that is kept; it is how many were dropped.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next line will have.
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Changes whenever numbers given before may name other lines now.
    pub fn shuffles(&self) -> u64 {
        self.shuffles
    }

    /// The numbers of the lines that were put between others since [`Self::shuffles`] was `then`, in
    /// the order of their coming: each moved the lines that had its number or a later one by one.
    /// `None` where that is too long ago to be known.
    pub fn inserted_since(&self, then: u64) -> Option<impl Iterator<Item = u64>> {
        let count = usize::try_from(self.shuffles.checked_sub(then)?).ok()?;
        let skip = self.inserted.len().checked_sub(count)?;
        Some(self.inserted.range(skip..).copied())
    }

    /// A line by its number.
    pub fn get(&self, number: u64) -> Option<&LogRecord> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.lines.get(at)
    }

    /// Lines from a number on, with their numbers.
    pub fn from(&self, number: u64) -> impl DoubleEndedIterator<Item = (u64, &LogRecord)> {
        let skip = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let skip = skip.min(self.lines.len());
        let start = self.first + skip as u64;
        self.lines
            .range(skip..)
            .enumerate()
            .map(move |(i, record)| (start + i as u64, record))
    }

    /// The newest lines of an instance, newest first.
    pub fn newest_of<'b>(&'b self, instance: &'b Instance) -> impl Iterator<Item = &'b LogRecord> {
        self.lines
            .iter()
            .rev()
            .filter(move |line| line.instance == *instance)
    }

    /// The number of the first line at or after a time.
    pub fn at_time(&self, time: i64) -> u64 {
        self.first + self.lines.partition_point(|line| line.time < time) as u64
    }

    /// How many lines are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What the lines take in memory, about.
    pub fn weight(&self) -> usize {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: i64, text: &str) -> LogRecord {
        LogRecord {
            instance: Instance {
                service: "app".into(),
                number: 1,
            },
            container: "c1".into(),
            stderr: false,
            time,
            text: text.into(),
            level: Level::of_line(text),
        }
    }

    #[test]
    fn lines_are_merged_by_time_and_numbered() {
        let mut buffer = LogBuffer::default();
        buffer.push(line(1, "a"));
        buffer.push(line(3, "c"));
        assert_eq!(buffer.shuffles(), 0);
        buffer.push(line(2, "b"));
        assert_eq!(buffer.shuffles(), 1);
        let all: Vec<(u64, &str)> = buffer.from(0).map(|(n, l)| (n, &*l.text)).collect();
        assert_eq!(all, [(0, "a"), (1, "b"), (2, "c")]);
        assert_eq!(buffer.get(1).map(|l| &*l.text), Some("b"));
        assert_eq!(buffer.at_time(2), 1);
        assert_eq!(buffer.from(3).count(), 0);
        let inserted = |then| buffer.inserted_since(then).map(Iterator::collect::<Vec<u64>>);
        assert_eq!(inserted(0), Some(vec![1]));
        assert_eq!(inserted(1), Some(vec![]));
        assert_eq!(inserted(2), None);
    }

    #[test]
    fn a_view_that_looks_away_too_long_is_told_so() {
        let mut buffer = LogBuffer::default();
        buffer.push(line(1_000_000, "last"));
        for time in 0..10_000 {
            buffer.push(line(time, "late"));
        }
        assert!(buffer.inserted_since(0).is_none());
        let since = |then| buffer.inserted_since(then).map(Iterator::count);
        assert_eq!(since(9_000), Some(1_000));
    }

    #[test]
    fn the_oldest_make_room() {
        let mut buffer = LogBuffer::new(10_000);
        for time in 0..1_000 {
            buffer.push(line(time, "0123456789"));
        }
        assert!(buffer.weight() <= 10_000);
        assert_eq!(buffer.end(), 1_000);
        assert_eq!(buffer.first() + buffer.len() as u64, 1_000);
        assert_eq!(
            buffer.get(buffer.first()).map(|l| l.time),
            Some(buffer.first().cast_signed())
        );
        assert!(buffer.get(0).is_none());
    }

    #[test]
    fn levels_of_lines() {
        let levels = [
            r#"{"time":"…","level":"warning","msg":"x"}"#,
            r#"{"severity": "ERROR"}"#,
            r#"time=2026 level=info msg="level=error""#,
            "2026-11-21 12:00:00 ERROR [main] boom",
            "[warn] careful",
            "INFO:     Application startup complete.",
            "an error happened",
            "error: no such file",
            "GET /info HTTP/1.1",
            "",
        ]
        .map(Level::of_line);
        use Level::{Error, Info, Warn};
        assert_eq!(
            levels,
            [
                Some(Warn),
                Some(Error),
                Some(Info),
                Some(Error),
                Some(Warn),
                Some(Info),
                None,
                Some(Error),
                None,
                None
            ]
        );
    }
}
