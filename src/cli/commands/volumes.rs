//! `volumes`: the project's volumes, from one list call; where services are named, one more.

use crate::model::VolumeFound;
use crate::view::lists;

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::VolumesSettings;
use super::check_services;

/// Shows the volumes.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: VolumesSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let mut volumes = engine.list_volumes(&name).await?;
    if !settings.services.is_empty() {
        let containers = engine.list_containers(Some(&name)).await?;
        check_services(&settings.services, project.as_deref(), &containers)?;
        let mounted = |volume: &VolumeFound| {
            containers
                .iter()
                .filter(|c| settings.services.contains(&c.service))
                .any(|c| c.volumes.contains(&volume.name))
        };
        volumes.retain(mounted);
    }
    let text = match &settings.format {
        Some(format) => lists::volumes(&volumes, format),
        None => volumes
            .iter()
            .map(|volume| format!("{}\n", volume.name))
            .collect(),
    };
    output::data(&context.masker.mask(&text))?;
    Ok(Exit::AsWanted)
}
