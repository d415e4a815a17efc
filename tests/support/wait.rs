//! Waiting for something to become true, with an end.

use std::thread;
use std::time::{Duration, Instant};

/// Calls `check` every 10 ms until it gives a value; panics naming `what` when `limit` has passed.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(begin.elapsed() < limit, "waited {limit:?} for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
