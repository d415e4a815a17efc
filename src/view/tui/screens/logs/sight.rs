//! Which lines are in sight: the selected one always, the end while it is followed.

use super::Logs;
use super::line;
use super::options::finds;
use crate::event::live::LogRecord;
use crate::view::tui::command::{self, CommandId};
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::ansi;

/// How many columns a step to the side is.
const STEP: usize = 16;

/// Where the view stands.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    /// Whether it stays at the end.
    pub(super) follow: bool,
    /// The number of the selected line.
    pub(super) cursor: u64,
    /// The time of that line, by which it is found again where numbers are lost.
    pub(super) time: i64,
    /// The number of the first line in sight, as far as the selection leaves it there.
    pub(super) top: u64,
    /// Columns that are left out at the left.
    pub(super) skip: usize,
    /// Size of the part for the lines.
    pub(super) columns: usize,
    /// See `columns`.
    pub(super) rows: usize,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            follow: true,
            cursor: 0,
            time: 0,
            top: 0,
            skip: 0,
            columns: 80,
            rows: 20,
        }
    }
}

/// Which lines are in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// The place of the first.
    pub(super) top: usize,
    /// Rows of it that do not fit above the others.
    pub(super) cut: usize,
}

impl Logs {
    /// The record at a place of the index.
    pub(super) fn record<'s>(&self, shared: &'s Shared, place: usize) -> Option<&'s LogRecord> {
        shared.live.logs.get(self.index.get(place)?)
    }

    /// The place of the selected line.
    pub(super) fn place(&self) -> usize {
        if self.sight.follow {
            self.index.len().saturating_sub(1)
        } else {
            self.index.place(self.sight.cursor)
        }
    }

    /// How many rows a line takes, what stands before it included; at the place behind the last line,
    /// what stands there.
    fn rows_of(&self, shared: &Shared, place: usize) -> usize {
        let between = self.between(shared, place).len();
        let Some(record) = self.record(shared, place) else {
            return between;
        };
        if !self.options.wrap {
            return between + 1;
        }
        let text = line::rich(
            record,
            self.options.readable,
            [&self.filter, &self.find],
            &shared.theme,
        );
        between + text.rows(self.text_columns()).len()
    }

    /// Columns for the text of a line.
    pub(super) fn text_columns(&self) -> usize {
        self.sight.columns.saturating_sub(self.prefix().width()).max(1)
    }

    /// The first place from which on everything up to `last` fits, and the rows of the line before it
    /// that fit as well.
    fn fitting(&self, shared: &Shared, last: usize) -> (usize, usize) {
        let mut used = 0;
        let mut first = last;
        for place in (0..=last).rev() {
            let rows = self.rows_of(shared, place);
            if used + rows > self.sight.rows && place < last {
                return (first, self.sight.rows - used);
            }
            used += rows;
            first = place;
            if used >= self.sight.rows {
                break;
            }
        }
        (first, 0)
    }

    /// What is in sight of the lines as they are now.
    pub(super) fn window(&self, shared: &Shared) -> Window {
        let len = self.index.len();
        if len == 0 {
            return Window { top: 0, cut: 0 };
        }
        let (end, partly) = self.fitting(shared, len);
        if !self.sight.follow {
            let place = self.place();
            let (least, _) = self.fitting(shared, place);
            let top = self.index.place(self.sight.top).min(place);
            return Window {
                top: top.max(least).min(end.max(least)),
                cut: 0,
            };
        }
        match end.checked_sub(1) {
            Some(before) if partly > 0 => Window {
                top: before,
                cut: self.rows_of(shared, before).saturating_sub(partly),
            },
            _ => Window { top: end, cut: 0 },
        }
    }

    /// How many lines are in sight.
    fn page(&self, shared: &Shared, window: Window) -> usize {
        let mut used = 0;
        let rows = (window.top..self.index.len()).map(|place| self.rows_of(shared, place));
        let fits = rows.take_while(|rows| {
            used += rows;
            used <= self.sight.rows + window.cut
        });
        fits.count().saturating_sub(1).max(1)
    }

    /// Moves the selection; whether it is a command that moves.
    pub(super) fn moves(&mut self, shared: &mut Shared, id: CommandId) -> bool {
        let len = self.index.len();
        let last = len.saturating_sub(1);
        let place = self.place();
        let window = self.window(shared);
        let page = self.page(shared, window);
        self.sight.top = self.index.get(window.top).unwrap_or(0);
        let to = match id {
            command::UP => place.saturating_sub(1),
            command::DOWN => place + 1,
            command::PAGE_UP => window.top.min(place).saturating_sub(page),
            command::PAGE_DOWN => place + page,
            command::TOP => 0,
            command::BOTTOM => len,
            command::LEFT => {
                self.sight.skip = self.sight.skip.saturating_sub(STEP);
                return true;
            }
            command::RIGHT => {
                if !self.options.wrap {
                    self.sight.skip = (self.sight.skip + STEP).min(LONGEST);
                }
                return true;
            }
            _ => return false,
        };
        // Beyond the end, the end is followed again.
        self.sight.follow = to > last || len == 0;
        self.select(shared, to.min(last));
        true
    }

    /// Selects the line at a place, and with it its instance.
    pub(super) fn select(&mut self, shared: &mut Shared, place: usize) {
        let Some(number) = self.index.get(place) else {
            return;
        };
        self.sight.cursor = number;
        let Some(record) = shared.live.logs.get(number) else {
            return;
        };
        self.sight.time = record.time;
        // While the end is followed, what keys act on does not change by itself.
        if !self.sight.follow {
            shared.selected = Some(record.instance.clone());
        }
    }

    /// Selects the line that stands on a row of what is in sight.
    pub(super) fn select_row(&mut self, shared: &mut Shared, row: usize) {
        let window = self.window(shared);
        self.sight.top = self.index.get(window.top).unwrap_or(0);
        let mut used = 0;
        let found = (window.top..self.index.len()).find(|place| {
            used += self.rows_of(shared, *place);
            used > row + window.cut
        });
        if let Some(place) = found {
            self.sight.follow = false;
            self.select(shared, place);
        }
    }

    /// Goes to the next or the previous line that contains what is looked for.
    pub(super) fn search(&mut self, shared: &mut Shared, forward: bool) -> bool {
        let start = self.place();
        let mut scratch = String::new();
        let mut hit = |place: usize| {
            self.record(shared, place).is_some_and(|record| {
                let text = ansi::strip(&record.text);
                let found = finds(&self.find, &text, self.options.readable, &mut scratch);
                found.is_none_or(|found| found != self.find.is_inverted())
            })
        };
        let found = if forward {
            (start + 1..self.index.len()).find(|place| hit(*place))
        } else {
            (0..start).rev().find(|place| hit(*place))
        };
        let Some(place) = found else { return false };
        self.pause(shared);
        self.select(shared, place);
        true
    }

    /// Stops following the end; what is in sight stays there.
    pub(super) fn pause(&mut self, shared: &Shared) {
        if self.sight.follow {
            let window = self.window(shared);
            self.sight.top = self.index.get(window.top).unwrap_or(0);
            self.sight.cursor = self.index.get(self.place()).unwrap_or(0);
            self.sight.follow = false;
        }
    }
}

/// As far to the side as a line can go on.
const LONGEST: usize = LogRecord::LONGEST;
