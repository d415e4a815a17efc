//! Creates that the last request of a killed run gets ahead of.
//!
//! A request that was under way when a run was killed is still done by the engine, perhaps after
//! the next run has looked at what is there.

use std::time::Duration;

use super::site::Site;
use crate::base::ContainerId;
use crate::engine::{CreateContainer, EngineError, EngineErrorKind};
use crate::model::{Container, ContainerState, labels};

/// How often a name that is taken is looked at.
const TRIES: u32 = 50;
/// How long the engine is left alone between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Creates a container. One of this very service that holds the name and never ran was made too
/// late to be seen: it is removed, since what it was made from is not known for sure.
///
/// # Errors
/// The engine's; that the name is taken, where another's container holds it.
pub async fn create(site: &Site, request: &CreateContainer<'_>) -> Result<ContainerId, EngineError> {
    let mut tries = 0;
    loop {
        let error = match site.engine.create_container(request).await {
            Err(error) if matches!(error.kind, EngineErrorKind::Conflict(_)) && tries < TRIES => error,
            other => return other,
        };
        tries += 1;
        let all = site.engine.list_containers(None).await?;
        match all.iter().find(|container| container.name == request.name) {
            // The engine keeps a name from the first moment of a create, and lists it at the end.
            None => tokio::time::sleep(PAUSE).await,
            Some(found) if is_late(found, request) => {
                match site.engine.remove_container(&found.id, true, false).await {
                    Err(error) if !error.is_not_found() => return Err(error),
                    _ => {}
                }
            }
            Some(_) => return Err(error),
        }
    }
}

fn is_late(found: &Container, request: &CreateContainer<'_>) -> bool {
    let project = found.labels.get(labels::PROJECT).map(String::as_str);
    project == Some(request.project.name.as_str())
        && found.service == *request.service_name
        && found.number == request.number
        && found.oneoff == request.oneoff.is_some()
        && found.state == ContainerState::Created
}
