//! A line of text that is typed.

use super::super::keymap::Key;
use crate::view::text::char_width;

/// A line of text and the place of its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    chars: Vec<char>,
    at: usize,
}

/// What a key did to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// Nothing.
    Nothing,
    /// The text changed.
    Changed,
    /// Only the cursor moved.
    Moved,
}

impl Input {
    /// The longest text in characters.
    pub const LONGEST: usize = 1_000;

    /// A line with its cursor at the end.
    pub fn new(text: &str) -> Self {
        let chars: Vec<char> = text
            .chars()
            .filter(|c| !c.is_control())
            .take(Self::LONGEST)
            .collect();
        Self {
            at: chars.len(),
            chars,
        }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Typed {
        if let Some(c) = key.typed() {
            return self.insert(c);
        }
        let before = (self.chars.len(), self.at);
        match key.to_string().as_str() {
            "left" => self.at = self.at.saturating_sub(1),
            "right" => self.at = (self.at + 1).min(self.chars.len()),
            "home" | "ctrl-a" => self.at = 0,
            "end" | "ctrl-e" => self.at = self.chars.len(),
            "backspace" | "ctrl-h" if self.at > 0 => {
                self.at -= 1;
                self.chars.remove(self.at);
            }
            "delete" | "ctrl-d" if self.at < self.chars.len() => {
                self.chars.remove(self.at);
            }
            "ctrl-u" => {
                self.chars.drain(..self.at);
                self.at = 0;
            }
            "ctrl-k" => self.chars.truncate(self.at),
            "ctrl-w" => {
                let start = self.chars.get(..self.at).unwrap_or_default();
                let end = start
                    .iter()
                    .rposition(|c| !c.is_whitespace())
                    .map_or(0, |i| i + 1);
                let word = start
                    .get(..end)
                    .unwrap_or_default()
                    .iter()
                    .rposition(|c| c.is_whitespace())
                    .map_or(0, |i| i + 1);
                self.chars.drain(word..self.at);
                self.at = word;
            }
            _ => return Typed::Nothing,
        }
        match (self.chars.len() == before.0, self.at == before.1) {
            (true, true) => Typed::Nothing,
            (true, false) => Typed::Moved,
            _ => Typed::Changed,
        }
    }

    /// Takes pasted text, without its line ends.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars() {
            self.insert(c);
        }
    }

    fn insert(&mut self, c: char) -> Typed {
        if c.is_control() || self.chars.len() >= Self::LONGEST {
            return Typed::Nothing;
        }
        self.chars.insert(self.at, c);
        self.at += 1;
        Typed::Changed
    }

    /// The part of the text that fits into `columns` with the cursor in it, and the cursor's column.
    pub fn window(&self, columns: usize) -> (String, usize) {
        let width = |chars: &[char]| chars.iter().map(|c| char_width(*c)).sum::<usize>();
        let mut from = 0;
        // One column is the cursor's own behind the text.
        while from < self.at && width(self.chars.get(from..self.at).unwrap_or_default()) + 1 > columns {
            from += 1;
        }
        let before = width(self.chars.get(from..self.at).unwrap_or_default());
        let mut used = 0;
        let shown = self.chars.iter().skip(from).take_while(|c| {
            used += char_width(**c);
            used <= columns
        });
        (shown.collect(), before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &mut Input, keys: &[&str]) {
        for key in keys {
            input.key(Key::parse(key).unwrap());
        }
    }

    #[test]
    fn editing() {
        let mut input = Input::new("status 500");
        typed(
            &mut input,
            &["ctrl-w", "4", "home", "x", "end", "backspace", "left", "delete"],
        );
        assert_eq!(input.text(), "xstatus");
        typed(&mut input, &["ctrl-u"]);
        assert_eq!(input.text(), "");
        input.paste("a\nb\u{1b}c");
        assert_eq!(input.text(), "abc");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let input = Input::new("0123456789");
        assert_eq!(input.window(5), ("6789".into(), 4));
        assert_eq!(input.window(20), ("0123456789".into(), 10));
        assert_eq!(Input::new("日本語").window(5).1, 4);
        assert_eq!(Input::new("日本語").window(0).1, 0);
    }
}
