//! `build` and `pull`: images onto the engine, and nothing else.

use std::sync::Arc;

use crate::base::ServiceName;
use crate::engine::Wanted;
use crate::event::Body;
use crate::image::RequestOptions;
use crate::model::{Project, PullPolicy};
use crate::view::progress::Final;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::{How, SupplySettings};
use super::up::images;

/// Runs `build` or `pull`.
///
/// # Errors
/// The stack's, the engine's, or images that are not to be had.
pub async fn run(context: &Context, settings: &SupplySettings) -> Outcome {
    let mut project = context.project(&settings.services)?;
    super::check_services(&settings.services, Some(&project), &[])?;
    let chosen = chosen(&project, settings);
    asked(Arc::make_mut(&mut project), &settings.how);
    if context.settings.dry_run {
        let lines = chosen.iter().filter_map(|name| {
            let service = project.services.get(name)?;
            let reference = service.image_reference(project.name.as_str(), name.as_str());
            Some(format!("{} {reference}\n", settings.how.command()))
        });
        output::data(&lines.collect::<String>())?;
        return Ok(Exit::AsWanted);
    }
    let mut session = Session::open(
        context,
        Opening {
            command: settings.how.command(),
            project: &project.name,
            options: execute_options(context.settings.parallel),
            // Nothing of the project is changed.
            lock_timeout: None,
            last: Final::Tree,
            hub: None,
        },
    )
    .await?;
    let outcome = supplied(context, &session, &project, &chosen, settings).await;
    match outcome {
        Err(ExpectedError::Interrupted(_)) => {
            let exit = session::interrupted(context);
            session.close(exit.code(), "interrupted".into()).await;
            Ok(exit)
        }
        Err(error) => {
            session.hush().await;
            Err(error)
        }
        Ok(failed) if failed.is_empty() => {
            let text = match (chosen.is_empty(), &settings.how) {
                (true, How::Build { .. }) => "no service to build",
                (true, How::Pull { .. }) => "no image to pull",
                (false, How::Build { .. }) => "built",
                (false, How::Pull { .. }) => "pulled",
            };
            session.close(0, text.into()).await;
            Ok(Exit::AsWanted)
        }
        Ok(failed) => {
            let text = format!("no image for {}", failed.join(", "));
            session.close(1, text).await;
            Err(ExpectedError::Reported)
        }
    }
}

/// Supplies the images and gives those that count as failed.
async fn supplied(
    context: &Context,
    session: &Session,
    project: &Arc<Project>,
    chosen: &[ServiceName],
    settings: &SupplySettings,
) -> Result<Vec<String>, ExpectedError> {
    let site = &session.site;
    let options = match &settings.how {
        How::Build { .. } => RequestOptions {
            build: true,
            ..RequestOptions::default()
        },
        How::Pull { missing, .. } => RequestOptions {
            pull: Some(if *missing {
                PullPolicy::Missing
            } else {
                PullPolicy::Always
            }),
            no_build: true,
            ..RequestOptions::default()
        },
    };
    let work = async {
        let observed = site.engine.observe(&Wanted::of(project)).await?;
        images::supply(context, site, project, chosen, &observed, &options).await
    };
    let supplied = tokio::select! {
        supplied = work => supplied?,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let How::Pull { ignore_failures, .. } = &settings.how else {
        return Ok(supplied.failed().map(str::to_owned).collect());
    };
    let users = |reference: &str| {
        let services = project.services.iter();
        let own = services.filter(|(name, service)| {
            service.image_reference(project.name.as_str(), name.as_str()) == reference
        });
        own.map(|(_, service)| service).collect::<Vec<_>>()
    };
    let mut failed = Vec::new();
    for reference in supplied.failed() {
        let users = users(reference);
        if users.iter().any(|service| service.build.is_some()) {
            let hint = "`platform build` builds it".to_owned();
            site.hub.publish(Body::Warning {
                text: format!("{reference} was not pulled"),
                hint: Some(hint),
            });
        } else if !ignore_failures && !users.iter().all(|service| service.ext.optional) {
            failed.push(reference.to_owned());
        }
    }
    Ok(failed)
}

/// The services whose images are built or pulled.
fn chosen(project: &Project, settings: &SupplySettings) -> Vec<ServiceName> {
    let named = &settings.services;
    let all = if named.is_empty() || settings.dependencies {
        project.closure(named)
    } else {
        named.clone()
    };
    let takes_part = |name: &ServiceName| {
        project
            .services
            .get(name)
            .is_some_and(|service| match &settings.how {
                How::Build { .. } => service.build.is_some(),
                How::Pull { ignore_buildable, .. } => {
                    let never = matches!(service.pull_policy, Some(PullPolicy::Never | PullPolicy::Build));
                    service.image.is_some() && !never && !(*ignore_buildable && service.build.is_some())
                }
            })
    };
    let all = match settings.how {
        How::Build { .. } => project.with_build_contexts(&all),
        How::Pull { .. } => all,
    };
    all.into_iter().filter(takes_part).collect()
}

/// What the command line says over the stack.
fn asked(project: &mut Project, how: &How) {
    for service in project.services.values_mut() {
        match how {
            How::Build {
                args,
                no_cache,
                pull,
                ssh,
            } => {
                let Some(build) = &mut service.build else { continue };
                for (name, value) in args {
                    match value {
                        Some(value) => build.args.insert(name.clone(), value.clone()),
                        None => build.args.shift_remove(name),
                    };
                }
                build.no_cache |= no_cache;
                build.pull |= pull;
                build.ssh.extend(ssh.iter().cloned());
            }
            // A policy of the stack's is for `up`.
            How::Pull { .. } => service.pull_policy = None,
        }
    }
}
