//! `push`: images of services to their registries.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use crate::base::ServiceName;
use crate::event::Body;
use crate::execute::Site;
use crate::image::push::{PushError, push};
use crate::model::Project;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::Session;
use super::super::settings::PushSettings;

/// So many images are pushed at once.
const AT_ONCE: usize = 4;

/// Runs the command.
///
/// # Errors
/// The stack's, the engine's, or images that were not pushed.
pub async fn run(context: &Context, settings: &PushSettings) -> Outcome {
    let project = context.project(&settings.services)?;
    super::check_services(&settings.services, Some(&project), &[])?;
    let named = &settings.services;
    let chosen = if named.is_empty() || settings.dependencies {
        project.closure(named)
    } else {
        named.clone()
    };
    let images = images(&project, &chosen);
    if context.settings.dry_run {
        let lines = images.iter().map(|image| format!("push {image}\n"));
        output::data(&lines.collect::<String>())?;
        return Ok(Exit::AsWanted);
    }
    let mut session = Session::open_for_images(context, "push", &project.name).await?;
    let outcome = tokio::select! {
        failed = pushed(&session.site, &images, settings.ignore_failures) => failed,
        signal = context.signals.stopped() => Err(ExpectedError::Interrupted(signal)),
    };
    match outcome {
        Err(error) => session.broken_off(context, error).await,
        Ok(()) => {
            let text = if images.is_empty() {
                "no image to push"
            } else {
                "pushed"
            };
            session.close(0, text.into()).await;
            Ok(Exit::AsWanted)
        }
    }
}

/// The references to push: those of services with an image of their own and a build, with the tags
/// of the build. As docker compose: what others built is not ours to push.
pub(super) fn images(project: &Arc<Project>, chosen: &[ServiceName]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let services = chosen.iter().filter_map(|name| project.services.get(name));
    for service in services {
        let (Some(image), Some(build)) = (&service.image, &service.build) else {
            continue;
        };
        for reference in [image].into_iter().chain(&build.tags) {
            if !out.contains(reference) {
                out.push(reference.clone());
            }
        }
    }
    out
}

/// Pushes images; those that fail are told, and are an error unless that is to be overlooked.
///
/// # Errors
/// The engine's, or images that were not pushed.
pub(super) async fn pushed(
    site: &Site,
    images: &[String],
    ignore_failures: bool,
) -> Result<(), ExpectedError> {
    let work = images.iter().map(|reference| async move {
        let progress = |at: crate::image::push::PushProgress| {
            site.hub.publish(Body::Progress {
                subject: reference.clone(),
                text: format!("pushing, layer {} of {}", at.layers_done, at.layers),
                amount: (at.total > 0).then_some((at.bytes, at.total)),
            });
        };
        let result = push(site.engine.as_ref(), reference, &progress).await;
        if result.is_ok() {
            site.hub.publish(Body::Info {
                text: format!("{reference} pushed"),
            });
        }
        result
    });
    let results: Vec<Result<(), PushError>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    let mut failed = Vec::new();
    for result in results {
        match result {
            Ok(()) => {}
            Err(PushError::Engine(error)) => return Err(error.into()),
            Err(error) if ignore_failures => site.hub.publish(Body::Warning {
                text: site.masker.mask(&error.to_string()).into_owned(),
                hint: None,
            }),
            Err(error) => failed.push(site.masker.mask(&error.to_string()).into_owned()),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(ExpectedError::NotAsWanted {
        message: failed.join("\n       "),
        hint: Some("`docker login REGISTRY` stores credentials; `--ignore-push-failures` goes on".to_owned()),
    })
}
