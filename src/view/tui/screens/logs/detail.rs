//! A line in full: wrapped, JSON indented, with the lines around it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use serde_json::Value;

use super::line;
use super::options::Options;
use crate::event::live::{Level, LogRecord};
use crate::view::tui::command::{self, CommandId};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Painter, Query, Rich, ansi};

/// How many lines before and behind are shown.
const AROUND: usize = 8;

/// An open line.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    /// Its number.
    pub(super) number: u64,
    scroll: usize,
    rows: Vec<Rich>,
    height: usize,
    /// What the rows were made for: size, and how far the lines went.
    made_for: Option<(Rect, u64)>,
}

impl Detail {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Scrolls; whether it is a command that scrolls.
    pub(super) fn command(&mut self, id: CommandId) -> bool {
        let page = self.height.saturating_sub(1).max(1);
        self.scroll = match id {
            command::UP => self.scroll.saturating_sub(1),
            command::DOWN => self.scroll + 1,
            command::PAGE_UP => self.scroll.saturating_sub(page),
            command::PAGE_DOWN => self.scroll + page,
            command::TOP => 0,
            command::BOTTOM => usize::MAX,
            _ => return false,
        };
        self.settle();
        true
    }

    fn settle(&mut self) {
        self.scroll = self.scroll.min(self.rows.len().saturating_sub(self.height));
    }

    /// Lays it out for a size.
    pub(super) fn resize(&mut self, shared: &Shared, options: &Options, find: [&Query; 2], area: Rect) {
        let end = shared.live.logs.end().min(self.number + 512);
        let end = end + u64::from(shared.live.logs.first() > self.number);
        if self.made_for == Some((area, end)) {
            return;
        }
        self.made_for = Some((area, end));
        self.height = usize::from(area.height);
        let columns = usize::from(area.width).max(2);
        let Some(record) = shared.live.logs.get(self.number) else {
            let gone = "this line was dropped to make room for newer ones";
            self.rows = vec![Rich::new().with(shared.theme.style(Role::Dim), gone)];
            return;
        };
        self.rows = head(shared, record);
        let mut body = body(shared, record);
        for line in &mut body {
            let [filter, find] = find;
            line.mark(&filter.places(line.text()), shared.theme.style(Role::Accent));
            line.mark(&find.places(line.text()), shared.theme.style(Role::Match));
        }
        for line in body {
            self.rows
                .extend(line.rows(columns).into_iter().map(|part| line.part(part)));
        }
        self.rows.push(Rich::new());
        self.rows
            .push(Rich::new().with(shared.theme.style(Role::Title), "around it"));
        self.rows.extend(around(shared, options, self.number));
        self.settle();
    }

    pub(super) fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let mut painter = Painter::new(buffer, area, &shared.theme);
        for (y, row) in (0..area.height).zip(self.rows.iter().skip(self.scroll)) {
            row.draw(&mut painter, (0, y), area.width, 0, &shared.theme);
        }
    }
}

/// Whose line it is, when, and what else is known of it.
fn head(shared: &Shared, record: &LogRecord) -> Vec<Rich> {
    let theme = &shared.theme;
    let dim = theme.style(Role::Dim);
    let date = jiff::Timestamp::from_nanosecond(i128::from(record.time)).map_or_else(
        |_| "?".to_owned(),
        |time| {
            let zoned = time.to_zoned(shared.zone.clone());
            zoned.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
        },
    );
    let id: String = record.container.as_str().chars().take(12).collect();
    let stream = if record.stderr { "stderr" } else { "stdout" };
    let mut line = Rich::new()
        .with(
            theme.service(record.instance.service.as_str()),
            &record.instance.to_string(),
        )
        .with(Style::new(), &format!("  {date}  "));
    if let Some(level) = record.level {
        line.push(line::tone(Some(level), theme), Level::as_str(level));
        line.push(Style::new(), "  ");
    }
    line.push(dim, &format!("{stream}  container {id}"));
    vec![line, Rich::new()]
}

/// The text: JSON indented, anything else as it was written.
fn body(shared: &Shared, record: &LogRecord) -> Vec<Rich> {
    let theme = &shared.theme;
    let text = ansi::strip(&record.text);
    let start = text
        .find('{')
        .filter(|at| text.get(..*at).is_some_and(|before| before.trim().is_empty()));
    let value = start.and_then(|_| serde_json::from_str::<Value>(text.trim()).ok());
    let Some(pretty) = value.and_then(|value| serde_json::to_string_pretty(&value).ok()) else {
        let none = Query::default();
        return vec![line::rich(record, false, [&none, &none], theme)];
    };
    let lines = pretty.lines().map(|text| {
        let indent = text.len() - text.trim_start().len();
        match text.split_once("\": ") {
            Some((key, value)) if text.trim_start().starts_with('"') => Rich::new()
                .with(Style::new(), &" ".repeat(indent))
                .with(
                    theme.style(Role::Accent),
                    key.trim_start().trim_start_matches('"'),
                )
                .with(theme.style(Role::Dim), ": ")
                .with(Style::new(), value),
            _ => Rich::new().with(theme.style(Role::Dim), text),
        }
    });
    lines.collect()
}

/// The lines before and behind, whatever the filter says.
fn around(shared: &Shared, options: &Options, number: u64) -> Vec<Rich> {
    let theme = &shared.theme;
    let buffer = &shared.live.logs;
    let shown = |(_, record): &(u64, &LogRecord)| options.shows(&record.instance);
    let upto = number.saturating_sub(512);
    let before = buffer
        .from(upto)
        .take_while(|(other, _)| *other < number)
        .filter(shown);
    let before: Vec<(u64, &LogRecord)> = before.collect();
    let skip = before.len().saturating_sub(AROUND);
    let behind = buffer
        .from(number)
        .take(512)
        .filter(|(other, record)| *other == number || shown(&(*other, record)));
    let all = before.into_iter().skip(skip).chain(behind.take(AROUND + 1));
    let none = Query::default();
    all.map(|(other, record)| {
        let mark = if other == number {
            theme.pick("▶ ", "> ")
        } else {
            "  "
        };
        let mut line = Rich::new()
            .with(theme.style(Role::Accent), mark)
            .with(theme.style(Role::Dim), &shared.time(record.time, true))
            .with(Style::new(), " ")
            .with(
                theme.service(record.instance.service.as_str()),
                &record.instance.to_string(),
            )
            .with(Style::new(), " ");
        line.append(&line::rich(record, options.readable, [&none, &none], theme));
        line
    })
    .collect()
}
