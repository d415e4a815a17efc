//! The columns of the table: each is one line of [`COLUMNS`].

use std::cmp::Ordering;
use std::time::Duration;

use super::super::ColumnInfo;
use super::cells::{
    age_of, alerts, cpu, errors, limit, memory, name, p95, pids, probe, rate, received, restarts, sent, stage,
};
use super::item::{Item, Known};
use crate::event::live::Shade;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::Line;

/// A column: what it is called, how it fits, what stands in it and how it sorts.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name in settings and commands.
    pub(super) name: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What it tells and where that comes from, for the documentation.
    pub(super) help: &'static str,
    /// The lower, the longer it stays when there is little room.
    pub(super) priority: u8,
    /// Its width; a text gets less where it needs less, and more where there is room for all.
    pub(super) width: u16,
    /// Where it stands in its width.
    pub(super) align: Align,
    /// What it is made from.
    pub(super) source: Source,
    /// What stands in it.
    pub(super) cell: fn(&Item) -> Line,
    /// What it sorts by.
    pub(super) key: fn(&Item) -> Key<'_>,
}

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// At the left, as texts do; such a column grows with what is in it.
    Left,
    /// At the right, as numbers do.
    Right,
}

/// What a column is made from: it is read only where the column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The list of containers, which is always there.
    Engine,
    /// The engine's statistics, streamed for each container.
    Usage,
    /// The running Prometheus.
    Traffic,
    /// The running Alertmanager.
    Alerts,
}

/// What rows are ordered by. What has no value comes last, whichever way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key<'i> {
    /// No value.
    Nothing,
    /// The greatest first.
    Number(f64),
    /// By the alphabet.
    Text(&'i str),
}

/// All columns, in their usual order.
pub(super) const COLUMNS: &[Column] = &[
    column(
        "name",
        "NAME",
        0,
        20,
        Align::Left,
        Source::Engine,
        name,
        |i| Key::Text(i.row.instance.service.as_str()),
        "service, and the number where it has several containers",
    ),
    column(
        "stage",
        "STAGE",
        1,
        13,
        Align::Left,
        Source::Engine,
        stage,
        |i| Key::Number(shade(i)),
        "what it is doing: the run's stage while `up` is under way, else the last probe's verdict, else the engine's state",
    ),
    column(
        "probe",
        "PROBE",
        4,
        6,
        Align::Right,
        Source::Engine,
        probe,
        |i| seconds(i.probe.map(|(_, took)| took)),
        "how long its last probe took; red where it failed",
    ),
    column(
        "restarts",
        "RST",
        6,
        4,
        Align::Right,
        Source::Engine,
        restarts,
        |i| count(i.restarts),
        "how often the engine restarted the container (`RestartCount`)",
    ),
    column(
        "cpu",
        "CPU%",
        2,
        6,
        Align::Right,
        Source::Usage,
        cpu,
        |i| of(i.usage.map(|u| Some(u.cpu_percent))),
        "per cent of one core, as `docker stats` shows it: 200 is two whole cores",
    ),
    column(
        "memory",
        "MEM",
        3,
        7,
        Align::Right,
        Source::Usage,
        memory,
        |i| of(i.usage.map(|u| Some(float(u.memory)))),
        "memory without page cache that can be given back, as `docker stats` shows it",
    ),
    column(
        "limit",
        "MEM%",
        9,
        6,
        Align::Right,
        Source::Usage,
        limit,
        |i| of(i.usage.map(|u| Some(u.memory_percent()))),
        "memory as per cent of the container's limit; of the machine's memory where it has none",
    ),
    column(
        "rate",
        "REQ/S",
        7,
        6,
        Align::Right,
        Source::Traffic,
        rate,
        |i| of(i.traffic.map(|t| t.rate)),
        "requests a second over the last minute, from Prometheus; of the service as a whole",
    ),
    column(
        "errors",
        "ERR%",
        7,
        6,
        Align::Right,
        Source::Traffic,
        errors,
        |i| of(i.traffic.map(|t| t.errors)),
        "failed requests as per cent of all, from Prometheus",
    ),
    column(
        "p95",
        "P95",
        8,
        6,
        Align::Right,
        Source::Traffic,
        p95,
        |i| of(i.traffic.map(|t| t.p95)),
        "95th percentile of the time to answer, from Prometheus",
    ),
    column(
        "alerts",
        "ALRT",
        5,
        4,
        Align::Right,
        Source::Alerts,
        alerts,
        |i| of(i.alerts.map(|n| Some(float(n as u64)))),
        "alerts that fire for the service, from Alertmanager",
    ),
    column(
        "age",
        "AGE",
        4,
        4,
        Align::Right,
        Source::Engine,
        age_of,
        |i| seconds(i.age),
        "since it started; where it does not run, since it ended",
    ),
    column(
        "image",
        "IMAGE",
        10,
        30,
        Align::Left,
        Source::Engine,
        |i| Line::of(Role::Dim, &i.image),
        |i| Key::Text(&i.image),
        "the image as it was named when the container was made",
    ),
    column(
        "ports",
        "PORTS",
        11,
        16,
        Align::Left,
        Source::Engine,
        |i| Line::of(Role::Text, &i.ports),
        |i| text(&i.ports),
        "published ports: on the host → in the container",
    ),
    column(
        "in",
        "NET IN",
        12,
        9,
        Align::Right,
        Source::Usage,
        received,
        |i| of(i.network.map(|(r, _)| Some(r))),
        "bytes received a second over all networks, over the last 5 s",
    ),
    column(
        "out",
        "NET OUT",
        12,
        9,
        Align::Right,
        Source::Usage,
        sent,
        |i| of(i.network.map(|(_, s)| Some(s))),
        "bytes sent a second over all networks, over the last 5 s",
    ),
    column(
        "pids",
        "PIDS",
        13,
        5,
        Align::Right,
        Source::Usage,
        pids,
        |i| of(i.usage.map(|u| Some(float(u.pids)))),
        "processes and threads",
    ),
];

/// What the settings file is to know of them.
pub const INFO: &[ColumnInfo] = &{
    let none = ColumnInfo {
        name: "",
        title: "",
        help: "",
    };
    let mut all = [none; COLUMNS.len()];
    let mut at = 0;
    while at < COLUMNS.len() {
        let column = &COLUMNS[at];
        all[at] = ColumnInfo {
            name: column.name,
            title: column.title,
            help: column.help,
        };
        at += 1;
    }
    all
};

#[expect(clippy::too_many_arguments, reason = "a line of a table")]
const fn column(
    name: &'static str,
    title: &'static str,
    priority: u8,
    width: u16,
    align: Align,
    source: Source,
    cell: fn(&Item) -> Line,
    key: fn(&Item) -> Key<'_>,
    help: &'static str,
) -> Column {
    Column {
        name,
        title,
        help,
        priority,
        width,
        align,
        source,
        cell,
        key,
    }
}

/// A column by its name.
pub(super) fn by_name(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

impl Column {
    /// Which of two rows comes first.
    pub(super) fn order(&self, one: &Item, other: &Item, reversed: bool) -> Ordering {
        let turned = |order: Ordering| if reversed { order.reverse() } else { order };
        match ((self.key)(one), (self.key)(other)) {
            (Key::Nothing, Key::Nothing) => Ordering::Equal,
            (Key::Nothing, _) => Ordering::Greater,
            (_, Key::Nothing) => Ordering::Less,
            (Key::Number(a), Key::Number(b)) => turned(b.total_cmp(&a)),
            (Key::Text(a), Key::Text(b)) => turned(a.cmp(b)),
            (Key::Number(_), Key::Text(_)) => Ordering::Less,
            (Key::Text(_), Key::Number(_)) => Ordering::Greater,
        }
    }

    /// The mark beside the heading of the column that rows are ordered by: towards the greater end.
    pub(super) fn arrow(&self, reversed: bool, unicode: bool) -> &'static str {
        let falling = (self.align == Align::Right || self.name == "stage") != reversed;
        match (falling, unicode) {
            (true, true) => "▾",
            (false, true) => "▴",
            (true, false) => "v",
            (false, false) => "^",
        }
    }
}

fn shade(item: &Item) -> f64 {
    match item.row.condition.shade {
        Shade::Good => 0.0,
        Shade::Off => 1.0,
        Shade::Busy => 2.0,
        Shade::Attention => 3.0,
        Shade::Bad => 4.0,
    }
}

fn of(value: Known<f64>) -> Key<'static> {
    value.value().map_or(Key::Nothing, Key::Number)
}

fn seconds(value: Option<Duration>) -> Key<'static> {
    value.map_or(Key::Nothing, |v| Key::Number(v.as_secs_f64()))
}

fn count(value: Option<u64>) -> Key<'static> {
    value.map_or(Key::Nothing, |v| Key::Number(float(v)))
}

fn text(value: &str) -> Key<'_> {
    if value.is_empty() {
        Key::Nothing
    } else {
        Key::Text(value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "for ordering and for a few digits")]
fn float(value: u64) -> f64 {
    value as f64
}
