//! What one can set: keys, colours, columns.

use std::collections::BTreeMap;

use ratatui::style::Color;

use super::command::CommandId;
use super::keymap::Key;
use super::theme::{Palette, Role};

/// What the settings file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The palette; `None` leaves it to what was remembered, and to the terminal.
    pub palette: Option<Palette>,
    /// Whether the mouse is used. It then cannot select text in the terminal without Shift.
    pub mouse: bool,
    /// Keys in the place of a command's usual ones.
    pub keys: BTreeMap<CommandId, Vec<Key>>,
    /// Colours over the palette's.
    pub colors: Vec<(Role, Color)>,
    /// The columns of a screen, in order, by its name.
    pub columns: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// All that is wrong, with lines.
    pub fn parse(_text: &str, _file: &str) -> Result<Self, Vec<String>> {
        Ok(Self::default())
    }
}

/// The default settings.
pub fn default_settings() -> String {
    String::new()
}
