//! `up`: from the stack to services proven ready and smoke-tested.

pub mod images;
mod at_once;
mod foreground;

use std::sync::Arc;

use crate::base::ServiceName;
use crate::engine::Wanted;
use crate::event::{Body, Hub, Snapshot, Stage, failure::FailureReport};
use crate::execute::{self, Asked, Converged, ExecuteOptions, Site, Wants, converge};
use crate::model::{Observed, Project};
use crate::plan::{Outside, Plan, UpOptions, plan_outside, plan_up, text};
use crate::smoke;
use crate::view::progress::Final;
use crate::view::{annotate, report as reports, summary};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::{SmokeChoice, UpSettings, Wait, WhatToDo};

pub use images::Supplied;

/// Runs `up`.
///
/// # Errors
/// The stack's, the engine's, or whatever is not as wanted at the end.
pub async fn run(context: &Context, settings: UpSettings) -> Outcome {
    let project = prepared(context, &settings.what)?;
    if settings.attach.as_ref().is_some_and(|attach| attach.watch) {
        // What cannot be watched is said before anything is done.
        super::watch::rules(&project, &selected(&project, &settings.what))?;
    }
    if settings.attach.as_ref().is_some_and(|attach| attach.dashboard) {
        return foreground::run(context, &project, &settings).await;
    }
    if let Some(attach) = settings
        .attach
        .as_ref()
        .filter(|attach| attach.at_once && !attach.watch)
    {
        return at_once::run(context, &project, &settings, attach).await;
    }
    to_its_end(context, &project, &settings, None).await
}

/// Brings a prepared stack up and tells how it went.
///
/// # Errors
/// As [`run`].
pub async fn of_project(context: &Context, project: &Arc<Project>, settings: &UpSettings) -> Outcome {
    to_its_end(context, project, settings, None).await
}

/// Runs `up` for somebody who shows what happens.
///
/// # Errors
/// As [`run`].
pub async fn within(context: &Context, project: Arc<Project>, settings: &UpSettings, hub: Hub) -> Outcome {
    let project = scaled(project, &settings.what)?;
    to_its_end(context, &project, settings, Some(hub)).await
}

async fn to_its_end(
    context: &Context,
    project: &Arc<Project>,
    settings: &UpSettings,
    hub: Option<Hub>,
) -> Outcome {
    let mut session = open(context, project, settings, hub).await?;
    let end = match drive(context, &session, project, settings).await {
        Ok(end) => end,
        Err(error) => {
            session.hush().await;
            return Err(error);
        }
    };
    let elsewhere = session.is_shown_elsewhere();
    let hub = session.site.hub.clone();
    let outcome = conclude(context, session, project, settings, end).await;
    if !elsewhere {
        report(context, project, settings, &hub.snapshot())?;
    }
    outcome
}

/// Tells CI what failed, and writes the report that was asked for.
fn report(
    context: &Context,
    project: &Project,
    settings: &UpSettings,
    snapshot: &Snapshot,
) -> Result<(), ExpectedError> {
    if let Some(checkout) = context.checkout() {
        output::talk(&annotate::run(snapshot, &project.places, &checkout));
    }
    match &settings.report {
        Some(path) => write_report(path, snapshot),
        None => Ok(()),
    }
}

/// Opens the session of an `up`, or of a command that brings services up.
///
/// # Errors
/// No engine, or another run holds the project.
pub async fn open(
    context: &Context,
    project: &Project,
    settings: &UpSettings,
    hub: Option<Hub>,
) -> Result<Session, ExpectedError> {
    let base = execute_options(context.settings.parallel);
    let options = match settings.wait {
        Wait::Ready { timeout } => ExecuteOptions {
            wait: true,
            wait_timeout: timeout,
            ..base
        },
        Wait::Started => ExecuteOptions { wait: false, ..base },
    };
    Session::open(
        context,
        Opening {
            command: settings.command,
            project: &project.name,
            options,
            lock_timeout: (!context.settings.dry_run).then_some(settings.lock_timeout),
            last: Final::Nothing,
            hub,
        },
    )
    .await
}

fn write_report(path: &std::path::Path, snapshot: &Snapshot) -> Result<(), ExpectedError> {
    let failed = |source| ExpectedError::File {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    let text = reports::render(reports::Form::of(path), snapshot)
        .map_err(|words| failed(std::io::Error::other(words)))?;
    std::fs::write(path, text).map_err(failed)
}

/// How far a run came.
enum End {
    /// Everything is as wanted.
    Good {
        observed: Box<Observed>,
        wants: Wants,
        changed: bool,
    },
    /// Something is not.
    Failed(FailureReport),
    /// Some smoke tests failed.
    SmokeFailed { failed: usize, of: usize },
    /// The plan may not be done.
    Refused(Plan),
    /// Only the plan was asked for.
    Shown(Plan),
    /// Somebody stopped the run.
    Stopped(FailureReport),
}

async fn drive(
    context: &Context,
    session: &Session,
    project: &Arc<Project>,
    settings: &UpSettings,
) -> Result<End, ExpectedError> {
    let (wants, converged) = match pursue(context, session, project, settings, &[]).await? {
        Pursued::Shown(plan) => return Ok(End::Shown(plan)),
        Pursued::Done { wants, converged, .. } => (wants, converged),
    };
    let site = session.site.clone();
    let wanted = Wanted::of(project);
    match *converged {
        Converged::Refused(plan) => Ok(End::Refused(plan)),
        Converged::Stopped(report) => Ok(End::Stopped(report)),
        Converged::EngineGone(error) => Err(error.into()),
        Converged::Done { report, .. } if !report.is_empty() => Ok(End::Failed(report)),
        Converged::Done {
            observed,
            changed,
            plan,
            ..
        } => {
            let tested = smoke_tests(context, session, project, settings, &observed, &plan, changed).await?;
            let Some(tested) = tested else {
                return Ok(End::Good {
                    observed: Box::new(observed),
                    wants,
                    changed,
                });
            };
            // They take their time, in which what was proven may have ended.
            let observed = tokio::select! {
                observed = site.engine.observe(&wanted) => observed?,
                signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
            };
            let report = execute::verify(&site, &wants, &observed).await;
            Ok(match tested {
                _ if !report.is_empty() => End::Failed(report),
                Tested { failed: 0, .. } => End::Good {
                    observed: Box::new(observed),
                    wants,
                    changed,
                },
                Tested { failed, of } => End::SmokeFailed { failed, of },
            })
        }
    }
}

/// What came of bringing services up.
pub enum Pursued {
    /// Only the plan was asked for.
    Shown(Plan),
    /// It was done, as far as it could be.
    Done {
        /// What was wanted.
        wants: Wants,
        /// What became of the images.
        supplied: Supplied,
        /// How it ended.
        converged: Box<Converged>,
    },
}

/// Supplies images, plans and executes until the services are as wanted and proven ready. Of those in
/// `beside` only the image, the dependencies, networks and volumes are.
///
/// # Errors
/// The engine's; an interruption before anything was done.
pub async fn pursue(
    context: &Context,
    session: &Session,
    project: &Arc<Project>,
    settings: &UpSettings,
    beside: &[ServiceName],
) -> Result<Pursued, ExpectedError> {
    let project = &context.with_api_socket(project).await;
    let wanted = Wanted::of(project);
    let site = &session.site;
    let observed = tokio::select! {
        observed = site.engine.observe(&wanted) => observed?,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let beside = || beside.iter().cloned().collect();
    if context.settings.dry_run {
        let wants = session::wants(project, session::images_of(project, &observed));
        let options = UpOptions {
            beside: beside(),
            ..plan_options(project, &settings.what, &wants)
        };
        let foreseen = images::foreseen(project, &observed);
        return Ok(Pursued::Shown(plan_up(project, &observed, &foreseen, &options)));
    }
    let selected = selected(project, &settings.what);
    let how = images::options(settings);
    let supplied = tokio::select! {
        supplied = images::supply(context, site, project, &selected, &observed, &how) => supplied?,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let images = supplied.images(project, &observed);
    let wants = session::wants(project, images);
    let wants = match ask_outside(context, site, wants, &settings.what).await {
        Ok(wants) => wants,
        Err((wants, converged)) => {
            return Ok(Pursued::Done {
                wants,
                supplied,
                converged: Box::new(converged),
            });
        }
    };
    let project = &wants.project;
    let options = UpOptions {
        beside: beside(),
        outside: Outside::Done,
        ..plan_options(project, &settings.what, &wants)
    };
    let plan_of =
        |observed: &Observed| plan_up(project, observed, &supplied.states(project, observed), &options);
    // Supplying an image may take minutes; what was seen before is old then.
    let seen = supplied.is_empty().then_some(observed);
    let converged = converge(site, &wants, &wanted, seen, settings.engine_timeout, &plan_of).await;
    Ok(Pursued::Done {
        wants,
        supplied,
        converged: Box::new(converged),
    })
}

/// Asks providers and the runner of models, where there are any: what is wanted with their answers, or how
/// the run ends without.
async fn ask_outside(
    context: &Context,
    site: &Site,
    wants: Wants,
    what: &WhatToDo,
) -> Result<Wants, (Wants, Converged)> {
    let plan = plan_outside(&wants.project, &plan_options(&wants.project, what, &wants));
    if plan.is_empty() {
        return Ok(wants);
    }
    let wants = Wants {
        programs: Arc::new(context.programs(&wants.project)),
        ..wants
    };
    let converged = match execute::ask_outside(site, &wants, &plan).await {
        Asked::Done(project) => return Ok(Wants { project, ..wants }),
        Asked::Failed(report) => Converged::Done {
            report,
            plan,
            observed: Observed::default(),
            changed: false,
        },
        Asked::Stopped(report) => Converged::Stopped(report),
        Asked::EngineLost(error) => Converged::EngineGone(error),
    };
    Err((wants, converged))
}

/// What came of the smoke tests.
struct Tested {
    failed: usize,
    of: usize,
}

/// Runs the smoke tests where that is wanted; `None` where none were run.
async fn smoke_tests(
    context: &Context,
    session: &Session,
    project: &Project,
    settings: &UpSettings,
    observed: &Observed,
    plan: &Plan,
    changed: bool,
) -> Result<Option<Tested>, ExpectedError> {
    let whole = settings.what.services.is_empty();
    let run = match settings.smoke {
        SmokeChoice::Always => true,
        SmokeChoice::Never => false,
        SmokeChoice::Auto => whole && changed,
    };
    let site = &session.site;
    if project.ext.smoke.is_empty() {
        return Ok(None);
    }
    if !run {
        if settings.smoke == SmokeChoice::Auto && whole {
            let text = "nothing changed, so the smoke tests are not run again (`platform smoke` runs them)";
            site.hub.publish(Body::Info { text: text.into() });
        }
        return Ok(None);
    }
    let unavailable = plan
        .unavailable
        .iter()
        .map(|u| (u.service.clone(), "its image is not to be had".to_owned()))
        .collect();
    let setting = smoke::Setting {
        project,
        observed,
        host: &site.host,
        engine: &*site.engine,
        clock: &*site.clock,
        masker: &site.masker,
        unavailable: &unavailable,
        concurrency: 4,
    };
    let tests: Vec<_> = project.ext.smoke.iter().collect();
    let report = tokio::select! {
        report = smoke::run(&setting, &tests, |notice| match notice {
            smoke::Notice::Started(name) => site.hub.publish(Body::TestStarted { name: name.to_owned() }),
            smoke::Notice::Done(test) => site.hub.publish(Body::TestDone(test.to_event(&site.masker))),
        }) => report,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let failed = report
        .tests
        .iter()
        .filter(|t| matches!(t.outcome, smoke::Outcome::Failed(_)))
        .count();
    Ok(Some(Tested {
        failed,
        of: report.tests.len(),
    }))
}

async fn conclude(
    context: &Context,
    mut session: Session,
    project: &Arc<Project>,
    settings: &UpSettings,
    end: End,
) -> Outcome {
    match end {
        End::Good {
            observed,
            wants,
            changed,
        } => {
            let state = if settings.what.start { "up" } else { "created" };
            let text = if changed {
                state.to_owned()
            } else {
                format!("{state}; nothing to do")
            };
            match settings.attach {
                Some(_) => session.hush().await,
                None => session.close(0, text).await,
            }
            let snapshot = session.site.hub.snapshot();
            let facts = summary::UpFacts {
                snapshot: &snapshot,
                project,
                containers: &observed.containers,
            };
            session.summarise(context, |columns, style| summary::up(&facts, columns, style));
            match &settings.attach {
                Some(attach) => {
                    if attach.watch {
                        // What is built and replaced takes the project for itself.
                        session.unlock();
                    }
                    output::talk("Ctrl-C stops the stack\n");
                    super::attach::run(context, &session.site, &wants, &observed, settings, attach).await
                }
                None => Ok(Exit::AsWanted),
            }
        }
        end @ (End::Failed(_) | End::SmokeFailed { .. }) => {
            failed(&mut session, &end);
            session.hush().await;
            Err(ExpectedError::Reported)
        }
        End::Refused(plan) => {
            session.hush().await;
            Err(super::refused(&plan))
        }
        End::Shown(plan) => {
            session.hush().await;
            output::data(&text::plan(&plan))?;
            Ok(Exit::AsWanted)
        }
        End::Stopped(report) => {
            let exit = session::interrupted(context);
            if !report.is_empty() {
                session.site.hub.publish(Body::Failure(report));
            }
            let text = what_is_left(&session, project);
            session.close(exit.code(), text).await;
            Ok(exit)
        }
    }
}

/// Publishes how a run failed, once.
fn failed(session: &mut Session, end: &End) {
    if session.is_finished() {
        return;
    }
    match end {
        End::Failed(report) => {
            session.site.hub.publish(Body::Failure(report.clone()));
            session.finished(1, "not everything is as wanted".into());
        }
        End::SmokeFailed { failed, of } => {
            session.finished(1, format!("{failed} of {of} smoke tests failed"))
        }
        _ => {}
    }
}

/// After a stop: what runs, and how to go on or back.
fn what_is_left(session: &Session, project: &Project) -> String {
    let snapshot = session.site.hub.snapshot();
    let left: Vec<String> = snapshot
        .instances
        .iter()
        .filter(|(_, view)| matches!(view.stage, Stage::Running | Stage::Ready | Stage::Restarting))
        .map(|(instance, _)| instance.to_string())
        .collect();
    if left.is_empty() {
        return format!("stopped; nothing of {} runs", project.name);
    }
    format!(
        "stopped; {} still run{}: `platform up` goes on, `platform down` removes them",
        left.join(", "),
        if left.len() == 1 { "s" } else { "" }
    )
}

/// The stack with `--scale` applied and all named services known.
///
/// # Errors
/// The stack's, or a service that it does not have.
pub fn prepared(context: &Context, what: &WhatToDo) -> Result<Arc<Project>, ExpectedError> {
    scaled(context.project(&what.services)?, what)
}

/// As [`prepared`], of a stack that was read before.
fn scaled(mut project: Arc<Project>, what: &WhatToDo) -> Result<Arc<Project>, ExpectedError> {
    super::check_services(&what.services, Some(&project), &[])?;
    let scaled: Vec<ServiceName> = what.scale.iter().map(|(name, _)| name.clone()).collect();
    super::check_services(&scaled, Some(&project), &[])?;
    for (name, number) in &what.scale {
        if let Some(service) = Arc::make_mut(&mut project).services.get_mut(name) {
            service.scale = Some(*number);
        }
    }
    Ok(project)
}

/// The services that the run concerns.
pub fn selected(project: &Project, what: &WhatToDo) -> Vec<ServiceName> {
    if what.dependencies || what.services.is_empty() {
        project.closure(&what.services)
    } else {
        what.services.clone()
    }
}

/// Services of which nothing tells whether they are healthy.
pub fn unprobed(project: &Project, wants: &Wants) -> std::collections::BTreeSet<ServiceName> {
    project
        .services
        .iter()
        .filter(|(name, service)| {
            // Without its image, an image's own health check is not known.
            let image = wants.images.get(*name);
            image.is_some() && matches!(crate::probe::probe_of(name, service, image), Ok(None))
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// The planner's options for what was asked.
pub fn plan_options(project: &Project, what: &WhatToDo, wants: &Wants) -> UpOptions {
    UpOptions {
        unprobed: unprobed(project, wants),
        ..what.up_options((*wants.bound_files).clone())
    }
}
