//! What was measured, and its middle.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::floor::Marks;
use super::measure::Sample;
use super::stand::Who;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// From nothing to everything ready, with the stack's own health intervals.
    UpOwn,
    /// The same with intervals of one second.
    UpFast,
    /// Once more, where everything is up; docker compose with `--wait`.
    Again,
    /// The same without `--wait` (and `--no-wait` for ours).
    AgainUnproven,
    /// The model, as YAML.
    Config,
    /// The list of containers.
    Ps,
    /// Everything removed, volumes too.
    Down,
    /// So many services that do nothing.
    ManyUp(usize),
    /// The same, removed.
    ManyDown(usize),
}

impl Row {
    /// For people.
    pub fn title(self) -> String {
        match self {
            Row::UpOwn => "up, the stack's own health intervals".into(),
            Row::UpFast => "up, health intervals of 1 s".into(),
            Row::Again => "up once more, everything proven".into(),
            Row::AgainUnproven => "up once more, nothing proven".into(),
            Row::Config => "config".into(),
            Row::Ps => "ps".into(),
            Row::Down => "down -v".into(),
            Row::ManyUp(n) => format!("up, {n} services that do nothing"),
            Row::ManyDown(n) => format!("down, {n} services"),
        }
    }

    /// At most this part of docker compose's time.
    pub fn target(self) -> Option<f64> {
        match self {
            Row::UpOwn => Some(1.0 / 40.0),
            Row::UpFast => Some(0.35),
            Row::Again => Some(0.05),
            Row::Config => Some(0.15),
            Row::Down | Row::ManyDown(_) => Some(1.0),
            Row::AgainUnproven | Row::Ps | Row::ManyUp(_) => None,
        }
    }
}

/// At most so many times the engine's floor.
pub const FLOOR_TARGET: f64 = 1.15;
/// The most memory of a command, and the largest binary, in MiB.
pub const SIZE_TARGET: f64 = 20.0;

/// What was measured.
#[derive(Debug, Default)]
pub struct Figures {
    /// Commands.
    pub samples: BTreeMap<(Row, Who), Vec<Sample>>,
    /// The engine's floor for `up`.
    pub floor: Vec<Marks>,
}

/// Many numbers in three.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// How many there were.
    pub runs: usize,
    /// The middle one.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

/// The spread of numbers; `None` of none.
pub fn spread(numbers: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    let median = if numbers.len() % 2 == 1 {
        upper
    } else {
        (upper + numbers.get(middle - 1)?) / 2.0
    };
    Some(Spread {
        runs: numbers.len(),
        median,
        least: *numbers.first()?,
        most: *numbers.last()?,
    })
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl Figures {
    /// Adds one run.
    pub fn add(&mut self, row: Row, who: Who, sample: Sample) {
        self.samples.entry((row, who)).or_default().push(sample);
    }

    /// The times of a row in milliseconds.
    pub fn wall(&self, row: Row, who: Who) -> Option<Spread> {
        spread(self.samples.get(&(row, who))?.iter().map(|s| ms(s.wall)))
    }

    /// The processor times of a row in milliseconds.
    pub fn cpu(&self, row: Row, who: Who) -> Option<Spread> {
        spread(self.samples.get(&(row, who))?.iter().map(|s| ms(s.cpu)))
    }

    /// The highest memory of a row in MiB.
    pub fn peak(&self, row: Row, who: Who) -> Option<f64> {
        self.samples
            .get(&(row, who))?
            .iter()
            .map(|s| s.peak_kib as f64 / 1024.0)
            .reduce(f64::max)
    }

    /// Everything, for further use.
    pub fn json(&self) -> serde_json::Value {
        let mut rows = Vec::new();
        for ((row, who), samples) in &self.samples {
            rows.push(serde_json::json!({"row": row.title(), "who": who.name(), "samples": samples}));
        }
        serde_json::json!({"rows": rows, "floor": self.floor})
    }
}
