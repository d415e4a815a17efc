//! A lane for each instance over a span of time: when it was up, and what happened.

use std::time::Duration;

use crate::event::live::{Happening, Kind};

/// How an instance was doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing tells.
    #[default]
    Unknown,
    /// It ran.
    Up,
    /// It ran, and its checks failed.
    Sick,
    /// It did not run.
    Down,
}

/// A column of a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// How the instance was doing at the end of the column's time.
    pub(super) state: State,
    /// The gravest thing that happened in the column's time.
    pub(super) kind: Option<Kind>,
}

/// What a kind makes of a state.
fn after(kind: Kind, before: State) -> State {
    match kind {
        Kind::Started | Kind::Restarted | Kind::Healthy => State::Up,
        Kind::Unhealthy => State::Sick,
        Kind::Created | Kind::Stopped | Kind::Died | Kind::OutOfMemory | Kind::Removed => State::Down,
        _ => before,
    }
}

/// What a state must have been before a kind, where that tells it.
fn before(kind: Kind) -> State {
    match kind {
        Kind::Created | Kind::Started => State::Down,
        Kind::Stopped | Kind::Died | Kind::OutOfMemory | Kind::Unhealthy => State::Up,
        Kind::Healthy => State::Sick,
        _ => State::Unknown,
    }
}

/// How much a kind matters where several share a column.
fn weight(kind: Kind) -> u8 {
    match kind {
        Kind::OutOfMemory => 9,
        Kind::Died => 8,
        Kind::AlertFiring => 7,
        Kind::Unhealthy | Kind::EngineLost => 6,
        Kind::Restarted => 5,
        Kind::Started => 4,
        Kind::Stopped => 3,
        Kind::AlertResolved | Kind::EngineBack => 2,
        Kind::Healthy | Kind::Action | Kind::Paused | Kind::Created | Kind::Removed => 1,
    }
}

/// The lane of entries (oldest first) over `span` up to `now`, in so many columns; `last` is how the
/// instance is doing now, where nothing happened that tells it.
pub(super) fn lane<'e>(
    entries: impl Iterator<Item = &'e Happening>,
    now: i64,
    span: Duration,
    columns: usize,
    last: State,
) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); columns];
    let mut known: Option<State> = None;
    let mut filled = 0;
    for entry in entries {
        let was = known.unwrap_or_else(|| before(entry.kind));
        known = Some(after(entry.kind, was));
        let Some(at) = column_of(entry.time, now, span, columns) else {
            continue;
        };
        for cell in cells.iter_mut().take(at).skip(filled) {
            cell.state = was;
        }
        filled = filled.max(at);
        if let Some(cell) = cells.get_mut(at)
            && cell.kind.is_none_or(|kind| weight(kind) <= weight(entry.kind))
        {
            cell.kind = Some(entry.kind);
        }
    }
    let state = match known {
        None | Some(State::Unknown) => last,
        Some(state) => state,
    };
    for cell in cells.iter_mut().skip(filled) {
        cell.state = state;
    }
    cells
}

/// The column of a time; `None` where it is not within the span.
pub(super) fn column_of(time: i64, now: i64, span: Duration, columns: usize) -> Option<usize> {
    let span = i128::try_from(span.as_nanos()).ok().filter(|span| *span > 0)?;
    let start = i128::from(now) - span;
    let since = i128::from(time) - start;
    // What happens while this is drawn is now.
    if since < 0 || columns == 0 {
        return None;
    }
    let at = since * i128::try_from(columns).ok()? / span;
    Some(usize::try_from(at).ok()?.min(columns - 1))
}

/// The spans that one zooms through.
pub(super) const SPANS: [Duration; 7] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(7 * 24 * 60 * 60),
];

/// `1m`, `5m`, `1h`, `7d`.
pub(super) fn span_word(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..60 => format!("{seconds}s"),
        seconds @ ..3_600 => format!("{}m", seconds / 60),
        seconds @ ..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Labels below the lanes: where each begins and what it says.
pub(super) fn axis(span: Duration, columns: usize) -> Vec<(usize, String)> {
    let mut labels: Vec<(usize, String)> = Vec::new();
    for part in 0..4_u32 {
        let back = span * (4 - part) / 4;
        let at = columns * usize::try_from(part).unwrap_or(0) / 4;
        let text = match back.as_secs() {
            seconds if seconds < 3_600 && seconds % 60 != 0 => {
                format!("-{}:{:02}", seconds / 60, seconds % 60)
            }
            seconds if seconds >= 3_600 && seconds % 3_600 != 0 => {
                format!("-{}h{:02}", seconds / 3_600, seconds % 3_600 / 60)
            }
            _ => format!("-{}", span_word(back)),
        };
        if labels.last().is_none_or(|(last, text)| last + text.len() < at) {
            labels.push((at, text));
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: i64, kind: Kind) -> Happening {
        Happening {
            time: seconds * SECOND,
            kind,
            instance: None,
            service: None,
            container: None,
            text: String::new(),
        }
    }

    #[test]
    fn states_between_what_happened() {
        let entries = [
            at(20, Kind::Died),
            at(21, Kind::Healthy),
            at(40, Kind::Started),
            at(60, Kind::Unhealthy),
        ];
        let cells = lane(
            entries.iter(),
            100 * SECOND,
            Duration::from_secs(100),
            10,
            State::Unknown,
        );
        let states: String = cells
            .iter()
            .map(|cell| match cell.state {
                State::Unknown => '?',
                State::Up => '-',
                State::Sick => '~',
                State::Down => ' ',
            })
            .collect();
        assert_eq!(states, "------~~~~");
        assert_eq!(cells[2].kind, Some(Kind::Died), "the gravest of a column");
        let none = lane([].iter(), 0, Duration::from_secs(1), 3, State::Up);
        assert!(none.iter().all(|cell| cell.state == State::Up));
        // What happened before the span tells how it began.
        let cells = lane(
            [at(1, Kind::Died)].iter(),
            100 * SECOND,
            Duration::from_secs(10),
            4,
            State::Up,
        );
        assert!(cells.iter().all(|cell| *cell
            == Cell {
                state: State::Down,
                kind: None
            }));
    }

    #[test]
    fn columns_and_labels() {
        let span = Duration::from_secs(60);
        let column = |seconds: i64| column_of(seconds * SECOND, 60 * SECOND, span, 6);
        assert_eq!(
            [-1, 0, 9, 10, 59, 60, 99].map(column),
            [None, Some(0), Some(0), Some(1), Some(5), Some(5), Some(5)]
        );
        assert_eq!(column_of(0, 0, Duration::ZERO, 6), None);
        let labels: Vec<String> = axis(Duration::from_secs(3_600), 40)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(labels, ["-1h", "-45m", "-30m", "-15m"]);
        assert_eq!(axis(Duration::from_secs(300), 8).len(), 2);
    }
}
