//! The logs screen: the lines of all services, merged by time.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::Screen;
use crate::base::ContainerId;
use crate::event::request::Needs;
use crate::plan::Instance;
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::{Effect, Focus, Prompt};
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::Query;
use crate::view::tui::widgets::rich::grouped;

mod fields;
mod options;
mod index;
mod line;
mod side;
mod sight;
pub(in crate::view::tui::screens) mod events;
mod detail;
mod draw;
mod save;
#[cfg(test)]
mod tests;

use detail::Detail;
use index::{Follower, Index};
use options::{Options, Rules};
use side::Side;
use sight::Sight;

/// Its name.
pub const NAME: &str = "logs";

const FOLLOW: CommandId = CommandId("logs.follow");
const FIND: CommandId = CommandId("logs.find");
const NEXT: CommandId = CommandId("logs.next");
const PREVIOUS: CommandId = CommandId("logs.previous");
const INVERT: CommandId = CommandId("logs.invert");
const LEVEL: CommandId = CommandId("logs.level");
const READABLE: CommandId = CommandId("logs.readable");
const TIMES: CommandId = CommandId("logs.times");
const WRAP: CommandId = CommandId("logs.wrap");
const EVENTS: CommandId = CommandId("logs.events");
const GENERATIONS: CommandId = CommandId("logs.containers");
const ONLY: CommandId = CommandId("logs.only");
const HIDE: CommandId = CommandId("logs.hide");
const ALL: CommandId = CommandId("logs.all");
const LIST: CommandId = CommandId("logs.list");
const MARK: CommandId = CommandId("logs.mark");
const NEXT_MARK: CommandId = CommandId("logs.next-mark");
const CLEAR: CommandId = CommandId("logs.clear");
const UNCLEAR: CommandId = CommandId("logs.unclear");
const SAVE: CommandId = CommandId("logs.save");

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(FOLLOW, &["F"], "stay at the newest line, or stop doing so").hint("follow"),
    Spec::new(
        FIND,
        &["f"],
        "mark a text or /regex/; n and N go from one to the next",
    )
    .hint("find"),
    Spec::new(NEXT, &["n"], "the next line that contains what is looked for"),
    Spec::new(
        PREVIOUS,
        &["N"],
        "the previous line that contains what is looked for",
    ),
    Spec::new(INVERT, &["!"], "show what the filter hides, hide what it shows"),
    Spec::new(
        LEVEL,
        &["L"],
        "the least level that is shown: all, debug, info, warn, error",
    )
    .hint("level"),
    Spec::new(ONLY, &["i"], "only the lines of this one; again: of all").hint("only"),
    Spec::new(HIDE, &["x"], "hide the lines of this one"),
    Spec::new(ALL, &["a"], "the lines of all services").hint("all"),
    Spec::new(
        READABLE,
        &["J"],
        "JSON and logfmt lines made readable, or as they were written",
    ),
    Spec::new(TIMES, &["T"], "times: seconds, milliseconds, how long ago, none"),
    Spec::new(WRAP, &["w"], "long lines on several rows, or cut").hint("wrap"),
    Spec::new(
        EVENTS,
        &["E"],
        "what happened between the lines, or the lines alone",
    ),
    Spec::new(
        GENERATIONS,
        &["p"],
        "lines of all containers, of the current ones, of those before",
    ),
    Spec::new(LIST, &["\\"], "the list of services, or more room for lines"),
    Spec::new(
        MARK,
        &["m"],
        "mark or unmark the line: marked lines are copied and saved together",
    ),
    Spec::new(NEXT_MARK, &["'"], "the next marked line"),
    Spec::new(CLEAR, &["C"], "clear: show only lines that come from now on"),
    Spec::new(UNCLEAR, &["U"], "bring back what was cleared"),
    Spec::new(SAVE, &["ctrl-s", "W"], "save what is shown to a file").hint("save"),
];

/// The screen's state.
#[derive(Debug, Default)]
pub struct Logs {
    area: Rect,
    options: Options,
    filter: Query,
    find: Query,
    /// What stood there before something else is typed.
    before: Query,
    index: Index,
    follower: Follower,
    side: Side,
    sight: Sight,
    marks: BTreeSet<u64>,
    /// Lines before this one were cleared away.
    from: u64,
    detail: Option<Detail>,
    /// Whether another choice of lines was made.
    stale: bool,
    current: BTreeMap<Instance, ContainerId>,
    /// The time that is to be gone to.
    wanted: Option<i64>,
}

const FILTER_PROMPT: &str = "logs.filter";
const FIND_PROMPT: &str = "logs.find";

impl Screen for Logs {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs {
            logs: true,
            ..Needs::default()
        }
    }

    fn resize(&mut self, shared: &Shared, area: Rect) {
        self.area = area;
        let parts = self.parts(area);
        self.sight.columns = usize::from(parts.lines.width);
        self.sight.rows = usize::from(parts.lines.height);
        let rows = parts
            .list
            .map_or(1, |list| usize::from(list.height).saturating_sub(1));
        self.side.cursor.resize(rows, self.side.instances.len());
        if let Some(detail) = &mut self.detail {
            detail.resize(shared, &self.options, [&self.filter, &self.find], area);
        }
    }

    fn refresh(&mut self, shared: &mut Shared) {
        let buffer = &shared.live.logs;
        let news = self.follower.news(buffer);
        self.side.update(shared, &news);
        if self.options.generations != options::Generations::All {
            let current = side::current(shared);
            self.stale |= current != self.current;
            self.current = current;
        }
        if news.lost {
            let again = buffer.at_time(self.sight.time);
            (self.sight.cursor, self.sight.top) = (again, again);
            self.marks.clear();
            self.from = self.from.min(buffer.first());
        } else if !news.shifts.is_empty() {
            self.sight.cursor = news.moved(self.sight.cursor);
            self.sight.top = news.moved(self.sight.top);
            self.from = if self.from > 0 { news.moved(self.from) } else { 0 };
            self.marks = self.marks.iter().map(|number| news.moved(*number)).collect();
            if let Some(detail) = &mut self.detail {
                detail.number = news.moved(detail.number);
            }
        }
        let mut rules = Rules {
            options: &self.options,
            filter: &self.filter,
            from: self.from,
            current: &self.current,
            buffer,
            scratch: String::new(),
        };
        if std::mem::take(&mut self.stale) || news.lost {
            self.index
                .rebuild(buffer, |number, record| rules.wanted(number, record));
        } else {
            self.index
                .update(buffer, &news, |number, record| rules.wanted(number, record));
        }
        self.marks.retain(|number| *number >= buffer.first());
        self.go_to_wanted(shared);
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        if self.detail.is_some() {
            return self.in_detail(shared, id);
        }
        if self.side.focused
            && let Some(effects) = self.in_side(shared, id)
        {
            return Some(effects);
        }
        self.command_of_lines(shared, id)
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        self.paint(shared, area, buffer);
    }

    fn focus(&mut self, shared: &mut Shared, focus: &Focus) {
        self.detail = None;
        if let Some(instance) = &focus.instance {
            shared.selected = Some(instance.clone());
            match focus.time {
                // What stands around a moment are the lines of all.
                Some(_) => {
                    self.options.hidden.remove(instance);
                    self.options.only.clear();
                }
                None => {
                    let marked = shared.marked.contains(instance);
                    self.options.only = if marked {
                        shared.marked.clone()
                    } else {
                        BTreeSet::from([instance.clone()])
                    };
                    self.sight.follow = true;
                }
            }
            self.stale = true;
        }
        self.wanted = focus.time.or(self.wanted);
        self.refresh(shared);
    }

    fn answered(
        &mut self,
        _shared: &mut Shared,
        prompt: &'static str,
        text: Option<&str>,
        _done: bool,
    ) -> Vec<Effect> {
        let query = text.map_or_else(|| self.before.clone(), Query::new);
        if prompt == FIND_PROMPT {
            self.find = query;
        } else if self.filter != query {
            self.choose(|logs| logs.filter = query);
        }
        Vec::new()
    }

    fn click(&mut self, shared: &mut Shared, column: u16, row: u16) -> Vec<Effect> {
        self.clicked(shared, column, row);
        Vec::new()
    }

    fn chosen(&self) -> String {
        let filter = match self.filter.is_empty() {
            true => String::new(),
            false => format!("/{}", self.filter.text()),
        };
        let level = self.options.level.map(|level| format!("{}+", level.as_str()));
        let some = !self.options.only.is_empty() || !self.options.hidden.is_empty();
        let some = some.then(|| "some".to_owned());
        let pieces = [Some(filter), level, some].into_iter().flatten();
        let pieces: Vec<String> = pieces.filter(|piece| !piece.is_empty()).collect();
        pieces.join(" ")
    }

    fn status(&self, shared: &Shared) -> String {
        let all = shared.live.logs.len() as u64;
        let shown = self.index.len() as u64;
        let state = if self.sight.follow { "following" } else { "paused" };
        let at = if self.sight.follow {
            String::new()
        } else {
            format!(" at {}", grouped(self.place() as u64 + 1))
        };
        let dropped = match side::dropped(&shared.live.logs) {
            Some(number) => format!(", {} older dropped", grouped(number)),
            None => String::new(),
        };
        if shown == all {
            format!("{state}{at}, {} lines{dropped}", grouped(all))
        } else {
            format!(
                "{state}{at}, {} of {} lines{dropped}",
                grouped(shown),
                grouped(all)
            )
        }
    }

    fn remember(&self) -> Map<String, Value> {
        self.options.remember(&self.filter)
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        self.options.recall(remembered);
        let filter = remembered.get("filter").and_then(Value::as_str);
        self.filter = Query::new(filter.unwrap_or_default());
        self.stale = true;
    }
}

impl Logs {
    /// Commands while the lines have the keys.
    fn command_of_lines(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        if self.moves(shared, id) {
            return Some(Vec::new());
        }
        let mut effects = Vec::new();
        match id {
            command::FILTER => effects.push(self.ask(FILTER_PROMPT)),
            FIND => effects.push(self.ask(FIND_PROMPT)),
            NEXT | PREVIOUS => {
                if !self.search(shared, id == NEXT) {
                    let way = if id == NEXT { "further" } else { "earlier" };
                    effects.push(Effect::Notice(format!("no {way} line contains it")));
                }
            }
            INVERT if self.filter.is_empty() => {
                effects.push(Effect::Trouble(
                    "there is no filter to turn around: / sets one".into(),
                ));
            }
            INVERT => self.choose(|logs| logs.filter.invert()),
            LEVEL => self.choose(|logs| logs.options.next_level()),
            GENERATIONS => {
                self.choose(|logs| logs.options.generations = logs.options.generations.next());
                self.current = side::current(shared);
            }
            ONLY | command::LOGS_OF => {
                let instance = self.meant(shared)?;
                let only = BTreeSet::from([instance]);
                self.choose(|logs| {
                    logs.options.only = if logs.options.only == only {
                        BTreeSet::new()
                    } else {
                        only
                    };
                });
            }
            HIDE => {
                let instance = self.meant(shared)?;
                self.toggle(&instance);
            }
            ALL => self.choose(|logs| {
                logs.options.only.clear();
                logs.options.hidden.clear();
            }),
            CLEAR => {
                let end = shared.live.logs.end();
                self.choose(|logs| logs.from = end);
            }
            UNCLEAR => self.choose(|logs| logs.from = 0),
            command::OPEN => {
                if let Some(number) = self.index.get(self.place()) {
                    self.pause(shared);
                    let place = self.place();
                    self.select(shared, place);
                    self.detail = Some(Detail::new(number));
                }
            }
            MARK | command::MARK => {
                if let Some(number) = self.index.get(self.place())
                    && !self.marks.remove(&number)
                {
                    self.pause(shared);
                    self.marks.insert(number);
                }
            }
            NEXT_MARK => return Some(self.next_mark(shared)),
            SAVE => effects.push(self.save(shared)),
            command::COPY => effects.push(self.copy(shared)),
            command::NEXT_PANE => {
                self.options.list = true;
                self.side.focused = true;
            }
            command::BACK => return self.back(),
            _ => return self.switch(shared, id).then(Vec::new),
        }
        Some(effects)
    }

    /// Changes what decides which lines are shown.
    fn choose(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.stale = true;
    }

    fn ask(&mut self, prompt: &'static str) -> Effect {
        let (query, short, long) = if prompt == FIND_PROMPT {
            (&self.find, "find: ", "find (text, /regex/): ")
        } else {
            (&self.filter, "filter: ", "filter (text, /regex/, !not): ")
        };
        self.before = query.clone();
        Effect::Ask(Prompt {
            id: prompt,
            label: if self.area.width < 60 { short } else { long }.into(),
            text: query.text(),
            live: true,
        })
    }

    /// Switches of how lines look; whether it was one.
    fn switch(&mut self, shared: &Shared, id: CommandId) -> bool {
        let options = &mut self.options;
        match id {
            FOLLOW if self.sight.follow => self.pause(shared),
            FOLLOW => self.sight.follow = true,
            READABLE => {
                options.readable = !options.readable;
                // What a filter finds depends on what is shown.
                self.stale = true;
            }
            TIMES => options.times = options.times.next(),
            WRAP => {
                options.wrap = !options.wrap;
                self.sight.skip = 0;
            }
            EVENTS => options.events = !options.events,
            LIST => {
                options.list = !options.list;
                self.side.focused = false;
            }
            _ => return false,
        }
        true
    }

    /// The instance that a command means: that of the list, or of the selected line.
    fn meant(&self, shared: &Shared) -> Option<Instance> {
        if self.side.focused {
            return self.side.selected().cloned();
        }
        let line = self
            .record(shared, self.place())
            .map(|record| record.instance.clone());
        if self.sight.follow {
            return shared.selected.clone().or(line);
        }
        line.or_else(|| shared.selected.clone())
    }

    fn toggle(&mut self, instance: &Instance) {
        let all = self.side.instances.clone();
        self.choose(|logs| logs.options.toggle(instance, &all));
    }

    /// Clears one thing after another; `None` where nothing is left to be cleared.
    fn back(&mut self) -> Option<Vec<Effect>> {
        if !self.find.is_empty() {
            self.find = Query::default();
        } else if !self.filter.is_empty() {
            self.choose(|logs| logs.filter = Query::default());
        } else if !self.options.only.is_empty() {
            self.choose(|logs| logs.options.only.clear());
        } else if self.options.level.is_some() {
            self.choose(|logs| logs.options.level = None);
        } else if !self.marks.is_empty() {
            self.marks.clear();
        } else {
            return None;
        }
        Some(Vec::new())
    }

    /// Commands while the list of services has the keys.
    fn in_side(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        let len = self.side.instances.len();
        let id = match id {
            command::LEFT => command::UP,
            command::RIGHT => command::DOWN,
            other => other,
        };
        if self.side.cursor.command(id, len) {
            shared.selected = self.side.selected().cloned();
            return Some(Vec::new());
        }
        match id {
            command::MARK => {
                let instance = self.side.selected().cloned()?;
                self.toggle(&instance);
            }
            command::MARK_ALL => {
                let any = self.side.instances.iter().any(|i| !self.options.shows(i));
                let all: BTreeSet<Instance> = self.side.instances.iter().cloned().collect();
                self.choose(|logs| {
                    logs.options.only.clear();
                    logs.options.hidden = if any { BTreeSet::new() } else { all };
                });
            }
            command::OPEN => {
                let effects = self.command_of_lines(shared, ONLY);
                self.side.focused = false;
                return effects;
            }
            command::NEXT_PANE | command::BACK => self.side.focused = false,
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Commands while a line is open.
    fn in_detail(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        let detail = self.detail.as_mut()?;
        if detail.command(id) {
            return Some(Vec::new());
        }
        match id {
            command::OPEN | command::BACK => self.detail = None,
            NEXT | PREVIOUS | command::LEFT | command::RIGHT => {
                let moved = match id {
                    NEXT | PREVIOUS => self.search(shared, id == NEXT),
                    command::LEFT => self.moves(shared, command::UP),
                    _ => self.place() + 1 < self.index.len() && self.moves(shared, command::DOWN),
                };
                if moved {
                    self.detail = self.index.get(self.place()).map(Detail::new);
                }
            }
            command::COPY => return Some(vec![self.copy(shared)]),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Goes to the moment that was asked for, once there are lines.
    fn go_to_wanted(&mut self, shared: &mut Shared) {
        if self.index.len() == 0 {
            return;
        }
        let Some(time) = self.wanted.take() else { return };
        let number = shared.live.logs.at_time(time);
        let place = self.index.place(number);
        self.sight.follow = false;
        // A third of the room for what came before.
        let top = place.saturating_sub(self.sight.rows / 3);
        self.sight.top = self.index.get(top).unwrap_or(0);
        let selected = shared.selected.take();
        self.select(shared, place);
        if selected.is_some() {
            shared.selected = selected;
        }
    }

    fn next_mark(&mut self, shared: &mut Shared) -> Vec<Effect> {
        let at = self.index.get(self.place()).unwrap_or(0);
        let next = self
            .marks
            .range(at + 1..)
            .next()
            .or_else(|| self.marks.first())
            .copied();
        match next {
            Some(number) => {
                self.pause(shared);
                let place = self.index.place(number);
                self.select(shared, place);
                Vec::new()
            }
            None => vec![Effect::Trouble("no line is marked: m marks one".into())],
        }
    }
}
