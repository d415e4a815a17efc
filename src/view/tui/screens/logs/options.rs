//! How the lines are shown and which of them; what of that is remembered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::base::ContainerId;
use crate::event::live::{Level, LogBuffer, LogRecord};
use crate::plan::Instance;
use crate::view::tui::widgets::{Query, ansi};

/// What stands before a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Times {
    /// No time.
    Off,
    /// `12:00:03`
    #[default]
    Seconds,
    /// `12:00:03.123`
    Millis,
    /// How long ago: `12s`.
    Age,
}

impl Times {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Off => Self::Seconds,
            Self::Seconds => Self::Millis,
            Self::Millis => Self::Age,
            Self::Age => Self::Off,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Age => "ago",
        }
    }
}

/// Which containers of an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Generations {
    /// All that there were.
    #[default]
    All,
    /// Only the one that is there now.
    Current,
    /// Only those before it.
    Previous,
}

impl Generations {
    pub(super) fn next(self) -> Self {
        match self {
            Self::All => Self::Current,
            Self::Current => Self::Previous,
            Self::Previous => Self::All,
        }
    }
}

/// The switches of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) times: Times,
    pub(super) wrap: bool,
    /// Whether structured lines are made readable.
    pub(super) readable: bool,
    /// Whether what happened stands between the lines.
    pub(super) events: bool,
    /// Whether the list of services is shown.
    pub(super) list: bool,
    pub(super) level: Option<Level>,
    pub(super) generations: Generations,
    /// Instances whose lines are not shown.
    pub(super) hidden: BTreeSet<Instance>,
    /// Where there are any, only their lines are shown.
    pub(super) only: BTreeSet<Instance>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            times: Times::default(),
            wrap: false,
            readable: true,
            events: true,
            list: true,
            level: None,
            generations: Generations::default(),
            hidden: BTreeSet::new(),
            only: BTreeSet::new(),
        }
    }
}

/// The least levels that one goes through.
const LEVELS: [Option<Level>; 5] = [
    None,
    Some(Level::Debug),
    Some(Level::Info),
    Some(Level::Warn),
    Some(Level::Error),
];

impl Options {
    /// Whether lines of an instance are shown.
    pub(super) fn shows(&self, instance: &Instance) -> bool {
        if self.only.is_empty() {
            self.hidden.is_empty() || !self.hidden.contains(instance)
        } else {
            self.only.contains(instance)
        }
    }

    /// Shows or hides the lines of an instance. Where only some were shown, these become the ones
    /// that are not hidden.
    pub(super) fn toggle(&mut self, instance: &Instance, all: &[Instance]) {
        if !self.only.is_empty() {
            let only = std::mem::take(&mut self.only);
            self.hidden = all.iter().filter(|i| !only.contains(*i)).cloned().collect();
        }
        if !self.hidden.remove(instance) {
            self.hidden.insert(instance.clone());
        }
    }

    /// The next least level.
    pub(super) fn next_level(&mut self) {
        let at = LEVELS.iter().position(|level| *level == self.level).unwrap_or(0);
        self.level = LEVELS.get((at + 1) % LEVELS.len()).copied().flatten();
    }

    pub(super) fn remember(&self, filter: &Query) -> Map<String, Value> {
        let mut map = Map::new();
        let times = self.times.word();
        map.insert("times".into(), times.into());
        map.insert("wrap".into(), self.wrap.into());
        map.insert("readable".into(), self.readable.into());
        map.insert("events".into(), self.events.into());
        map.insert("list".into(), self.list.into());
        map.insert("filter".into(), filter.text().into());
        map.insert("level".into(), self.level.map(Level::as_str).into());
        let hidden: Vec<Value> = self.hidden.iter().map(|i| i.to_string().into()).collect();
        map.insert("hidden".into(), hidden.into());
        map
    }

    pub(super) fn recall(&mut self, map: &Map<String, Value>) {
        let flag = |key: &str, usual: bool| map.get(key).and_then(Value::as_bool).unwrap_or(usual);
        let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
        let all = [Times::Off, Times::Seconds, Times::Millis, Times::Age];
        if let Some(times) = all.into_iter().find(|t| t.word() == text("times")) {
            self.times = times;
        }
        self.wrap = flag("wrap", self.wrap);
        self.readable = flag("readable", self.readable);
        self.events = flag("events", self.events);
        self.list = flag("list", self.list);
        self.level = Level::of_word(text("level"));
        let hidden = map.get("hidden").and_then(Value::as_array);
        let names = hidden.into_iter().flatten().filter_map(Value::as_str);
        self.hidden = names.map(instance_of).collect();
    }
}

/// `app`, `app-2`. A service whose name ends in a number reads as another's instance, and is then
/// not found again: nothing worse.
fn instance_of(name: &str) -> Instance {
    let numbered = name
        .rsplit_once('-')
        .and_then(|(service, number)| Some((service, number.parse().ok().filter(|n| *n > 1)?)));
    let (service, number) = numbered.unwrap_or((name, 1));
    Instance {
        service: service.into(),
        number,
    }
}

/// What decides whether a line is shown.
pub(super) struct Rules<'r> {
    pub(super) options: &'r Options,
    pub(super) filter: &'r Query,
    /// Lines before it were cleared away.
    pub(super) from: u64,
    /// The container that each instance has now.
    pub(super) current: &'r BTreeMap<Instance, ContainerId>,
    pub(super) buffer: &'r LogBuffer,
    pub(super) scratch: String,
}

impl Rules<'_> {
    /// Whether a line is shown.
    pub(super) fn wanted(&mut self, number: u64, record: &LogRecord) -> bool {
        if number < self.from || !self.options.shows(&record.instance) {
            return false;
        }
        let is_current = || self.current.get(&record.instance) == Some(&record.container);
        let generation = match self.options.generations {
            Generations::All => true,
            Generations::Current => is_current(),
            Generations::Previous => !is_current(),
        };
        generation
            && self
                .options
                .level
                .is_none_or(|least| level_of(self.buffer, number, record) >= least)
            && self.matches(record)
    }

    /// Whether the filter lets a line through: what is written and what is shown of it are looked at.
    fn matches(&mut self, record: &LogRecord) -> bool {
        let text = ansi::strip(&record.text);
        let found = finds(self.filter, &text, self.options.readable, &mut self.scratch);
        found.is_none_or(|found| found != self.filter.is_inverted())
    }
}

/// Whether a query's text is in a line: in what is written, or in what is shown of it. `None` where
/// nothing is looked for.
pub(super) fn finds(query: &Query, text: &str, readable: bool, scratch: &mut String) -> Option<bool> {
    let found = query.finds(text)?;
    if found || !readable {
        return Some(found);
    }
    let Some(fields) = Fields::read(text) else {
        return Some(false);
    };
    scratch.clear();
    fields.compose(scratch);
    query.finds(scratch)
}

/// How far back the line is looked for that another goes on.
const BACK: usize = 64;

/// A line's level. One that goes on another (a stack trace) has that one's; one that tells none counts
/// as info, or as a warning where it went to standard error.
pub(super) fn level_of(buffer: &LogBuffer, number: u64, record: &LogRecord) -> Level {
    if let Some(level) = record.level {
        return level;
    }
    if goes_on(&record.text) {
        let before = buffer.from(number.saturating_sub(BACK as u64));
        let own = before
            .take_while(|(other, _)| *other < number)
            .filter(|(_, other)| other.container == record.container && other.stderr == record.stderr);
        if let Some(level) = own.filter_map(|(_, other)| other.level).last() {
            return level;
        }
    }
    if record.stderr { Level::Warn } else { Level::Info }
}

/// Whether a line goes on the one before it.
fn goes_on(text: &str) -> bool {
    text.starts_with([' ', '\t', '}', ')', ']'])
        || text.starts_with("Traceback ")
        || text.starts_with("Caused by:")
}
