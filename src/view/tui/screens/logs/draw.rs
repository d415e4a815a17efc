//! Drawing of the logs screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Logs;
use super::line;
use super::options::{Generations, Times};
use crate::event::live::{Link, LogRecord};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::rich::grouped;
use crate::view::tui::widgets::{Painter, Rich, age};

/// From so many columns on, the list of services stands beside the lines.
const WIDE: u16 = 90;
/// From so many rows on, there is room for a strip of services.
const HIGH: u16 = 5;

/// Where everything stands.
pub(super) struct Parts {
    /// The list of services, beside the lines.
    pub(super) list: Option<Rect>,
    /// The strip of services, above them.
    pub(super) strip: Option<Rect>,
    /// What is filtered, where something is.
    pub(super) filters: Option<Rect>,
    /// The lines.
    pub(super) lines: Rect,
}

/// Columns of what stands before a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    time: usize,
    name: usize,
    mark: usize,
}

impl Prefix {
    pub(super) fn width(self) -> usize {
        let with = |columns: usize| if columns > 0 { columns + 1 } else { 0 };
        // The name stands before a line that goes down.
        with(self.time) + with(self.name) + if self.name > 0 { 2 } else { 0 } + self.mark
    }
}

impl Logs {
    pub(super) fn parts(&self, area: Rect) -> Parts {
        let mut lines = area;
        let list = (self.options.list && area.width >= WIDE && area.height >= HIGH).then(|| {
            let width = self.side.list_width().min(area.width / 3);
            lines.x += width;
            lines.width -= width;
            Rect { width, ..area }
        });
        let mut row = |wanted: bool| {
            (wanted && lines.height >= HIGH).then(|| {
                lines.y += 1;
                lines.height -= 1;
                Rect {
                    y: lines.y - 1,
                    height: 1,
                    ..lines
                }
            })
        };
        let strip = row(self.options.list && list.is_none() && area.height >= HIGH + 3);
        let filters = row(!self.filtered().is_empty());
        Parts {
            list,
            strip,
            filters,
            lines,
        }
    }

    /// What stands before a line.
    pub(super) fn prefix(&self) -> Prefix {
        let columns = self.sight.columns;
        let time = match self.options.times {
            Times::Off => 0,
            _ if columns < 50 => 0,
            Times::Seconds => 8,
            Times::Millis => 12,
            Times::Age => 3,
        };
        let most = match columns {
            ..40 => 6,
            40..90 => 12,
            _ => 20,
        };
        let shown = self
            .side
            .instances
            .iter()
            .filter(|i| self.options.shows(i))
            .count();
        Prefix {
            time,
            // One name again and again tells nothing.
            name: if shown == 1 {
                0
            } else {
                self.side.name_width(&self.options, most)
            },
            mark: if self.marks.is_empty() { 0 } else { 2 },
        }
    }

    /// What is filtered, piece by piece; whether it is a mistake.
    pub(super) fn filtered(&self) -> Vec<(bool, String)> {
        let mut pieces = Vec::new();
        if !self.filter.is_empty() {
            pieces.push((false, format!("filter {}", self.filter.text())));
        }
        if !self.find.is_empty() {
            pieces.push((false, format!("find {}", self.find.text())));
        }
        for query in [&self.filter, &self.find] {
            if let Some(why) = query.error() {
                pieces.push((true, why.to_owned()));
            }
        }
        if let Some(level) = self.options.level {
            pieces.push((false, format!("{} and above", level.as_str())));
        }
        match self.options.generations {
            Generations::All => {}
            Generations::Current => pieces.push((false, "current containers".into())),
            Generations::Previous => pieces.push((false, "previous containers".into())),
        }
        if !self.options.only.is_empty() {
            let names: Vec<String> = self.options.only.iter().map(ToString::to_string).collect();
            pieces.push((false, format!("only {}", names.join(", "))));
        } else if !self.options.hidden.is_empty() {
            let hidden = self
                .side
                .instances
                .iter()
                .filter(|i| !self.options.shows(i))
                .count();
            if hidden > 0 {
                pieces.push((false, format!("{hidden} hidden")));
            }
        }
        if self.from > 0 {
            pieces.push((false, "cleared".into()));
        }
        pieces
    }

    pub(super) fn paint(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        if let Some(detail) = &self.detail {
            detail.draw(shared, area, buffer);
            return;
        }
        let parts = self.parts(area);
        if let Some(list) = parts.list {
            self.side.draw_list(shared, &self.options, list, buffer);
        }
        if let Some(strip) = parts.strip {
            self.side.draw_strip(shared, &self.options, strip, buffer);
        }
        if let Some(row) = parts.filters {
            let mut painter = Painter::new(buffer, row, &shared.theme);
            let dot = shared.theme.pick(" · ", " | ");
            let mut at = 0;
            for (n, (bad, text)) in self.filtered().into_iter().enumerate() {
                if n > 0 {
                    at = painter.put(at, 0, Role::Dim, dot);
                }
                at = painter.put(at, 0, if bad { Role::Bad } else { Role::Accent }, &text);
            }
        }
        if self.index.len() == 0 {
            self.paint_nothing(shared, parts.lines, buffer);
        } else {
            self.paint_lines(shared, parts.lines, buffer);
        }
    }

    fn paint_nothing(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let live = &shared.live;
        let running = live.containers.iter().any(|c| c.state.is_running());
        let text = match &live.link {
            Link::Connecting => "asking the engine".to_owned(),
            _ if !live.logs.is_empty() => {
                let many = grouped(live.logs.len() as u64);
                format!(
                    "none of {many} lines is shown: see the filters above; esc clears them, a shows all services"
                )
            }
            _ if live.listed.is_some() && !running => "nothing runs, and nothing has written a line".into(),
            _ => "no line yet".into(),
        };
        let mut painter = Painter::new(buffer, area, &shared.theme);
        let columns = usize::from(area.width).max(10);
        for (y, line) in (0..area.height).zip(crate::view::text::wrap(&text, columns)) {
            painter.put(0, y, Role::Dim, &line);
        }
    }

    fn paint_lines(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let window = self.window(shared);
        let selected = (!self.sight.follow).then(|| self.place());
        let mut painter = Painter::new(buffer, area, &shared.theme);
        // Rows that do not fit above the first are left out.
        let mut hidden = window.cut;
        let mut y = 0;
        let mut row_of = |hidden: &mut usize| -> Option<u16> {
            if *hidden > 0 {
                *hidden -= 1;
                return None;
            }
            y += 1;
            Some(y - 1)
        };
        for place in window.top..=self.index.len() {
            for between in self.between(shared, place) {
                if let Some(y) = row_of(&mut hidden) {
                    let dash = shared.theme.pick("──", "--");
                    let text = format!("{dash} {} {dash}", between.text);
                    painter.put_styled(0, y, between.style, &text);
                }
            }
            let Some((number, record)) = self.index.get(place).zip(self.record(shared, place)) else {
                break;
            };
            let queries = [&self.filter, &self.find];
            let text = line::rich(record, self.options.readable, queries, &shared.theme);
            let rows = if self.options.wrap {
                text.rows(self.text_columns())
            } else {
                std::iter::once(0..text.text().len()).collect()
            };
            for (n, part) in rows.into_iter().enumerate() {
                let Some(y) = row_of(&mut hidden) else { continue };
                if y >= area.height {
                    return;
                }
                let at = self.paint_prefix(shared, &mut painter, y, n, number, record);
                let columns = area.width.saturating_sub(at);
                if self.options.wrap {
                    text.draw_part(&mut painter, (at, y), columns, part);
                } else {
                    text.draw(&mut painter, (at, y), columns, self.sight.skip, &shared.theme);
                }
                if selected == Some(place) {
                    painter.tint(y, shared.theme.style(Role::Selected));
                }
            }
        }
    }

    /// What stands before a row of a line; returns the column behind it.
    fn paint_prefix(
        &self,
        shared: &Shared,
        painter: &mut Painter<'_>,
        y: u16,
        row: usize,
        number: u64,
        record: &LogRecord,
    ) -> u16 {
        let theme = &shared.theme;
        let prefix = self.prefix();
        let mut head = Rich::new();
        if prefix.mark > 0 && self.marks.contains(&number) {
            head.push(theme.style(Role::Marked), theme.pick("▌", "*"));
        }
        head.pad(prefix.mark);
        if prefix.time > 0 {
            if row == 0 {
                let text = match self.options.times {
                    Times::Age => format!(
                        "{:>3}",
                        age(crate::event::live::since(record.time, shared.live.wall))
                    ),
                    times => shared.time(record.time, times == Times::Millis),
                };
                head.push(theme.style(Role::Dim), &text);
            }
            head.pad(prefix.mark + prefix.time + 1);
        }
        if prefix.name > 0 {
            let style = theme.service(record.instance.service.as_str());
            if row == 0 {
                let name = record.instance.to_string();
                let mut columns = 0;
                let fitting = name.chars().take_while(|c| {
                    columns += crate::view::text::char_width(*c);
                    columns <= prefix.name
                });
                head.push(style, &fitting.collect::<String>());
            }
            head.pad(prefix.width() - 2);
            head.push(style, theme.pick("│", "|"));
            head.push(Style::new(), " ");
        }
        let width = u16::try_from(head.width()).unwrap_or(0);
        head.draw(painter, (0, y), painter.area().width, 0, theme);
        width
    }
}
