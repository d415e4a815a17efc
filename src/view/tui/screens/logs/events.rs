//! What stands between the lines: a new container's beginning, and what happened meanwhile.

use ratatui::style::Style;

use super::Logs;
use super::side::dropped;
use crate::event::live::{Happening, Kind, LogRecord};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::rich::grouped;

/// How many entries of the timeline stand in one place at most, the newest.
const MOST: usize = 4;

/// A line between the lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Between {
    pub(super) style: Style,
    pub(super) text: String,
}

impl Logs {
    /// What stands before the line at a place, and behind the last one.
    pub(super) fn between(&self, shared: &Shared, place: usize) -> Vec<Between> {
        let buffer = &shared.live.logs;
        let record = self.record(shared, place);
        let before = place.checked_sub(1).and_then(|place| self.record(shared, place));
        let mut out = Vec::new();
        if place == 0
            && self.from <= buffer.first()
            && let Some(number) = dropped(buffer)
        {
            out.push(Between {
                style: shared.theme.style(Role::Dim),
                text: format!("older lines dropped: {}", grouped(number)),
            });
        }
        if self.options.events
            && let Some(before) = before
        {
            let until = record.map_or(i64::MAX, |record| record.time);
            out.extend(self.happened(shared, before.time, until));
        }
        if let Some((number, record)) = self.index.get(place).zip(record)
            && self.index.is_first_of(&record.container, number)
            && self.side.generation(record) > 0
        {
            out.push(new_container(shared, record));
        }
        out
    }

    /// What happened after a time and until another.
    fn happened(&self, shared: &Shared, after: i64, until: i64) -> Vec<Between> {
        let entries = shared.live.timeline.entries();
        let from = entries.partition_point(|entry| entry.time <= after);
        let to = entries.partition_point(|entry| entry.time <= until);
        let shown = entries.range(from..to.max(from)).rev().filter(|entry| {
            is_told(entry.kind)
                && match &entry.instance {
                    Some(instance) => self.options.shows(instance),
                    None => true,
                }
        });
        let mut out: Vec<Between> = shown.take(MOST).map(|entry| told(shared, entry)).collect();
        out.reverse();
        out
    }
}

/// Whether a kind stands between lines: what the lines themselves cannot tell.
fn is_told(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Created | Kind::Started | Kind::Removed | Kind::Paused | Kind::Action
    )
}

/// How a kind looks.
pub(in super::super) fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Died | Kind::OutOfMemory | Kind::Unhealthy | Kind::AlertFiring | Kind::EngineLost => Role::Bad,
        Kind::Restarted | Kind::Paused => Role::Attention,
        Kind::Healthy | Kind::AlertResolved | Kind::EngineBack => Role::Good,
        Kind::Created | Kind::Started => Role::Busy,
        Kind::Stopped | Kind::Removed => Role::Off,
        Kind::Action => Role::Accent,
    }
}

fn told(shared: &Shared, entry: &Happening) -> Between {
    let time = shared.time(entry.time, false);
    let whose = match (&entry.instance, &entry.service) {
        (Some(instance), _) => format!("{instance}: "),
        (None, Some(service)) => format!("{service}: "),
        (None, None) => String::new(),
    };
    Between {
        style: shared.theme.style(role_of(entry.kind)),
        text: format!("{time} {whose}{}: {}", entry.kind.as_str(), entry.text),
    }
}

fn new_container(shared: &Shared, record: &LogRecord) -> Between {
    let id: String = record.container.as_str().chars().take(12).collect();
    Between {
        style: shared.theme.style(Role::Title),
        text: format!("{}: new container {id}", record.instance),
    }
}
