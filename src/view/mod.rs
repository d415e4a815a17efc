//! Events and snapshots for people and machines.
//!
//! A view changes nothing. It renders from [`crate::event`] to a writer or a string that it is
//! given; colours, widths and the time are passed in. Nothing here reads the environment or the
//! clock. Whatever came from a container, an image or the engine is shown through
//! [`text::one_line`], so that it cannot command the terminal.

pub mod style;
pub mod text;
pub mod table;
pub mod tui;
pub mod ps;
pub mod template;
pub mod stats;
pub mod lists;
pub mod processes;
pub mod events;
pub mod plan;
pub mod report;
pub mod summary;
pub mod junit;
pub mod grep;
pub mod logs;
pub mod failure;
pub mod annotate;
pub mod progress;
#[cfg(test)]
mod testing;
