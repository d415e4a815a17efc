//! `platform run`: a container of its own for one command, once what it depends on is proven ready.

use std::sync::Arc;

use crate::base::{ContainerId, ServiceName};
use crate::engine::api::SharedEngine;
use crate::engine::{AttachSpec, OneOff, Until};
use crate::event::{Body, failure::FailureReport};
use crate::execute::oneoff::{self, Asked, Made};
use crate::execute::{Converged, Wants};
use crate::model::{Observed, Project};
use crate::plan::{ImageState, text};

use super::super::attached::{self, Attachment, Insist, Left};
use super::super::context::Context;
use super::super::env::Environment;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Session};
use super::super::settings::RunSettings;
use super::up::{self, Pursued};
use super::{check_services, exec};

/// Runs a command in a container of its own; the exit code is the command's.
///
/// # Errors
/// The stack's, the engine's, or dependencies that are not ready.
pub async fn run(context: &Context, mut settings: RunSettings) -> Outcome {
    let named = [settings.service.clone()];
    let project = context.project(&named)?;
    check_services(&named, Some(&project), &[])?;
    if let Some(provider) = project
        .services
        .get(&settings.service)
        .and_then(|s| s.provider.as_ref())
    {
        let text = format!(
            "{} is brought up by the provider {}, and runs no commands",
            settings.service, provider.kind
        );
        return Err(ExpectedError::usage(text));
    }
    let more = from_env_files(&project, &settings.unset, &context.env);
    settings.overrides.environment.extend(more);
    let keys = attached::detach_keys(context, settings.detach_keys.as_deref())?;
    let mut session = up::open(context, &project, &settings.up, None).await?;
    let made = match make(context, &mut session, &project, &settings).await {
        Ok(Step::Made(made)) => made,
        Ok(Step::Over(exit)) => return Ok(exit),
        Err(error) => {
            session.hush().await;
            return Err(error);
        }
    };
    // From here on the terminal is the command's.
    session.hush().await;
    let engine = session.site.engine.clone();
    let leftover = Leftover {
        engine: &engine,
        id: &made.id,
        remove: settings.remove,
    };
    if settings.detach {
        return match engine.start_container(&made.id).await {
            Ok(()) if settings.quiet => Ok(Exit::AsWanted),
            Ok(()) => output::data(&format!("{}\n", made.id)).map(|()| Exit::AsWanted),
            Err(error) => {
                leftover.never_started().await;
                exec::refused(error)
            }
        };
    }
    let how = Attachment {
        tty: settings.overrides.tty,
        stdin: settings.overrides.stdin_open,
        keys,
        joined: false,
    };
    let spec = AttachSpec {
        tty: how.tty,
        stdin: how.stdin,
        until: if settings.remove {
            Until::Removed
        } else {
            Until::NextExit
        },
        detach_keys: Some(how.keys.as_str().to_owned()),
    };
    let started = async {
        // Before the start, so that nothing of the output is lost.
        let attached = engine.attach_container(&made.id, &spec).await?;
        engine.start_container(&made.id).await.map(|()| attached)
    };
    let started = tokio::select! {
        started = started => started,
        signal = context.signals.stopped() => {
            leftover.never_started().await;
            return Err(ExpectedError::Interrupted(signal));
        }
    };
    let attached = match started {
        Ok(attached) => attached,
        Err(error) => {
            leftover.never_started().await;
            return exec::refused(error);
        }
    };
    // The command may take for ever; others may change the project meanwhile.
    session.unlock();
    let left = tokio::select! {
        left = attached::stay(context, attached, &how) => left,
        error = attached::pass_signals_on(context, &engine, &made.id, Insist::Yes) => Err(error),
    };
    match left {
        Ok(Left::Ended(exit)) => Ok(exit),
        Ok(Left::Detached) => {
            output::talk(&format!("detached; {} runs on\n", made.name));
            Ok(Exit::AsWanted)
        }
        // The container does not depend on this connection.
        Err(error @ ExpectedError::Engine(_)) => {
            output::talk(&format!("{} may run on\n", made.name));
            Err(error)
        }
        Err(error) => {
            leftover.left_alone(context, &settings).await;
            Err(error)
        }
    }
}

/// What the project's environment files say of variables that were named without a value and are not set
/// here, as docker compose looks them up.
fn from_env_files(project: &Project, names: &[String], env: &Environment) -> Vec<(String, String)> {
    let found = env.in_files(&project.env_files);
    names
        .iter()
        .filter_map(|name| Some((name.clone(), found.get(name)?.clone())))
        .collect()
}

/// How far the way to the container came.
enum Step {
    /// It is made, and not started.
    Made(Made),
    /// Nothing is to be run.
    Over(Exit),
}

/// Brings up what the service depends on, and makes the container.
async fn make(
    context: &Context,
    session: &mut Session,
    project: &Arc<Project>,
    settings: &RunSettings,
) -> Result<Step, ExpectedError> {
    let beside = [settings.service.clone()];
    let pursued = up::pursue(context, session, project, &settings.up, &beside).await?;
    let (wants, supplied, converged) = match pursued {
        Pursued::Shown(plan) => {
            session.hush().await;
            output::data(&text::plan(&plan))?;
            output::data(&format!("run {} in a container of its own\n", settings.service))?;
            return Ok(Step::Over(Exit::AsWanted));
        }
        Pursued::Done {
            wants,
            supplied,
            converged,
        } => (wants, supplied, converged),
    };
    let observed = match *converged {
        Converged::Done { report, observed, .. } if counts_for_nothing(project, settings, &report) => {
            for failed in &report.services {
                let text = format!("{}; {} does without it", failed.headline(), settings.service);
                session.site.hub.publish(Body::Warning { text, hint: None });
            }
            observed
        }
        Converged::Done { report, .. } => {
            session.site.hub.publish(Body::Failure(report));
            session.close(1, format!("{} is not run", settings.service)).await;
            return Err(ExpectedError::Reported);
        }
        Converged::Refused(plan) => return Err(super::refused(&plan)),
        Converged::Stopped(_) => {
            let exit = session::interrupted(context);
            session.close(exit.code(), "interrupted".into()).await;
            return Ok(Step::Over(exit));
        }
        Converged::EngineGone(error) => return Err(error.into()),
    };
    let image = match supplied.states(project, &observed).remove(&settings.service) {
        Some(ImageState::Present(image)) => image,
        Some(ImageState::Unavailable { reason, .. }) => return Err(no_image(&settings.service, &reason)),
        Some(ImageState::Pending { .. }) | None => {
            return Err(no_image(&settings.service, "it is not known"));
        }
    };
    let asked = Asked {
        service: &settings.service,
        image: &image,
        overrides: &settings.overrides,
        oneoff: OneOff {
            use_aliases: settings.use_aliases,
            auto_remove: settings.remove,
            stdin: settings.overrides.stdin_open,
        },
        name: settings.name.as_deref(),
    };
    Ok(Step::Made(
        create(context, session, &wants, &observed, &asked).await?,
    ))
}

async fn create(
    context: &Context,
    session: &Session,
    wants: &Wants,
    observed: &Observed,
    asked: &Asked<'_>,
) -> Result<Made, ExpectedError> {
    let made = oneoff::create(&session.site, wants, observed, asked).await?;
    match context.signals.first() {
        None => Ok(made),
        Some(signal) => {
            let id = &made.id;
            let engine = &session.site.engine;
            Leftover {
                engine,
                id,
                remove: true,
            }
            .never_started()
            .await;
            Err(ExpectedError::Interrupted(signal))
        }
    }
}

/// Whether all that failed is what the service says it can do without.
fn counts_for_nothing(project: &Project, settings: &RunSettings, report: &FailureReport) -> bool {
    let needless = |name: &ServiceName| {
        project
            .services
            .get(&settings.service)
            .and_then(|service| service.depends_on.get(name))
            .is_some_and(|dependency| !dependency.required)
    };
    report.is_empty()
        || (!report.services.is_empty()
            && report.operations.is_empty()
            && report
                .services
                .iter()
                .all(|failed| needless(&failed.instance.service)))
}

fn no_image(service: &ServiceName, reason: &str) -> ExpectedError {
    ExpectedError::NotAsWanted {
        message: format!("{service} has no image: {reason}"),
        hint: None,
    }
}

/// What may be left of a container of `run`.
struct Leftover<'a> {
    engine: &'a SharedEngine,
    id: &'a ContainerId,
    remove: bool,
}

impl Leftover<'_> {
    /// Nothing ran in it: it goes in any case.
    async fn never_started(&self) {
        // Nothing better can be done about one that cannot be removed, and why it failed was said.
        let _ = self.engine.remove_container(self.id, true, true).await;
    }

    /// Nobody hears it any more, as when a reader of a pipe ends: it is stopped, and goes with `--rm`.
    async fn left_alone(&self, context: &Context, settings: &RunSettings) {
        let grace = settings
            .up
            .what
            .stop_timeout
            .unwrap_or(crate::plan::planner::DEFAULT_GRACE);
        let stop = context.signals.stop();
        tokio::select! {
            _ = self.engine.stop_container(self.id, None, grace) => {}
            () = stop.reached(crate::execute::StopLevel::Kill) => {
                let _ = self.engine.kill_container(self.id, "KILL").await;
            }
        }
        if self.remove {
            self.never_started().await;
        }
    }
}
