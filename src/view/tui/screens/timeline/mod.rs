//! The timeline screen: what happened to the project, on one axis.

use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::Screen;
use crate::event::live::{Happening, Kind};
use crate::event::request::Needs;
use crate::plan::Instance;
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::{Effect, Focus, Prompt};
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::rich::grouped;
use crate::view::tui::widgets::{Cursor, Query};

mod draw;
mod lanes;
#[cfg(test)]
mod tests;

use draw::{concerns, whose};
use lanes::{SPANS, span_word};

/// Its name.
pub const NAME: &str = "timeline";

const FOLLOW: CommandId = CommandId("timeline.follow");
const ONLY: CommandId = CommandId("timeline.only");
const ALL: CommandId = CommandId("timeline.all");
const FAULTS: CommandId = CommandId("timeline.faults");
const STARTS: CommandId = CommandId("timeline.starts");
const HEALTH: CommandId = CommandId("timeline.health");
const DEATHS: CommandId = CommandId("timeline.deaths");
const ALERTS: CommandId = CommandId("timeline.alerts");
const ACTIONS: CommandId = CommandId("timeline.actions");
const ZOOM_IN: CommandId = CommandId("timeline.zoom-in");
const ZOOM_OUT: CommandId = CommandId("timeline.zoom-out");
const LANES: CommandId = CommandId("timeline.lanes");
const INVERT: CommandId = CommandId("timeline.invert");
const FILTER_PROMPT: &str = "timeline.filter";

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(FOLLOW, &["F"], "stay at the newest entry, or stop doing so").hint("follow"),
    Spec::new(
        FAULTS,
        &["f"],
        "only what went wrong: deaths, failed checks, alerts",
    )
    .hint("faults"),
    Spec::new(ONLY, &["i"], "only the selected service; again: all").hint("only"),
    Spec::new(ALL, &["a"], "everything").hint("all"),
    Spec::new(STARTS, &["L"], "starts and stops, shown or hidden"),
    Spec::new(HEALTH, &["K"], "health flips, shown or hidden"),
    Spec::new(DEATHS, &["D"], "deaths and out of memory, shown or hidden"),
    Spec::new(ALERTS, &["W"], "alerts, shown or hidden"),
    Spec::new(
        ACTIONS,
        &["X"],
        "what was asked for here, and the engine's absences, shown or hidden",
    ),
    Spec::new(ZOOM_IN, &["="], "a shorter span in the lanes").hint("zoom in"),
    Spec::new(ZOOM_OUT, &["-"], "a longer span in the lanes").hint("zoom out"),
    Spec::new(LANES, &["\\"], "the lanes, or more room for the list"),
    Spec::new(INVERT, &["!"], "show what the filter hides, hide what it shows"),
];

/// Kinds that are shown or hidden together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Starts,
    Health,
    Deaths,
    Alerts,
    Actions,
}

const GROUPS: [Group; 5] = [
    Group::Starts,
    Group::Health,
    Group::Deaths,
    Group::Alerts,
    Group::Actions,
];

impl Group {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Created
            | Kind::Started
            | Kind::Restarted
            | Kind::Stopped
            | Kind::Removed
            | Kind::Paused => Self::Starts,
            Kind::Healthy | Kind::Unhealthy => Self::Health,
            Kind::Died | Kind::OutOfMemory => Self::Deaths,
            Kind::AlertFiring | Kind::AlertResolved => Self::Alerts,
            Kind::EngineLost | Kind::EngineBack | Kind::Action => Self::Actions,
        }
    }
}

/// Whether a kind is something that went wrong.
fn is_fault(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Died
            | Kind::OutOfMemory
            | Kind::Unhealthy
            | Kind::AlertFiring
            | Kind::EngineLost
            | Kind::Restarted
    )
}

/// The screen's state.
#[derive(Debug)]
pub struct Timeline {
    area: Rect,
    hidden: BTreeSet<Group>,
    faults: bool,
    only: bool,
    filter: Query,
    before: Query,
    follow: bool,
    show_lanes: bool,
    zoom: usize,
    /// Places of the entries that are shown.
    shown: Vec<usize>,
    cursor: Cursor,
    /// The selected entry, by which it is found again.
    selected: Option<Happening>,
    lanes: Vec<Instance>,
    /// What the list was made of: how many entries there ever were, and for whom.
    made_of: Option<(u64, Option<Instance>)>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            area: Rect::default(),
            hidden: BTreeSet::new(),
            faults: false,
            only: false,
            filter: Query::default(),
            before: Query::default(),
            follow: true,
            show_lanes: true,
            zoom: 2,
            shown: Vec::new(),
            cursor: Cursor::default(),
            selected: None,
            lanes: Vec::new(),
            made_of: None,
        }
    }
}

impl Screen for Timeline {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs::default()
    }

    fn resize(&mut self, _shared: &Shared, area: Rect) {
        self.area = area;
        let height = usize::from(self.parts(area).list.height);
        self.cursor.resize(height, self.shown.len());
        if self.follow {
            self.cursor.select(usize::MAX, self.shown.len());
        }
    }

    fn refresh(&mut self, shared: &mut Shared) {
        let timeline = &shared.live.timeline;
        let ever = timeline.forgotten() + timeline.entries().len() as u64;
        let whose = if self.only { shared.selected.clone() } else { None };
        let made_of = Some((ever, whose));
        if self.made_of == made_of && self.lanes.len() >= shared.live.containers.len() {
            return;
        }
        self.made_of = made_of;
        let entries = timeline.entries();
        let shown = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| self.wants(shared, entry));
        self.shown = shown.map(|(at, _)| at).collect();
        let len = self.shown.len();
        if self.follow {
            self.cursor.select(usize::MAX, len);
        } else if let Some(selected) = &self.selected {
            let later = self
                .shown
                .partition_point(|at| entries.get(*at).is_some_and(|e| e.time < selected.time));
            let same = self
                .shown
                .iter()
                .skip(later)
                .position(|at| entries.get(*at) == Some(selected));
            self.cursor.select(later + same.unwrap_or(0), len);
        }
        let rows = shared.live.rows();
        self.lanes = rows.into_iter().map(|row| row.instance).collect();
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        let len = self.shown.len();
        if id == command::DOWN && self.cursor.at + 1 >= len {
            self.follow = true;
            return Some(Vec::new());
        }
        if self.cursor.command(id, len) {
            self.follow = id == command::BOTTOM;
            self.remember_selected(shared);
            return Some(Vec::new());
        }
        match id {
            command::OPEN => {
                let entry = self.entry(shared)?;
                let instance = entry.instance.clone().or_else(|| {
                    let service = entry.service.as_ref()?;
                    self.lanes.iter().find(|i| i.service == *service).cloned()
                });
                let time = Some(entry.time);
                return Some(vec![Effect::Show("logs", Focus { instance, time })]);
            }
            command::FILTER => {
                self.before = self.filter.clone();
                return Some(vec![Effect::Ask(Prompt {
                    id: FILTER_PROMPT,
                    label: "filter: ".into(),
                    text: self.filter.text(),
                    live: true,
                })]);
            }
            command::COPY => {
                let entry = self.entry(shared)?;
                let time = shared.time(entry.time, true);
                let text = format!("{time} {} {}: {}", whose(entry), entry.kind.as_str(), entry.text);
                return Some(vec![Effect::Copy(text)]);
            }
            command::BACK if !self.filter.is_empty() => self.filter = Query::default(),
            command::BACK if self.only => self.only = false,
            command::BACK if self.faults => self.faults = false,
            FOLLOW => {
                self.follow = !self.follow;
                self.remember_selected(shared);
            }
            ONLY => self.only = !self.only,
            ALL => {
                self.hidden.clear();
                self.only = false;
                self.faults = false;
            }
            FAULTS => self.faults = !self.faults,
            STARTS => self.toggle(Group::Starts),
            HEALTH => self.toggle(Group::Health),
            DEATHS => self.toggle(Group::Deaths),
            ALERTS => self.toggle(Group::Alerts),
            ACTIONS => self.toggle(Group::Actions),
            INVERT => self.filter.invert(),
            LANES => self.show_lanes = !self.show_lanes,
            ZOOM_IN | ZOOM_OUT => {
                self.zoom = if id == ZOOM_IN {
                    self.zoom.saturating_sub(1)
                } else {
                    (self.zoom + 1).min(SPANS.len() - 1)
                };
                return Some(vec![Effect::Notice(format!(
                    "the lanes show {}",
                    span_word(self.span())
                ))]);
            }
            _ => return None,
        }
        self.made_of = None;
        Some(Vec::new())
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        self.paint(shared, area, buffer);
    }

    fn answered(
        &mut self,
        _shared: &mut Shared,
        _prompt: &'static str,
        text: Option<&str>,
        _done: bool,
    ) -> Vec<Effect> {
        self.filter = text.map_or_else(|| self.before.clone(), Query::new);
        self.made_of = None;
        Vec::new()
    }

    fn click(&mut self, shared: &mut Shared, _column: u16, row: u16) -> Vec<Effect> {
        let list = self.parts(self.area).list;
        let y = self.area.y + row;
        if (list.top()..list.bottom()).contains(&y) {
            let place = self.cursor.first + usize::from(y - list.y);
            if place < self.shown.len() {
                self.cursor.select(place, self.shown.len());
                self.follow = false;
                self.remember_selected(shared);
            }
        }
        Vec::new()
    }

    fn status(&self, shared: &Shared) -> String {
        let state = if self.follow { "following" } else { "paused" };
        let all = shared.live.timeline.entries().len() as u64;
        let shown = self.shown.len() as u64;
        let forgotten = match shared.live.timeline.forgotten() {
            0 => String::new(),
            number => format!(", {} older dropped", grouped(number)),
        };
        if shown == all {
            format!("{state}, {} entries{forgotten}", grouped(all))
        } else {
            format!(
                "{state}, {} of {} entries{forgotten}",
                grouped(shown),
                grouped(all)
            )
        }
    }

    fn remember(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let hidden: Vec<Value> = self.hidden.iter().map(|group| group.word().into()).collect();
        map.insert("hidden".into(), hidden.into());
        map.insert("faults".into(), self.faults.into());
        map.insert("lanes".into(), self.show_lanes.into());
        map.insert("span".into(), self.span().as_secs().into());
        map
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        let hidden = remembered.get("hidden").and_then(Value::as_array);
        let words: Vec<&str> = hidden.into_iter().flatten().filter_map(Value::as_str).collect();
        self.hidden = GROUPS
            .into_iter()
            .filter(|group| words.contains(&group.word()))
            .collect();
        let flag = |key: &str, usual| remembered.get(key).and_then(Value::as_bool).unwrap_or(usual);
        self.faults = flag("faults", self.faults);
        self.show_lanes = flag("lanes", self.show_lanes);
        let span = remembered.get("span").and_then(Value::as_u64);
        let zoom = SPANS.iter().position(|known| Some(known.as_secs()) == span);
        self.zoom = zoom.unwrap_or(self.zoom);
        self.made_of = None;
    }
}

impl Timeline {
    fn span(&self) -> Duration {
        SPANS.get(self.zoom).copied().unwrap_or(Duration::from_secs(900))
    }

    /// Whether a group is shown.
    fn shows(&self, group: Group) -> bool {
        !self.hidden.contains(&group)
    }

    fn toggle(&mut self, group: Group) {
        if !self.hidden.remove(&group) {
            self.hidden.insert(group);
        }
    }

    fn wants(&self, shared: &Shared, entry: &Happening) -> bool {
        let only = self.only.then_some(shared.selected.as_ref()).flatten();
        self.shows(Group::of(entry.kind))
            && (!self.faults || is_fault(entry.kind))
            && only.is_none_or(|instance| concerns(entry, instance))
            && (self.filter.is_empty()
                || self.filter.accepts(&format!(
                    "{} {} {}",
                    whose(entry),
                    entry.kind.as_str(),
                    entry.text
                )))
    }

    /// The selected entry.
    fn entry<'s>(&self, shared: &'s Shared) -> Option<&'s Happening> {
        shared
            .live
            .timeline
            .entries()
            .get(*self.shown.get(self.cursor.at)?)
    }

    /// The selected entry stays selected, and its instance is what keys act on.
    fn remember_selected(&mut self, shared: &mut Shared) {
        let entry = self.entry(shared).cloned();
        if let Some(instance) = entry.as_ref().and_then(|e| e.instance.clone())
            && !self.follow
            && !self.only
        {
            shared.selected = Some(instance);
        }
        self.selected = entry;
    }
}
