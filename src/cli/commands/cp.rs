//! `platform cp`: files between this machine and a service's containers.

use std::path::Path;

use futures_util::StreamExt;
use tokio_util::io::ReaderStream;

use crate::base::ContainerId;
use crate::engine::api::SharedEngine;
use crate::engine::{ByteStream, PathStat};
use crate::model::Container;
use crate::stack::scope;

use super::super::context::Context;
use super::super::copying::{self, Source};
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::{CpSettings, Progress};
use super::check_services;

/// A chain of links longer than this leads round in circles.
const MOST_LINKS: u32 = 32;

/// Copies.
///
/// # Errors
/// No project, no container of the service, nothing to copy, or a place where it cannot go.
pub async fn run(context: &Context, settings: CpSettings) -> Outcome {
    let named = [settings.service.clone()];
    let (project, stack) = context.project_or_name(&named)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&named, stack.as_deref(), &containers)?;
    let mut chosen = chosen(&containers, &named[0], settings.index, settings.oneoffs)?;
    if !settings.into {
        chosen.truncate(1);
    }
    if settings.into && settings.outside.is_none() && chosen.len() > 1 {
        return Err(ExpectedError::Usage {
            message: format!(
                "standard input goes into one container, and {} has {}",
                named[0],
                chosen.len()
            ),
            hint: Some("choose one with --index".into()),
        });
    }
    for container in chosen {
        if settings.into {
            into(&engine, container, &settings).await?;
        } else {
            out_of(&engine, container, &settings).await?;
        }
        let outside = settings.outside.as_deref().unwrap_or("-");
        if context.settings.progress != Progress::Quiet {
            let inside = format!("{}:{}", container.name, settings.inside);
            let (from, to) = if settings.into {
                (outside, inside.as_str())
            } else {
                (inside.as_str(), outside)
            };
            output::talk(&format!("copied {from} to {to}\n"));
        }
    }
    Ok(Exit::AsWanted)
}

/// The containers that are meant, running or not: the one of that number, else all of the service.
pub(super) fn chosen<'c>(
    containers: &'c [Container],
    service: &crate::base::ServiceName,
    index: Option<u32>,
    oneoffs: bool,
) -> Result<Vec<&'c Container>, ExpectedError> {
    let mut of_service: Vec<&Container> = containers
        .iter()
        .filter(|c| c.service == *service)
        .filter(|c| match index {
            Some(index) => !c.oneoff && c.number == index,
            None => oneoffs || !c.oneoff,
        })
        .collect();
    of_service.sort_by_key(|c| (c.oneoff, c.number));
    if of_service.is_empty() {
        return Err(ExpectedError::NotAsWanted {
            message: match index {
                Some(index) => format!("service {service} has no container {index}"),
                None => format!("service {service} has no container"),
            },
            hint: Some("`platform ps -a` shows what there is".into()),
        });
    }
    Ok(of_service)
}

fn not_so(message: String) -> ExpectedError {
    ExpectedError::NotAsWanted { message, hint: None }
}

async fn into(
    engine: &SharedEngine,
    container: &Container,
    settings: &CpSettings,
) -> Result<(), ExpectedError> {
    let id = &container.id;
    let (path, there) = followed(engine, id, &settings.inside).await?;
    let Some(outside) = &settings.outside else {
        if !there.is_some_and(|stat| stat.is_dir) {
            return Err(not_so(format!(
                "{}:{} is no folder, and standard input is unpacked in one",
                container.name, settings.inside
            )));
        }
        let stdin = ReaderStream::new(tokio::io::stdin()).boxed();
        return Ok(engine.write_archive(id, &path, settings.owners, stdin).await?);
    };
    let source = copying::look(outside, settings.follow).map_err(|source| ExpectedError::File {
        action: "read",
        path: outside.clone(),
        source,
    })?;
    let place = copying::place(&source, &path, there.map(|stat| stat.is_dir)).map_err(not_so)?;
    let tar = copying::pack(outside.into(), settings.follow, place.name);
    match engine
        .write_archive(id, &place.folder, settings.owners, tar)
        .await
    {
        Err(error) if error.is_not_found() => Err(not_so(format!(
            "there is no folder {} in container {}",
            place.folder, container.name
        ))),
        other => Ok(other?),
    }
}

async fn out_of(
    engine: &SharedEngine,
    container: &Container,
    settings: &CpSettings,
) -> Result<(), ExpectedError> {
    let id = &container.id;
    let contents = settings.inside.ends_with("/.") || settings.inside == ".";
    let (path, stat) = if settings.follow || contents || settings.inside.ends_with('/') {
        followed(engine, id, &settings.inside).await?
    } else {
        let path = absolute(&settings.inside);
        let stat = engine.stat_path(id, &path).await?;
        (path, stat)
    };
    let Some(stat) = stat else {
        return Err(not_so(format!(
            "there is no {} in container {}",
            settings.inside, container.name
        )));
    };
    let path = scope::clean(Path::new(&path));
    let tar = engine.read_archive(id, &path.to_string_lossy()).await?;
    let Some(outside) = &settings.outside else {
        return to_stdout(tar).await;
    };
    // A link keeps its own name when what it leads to is copied.
    let written = scope::clean(Path::new(&absolute(&settings.inside)));
    let name = written
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let source = Source {
        is_dir: stat.is_dir,
        contents: contents || name.is_none(),
        name: name.unwrap_or_default(),
    };
    let there = std::fs::metadata(outside).ok().map(|found| found.is_dir());
    let place = copying::place(&source, outside, there).map_err(not_so)?;
    copying::unpack(tar, place, settings.owners)
        .await
        .map_err(|source| ExpectedError::File {
            action: "write",
            path: outside.clone(),
            source,
        })
}

/// Writes what the engine sends to standard output as it comes.
pub(super) async fn to_stdout(mut bytes: ByteStream) -> Result<(), ExpectedError> {
    use tokio::io::AsyncWriteExt;
    let mut stdout = tokio::io::stdout();
    while let Some(piece) = bytes.next().await {
        stdout.write_all(&piece?).await.map_err(output::output_error)?;
    }
    stdout.flush().await.map_err(output::output_error)
}

/// Paths of a container begin at its root.
fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// A path of a container, links at its end followed, and what is there.
async fn followed(
    engine: &SharedEngine,
    id: &ContainerId,
    path: &str,
) -> Result<(String, Option<PathStat>), ExpectedError> {
    let mut path = absolute(path);
    for _ in 0..MOST_LINKS {
        let stat = engine.stat_path(id, path.trim_end_matches("/.")).await?;
        let Some(target) = stat.as_ref().and_then(|stat| stat.link_target.clone()) else {
            return Ok((path, stat));
        };
        let from = Path::new(path.trim_end_matches("/.").trim_end_matches('/'));
        let folder = from.parent().unwrap_or(Path::new("/"));
        path = scope::clean(&folder.join(target)).to_string_lossy().into_owned();
    }
    Err(not_so(format!("{path} leads round in circles")))
}
