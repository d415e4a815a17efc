//! The terminal dashboard.
//!
//! Keys become commands ([`keymap`]), commands and facts change the state ([`app`]), the state is
//! drawn ([`draw`]), and what has to be done in the world outside leaves as an [`Effect`]. Drawing
//! changes nothing; layout facts that paging and the mouse need are computed in a step before it.
//!
//! A screen is one file in [`screens`] and one line in its registry: its commands, its state, its
//! drawing and what it needs to be told of stand together.

pub mod command;
pub mod keymap;
pub mod theme;
pub mod settings;
pub mod shared;
pub mod effect;
pub mod overlay;
pub mod widgets;
pub mod screens;
pub mod app;
pub mod draw;
pub mod terminal;
pub mod runner;
#[cfg(test)]
mod app_tests;
#[cfg(test)]
mod docs_tests;
#[cfg(test)]
pub(crate) mod testing;

pub use app::App;
pub use effect::Effect;
pub use runner::{Handler, Leave, Runner, run};
pub use settings::{Settings, default_settings};
pub use shared::Shared;
