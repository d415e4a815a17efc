//! Whether the engine answers at all.

use std::sync::Mutex;
use std::time::Duration;

use crate::base::{Clock, Moment};
use crate::engine::{Engine, EngineError};

/// Between two questions. With the second that an answer may take, silence is known within two.
const PACE: Duration = Duration::from_millis(750);
/// A question that took longer than this was held up by us: the process was stopped meanwhile.
const OURSELVES: Duration = Duration::from_secs(2);

/// When the engine answered last.
#[derive(Debug, Default)]
pub(super) struct LastAnswer(Mutex<Moment>);

impl LastAnswer {
    /// It has just answered.
    pub(super) fn now(&self, clock: &dyn Clock) {
        let mut at = self.0.lock().unwrap_or_else(|e| e.into_inner());
        *at = clock.now();
    }

    /// When it did.
    pub(super) fn at(&self) -> Moment {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Asks the engine again and again whether it is there, and ends where it is not.
pub(super) async fn until_silent(engine: &dyn Engine, clock: &dyn Clock, last: &LastAnswer) -> EngineError {
    loop {
        tokio::time::sleep(PACE).await;
        let began = clock.now();
        match engine.ping().await {
            Err(error) if error.is_engine_lost() => {
                if clock.now().saturating_sub(began) < OURSELVES {
                    return error;
                }
            }
            // A refusal is an answer.
            Ok(()) | Err(_) => last.now(clock),
        }
    }
}
