//! The stack screen: a row for each service and instance, and the details of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::Screen;
use crate::event::live::Live;
use crate::event::request::Needs;
use crate::plan::Instance;
use crate::view::text::width;
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::{Effect, Prompt};
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::Cursor;

mod cells;
mod columns;
mod details;
mod draw;
mod fit;
mod item;
mod layout;
mod measures;
mod news;
#[cfg(test)]
mod tests;

pub use columns::INFO as COLUMNS;
use columns::{Column, Source};
use item::Item;
use layout::{GUTTER, LOW, Layout};

/// Its name.
pub const NAME: &str = "stack";

const FAULTS: CommandId = CommandId("stack.faults");
const SORT_NEXT: CommandId = CommandId("stack.sort-next");
const SORT_PREVIOUS: CommandId = CommandId("stack.sort-previous");
const SORT_REVERSE: CommandId = CommandId("stack.sort-reverse");
const SORT_NONE: CommandId = CommandId("stack.sort-none");
const DETAILS_DOWN: CommandId = CommandId("stack.details-down");
const DETAILS_UP: CommandId = CommandId("stack.details-up");
/// What stands before a column's name in the command that sorts by it.
const SORT: &str = "stack.sort.";

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(FAULTS, &["f"], "only what is not good, or all").hint("faults"),
    Spec::new(SORT_NEXT, &[">"], "sort by the next column").hint("sort"),
    Spec::new(SORT_PREVIOUS, &["<"], "sort by the column before"),
    Spec::new(SORT_REVERSE, &["!"], "sort the other way round"),
    Spec::new(SORT_NONE, &["="], "the stack's own order"),
    Spec::new(CommandId("stack.sort.name"), &["N"], "sort by name"),
    Spec::new(
        CommandId("stack.sort.stage"),
        &["W"],
        "sort by stage, the worst first",
    ),
    Spec::new(CommandId("stack.sort.cpu"), &["C"], "sort by CPU"),
    Spec::new(CommandId("stack.sort.memory"), &["M"], "sort by memory"),
    Spec::new(CommandId("stack.sort.rate"), &["Q"], "sort by requests a second"),
    Spec::new(CommandId("stack.sort.errors"), &["E"], "sort by failed requests"),
    Spec::new(CommandId("stack.sort.p95"), &["L"], "sort by latency"),
    Spec::new(CommandId("stack.sort.restarts"), &["T"], "sort by restarts"),
    Spec::new(CommandId("stack.sort.age"), &["U"], "sort by age"),
    Spec::new(DETAILS_DOWN, &["J"], "scroll the details down"),
    Spec::new(DETAILS_UP, &["K"], "scroll the details up"),
];

const FILTER_PROMPT: &str = "stack.filter";

/// The screen's state.
#[derive(Debug)]
pub struct Stack {
    /// Column that rows are ordered by, where not in the stack's order; and whether the other way round.
    sort: Option<(&'static Column, bool)>,
    filter: String,
    /// The filter before one is typed, to go back to.
    filter_before: String,
    faults: bool,
    /// Whether the details are shown where there is room for both.
    open: bool,
    /// Whether they are shown instead of the table, where there is no room for both.
    instead: bool,
    /// Whether keys that move act on the details.
    in_details: bool,
    items: Vec<Item>,
    /// How many rows there are without filter.
    all: usize,
    cursor: Cursor,
    layout: Layout,
    scroll: usize,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            sort: None,
            filter: String::new(),
            filter_before: String::new(),
            faults: false,
            open: true,
            instead: false,
            in_details: false,
            items: Vec::new(),
            all: 0,
            cursor: Cursor::default(),
            layout: Layout::default(),
            scroll: 0,
        }
    }
}

impl Stack {
    /// The columns that may be shown, in order.
    fn wanted(shared: &Shared) -> Vec<&'static Column> {
        match shared.settings.columns.get(NAME) {
            Some(names) if !names.is_empty() => names.iter().filter_map(|n| columns::by_name(n)).collect(),
            _ => columns::COLUMNS.iter().collect(),
        }
    }

    fn is_shown(&self, source: Source) -> bool {
        self.layout
            .columns
            .iter()
            .any(|placed| placed.column.source == source)
            || self.sort.is_some_and(|(column, _)| column.source == source)
    }

    fn matches(&self, item: &Item) -> bool {
        if self.faults && item.row.condition.reason.is_none() && item.alerts.value().is_none_or(|n| n == 0) {
            return false;
        }
        let (text, wanted) = match self.filter.strip_prefix('!') {
            Some(rest) => (rest, false),
            None => (self.filter.as_str(), true),
        };
        if text.is_empty() {
            return true;
        }
        let text = text.to_lowercase();
        let found = [
            &item.row.instance.to_string(),
            &*item.row.condition.word,
            &item.image,
        ]
        .iter()
        .any(|value| value.to_lowercase().contains(&text));
        found == wanted
    }

    fn collect(&mut self, live: &Live) {
        let rows = live.rows();
        self.all = rows.len();
        let mut items: Vec<Item> = rows.into_iter().map(|row| Item::of(live, row)).collect();
        items.retain(|item| self.matches(item));
        if let Some((column, reversed)) = self.sort {
            // Stable: equal ones keep the stack's order.
            items.sort_by(|a, b| column.order(a, b, reversed));
        }
        let mut above: Option<&Instance> = None;
        let follows: Vec<bool> = items
            .iter()
            .map(|item| {
                let same = above.is_some_and(|instance| instance.service == item.row.instance.service);
                above = Some(&item.row.instance);
                same
            })
            .collect();
        for (item, follows) in items.iter_mut().zip(follows) {
            item.follows = follows;
        }
        self.items = items;
    }

    /// Brings the cursor to what is selected on all screens, or the selection to the cursor where that is
    /// not among the rows.
    fn follow_selection(&mut self, shared: &mut Shared) {
        let is_selected = |item: &Item| shared.selected.as_ref() == Some(&item.row.instance);
        if !self.items.get(self.cursor.at).is_some_and(is_selected)
            && let Some(at) = self.items.iter().position(is_selected)
        {
            self.cursor.at = at;
        }
        self.cursor.settle(self.items.len());
        self.select(shared);
    }

    fn select(&mut self, shared: &mut Shared) {
        if let Some(item) = self.items.get(self.cursor.at)
            && shared.selected.as_ref() != Some(&item.row.instance)
        {
            shared.selected = Some(item.row.instance.clone());
            self.scroll = 0;
        }
    }

    fn sort_by(&mut self, shared: &mut Shared, column: &'static Column) -> Vec<Effect> {
        self.sort = match self.sort {
            Some((before, reversed)) if before.name == column.name => Some((column, !reversed)),
            _ => Some((column, false)),
        };
        self.refresh(shared);
        Vec::new()
    }

    /// Sorts by the column so many further to the right.
    fn sort_along(&mut self, shared: &mut Shared, right: bool) -> Vec<Effect> {
        let shown = &self.layout.columns;
        let at = self
            .sort
            .and_then(|(column, _)| shown.iter().position(|p| p.column.name == column.name));
        let len = shown.len();
        let next = match (at, right) {
            (None, true) => 0,
            (None, false) => len.saturating_sub(1),
            (Some(at), true) => (at + 1) % len.max(1),
            (Some(at), false) => (at + len.saturating_sub(1)) % len.max(1),
        };
        if let Some(placed) = shown.get(next) {
            self.sort = Some((placed.column, false));
        }
        self.refresh(shared);
        Vec::new()
    }

    fn mark_shown(&self, shared: &mut Shared) {
        if shared.marked.is_empty() {
            shared.marked = self.items.iter().map(|item| item.row.instance.clone()).collect();
        } else {
            shared.marked.clear();
        }
    }

    /// Keys that move, on the details.
    fn move_in_details(&mut self, id: CommandId) -> bool {
        let page = self
            .layout
            .details
            .map_or(1, |part| usize::from(part.height.saturating_sub(2)).max(1));
        let (down, by) = match id {
            command::UP => (false, 1),
            command::DOWN => (true, 1),
            command::PAGE_UP => (false, page),
            command::PAGE_DOWN => (true, page),
            command::TOP => (false, usize::MAX),
            command::BOTTOM => (true, self.layout.lines.len()),
            _ => return false,
        };
        self.scroll_details(down, by);
        true
    }

    fn open(&mut self) {
        let both = self.layout.beside || self.layout.area.height >= LOW;
        if both {
            self.open = !self.open;
            self.in_details &= self.open;
        } else {
            self.instead = !self.instead;
            self.in_details = self.instead;
        }
        self.scroll = 0;
    }
}

impl Screen for Stack {
    fn needs(&self, shared: &Shared) -> Needs {
        let mut needs = Needs {
            alerts: true,
            traffic: self.layout.details.is_some() || self.is_shown(Source::Traffic),
            ..Needs::default()
        };
        let running = |instance: &Instance| {
            let container = shared.live.container_of(instance)?;
            container.state.is_running().then(|| container.id.clone())
        };
        if self.layout.details.is_some() {
            needs.usage.extend(shared.selected.as_ref().and_then(running));
        }
        if self.is_shown(Source::Usage) {
            // Whoever sorts by it needs all of them, else those in sight do.
            let sorted = self
                .sort
                .is_some_and(|(column, _)| column.source == Source::Usage);
            let sight = if sorted {
                0..self.items.len()
            } else {
                self.cursor.sight(self.items.len())
            };
            let items = self.items.get(sight).unwrap_or_default();
            let ids = items.iter().filter_map(|item| {
                let container = shared.live.container(item.row.container.as_ref()?)?;
                container.state.is_running().then(|| container.id.clone())
            });
            needs.usage.extend(ids);
        }
        needs
    }

    fn resize(&mut self, shared: &Shared, area: Rect) {
        self.layout.news = news::news(&shared.live, &shared.theme);
        self.divide(area);
        let rows = usize::from(self.layout.table.height.saturating_sub(1));
        if self.layout.table.height > 0 {
            self.cursor.resize(rows, self.items.len());
        }
        self.place_columns(shared);
        self.layout.lines = match (self.layout.details, self.items.get(self.cursor.at)) {
            (Some(part), Some(item)) => details::lines(shared, item, usize::from(part.width)),
            _ => Vec::new(),
        };
        self.scroll_details(false, 0);
        let height = self
            .layout
            .details
            .map_or(0, |part| usize::from(part.height.saturating_sub(1)));
        self.scroll = self.scroll.min(self.layout.lines.len().saturating_sub(height));
    }

    fn refresh(&mut self, shared: &mut Shared) {
        self.collect(&shared.live);
        self.follow_selection(shared);
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        let done = Some(Vec::new());
        if let Some(column) = id.0.strip_prefix(SORT).and_then(columns::by_name) {
            return Some(self.sort_by(shared, column));
        }
        if self.in_details && self.layout.details.is_some() && self.move_in_details(id) {
            return done;
        }
        match id {
            FAULTS => self.faults = !self.faults,
            SORT_NEXT => return Some(self.sort_along(shared, true)),
            SORT_PREVIOUS => return Some(self.sort_along(shared, false)),
            SORT_REVERSE => {
                if let Some((_, reversed)) = &mut self.sort {
                    *reversed = !*reversed;
                }
            }
            SORT_NONE => self.sort = None,
            DETAILS_DOWN => self.scroll_details(true, 3),
            DETAILS_UP => self.scroll_details(false, 3),
            command::OPEN => self.open(),
            command::NEXT_PANE => self.in_details = !self.in_details && self.layout.details.is_some(),
            command::MARK_ALL => self.mark_shown(shared),
            command::FILTER => {
                self.filter_before = self.filter.clone();
                return Some(vec![Effect::Ask(Prompt {
                    id: FILTER_PROMPT,
                    label: "filter (! for all others): ".into(),
                    text: self.filter.clone(),
                    live: true,
                })]);
            }
            command::BACK => {
                if self.layout.table.height == 0 {
                    self.open();
                } else if self.in_details {
                    self.in_details = false;
                } else if !self.filter.is_empty() || self.faults {
                    self.filter.clear();
                    self.faults = false;
                } else {
                    return None;
                }
            }
            _ if self.cursor.command(id, self.items.len()) => {
                self.select(shared);
                return done;
            }
            _ => return None,
        }
        self.refresh(shared);
        done
    }

    fn draw(&self, shared: &Shared, _area: Rect, buffer: &mut Buffer) {
        self.paint(shared, buffer);
    }

    fn answered(
        &mut self,
        shared: &mut Shared,
        prompt: &'static str,
        text: Option<&str>,
        _done: bool,
    ) -> Vec<Effect> {
        if prompt == FILTER_PROMPT {
            self.filter = text.unwrap_or(&self.filter_before).trim().to_owned();
            self.refresh(shared);
        }
        Vec::new()
    }

    fn click(&mut self, shared: &mut Shared, column: u16, row: u16) -> Vec<Effect> {
        let (x, y) = (self.layout.area.x + column, self.layout.area.y + row);
        let place = (x, y).into();
        if self.layout.details.is_some_and(|part| part.contains(place)) {
            self.in_details = true;
            return Vec::new();
        }
        let table = self.layout.table;
        if !table.contains(place) {
            return Vec::new();
        }
        self.in_details = false;
        if y == table.y {
            let at = (x - table.x).saturating_sub(GUTTER);
            let hit = self
                .layout
                .columns
                .iter()
                .find(|p| (p.at..p.at + p.width).contains(&at));
            return match hit.map(|placed| placed.column) {
                Some(column) => self.sort_by(shared, column),
                None => Vec::new(),
            };
        }
        let at = self.cursor.first + usize::from(y - table.y - 1);
        if at < self.items.len() {
            self.cursor.select(at, self.items.len());
            self.select(shared);
        }
        Vec::new()
    }

    fn status(&self, shared: &Shared) -> String {
        let mut said = Vec::new();
        if self.items.len() != self.all {
            said.push(format!("{} of {}", self.items.len(), self.all));
        }
        if self.faults {
            said.push("only faults".to_owned());
        }
        if !self.filter.is_empty() {
            said.push(format!("/{}", self.filter));
        }
        // Where the column is not shown, its heading does not tell.
        if let Some((column, _)) = self.sort
            && self.layout.columns.iter().all(|p| p.column.name != column.name)
        {
            said.push(format!("by {}", column.title));
        }
        let oneoffs = shared.live.containers.iter().filter(|c| c.oneoff).count();
        if oneoffs > 0 {
            let plural = if oneoffs == 1 { "" } else { "s" };
            said.push(format!("{oneoffs} one-off{plural} of `run`"));
        }
        if self.in_details && self.layout.table.height > 0 {
            said.push("details".into());
        }
        said.join(shared.theme.pick(" · ", ", "))
    }

    fn remember(&self) -> Map<String, Value> {
        let mut own = Map::new();
        own.insert("details".into(), self.open.into());
        own.insert("faults".into(), self.faults.into());
        if let Some((column, reversed)) = self.sort {
            own.insert("sort".into(), column.name.into());
            own.insert("reversed".into(), reversed.into());
        }
        own
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        let truth = |key: &str| remembered.get(key).and_then(Value::as_bool);
        self.open = truth("details").unwrap_or(true);
        self.faults = truth("faults").unwrap_or(false);
        self.sort = remembered
            .get("sort")
            .and_then(Value::as_str)
            .and_then(columns::by_name)
            .map(|column| (column, truth("reversed").unwrap_or(false)));
    }
}

/// Columns that a text takes, as the terminal counts them.
fn columns_of(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}
