//! `use_api_socket` (Compose Specification): the engine's own socket, and what its client may pull with. The
//! engine knows nothing of it; it is made of what it does know, as in docker compose.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::{FileMount, FileSource, Mount, MountKind, Project, ResourceFile};
use crate::base::Secret;

/// The engine's socket, on its host and in containers.
const SOCKET: &str = "/var/run/docker.sock";
/// The config that holds the credentials.
const CONFIG: &str = "#apisocket";
/// Where the client looks for its settings.
const VARIABLE: &str = "DOCKER_CONFIG";
/// The folder of the settings in the container.
const FOLDER: &str = "/run/secrets/docker";

/// Whether a service wants it and does not have it yet.
pub fn wants_api_socket(project: &Project) -> bool {
    let wanted = project.services.values().any(|service| service.use_api_socket);
    wanted && !project.configs.contains_key(CONFIG)
}

/// The project with the socket and the client's settings (`config.json`) in the services that ask for them.
#[must_use]
pub fn with_api_socket(project: &Project, settings: Secret<String>) -> Project {
    let mut out = project.clone();
    let file = ResourceFile {
        name: format!("{}_{CONFIG}", project.name),
        source: FileSource::Environment {
            variable: "the credentials of docker".into(),
            value: Some(settings),
        },
        swarm: IndexMap::new(),
        // Other credentials are no other service.
        digest: None,
    };
    out.configs.insert(CONFIG.into(), file);
    for service in out.services.values_mut().filter(|service| service.use_api_socket) {
        service.volumes.push(Mount {
            kind: MountKind::Bind {
                source: PathBuf::from(SOCKET),
                create_host_path: false,
                propagation: None,
                selinux: None,
                recursive: None,
            },
            target: SOCKET.into(),
            read_only: false,
            consistency: None,
        });
        let target = format!("{FOLDER}/config.json");
        service.configs.push(FileMount {
            source: CONFIG.into(),
            written_target: Some(target.clone()),
            target,
            ..FileMount::default()
        });
        service
            .environment
            .entry(VARIABLE.into())
            .or_insert_with(|| Some(FOLDER.into()));
    }
    out
}
