//! What stands in the cells of the table, and how its numbers are written.

use std::time::Duration;

use super::item::{Item, Known};
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Line, age, bytes, millis};

/// A value as it is known: an old one dim and with a question mark, one that cannot be had as the mark alone.
fn known<T>(value: Known<T>, write: impl Fn(T) -> Line) -> Line {
    match value {
        Known::Nothing => Line::new(),
        Known::Awaited => Line::of(Role::Dim, "·"),
        Known::Away => Line::of(Role::Dim, "?"),
        Known::Old(value) => Line::of(Role::Dim, format!("{}?", write(value).text())),
        Known::Now(value) => write(value),
    }
}

/// What is known of a service stands in the first of its rows.
fn by_service<T>(item: &Item, value: Known<T>, write: impl Fn(T) -> Line) -> Line {
    if item.follows {
        Line::new()
    } else {
        known(value, write)
    }
}

pub(super) fn name(item: &Item) -> Line {
    let instance = &item.row.instance;
    let mut line = if item.follows && instance.number != 1 {
        Line::of(Role::Dim, instance.service.as_str()).with(Role::Text, format!("-{}", instance.number))
    } else {
        Line::of(Role::Text, instance.to_string())
    };
    if !item.row.wanted {
        line.push(Role::Dim, " orphan");
    }
    line
}

pub(super) fn stage(item: &Item) -> Line {
    let condition = &item.row.condition;
    Line::of(condition.shade.into(), &condition.word)
}

pub(super) fn probe(item: &Item) -> Line {
    match item.probe {
        None => Line::new(),
        Some((true, took)) => Line::new().with_number(&millis(took)),
        Some((false, took)) => Line::of(Role::Bad, millis(took)),
    }
}

pub(super) fn restarts(item: &Item) -> Line {
    match item.restarts {
        None => Line::new(),
        Some(0) => Line::of(Role::Dim, "0"),
        Some(times) => Line::of(Role::Attention, short(times)),
    }
}

/// A whole number in at most four columns.
fn short(number: u64) -> String {
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_999 => format!("{}k", number / 1_000),
        _ => format!("{}M", (number / 1_000_000).min(999)),
    }
}

pub(super) fn cpu(item: &Item) -> Line {
    known(item.usage, |usage| {
        let role = if usage.cpu_percent < 0.05 {
            Role::Dim
        } else {
            Role::Text
        };
        Line::of(role, format!("{:.1}", usage.cpu_percent))
    })
}

pub(super) fn memory(item: &Item) -> Line {
    known(item.usage, |usage| Line::new().with_number(&bytes(usage.memory)))
}

/// From how much of its limit on memory is worth a look, and from how much it is about to be killed.
const MEMORY_HIGH: [f64; 2] = [80.0, 95.0];

pub(super) fn limit(item: &Item) -> Line {
    known(item.usage, |usage| {
        let percent = usage.memory_percent();
        let role = high(percent, MEMORY_HIGH);
        Line::of(role, format!("{percent:.1}"))
    })
}

fn high(value: f64, [attention, bad]: [f64; 2]) -> Role {
    if value >= bad {
        Role::Bad
    } else if value >= attention {
        Role::Attention
    } else {
        Role::Text
    }
}

/// Requests a second in at most six columns.
pub(super) fn requests(rate: f64) -> String {
    match rate {
        r if r > 0.0 && r < 0.005 => "<0.01".into(),
        r if r < 9.995 => format!("{r:.2}"),
        r if r < 9_999.5 => format!("{r:.1}")
            .chars()
            .take(6)
            .collect::<String>()
            .trim_end_matches('.')
            .into(),
        r if r < 999_500.0 => format!("{:.1}k", r / 1e3),
        r => format!("{:.1}M", r / 1e6),
    }
}

pub(super) fn rate(item: &Item) -> Line {
    by_service(item, item.traffic.map(|t| t.rate), |rate| {
        let role = if rate <= 0.0 { Role::Dim } else { Role::Text };
        Line::of(role, requests(rate))
    })
}

pub(super) fn errors(item: &Item) -> Line {
    by_service(item, item.traffic.map(|t| t.errors), |ratio| {
        let percent = ratio * 100.0;
        let text = match percent {
            p if p > 0.0 && p < 0.05 => "<0.1".to_owned(),
            p => format!("{p:.1}"),
        };
        let role = if percent <= 0.0 {
            Role::Dim
        } else {
            high(percent, [f64::MIN_POSITIVE, 5.0])
        };
        Line::of(role, text)
    })
}

pub(super) fn p95(item: &Item) -> Line {
    by_service(item, item.traffic.map(|t| t.p95), |seconds| {
        // What is no duration (negative, not a number) is shown as none.
        Duration::try_from_secs_f64(seconds)
            .map_or_else(|_| Line::new(), |d| Line::new().with_number(&millis(d)))
    })
}

pub(super) fn alerts(item: &Item) -> Line {
    by_service(item, item.alerts, |firing| match firing {
        0 => Line::of(Role::Dim, "0"),
        firing => Line::of(Role::Bad, firing.to_string()),
    })
}

pub(super) fn age_of(item: &Item) -> Line {
    match item.age {
        None => Line::new(),
        Some(duration) => Line::new().with_number(&age(duration)),
    }
}

/// Bytes a second.
pub(super) fn byte_rate(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate of whole bytes, never negative"
    )]
    let whole = rate.round() as u64;
    format!("{}/s", bytes(whole))
}

fn byte_cell(rate: f64) -> Line {
    if rate < 0.5 {
        Line::of(Role::Dim, "0")
    } else {
        Line::new().with_number(&byte_rate(rate))
    }
}

pub(super) fn received(item: &Item) -> Line {
    known(item.network, |(received, _)| byte_cell(received))
}

pub(super) fn sent(item: &Item) -> Line {
    known(item.network, |(_, sent)| byte_cell(sent))
}

pub(super) fn pids(item: &Item) -> Line {
    known(item.usage, |usage| Line::of(Role::Text, short(usage.pids)))
}
