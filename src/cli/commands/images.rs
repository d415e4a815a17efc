//! `images`: the images that the project's containers were made from: one list call, and one call an image.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use crate::base::ImageId;
use crate::engine::EngineError;
use crate::view::lists::{ImageRow, image_ids, images_json, images_table};

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::{ImagesSettings, ListShape};
use super::check_services;

/// Shows the images.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: ImagesSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let mut containers = engine.list_containers(Some(&name)).await?;
    check_services(&settings.services, project.as_deref(), &containers)?;
    containers.retain(|c| settings.services.is_empty() || settings.services.contains(&c.service));
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let wanted: BTreeSet<&ImageId> = match settings.shape {
        // The containers tell them.
        ListShape::Names => BTreeSet::new(),
        ListShape::Table | ListShape::Json => containers.iter().map(|c| &c.image).collect(),
    };
    let engine = &engine;
    let found = try_join_all(wanted.into_iter().map(|id| async move {
        let image = engine.image(id.as_str()).await?;
        Ok::<_, EngineError>(image.map(|image| (id, image)))
    }));
    let images: BTreeMap<&ImageId, _> = found.await?.into_iter().flatten().collect();
    let rows: Vec<ImageRow<'_>> = containers
        .iter()
        .map(|container| ImageRow {
            container,
            image: images.get(&container.image),
        })
        .collect();
    let text = match settings.shape {
        ListShape::Names => image_ids(&rows),
        ListShape::Table => images_table(&rows, jiff::Timestamp::now().as_second()),
        ListShape::Json => format!("{}\n", images_json(&rows)),
    };
    output::data(&context.masker.mask(&text))?;
    Ok(Exit::AsWanted)
}
