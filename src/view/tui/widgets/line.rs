//! Lines of pieces, each with its role; wrapped, and drawn from a place on.

use super::super::theme::Role;
use super::Painter;
use crate::view::text::{char_width, one_line, width};

/// A line of pieces. What is pushed is made safe to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pieces: Vec<(Role, String)>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    pub fn of(role: Role, text: impl AsRef<str>) -> Self {
        Self::new().with(role, text)
    }

    /// Adds a piece.
    #[must_use]
    pub fn with(mut self, role: Role, text: impl AsRef<str>) -> Self {
        self.push(role, text);
        self
    }

    /// Adds a number, its unit dimmed: what follows the last digit.
    #[must_use]
    pub fn with_number(mut self, text: &str) -> Self {
        let (digits, unit) = split_unit(text);
        self.push(Role::Text, digits);
        self.push(Role::Dim, unit);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, role: Role, text: impl AsRef<str>) {
        let text = one_line(text.as_ref());
        if text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some((last, before)) if *last == role => before.push_str(&text),
            _ => self.pieces.push((role, text.into_owned())),
        }
    }

    /// Adds the pieces of another.
    pub fn append(&mut self, other: &Self) {
        for (role, text) in &other.pieces {
            self.push(*role, text);
        }
    }

    /// Adds spaces up to `column`; at least one where that is passed already.
    pub fn tab(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width()).max(1);
        self.push(Role::Text, " ".repeat(missing));
    }

    /// As much of it as fits into `columns`.
    #[must_use]
    pub fn cut(&self, columns: usize) -> Self {
        let mut line = Self::new();
        let mut used = 0;
        for (role, text) in &self.pieces {
            for c in text.chars() {
                used += char_width(c);
                if used > columns {
                    return line;
                }
                line.push(*role, c.encode_utf8(&mut [0; 4]));
            }
        }
        line
    }

    /// Columns it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| width(text)).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Broken at spaces, and within words that are longer than a line, into lines of at most `columns`;
    /// all but the first begin with `hanging` spaces, where there is room for that.
    pub fn wrap(&self, columns: usize, hanging: usize) -> Vec<Self> {
        let columns = columns.max(2);
        if self.width() <= columns {
            return vec![self.clone()];
        }
        let hanging = if hanging + 10 > columns { 0 } else { hanging };
        let mut lines = Vec::new();
        let mut line = Self::new();
        let mut at = 0;
        // Where the text of the line begins.
        let mut start = 0;
        let mut next = |line: &mut Self, at: &mut usize, start: &mut usize| {
            lines.push(std::mem::take(line));
            line.push(Role::Text, " ".repeat(hanging));
            *at = hanging;
            *start = hanging;
        };
        for (role, text) in &self.pieces {
            for word in text.split_inclusive(' ') {
                let body = word.trim_end_matches(' ');
                // Words that would fit on a line of their own are kept whole.
                if at + width(body) > columns && at > start && width(body) + hanging <= columns {
                    next(&mut line, &mut at, &mut start);
                }
                for c in word.chars() {
                    let wide = char_width(c);
                    if at + wide > columns {
                        if c == ' ' {
                            continue;
                        }
                        next(&mut line, &mut at, &mut start);
                    }
                    line.push(*role, c.encode_utf8(&mut [0; 4]));
                    at += wide;
                }
            }
        }
        if at > start || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Draws from a column of a row on, in at most `columns` columns; returns the column behind it.
    pub fn draw(&self, painter: &mut Painter<'_>, column: u16, row: u16, columns: u16) -> u16 {
        let most = column.saturating_add(columns);
        let mut at = column;
        for (role, text) in &self.pieces {
            at = painter.put_role_within(at, row, most.saturating_sub(at), *role, text);
        }
        at
    }
}

/// A number and its unit: `12`, `ms`.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(text.len(), |at| at + 1);
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn lines_are_broken_at_spaces_with_their_roles() {
        let line = Line::of(Role::Dim, "key  ").with(Role::Text, "one two three four");
        let wrapped = line.wrap(16, 5);
        assert_eq!(texts(&wrapped), ["key  one two ", "     three four"]);
        assert_eq!(wrapped.first().map(|l| l.pieces.len()), Some(2), "the roles stay");
        assert_eq!(texts(&line.wrap(80, 5)), ["key  one two three four"]);
    }

    #[test]
    fn long_words_are_broken_and_wide_characters_counted() {
        let line = Line::of(Role::Text, "0123456789abcdef x");
        assert_eq!(texts(&line.wrap(8, 0)), ["01234567", "89abcdef", "x"]);
        let line = Line::of(Role::Text, "日本語テスト");
        assert_eq!(texts(&line.wrap(5, 0)), ["日本", "語テ", "スト"]);
        assert_eq!(texts(&Line::of(Role::Text, "日本").wrap(0, 3)), ["日", "本"]);
        assert_eq!(texts(&Line::new().wrap(10, 0)), [""]);
        assert_eq!(Line::of(Role::Text, "\x1b[2J").text(), "\\x1b[2J");
    }

    #[test]
    fn units_are_told_from_numbers() {
        assert_eq!(split_unit("12.5ms"), ("12.5", "ms"));
        assert_eq!(split_unit("<0.1%"), ("<0.1", "%"));
        assert_eq!(split_unit("none"), ("none", ""));
    }
}
