//! Acting on what the dashboard asks for. What changes the project is done one after the other, by the
//! very commands that the dashboard names; what only looks is done beside it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::base::ProjectName;
use crate::engine::Wanted;
use crate::engine::api::SharedEngine;
use crate::event::live::{Fact, PlanLine, PlannedChanges, SmokeRecord};
use crate::event::request::{Needs, Request};
use crate::model::Project;
use crate::observe;
use crate::plan::{Cause, Change, Plan, Which, plan_up, text};
use crate::probe::EngineHost;
use crate::smoke;

use super::super::super::args::up::{PlanArgs, StopArgs, UpArgs};
use super::super::super::context::Context;
use super::super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::super::session;
use super::super::super::settings::{LifecycleSettings, PlanSettings, UpSettings};
use super::super::{lifecycle, up};

/// How often the plan is computed anew while it is shown.
const PLAN_EVERY: Duration = Duration::from_secs(10);
/// How many smoke tests run at one time.
const TESTS_AT_ONCE: usize = 4;

/// Who acts.
pub struct Acting<'c> {
    /// The run's context.
    pub context: &'c Context,
    /// The project.
    pub name: ProjectName,
    /// The engine.
    pub engine: SharedEngine,
    /// Where its published ports are.
    pub host: EngineHost,
    /// Whether there are files to read.
    pub has_files: bool,
    /// What comes of it goes there.
    pub facts: mpsc::Sender<Fact>,
    /// The stack's files go there when they were read anew.
    pub stack: watch::Sender<Option<Arc<Project>>>,
    /// Who observes.
    pub observing: observe::Observing,
}

impl Acting<'_> {
    /// Acts until nobody can ask any more.
    pub async fn run(&self, mut requests: mpsc::UnboundedReceiver<Request>, needs: watch::Receiver<Needs>) {
        let (changes, mut to_change) = mpsc::unbounded_channel();
        let mut looking = FuturesUnordered::new();
        let changing = async {
            while let Some(request) = to_change.recv().await {
                self.change(request).await;
                self.observing.look_now();
                // What differs from the files may be something else now.
                self.plan().await;
            }
        };
        let planning = self.keep_planned(needs);
        let dispatching = async {
            loop {
                tokio::select! {
                    request = requests.recv() => match request {
                        None => break,
                        Some(request) if request.is_read_only() => looking.push(self.look(request)),
                        // The receiver lives as long as this.
                        Some(request) => drop(changes.send(request)),
                    },
                    Some(()) = looking.next(), if !looking.is_empty() => {}
                }
            }
        };
        tokio::join!(changing, planning, dispatching);
    }

    async fn tell(&self, fact: Fact) {
        // Nobody listens any more only where the dashboard is about to end.
        let _ = self.facts.send(fact).await;
    }

    /// The plan, when somebody begins to look at it and every so often while they do.
    async fn keep_planned(&self, mut needs: watch::Receiver<Needs>) {
        loop {
            if needs.wait_for(|needs| needs.plan).await.is_err() {
                return;
            }
            self.plan().await;
            tokio::select! {
                changed = async { needs.wait_for(|needs| !needs.plan).await.is_ok() } => {
                    if !changed {
                        return;
                    }
                }
                () = sleep(PLAN_EVERY) => {}
            }
        }
    }

    async fn change(&self, request: Request) {
        let command = request.command_line(self.name.as_str());
        self.tell(Fact::Asked(command.clone())).await;
        let hub = self.context.hub();
        let mut events = hub.subscribe();
        let telling = async {
            while let Some(event) = events.next().await {
                self.tell(Fact::Run(Box::new(event))).await;
            }
        };
        let doing = async {
            let outcome = self.do_change(request, hub.clone()).await;
            let snapshot = hub.snapshot();
            hub.close();
            match outcome {
                Ok(Exit::AsWanted) => Ok(()),
                Ok(_) => Err("interrupted".to_owned()),
                // The run has said why.
                Err(ExpectedError::Reported) => Err(reported(&snapshot)),
                Err(error) => Err(one_line(&error.to_text())),
            }
        };
        let (outcome, ()) = tokio::join!(doing, telling);
        self.tell(Fact::Answered(command, outcome)).await;
    }

    async fn do_change(&self, request: Request, hub: crate::event::Hub) -> Outcome {
        let (change, instances) = match request {
            Request::Start(instances) => (Change::Start, instances),
            Request::Stop(instances) => (Change::Stop, instances),
            Request::Restart(instances) => (Change::Restart, instances),
            other => {
                let settings = self.up_settings(other)?;
                return up::within(self.context, self.project()?, &settings, hub).await;
            }
        };
        let settings = LifecycleSettings::resolve(change, StopArgs::default(), &self.context.env)?;
        let project = if self.has_files {
            Some(self.project()?)
        } else {
            None
        };
        let which = Which::Instances(instances);
        lifecycle::change(self.context, &self.name, project, &which, &settings, Some(hub)).await
    }

    /// The settings of the `up` that a request stands for.
    fn up_settings(&self, request: Request) -> Result<UpSettings, ExpectedError> {
        let names =
            |services: &[crate::base::ServiceName]| services.iter().map(ToString::to_string).collect();
        let base = UpArgs {
            detach: true,
            no_deps: true,
            ..UpArgs::default()
        };
        let args = match request {
            Request::Recreate(services) => UpArgs {
                services: names(&services),
                force_recreate: true,
                ..base
            },
            Request::Rebuild(services) => UpArgs {
                services: names(&services),
                force_recreate: true,
                build: true,
                ..base
            },
            Request::Scale(service, number) => UpArgs {
                services: names(std::slice::from_ref(&service)),
                scale: vec![format!("{service}={number}")],
                ..base
            },
            _ => UpArgs {
                no_deps: false,
                ..base
            },
        };
        let context = self.context;
        UpSettings::resolve(args, &context.settings, &context.env, context.settings.terminal)
    }

    /// The stack's files, read now.
    fn project(&self) -> Result<Arc<Project>, ExpectedError> {
        if !self.has_files {
            return Err(ExpectedError::NoSuchThing {
                message: format!("the stack file of project {} is not at hand", self.name),
                hint: Some("start the dashboard where the file is, or with -f FILE".into()),
            });
        }
        self.context.project_quietly()
    }

    async fn look(&self, request: Request) {
        match request {
            Request::Probe(instances) => self.observing.probe_now(instances),
            Request::Smoke(names) => self.smoke(names).await,
            _ => self.plan().await,
        }
    }

    async fn smoke(&self, names: Vec<String>) {
        let command = Request::Smoke(names.clone()).command_line(self.name.as_str());
        self.tell(Fact::Asked(command.clone())).await;
        let outcome = self
            .run_tests(&names)
            .await
            .map_err(|error| one_line(&error.to_text()));
        let outcome = outcome.and_then(|failed| match failed {
            0 => Ok(()),
            1 => Err("1 test failed".to_owned()),
            more => Err(format!("{more} tests failed")),
        });
        self.tell(Fact::Answered(command, outcome)).await;
    }

    /// How many failed.
    async fn run_tests(&self, names: &[String]) -> Result<usize, ExpectedError> {
        let project = self.project()?;
        let tests = smoke::select(&project, names).map_err(|unknown| ExpectedError::NoSuchThing {
            message: unknown.to_string(),
            hint: None,
        })?;
        let observed = self.engine.observe(&Wanted::of(&project)).await?;
        let unavailable = smoke::unavailable(&project, &observed);
        let setting = smoke::Setting {
            project: &project,
            observed: &observed,
            host: &self.host,
            engine: &*self.engine,
            clock: &*self.context.clock,
            masker: &self.context.masker,
            unavailable: &unavailable,
            concurrency: TESTS_AT_ONCE,
        };
        let (notices, mut told) = mpsc::unbounded_channel();
        let running = async {
            let report = smoke::run(&setting, &tests, |notice| {
                let fact = match notice {
                    smoke::Notice::Started(name) => Fact::SmokeStarted(name.to_owned()),
                    smoke::Notice::Done(test) => Fact::Smoke(SmokeRecord {
                        at: self.context.clock.now(),
                        result: test.to_event(&self.context.masker),
                    }),
                };
                // The receiver lives as long as this.
                drop(notices.send(fact));
            })
            .await;
            drop(notices);
            report
        };
        let telling = async {
            while let Some(fact) = told.recv().await {
                self.tell(fact).await;
            }
        };
        let (report, ()) = tokio::join!(running, telling);
        let failed = |test: &&smoke::TestReport| matches!(test.outcome, smoke::Outcome::Failed(_));
        Ok(report.tests.iter().filter(failed).count())
    }

    /// Reads the files, compares, and tells both.
    async fn plan(&self) {
        if !self.has_files {
            let why = format!("the stack file of project {} is not at hand", self.name);
            self.tell(Fact::Plan(Err(why))).await;
            return;
        }
        let project = match self.project() {
            Ok(project) => project,
            Err(error) => {
                let why = one_line(&error.to_text());
                self.tell(Fact::ProjectUnreadable(why.clone())).await;
                self.tell(Fact::Plan(Err(why))).await;
                return;
            }
        };
        self.tell(Fact::Project(project.clone())).await;
        self.stack.send_replace(Some(project.clone()));
        let planned = self
            .compare(&project)
            .await
            .map_err(|error| one_line(&error.to_text()));
        self.tell(Fact::Plan(planned.map(Arc::new))).await;
    }

    async fn compare(&self, project: &Arc<Project>) -> Result<PlannedChanges, ExpectedError> {
        let settings = PlanSettings::resolve(PlanArgs::default(), &self.context.env)?;
        let observed = self.engine.observe(&Wanted::of(project)).await?;
        let wants = session::wants(project, session::images_of(project, &observed));
        let states = up::images::foreseen(project, &observed);
        let options = up::plan_options(project, &settings.what, &wants);
        let plan = plan_up(project, &observed, &states, &options);
        Ok(PlannedChanges {
            at: self.context.clock.now(),
            ..told(&plan)
        })
    }
}

/// A plan for people.
fn told(plan: &Plan) -> PlannedChanges {
    let lines = plan.steps.iter().map(|step| PlanLine {
        what: text::action(&step.action),
        cause: text::cause(&step.cause),
        service: step.action.service().cloned(),
        differences: match &step.cause {
            Cause::Differs(list) => list
                .iter()
                .map(|d| (d.path.clone(), shown(d.from.as_ref()), shown(d.to.as_ref())))
                .collect(),
            _ => Vec::new(),
        },
    });
    let notes = plan.notes.iter().map(|note| note.text.clone());
    let refusals = plan.refusals.iter().map(|r| format!("{} ({})", r.text, r.hint));
    let left_out = plan
        .unavailable
        .iter()
        .map(|u| format!("{}: {}", u.service, u.reason));
    PlannedChanges {
        at: Duration::ZERO,
        lines: lines.collect(),
        notes: refusals.chain(left_out).chain(notes).collect(),
        refused: !plan.refusals.is_empty(),
    }
}

fn shown(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "nothing".into())
}

/// What a run reported, in one line.
fn reported(snapshot: &crate::event::Snapshot) -> String {
    let failed = snapshot.failure.iter().flat_map(|report| &report.services);
    let mut words: Vec<String> = failed
        .map(|one| format!("{} {}", one.instance, one.in_words()))
        .collect();
    if let (true, Some(verdict)) = (words.is_empty(), &snapshot.verdict) {
        words.push(verdict.text.clone());
    }
    words.join("; ")
}

fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}
