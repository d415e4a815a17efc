//! The loop that walks a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::gate::Progress;
use super::prove::{self, KeptHealth, Proof, Subject};
use super::report;
use super::site::{Site, UnderWay, Wants};
use super::state::{State, only};
use super::worker::{self, Input, Output, StepError};
use crate::base::{ContainerId, Moment, NetworkId, ServiceName, Signal};
use crate::engine::EngineError;
use crate::event::failure::{FailedOperation, FailedService, FailureCause, FailureReport, Previous};
use crate::event::{Body, PlannedStep, Stage, StepState};
use crate::model::{Condition, ContainerState};
use crate::plan::{Action, Gate, Instance, Plan, Step, StepId, Target, Undo};
use crate::provide::{Answers, ModelRunner};

/// After a stop was asked for, operations under way are waited for this long: they cannot be
/// undone by leaving, only not known about.
const LAST_WORD: Duration = Duration::from_millis(600);

/// How an execution ended.
#[derive(Debug)]
pub enum Outcome {
    /// All that could be done was done.
    Done(FailureReport),
    /// The run was asked to end first.
    Stopped(FailureReport),
    /// The engine was lost; what was under way may or may not have been done.
    EngineLost(EngineError),
}

/// What tasks report to the loop.
enum Message {
    Step {
        id: StepId,
        result: Result<Output, StepError>,
        began: Moment,
    },
    /// Ready, while the end is still waited for.
    ReadyForNow(Instance),
    Proof {
        instance: Instance,
        result: Result<Proof, EngineError>,
    },
    PutBack {
        report: Box<FailedService>,
        result: Result<(), EngineError>,
    },
}

/// Announces a plan.
pub fn announce(site: &Site, plan: &Plan) {
    site.hub.publish(Body::Planned {
        steps: plan.steps.iter().map(PlannedStep::of).collect(),
        kept: plan.kept.iter().map(|k| k.instance.clone()).collect(),
        names: plan
            .kept
            .iter()
            .map(|k| (k.instance.clone(), k.name.clone()))
            .collect(),
        unavailable: plan
            .unavailable
            .iter()
            .map(|u| (u.service.clone(), u.reason.clone(), u.optional))
            .collect(),
    });
}

/// Does what a plan says.
pub async fn execute(site: &Site, wants: &Wants, plan: &Plan) -> Outcome {
    execute_asking(site, wants, plan).await.0
}

/// As [`execute`]; with it what providers and the runner of models answered.
pub async fn execute_asking(site: &Site, wants: &Wants, plan: &Plan) -> (Outcome, Answers) {
    debug_assert_eq!(crate::plan::lint::lint(plan), Vec::<String>::new());
    announce(site, plan);
    let mut run = Run::new(site, wants, plan);
    run.prove_kept();
    let outcome = run.walk().await;
    let answers = Answers {
        variables: std::mem::take(&mut run.variables),
        endpoint: run.runner.take().map(|runner| runner.endpoint),
    };
    (outcome, answers)
}

struct Run<'a> {
    site: &'a Site,
    wants: &'a Wants,
    plan: &'a Plan,
    state: State,
    tasks: FuturesUnordered<BoxFuture<'a, Message>>,
    /// Steps under way.
    under_way: UnderWay,
    /// Proofs and put-backs under way.
    proving: usize,
    networks: BTreeMap<String, NetworkId>,
    containers: BTreeMap<ServiceName, ContainerId>,
    started: BTreeMap<Instance, ContainerId>,
    /// What providers answered.
    variables: BTreeMap<ServiceName, Vec<(String, String)>>,
    runner: Option<ModelRunner>,
    proofs: CancellationToken,
    report: FailureReport,
    signals: (
        tokio::sync::mpsc::UnboundedSender<Message>,
        tokio::sync::mpsc::UnboundedReceiver<Message>,
    ),
}

impl<'a> Run<'a> {
    fn new(site: &'a Site, wants: &'a Wants, plan: &'a Plan) -> Self {
        let containers = plan
            .kept
            .iter()
            .map(|k| (k.instance.service.clone(), k.id.clone()))
            .collect();
        Self {
            site,
            wants,
            plan,
            state: State::new(plan),
            tasks: FuturesUnordered::new(),
            under_way: UnderWay::default(),
            proving: 0,
            networks: plan
                .networks
                .iter()
                .map(|(key, _, id)| (key.clone(), id.clone()))
                .collect(),
            containers,
            started: BTreeMap::new(),
            variables: BTreeMap::new(),
            runner: None,
            proofs: CancellationToken::new(),
            report: FailureReport::default(),
            signals: tokio::sync::mpsc::unbounded_channel(),
        }
    }

    /// What is already as wanted proves itself as well: it may hang although it runs.
    fn prove_kept(&mut self) {
        for kept in &self.plan.kept {
            if kept.completed {
                self.stage(&kept.instance, Stage::Completed, None);
            } else if !kept.state.is_alive() {
                let stage = match kept.state {
                    ContainerState::Created => Stage::Created,
                    _ => Stage::Stopped,
                };
                self.stage(&kept.instance, stage, None);
            } else {
                self.stage(&kept.instance, Stage::Running, None);
                let health = if kept.healthy {
                    KeptHealth::Healthy
                } else {
                    KeptHealth::Running
                };
                self.prove(
                    kept.instance.clone(),
                    kept.id.clone(),
                    Duration::ZERO,
                    Some(health),
                );
            }
        }
    }

    async fn walk(&mut self) -> Outcome {
        let mut stopping: Option<BoxFuture<'a, ()>> = None;
        loop {
            if stopping.is_none() {
                self.launch();
            }
            let idle = self.under_way.operations == 0 && self.proving == 0;
            if idle && (stopping.is_some() || self.state.is_through()) {
                break;
            }
            let is_stopping = stopping.is_some();
            let deadline = async {
                match &mut stopping {
                    Some(end) => end.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(message) = self.signals.1.recv() => {
                    if let Some(outcome) = self.handle(message) { return outcome; }
                }
                Some(message) = self.tasks.next(), if !self.tasks.is_empty() => {
                    if let Some(outcome) = self.handle(message) { return outcome; }
                }
                () = deadline => break,
                () = self.site.stop.ended(), if !is_stopping => {
                    self.proofs.cancel();
                    stopping = Some(Box::pin(tokio::time::sleep(LAST_WORD)));
                }
            }
        }
        let report = std::mem::take(&mut self.report);
        let report = report::finish(self.plan, &self.wants.project, &self.state.table, report);
        if stopping.is_some() {
            Outcome::Stopped(report)
        } else {
            Outcome::Done(report)
        }
    }

    fn launch(&mut self) {
        loop {
            let room = self.site.options.room(self.under_way);
            let next = self.state.advance(self.plan, room);
            for (id, reason) in next.waiting {
                self.site.hub.publish(Body::Step {
                    id,
                    state: StepState::Waiting {
                        reason: reason.clone(),
                    },
                });
                self.say_waiting(id, &reason);
            }
            for (id, reason) in next.blocked {
                self.blocked(id, reason);
            }
            if next.start.is_empty() {
                return;
            }
            for id in next.start {
                if let Some(step) = self.plan.step(id) {
                    self.begin(step);
                }
            }
        }
    }

    fn say_waiting(&self, id: StepId, reason: &str) {
        if let Some(Step {
            action: Action::StartContainer { instance, .. },
            ..
        }) = self.plan.step(id)
        {
            self.stage(instance, Stage::Created, Some(format!("waits for {reason}")));
        }
    }

    fn blocked(&mut self, id: StepId, reason: String) {
        if let Some(Step {
            action: Action::StartContainer { instance, .. },
            ..
        }) = self.plan.step(id)
        {
            self.stage(instance, Stage::Blocked, Some(reason.clone()));
        }
        self.site.hub.publish(Body::Step {
            id,
            state: StepState::Blocked { reason },
        });
    }

    fn begin(&mut self, step: &'a Step) {
        let (site, wants, id) = (self.site, self.wants, step.id);
        site.hub.publish(Body::Step {
            id,
            state: StepState::Started,
        });
        let input = Input {
            networks: self.networks.clone(),
            containers: self.containers.clone(),
            target: self.target(&step.action),
            runner: self.runner.clone(),
        };
        self.under_way.begin(&step.action);
        let began = site.clock.now();
        self.tasks.push(Box::pin(async move {
            let result = worker::perform(site, wants, &step.action, &input).await;
            Message::Step { id, result, began }
        }));
    }

    fn target(&self, action: &Action) -> Option<ContainerId> {
        match action {
            Action::StartContainer { target, .. } | Action::RenameContainer { target, .. } => match target {
                Target::Existing(id) => Some(id.clone()),
                Target::CreatedBy(step) => self.state.created(*step).cloned(),
            },
            _ => None,
        }
    }

    fn handle(&mut self, message: Message) -> Option<Outcome> {
        match message {
            Message::Step { id, result, began } => {
                if let Some(step) = self.plan.step(id) {
                    self.under_way.end(&step.action);
                }
                match result {
                    Ok(output) => self.step_done(id, output, began),
                    Err(StepError::Engine(error)) if error.is_engine_lost() => {
                        return Some(Outcome::EngineLost(error));
                    }
                    Err(error) => self.step_failed(id, &error),
                }
            }
            Message::ReadyForNow(instance) => {
                self.state.table.insert(instance.clone(), Progress::Ready);
                self.stage(&instance, Stage::Ready, Some("runs to its end".into()));
            }
            Message::Proof { instance, result } => {
                self.proving -= 1;
                match result {
                    Ok(proof) => self.proven(instance, proof),
                    Err(error) if error.is_engine_lost() => return Some(Outcome::EngineLost(error)),
                    Err(error) => {
                        let cause = FailureCause::Other {
                            text: error.to_string(),
                        };
                        self.service_failed(FailedService::new(instance, cause));
                    }
                }
            }
            Message::PutBack { mut report, result } => {
                self.proving -= 1;
                report.previous = Some(match result {
                    Ok(()) => Previous::PutBack,
                    Err(error) if error.is_engine_lost() => return Some(Outcome::EngineLost(error)),
                    Err(error) => Previous::Lost {
                        error: error.to_string(),
                    },
                });
                self.record(*report);
            }
        }
        None
    }

    fn step_done(&mut self, id: StepId, output: Output, began: Moment) {
        let took = self.site.clock.now().saturating_sub(began);
        self.site.hub.publish(Body::Step {
            id,
            state: StepState::Done { took },
        });
        let Some(step) = self.plan.step(id) else { return };
        match (output, &step.action) {
            (Output::Network(key, network), _) => {
                self.networks.insert(key, network);
                self.state.done(id, None);
            }
            (Output::Created(container), Action::CreateContainer { instance, .. }) => {
                self.containers
                    .insert(instance.service.clone(), container.clone());
                self.state.done(id, Some(container));
                self.stage(instance, Stage::Created, None);
            }
            (Output::Started(container), Action::StartContainer { instance, target, .. }) => {
                self.state.done(id, None);
                if let Target::CreatedBy(by) = target {
                    self.state.recreated(*by, container.clone());
                }
                self.containers
                    .insert(instance.service.clone(), container.clone());
                self.state.table.insert(instance.clone(), Progress::Running);
                self.stage(instance, Stage::Running, None);
                self.started.insert(instance.clone(), container.clone());
                self.prove(instance.clone(), container, took, None);
            }
            (Output::Provided(variables), Action::RunProvider { service, kind, up }) => {
                self.state.done(id, None);
                let stage = if *up { Stage::Ready } else { Stage::Removed };
                let said = format!("through the provider {kind}");
                self.stage(&only(service), stage, Some(said));
                self.state.table.insert(only(service), Progress::Provided);
                self.variables.insert(service.clone(), variables);
            }
            (Output::Runner(runner), _) => {
                self.state.done(id, None);
                self.runner = Some(runner);
            }
            (_, Action::RemoveContainer { service, .. }) => {
                self.state.done(id, None);
                self.gone(step, service, Stage::Removed);
            }
            (_, Action::StopContainer { service, .. }) => {
                self.state.done(id, None);
                self.gone(step, service, Stage::Stopped);
            }
            (_, Action::KillContainer { instance, signal, .. }) => {
                self.state.done(id, None);
                let (stage, said) = match *signal {
                    Signal::KILL => (Stage::Stopped, "killed".to_owned()),
                    other => (Stage::Running, format!("was sent {other}")),
                };
                self.stage(instance, stage, Some(said));
            }
            (_, Action::PauseContainer { instance, .. }) => {
                self.state.done(id, None);
                self.stage(instance, Stage::Running, Some("paused".into()));
            }
            (_, Action::UnpauseContainer { instance, .. }) => {
                self.state.done(id, None);
                self.stage(instance, Stage::Running, Some("goes on".into()));
            }
            _ => self.state.done(id, None),
        }
    }

    /// In `down` and after scaling, what is stopped and removed is what people look at.
    fn gone(&self, step: &Step, service: &ServiceName, stage: Stage) {
        let replaced = self.plan.steps.iter().any(|s| {
            matches!(&s.action, Action::StartContainer { instance, .. } | Action::CreateContainer { instance, .. }
                if instance.service == *service)
        });
        let name = match &step.action {
            Action::RemoveContainer { name, .. } | Action::StopContainer { name, .. } => name,
            _ => return,
        };
        if !replaced {
            let number = name.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(1);
            self.stage(
                &Instance {
                    service: service.clone(),
                    number,
                },
                stage,
                None,
            );
        }
    }

    fn step_failed(&mut self, id: StepId, error: &StepError) {
        let text = self.site.masker.mask(&error.said()).into_owned();
        self.site.hub.publish(Body::Step {
            id,
            state: StepState::Failed { error: text.clone() },
        });
        self.state.failed(id);
        let Some(step) = self.plan.step(id) else { return };
        let hint = error.hint();
        match &step.action {
            Action::CreateContainer { instance, .. } => {
                let mut failure = FailedService::new(instance.clone(), FailureCause::Create { error: text });
                failure.hint = hint;
                self.service_failed(failure);
            }
            Action::StartContainer { instance, .. } => {
                let mut failure = FailedService::new(instance.clone(), FailureCause::Start { error: text });
                failure.hint = hint;
                self.service_failed(failure);
            }
            Action::RunProvider {
                service, up: true, ..
            } => {
                let mut failure = FailedService::new(only(service), FailureCause::Start { error: text });
                failure.hint = hint;
                self.service_failed(failure);
            }
            action => self.report.operations.push(FailedOperation {
                what: crate::plan::text::action(action),
                error: text,
                hint,
            }),
        }
    }

    fn prove(&mut self, instance: Instance, id: ContainerId, start_took: Duration, kept: Option<KeptHealth>) {
        if !self.site.options.wait && !self.is_waited_for(&instance) {
            return;
        }
        let (site, wants) = (self.site, self.wants);
        let subject = Subject {
            instance: instance.clone(),
            id,
            started_at: site.clock.now(),
            start_took,
            kept,
        };
        // Its own token: a watch that loses the engine cancels only its own proof.
        let stop = self.proofs.child_token();
        let signals = self.signals.0.clone();
        self.proving += 1;
        self.tasks.push(Box::pin(async move {
            let ready = {
                let instance = instance.clone();
                move || drop(signals.send(Message::ReadyForNow(instance)))
            };
            let result = prove::prove(site, wants, &subject, stop, ready).await;
            Message::Proof { instance, result }
        }));
    }

    /// Whether a step waits for this container to be more than started.
    fn is_waited_for(&self, instance: &Instance) -> bool {
        let mut gates = self.plan.steps.iter().flat_map(|step| &step.gates);
        gates.any(|gate| match gate {
            Gate::Proven(proven) => proven == instance,
            Gate::Dependency {
                service, condition, ..
            } => *service == instance.service && *condition != Condition::ServiceStarted,
        })
    }

    fn proven(&mut self, instance: Instance, proof: Proof) {
        match proof {
            Proof::Ready => {
                self.state.table.insert(instance.clone(), Progress::Ready);
                self.stage(&instance, Stage::Ready, None);
            }
            Proof::Completed => {
                self.state.table.insert(instance.clone(), Progress::Completed);
                self.stage(&instance, Stage::Completed, None);
            }
            Proof::Failed(failure) => self.service_failed(*failure),
            Proof::Stopped => {}
        }
    }

    /// A container failed for good. Where another ran before it, that one is put back first.
    fn service_failed(&mut self, failure: FailedService) {
        let words = failure.in_words();
        self.state
            .table
            .insert(failure.instance.clone(), Progress::Failed(words.clone()));
        self.stage(&failure.instance, Stage::Failed, Some(words));
        let undo = self
            .plan
            .steps
            .iter()
            .find_map(|step| match (&step.action, &step.undo) {
                (Action::StartContainer { instance, target, .. }, Some(Undo::PutBack { id, name }))
                    if *instance == failure.instance =>
                {
                    Some((id.clone(), name.clone(), target.clone()))
                }
                _ => None,
            });
        // Nothing was stopped yet where the successor could not even be created.
        let created_only = matches!(failure.cause, FailureCause::Create { .. });
        match undo {
            Some((old, name, target)) if !created_only => self.put_back(failure, old, name, &target),
            Some(_) => {
                let mut failure = failure;
                failure.previous = Some(Previous::PutBack);
                self.record(failure);
            }
            None => self.record(failure),
        }
    }

    fn put_back(&mut self, failure: FailedService, old: ContainerId, name: String, target: &Target) {
        let successor = self
            .started
            .get(&failure.instance)
            .cloned()
            .or_else(|| match target {
                Target::Existing(id) => Some(id.clone()),
                Target::CreatedBy(step) => self.state.created(*step).cloned(),
            });
        let site = self.site;
        let report = Box::new(failure);
        self.proving += 1;
        self.tasks.push(Box::pin(async move {
            let result = async {
                if let Some(successor) = successor {
                    site.engine.remove_container(&successor, true, false).await?;
                }
                site.engine.start_container(&old).await
            }
            .await;
            if result.is_ok() {
                site.hub.publish(Body::Info {
                    text: format!("{name}, which ran before, is put back and runs"),
                });
            }
            Message::PutBack { report, result }
        }));
    }

    fn record(&mut self, failure: FailedService) {
        self.report.services.push(failure);
    }

    fn stage(&self, instance: &Instance, stage: Stage, reason: Option<String>) {
        self.site.hub.publish(Body::Stage {
            instance: instance.clone(),
            stage,
            reason,
        });
    }
}
