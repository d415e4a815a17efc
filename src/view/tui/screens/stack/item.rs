//! What the table shows of a row, resolved: each value with how well it is known.

use std::time::Duration;

use crate::base::Moment;
use crate::event::live::{Link, Live, Reading, Row, ServiceTraffic, Usage, UsageHistory, since};
use crate::model::Container;

/// How old a reading of a container's use may be before it is marked.
const USAGE_FRESH: Moment = Moment::from_secs(5);
/// Over which time rates of network and disk are taken.
const RATE_OVER: Moment = Moment::from_secs(5);

/// A value, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known<T> {
    /// There is none: it does not run, or nobody measures it.
    Nothing,
    /// It was asked for and is not there yet.
    Awaited,
    /// Whoever knows it does not answer.
    Away,
    /// As it was when whoever knows it last answered.
    Old(T),
    /// As it is.
    Now(T),
}

impl<T> Known<T> {
    /// Another value made of it, known as well; `None` is no value.
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> Option<U>) -> Known<U> {
        match self {
            Self::Nothing => Known::Nothing,
            Self::Awaited => Known::Awaited,
            Self::Away => Known::Away,
            Self::Old(value) => make(value).map_or(Known::Nothing, Known::Old),
            Self::Now(value) => make(value).map_or(Known::Nothing, Known::Now),
        }
    }

    /// The value, however old.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Old(value) | Self::Now(value) => Some(value),
            _ => None,
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// The row.
    pub(super) row: Row,
    /// Whether the row above is of the same service, so that what is known by service stands there.
    pub(super) follows: bool,
    /// Its last probe: passed, and how long it took.
    pub(super) probe: Option<(bool, Duration)>,
    /// How often the engine restarted it.
    pub(super) restarts: Option<u64>,
    /// Its use of the machine.
    pub(super) usage: Known<Usage>,
    /// Bytes a second: received, sent.
    pub(super) network: Known<(f64, f64)>,
    /// Its service's traffic.
    pub(super) traffic: Known<ServiceTraffic>,
    /// How many alerts fire for its service.
    pub(super) alerts: Known<usize>,
    /// Since it started; where it does not run, since it ended.
    pub(super) age: Option<Duration>,
    /// The image as it was named.
    pub(super) image: String,
    /// Published ports.
    pub(super) ports: String,
}

impl Item {
    /// What is known of a row now.
    pub(super) fn of(live: &Live, row: Row) -> Self {
        let container = row.container.as_ref().and_then(|id| live.container(id));
        let runs = container.is_some_and(|c| c.state.is_running());
        let history = container.and_then(|c| live.usage.get(&c.id));
        Self {
            follows: false,
            probe: live
                .probes
                .get(&row.instance)
                .and_then(|history| history.back())
                .map(|last| (last.attempt.passed, last.attempt.took)),
            restarts: container
                .and_then(|c| live.details.get(&c.id))
                .map(|d| d.restart_count),
            usage: usage(live, runs, history, |history| history.last().copied()),
            network: usage(live, runs, history, |history| {
                rates(history).map(|[received, sent, ..]| (received, sent))
            }),
            traffic: read(&live.traffic, |by_service| {
                by_service.get(&row.instance.service).copied()
            }),
            alerts: read(&live.alerts, |_| {
                Some(live.firing(Some(&row.instance.service)).count())
            }),
            age: container.and_then(|c| age(live, c)),
            image: image(live, &row, container),
            ports: container.map(ports).unwrap_or_default(),
            row,
        }
    }
}

fn usage<T>(
    live: &Live,
    runs: bool,
    history: Option<&UsageHistory>,
    value: impl FnOnce(&UsageHistory) -> Option<T>,
) -> Known<T> {
    if !runs {
        return Known::Nothing;
    }
    let Some((history, (at, _))) = history.and_then(|h| Some((h, h.readings.back()?))) else {
        return Known::Awaited;
    };
    match value(history) {
        None => Known::Awaited,
        Some(value)
            if live.at.saturating_sub(*at) > USAGE_FRESH || matches!(live.link, Link::Lost { .. }) =>
        {
            Known::Old(value)
        }
        Some(value) => Known::Now(value),
    }
}

/// Bytes a second over the last seconds: received, sent, read, written.
pub(super) fn rates(history: &UsageHistory) -> Option<[f64; 4]> {
    let (at, last) = history.readings.back()?;
    let (then, first) = history
        .readings
        .iter()
        .rev()
        .skip(1)
        .take_while(|(then, _)| at.saturating_sub(*then) <= RATE_OVER)
        .last()?;
    let seconds = at.saturating_sub(*then).as_secs_f64();
    if seconds <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
    Some([
        rate(last.received, first.received),
        rate(last.sent, first.sent),
        rate(last.read, first.read),
        rate(last.written, first.written),
    ])
}

fn read<T, U>(reading: &Reading<T>, value: impl FnOnce(&T) -> Option<U>) -> Known<U> {
    match reading {
        Reading::Unknown => Known::Awaited,
        Reading::Nobody(_) | Reading::Stale { last: None, .. } => Known::Away,
        Reading::Fresh { value: all, .. } => value(all).map_or(Known::Nothing, Known::Now),
        Reading::Stale {
            last: Some((all, _)), ..
        } => value(all).map_or(Known::Nothing, Known::Old),
    }
}

/// RFC 3339 as nanoseconds since 1970; `None` for what is none, and for the engine's `0001-01-01`.
pub(super) fn nanoseconds(time: &str) -> Option<i64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().filter(|time| *time > 0)
}

/// Since it started, where it runs; since it ended, where it did; else since it was created.
fn age(live: &Live, container: &Container) -> Option<Duration> {
    let details = live.details.get(&container.id);
    let time = details
        .map(|d| {
            if container.state.is_running() {
                &d.started_at
            } else {
                &d.finished_at
            }
        })
        .and_then(|time| nanoseconds(time));
    let created = (container.created > 0).then(|| container.created.saturating_mul(1_000_000_000));
    time.or(created).map(|time| since(time, live.wall))
}

fn image(live: &Live, row: &Row, container: Option<&Container>) -> String {
    if let Some(container) = container {
        return container.image_ref.clone();
    }
    let service = row.instance.service.as_str();
    live.project
        .as_ref()
        .and_then(|project| {
            let wanted = project.services.get(&row.instance.service)?;
            Some(wanted.image_reference(project.name.as_str(), service))
        })
        .unwrap_or_default()
}

/// Ports that are published, each once whatever addresses it has: `8080→80 9090`.
fn ports(container: &Container) -> String {
    let mut shown: Vec<String> = Vec::new();
    for port in &container.ports {
        let Some((_, host)) = &port.host else { continue };
        let mut text = if *host == port.target {
            host.to_string()
        } else {
            format!("{host}→{}", port.target)
        };
        if port.protocol != "tcp" {
            text = format!("{text}/{}", port.protocol);
        }
        if !shown.contains(&text) {
            shown.push(text);
        }
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: u64, received: u64) -> (Moment, Usage) {
        let usage = Usage {
            received,
            ..Usage::default()
        };
        (Duration::from_secs(at), usage)
    }

    #[test]
    fn rates_are_taken_over_the_last_seconds() {
        let history = |readings: &[(Moment, Usage)]| UsageHistory {
            readings: readings.iter().copied().collect(),
        };
        let of = |readings: &[_]| rates(&history(readings)).map(|[received, ..]| received);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[reading(1, 10)]), None);
        assert_eq!(of(&[reading(1, 10), reading(3, 30)]), Some(10.0));
        // What is older counts no more; a counter that began anew is no negative rate.
        assert_eq!(
            of(&[reading(1, 0), reading(10, 0), reading(11, 500)]),
            Some(500.0)
        );
        assert_eq!(of(&[reading(1, 900), reading(2, 0)]), Some(0.0));
    }

    #[test]
    fn times_of_the_engine() {
        assert_eq!(nanoseconds("1970-01-01T00:00:01.5Z"), Some(1_500_000_000));
        assert_eq!(nanoseconds("0001-01-01T00:00:00Z"), None);
        assert_eq!(nanoseconds(""), None);
    }
}
