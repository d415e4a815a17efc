//! Smoke tests: run against what is up, with evidence, and reported as text, JSON and JUnit.
//!
//! [`select`] picks tests, [`run`] tries them (a few at once, told in the stack's order),
//! [`text`], [`json`] and [`junit`] render the [`Report`]. docs/smoke.md is the user's page.
//!
//! Invariants: a test that could not be tried has failed or says why it was skipped, never
//! passed; secrets are masked before an excerpt is cut, and again when a report is rendered.

pub mod outcome;
pub mod json_path;
pub mod http;
pub mod command;
pub mod prometheus;
pub mod panels;
pub mod runner;
pub mod text;
pub mod json;
pub mod junit;
#[cfg(test)]
pub(crate) mod testing;

pub use json::json;
pub use junit::junit;
pub use outcome::{Evidence, Kind, Mismatch, Outcome, Report, Seen, TestReport};
pub use runner::{Notice, Setting, UnknownTest, run, select, unavailable};
pub use text::{text, text_line};
