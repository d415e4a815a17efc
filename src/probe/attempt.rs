//! What one try was and what it saw.

use std::time::Duration;

use crate::base::{Masker, Moment};
use crate::event::ProbeAttempt;
use crate::probe::Verdict;

/// How much of a body or an output is kept as evidence, in bytes.
pub const EXCERPT: usize = 4096;

/// One try of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub at: Moment,
    /// How long it took.
    pub took: Duration,
    /// What was tried, for people: `GET http://172.20.0.3:8000/health`, `exec pg_isready`.
    pub tried: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The service is ready.
    Pass,
    /// It is not.
    Fail {
        /// What was wrong, as a fragment: `answered 503`, `connection refused`, `exit code 1`.
        what: String,
        /// The HTTP status.
        status: Option<u16>,
        /// What it said: a body, an output, the last log lines; at most [`EXCERPT`] bytes, masked.
        excerpt: Option<String>,
    },
    /// The engine could not tell; says nothing about the service.
    Unknown {
        /// What the engine said.
        what: String,
    },
}

impl Outcome {
    /// A failure without status and excerpt.
    pub fn fail(what: impl Into<String>) -> Self {
        Self::Fail {
            what: what.into(),
            status: None,
            excerpt: None,
        }
    }

    /// What the schedule needs to know of it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail { .. } => Verdict::Fail,
            Self::Unknown { .. } => Verdict::Unknown,
        }
    }
}

impl From<&Attempt> for ProbeAttempt {
    fn from(attempt: &Attempt) -> Self {
        let detail = match &attempt.outcome {
            Outcome::Pass => "passed".to_owned(),
            Outcome::Fail {
                what,
                excerpt: Some(excerpt),
                ..
            } => format!("{what}: {excerpt}"),
            Outcome::Fail { what, .. } | Outcome::Unknown { what } => what.clone(),
        };
        Self {
            what: attempt.tried.clone(),
            passed: attempt.outcome == Outcome::Pass,
            detail,
            took: attempt.took,
        }
    }
}

/// The beginning of `bytes` as text: masked first, then cut, so that no part of a secret is left at the cut.
/// `None` where nothing is left.
pub fn head(bytes: &[u8], masker: &Masker, limit: usize) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = masker.mask(text.trim());
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text[..end].trim_end();
    match (kept.is_empty(), end < text.len()) {
        (true, _) => None,
        (false, false) => Some(kept.to_owned()),
        (false, true) => Some(format!("{kept}…")),
    }
}

/// The end of `bytes` as text, as [`head`] takes the beginning.
pub fn tail(bytes: &[u8], masker: &Masker, limit: usize) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = masker.mask(text.trim());
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let kept = text[start..].trim_start();
    match (kept.is_empty(), start > 0) {
        (true, _) => None,
        (false, false) => Some(kept.to_owned()),
        (false, true) => Some(format!("…{kept}")),
    }
}

/// A duration in milliseconds, for people: `0.4 ms`, `12 ms`, `1.53 s`.
pub fn millis(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 1.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_masked_before_they_are_cut() {
        let masker = Masker::default();
        masker.add("sesame-open");
        let text = b"  abc sesame-open xyz\n";
        assert_eq!(head(text, &masker, 12).as_deref(), Some("abc ••…"));
        assert_eq!(tail(text, &masker, 10).as_deref(), Some("…•• xyz"));
        assert_eq!(head(text, &masker, 100).as_deref(), Some("abc •••••• xyz"));
        assert_eq!(head(b" \n", &masker, 10), None);
        assert_eq!(tail("äö".as_bytes(), &masker, 3).as_deref(), Some("…ö"));
        assert_eq!(head("äö".as_bytes(), &masker, 3).as_deref(), Some("ä…"));
        assert_eq!(head(b"\xff\xfe", &masker, 9).as_deref(), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn milliseconds_read_well() {
        let of = |us| millis(Duration::from_micros(us));
        assert_eq!(
            [of(420), of(12_300), of(1_534_000)],
            ["0.4 ms", "12 ms", "1.53 s"]
        );
    }
}
