//! The fold of all facts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::fact::{
    Alert, Chart, ContainerDetails, Fact, Link, PlannedChanges, ProbeRecord, Reading, ServiceTraffic,
    SmokeRecord, UsageHistory,
};
use super::logs::LogBuffer;
use super::timeline::{Happening, Kind, Timeline};
use crate::base::{ContainerId, Moment, ProjectName, ServiceName};
use crate::event::{Body, Event, ProbeAttempt, Snapshot};
use crate::model::board::Board;
use crate::model::{Container, Project};
use crate::plan::Instance;

/// How many probes are kept of an instance.
const PROBES: usize = 200;
/// How many results are kept of a smoke test.
const RESULTS: usize = 20;
/// How many command lines are kept.
const COMMANDS: usize = 200;

/// What is known of a living project.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The moment of the last fact or tick.
    pub at: Moment,
    /// The same, nanoseconds since 1970.
    pub wall: i64,
    /// The project.
    pub name: Option<ProjectName>,
    /// The stack's files, where they are at hand.
    pub project: Option<Arc<Project>>,
    /// Why the files cannot be read now.
    pub unreadable: Option<String>,
    /// How the engine is reached.
    pub link: Link,
    /// The newest list of containers, by service and number.
    pub containers: Vec<Container>,
    /// When that list was read; `None` before the first. Without a list nothing is "not there".
    pub listed: Option<Moment>,
    /// What inspections told.
    pub details: BTreeMap<ContainerId, ContainerDetails>,
    /// Use of the machine.
    pub usage: BTreeMap<ContainerId, UsageHistory>,
    /// Log lines.
    pub logs: LogBuffer,
    /// What happened.
    pub timeline: Timeline,
    /// Traffic by service.
    pub traffic: Reading<BTreeMap<ServiceName, ServiceTraffic>>,
    /// Alerts.
    pub alerts: Reading<Vec<Alert>>,
    /// The dashboards of the stack; `None` until they were looked for.
    pub boards: Option<Result<Arc<Vec<Board>>, String>>,
    /// Data of panels, by dashboard and panel.
    pub charts: BTreeMap<(usize, usize), Chart>,
    /// Probes by instance, oldest first.
    pub probes: BTreeMap<Instance, VecDeque<ProbeRecord>>,
    /// The fold of the newest run in this process, and where its clock began on ours.
    pub run: Option<Box<Snapshot>>,
    /// What differs from the files.
    pub plan: Option<Result<Arc<PlannedChanges>, String>>,
    /// Smoke tests that run now.
    pub testing: Vec<String>,
    /// Results of smoke tests by name, oldest first.
    pub smoke: IndexMap<String, VecDeque<SmokeRecord>>,
    /// What was asked for here, oldest first.
    pub asked: VecDeque<Asked>,
}

/// Something that was asked for here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Moment,
    /// The command line that does the same.
    pub command: String,
    /// `None` while it is under way; else why it failed, where it did.
    pub outcome: Option<Result<(), String>>,
}

impl Live {
    /// Nothing is known of a project yet.
    pub fn new(name: ProjectName, project: Option<Arc<Project>>) -> Self {
        Self {
            name: Some(name),
            project,
            ..Self::default()
        }
    }

    /// Time passes.
    pub fn tick(&mut self, at: Moment, wall: i64) {
        self.at = at;
        self.wall = wall;
    }

    /// Takes a fact in.
    pub fn apply(&mut self, at: Moment, wall: i64, fact: Fact) {
        self.tick(at, wall);
        match fact {
            Fact::Project(project) => {
                self.project = Some(project);
                self.unreadable = None;
            }
            Fact::ProjectUnreadable(why) => self.unreadable = Some(why),
            Fact::Engine(link) => self.engine(link),
            Fact::Containers(containers) => self.containers(containers),
            Fact::Details(id, details) => {
                if self.container(&id).is_some() {
                    self.details.insert(id, details);
                }
            }
            Fact::Happened(entry) => self.timeline.push(entry),
            Fact::Usage(id, usage) => self.usage.entry(id).or_default().push(at, usage),
            Fact::Logs(records) => {
                for record in records {
                    self.logs.push(record);
                }
            }
            Fact::Traffic(reading) => self.traffic.replace(reading),
            Fact::Alerts(reading) => self.alerts(reading),
            Fact::Boards(boards) => {
                self.boards = Some(boards);
                self.charts.clear();
            }
            Fact::Chart(chart) => {
                self.charts.insert((chart.board, chart.panel), chart);
            }
            Fact::Probed(instance, record) => self.probed(&instance, record),
            Fact::Run(event) => self.run_event(&event),
            Fact::Plan(plan) => self.plan = Some(plan),
            Fact::SmokeStarted(name) => self.testing.push(name),
            Fact::Smoke(record) => self.tested(record),
            Fact::Asked(command) => {
                let asked = Asked {
                    at,
                    command: command.clone(),
                    outcome: None,
                };
                keep(&mut self.asked, asked, COMMANDS);
                self.happened(Kind::Action, command);
            }
            Fact::Answered(command, outcome) => {
                let open = self.asked.iter_mut().rev();
                if let Some(asked) = open
                    .into_iter()
                    .find(|a| a.command == command && a.outcome.is_none())
                {
                    asked.outcome = Some(outcome);
                }
            }
        }
    }

    fn happened(&mut self, kind: Kind, text: String) {
        self.timeline.push(Happening {
            time: self.wall,
            kind,
            instance: None,
            service: None,
            container: None,
            text,
        });
    }

    fn engine(&mut self, link: Link) {
        match (&self.link, &link) {
            (Link::Lost { since, .. }, Link::Up { .. }) => {
                let away = crate::base::format_duration(self.at.saturating_sub(*since));
                self.happened(Kind::EngineBack, format!("the engine answers again after {away}"));
            }
            (Link::Connecting | Link::Up { .. }, Link::Lost { reason, .. }) => {
                self.happened(Kind::EngineLost, reason.clone());
            }
            // Since when it is away stays what it was.
            (Link::Lost { since, .. }, Link::Lost { reason, .. }) => {
                self.link = Link::Lost {
                    since: *since,
                    reason: reason.clone(),
                };
                return;
            }
            _ => {}
        }
        self.link = link;
    }

    fn containers(&mut self, mut containers: Vec<Container>) {
        containers.sort_by(|a, b| {
            (&a.service, a.number, a.created, &a.id).cmp(&(&b.service, b.number, b.created, &b.id))
        });
        let there = |id: &ContainerId| containers.iter().any(|c| c.id == *id);
        self.details.retain(|id, _| there(id));
        self.usage
            .retain(|id, _| containers.iter().any(|c| c.id == *id && c.state.is_running()));
        let running = |instance: &Instance| {
            containers
                .iter()
                .any(|c| c.service == instance.service && c.number == instance.number && c.state.is_running())
        };
        // A new container proves itself anew.
        self.probes.retain(|instance, _| running(instance));
        self.containers = containers;
        self.listed = Some(self.at);
    }

    fn alerts(&mut self, reading: Reading<Vec<Alert>>) {
        if let Reading::Fresh { value, .. } = &reading {
            let before = self.alerts.value().cloned().unwrap_or_default();
            let news = |kind, alert: &Alert| Happening {
                time: self.wall,
                kind,
                instance: None,
                service: alert.service.clone(),
                container: None,
                text: match alert.summary.as_str() {
                    "" => alert.name.clone(),
                    summary => format!("{}: {summary}", alert.name),
                },
            };
            let lacks =
                |list: &[Alert], alert: &Alert| list.iter().all(|o| o.fingerprint != alert.fingerprint);
            let firing = value.iter().filter(|a| lacks(&before, a));
            let over = before.iter().filter(|a| lacks(value, a));
            let entries: Vec<Happening> = firing
                .map(|a| news(Kind::AlertFiring, a))
                .chain(over.map(|a| news(Kind::AlertResolved, a)))
                .collect();
            for entry in entries {
                self.timeline.push(entry);
            }
        }
        self.alerts.replace(reading);
    }

    fn probed(&mut self, instance: &Instance, record: ProbeRecord) {
        let history = self.probes.entry(instance.clone()).or_default();
        let before = history.back().map(|last| last.attempt.passed);
        let passed = record.attempt.passed;
        let text = if passed {
            "its probe passes again".to_owned()
        } else {
            format!(
                "its probe fails: {}: {}",
                record.attempt.what, record.attempt.detail
            )
        };
        keep(history, record, PROBES);
        if before.is_some_and(|before| before != passed) {
            self.timeline.push(Happening {
                time: self.wall,
                kind: if passed { Kind::Healthy } else { Kind::Unhealthy },
                instance: Some(instance.clone()),
                service: Some(instance.service.clone()),
                container: self.container_of(instance).map(|c| c.id.clone()),
                text,
            });
        }
    }

    fn tested(&mut self, record: SmokeRecord) {
        self.testing.retain(|name| *name != record.result.name);
        let history = self.smoke.entry(record.result.name.clone()).or_default();
        keep(history, record, RESULTS);
    }

    fn run_event(&mut self, event: &Event) {
        if matches!(event.body, Body::RunStarted { .. }) || self.run.is_none() {
            self.run = Some(Box::default());
        }
        match &event.body {
            Body::Probed { instance, attempt } => self.probed(instance, in_a_run(self.at, attempt)),
            Body::TestStarted { name } => self.testing.push(name.clone()),
            Body::TestDone(result) => self.tested(SmokeRecord {
                at: self.at,
                result: result.clone(),
            }),
            // What had begun will not end any more.
            Body::Finished(_) => self.testing.clear(),
            _ => {}
        }
        if let Some(run) = &mut self.run {
            run.apply(event);
        }
    }

    /// Whether a run in this process changes the project now.
    pub fn is_changing(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.verdict.is_none())
    }

    /// Alerts that fire, of one service or of all.
    pub fn firing<'l>(&'l self, service: Option<&'l ServiceName>) -> impl Iterator<Item = &'l Alert> {
        self.alerts
            .value()
            .into_iter()
            .flatten()
            .filter(move |a| a.state == "active" && service.is_none_or(|s| a.service.as_ref() == Some(s)))
    }
}

/// A try on the way to ready: however many fail, the run decides what that means.
fn in_a_run(at: Moment, attempt: &ProbeAttempt) -> ProbeRecord {
    ProbeRecord {
        at,
        attempt: attempt.clone(),
        failures: u32::from(!attempt.passed),
        allowed: u32::MAX,
    }
}

fn keep<T>(history: &mut VecDeque<T>, item: T, most: usize) {
    if history.len() == most {
        history.pop_front();
    }
    history.push_back(item);
}
