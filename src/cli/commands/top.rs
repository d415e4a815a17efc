//! `platform top`: the processes in the project's containers.

use futures_util::future::join_all;

use crate::view::processes::table;

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::TopSettings;
use super::check_services;

/// Shows the processes of running containers.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: TopSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let mut containers = engine.list_containers(Some(&name)).await?;
    check_services(&settings.services, project.as_deref(), &containers)?;
    containers.retain(|c| {
        !c.oneoff
            && c.state.is_running()
            && (settings.services.is_empty() || settings.services.contains(&c.service))
    });
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let asked = join_all(containers.iter().map(|container| engine.top(&container.id, None)));
    let mut found = Vec::new();
    for (container, processes) in containers.iter().zip(asked.await) {
        match processes {
            Ok(processes) => found.push((container, processes)),
            // It has ended meanwhile.
            Err(error) if !error.is_engine_lost() => {}
            Err(error) => return Err(error.into()),
        }
    }
    output::data(&context.masker.mask(&table(&found)))?;
    Ok(Exit::AsWanted)
}
