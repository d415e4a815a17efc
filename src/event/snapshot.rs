//! The fold of all events: what every view shows.
//!
//! Invariant: [`Snapshot::apply`] is pure; it reads nothing but the event.

use std::time::Duration;

use indexmap::IndexMap;

use super::{
    Body, Event, FailureReport, ImageStage, PlannedStep, ProbeAttempt, Stage, StepState, TestVerdict, Verdict,
};
use crate::base::{Moment, ProjectName, ServiceName};
use crate::plan::{Instance, StepId};

/// The state of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The last event's place in the order.
    pub seq: u64,
    /// When the last event happened.
    pub at: Moment,
    /// The run's id.
    pub run: String,
    /// The command.
    pub command: &'static str,
    /// The project.
    pub project: Option<ProjectName>,
    /// Where the engine is reached.
    pub endpoint: Option<String>,
    /// Since when the engine does not answer, and what was seen.
    pub engine_lost: Option<(Moment, String)>,
    /// Who holds the project while this run waits for it.
    pub waiting_for_lock: Option<String>,
    /// Images by reference.
    pub images: IndexMap<String, ImageView>,
    /// Steps of the current plan.
    pub steps: IndexMap<StepId, StepView>,
    /// Containers.
    pub instances: IndexMap<Instance, InstanceView>,
    /// Smoke tests by name.
    pub tests: IndexMap<String, TestView>,
    /// Newest progress by subject.
    pub progress: IndexMap<String, ProgressView>,
    /// Warnings, in order.
    pub warnings: Vec<(String, Option<String>)>,
    /// What was said about stopping.
    pub stopping: Option<String>,
    /// What failed and why.
    pub failure: Option<FailureReport>,
    /// How the run ended.
    pub verdict: Option<Verdict>,
}

/// An image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageView {
    /// The services that use it.
    pub services: Vec<ServiceName>,
    /// Its state.
    pub stage: ImageStage,
    /// Since when.
    pub since: Moment,
    /// When work on it began, where it was not simply there.
    pub began: Option<Moment>,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// As announced.
    pub planned: PlannedStep,
    /// Its state; `None` before its turn.
    pub state: Option<StepState>,
    /// Since when.
    pub since: Moment,
}

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceView {
    /// Its stage.
    pub stage: Stage,
    /// Why, for whatever is not plainly good.
    pub reason: Option<String>,
    /// Since when.
    pub since: Moment,
    /// When it was first seen running in this run.
    pub started: Option<Moment>,
    /// When it got ready in this run.
    pub ready: Option<Moment>,
    /// Its last probe.
    pub last_probe: Option<ProbeAttempt>,
    /// How many probes were tried.
    pub probes: u32,
    /// Whether it was already as wanted when the run began.
    pub kept: bool,
}

/// A smoke test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestView {
    /// `None` while it runs.
    pub verdict: Option<TestVerdict>,
    /// How long it took, once it is done.
    pub took: Option<Duration>,
    /// Since when.
    pub since: Moment,
}

/// Progress of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressView {
    /// In words.
    pub text: String,
    /// Done so far and in all.
    pub amount: Option<(u64, u64)>,
    /// The last line written.
    pub last_line: Option<String>,
}

impl Snapshot {
    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        self.seq = event.seq;
        self.at = event.at;
        match &event.body {
            Body::RunStarted {
                run,
                command,
                project,
            } => {
                self.run.clone_from(run);
                self.command = command;
                self.project = Some(project.clone());
            }
            Body::EngineFound { endpoint, .. } => {
                self.endpoint = Some(endpoint.clone());
                self.engine_lost = None;
            }
            Body::EngineLost { reason } => self.engine_lost = Some((event.at, reason.clone())),
            Body::EngineBack { .. } => self.engine_lost = None,
            Body::WaitingForLock { holder } => self.waiting_for_lock = Some(holder.clone()),
            Body::Image {
                reference,
                services,
                stage,
            } => {
                let under_way = matches!(
                    stage,
                    ImageStage::Pulling | ImageStage::Building | ImageStage::Bootstrapping
                );
                if !under_way {
                    self.progress.shift_remove(reference);
                }
                let began = self.images.get(reference).and_then(|view| view.began);
                let view = ImageView {
                    services: services.clone(),
                    stage: stage.clone(),
                    since: event.at,
                    began: began.or_else(|| under_way.then_some(event.at)),
                };
                self.images.insert(reference.clone(), view);
            }
            Body::Progress {
                subject,
                text,
                amount,
            } => {
                let view = self.progress_of(subject);
                view.text.clone_from(text);
                view.amount = *amount;
            }
            Body::Output { subject, line } => {
                self.progress_of(subject).last_line = Some(line.clone());
            }
            Body::Planned {
                steps,
                kept,
                names: _,
                unavailable,
            } => self.planned(event.at, steps, kept, unavailable),
            Body::Step { id, state } => {
                if let Some(view) = self.steps.get_mut(id) {
                    view.state = Some(state.clone());
                    view.since = event.at;
                }
            }
            Body::Stage {
                instance,
                stage,
                reason,
            } => self.stage(event.at, instance, *stage, reason.clone()),
            Body::Probed { instance, attempt } => {
                let view = self.instance_mut(event.at, instance);
                view.last_probe = Some(attempt.clone());
                view.probes = view.probes.saturating_add(1);
            }
            Body::TestStarted { name } => {
                self.tests.insert(
                    name.clone(),
                    TestView {
                        verdict: None,
                        took: None,
                        since: event.at,
                    },
                );
            }
            Body::TestDone(result) => {
                let view = TestView {
                    verdict: Some(result.verdict.clone()),
                    took: Some(result.took),
                    since: event.at,
                };
                self.tests.insert(result.name.clone(), view);
            }
            Body::Warning { text, hint } => self.warnings.push((text.clone(), hint.clone())),
            Body::Info { .. } => {}
            Body::Stopping { text } => self.stopping = Some(text.clone()),
            Body::Failure(report) => self.failure = Some(report.clone()),
            Body::Finished(verdict) => self.verdict = Some(verdict.clone()),
        }
        if !matches!(event.body, Body::WaitingForLock { .. }) {
            self.waiting_for_lock = None;
        }
    }

    fn progress_of(&mut self, subject: &str) -> &mut ProgressView {
        self.progress
            .entry(subject.to_owned())
            .or_insert_with(|| ProgressView {
                text: String::new(),
                amount: None,
                last_line: None,
            })
    }

    fn planned(
        &mut self,
        at: Moment,
        steps: &[PlannedStep],
        kept: &[Instance],
        unavailable: &[(ServiceName, String, bool)],
    ) {
        self.steps = steps
            .iter()
            .map(|planned| {
                (
                    planned.id,
                    StepView {
                        planned: planned.clone(),
                        state: None,
                        since: at,
                    },
                )
            })
            .collect();
        for instance in kept {
            self.instance_mut(at, instance).kept = true;
        }
        for (service, reason, optional) in unavailable {
            let instance = Instance {
                service: service.clone(),
                number: 1,
            };
            let stage = if *optional {
                Stage::Unavailable
            } else {
                Stage::Failed
            };
            self.stage(at, &instance, stage, Some(reason.clone()));
        }
    }

    fn instance_mut(&mut self, at: Moment, instance: &Instance) -> &mut InstanceView {
        self.instances
            .entry(instance.clone())
            .or_insert_with(|| InstanceView {
                stage: Stage::Pending,
                reason: None,
                since: at,
                started: None,
                ready: None,
                last_probe: None,
                probes: 0,
                kept: false,
            })
    }

    fn stage(&mut self, at: Moment, instance: &Instance, stage: Stage, reason: Option<String>) {
        let view = self.instance_mut(at, instance);
        if view.stage != stage {
            view.since = at;
        }
        view.stage = stage;
        view.reason = reason;
        match stage {
            Stage::Running => {
                view.started.get_or_insert(at);
            }
            Stage::Ready | Stage::Completed => {
                view.ready.get_or_insert(at);
            }
            _ => {}
        }
    }
}
