//! `start`, `stop`, `restart`, `kill`, `pause`, `unpause`: containers that are there, none made and none removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{ProjectName, Signal};
use crate::engine::Wanted;
use crate::event::Hub;
use crate::execute::{ExecuteOptions, converge};
use crate::model::{Observed, Project};
use crate::plan::{Change, Which, plan_change, text};
use crate::view::progress::Final;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::LifecycleSettings;
use super::finish::{Words, finish};

/// Runs one of them.
///
/// # Errors
/// The stack's, the engine's, or containers that did not do what was asked.
pub async fn run(context: &Context, settings: LifecycleSettings) -> Outcome {
    let (name, project) = context.project_or_name(settings.which.services())?;
    change(context, &name, project, &settings.which, &settings, None).await
}

/// Changes containers; with a `hub`, its owner shows what happens.
///
/// # Errors
/// The engine's, or containers that did not do what was asked.
pub async fn change(
    context: &Context,
    name: &ProjectName,
    project: Option<Arc<Project>>,
    which: &Which,
    settings: &LifecycleSettings,
    hub: Option<Hub>,
) -> Outcome {
    let change = settings.change;
    let mut session = Session::open(
        context,
        Opening {
            command: change.as_str(),
            project: name,
            options: ExecuteOptions {
                wait_timeout: settings.wait_timeout,
                ..execute_options(context.settings.parallel)
            },
            // A signal is for now: it is no part of what another run does, and does not wait for its end.
            lock_timeout: (!context.settings.dry_run && !is_at_once(change)).then_some(settings.lock_timeout),
            last: Final::Tree,
            hub,
        },
    )
    .await?;
    let wanted = Wanted {
        project: Some(name.clone()),
        images: project
            .as_deref()
            .map(|p| Wanted::of(p).images)
            .unwrap_or_default(),
        ..Wanted::default()
    };
    let observed = match session.site.engine.observe(&wanted).await {
        Ok(observed) => observed,
        Err(error) => {
            session.hush().await;
            return Err(error.into());
        }
    };
    if let Err(error) = check(which, change, project.as_deref(), &observed, name) {
        session.hush().await;
        return Err(error);
    }
    let plan_of =
        |observed: &Observed| plan_change(project.as_deref(), observed, which, change, settings.timeout);
    if context.settings.dry_run {
        session.hush().await;
        output::data(&text::plan(&plan_of(&observed)))?;
        return Ok(Exit::AsWanted);
    }
    let wants = session::wants(
        &super::down::or_nothing(project.as_ref(), name),
        project
            .as_deref()
            .map_or_else(BTreeMap::new, |project| session::images_of(project, &observed)),
    );
    let converged = converge(
        &session.site,
        &wants,
        &wanted,
        Some(observed),
        settings.engine_timeout,
        &plan_of,
    )
    .await;
    finish(context, &mut session, converged, words(change)).await
}

/// Whether what runs is changed, and nothing is an error where nothing runs, as in docker compose.
fn is_at_once(change: Change) -> bool {
    matches!(change, Change::Kill(_) | Change::Pause | Change::Unpause)
}

/// Somebody who names a service expects it to be there.
fn check(
    which: &Which,
    change: Change,
    project: Option<&Project>,
    observed: &Observed,
    name: &ProjectName,
) -> Result<(), ExpectedError> {
    let services = which.services();
    super::check_services(services, project, &observed.containers)?;
    if matches!(which, Which::Instances(_)) || is_at_once(change) {
        return Ok(());
    }
    let has = |service: &crate::base::ServiceName| {
        observed
            .containers
            .iter()
            .any(|c| !c.oneoff && c.service == *service)
    };
    let without = services.iter().find(|service| !has(service));
    match without {
        Some(service) => Err(ExpectedError::NotAsWanted {
            message: format!("service {service} has no container"),
            hint: Some("`platform up -d` makes it".into()),
        }),
        None if observed.containers.iter().all(|c| c.oneoff) => Err(ExpectedError::NotAsWanted {
            message: format!("project {name} has no containers"),
            hint: Some("`platform up -d` makes them".into()),
        }),
        None => Ok(()),
    }
}

/// What is said at the end of a change.
fn words(change: Change) -> Words {
    Words {
        done: match change {
            Change::Start => "started",
            Change::Stop => "stopped",
            Change::Restart => "restarted",
            Change::Kill(Signal::KILL) => "killed",
            Change::Kill(_) => "sent",
            Change::Pause => "paused",
            Change::Unpause => "unpaused",
        },
        nothing: match change {
            Change::Kill(_) => "no container to kill",
            _ => "nothing to do",
        },
        failed: "not everything is as wanted",
        stopped: "interrupted",
    }
}
