//! Words everything else is written in: names and ids as types, durations,
//! sizes, masked values and the clock.
//!
//! Invariant: depends on nothing else in the crate, and does no I/O.

pub mod clock;
pub mod duration;
pub mod name;
pub mod secret;
pub mod signal;
pub mod size;

pub use clock::{Clock, Moment, MonotonicClock};
pub use duration::{format_duration, parse_duration};
pub use name::{ContainerId, ImageId, NetworkId, ProjectName, ServiceName};
pub use secret::{Masker, Secret};
pub use signal::Signal;
pub use size::{format_bytes, parse_bytes};
