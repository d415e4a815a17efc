//! Draws the table, the strip below it and the details.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::Align;
use super::layout::GUTTER;
use super::{Stack, columns_of};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Line, Painter};

impl Stack {
    pub(super) fn paint(&self, shared: &Shared, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let layout = &self.layout;
        if layout.table.height > 0 {
            self.table(shared, buffer);
        }
        let mut painter = Painter::new(buffer, layout.strip, theme);
        for (row, line) in (0..).zip(&layout.news) {
            line.draw(&mut painter, 0, row, layout.strip.width);
        }
        let Some(part) = layout.details else { return };
        if layout.beside {
            let edge = Rect::new(part.x.saturating_sub(1), part.y, 1, part.height);
            let mut painter = Painter::new(buffer, edge, theme);
            for row in 0..edge.height {
                painter.put(0, row, Role::Border, theme.pick("│", "|"));
            }
        }
        self.details(shared, part, buffer);
    }

    fn table(&self, shared: &Shared, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let part = self.layout.table;
        let mut painter = Painter::new(buffer, part, theme);
        for placed in &self.layout.columns {
            let column = placed.column;
            let mut line = Line::new();
            match self.sort {
                Some((sorted, reversed)) if sorted.name == column.name => {
                    line.push(Role::Accent, column.title);
                    line.push(Role::Accent, column.arrow(reversed, theme.is_unicode()));
                }
                _ => line.push(Role::Dim, column.title),
            }
            cell(
                &mut painter,
                &line,
                GUTTER + placed.at,
                0,
                placed.width,
                column.align,
            );
        }
        if self.items.is_empty() {
            painter.put(GUTTER, 1, Role::Dim, &self.nothing(shared));
        }
        for (row, at) in (1..).zip(self.cursor.sight(self.items.len())) {
            let Some(item) = self.items.get(at) else { break };
            let shade = item.row.condition.shade;
            if shared.marked.contains(&item.row.instance) {
                painter.put(0, row, Role::Marked, theme.pick("▌", "*"));
            }
            painter.put(1, row, shade.into(), theme.mark(shade));
            for placed in &self.layout.columns {
                let line = (placed.column.cell)(item);
                cell(
                    &mut painter,
                    &line,
                    GUTTER + placed.at,
                    row,
                    placed.width,
                    placed.column.align,
                );
            }
            if at == self.cursor.at {
                painter.tint(row, theme.style(Role::Selected));
            }
        }
    }

    /// Why there are no rows.
    fn nothing(&self, shared: &Shared) -> String {
        let live = &shared.live;
        if self.all > 0 && !self.filter.is_empty() {
            return format!("nothing contains `{}`; esc shows all", self.filter);
        }
        if self.all > 0 {
            return "all is good; esc shows all".into();
        }
        if live.listed.is_none() {
            return "the engine is asked".into();
        }
        "no container, and no service in the stack's files".into()
    }

    fn details(&self, shared: &Shared, part: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, part, theme);
        let Some(item) = self.items.get(self.cursor.at) else {
            return;
        };
        let row = &item.row;
        let name = row.instance.to_string();
        let end = painter.put(0, 0, Role::Title, &name);
        let end = painter.put(
            end + 1,
            0,
            row.condition.shade.into(),
            theme.mark(row.condition.shade),
        );
        let end = painter.put(end + 1, 0, row.condition.shade.into(), &row.condition.word);
        let line = theme
            .pick("─", "-")
            .repeat(usize::from(part.width.saturating_sub(end + 1)));
        let role = if self.in_details {
            Role::Accent
        } else {
            Role::Border
        };
        painter.put(end + 1, 0, role, &line);
        let lines = &self.layout.lines;
        let height = usize::from(part.height.saturating_sub(1));
        let hidden = lines.len().saturating_sub(self.scroll + height);
        if hidden > 0 {
            let more = format!(" {hidden} more {} ", theme.pick("↓", "v"));
            if part.width > end + columns_of(&more) + 2 {
                painter.put_right(part.width - 1, 0, 20, theme.style(Role::Dim), &more);
            }
        }
        for (row, columns) in (1..part.height).zip(lines.iter().skip(self.scroll)) {
            let count = u16::try_from(columns.len()).unwrap_or(1).max(1);
            let wide = part.width / count;
            for (n, line) in (0..).zip(columns) {
                let at: u16 = wide * n;
                line.draw(&mut painter, at, row, wide);
            }
        }
    }
}

/// Draws a cell at its place in its width.
fn cell(painter: &mut Painter<'_>, line: &Line, at: u16, row: u16, width: u16, align: Align) {
    let wide = u16::try_from(line.width()).unwrap_or(u16::MAX).min(width);
    let start = match align {
        Align::Left => at,
        Align::Right => at + width - wide,
    };
    line.draw(
        painter,
        start,
        row,
        wide.max(if align == Align::Left { width } else { wide }),
    );
}
