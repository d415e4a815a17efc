//! Pieces that several screens are drawn with. Each draws into a buffer and keeps nothing.

pub mod input;
pub mod list;
pub mod text;

pub use input::Input;
pub use list::Cursor;
pub use text::{Painter, age, bytes, millis, percent, ratio};
