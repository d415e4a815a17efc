//! A cursor in a list, and the part of the list that is in sight.

use super::super::command::{self, CommandId};

/// Which item is selected and which is the first in sight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected item.
    pub at: usize,
    /// The first item in sight.
    pub first: usize,
    /// How many items are in sight; set when the layout is computed.
    pub height: usize,
}

impl Cursor {
    /// Moves by a command in a list of `len` items; whether it is a command that moves.
    pub fn command(&mut self, id: CommandId, len: usize) -> bool {
        let page = self.height.saturating_sub(1).max(1);
        let last = len.saturating_sub(1);
        self.at = match id {
            command::UP => self.at.saturating_sub(1),
            command::DOWN => self.at + 1,
            command::PAGE_UP => self.at.saturating_sub(page),
            command::PAGE_DOWN => self.at + page,
            command::TOP => 0,
            command::BOTTOM => last,
            _ => return false,
        };
        self.settle(len);
        true
    }

    /// Selects an item.
    pub fn select(&mut self, at: usize, len: usize) {
        self.at = at;
        self.settle(len);
    }

    /// Takes a new height.
    pub fn resize(&mut self, height: usize, len: usize) {
        self.height = height;
        self.settle(len);
    }

    /// Brings selection and sight back into a list of `len` items.
    pub fn settle(&mut self, len: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        if self.at < self.first {
            self.first = self.at;
        }
        if self.height > 0 && self.at >= self.first + self.height {
            self.first = self.at + 1 - self.height;
        }
        self.first = self.first.min(len.saturating_sub(self.height));
    }

    /// The items in sight.
    pub fn sight(&self, len: usize) -> std::ops::Range<usize> {
        let first = self.first.min(len);
        first..(first + self.height).min(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_in_sight() {
        let mut cursor = Cursor::default();
        cursor.resize(3, 10);
        for (id, at, sight) in [
            (command::DOWN, 1, 0..3),
            (command::PAGE_DOWN, 3, 1..4),
            (command::BOTTOM, 9, 7..10),
            (command::DOWN, 9, 7..10),
            (command::PAGE_UP, 7, 7..10),
            (command::UP, 6, 6..9),
            (command::TOP, 0, 0..3),
        ] {
            assert!(cursor.command(id, 10));
            assert_eq!((cursor.at, cursor.sight(10)), (at, sight), "{id:?}");
        }
        cursor.select(9, 10);
        cursor.settle(2);
        assert_eq!((cursor.at, cursor.sight(2)), (1, 0..2));
        cursor.settle(0);
        assert_eq!((cursor.at, cursor.sight(0)), (0, 0..0));
    }
}
