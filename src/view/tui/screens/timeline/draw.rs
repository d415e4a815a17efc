//! Drawing of the timeline.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::lanes::{self, State, axis, column_of, span_word};
use super::{GROUPS, Group, Timeline};
use crate::event::live::{Happening, Kind, Shade};
use crate::plan::Instance;
use crate::view::text::{width, wrap};
use crate::view::tui::screens::logs::events::role_of;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::{Role, Theme};
use crate::view::tui::widgets::{Painter, Rich};

/// Where everything stands.
pub(super) struct Parts {
    pub(super) lanes: Option<Rect>,
    pub(super) groups: Option<Rect>,
    pub(super) list: Rect,
    pub(super) detail: Option<Rect>,
}

/// A symbol for a kind.
pub(super) fn symbol(kind: Kind, theme: &Theme) -> &'static str {
    let (unicode, ascii) = match kind {
        Kind::Created => ("+", "+"),
        Kind::Started => ("▶", ">"),
        Kind::Restarted => ("↻", "r"),
        Kind::Stopped => ("■", "."),
        Kind::Died => ("✖", "x"),
        Kind::OutOfMemory => ("▓", "M"),
        Kind::Removed => ("−", "-"),
        Kind::Paused => ("‖", "="),
        Kind::Healthy => ("●", "o"),
        Kind::Unhealthy => ("▲", "!"),
        Kind::AlertFiring => ("◆", "A"),
        Kind::AlertResolved => ("◇", "a"),
        Kind::EngineLost => ("╳", "X"),
        Kind::EngineBack => ("╱", "/"),
        Kind::Action => ("»", "*"),
    };
    theme.pick(unicode, ascii)
}

impl Timeline {
    pub(super) fn parts(&self, area: Rect) -> Parts {
        let mut list = area;
        let mut top = |rows: u16| {
            let part = Rect { height: rows, ..list };
            list.y += rows;
            list.height -= rows;
            part
        };
        let wanted = u16::try_from(self.lanes.len())
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        let room = area.height / 3;
        let lanes = (self.show_lanes && area.width >= 70 && area.height >= 18 && !self.lanes.is_empty())
            .then(|| top(wanted.min(room)));
        let groups = (area.height >= 8).then(|| top(1));
        let detail = (area.height >= 14).then(|| {
            let rows = if area.height >= 30 { 5 } else { 4 };
            list.height -= rows;
            Rect {
                y: list.bottom(),
                height: rows,
                ..list
            }
        });
        Parts {
            lanes,
            groups,
            list,
            detail,
        }
    }

    pub(super) fn paint(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let parts = self.parts(area);
        if let Some(part) = parts.lanes {
            self.paint_lanes(shared, part, buffer);
        }
        if let Some(part) = parts.groups {
            self.paint_groups(shared, part, buffer);
        }
        self.paint_list(shared, parts.list, buffer);
        if let Some(part) = parts.detail {
            self.paint_detail(shared, part, buffer);
        }
    }

    fn paint_lanes(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let names = self
            .lanes
            .iter()
            .map(|i| width(&i.to_string()))
            .max()
            .unwrap_or(0)
            .min(18);
        let left = u16::try_from(names + 1).unwrap_or(19);
        let columns = usize::from(area.width.saturating_sub(left));
        let now = shared.live.wall;
        let span = self.span();
        let rows = shared.live.rows();
        let mut painter = Painter::new(buffer, area, theme);
        let shown = usize::from(area.height.saturating_sub(2));
        for (y, instance) in (0..).zip(self.lanes.iter().take(shown)) {
            let style = theme.service(instance.service.as_str());
            painter.put_within(0, y, left - 1, style, &instance.to_string());
            let last = rows.iter().find(|row| row.instance == *instance);
            let last = last.map_or(State::Unknown, |row| match row.condition.shade {
                Shade::Good | Shade::Busy => State::Up,
                Shade::Attention => State::Sick,
                Shade::Bad if row.container.is_some() && row.condition.word == "unhealthy" => State::Sick,
                Shade::Bad | Shade::Off => State::Down,
            });
            let entries = shared
                .live
                .timeline
                .entries()
                .iter()
                .filter(|e| concerns(e, instance));
            let cells = lanes::lane(entries, now, span, columns, last);
            for (x, cell) in (left..).zip(cells) {
                let (role, text) = match (cell.kind, cell.state) {
                    (Some(kind), _) => (role_of(kind), symbol(kind, theme)),
                    (None, State::Up) => (Role::Good, theme.pick("─", "-")),
                    (None, State::Sick) => (Role::Attention, theme.pick("╌", "~")),
                    (None, State::Down) => (Role::Off, theme.pick("·", ".")),
                    (None, State::Unknown) => (Role::Dim, " "),
                };
                painter.put(x, y, role, text);
            }
        }
        let below = area.height.saturating_sub(2);
        let line = theme.pick("┄", "-").repeat(columns);
        painter.put(left, below, Role::Border, &line);
        let more = self.lanes.len().saturating_sub(shown);
        if more > 0 {
            painter.put_within(
                0,
                below,
                left - 1,
                theme.style(Role::Dim),
                &format!("{more} more"),
            );
        }
        if let Some(entry) = self.entry(shared)
            && let Some(at) = column_of(entry.time, now, span, columns)
        {
            let x = left.saturating_add(u16::try_from(at).unwrap_or(0));
            painter.put(x, below, Role::Accent, theme.pick("▲", "^"));
        }
        painter.put_within(0, below + 1, left - 1, theme.style(Role::Dim), &span_word(span));
        for (at, label) in axis(span, columns) {
            let x = left.saturating_add(u16::try_from(at).unwrap_or(0));
            painter.put(x, below + 1, Role::Dim, &label);
        }
        painter.put_right(area.width, below + 1, 3, theme.style(Role::Dim), "now");
    }

    fn paint_groups(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, area, theme);
        let mut at = 0;
        for group in GROUPS {
            let on = self.shows(group);
            let (mark, role) = if on {
                (theme.pick("✓", "x"), Role::Text)
            } else {
                (theme.pick("·", "."), Role::Dim)
            };
            at = painter.put(at, 0, Role::Accent, mark);
            at = painter.put(at, 0, role, group.word()) + 2;
        }
        let mut said = Vec::new();
        if self.only {
            let name = shared
                .selected
                .as_ref()
                .map_or_else(String::new, |i| i.service.to_string());
            said.push((Role::Accent, format!("only {name}")));
        }
        if !self.filter.is_empty() {
            said.push((Role::Accent, format!("filter {}", self.filter.text())));
        }
        if let Some(why) = self.filter.error() {
            said.push((Role::Bad, why.to_owned()));
        }
        for (role, text) in said {
            at = painter.put(at, 0, role, &text) + 2;
        }
    }

    fn paint_list(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, area, theme);
        let entries = shared.live.timeline.entries();
        if self.shown.is_empty() {
            let text = if entries.is_empty() {
                "nothing has happened since this dashboard looks"
            } else {
                "nothing of what happened is shown: a shows all, esc clears the filter"
            };
            painter.put(0, 0, Role::Dim, text);
            return;
        }
        let most = if area.width < 50 { 6 } else { 18 };
        let shown = self.shown.iter().filter_map(|at| entries.get(*at));
        let name = shown.map(|e| width(&whose(e))).max().unwrap_or(0).min(most);
        let selected = (!self.follow).then_some(self.cursor.at);
        for (y, place) in (0..area.height).zip(self.cursor.sight(self.shown.len())) {
            let Some(entry) = self.shown.get(place).and_then(|at| entries.get(*at)) else {
                continue;
            };
            let line = line(entry, shared, name, area.width);
            line.draw(&mut painter, (0, y), area.width, 0, theme);
            if selected == Some(place) {
                painter.tint(y, theme.style(Role::Selected));
            }
        }
    }

    fn paint_detail(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let Some(entry) = self.entry(shared) else { return };
        let mut painter = Painter::new(buffer, area, theme);
        let place = format!("{} of {}", self.cursor.at + 1, self.shown.len());
        painter.heading(0, &place);
        let when = jiff::Timestamp::from_nanosecond(i128::from(entry.time)).map_or_else(
            |_| "?".to_owned(),
            |time| {
                time.to_zoned(shared.zone.clone())
                    .strftime("%Y-%m-%d %H:%M:%S%.3f")
                    .to_string()
            },
        );
        let ago = crate::view::tui::widgets::age(crate::event::live::since(entry.time, shared.live.wall));
        let mut line = Rich::new()
            .with(theme.style(role_of(entry.kind)), symbol(entry.kind, theme))
            .with(Style::new(), " ")
            .with(theme.style(role_of(entry.kind)), entry.kind.as_str())
            .with(Style::new(), &format!("  {}  ", whose(entry)))
            .with(theme.style(Role::Dim), &format!("{when}, {ago} ago"));
        if let Some(container) = &entry.container {
            let id: String = container.as_str().chars().take(12).collect();
            line.push(theme.style(Role::Dim), &format!("  container {id}"));
        }
        line.draw(&mut painter, (0, 1), area.width, 0, theme);
        let text = crate::view::text::one_line(&entry.text);
        for (y, row) in (2..area.height).zip(wrap(&text, usize::from(area.width))) {
            painter.put(0, y, Role::Text, &row);
        }
    }
}

/// Whether an entry belongs into an instance's lane: its own, and what is about its whole service.
pub(super) fn concerns(entry: &Happening, instance: &Instance) -> bool {
    match (&entry.instance, &entry.service) {
        (Some(own), _) => own == instance,
        (None, Some(service)) => *service == instance.service,
        (None, None) => false,
    }
}

/// Whom an entry is about.
pub(super) fn whose(entry: &Happening) -> String {
    match (&entry.instance, &entry.service) {
        (Some(instance), _) => instance.to_string(),
        (None, Some(service)) => service.to_string(),
        (None, None) => match entry.kind {
            Kind::EngineLost | Kind::EngineBack => "engine".into(),
            Kind::Action => "here".into(),
            _ => "-".into(),
        },
    }
}

fn line(entry: &Happening, shared: &Shared, name: usize, columns: u16) -> Rich {
    let theme = &shared.theme;
    let role = theme.style(role_of(entry.kind));
    let mut line = Rich::new();
    if columns >= 40 {
        line.push(theme.style(Role::Dim), &shared.time(entry.time, false));
        line.push(Style::new(), " ");
    }
    let style = match (&entry.instance, &entry.service) {
        (Some(Instance { service, .. }), _) | (None, Some(service)) => theme.service(service.as_str()),
        (None, None) => theme.style(Role::Dim),
    };
    let whose = short_name(&whose(entry), name);
    let start = line.width();
    line.push(style, &whose);
    line.pad(start + name + 1);
    line.push(role, symbol(entry.kind, theme));
    line.push(Style::new(), " ");
    if columns >= 60 {
        let start = line.width();
        line.push(role, entry.kind.as_str());
        line.pad(start + 12);
    }
    line.push(theme.style(Role::Text), &entry.text);
    line
}

impl Group {
    /// The word shown.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Health => "health",
            Self::Deaths => "deaths",
            Self::Alerts => "alerts",
            Self::Actions => "actions",
        }
    }
}

/// The first columns of a name.
fn short_name(name: &str, columns: usize) -> String {
    let mut used = 0;
    let fitting = name.chars().take_while(|c| {
        used += crate::view::text::char_width(*c);
        used <= columns
    });
    fitting.collect()
}
