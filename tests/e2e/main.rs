//! End to end: the real binary against real engines, and the fixtures that break them.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test stops with a panic, and reads the real clock"
)]

#[path = "../support/mod.rs"]
mod support;
mod fixtures;
mod engine;
mod image;
mod probe;
mod smoke;
