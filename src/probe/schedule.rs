//! When to try next: a pure state machine over moments; no runtime, no clock of its own.
//!
//! The first try is made at once. After a failure the next one waits [`Pace::delay`]: 20 ms
//! at first, later a sixty-fourth of the time waited so far, at most 1 s. A service that has
//! just become ready is therefore noticed within 20 ms, or within 1.6 % of its start-up time.

use std::time::Duration;

use crate::base::Moment;

/// A wait is made longer by at most this part of itself (or by [`Pace::shortest`]).
const LATENESS: u32 = 64;

/// How a service is tried, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The shortest time between a failure and the next try.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
    /// For one try.
    pub timeout: Duration,
    /// From the container's start: failures within it never count.
    pub start_period: Duration,
    /// How many failures after the start period are too many; `None` leaves it to the deadline.
    pub patience: Option<Patience>,
    /// From the container's start; `None` waits as long as `patience` does.
    pub deadline: Option<Duration>,
}

/// A health check's `retries`, counted as the engine counts them.
///
/// We try far more often than `interval`. A failure therefore counts only when at least an
/// interval has passed since the last one that counted (or since the start period): what the
/// engine would call healthy in the end is never given up before the engine would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How many counted failures are too many; at least 1.
    pub retries: u32,
    /// The time between two failures that count.
    pub interval: Duration,
}

impl Default for Pace {
    /// 20 ms to 1 s, 2 s for one try, 2 minutes in all.
    fn default() -> Self {
        Self {
            shortest: Duration::from_millis(20),
            longest: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            start_period: Duration::ZERO,
            patience: None,
            deadline: Some(Duration::from_secs(120)),
        }
    }
}

impl Pace {
    /// The time between a failure and the next try: grows with the time waited so far, and is
    /// at least half of what the last try took, so that costly probes leave the machine room.
    pub fn delay(&self, waited: Duration, cost: Duration) -> Duration {
        (waited / LATENESS)
            .max(cost / 2)
            .clamp(self.shortest.min(self.longest), self.longest)
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try at this moment; at once where it has passed.
    TryAt(Moment),
    /// A try is under way; it must end by this moment.
    Busy(Moment),
    /// A try has passed.
    Ready,
    /// It is given up.
    Failed(GaveUp),
}

/// Why a wait was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GaveUp {
    /// The deadline has passed.
    #[error("not ready within {}", crate::base::format_duration(*.0))]
    Deadline(Duration),
    /// So many failures counted, at the health check's own interval.
    #[error("{failures} failed checks in a row, {} after the start", crate::base::format_duration(round(*.after)))]
    Retries {
        /// How many counted.
        failures: u32,
        /// Time since the start.
        after: Duration,
    },
}

/// To milliseconds, for people.
fn round(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// What a try has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The service is ready.
    Pass,
    /// It is not.
    Fail,
    /// The engine could not tell; says nothing about the service and never counts.
    Unknown,
}

/// The schedule of one wait for readiness.
#[derive(Debug, Clone)]
pub struct Schedule {
    pace: Pace,
    started_at: Moment,
    state: State,
    /// Failures that counted.
    counted: u32,
    /// From when on the next failure counts.
    counts_from: Moment,
}

#[derive(Debug, Clone)]
enum State {
    Waiting { next_at: Moment },
    Trying { since: Moment, until: Moment },
    Done(Next),
}

impl Schedule {
    /// A wait for a container that was started at `started_at`.
    pub fn new(pace: Pace, started_at: Moment) -> Self {
        let interval = pace.patience.map_or(Duration::ZERO, |p| p.interval);
        Self {
            pace,
            started_at,
            state: State::Waiting { next_at: started_at },
            counted: 0,
            counts_from: started_at
                .saturating_add(pace.start_period)
                .saturating_add(interval),
        }
    }

    /// What to do, seen at `now`. Moments in the past are taken as now.
    pub fn next(&self, now: Moment) -> Next {
        match &self.state {
            State::Done(next) => next.clone(),
            State::Trying { until, .. } => Next::Busy(*until),
            State::Waiting { next_at } => match self.deadline() {
                Some(deadline) if now >= deadline => Next::Failed(self.too_late()),
                Some(deadline) => Next::TryAt((*next_at).min(deadline)),
                None => Next::TryAt(*next_at),
            },
        }
    }

    /// A try begins at `now`. Returns by when it must have ended; `None` where no try may begin
    /// (one is under way, it is too early, or the wait is over).
    pub fn begin(&mut self, now: Moment) -> Option<Moment> {
        match self.next(now) {
            Next::TryAt(at) if at <= now => {
                let by_timeout = now.saturating_add(self.pace.timeout);
                let until = self.deadline().map_or(by_timeout, |d| by_timeout.min(d));
                self.state = State::Trying { since: now, until };
                Some(until)
            }
            _ => None,
        }
    }

    /// The try under way has ended at `now`. Without one, changes nothing.
    pub fn outcome(&mut self, verdict: Verdict, now: Moment) -> Next {
        let State::Trying { since, .. } = self.state else {
            return self.next(now);
        };
        if verdict == Verdict::Pass {
            self.state = State::Done(Next::Ready);
            return Next::Ready;
        }
        if verdict == Verdict::Fail && now >= self.counts_from {
            self.counted += 1;
            if let Some(patience) = self.pace.patience {
                self.counts_from = now.saturating_add(patience.interval);
                if self.counted >= patience.retries.max(1) {
                    let failed = Next::Failed(GaveUp::Retries {
                        failures: self.counted,
                        after: now.saturating_sub(self.started_at),
                    });
                    self.state = State::Done(failed.clone());
                    return failed;
                }
            }
        }
        let waited = now.saturating_sub(self.started_at);
        let delay = self.pace.delay(waited, now.saturating_sub(since));
        self.state = State::Waiting {
            next_at: now.saturating_add(delay),
        };
        let next = self.next(now);
        if matches!(next, Next::Failed(_)) {
            self.state = State::Done(next.clone());
        }
        next
    }

    /// Something suggests that a try would pass now: the next one is not put off any longer.
    pub fn nudge(&mut self, now: Moment) {
        if let State::Waiting { next_at } = &mut self.state {
            *next_at = (*next_at).min(now);
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.pace.deadline.map(|d| self.started_at.saturating_add(d))
    }

    fn too_late(&self) -> GaveUp {
        GaveUp::Deadline(self.pace.deadline.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Runs a wait for a service that is ready from `ready_at` on and whose probe takes `cost`;
    /// the moments of the tries, the end and its moment.
    fn wait(pace: Pace, started_at: Moment, ready_at: Moment, cost: Duration) -> (Vec<Moment>, Next, Moment) {
        let mut schedule = Schedule::new(pace, started_at);
        let mut now = started_at;
        let mut tries = Vec::new();
        for _ in 0..200_000 {
            match schedule.next(now) {
                Next::TryAt(at) if at > now => now = at,
                Next::TryAt(_) => {
                    let until = schedule.begin(now).unwrap();
                    assert_eq!(schedule.begin(now), None, "two at once");
                    assert_eq!(schedule.next(now), Next::Busy(until));
                    tries.push(now);
                    let passes = now >= ready_at && now + cost <= until;
                    now = (now + cost).min(until);
                    let verdict = if passes { Verdict::Pass } else { Verdict::Fail };
                    schedule.outcome(verdict, now);
                }
                Next::Busy(_) => unreachable!(),
                end => return (tries, end, now),
            }
        }
        panic!("endless");
    }

    #[test]
    fn backs_off_from_20_ms_to_1_s() {
        let (tries, end, _) = wait(Pace::default(), ms(5), ms(100_000), ms(0));
        assert_eq!(end, Next::Ready);
        assert_eq!(tries[..4], [ms(5), ms(25), ms(45), ms(65)]);
        let gaps: Vec<Duration> = tries.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(
            gaps.iter()
                .zip(gaps.iter().skip(1))
                .all(|(a, b)| b >= a && *b <= ms(1000)),
            "{gaps:?}"
        );
        assert_eq!(gaps.last(), Some(&ms(1000)));
        assert!(tries.len() < 450, "{}", tries.len());
    }

    #[test]
    fn costly_probes_leave_room() {
        let (tries, ..) = wait(Pace::default(), ms(0), ms(500), ms(100));
        assert_eq!(tries, [ms(0), ms(150), ms(300), ms(450), ms(600)]);
    }

    #[test]
    fn the_deadline_holds_in_a_try_and_between_tries() {
        let pace = Pace {
            deadline: Some(ms(1000)),
            timeout: ms(5000),
            ..Pace::default()
        };
        for cost in [ms(0), ms(30), ms(700), ms(90_000)] {
            let (_, end, at) = wait(pace, ms(10), ms(u64::MAX / 2), cost);
            assert_eq!(end, Next::Failed(GaveUp::Deadline(ms(1000))), "{cost:?}");
            assert_eq!(at, ms(1010), "{cost:?}");
        }
    }

    #[test]
    fn retries_count_at_the_check_s_own_interval_after_the_start_period() {
        let pace = Pace {
            start_period: ms(2000),
            patience: Some(Patience {
                retries: 3,
                interval: ms(1000),
            }),
            deadline: None,
            ..Pace::default()
        };
        let (tries, end, at) = wait(pace, ms(0), ms(u64::MAX / 2), ms(1));
        let Next::Failed(GaveUp::Retries { failures: 3, .. }) = end else {
            panic!("{end:?}")
        };
        assert!((ms(5000)..ms(5500)).contains(&at), "{at:?}");
        assert!(tries.len() > 50, "tried often all the same: {}", tries.len());
        // What gets ready just before the engine would have given up is ready here too.
        assert_eq!(wait(pace, ms(0), ms(4900), ms(1)).1, Next::Ready);
    }

    #[test]
    fn an_engine_that_cannot_tell_never_counts() {
        let pace = Pace {
            patience: Some(Patience {
                retries: 1,
                interval: ms(0),
            }),
            deadline: Some(ms(10_000)),
            ..Pace::default()
        };
        let mut schedule = Schedule::new(pace, ms(0));
        schedule.begin(ms(0)).unwrap();
        assert_eq!(
            schedule.outcome(Verdict::Unknown, ms(4000)),
            Next::TryAt(ms(5000))
        );
        schedule.begin(ms(5000)).unwrap();
        let next = schedule.outcome(Verdict::Fail, ms(5000));
        assert_eq!(
            next,
            Next::Failed(GaveUp::Retries {
                failures: 1,
                after: ms(5000)
            })
        );
        assert_eq!(schedule.next(ms(5001)), next, "an end stays");
        assert_eq!(schedule.begin(ms(6000)), None);
    }

    #[test]
    fn a_nudge_brings_the_next_try_forward_and_nothing_else() {
        let mut schedule = Schedule::new(Pace::default(), ms(0));
        schedule.begin(ms(0)).unwrap();
        schedule.nudge(ms(10));
        assert_eq!(schedule.next(ms(10)), Next::Busy(ms(2000)));
        assert_eq!(schedule.outcome(Verdict::Fail, ms(100)), Next::TryAt(ms(150)));
        schedule.nudge(ms(110));
        assert_eq!(schedule.next(ms(110)), Next::TryAt(ms(110)));
        schedule.nudge(ms(140));
        assert_eq!(schedule.next(ms(140)), Next::TryAt(ms(110)));
    }

    #[test]
    fn reads_well() {
        let retries = GaveUp::Retries {
            failures: 3,
            after: Duration::from_micros(90_000_400),
        };
        assert_eq!(
            retries.to_string(),
            "3 failed checks in a row, 1m30s after the start"
        );
        assert_eq!(GaveUp::Deadline(ms(120_000)).to_string(), "not ready within 2m0s");
    }

    proptest! {
        #[test]
        fn readiness_is_noticed_within_the_back_off(
            started in 0u64..10_000, ready in 0u64..90_000, cost in 0u64..1_500,
        ) {
            let (tries, end, at) = wait(Pace::default(), ms(started), ms(started + ready), ms(cost));
            prop_assert_eq!(end, Next::Ready);
            // A try that began just before, the longest delay at that time, and the try that passes.
            let delay = Pace::default().delay(ms(ready + cost), ms(cost));
            prop_assert!(at <= ms(started + ready + 2 * cost) + delay, "{:?}", at);
            prop_assert_eq!(tries[0], ms(started));
        }

        #[test]
        fn never_fails_in_the_start_period_nor_before_the_engine_would(
            start_period in 0u64..20_000, retries in 0u32..5, interval in 0u64..5_000, cost in 0u64..3_000,
        ) {
            let pace = Pace {
                start_period: ms(start_period),
                patience: Some(Patience { retries, interval: ms(interval) }),
                deadline: None,
                ..Pace::default()
            };
            let (_, end, at) = wait(pace, ms(7), ms(u64::MAX / 2), ms(cost));
            let earliest = start_period + u64::from(retries.max(1)) * interval;
            prop_assert!(matches!(end, Next::Failed(GaveUp::Retries { .. })), "{:?}", end);
            prop_assert!(at >= ms(7 + earliest), "{:?} {}", at, earliest);
            // And not much later: each count may come one delay and one try late.
            let late = (u64::from(retries.max(1)) + 1) * (1_000 + cost.min(2_000));
            prop_assert!(at <= ms(7 + earliest + late), "{:?} {}", at, earliest);
        }
    }
}
