//! `platform export` and `platform commit`: a container's file system as an archive, or as an image.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use crate::base::ServiceName;
use crate::engine::ByteStream;
use crate::engine::api::SharedEngine;
use crate::model::Container;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::{CommitSettings, ExportSettings};
use super::{check_services, cp};

/// Writes a container's file system as a tar.
///
/// # Errors
/// No project, no container of the service, a file that cannot be written.
pub async fn export(context: &Context, settings: ExportSettings) -> Outcome {
    let (engine, container) = found(context, &settings.service, settings.index).await?;
    let tar = engine.export(&container.id).await?;
    match &settings.output {
        None => cp::to_stdout(tar).await?,
        Some(path) => to_file(tar, path).await?,
    }
    Ok(Exit::AsWanted)
}

/// Makes an image of a container as it is now, and prints its id.
///
/// # Errors
/// No project, no container of the service, an image that the engine does not make.
pub async fn commit(context: &Context, settings: CommitSettings) -> Outcome {
    let (engine, container) = found(context, &settings.service, settings.index).await?;
    let image = engine.commit(&container.id, &settings.image).await?;
    output::data(&format!("{image}\n"))?;
    Ok(Exit::AsWanted)
}

async fn found(
    context: &Context,
    service: &ServiceName,
    index: Option<u32>,
) -> Result<(SharedEngine, Container), ExpectedError> {
    let named = [service.clone()];
    let (project, stack) = context.project_or_name(&named)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&named, stack.as_deref(), &containers)?;
    let chosen = cp::chosen(&containers, service, index, true)?;
    let first = chosen.first().map(|container| Container::clone(container));
    match first {
        Some(container) => Ok((engine, container)),
        None => Err(ExpectedError::usage(format!(
            "service {service} has no container"
        ))),
    }
}

/// Half an archive is left nowhere: it gets its name when it is whole.
async fn to_file(mut tar: ByteStream, path: &Path) -> Result<(), ExpectedError> {
    let failed = |source| ExpectedError::File {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = Part(path.with_file_name(name));
    let mut file = tokio::fs::File::create(&part.0).await.map_err(failed)?;
    while let Some(piece) = tar.next().await {
        file.write_all(&piece?).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    tokio::fs::rename(&part.0, path).await.map_err(failed)
}

/// A file in the making, which goes when it is not finished.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // It has another name by now where it is whole.
        let _ = std::fs::remove_file(&self.0);
    }
}
