//! What failed and what that means for the rest, in the terms of the failure report.

use crate::base::ServiceName;
use crate::engine::{EngineError, EngineErrorKind};
use crate::event::failure::{ChainLink, FailedService, FailureCause, FailureReport, LOG_LINES};
use crate::model::Project;
use crate::plan::{Instance, Lack, Plan, Unavailable};

use super::gate::{Progress, Table};

/// Completes a report: services without an image, whom each failure blocks, the way from what was
/// asked for to it, and where the stack defines it.
pub fn finish(plan: &Plan, project: &Project, table: &Table, mut report: FailureReport) -> FailureReport {
    for one in plan.unavailable.iter().filter(|u| !u.optional) {
        let instance = Instance {
            service: one.service.clone(),
            number: 1,
        };
        report.services.push(without_image(instance, one));
    }
    for failure in &mut report.services {
        failure.blocks = blocked_by(project, table, &failure.instance.service);
        locate(project, failure);
    }
    report
}

fn without_image(instance: Instance, one: &Unavailable) -> FailedService {
    let reason = one.reason.clone();
    match &one.lack {
        Lack::BuildFailed { lines } => {
            let mut failure = FailedService::new(instance, FailureCause::Build { error: reason });
            failure.logs = lines[lines.len().saturating_sub(LOG_LINES)..].to_vec();
            failure
        }
        Lack::Missing | Lack::Other => FailedService::new(instance, FailureCause::NoImage { reason }),
    }
}

/// Adds to a failure what the stack tells of its service: the way from what was asked for to it, and
/// where it is defined.
pub fn locate(project: &Project, failure: &mut FailedService) {
    let name = &failure.instance.service;
    failure.chain = chain_to(project, name);
    failure.place = project.places.services.get(name).cloned();
}

/// Services that did not start because of `name`, directly or not, in the stack's order.
fn blocked_by(project: &Project, table: &Table, name: &ServiceName) -> Vec<ServiceName> {
    let failed = |service: &ServiceName| {
        table.iter().any(|(i, p)| {
            i.service == *service && matches!(p, Progress::Failed(why) if why.starts_with("was not started"))
        })
    };
    let mut reached = vec![name.clone()];
    let mut at = 0;
    while at < reached.len() {
        for (other, service) in &project.services {
            if service.depends_on.contains_key(&reached[at]) && failed(other) && !reached.contains(other) {
                reached.push(other.clone());
            }
        }
        at += 1;
    }
    project
        .services
        .keys()
        .filter(|s| *s != name && reached.contains(s))
        .cloned()
        .collect()
}

/// The longest way from a service that nothing depends on down to `name`.
fn chain_to(project: &Project, name: &ServiceName) -> Vec<ChainLink> {
    let mut chain = Vec::new();
    let mut at = name.clone();
    // Each service once: a cycle would have been refused, but must not hang us.
    while chain.len() < project.services.len() {
        let Some((dependent, dependency)) = project
            .services
            .iter()
            .find_map(|(other, service)| service.depends_on.get(&at).map(|d| (other.clone(), d.condition)))
        else {
            break;
        };
        chain.insert(
            0,
            ChainLink {
                service: dependent.clone(),
                condition: dependency,
            },
        );
        at = dependent;
    }
    chain
}

/// What to do about an engine's refusal, where that is known.
pub fn hint(error: &EngineError) -> Option<String> {
    match &error.kind {
        EngineErrorKind::PortTaken { port: Some(port), .. } => Some(format!(
            "something else listens on port {port}: `ss -ltnp 'sport = :{port}'` or `docker ps --filter publish={port}` tells what; stop it or publish another port"
        )),
        EngineErrorKind::PortTaken { port: None, .. } => {
            Some("something else listens on a published port; stop it or publish another".into())
        }
        EngineErrorKind::DiskFull(_) => Some(
            "free space on the engine's disk: `docker system df` shows what can go, `docker image prune` and `docker builder prune` remove it; then run the same command again".into(),
        ),
        EngineErrorKind::SubnetsExhausted(_) => Some(
            "networks of projects that are not used any more hold the addresses: `docker network ls` shows them; or give the network a subnet (ipam) or the engine more (default-address-pools)".into(),
        ),
        EngineErrorKind::VolumeWithoutFolder { name, .. } => Some(format!(
            "the volume {name} has no folder any more, and so nothing in it (an engine that is killed while it makes a volume leaves that): `docker volume rm {name}` removes it; then run the same command again"
        )),
        EngineErrorKind::Conflict(_) => {
            Some("another program may be working on the same project; run the command again when it is done".into())
        }
        _ => None,
    }
}
