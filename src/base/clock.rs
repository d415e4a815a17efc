//! Time as a value: waits and deadlines are computed from moments on a monotonic
//! clock that is passed in, never from the wall clock.

use std::time::{Duration, Instant};

/// A point on a [`Clock`]: the time since that clock began. Never goes backwards.
pub type Moment = Duration;

/// A monotonic clock.
pub trait Clock: Send + Sync {
    /// The time since the clock began.
    fn now(&self) -> Moment;
}

/// The machine's monotonic clock, begun when the value was made.
#[derive(Debug, Clone, Copy)]
pub struct MonotonicClock {
    began: Instant,
}

impl MonotonicClock {
    /// A clock that begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the monotonic clock"
    )]
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Moment {
        self.began.elapsed()
    }
}
