//! The container of `run`: a service's definition with what was asked for laid over it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::labels;
use super::site::{Site, Wants};
use crate::base::{ContainerId, ImageId, ServiceName};
use crate::engine::{CreateContainer, EngineError, OneOff};
use crate::model::render::comparable;
use crate::model::{Mount, NetworkMode, Observed, PortBinding, Project, Service};

/// What is laid over a service's definition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// The command and its arguments; the service's where empty.
    pub command: Vec<String>,
    /// The entry point; with it the service's command goes.
    pub entrypoint: Option<Vec<String>>,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Further labels.
    pub labels: Vec<(String, String)>,
    /// `user[:group]`.
    pub user: Option<String>,
    /// The folder it runs in.
    pub working_dir: Option<String>,
    /// Further mounts; one with the target of another takes its place.
    pub volumes: Vec<Mount>,
    /// Published ports; `None` publishes those of the service.
    pub ports: Option<Vec<PortBinding>>,
    /// Capabilities to add, and not to drop.
    pub cap_add: Vec<String>,
    /// Capabilities to drop, and not to add.
    pub cap_drop: Vec<String>,
    /// Whether it knows nothing of what the service depends on.
    pub no_deps: bool,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether its standard input is kept open.
    pub stdin_open: bool,
}

impl Overrides {
    /// The service as `run` makes it: never replaced, never started again, never scaled.
    pub fn apply(&self, service: &Service) -> Service {
        let mut out = service.clone();
        out.container_name = None;
        out.restart = None;
        out.scale = Some(1);
        if let Some(deploy) = &mut out.deploy {
            deploy.restart_policy = None;
        }
        if self.no_deps {
            out.depends_on.clear();
        }
        out.tty = self.tty;
        out.stdin_open = self.stdin_open;
        if let Some(entrypoint) = &self.entrypoint {
            out.entrypoint = Some(entrypoint.clone());
            out.command = Some(Vec::new());
        }
        if !self.command.is_empty() {
            out.command = Some(self.command.clone());
        }
        for (name, value) in &self.environment {
            out.environment.insert(name.clone(), Some(value.clone()));
        }
        out.labels.extend(self.labels.iter().cloned());
        out.user = self.user.clone().or(out.user);
        out.working_dir = self.working_dir.clone().or(out.working_dir);
        out.volumes
            .retain(|mount| !self.volumes.iter().any(|new| new.target == mount.target));
        out.volumes.extend(self.volumes.iter().cloned());
        if let Some(ports) = &self.ports {
            out.ports.clone_from(ports);
        }
        let without = |list: &mut Vec<String>, gone: &[String]| list.retain(|cap| !gone.contains(cap));
        without(&mut out.cap_drop, &self.cap_add);
        out.cap_add.extend(self.cap_add.iter().cloned());
        without(&mut out.cap_add, &self.cap_drop);
        out.cap_drop.extend(self.cap_drop.iter().cloned());
        out
    }
}

/// A container that `run` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
}

/// A container to make.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// Its image.
    pub image: &'a ImageId,
    /// What is laid over the service.
    pub overrides: &'a Overrides,
    /// How it differs from the service's own containers.
    pub oneoff: OneOff,
    /// Its name; `PROJECT-SERVICE-run-ID` where absent.
    pub name: Option<&'a str>,
}

/// Makes the container of `run`, beside whatever containers the service has. It is not started.
///
/// # Errors
/// The engine's.
pub async fn create(
    site: &Site,
    wants: &Wants,
    observed: &Observed,
    asked: &Asked<'_>,
) -> Result<Made, EngineError> {
    let mut project = Project::clone(&wants.project);
    let service = match project.services.get(asked.service) {
        Some(service) => asked.overrides.apply(service),
        None => Service::default(),
    };
    // Whoever reads the request finds one definition, whichever way it looks.
    project.services.insert(asked.service.clone(), service.clone());
    let slug = slug();
    let name = match asked.name {
        Some(name) => name.to_owned(),
        None => format!(
            "{}-{}-run-{}",
            project.name,
            asked.service,
            slug.get(..SHORT).unwrap_or(&slug)
        ),
    };
    let files = wants
        .bound_files
        .get(asked.service)
        .map_or(&[][..], Vec::as_slice);
    let definition = comparable(&project, &service, files);
    let labels = labels::of_oneoff(
        labels::of_container(
            &project,
            asked.service,
            &service,
            1,
            &definition,
            asked.image,
            &site.run,
        ),
        &slug,
    );
    let networks = project
        .networks
        .iter()
        .filter_map(|(key, spec)| {
            let found = observed.networks.iter().filter(|n| n.name == spec.name);
            Some((key.clone(), found.min_by(|a, b| a.id.cmp(&b.id))?.id.clone()))
        })
        .collect();
    let request = CreateContainer {
        project: &project,
        service_name: asked.service,
        service: &service,
        name: name.clone(),
        number: 1,
        image: asked.image.clone(),
        networks: &networks,
        containers: shared(&service, observed),
        labels,
        inherit_volumes_from: None,
        oneoff: Some(asked.oneoff),
    };
    let id = site.engine.create_container(&request).await?;
    Ok(Made { id, name })
}

/// So much of the slug is in a name.
const SHORT: usize = 12;

/// 64 hexadecimal digits at random.
fn slug() -> String {
    (0u8..4)
        .map(|part| format!("{:016x}", RandomState::new().hash_one(part)))
        .collect()
}

/// The containers whose namespaces or volumes a service shares, by service: one that runs first.
fn shared(service: &Service, observed: &Observed) -> BTreeMap<ServiceName, ContainerId> {
    let by_network = match &service.network_mode {
        Some(NetworkMode::Service(name)) => Some(name.to_string()),
        _ => None,
    };
    let by_mode = [&service.pid, &service.ipc]
        .into_iter()
        .flatten()
        .filter_map(|mode| mode.strip_prefix("service:").map(str::to_owned));
    let by_volumes = service
        .volumes_from
        .iter()
        .filter_map(|text| text.split(':').next().map(str::to_owned));
    by_network
        .into_iter()
        .chain(by_mode)
        .chain(by_volumes)
        .filter_map(|name| {
            let of_service = observed
                .containers
                .iter()
                .filter(|c| !c.oneoff && c.service.as_str() == name);
            let found = of_service.min_by_key(|c| (!c.state.is_running(), c.number))?;
            Some((ServiceName::from(name), found.id.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MountKind, RestartPolicy};

    fn volume(name: &str, target: &str) -> Mount {
        Mount {
            kind: MountKind::Volume {
                source: Some(name.to_owned()),
                nocopy: false,
                subpath: None,
                labels: indexmap::IndexMap::new(),
                selinux: None,
            },
            target: target.to_owned(),
            read_only: false,
            consistency: None,
        }
    }

    #[test]
    fn what_is_asked_for_lies_over_the_definition() {
        let service = Service {
            container_name: Some("fixed".into()),
            restart: Some(RestartPolicy::Always),
            command: Some(vec!["serve".into()]),
            user: Some("root".into()),
            volumes: vec![volume("a", "/a"), volume("b", "/b")],
            cap_drop: vec!["CHOWN".into()],
            scale: Some(3),
            ..Service::default()
        };
        let plain = Overrides::default().apply(&service);
        assert_eq!(plain.command, service.command);
        assert_eq!(
            (plain.container_name, plain.restart, plain.scale),
            (None, None, Some(1))
        );

        let out = Overrides {
            entrypoint: Some(vec!["sh".into()]),
            environment: vec![("A".into(), "1".into())],
            volumes: vec![volume("c", "/b")],
            ports: Some(Vec::new()),
            cap_add: vec!["CHOWN".into()],
            tty: true,
            ..Overrides::default()
        }
        .apply(&service);
        assert_eq!(out.entrypoint, Some(vec!["sh".to_owned()]));
        assert_eq!(
            out.command,
            Some(Vec::new()),
            "a new entry point has no use for it"
        );
        assert_eq!(out.environment["A"], Some("1".to_owned()));
        assert_eq!(out.user.as_deref(), Some("root"));
        assert_eq!(out.volumes, [volume("a", "/a"), volume("c", "/b")]);
        assert_eq!((out.cap_add, out.cap_drop), (vec!["CHOWN".to_owned()], vec![]));
        assert!(out.tty && !out.stdin_open);
    }

    #[test]
    fn each_slug_is_another() {
        let (one, other) = (slug(), slug());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
