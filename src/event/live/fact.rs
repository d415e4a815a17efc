//! Facts: what is learned about a living project, one at a time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::{Happening, LogRecord};
use crate::base::{ContainerId, Moment, ServiceName};
use crate::event::{Event, ProbeAttempt, TestResult};
use crate::model::board::Board;
use crate::model::{Container, Project, Usage};
use crate::plan::Instance;

/// Something learned about a living project.
#[derive(Debug, Clone)]
pub enum Fact {
    /// The stack's files, as loaded now.
    Project(Arc<Project>),
    /// The stack's files cannot be read now; what was loaded before goes on to be shown.
    ProjectUnreadable(String),
    /// How the engine is reached, or that it is not.
    Engine(Link),
    /// All containers of the project, one-offs included.
    Containers(Vec<Container>),
    /// What only an inspection tells about a container.
    Details(ContainerId, ContainerDetails),
    /// Something happened.
    Happened(Happening),
    /// A container's use of the machine, a second's worth.
    Usage(ContainerId, Usage),
    /// Lines of logs, those of one container in order.
    Logs(Vec<LogRecord>),
    /// Request rate, errors and latency by service, from the running Prometheus.
    Traffic(Reading<BTreeMap<ServiceName, ServiceTraffic>>),
    /// Alerts from the running Alertmanager.
    Alerts(Reading<Vec<Alert>>),
    /// The dashboards of the stack, in the order of their files; or why there are none.
    Boards(Result<Arc<Vec<Board>>, String>),
    /// A panel's data.
    Chart(Chart),
    /// A probe was tried.
    Probed(Instance, ProbeRecord),
    /// Something that a run in this process did (`up`, or an action asked for here).
    Run(Box<Event>),
    /// What differs from the files; or why that cannot be told.
    Plan(Result<Arc<PlannedChanges>, String>),
    /// A smoke test began.
    SmokeStarted(String),
    /// A smoke test ended.
    Smoke(SmokeRecord),
    /// Something asked for here is under way: its command line.
    Asked(String),
    /// Something asked for here is done: its command line, and why it failed where it did.
    Answered(String, Result<(), String>),
}

impl Fact {
    /// Whether it is one of the readings that come all the time and can be shown a moment later.
    pub fn is_reading(&self) -> bool {
        match self {
            Self::Usage(..) | Self::Traffic(_) | Self::Alerts(_) | Self::Chart(_) => true,
            Self::Probed(_, record) => record.attempt.passed,
            _ => false,
        }
    }
}

/// How the engine is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing is known yet.
    #[default]
    Connecting,
    /// It answers.
    Up {
        /// `Docker Engine 20.10.24 (API 1.41)`.
        description: String,
        /// Where it is reached.
        endpoint: String,
        /// Its cores, for what 100 % means.
        cpus: u64,
    },
    /// It does not answer. What is shown of its containers is as old as that.
    Lost {
        /// Since when.
        since: Moment,
        /// What was seen.
        reason: String,
    },
}

/// What only an inspection tells about a container (Engine API, `ContainerInspect`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerDetails {
    /// RFC 3339 on the engine's clock; empty where it never started.
    pub started_at: String,
    /// RFC 3339 on the engine's clock; empty where it never ended.
    pub finished_at: String,
    /// How often the engine restarted it.
    pub restart_count: u64,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// The engine's message for a start that failed.
    pub error: String,
    /// Process id on the host, 0 where it does not run.
    pub pid: i64,
}

/// The last [`UsageHistory::MOST`] readings of a container.
#[derive(Debug, Clone, Default)]
pub struct UsageHistory {
    /// Oldest first, each with its moment.
    pub readings: VecDeque<(Moment, Usage)>,
}

impl UsageHistory {
    /// How many are kept: four minutes' worth.
    pub const MOST: usize = 240;

    /// The newest.
    pub fn last(&self) -> Option<&Usage> {
        self.readings.back().map(|(_, usage)| usage)
    }

    pub(super) fn push(&mut self, at: Moment, usage: Usage) {
        if self.readings.len() == Self::MOST {
            self.readings.pop_front();
        }
        self.readings.push_back((at, usage));
    }
}

/// Something that is read from elsewhere again and again.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Reading<T> {
    /// Not asked for yet.
    #[default]
    Unknown,
    /// There is nobody to ask, and why.
    Nobody(String),
    /// The newest answer, and when it was read.
    Fresh {
        /// The answer.
        value: T,
        /// When it was read.
        at: Moment,
    },
    /// The last question got no answer; the last answer, where there was one.
    Stale {
        /// The last answer and its moment.
        last: Option<(T, Moment)>,
        /// Why there is no newer one.
        why: String,
    },
}

impl<T> Reading<T> {
    /// The newest answer, however old.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Fresh { value, .. }
            | Self::Stale {
                last: Some((value, _)),
                ..
            } => Some(value),
            _ => None,
        }
    }

    /// Why there is no fresh answer.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Nobody(why) | Self::Stale { why, .. } => Some(why),
            Self::Unknown | Self::Fresh { .. } => None,
        }
    }

    /// Takes a newer reading in: a failed one keeps the last answer.
    pub(super) fn replace(&mut self, newer: Self) {
        let kept = match std::mem::take(self) {
            Self::Fresh { value, at } => Some((value, at)),
            Self::Stale { last, .. } => last,
            Self::Unknown | Self::Nobody(_) => None,
        };
        *self = match newer {
            Self::Stale { last: None, why } => Self::Stale { last: kept, why },
            other => other,
        };
    }
}

/// A service's traffic. `None` where Prometheus has no such series, or no requests to compute it from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ServiceTraffic {
    /// Requests a second, over the last minute.
    pub rate: Option<f64>,
    /// Failed requests, as a ratio from 0 to 1.
    pub errors: Option<f64>,
    /// 95th percentile of the time to answer, in seconds.
    pub p95: Option<f64>,
}

/// An alert (Alertmanager API v2, `gettableAlert`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// `alertname`.
    pub name: String,
    /// `severity`, empty where it has none.
    pub severity: String,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// The service it is about: the label `service`, else `job`.
    pub service: Option<ServiceName>,
    /// The annotation `summary`, else `description`.
    pub summary: String,
    /// RFC 3339.
    pub starts_at: String,
    /// What tells it from others.
    pub fingerprint: String,
}

/// A panel's data over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Index of the dashboard in [`Fact::Boards`].
    pub board: usize,
    /// Index of the panel in the dashboard.
    pub panel: usize,
    /// Seconds since 1970 of the first point.
    pub from: f64,
    /// Seconds since 1970 of the last point.
    pub to: f64,
    /// The series, or why there are none.
    pub series: Result<Vec<ChartSeries>, String>,
}

/// A line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartSeries {
    /// As the panel's legend names it.
    pub name: String,
    /// Seconds since 1970 and value; without what is not a number.
    pub points: Vec<(f64, f64)>,
}

/// A probe's try.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeRecord {
    /// When it ended.
    pub at: Moment,
    /// How it went.
    pub attempt: ProbeAttempt,
    /// How many have failed in a row, this one included.
    pub failures: u32,
    /// How many in a row make the service unhealthy.
    pub allowed: u32,
}

/// A smoke test's end.
#[derive(Debug, Clone, PartialEq)]
pub struct SmokeRecord {
    /// When it ended.
    pub at: Moment,
    /// The result, with its evidence.
    pub result: TestResult,
}

/// What `up` would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlannedChanges {
    /// When it was computed.
    pub at: Moment,
    /// The steps, in order.
    pub lines: Vec<PlanLine>,
    /// What is not done and why, and what forbids the plan.
    pub notes: Vec<String>,
    /// Whether the plan may not be done at all.
    pub refused: bool,
}

/// A step of a plan, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanLine {
    /// What is done (`create container devops-app-1`).
    pub what: String,
    /// Why.
    pub cause: String,
    /// The service it concerns.
    pub service: Option<ServiceName>,
    /// Field by field, what differs: path, was, will be.
    pub differences: Vec<(String, String, String)>,
}

/// `nanoseconds` since 1970 as a duration since `then`, never negative.
pub fn since(then: i64, now: i64) -> Duration {
    Duration::from_nanos(u64::try_from(now.saturating_sub(then)).unwrap_or(0))
}
