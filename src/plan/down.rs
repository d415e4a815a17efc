//! The plan of `down`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::planner::DEFAULT_GRACE;
use super::step::{Action, Cause, Note, Plan, Step, StepId};
use crate::base::ServiceName;
use crate::model::{Container, Observed, Project, Service, labels};

/// What `down` was asked for.
#[derive(Debug, Clone, Default)]
pub struct DownOptions {
    /// Only these services; all, and the networks, where empty.
    pub services: Vec<ServiceName>,
    /// Whether named volumes and anonymous ones go too.
    pub volumes: bool,
    /// Whether containers of services that are not in the stack go too.
    pub remove_orphans: bool,
    /// Which image references go too.
    pub images: Vec<String>,
    /// How far it goes.
    pub reach: Reach,
    /// Grace period of every stop, in the place of each service's own.
    pub grace: Option<Duration>,
}

/// How far `down` goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Everything is removed.
    #[default]
    Everything,
    /// Only containers are removed (`rm`).
    Containers,
    /// Containers are only stopped, and nothing is removed.
    Stop,
}

/// Plans `down`: dependents stop before what they depend on; then everything is removed.
/// Without a stack file, order and names come from the labels.
pub fn plan_down(project: Option<&Project>, observed: &Observed, options: &DownOptions) -> Plan {
    let mut plan = Plan::default();
    let cause = match options.reach {
        Reach::Containers => Cause::Asked("rm"),
        Reach::Everything | Reach::Stop => Cause::Down,
    };
    let push = |plan: &mut Plan, action, cause, after| {
        let id = StepId(plan.steps.len() as u32);
        plan.steps.push(Step {
            id,
            action,
            after,
            gates: Vec::new(),
            cause,
            undo: None,
        });
        id
    };
    let (chosen, orphans): (Vec<&Container>, Vec<&Container>) = observed
        .containers
        .iter()
        .partition(|c| project.is_none_or(|p| p.has(&c.service)));
    let mut chosen: Vec<&Container> = chosen
        .into_iter()
        .filter(|c| options.services.is_empty() || options.services.contains(&c.service))
        .collect();
    if options.remove_orphans {
        chosen.extend(&orphans);
    } else if !orphans.is_empty() {
        let names: Vec<&str> = orphans.iter().map(|c| c.name.as_str()).collect();
        plan.notes.push(Note {
            text: format!(
                "containers of services that are not in the stack stay: {}",
                names.join(", ")
            ),
            hint: Some("--remove-orphans removes them".into()),
        });
    }
    let mut dependencies: BTreeMap<&ServiceName, Vec<ServiceName>> = chosen
        .iter()
        .map(|c| (&c.service, depends_on(project, c)))
        .collect();
    let providers = providers(project, options);
    for (name, service) in &providers {
        dependencies.insert(name, service.depends_on.keys().cloned().collect());
    }

    // Dependents first: a container's stop comes after the stops of all that depend on it.
    let mut stops: BTreeMap<&ServiceName, Vec<StepId>> = BTreeMap::new();
    let mut removals = Vec::new();
    let mut order: Vec<&ServiceName> = Vec::new();
    let mut waiting: Vec<&ServiceName> = dependencies.keys().copied().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        let still = waiting.clone();
        waiting.retain(|name| {
            let needed = still
                .iter()
                .any(|other| other != name && dependencies[*other].contains(name));
            if !needed {
                order.push(*name);
            }
            needed
        });
        if waiting.len() == before {
            order.append(&mut waiting);
        }
    }
    for name in order {
        let dependents: Vec<StepId> = dependencies
            .iter()
            .filter(|(other, list)| **other != name && list.contains(name))
            .flat_map(|(other, _)| stops.get(*other).cloned().unwrap_or_default())
            .collect();
        for container in chosen.iter().filter(|c| c.service == *name) {
            let mut after = Vec::new();
            if let Some(action) = stop_of(project, container, options.grace) {
                let stop = push(&mut plan, action, cause.clone(), dependents.clone());
                stops.entry(name).or_default().push(stop);
                after.push(stop);
            } else {
                // Nothing to stop, yet those below still wait for those above.
                stops.entry(name).or_default().extend(&dependents);
            }
            if options.reach == Reach::Stop {
                continue;
            }
            let action = Action::RemoveContainer {
                id: container.id.clone(),
                name: container.name.clone(),
                service: container.service.clone(),
                volumes: options.volumes,
            };
            removals.push(push(&mut plan, action, cause.clone(), after));
        }
        if let Some(provider) = providers.get(name).and_then(|service| service.provider.as_ref()) {
            let action = Action::RunProvider {
                service: name.clone(),
                kind: provider.kind.clone(),
                up: false,
            };
            let asked = push(&mut plan, action, cause.clone(), dependents);
            stops.entry(name).or_default().push(asked);
        }
    }
    if options.services.is_empty() && options.reach == Reach::Everything {
        plan_objects(&mut plan, project, observed, options, &removals, push);
    }
    plan
}

/// The services that providers take down. Stopping and removing containers is no concern of theirs, as in
/// docker compose.
fn providers<'p>(
    project: Option<&'p Project>,
    options: &DownOptions,
) -> BTreeMap<&'p ServiceName, &'p Service> {
    if options.reach != Reach::Everything {
        return BTreeMap::new();
    }
    let services = project.into_iter().flat_map(|project| &project.services);
    services
        .filter(|(name, service)| {
            service.provider.is_some() && (options.services.is_empty() || options.services.contains(name))
        })
        .collect()
}

fn plan_objects(
    plan: &mut Plan,
    project: Option<&Project>,
    observed: &Observed,
    options: &DownOptions,
    removals: &[StepId],
    push: impl Fn(&mut Plan, Action, Cause, Vec<StepId>) -> StepId,
) {
    let ours = |labelled: &BTreeMap<String, String>| match project {
        Some(project) => labelled
            .get(labels::PROJECT)
            .is_some_and(|p| p == project.name.as_str()),
        None => labelled.contains_key(labels::PROJECT),
    };
    for network in observed.networks.iter().filter(|n| ours(&n.labels)) {
        let action = Action::RemoveNetwork {
            id: network.id.clone(),
            name: network.name.clone(),
        };
        push(plan, action, Cause::Down, removals.to_vec());
    }
    if options.volumes {
        for volume in observed.volumes.iter().filter(|v| ours(&v.labels)) {
            let action = Action::RemoveVolume {
                name: volume.name.clone(),
            };
            push(plan, action, Cause::Down, removals.to_vec());
        }
    }
    for reference in &options.images {
        let action = Action::RemoveImage {
            reference: reference.clone(),
        };
        push(plan, action, Cause::Down, removals.to_vec());
    }
}

/// The stop of a container; `None` where nothing of it runs. `grace` stands before the service's own.
pub(super) fn stop_of(
    project: Option<&Project>,
    container: &Container,
    grace: Option<Duration>,
) -> Option<Action> {
    let service = project.and_then(|p| p.services.get(&container.service));
    container.state.is_alive().then(|| Action::StopContainer {
        id: container.id.clone(),
        name: container.name.clone(),
        service: container.service.clone(),
        signal: service.and_then(|s| s.stop_signal.clone()),
        grace: grace
            .or(service.and_then(|s| s.stop_grace_period))
            .unwrap_or(DEFAULT_GRACE),
    })
}

/// A container's dependencies: from the stack where it knows the service, else from the label
/// that Compose and we write (`name:condition:restart`, separated by commas).
pub(super) fn depends_on(project: Option<&Project>, container: &Container) -> Vec<ServiceName> {
    if let Some(service) = project.and_then(|p| p.services.get(&container.service)) {
        return service.depends_on.keys().cloned().collect();
    }
    container
        .labels
        .get(labels::DEPENDS_ON)
        .map(|text| {
            text.split(',')
                .filter_map(|entry| entry.split(':').next())
                .filter(|name| !name.is_empty())
                .map(ServiceName::from)
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "down_tests.rs"]
mod tests;
