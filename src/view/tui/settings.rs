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
