//! Kills the program at a moment: after a time, or when it has told of a step.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use super::cli::Cli;
use super::running::Outcome;

/// When to send the signal.
#[derive(Clone, Debug)]
pub enum Moment {
    /// So long after its start.
    After(Duration),
    /// When a line of either stream holds all of these, such as a step of `--progress json`.
    Line(Vec<String>),
}

impl Moment {
    /// When a line holds `text`.
    pub fn line(text: &str) -> Self {
        Self::Line(vec![text.to_owned()])
    }
}

/// Runs `cli` and sends `signal` at `moment`, to the process alone; gives how it ended and whether
/// the signal was sent before that.
pub fn at(cli: &Cli, moment: &Moment, signal: Signal) -> (Outcome, bool) {
    let limit = Duration::from_secs(60);
    let mut running = cli.start();
    match moment {
        Moment::After(delay) => {
            while running.age() < *delay && !running.ended() {
                std::thread::sleep(Duration::from_millis(1).min(delay.saturating_sub(running.age())));
            }
        }
        Moment::Line(parts) => {
            running.line(limit, |line| {
                parts.iter().all(|part| line.contains(part.as_str()))
            });
        }
    }
    let sent = !running.ended();
    running.signal(signal);
    (running.wait(), sent)
}

/// Random numbers that a failing test can be run with again: the seed is `PLATFORM_TEST_SEED`, else the
/// clock, and is printed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeds the dice for the test called `name`.
    pub fn new(name: &str) -> Self {
        let given = std::env::var("PLATFORM_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            now.as_nanos() as u64
        });
        eprintln!("{name}: PLATFORM_TEST_SEED={seed}");
        Self(seed)
    }

    /// The next number (splitmix64).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A time below `end`, to the microsecond.
    pub fn duration(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(end.as_micros() as u64))
    }
}

/// How often a test repeats: `PLATFORM_TEST_ROUNDS`, else `short`.
pub fn rounds(short: usize) -> usize {
    std::env::var("PLATFORM_TEST_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(short)
}
