//! End to end: the real binary against real engines, and the fixtures that break them.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test stops with a panic, and reads the real clock"
)]

#[path = "../support/mod.rs"]
mod support;

mod builds;
mod commands;
mod compose_files;
mod concurrent;
mod copy;
mod dashboard;
mod dashboard_faults;
mod develop;
mod disk_full;
mod engine;
mod engine_gone;
mod engine_restarts;
mod failing;
mod fixtures;
mod hostile;
mod image;
mod images;
mod in_place;
mod killed;
mod lifecycle;
mod manage;
mod names;
mod output;
mod outside;
mod ports;
mod probe;
mod run;
mod secrets;
mod signals;
mod smoke;
mod stack_errors;
mod stacks;
mod stalls;
mod watch;
