//! The engine, asked directly: what is there of a project, and its removal.

use std::collections::HashMap;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions,
};

/// Names of our projects begin so; the process id follows.
pub const PREFIX: &str = "platform-bench-";
const LABEL: &str = "com.docker.compose.project";

/// A connection in the engine's own API version.
pub async fn connect() -> Result<Docker, String> {
    let docker = Docker::connect_with_defaults().map_err(|e| format!("no engine: {e}"))?;
    docker
        .negotiate_version()
        .await
        .map_err(|e| format!("the engine does not answer: {e}"))
}

fn of(project: Option<&str>) -> HashMap<String, Vec<String>> {
    let label = project.map_or_else(|| LABEL.to_owned(), |name| format!("{LABEL}={name}"));
    HashMap::from([("label".to_owned(), vec![label])])
}

/// Ids of a project's containers.
pub async fn containers(docker: &Docker, project: &str) -> Result<Vec<String>, String> {
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&of(Some(project)))
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .map_err(|e| e.to_string())?;
    Ok(found.into_iter().filter_map(|c| c.id).collect())
}

/// Removes all that carries the project's label.
pub async fn remove(docker: &Docker, project: &str) -> Result<(), String> {
    let words = |e: bollard::errors::Error| e.to_string();
    for id in containers(docker, project).await? {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        docker.remove_container(&id, Some(options)).await.map_err(words)?;
    }
    let options = ListNetworksOptionsBuilder::default()
        .filters(&of(Some(project)))
        .build();
    for network in docker.list_networks(Some(options)).await.map_err(words)? {
        if let Some(id) = network.id {
            docker.remove_network(&id).await.map_err(words)?;
        }
    }
    let options = ListVolumesOptionsBuilder::default()
        .filters(&of(Some(project)))
        .build();
    for volume in docker
        .list_volumes(Some(options))
        .await
        .map_err(words)?
        .volumes
        .unwrap_or_default()
    {
        docker
            .remove_volume(&volume.name, None::<RemoveVolumeOptions>)
            .await
            .map_err(words)?;
    }
    Ok(())
}

/// Removes what benchmarks left that were killed: projects of our name whose process is gone.
pub async fn sweep(docker: &Docker) -> Result<(), String> {
    let words = |e: bollard::errors::Error| e.to_string();
    let mut labels = Vec::new();
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&of(None))
        .build();
    labels.extend(
        docker
            .list_containers(Some(options))
            .await
            .map_err(words)?
            .into_iter()
            .filter_map(|c| c.labels),
    );
    let options = ListNetworksOptionsBuilder::default().filters(&of(None)).build();
    labels.extend(
        docker
            .list_networks(Some(options))
            .await
            .map_err(words)?
            .into_iter()
            .filter_map(|n| n.labels),
    );
    let mut dead: Vec<String> = labels
        .iter()
        .filter_map(|labels| labels.get(LABEL))
        .filter(|name| {
            let pid = name
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.parse::<u32>().ok());
            pid.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
        })
        .cloned()
        .collect();
    dead.sort();
    dead.dedup();
    for project in dead {
        eprintln!("removing what is left of {project}");
        remove(docker, &project).await?;
    }
    Ok(())
}

/// Whether the engine has an image.
pub async fn has_image(docker: &Docker, reference: &str) -> Result<bool, String> {
    match docker.inspect_image(reference).await {
        Ok(_) => Ok(true),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// The engine's version, API version and cores.
pub async fn description(docker: &Docker) -> Result<String, String> {
    let version = docker.version().await.map_err(|e| e.to_string())?;
    let info = docker.info().await.map_err(|e| e.to_string())?;
    Ok(format!(
        "{} (API {}), {}, {} cores, {} GiB",
        version.version.unwrap_or_default(),
        version.api_version.unwrap_or_default(),
        info.driver.unwrap_or_default(),
        info.ncpu.unwrap_or(0),
        info.mem_total.unwrap_or(0) >> 30,
    ))
}
