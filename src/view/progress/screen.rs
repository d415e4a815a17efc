//! Draws frames over each other at the end of a terminal's text.
//!
//! The cursor stands on the row below the frame between two draws. A frame takes at most all rows
//! but that one, so moving up always reaches its first line.

use crossterm::cursor::{Hide, MoveUp, Show};
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
};

use crate::view::style::Style;
use crate::view::text::Line;

/// What stands on the terminal.
#[derive(Debug, Default)]
pub struct Screen {
    shown: Vec<Shown>,
    columns: usize,
    hidden: bool,
}

/// A line on the terminal.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    text: String,
    width: usize,
}

impl Screen {
    /// A screen with nothing on it.
    pub fn new() -> Self {
        Self::default()
    }

    /// What to write so that `above` (whole lines) stands for good and `frame` below it. Empty where
    /// nothing changes.
    pub fn draw(&mut self, above: &str, frame: &[Line], columns: usize, style: &Style) -> String {
        let next: Vec<Shown> = frame
            .iter()
            .map(|line| Shown {
                text: line.render(columns, style),
                width: line.width().min(columns),
            })
            .collect();
        if above.is_empty() && next == self.shown && columns == self.columns {
            return String::new();
        }
        let mut out = Vec::new();
        // Writing to a Vec cannot fail; a frame half written would be drawn over by the next.
        let _ = self.write(&mut out, above, &next, columns);
        self.shown = next;
        self.columns = columns;
        self.hidden = true;
        String::from_utf8_lossy(&out).into_owned()
    }

    fn write(&self, out: &mut Vec<u8>, above: &str, next: &[Shown], columns: usize) -> std::io::Result<()> {
        queue!(out, BeginSynchronizedUpdate)?;
        if !self.hidden {
            queue!(out, Hide)?;
        }
        self.go_to_top(out, columns)?;
        let whole = !above.is_empty() || columns != self.columns;
        if whole {
            queue!(out, Clear(ClearType::FromCursorDown), Print(with_returns(above)))?;
        }
        queue!(out, DisableLineWrap)?;
        for (index, line) in next.iter().enumerate() {
            let stands = !whole && self.shown.get(index) == Some(line);
            if !stands {
                // Cleared first: after a full line the cursor stands on its last column.
                queue!(out, Clear(ClearType::UntilNewLine), Print(&line.text))?;
            }
            queue!(out, Print("\r\n"))?;
        }
        queue!(out, EnableLineWrap)?;
        if !whole && next.len() < self.shown.len() {
            queue!(out, Clear(ClearType::FromCursorDown))?;
        }
        queue!(out, EndSynchronizedUpdate)
    }

    /// Moves to the first line of the frame. After the terminal got narrower, a line that was wider
    /// takes several rows: terminals break lines anew.
    fn go_to_top(&self, out: &mut Vec<u8>, columns: usize) -> std::io::Result<()> {
        let rows: usize = self
            .shown
            .iter()
            .map(|line| line.width.div_ceil(columns.max(1)).max(1))
            .sum();
        if let Ok(rows @ 1..) = u16::try_from(rows) {
            queue!(out, MoveUp(rows))?;
        }
        queue!(out, Print("\r"))
    }

    /// What to write to put `last` in the place of the frame and give the terminal back.
    pub fn finish(&mut self, last: &str, columns: usize) -> String {
        let mut out = Vec::new();
        let _ = self.write_last(&mut out, last, columns);
        self.shown.clear();
        self.hidden = false;
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Whether a frame stands on the terminal and its cursor is hidden.
    pub(super) fn is_drawn(&self) -> bool {
        self.hidden
    }

    /// What to write to give the terminal back and leave the frame as it is.
    pub(super) fn abandon(&mut self) -> String {
        let mut out = Vec::new();
        // Writing to a Vec cannot fail.
        let _ = queue!(out, EnableLineWrap, Show);
        self.shown.clear();
        self.hidden = false;
        String::from_utf8_lossy(&out).into_owned()
    }

    fn write_last(&self, out: &mut Vec<u8>, last: &str, columns: usize) -> std::io::Result<()> {
        if !self.shown.is_empty() {
            self.go_to_top(out, columns)?;
            queue!(out, Clear(ClearType::FromCursorDown))?;
        }
        queue!(out, Print(with_returns(last)))?;
        if self.hidden {
            queue!(out, Show)?;
        }
        Ok(())
    }
}

/// Line ends that also return, for terminals whose output is not processed.
fn with_returns(text: &str) -> String {
    text.replace('\n', "\r\n")
}
