//! What a run does, while it does it: as plain lines, as JSON, as a live tree on a terminal, or not at all.
//!
//! [`start`] shows a run on a thread of its own, so that a slow or stopped terminal cannot hold up
//! the run; [`show`] is the same without the thread. Both end when the hub is closed. A reader that
//! goes away ends the printing, never the run.

mod compose;
mod output;
mod plain;
mod screen;
mod show;
mod rows;
mod tree;
pub(super) mod words;

pub use compose::ComposeWords;
pub use plain::Plain;
pub use screen::Screen;
pub use show::{Final, Options, ProgressMode, Show, show, start};
pub use tree::{Frame, frame};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod screen_tests;
