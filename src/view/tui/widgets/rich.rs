//! A line of text in several styles: wrapped or moved to the side, with places marked.

use std::ops::Range;

use ratatui::style::Style;

use super::Painter;
use crate::view::text::{char_width, fitting, one_line, width};
use crate::view::tui::theme::{Role, Theme};

/// A line of text in several styles, safe to show: what is pushed has passed [`one_line`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rich {
    text: String,
    /// The byte from which on each style holds, ascending.
    styles: Vec<(usize, Style)>,
}

impl Rich {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a piece.
    #[must_use]
    pub fn with(mut self, style: Style, text: &str) -> Self {
        self.push(style, text);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, style: Style, text: &str) {
        let text = one_line(text);
        if text.is_empty() {
            return;
        }
        if self.styles.last().is_none_or(|(_, last)| *last != style) {
            self.styles.push((self.text.len(), style));
        }
        self.text.push_str(&text);
    }

    /// Adds a piece that fills up to a column behind it.
    pub fn pad(&mut self, column: usize) {
        let missing = column.saturating_sub(width(&self.text));
        self.push(Style::new(), &" ".repeat(missing));
    }

    /// Adds another line's pieces.
    pub fn append(&mut self, other: &Self) {
        let start = self.text.len();
        self.styles
            .extend(other.styles.iter().map(|(at, style)| (start + at, *style)));
        self.text.push_str(&other.text);
    }

    /// A part of it by bytes, as a line of its own.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Self {
        let mut line = Self {
            text: self.text.get(part.clone()).unwrap_or_default().to_owned(),
            styles: vec![(0, self.style_at(part.start))],
        };
        let inside = self
            .styles
            .iter()
            .filter(|(at, _)| *at > part.start && *at < part.end);
        line.styles
            .extend(inside.map(|(at, style)| (at - part.start, *style)));
        line
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Columns it takes.
    pub fn width(&self) -> usize {
        width(&self.text)
    }

    /// Puts a style over places of the text.
    pub fn mark(&mut self, places: &[Range<usize>], style: Style) {
        if places.is_empty() {
            return;
        }
        let mut cuts: Vec<usize> = self.styles.iter().map(|(at, _)| *at).collect();
        cuts.extend(places.iter().flat_map(|place| [place.start, place.end]));
        cuts.retain(|at| *at < self.text.len());
        cuts.sort_unstable();
        cuts.dedup();
        let inside = |at: usize| places.iter().any(|place| place.contains(&at));
        let marked = cuts.into_iter().map(|at| {
            let usual = self.style_at(at);
            (at, if inside(at) { usual.patch(style) } else { usual })
        });
        self.styles = marked.collect();
    }

    fn style_at(&self, at: usize) -> Style {
        let behind = self.styles.partition_point(|(from, _)| *from <= at);
        let found = behind.checked_sub(1).and_then(|i| self.styles.get(i));
        found.map_or_else(Style::new, |(_, style)| *style)
    }

    /// The parts that stand on each row where it is broken at `columns`; one at least.
    pub fn rows(&self, columns: usize) -> Vec<Range<usize>> {
        let columns = columns.max(2);
        let mut rows = Vec::new();
        let (mut start, mut used) = (0, 0);
        for (at, c) in self.text.char_indices() {
            let wide = char_width(c);
            if used + wide > columns {
                rows.push(start..at);
                start = at;
                used = 0;
            }
            used += wide;
        }
        rows.push(start..self.text.len());
        rows
    }

    /// Draws the whole line in at most `columns` columns without its first `skip` columns. What is cut
    /// off on either side is told by a mark.
    pub fn draw(&self, painter: &mut Painter<'_>, at: (u16, u16), columns: u16, skip: usize, theme: &Theme) {
        let mut used = 0;
        let mut start = self.text.len();
        for (at, c) in self.text.char_indices() {
            if used >= skip {
                start = at;
                break;
            }
            used += char_width(c);
        }
        // A wide character that is cut in two leaves a space.
        let lead = u16::try_from(used.saturating_sub(skip)).unwrap_or(0);
        let (column, row) = at;
        let room = columns.saturating_sub(lead);
        let rest = self.text.get(start..).unwrap_or_default();
        let fits = fitting(rest, usize::from(room)).len() == rest.len();
        // The mark's column is kept free: a wide character may not reach into it.
        let room = if fits || columns < 2 {
            room
        } else {
            room.saturating_sub(1)
        };
        self.draw_part(painter, (column + lead, row), room, start..self.text.len());
        let dim = theme.style(Role::Dim);
        if !fits && columns > 1 {
            painter.put_within(column + columns - 1, row, 1, dim, theme.pick("…", ">"));
        }
        if skip > 0 && columns > 1 && !self.text.is_empty() {
            painter.put_within(column, row, 1, dim, theme.pick("…", "<"));
        }
    }

    /// Draws a part in at most `columns` columns; whether it fits.
    pub fn draw_part(
        &self,
        painter: &mut Painter<'_>,
        at: (u16, u16),
        columns: u16,
        part: Range<usize>,
    ) -> bool {
        let (mut column, row) = at;
        let end = column.saturating_add(columns);
        let mut from = part.start;
        while from < part.end {
            let behind = self.styles.partition_point(|(start, _)| *start <= from);
            let next = self.styles.get(behind).map_or(part.end, |(start, _)| *start);
            let until = next.min(part.end);
            let piece = self.text.get(from..until).unwrap_or_default();
            let room = usize::from(end - column);
            let start = fitting(piece, room);
            let style = self.style_at(from);
            column = painter
                .put_within(column, row, end - column, style, start)
                .min(end);
            if start.len() < piece.len() {
                return false;
            }
            from = until;
        }
        true
    }
}

/// A number with its thousands apart: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in at most four columns: `999`, `12k`, `3.4M`.
pub fn short(number: u64) -> String {
    match number {
        0..=999 => number.to_string(),
        1_000..=9_999 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        10_000..=999_999 => format!("{}k", number / 1_000),
        1_000_000..=9_999_999 => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Modifier;

    use super::*;
    use crate::view::tui::testing::text_of;

    fn drawn(line: &Rich, columns: u16, skip: usize) -> String {
        let theme = Theme::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
        let mut painter = Painter::new(&mut buffer, Rect::new(0, 0, columns, 1), &theme);
        line.draw(&mut painter, (0, 0), columns, skip, &theme);
        text_of(&buffer)
    }

    #[test]
    fn cut_and_moved() {
        let line = Rich::new()
            .with(Style::new(), "abc")
            .with(Style::new().add_modifier(Modifier::BOLD), "日本語def");
        assert_eq!(drawn(&line, 20, 0), "abc日本語def");
        assert_eq!(drawn(&line, 6, 0), "abc日…");
        assert_eq!(drawn(&line, 7, 0), "abc日 …");
        assert_eq!(drawn(&line, 20, 4), "…本語def");
        assert_eq!(drawn(&line, 20, 100), "…");
        assert_eq!(drawn(&line, 1, 0), "a");
        let parts: Vec<&str> = line.rows(5).into_iter().map(|row| &line.text()[row]).collect();
        assert_eq!(parts, ["abc日", "本語d", "ef"]);
        assert_eq!(Rich::new().rows(5), vec![0..0]);
    }

    #[test]
    fn marking_keeps_the_other_styles() {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let under = Style::new().add_modifier(Modifier::UNDERLINED);
        let mut line = Rich::new().with(Style::new(), "abcd").with(bold, "efgh");
        line.mark(std::slice::from_ref(&(2..6)), under);
        let styles: Vec<Style> = (0..8).map(|at| line.style_at(at)).collect();
        assert_eq!(styles[1], Style::new());
        assert_eq!(styles[3], under);
        assert_eq!(styles[5], bold.patch(under));
        assert_eq!(styles[6], bold);
    }

    #[test]
    fn numbers() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [7, 1_250, 12_345, 3_400_000].map(short),
            ["7", "1.2k", "12k", "3.4M"]
        );
    }
}
