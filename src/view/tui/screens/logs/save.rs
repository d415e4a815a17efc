//! What leaves the screen: copied and saved lines; and the mouse.

use std::fmt::Write as _;

use super::Logs;
use crate::event::live::LogRecord;
use crate::view::tui::effect::Effect;
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::ansi;

impl Logs {
    /// The text of the marked lines, else of the selected one.
    pub(super) fn copy(&self, shared: &Shared) -> Effect {
        let logs = &shared.live.logs;
        let selected = self.detail.as_ref().map(|detail| detail.number);
        let selected = selected.or_else(|| self.index.get(self.place()));
        let numbers: Vec<u64> = if self.marks.is_empty() {
            selected.into_iter().collect()
        } else {
            self.marks.iter().copied().collect()
        };
        let lines = numbers.into_iter().filter_map(|number| logs.get(number));
        let texts: Vec<String> = lines
            .map(|record| ansi::strip(&record.text).into_owned())
            .collect();
        if texts.is_empty() {
            return Effect::Trouble("no line is selected".into());
        }
        Effect::Copy(texts.join("\n"))
    }

    /// What is shown, or what is marked of it, with full times and names.
    pub(super) fn save(&self, shared: &Shared) -> Effect {
        let logs = &shared.live.logs;
        let mut text = String::new();
        let wanted = |number: &u64| self.marks.is_empty() || self.marks.contains(number);
        for record in self
            .index
            .numbers()
            .filter(wanted)
            .filter_map(|number| logs.get(number))
        {
            write_line(&mut text, record);
        }
        if text.is_empty() {
            return Effect::Trouble("there is no line to save".into());
        }
        let project = shared.live.name.as_ref().map_or("project", |name| name.as_str());
        let mut shown = self.side.instances.iter().filter(|i| self.options.shows(i));
        let name = match (shown.next(), shown.next()) {
            (Some(only), None) => format!("logs-{project}-{only}"),
            _ => format!("logs-{project}"),
        };
        Effect::Save {
            name,
            extension: "log",
            text,
        }
    }

    pub(super) fn clicked(&mut self, shared: &mut Shared, column: u16, row: u16) {
        if self.detail.is_some() {
            return;
        }
        let parts = self.parts(self.area);
        let at = (self.area.x + column, self.area.y + row);
        if let Some(list) = parts.list.filter(|list| list.contains(at.into())) {
            let place = self.side.cursor.first + usize::from(at.1 - list.y).saturating_sub(1);
            if let Some(instance) = self.side.instances.get(place).cloned()
                && at.1 > list.y
            {
                self.side.cursor.select(place, self.side.instances.len());
                self.toggle(&instance);
            }
        } else if parts.lines.contains(at.into()) {
            self.side.focused = false;
            self.select_row(shared, usize::from(at.1 - parts.lines.y));
        }
    }
}

/// `2026-11-21T12:00:00.123456789Z app text`, as `docker compose logs -t` has time and name.
fn write_line(out: &mut String, record: &LogRecord) {
    let time = jiff::Timestamp::from_nanosecond(i128::from(record.time));
    let time = time.map_or_else(|_| "?".to_owned(), |time| format!("{time:.9}"));
    let text = ansi::strip(&record.text);
    let text = crate::view::text::one_line(&text);
    // Writing to a String cannot fail.
    let written = writeln!(out, "{time} {} {text}", record.instance);
    debug_assert!(written.is_ok());
}
