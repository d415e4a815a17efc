//! The graph screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Screen;
use crate::event::request::Needs;
use crate::view::tui::command::{CommandId, Spec};
use crate::view::tui::effect::Effect;
use crate::view::tui::shared::Shared;

/// Its name.
pub const NAME: &str = "graph";

/// Its own commands.
pub const COMMANDS: &[Spec] = &[];

/// The screen's state.
#[derive(Debug, Default)]
pub struct Graph {
    area: Rect,
}

impl Screen for Graph {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs::default()
    }

    fn resize(&mut self, _shared: &Shared, area: Rect) {
        self.area = area;
    }

    fn refresh(&mut self, _shared: &mut Shared) {}

    fn command(&mut self, _shared: &mut Shared, _id: CommandId) -> Option<Vec<Effect>> {
        None
    }

    fn draw(&self, _shared: &Shared, _area: Rect, _buffer: &mut Buffer) {}
}
