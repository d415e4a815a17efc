//! `port`: where a port of a container is bound on the host.

use crate::model::Container;
use crate::model::observed::BoundPort;
use crate::view::ps::{address, ports};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::PortSettings;
use super::check_services;

/// Shows the first address that a port is bound to.
///
/// # Errors
/// No project, a service that does not exist or does not run, a port that is not published, an engine that
/// does not answer.
pub async fn run(context: &Context, settings: PortSettings) -> Outcome {
    let named = [settings.service.clone()];
    let (name, project) = context.project_or_name(&named)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&name)).await?;
    check_services(&named, project.as_deref(), &containers)?;
    let container = containers
        .iter()
        .filter(|c| c.service == settings.service && c.state.is_alive())
        .find(|c| settings.index.is_none_or(|index| c.number == index))
        .ok_or_else(|| not_running(&settings))?;
    let (ip, port) = container
        .ports
        .iter()
        .filter(|p| p.target == settings.port && p.protocol == settings.protocol)
        .find_map(|p| p.host.as_ref())
        .ok_or_else(|| not_bound(&settings, container))?;
    output::data(&format!("{}\n", address(ip, &port.to_string())))?;
    Ok(Exit::AsWanted)
}

fn not_running(settings: &PortSettings) -> ExpectedError {
    let service = &settings.service;
    ExpectedError::NotAsWanted {
        message: match settings.index {
            Some(index) => format!("service {service} has no container {index} that runs"),
            None => format!("no container of service {service} runs"),
        },
        hint: Some("`platform ps -a` shows what there is; `platform up -d` starts it".into()),
    }
}

fn not_bound(settings: &PortSettings, container: &Container) -> ExpectedError {
    let published: Vec<BoundPort> = container
        .ports
        .iter()
        .filter(|p| p.host.is_some())
        .cloned()
        .collect();
    ExpectedError::NotAsWanted {
        message: format!(
            "port {}/{} of container {} is not published",
            settings.port, settings.protocol, container.name
        ),
        hint: Some(if published.is_empty() {
            "it publishes none; `ports:` of the service does that".into()
        } else {
            format!("it publishes {}", ports(&published))
        }),
    }
}
