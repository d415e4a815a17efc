//! The words that the plain and the live form share.

use std::time::Duration;

use crate::base::format_bytes;
use crate::event::{ImageStage, Stage};
use crate::view::style::{Symbol, Tone};

/// Seconds for people: `0.4s`, `12.3s`, `2m05s`, `1h02m`.
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    let whole = duration.as_secs();
    match whole {
        0..60 => format!("{}.{}s", tenths / 10, tenths % 10),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole / 60 % 60),
    }
}

/// As [`seconds`], in milliseconds below a second.
pub(crate) fn fine(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => format!("0.{}ms", micros / 100),
        1_000..1_000_000 => format!("{}ms", micros / 1000),
        _ => seconds(duration),
    }
}

/// The tone and symbol of a stage.
pub(crate) fn of_stage(stage: Stage) -> (Tone, Symbol) {
    match stage {
        Stage::Ready | Stage::Completed => (Tone::Good, Symbol::Good),
        Stage::Failed => (Tone::Bad, Symbol::Bad),
        Stage::Restarting => (Tone::Warn, Symbol::Warning),
        Stage::Unavailable => (Tone::Warn, Symbol::Left),
        Stage::Blocked => (Tone::Warn, Symbol::Waiting),
        Stage::Pending => (Tone::Dim, Symbol::Waiting),
        Stage::Created | Stage::Running => (Tone::Wait, Symbol::Waiting),
        Stage::Stopped | Stage::Removed => (Tone::Dim, Symbol::Left),
    }
}

/// The word, tone and symbol of an image's state.
pub(crate) fn of_image(stage: &ImageStage) -> (&'static str, Tone, Symbol) {
    match stage {
        ImageStage::Present => ("present", Tone::Good, Symbol::Good),
        ImageStage::Pulling => ("pulling", Tone::Wait, Symbol::Waiting),
        ImageStage::Building => ("building", Tone::Wait, Symbol::Waiting),
        ImageStage::Bootstrapping => ("bootstrapping", Tone::Wait, Symbol::Waiting),
        ImageStage::Obtained { .. } => ("obtained", Tone::Good, Symbol::Good),
        ImageStage::Unavailable { .. } => ("unavailable", Tone::Warn, Symbol::Left),
        ImageStage::Failed { .. } => ("failed", Tone::Bad, Symbol::Bad),
    }
}

/// Below this, an amount counts items, not bytes.
const ITEMS: u64 = 10_000;

/// An amount: `3/7`, or `12.0 MiB/38.1 MiB` where the numbers can only be bytes.
pub(crate) fn amount((done, total): (u64, u64)) -> String {
    match total {
        0 if done < ITEMS => format!("{done}"),
        0 => format_bytes(done),
        1..ITEMS => format!("{done}/{total}"),
        _ => format!("{}/{}", format_bytes(done), format_bytes(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_plain() {
        let s = |ms| seconds(Duration::from_millis(ms));
        assert_eq!(
            [s(0), s(449), s(12_345), s(125_000), s(3_720_000)],
            ["0.0s", "0.4s", "12.3s", "2m05s", "1h02m"]
        );
        assert_eq!(fine(Duration::from_micros(250)), "0.2ms");
        assert_eq!(fine(Duration::from_millis(250)), "250ms");
        assert_eq!(fine(Duration::from_millis(1250)), "1.2s");
        assert_eq!(amount((3, 7)), "3/7");
        assert_eq!(amount((12 << 20, 38 << 20)), "12.0 MiB/38.0 MiB");
        assert_eq!(amount((12 << 20, 0)), "12.0 MiB");
    }
}
