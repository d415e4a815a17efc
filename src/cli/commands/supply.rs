//! `build` and `pull`: images onto the engine, and nothing else.

use std::sync::Arc;

use crate::base::ServiceName;
use crate::engine::Wanted;
use crate::event::Body;
use crate::image::bake::Outcome;
use crate::image::buildx::{Buildx, needs_buildx};
use crate::image::{HostEnv, RequestOptions};
use crate::model::{Project, PullPolicy};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome as CommandOutcome};
use super::super::output;
use super::super::session::Session;
use super::super::settings::{Action, How, SupplySettings};
use super::push;
use super::up::images;

/// Runs `build` or `pull`.
///
/// # Errors
/// The stack's, the engine's, or images that are not to be had.
pub async fn run(context: &Context, settings: &SupplySettings) -> CommandOutcome {
    let mut project = context.project(&settings.services)?;
    super::check_services(&settings.services, Some(&project), &[])?;
    let chosen = chosen(&project, settings);
    asked(Arc::make_mut(&mut project), &settings.how);
    if let How::Build { action, buildx, .. } = &settings.how {
        let outcome = match action {
            Action::Build => None,
            Action::Print if buildx.push => Some(Outcome::Push),
            Action::Print => Some(Outcome::Load),
            Action::Check => Some(Outcome::Check),
        };
        if let Some(outcome) = outcome {
            let buildx = images::buildx(context, &project, buildx, &chosen, outcome);
            return printed(context, &buildx, outcome).await;
        }
    }
    if context.settings.dry_run {
        let lines = chosen.iter().filter_map(|name| {
            let service = project.services.get(name)?;
            let reference = service.image_reference(project.name.as_str(), name.as_str());
            Some(format!("{} {reference}\n", settings.how.command()))
        });
        output::data(&lines.collect::<String>())?;
        return Ok(Exit::AsWanted);
    }
    let mut session = Session::open_for_images(context, settings.how.command(), &project.name).await?;
    let outcome = supplied(context, &session, &project, &chosen, settings).await;
    match outcome {
        Err(error) => session.broken_off(context, error).await,
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

/// Prints the builds, or what a check of their Dockerfiles says.
async fn printed(context: &Context, buildx: &Buildx, outcome: Outcome) -> CommandOutcome {
    if outcome != Outcome::Check {
        output::data(&format!("{}\n", buildx.file.text()))?;
        return Ok(Exit::AsWanted);
    }
    let temp = HostEnv::new(context.env.vars().clone()).temp_dir();
    let (lines, mut said) = tokio::sync::mpsc::unbounded_channel();
    let on_line = move |line: &str| drop(lines.send(format!("{line}\n")));
    let work = buildx.check(&temp, on_line);
    let telling = async {
        while let Some(line) = said.recv().await {
            output::data(&line)?;
        }
        Ok::<_, ExpectedError>(())
    };
    let both = async { tokio::join!(work, telling) };
    let (checked, told) = tokio::select! {
        both = both => both,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    told?;
    match checked {
        Ok(true) => Ok(Exit::AsWanted),
        Ok(false) => Err(ExpectedError::NotAsWanted {
            message: "the check found something".to_owned(),
            hint: None,
        }),
        Err(error) => Err(ExpectedError::NotAsWanted {
            message: error.to_string(),
            hint: None,
        }),
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
    if let How::Build { memory: true, .. } = settings.how {
        site.hub.publish(Body::Warning {
            text: "--memory is not supported by BuildKit and is ignored".to_owned(),
            hint: None,
        });
    }
    let options = match &settings.how {
        How::Build { buildx, .. } => RequestOptions {
            build: true,
            buildx: buildx.clone(),
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
        let failed: Vec<String> = supplied.failed().map(str::to_owned).collect();
        if let How::Build { buildx, .. } = &settings.how
            && buildx.push
            && failed.is_empty()
        {
            // What buildx built it pushed itself.
            let by_engine = |name: &&ServiceName| {
                let build = project
                    .services
                    .get(*name)
                    .and_then(|service| service.build.as_ref());
                buildx.is_needed().is_none() && build.is_some_and(|build| needs_buildx(build).is_none())
            };
            let own: Vec<ServiceName> = chosen.iter().filter(by_engine).cloned().collect();
            push::pushed(site, &push::images(project, &own), false).await?;
        }
        return Ok(failed);
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
                ..
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
