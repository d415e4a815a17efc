//! Text from elsewhere made safe to show, measured and cut; and lines of toned pieces.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::style::{Style, Symbol, Tone};

/// Whether `c` may change what a terminal shows beyond its own cell: control characters of both
/// sets, and the invisible characters that turn the direction or end the line.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` on one line with nothing in it that a terminal obeys: tabs and line ends become spaces,
/// other control characters are written out (`\x1b`).
///
/// Everything that comes from a container, an image or the engine goes through this.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.trim_end_matches(['\r', '\n']).chars() {
        match c {
            '\t' | '\n' | '\u{2028}' | '\u{2029}' => out.push(' '),
            '\r' => {}
            c if is_unsafe(c) => escape(c, &mut out),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// As [`one_line`], but line ends stay.
pub fn lines_of(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(one_line)
}

/// Writes a character out: `\x1b`, `\u{202e}`.
pub(super) fn escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let result = if code < 0x100 {
        write!(out, "\\x{code:02x}")
    } else {
        write!(out, "\\u{{{code:x}}}")
    };
    // Writing to a String cannot fail.
    debug_assert!(result.is_ok());
}

/// How many terminal columns `text` takes. Counted character by character, which is never less
/// than what a terminal that joins characters takes.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// How many terminal columns a character takes.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The longest start of `text` that takes at most `columns`.
pub(super) fn fitting(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            used += char_width(*c);
            used > columns
        })
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// `text`, or the longest start of it that fits into `columns` with `…` behind it.
pub fn truncate<'t>(text: &'t str, columns: usize, style: &Style) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let ellipsis = style.symbol(Symbol::Ellipsis);
    let kept = fitting(text, columns.saturating_sub(width(ellipsis)));
    Cow::Owned(format!("{kept}{ellipsis}"))
}

/// `text` with spaces behind it up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// `text` in ASCII where `style` allows nothing else; what has no ASCII form becomes `?`.
pub fn in_charset<'t>(text: &'t str, style: &Style) -> Cow<'t, str> {
    if style.unicode || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '…' => out.push_str("..."),
            '→' => out.push_str("->"),
            '←' => out.push_str("<-"),
            '–' | '—' | '−' | '─' | '━' => out.push('-'),
            '·' | '•' => out.push('*'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            'µ' => out.push('u'),
            c if char_width(c) == 0 => {}
            _ => out.push('?'),
        }
    }
    Cow::Owned(out)
}

/// Breaks `text` at spaces into lines of at most `columns`; a longer word stays whole.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A line of toned pieces, safe to show: what is pushed has passed [`one_line`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pieces: Vec<(Tone, String)>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a piece.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        self.push(tone, text);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, tone: Tone, text: impl AsRef<str>) {
        let text = one_line(text.as_ref());
        if !text.is_empty() {
            self.pieces.push((tone, text.into_owned()));
        }
    }

    /// Adds spaces up to `column`; at least one where the line is not empty.
    pub fn tab(&mut self, column: usize) {
        let at = self.width();
        let spaces = if at == 0 {
            column
        } else {
            column.saturating_sub(at).max(1)
        };
        self.push(Tone::Plain, " ".repeat(spaces));
    }

    /// Columns it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| width(text)).sum()
    }

    /// The line as text of at most `columns`, with colours where `style` has them.
    pub fn render(&self, columns: usize, style: &Style) -> String {
        let pieces: Vec<(Tone, Cow<'_, str>)> = self
            .pieces
            .iter()
            .map(|(tone, text)| (*tone, in_charset(text, style)))
            .collect();
        let total: usize = pieces.iter().map(|(_, text)| width(text)).sum();
        let ellipsis = style.symbol(Symbol::Ellipsis);
        let mut room = if total <= columns {
            columns
        } else {
            columns.saturating_sub(width(ellipsis))
        };
        let mut out = String::new();
        for (tone, text) in &pieces {
            let fits = fitting(text, room);
            out.push_str(&style.paint(*tone, fits));
            if fits.len() < text.len() {
                break;
            }
            room -= width(text);
        }
        if total > columns && columns > 0 {
            out.push_str(ellipsis);
        }
        out
    }

    /// The line as text without colours, however long.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_passes() {
        assert_eq!(
            one_line("a\tb\r\nc\x1b[2J\u{9b}1m\u{202e}"),
            r"a b c\x1b[2J\x9b1m\u{202e}"
        );
        assert_eq!(one_line("plain ünïcode"), "plain ünïcode");
        assert_eq!(one_line("end\r\n"), "end");
    }

    #[test]
    fn cuts_at_columns_not_bytes() {
        assert_eq!(truncate("日本語テスト", 7, &Style::PLAIN), "日本語…");
        assert_eq!(truncate("日本語テスト", 6, &Style::PLAIN), "日本…");
        assert_eq!(truncate("abc", 3, &Style::PLAIN), "abc");
        assert_eq!(truncate("abcd", 3, &Style::ASCII), "ab~");
        assert_eq!(truncate("abcd", 0, &Style::PLAIN), "");
        assert_eq!(in_charset("a → b … é", &Style::ASCII), "a -> b ... ?");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    #[test]
    fn a_line_is_cut_as_a_whole() {
        let line = Line::new()
            .with(Tone::Strong, "app")
            .with(Tone::Plain, " is ready");
        assert_eq!(line.render(80, &Style::PLAIN), "app is ready");
        assert_eq!(line.render(6, &Style::PLAIN), "app i…");
        assert_eq!(line.render(3, &Style::PLAIN), "ap…");
        assert_eq!(line.render(4, &Style::COLOUR), "\x1b[1mapp\x1b[0m…");
    }

    proptest! {
        #[test]
        fn rendered_lines_fit_and_are_safe(parts in proptest::collection::vec(".{0,30}", 0..5), columns in 0usize..60) {
            let mut line = Line::new();
            for part in &parts {
                line.push(Tone::Good, part);
            }
            for style in [Style::PLAIN, Style::ASCII] {
                let text = line.render(columns, &style);
                prop_assert!(width(&text) <= columns, "{:?} {}", text, columns);
                prop_assert!(!text.contains(is_unsafe));
            }
        }
    }
}
