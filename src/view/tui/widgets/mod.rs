//! Pieces that several screens are drawn with. Each draws into a buffer and keeps nothing.

pub mod ansi;
pub mod input;
pub mod text;
pub mod line;
pub mod list;
pub mod spark;
pub mod query;
pub mod rich;

pub use input::Input;
pub use line::Line;
pub use list::Cursor;
pub use query::Query;
pub use rich::Rich;
pub use spark::spark;
pub use text::{Painter, age, bytes, millis, percent, ratio};
