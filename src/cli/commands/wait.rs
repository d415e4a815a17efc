//! `wait`: until containers have ended; the exit code is that of the last.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::base::ServiceName;
use crate::engine::api::SharedEngine;
use crate::model::{Container, ContainerState};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::WaitSettings;
use super::{check_services, down};

/// Waits for the containers of services, and takes the project down afterwards where that was asked for.
///
/// # Errors
/// No project, a service without containers, an engine that does not answer or goes away.
pub async fn run(context: &Context, settings: WaitSettings) -> Outcome {
    let code = tokio::select! {
        code = ended(context, &settings.services) => code?,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    if let Some(settings) = settings.down {
        let exit = down::run(context, settings).await?;
        if exit != Exit::AsWanted {
            return Ok(exit);
        }
    }
    Ok(Exit::of_command(code))
}

/// The exit code of the container that ended last.
async fn ended(context: &Context, services: &[ServiceName]) -> Result<i64, ExpectedError> {
    let (name, project) = context.project_or_name(services)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&name)).await?;
    check_services(services, project.as_deref(), &containers)?;
    let mut code = 0;
    let mut alive: Vec<&Container> = Vec::new();
    for service in services {
        let own: Vec<&Container> = containers.iter().filter(|c| c.service == *service).collect();
        let waited_for = alive.len();
        alive.extend(own.iter().copied().filter(|c| c.state.is_alive()));
        if alive.len() > waited_for {
            continue;
        }
        // One that was faster than we is no less waited for.
        let before: Vec<(&Container, i64)> = own
            .iter()
            .filter(|c| !c.oneoff)
            .filter_map(|c| match c.state {
                ContainerState::Exited { code, .. } => Some((*c, code)),
                _ => None,
            })
            .collect();
        if before.is_empty() {
            return Err(ExpectedError::NotAsWanted {
                message: format!("no container of service {service} runs or has run"),
                hint: Some(format!("`platform up -d {service}` starts it")),
            });
        }
        for (container, exit) in before {
            code = exit;
            say(container, exit)?;
        }
    }
    let mut waiting: FuturesUnordered<_> = alive.iter().map(|c| end_of(&engine, c)).collect();
    while let Some(end) = waiting.next().await {
        let (container, exit) = end?;
        code = exit;
        say(container, exit)?;
    }
    Ok(code)
}

async fn end_of<'c>(
    engine: &SharedEngine,
    container: &'c Container,
) -> Result<(&'c Container, i64), ExpectedError> {
    let exit = engine.wait_container(&container.id).await?;
    Ok((container, exit.code))
}

/// In docker compose's words.
fn say(container: &Container, code: i64) -> Result<(), ExpectedError> {
    output::data(&format!(
        "container \"{}\" exited with status code {code}\n",
        container.id
    ))
}
