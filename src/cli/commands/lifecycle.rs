//! `start`, `stop`, `restart`: containers that are there, none made and none removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ProjectName;
use crate::engine::Wanted;
use crate::event::{Body, Hub};
use crate::execute::{Converged, ExecuteOptions, converge};
use crate::model::{Observed, Project};
use crate::plan::{Change, Which, plan_change, text};
use crate::view::progress::Final;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::LifecycleSettings;

/// Runs `start`, `stop` or `restart`.
///
/// # Errors
/// The stack's, the engine's, or containers that did not do what was asked.
pub async fn run(context: &Context, settings: LifecycleSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let which = Which::Services(settings.services.clone());
    change(context, &name, project, &which, &settings, None).await
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
            lock_timeout: (!context.settings.dry_run).then_some(settings.lock_timeout),
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
    if let Err(error) = check(which, project.as_deref(), &observed, name) {
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
        &project
            .clone()
            .unwrap_or_else(|| Arc::new(super::down::nothing(name))),
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
    finish(context, &mut session, converged, change).await
}

/// Somebody who names a service expects it to be there.
fn check(
    which: &Which,
    project: Option<&Project>,
    observed: &Observed,
    name: &ProjectName,
) -> Result<(), ExpectedError> {
    let Which::Services(services) = which else {
        return Ok(());
    };
    super::check_services(services, project, &observed.containers)?;
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

async fn finish(context: &Context, session: &mut Session, converged: Converged, change: Change) -> Outcome {
    match converged {
        Converged::Done { report, changed, .. } => {
            if !report.is_empty() {
                session.site.hub.publish(Body::Failure(report));
                session.close(1, "not everything is as wanted".into()).await;
                return Err(ExpectedError::Reported);
            }
            let text = match (changed, change) {
                (false, _) => "nothing to do",
                (true, Change::Start) => "started",
                (true, Change::Stop) => "stopped",
                (true, Change::Restart) => "restarted",
            };
            session.close(0, text.into()).await;
            Ok(Exit::AsWanted)
        }
        Converged::Refused(plan) => {
            session.hush().await;
            Err(super::refused(&plan))
        }
        Converged::Stopped(_) => {
            let exit = session::interrupted(context);
            session.close(exit.code(), "interrupted".into()).await;
            Ok(exit)
        }
        Converged::EngineGone(error) => {
            session.hush().await;
            Err(error.into())
        }
    }
}
