//! Host ports that a plan is about to publish and somebody else holds: seen before anything is
//! done, and with the holder's name.

use std::net::IpAddr;
use std::path::Path;

use super::site::{Site, Wants};
use crate::engine::EngineError;
use crate::model::{Container, Protocol, labels};
use crate::plan::{Action, Instance, Plan, Refusal};
use crate::probe::EngineHost;
use crate::probe::port_holder::{PROC, holder};

/// Refusals for ports that are taken. Only an engine on this machine can be looked at; for
/// another one, the start itself tells.
///
/// # Errors
/// The engine's, when it is asked whose container holds a port.
pub async fn refusals(site: &Site, wants: &Wants, plan: &Plan) -> Result<Vec<Refusal>, EngineError> {
    if !matches!(site.host, EngineHost::Local) {
        return Ok(Vec::new());
    }
    let mut taken = Vec::new();
    for (instance, address, port, protocol) in wanted(wants, plan) {
        if holder(address, port, protocol, &[], Path::new(PROC)).is_some() {
            taken.push((instance, address, port, protocol));
        }
    }
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let containers = site.engine.list_containers(None).await?;
    let (ours, others): (Vec<Container>, Vec<Container>) =
        containers.into_iter().partition(|c| is_given_up(c, wants, plan));
    let mut refusals = Vec::new();
    for (instance, address, port, protocol) in taken {
        // Held by a container that this very plan stops first.
        if holder(address, port, protocol, &ours, Path::new("/nonexistent")).is_some() {
            continue;
        }
        if let Some(holder) = holder(address, port, protocol, &others, Path::new(PROC)) {
            refusals.push(Refusal {
                text: format!("port {port} that {instance} publishes is held by {holder}"),
                hint: format!("stop that, or publish another port in place of {port}"),
            });
        }
    }
    Ok(refusals)
}

/// Fixed ports of the containers that the plan starts.
fn wanted<'a>(
    wants: &'a Wants,
    plan: &'a Plan,
) -> impl Iterator<Item = (&'a Instance, Option<IpAddr>, u16, Protocol)> {
    plan.steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::StartContainer { instance, .. } => Some(instance),
            _ => None,
        })
        .flat_map(|instance| {
            let ports = wants
                .project
                .services
                .get(&instance.service)
                .map_or(&[][..], |s| &s.ports);
            ports.iter().filter_map(move |binding| {
                let port = binding.published.as_deref()?.parse().ok()?;
                let address = binding.host_ip.as_deref().and_then(|ip| ip.parse().ok());
                Some((instance, address, port, binding.protocol))
            })
        })
}

/// Whether a container is one of this project that the plan stops or starts itself.
fn is_given_up(container: &Container, wants: &Wants, plan: &Plan) -> bool {
    let ours = container
        .labels
        .get(labels::PROJECT)
        .is_some_and(|p| p == wants.project.name.as_str());
    ours && plan.steps.iter().any(|step| match &step.action {
        Action::StopContainer { id, .. } => *id == container.id,
        Action::StartContainer {
            target: crate::plan::Target::Existing(id),
            ..
        } => *id == container.id,
        _ => false,
    })
}
