//! Services and instances as rows: what each is doing, and why where that is not plainly good.

use std::borrow::Cow;

use super::Live;
use super::fact::ProbeRecord;
use crate::base::{ContainerId, ServiceName};
use crate::event::{InstanceView, Stage};
use crate::model::{Condition as Awaited, Container, ContainerState, EngineHealth, Project};
use crate::plan::Instance;

/// A row: a container, or a service that has none.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Service and number.
    pub instance: Instance,
    /// The container, where there is one.
    pub container: Option<ContainerId>,
    /// How it is doing.
    pub condition: Condition,
    /// Whether it is in the stack's files; an orphan is not.
    pub wanted: bool,
}

/// How something is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How good that is.
    pub shade: Shade,
    /// In one word or two.
    pub word: Cow<'static, str>,
    /// Why, for whatever is not plainly good.
    pub reason: Option<String>,
}

/// How good a condition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shade {
    /// As wanted.
    Good,
    /// On its way there.
    Busy,
    /// Not there, or stopped on purpose.
    Off,
    /// Something to look at.
    Attention,
    /// Failed.
    Bad,
}

impl Condition {
    fn new(shade: Shade, word: impl Into<Cow<'static, str>>, reason: Option<String>) -> Self {
        Self {
            shade,
            word: word.into(),
            reason,
        }
    }
}

/// Exit codes of processes that were told to end: SIGINT, SIGKILL, SIGTERM.
const TOLD_TO_END: [i64; 3] = [130, 137, 143];

impl Live {
    /// All rows: services in the stack's order with their containers, then containers of services that
    /// the stack does not have. One-off containers of `run` are left out.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let wanted: Vec<&ServiceName> = self
            .project
            .iter()
            .flat_map(|project| project.services.keys())
            .collect();
        for name in &wanted {
            let before = rows.len();
            let own = self
                .containers
                .iter()
                .filter(|c| c.service == **name && !c.oneoff);
            rows.extend(own.map(|c| self.row_of(c, true)));
            if rows.len() == before {
                rows.push(self.row_without(name));
            }
        }
        let orphans = self
            .containers
            .iter()
            .filter(|c| !c.oneoff && !wanted.contains(&&c.service));
        // Without the files, nothing is an orphan: nobody knows what is wanted.
        rows.extend(orphans.map(|c| self.row_of(c, self.project.is_none())));
        rows
    }

    /// The row of an instance.
    pub fn row(&self, instance: &Instance) -> Option<Row> {
        self.rows().into_iter().find(|row| row.instance == *instance)
    }

    /// A container of the newest list.
    pub fn container(&self, id: &ContainerId) -> Option<&Container> {
        self.containers.iter().find(|c| c.id == *id)
    }

    /// The container of an instance.
    pub fn container_of(&self, instance: &Instance) -> Option<&Container> {
        self.containers
            .iter()
            .find(|c| c.service == instance.service && c.number == instance.number && !c.oneoff)
    }

    fn row_of(&self, container: &Container, wanted: bool) -> Row {
        let instance = Instance {
            service: container.service.clone(),
            number: container.number,
        };
        Row {
            condition: self.condition(&instance, container),
            container: Some(container.id.clone()),
            instance,
            wanted,
        }
    }

    fn row_without(&self, service: &ServiceName) -> Row {
        let instance = Instance {
            service: service.clone(),
            number: 1,
        };
        let condition = match self.of_run(&instance) {
            Some(view) => of_stage(view),
            None if self.listed.is_none() => Condition::new(
                Shade::Off,
                "unknown",
                Some("the engine has not told yet what there is".into()),
            ),
            None => {
                let optional = self
                    .project
                    .as_ref()
                    .and_then(|project| project.services.get(service));
                let reason = match optional.is_some_and(|service| service.ext.optional) {
                    true => "it has no container; it is optional: `up` makes one where it gets its image",
                    false => "it has no container; `up` makes one",
                };
                Condition::new(Shade::Off, "not there", Some(reason.into()))
            }
        };
        Row {
            instance,
            container: None,
            condition,
            wanted: true,
        }
    }

    /// What the run under way says of an instance; one that ended is believed only where there is no
    /// container to look at.
    fn of_run(&self, instance: &Instance) -> Option<&InstanceView> {
        let run = self.run.as_ref()?;
        run.instances.get(instance)
    }

    fn condition(&self, instance: &Instance, container: &Container) -> Condition {
        if let Some(run) = &self.run
            && run.verdict.is_none()
            && let Some(view) = run.instances.get(instance)
            && !matches!(view.stage, Stage::Ready | Stage::Completed | Stage::Removed)
        {
            return of_stage(view);
        }
        match &container.state {
            ContainerState::Running => self.running(instance, container),
            ContainerState::Exited { code, oom_killed } => {
                self.exited(instance, container, *code, *oom_killed)
            }
            ContainerState::Created => {
                let error = self
                    .details
                    .get(&container.id)
                    .map(|d| d.error.as_str())
                    .unwrap_or_default();
                match error {
                    "" => Condition::new(Shade::Busy, "created", Some("it was not started yet".into())),
                    error => Condition::new(Shade::Bad, "not started", Some(error.to_owned())),
                }
            }
            ContainerState::Paused => Condition::new(
                Shade::Attention,
                "paused",
                Some("its processes are frozen".into()),
            ),
            ContainerState::Restarting => {
                let times = self.restarts(&container.id);
                let reason = format!("it ends again and again: {times} restarts");
                Condition::new(Shade::Bad, "restarting", Some(reason))
            }
            ContainerState::Removing => Condition::new(Shade::Busy, "removing", None),
            ContainerState::Dead => {
                Condition::new(Shade::Bad, "dead", Some("the engine can only remove it".into()))
            }
        }
    }

    fn running(&self, instance: &Instance, container: &Container) -> Condition {
        if let Some(probe) = self.probes.get(instance).and_then(|history| history.back()) {
            return of_probe(probe);
        }
        match container.health {
            None => Condition::new(Shade::Good, "running", None),
            Some(EngineHealth::Healthy) => Condition::new(Shade::Good, "healthy", None),
            Some(EngineHealth::Starting) => Condition::new(
                Shade::Busy,
                "starting",
                Some("its health check has not passed yet".into()),
            ),
            Some(EngineHealth::Unhealthy) => Condition::new(
                Shade::Bad,
                "unhealthy",
                Some("the engine's health check fails".into()),
            ),
        }
    }

    fn exited(&self, instance: &Instance, container: &Container, code: i64, oom_killed: bool) -> Condition {
        let oom = oom_killed || self.details.get(&container.id).is_some_and(|d| d.oom_killed);
        if oom {
            let reason = "the kernel killed it because it used up its memory".to_owned();
            return Condition::new(Shade::Bad, "out of memory", Some(reason));
        }
        if code == 0 {
            return match self.project.as_deref() {
                Some(project) if !is_one_shot(project, &instance.service) => Condition::new(
                    Shade::Off,
                    "exited (0)",
                    Some("it ended by itself, or somebody stopped it".into()),
                ),
                _ => Condition::new(Shade::Good, "completed", None),
            };
        }
        let word = format!("exited ({code})");
        if TOLD_TO_END.contains(&code) {
            let reason = format!("it was told to end: exit code {code}");
            return Condition::new(Shade::Off, word, Some(reason));
        }
        Condition::new(Shade::Bad, word, Some(format!("it ended with exit code {code}")))
    }

    /// How often the engine restarted a container.
    pub fn restarts(&self, id: &ContainerId) -> u64 {
        self.details.get(id).map_or(0, |d| d.restart_count)
    }
}

/// Whether a service is meant to end.
fn is_one_shot(project: &Project, name: &ServiceName) -> bool {
    project.services.values().any(|service| {
        service
            .depends_on
            .get(name)
            .is_some_and(|d| d.condition == Awaited::ServiceCompletedSuccessfully)
    })
}

fn of_probe(probe: &ProbeRecord) -> Condition {
    if probe.attempt.passed {
        return Condition::new(Shade::Good, "ready", None);
    }
    let (failures, allowed) = (probe.failures, probe.allowed);
    let many = match failures <= allowed {
        true => format!("{failures} of {allowed} probes in a row failed"),
        false => format!("{failures} probes in a row failed, where {allowed} are too many"),
    };
    let reason = format!("{many}: {}: {}", probe.attempt.what, probe.attempt.detail);
    if probe.failures >= probe.allowed {
        Condition::new(Shade::Bad, "unhealthy", Some(reason))
    } else {
        Condition::new(Shade::Attention, "failing", Some(reason))
    }
}

fn of_stage(view: &InstanceView) -> Condition {
    let shade = match view.stage {
        Stage::Ready | Stage::Completed => Shade::Good,
        Stage::Pending | Stage::Created | Stage::Running => Shade::Busy,
        Stage::Stopped | Stage::Removed => Shade::Off,
        Stage::Blocked | Stage::Unavailable => Shade::Attention,
        Stage::Restarting | Stage::Failed => Shade::Bad,
    };
    Condition::new(shade, view.stage.as_str(), view.reason.clone())
}
