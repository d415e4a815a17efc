//! Whose lines there are: the list beside the lines, or a strip above them.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::index::News;
use super::options::Options;
use crate::base::ContainerId;
use crate::base::Moment;
use crate::event::live::{Level, LogBuffer, LogRecord};
use crate::plan::Instance;
use crate::view::text::width;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::rich::short;
use crate::view::tui::widgets::{Cursor, Painter};

/// What was seen of an instance's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many lines.
    pub(super) lines: u64,
    /// How many of them tell an error.
    pub(super) errors: u64,
    /// Its containers in the order in which they were first seen.
    containers: Vec<ContainerId>,
}

/// Whose lines there are.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// In the stack's order, then those that are only seen in lines.
    pub(super) instances: Vec<Instance>,
    seen: BTreeMap<Instance, Seen>,
    /// Which of them is selected.
    pub(super) cursor: Cursor,
    /// Whether keys go here and not to the lines.
    pub(super) focused: bool,
    /// What the list was made of.
    made_of: (Option<Moment>, usize, usize),
}

impl Side {
    /// Takes new lines in.
    pub(super) fn update(&mut self, shared: &Shared, news: &News) {
        let buffer = &shared.live.logs;
        if news.lost {
            self.seen.clear();
        }
        for number in &news.late {
            if let Some(record) = buffer.get(*number) {
                self.count(record);
            }
        }
        for (_, record) in buffer.from(news.new.start) {
            self.count(record);
        }
        let services = shared.live.project.as_ref().map_or(0, |p| p.services.len());
        let made_of = (shared.live.listed, self.seen.len(), services);
        if self.made_of != made_of || self.instances.is_empty() {
            self.made_of = made_of;
            let rows = shared.live.rows().into_iter().map(|row| row.instance);
            self.instances = rows.collect();
            let known: BTreeSet<&Instance> = self.instances.iter().collect();
            let others: Vec<Instance> = self.seen.keys().filter(|i| !known.contains(i)).cloned().collect();
            self.instances.extend(others);
        }
        self.cursor.settle(self.instances.len());
    }

    fn count(&mut self, record: &LogRecord) {
        let seen = match self.seen.get_mut(&record.instance) {
            Some(seen) => seen,
            None => self.seen.entry(record.instance.clone()).or_default(),
        };
        seen.lines += 1;
        seen.errors += u64::from(record.level >= Some(Level::Error));
        if seen.containers.last() != Some(&record.container) && !seen.containers.contains(&record.container) {
            seen.containers.push(record.container.clone());
        }
    }

    /// Which container of its instance it is, from 0.
    pub(super) fn generation(&self, record: &LogRecord) -> usize {
        let seen = self.seen.get(&record.instance);
        seen.and_then(|seen| seen.containers.iter().position(|c| *c == record.container))
            .unwrap_or(0)
    }

    /// The selected one.
    pub(super) fn selected(&self) -> Option<&Instance> {
        self.instances.get(self.cursor.at)
    }

    /// The columns of the longest name, and at most so many.
    pub(super) fn name_width(&self, options: &Options, most: usize) -> usize {
        let shown = self.instances.iter().filter(|i| options.shows(i));
        shown.map(|i| width(&i.to_string())).max().unwrap_or(0).min(most)
    }

    /// Columns of the list.
    pub(super) fn list_width(&self) -> u16 {
        let longest = self
            .instances
            .iter()
            .map(|i| width(&i.to_string()))
            .max()
            .unwrap_or(0);
        u16::try_from(longest.clamp(6, 18) + 13).unwrap_or(30)
    }

    /// The list: whether shown, condition, name, errors and lines.
    pub(super) fn draw_list(&self, shared: &Shared, options: &Options, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let rows = shared.live.rows();
        let mut painter = Painter::new(buffer, area, theme);
        let shown = self.instances.iter().filter(|i| options.shows(i)).count();
        let title = format!("services {shown}/{}", self.instances.len());
        painter.heading(0, &title);
        let right = area.width.saturating_sub(1);
        for y in 0..area.height {
            painter.put(right, y, Role::Border, theme.pick("│", "|"));
        }
        for (y, place) in (1..area.height).zip(self.cursor.sight(self.instances.len())) {
            let Some(instance) = self.instances.get(place) else {
                break;
            };
            let on = options.shows(instance);
            let condition = rows.iter().find(|row| row.instance == *instance);
            let seen = self.seen.get(instance);
            let name = if on {
                theme.service(instance.service.as_str())
            } else {
                theme.style(Role::Dim)
            };
            let mark = if on { theme.pick("✓", "x") } else { " " };
            painter.put(0, y, Role::Accent, mark);
            if let Some(row) = condition {
                painter.put(2, y, row.condition.shade.into(), theme.mark(row.condition.shade));
            }
            let count = short(seen.map_or(0, |seen| seen.lines));
            let errors = seen.map_or(0, |seen| seen.errors);
            painter.put_right(right, y, 4, theme.style(Role::Dim), &count);
            let mut room = right.saturating_sub(4 + 5);
            if errors > 0 {
                let text = short(errors);
                painter.put_right(right.saturating_sub(5), y, 4, theme.style(Role::Bad), &text);
                room = room.saturating_sub(u16::try_from(text.len() + 1).unwrap_or(5));
            } else {
                room += 3;
            }
            painter.put_within(4, y, room, name, &instance.to_string());
            if self.focused && place == self.cursor.at {
                let row = Rect::new(area.x, area.y + y, right, 1);
                Painter::new(buffer, row, theme).tint(0, theme.style(Role::Selected));
                painter = Painter::new(buffer, area, theme);
            }
        }
    }

    /// The strip: names, those whose lines are hidden dim and in brackets.
    pub(super) fn draw_strip(&self, shared: &Shared, options: &Options, row: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let names: Vec<(String, bool)> = self
            .instances
            .iter()
            .map(|i| {
                let on = options.shows(i);
                (if on { i.to_string() } else { format!("({i})") }, on)
            })
            .collect();
        // The selected one stays in sight.
        let room = usize::from(row.width);
        let mut first = 0;
        if self.focused {
            let until = |first: usize| -> usize {
                let part = names.get(first..=self.cursor.at).unwrap_or_default();
                part.iter().map(|(name, _)| width(name) + 1).sum()
            };
            while first < self.cursor.at && until(first) > room {
                first += 1;
            }
        }
        let mut painter = Painter::new(buffer, row, theme);
        let mut at = 0;
        for (place, (name, on)) in names.iter().enumerate().skip(first) {
            let service = self.instances.get(place).map_or("", |i| i.service.as_str());
            let mut style = if *on {
                theme.service(service)
            } else {
                theme.style(Role::Dim)
            };
            if self.focused && place == self.cursor.at {
                style = style.patch(theme.style(Role::Selected));
            }
            at = painter.put_styled(at, 0, style, name) + 1;
            if at >= row.width {
                break;
            }
        }
    }
}

/// The containers that instances have now.
pub(super) fn current(shared: &Shared) -> BTreeMap<Instance, ContainerId> {
    let own = shared.live.containers.iter().filter(|c| !c.oneoff);
    own.map(|c| {
        let instance = Instance {
            service: c.service.clone(),
            number: c.number,
        };
        (instance, c.id.clone())
    })
    .collect()
}

/// Whether a line was dropped to make room, and how many.
pub(super) fn dropped(buffer: &LogBuffer) -> Option<u64> {
    (buffer.first() > 0).then(|| buffer.first())
}
