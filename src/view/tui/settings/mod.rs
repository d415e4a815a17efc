//! What one can set: keys, colours, columns. One TOML file, whose errors are all told at once.

use std::collections::BTreeMap;

use ratatui::style::Color;

use super::command::CommandId;
use super::keymap::Key;
use super::theme::{Palette, Role};

mod default;
mod parse;
#[cfg(test)]
mod tests;

pub use default::default_settings;

/// What the settings file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The palette; `None` leaves it to what was remembered, and to the terminal.
    pub palette: Option<Palette>,
    /// Whether the mouse is used. It then cannot select text in the terminal without Shift.
    pub mouse: bool,
    /// Keys in the place of a command's usual ones; none where the command is to have no key.
    pub keys: BTreeMap<CommandId, Vec<Key>>,
    /// Colours over the palette's.
    pub colors: Vec<(Role, Color)>,
    /// The columns of a screen, in order, by its name.
    pub columns: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Settings {
    /// Reads the settings file. `file` is what findings call it.
    ///
    /// # Errors
    /// All findings in the order of the file, each as `file:line:column: what is wrong, and what to do`.
    /// Columns are counted in characters from 1.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<String>> {
        parse::parse(text, file)
    }
}
