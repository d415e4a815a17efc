//! Pieces that several screens are drawn with. Each draws into a buffer and keeps nothing.

pub mod input;
pub mod text;
pub mod line;
pub mod list;
pub mod spark;

pub use input::Input;
pub use line::Line;
pub use list::Cursor;
pub use spark::spark;
pub use text::{Painter, age, bytes, millis, percent, ratio};
