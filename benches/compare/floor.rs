//! The engine's own floor: the same containers made and started by bare API calls, each service
//! started the moment its dependencies gave their first good answer, until all have given one.
//! Nothing is looked up before, nothing is checked after, nothing is told to anyone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, NetworkCreateRequest, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

use super::engine;
use super::stand::{Facts, Stand};

/// Between two tries of a request.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(60);

/// What to make: taken from what docker compose made of the stack.
#[derive(Debug, Clone)]
pub struct Template {
    networks: Vec<NetworkCreateRequest>,
    volumes: Vec<VolumeCreateRequest>,
    containers: BTreeMap<String, (String, ContainerCreateBody)>,
}

/// When what was reached, from the first call on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Marks {
    /// Network and volumes are there and all containers are created.
    pub created: Duration,
    /// First good answer, by service.
    pub ready: BTreeMap<String, Duration>,
    /// All have answered.
    pub all: Duration,
}

impl Template {
    /// Looks at what a project has.
    pub async fn take(stand: &Stand) -> Result<Self, String> {
        let words = |e: bollard::errors::Error| e.to_string();
        let docker = &stand.docker;
        let filter =
            |key: &str, value: String| std::collections::HashMap::from([(key.to_owned(), vec![value])]);
        let label = format!("com.docker.compose.project={}", stand.project);
        let mut template = Self {
            networks: Vec::new(),
            volumes: Vec::new(),
            containers: BTreeMap::new(),
        };
        let options = ListNetworksOptionsBuilder::default()
            .filters(&filter("label", label.clone()))
            .build();
        for network in docker.list_networks(Some(options)).await.map_err(words)? {
            template.networks.push(NetworkCreateRequest {
                name: network.name.unwrap_or_default(),
                driver: network.driver,
                labels: network.labels,
                ..NetworkCreateRequest::default()
            });
        }
        let options = ListVolumesOptionsBuilder::default()
            .filters(&filter("label", label))
            .build();
        for volume in docker
            .list_volumes(Some(options))
            .await
            .map_err(words)?
            .volumes
            .unwrap_or_default()
        {
            template.volumes.push(VolumeCreateRequest {
                name: Some(volume.name),
                labels: Some(volume.labels),
                ..VolumeCreateRequest::default()
            });
        }
        for id in engine::containers(docker, &stand.project).await? {
            let found = docker.inspect_container(&id, None).await.map_err(words)?;
            let (service, name, body) = create_body(found)?;
            template.containers.insert(service, (name, body));
        }
        Ok(template)
    }
}

fn create_body(found: ContainerInspectResponse) -> Result<(String, String, ContainerCreateBody), String> {
    let name = found.name.unwrap_or_default().trim_start_matches('/').to_owned();
    let service = found
        .config
        .as_ref()
        .and_then(|c| c.labels.as_ref()?.get("com.docker.compose.service").cloned())
        .ok_or("a container without the service's label")?;
    let mut body = serde_json::to_value(found.config).map_err(|e| e.to_string())?;
    let networks: serde_json::Map<String, Value> = found
        .network_settings
        .and_then(|n| n.networks)
        .unwrap_or_default()
        .into_keys()
        .map(|network| (network, json!({"Aliases": [&service, &name]})))
        .collect();
    if let Some(body) = body.as_object_mut() {
        // The engine gave it; a new container gets its own.
        body.remove("Hostname");
        body.insert(
            "HostConfig".into(),
            serde_json::to_value(found.host_config).map_err(|e| e.to_string())?,
        );
        body.insert("NetworkingConfig".into(), json!({"EndpointsConfig": networks}));
    }
    let body = serde_json::from_value(body).map_err(|e| e.to_string())?;
    Ok((service, name, body))
}

/// One walk to the floor, from nothing to everything answering.
pub async fn walk(stand: &Stand, template: &Template) -> Result<Marks, String> {
    let began = Instant::now();
    let docker = &stand.docker;
    let words = |e: bollard::errors::Error| e.to_string();
    futures_util::try_join!(
        futures_util::future::try_join_all(
            template.networks.iter().map(|n| docker.create_network(n.clone()))
        ),
        futures_util::future::try_join_all(template.volumes.iter().map(|v| docker.create_volume(v.clone()))),
    )
    .map_err(words)?;
    let (senders, states): (BTreeMap<_, _>, BTreeMap<_, _>) = template
        .containers
        .keys()
        .map(|name| {
            let (sender, receiver) = watch::channel(State::Created);
            ((name.clone(), sender), (name.clone(), receiver))
        })
        .unzip();
    let states = Arc::new(states);
    let created = Arc::new(std::sync::Mutex::new(Duration::ZERO));
    let mut tasks = tokio::task::JoinSet::new();
    for (service, sender) in senders {
        let Some((name, body)) = template.containers.get(&service).cloned() else {
            continue;
        };
        let facts = stand.services.get(&service).cloned().unwrap_or_default();
        let (docker, states, created) = (docker.clone(), states.clone(), created.clone());
        tasks.spawn(async move {
            let options = CreateContainerOptionsBuilder::default().name(&name).build();
            let id = docker
                .create_container(Some(options), body)
                .await
                .map_err(|e| e.to_string())?
                .id;
            if let Ok(mut last) = created.lock() {
                *last = (*last).max(began.elapsed());
            }
            gates(&facts, &states).await;
            docker
                .start_container(&id, None)
                .await
                .map_err(|e| format!("{service}: {e}"))?;
            sender.send_replace(State::Started);
            answered(&docker, &id, &facts)
                .await
                .map_err(|e| format!("{service}: {e}"))?;
            sender.send_replace(State::Ready);
            Ok::<_, String>((service, began.elapsed()))
        });
    }
    let mut ready = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (service, after) = done.map_err(|e| e.to_string())??;
        ready.insert(service, after);
    }
    let created = created.lock().map(|last| *last).unwrap_or_default();
    Ok(Marks {
        created,
        ready,
        all: began.elapsed(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Created,
    Started,
    Ready,
}

async fn gates(facts: &Facts, states: &BTreeMap<String, watch::Receiver<State>>) {
    let needs = facts.after_ready.iter().map(|name| (name, State::Ready));
    for (name, least) in needs.chain(facts.after_start.iter().map(|name| (name, State::Started))) {
        if let Some(mut state) = states.get(name).cloned() {
            let _ = state.wait_for(|state| *state >= least).await;
        }
    }
}

/// Asks until the first good answer.
async fn answered(docker: &Docker, id: &str, facts: &Facts) -> Result<(), String> {
    let Some((port, path)) = &facts.answers else {
        return Ok(());
    };
    let found = docker
        .inspect_container(id, None)
        .await
        .map_err(|e| e.to_string())?;
    let address = found
        .network_settings
        .and_then(|n| n.networks)
        .and_then(|networks| {
            networks
                .into_values()
                .find_map(|n| n.ip_address.filter(|a| !a.is_empty()))
        })
        .ok_or("it has no address")?;
    let asked = async {
        while !matches!(ask(&address, *port, path).await, Ok(true)) {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(LONGEST, asked)
        .await
        .map_err(|_| format!("no answer within {LONGEST:?}"))
}

async fn ask(address: &str, port: u16, path: &str) -> std::io::Result<bool> {
    let mut stream = tokio::net::TcpStream::connect((address, port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await?;
    let status = answer.get(9..12);
    Ok(status == Some(b"200"))
}
