//! Waiting for one container to become ready.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::hint::Hint;
use super::tries::Prober;
use super::{Attempt, EngineHost, GaveUp, Next, Outcome, Probe, ProbeKind, Schedule};
use crate::base::{Clock, ContainerId, Masker, Moment};
use crate::engine::{Engine, Exit};

/// How much longer than its own timeout a try may take before it is dropped: tries end by
/// themselves, with evidence; this is for an engine that does not.
const OVERTIME: Duration = Duration::from_millis(500);

/// How many commands our probes run in containers at one time, over all services.
///
/// Cheap to clone; all clones share the bound.
#[derive(Debug, Clone)]
pub struct ExecLimit(Arc<Semaphore>);

impl ExecLimit {
    /// At most `most` at one time.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.max(1))))
    }

    /// Waits for a place and holds it until what is returned is dropped.
    pub async fn hold(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // Only a closed semaphore gives an error, and this one is never closed.
        self.0.acquire().await.ok()
    }
}

impl Default for ExecLimit {
    /// Four: one takes about 100 ms of the engine's time.
    fn default() -> Self {
        Self::new(4)
    }
}

/// What a wait needs beside the probe.
#[derive(Clone)]
pub struct Context<'a> {
    /// The engine.
    pub engine: &'a dyn Engine,
    /// The clock that `started_at` was read from.
    pub clock: &'a dyn Clock,
    /// The container.
    pub container: ContainerId,
    /// The container whose network it uses (`network_mode: service:…`), where that is another one.
    pub network_of: Option<ContainerId>,
    /// When it was started.
    pub started_at: Moment,
    /// Where published ports are.
    pub host: &'a EngineHost,
    /// The bound on commands in containers.
    pub execs: &'a ExecLimit,
    /// Hides secrets in evidence.
    pub masker: &'a Masker,
    /// Ends the wait.
    pub stop: CancellationToken,
}

/// How a wait for readiness ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Readiness {
    /// A probe has just passed.
    Ready {
        /// From the container's start.
        took: Duration,
        /// How many tries there were.
        attempts: u32,
    },
    /// It is not ready.
    Failed {
        /// Why the wait ended.
        reason: NotReady,
        /// The last try that ended.
        last: Option<Attempt>,
        /// How many tries there were.
        attempts: u32,
        /// From the container's start.
        took: Duration,
    },
}

/// Why a wait ended without readiness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It took too long, or failed too often.
    #[error(transparent)]
    GaveUp(GaveUp),
    /// The container ended.
    #[error("exited with code {}{}", .0.code, if .0.oom_killed { " (out of memory)" } else { "" })]
    Exited(Exit),
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
}

/// Tries a container until its probe passes, the probe's schedule gives up, `exited` says that
/// the container has ended for good, or `context.stop` is cancelled.
///
/// `on_attempt` hears of each try that ended. Dropping the future ends a try in its middle and
/// leaves nothing behind.
pub async fn until_ready(
    context: &Context<'_>,
    probe: &Probe,
    exited: impl Future<Output = Exit>,
    mut on_attempt: impl FnMut(&Attempt),
) -> Readiness {
    let mut schedule = Schedule::new(probe.pace, context.started_at);
    let mut prober = Prober::new(context, probe);
    let mut hint = pin!(Hint::new(context, probe).opened());
    let mut hinted = !matches!(probe.kind, ProbeKind::Exec(_));
    let mut exited = pin!(exited);
    let mut last: Option<Attempt> = None;
    let mut attempts = 0u32;
    let reason = loop {
        let now = context.clock.now();
        let at = match schedule.next(now) {
            Next::Ready => {
                return Readiness::Ready {
                    took: now.saturating_sub(context.started_at),
                    attempts,
                };
            }
            Next::Failed(gave_up) => break NotReady::GaveUp(gave_up),
            Next::TryAt(at) | Next::Busy(at) => at,
        };
        if at > now {
            tokio::select! {
                biased;
                exit = &mut exited => break NotReady::Exited(exit),
                () = context.stop.cancelled() => break NotReady::Stopped,
                () = &mut hint, if !hinted => {
                    hinted = true;
                    schedule.nudge(context.clock.now());
                }
                () = tokio::time::sleep(at - now) => {}
            }
            continue;
        }
        let mut opened = false;
        let ended = {
            let mut trying = pin!(one_try(context, probe, &mut prober, &mut schedule));
            loop {
                tokio::select! {
                    biased;
                    exit = &mut exited => break Err(NotReady::Exited(exit)),
                    () = context.stop.cancelled() => break Err(NotReady::Stopped),
                    tried = &mut trying => break Ok(tried),
                    () = &mut hint, if !hinted => {
                        hinted = true;
                        opened = true;
                    }
                }
            }
        };
        match ended {
            Err(reason) => break reason,
            Ok(None) => {}
            Ok(Some((at, tried, outcome))) => {
                let now = context.clock.now();
                attempts += 1;
                let attempt = Attempt {
                    number: attempts,
                    at,
                    took: now.saturating_sub(at),
                    tried,
                    outcome,
                };
                on_attempt(&attempt);
                schedule.outcome(attempt.outcome.verdict(), now);
                if opened {
                    schedule.nudge(now);
                }
                last = Some(attempt);
            }
        }
    };
    Readiness::Failed {
        reason,
        last,
        attempts,
        took: context.clock.now().saturating_sub(context.started_at),
    }
}

/// A try from its beginning to its end: when it began, what was tried and what came of it.
/// `None` where the schedule does not let it begin any more.
async fn one_try(
    context: &Context<'_>,
    probe: &Probe,
    prober: &mut Prober<'_>,
    schedule: &mut Schedule,
) -> Option<(Moment, String, Outcome)> {
    // Waiting for a place is not the service's time.
    let _place = match probe.kind {
        ProbeKind::Exec(_) => context.execs.hold().await,
        _ => None,
    };
    let began = context.clock.now();
    let until = schedule.begin(began)?;
    let timeout = until.saturating_sub(began);
    let tried = tokio::time::timeout(timeout + OVERTIME, prober.attempt(timeout)).await;
    let (tried, outcome) = tried.unwrap_or_else(|_| {
        let what = "the engine did not answer in time".to_owned();
        ("probe".to_owned(), Outcome::Unknown { what })
    });
    Some((began, tried, outcome))
}

#[cfg(test)]
mod tests;
