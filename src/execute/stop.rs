//! Stopping by degrees: ask, kill, leave.

use tokio::sync::watch;

/// How urgently a run is asked to end. The order decides: a higher level includes the lower.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Go on.
    #[default]
    Go,
    /// End in good order.
    Ask,
    /// End without grace.
    Kill,
    /// End now and leave everything as it is.
    Leave,
}

/// The signal by which a run was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM, and SIGHUP.
    Terminate,
}

/// What a run listens to at every waiting point.
#[derive(Debug, Clone)]
pub struct Stop {
    level: watch::Receiver<StopLevel>,
    /// The level at which the run itself ends.
    ends_at: StopLevel,
}

/// The other end of a [`Stop`].
#[derive(Debug)]
pub struct Stopper {
    level: watch::Sender<StopLevel>,
}

/// A stop and the end that raises it.
pub fn stop_pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(StopLevel::Go);
    (
        Stopper { level: sender },
        Stop {
            level: receiver,
            ends_at: StopLevel::Ask,
        },
    )
}

impl Stopper {
    /// Raises the level by one and returns the new one.
    pub fn raise(&self) -> StopLevel {
        self.level.send_modify(|level| {
            *level = match level {
                StopLevel::Go => StopLevel::Ask,
                StopLevel::Ask => StopLevel::Kill,
                StopLevel::Kill | StopLevel::Leave => StopLevel::Leave,
            }
        });
        *self.level.borrow()
    }
}

impl Stop {
    /// A stop that is never raised.
    pub fn never() -> Self {
        let (stopper, stop) = stop_pair();
        // The receiver keeps its last value after the sender is gone.
        drop(stopper);
        stop
    }

    /// The same, for a run that is itself the good order in which another ends: a further signal
    /// makes it kill, and only the third ends it.
    pub fn for_stopping(&self) -> Self {
        Self {
            ends_at: StopLevel::Leave,
            ..self.clone()
        }
    }

    /// Whether the run is to end.
    pub fn is_ended(&self) -> bool {
        self.level() >= self.ends_at
    }

    /// Waits until the run is to end.
    pub async fn ended(&self) {
        self.reached(self.ends_at).await;
    }

    /// The level now.
    pub fn level(&self) -> StopLevel {
        *self.level.borrow()
    }

    /// Waits until the level is at least `level`; for ever where nobody can raise it any more.
    pub async fn reached(&self, level: StopLevel) {
        let mut receiver = self.level.clone();
        if receiver.wait_for(|now| *now >= level).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_signal_raises_by_one() {
        let (stopper, stop) = stop_pair();
        assert_eq!(stop.level(), StopLevel::Go);
        assert_eq!(stopper.raise(), StopLevel::Ask);
        stop.reached(StopLevel::Ask).await;
        assert_eq!(stopper.raise(), StopLevel::Kill);
        assert_eq!(stopper.raise(), StopLevel::Leave);
        assert_eq!(stopper.raise(), StopLevel::Leave);
        stop.reached(StopLevel::Kill).await;
    }
}
