//! After readiness: probing on at a steady interval, for supervision. Pure, over moments.

use std::time::Duration;

use crate::base::Moment;
use crate::probe::Verdict;

/// The schedule of a service that has been ready.
#[derive(Debug, Clone)]
pub struct Steady {
    interval: Duration,
    retries: u32,
    failures: u32,
    next_at: Moment,
    trying: bool,
}

/// How a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SteadyHealth {
    /// The last try passed.
    Healthy,
    /// So many tries in a row have failed, not yet too many.
    Failing(u32),
    /// Too many in a row have failed.
    Unhealthy(u32),
}

impl Steady {
    /// Tries every `interval` from `since` on; `retries` failures in a row are too many.
    pub fn new(interval: Duration, retries: u32, since: Moment) -> Self {
        Self {
            interval,
            retries: retries.max(1),
            failures: 0,
            next_at: since.saturating_add(interval),
            trying: false,
        }
    }

    /// When to try next; `None` while a try is under way.
    pub fn next(&self) -> Option<Moment> {
        (!self.trying).then_some(self.next_at)
    }

    /// A try begins.
    pub fn begin(&mut self) {
        self.trying = true;
    }

    /// The try under way has ended. The next one follows an interval later; an engine that
    /// could not tell changes nothing about the service.
    pub fn outcome(&mut self, verdict: Verdict, now: Moment) -> SteadyHealth {
        self.trying = false;
        self.next_at = now.saturating_add(self.interval);
        match verdict {
            Verdict::Pass => self.failures = 0,
            Verdict::Fail => self.failures = self.failures.saturating_add(1),
            Verdict::Unknown => {}
        }
        self.health()
    }

    /// How the service is doing.
    pub fn health(&self) -> SteadyHealth {
        match self.failures {
            0 => SteadyHealth::Healthy,
            n if n >= self.retries => SteadyHealth::Unhealthy(n),
            n => SteadyHealth::Failing(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_failures_in_a_row() {
        let second = Duration::from_secs(1);
        let mut steady = Steady::new(second * 10, 2, second);
        assert_eq!(steady.next(), Some(second * 11));
        steady.begin();
        assert_eq!(steady.next(), None, "never two at once");
        for (verdict, health) in [
            (Verdict::Fail, SteadyHealth::Failing(1)),
            (Verdict::Unknown, SteadyHealth::Failing(1)),
            (Verdict::Pass, SteadyHealth::Healthy),
            (Verdict::Fail, SteadyHealth::Failing(1)),
            (Verdict::Fail, SteadyHealth::Unhealthy(2)),
            (Verdict::Pass, SteadyHealth::Healthy),
        ] {
            steady.begin();
            assert_eq!(steady.outcome(verdict, second * 20), health);
            assert_eq!(steady.next(), Some(second * 30));
        }
    }
}
