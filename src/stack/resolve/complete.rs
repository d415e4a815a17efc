//! What follows from what was written.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::Places;
use super::profiles;
use crate::base::{ProjectName, ServiceName};
use crate::model::{
    Condition, Dependency, Endpoint, NetworkMode, NetworkSpec, Project, Service, SourcePlaces,
};
use crate::stack::decode::Decoded;
use crate::stack::diagnostic::{Code, Finding, Findings, suggest};

/// What the user asked for beside the files.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The project's name.
    pub name: ProjectName,
    /// The project's folder.
    pub working_dir: PathBuf,
    /// The stack files.
    pub files: Vec<PathBuf>,
    /// The environment files.
    pub env_files: Vec<PathBuf>,
    /// Active profiles.
    pub profiles: Vec<String>,
    /// Services asked for by name.
    pub asked: Vec<String>,
    /// Whether what is implied is written out.
    pub implied: bool,
}

/// The project: active services with everything implied written out, the networks, volumes,
/// configs and secrets that they use.
pub fn complete(decoded: Decoded, wanted: &Wanted, places: Places<'_>, findings: &mut Findings) -> Project {
    let profiles = profiles::effective(&decoded.services, &wanted.profiles, &wanted.asked);
    let mut services = IndexMap::new();
    let mut disabled = Vec::new();
    for (name, decoded) in decoded.services {
        if !profiles::is_active(&decoded, &name, &profiles, &wanted.asked) {
            disabled.push(name);
            continue;
        }
        let mut service = decoded.service;
        service.env_files = decoded.env_files.into_iter().map(|env| env.file).collect();
        if wanted.implied {
            implied_dependencies(&mut service);
            implied_network(&mut service);
        }
        // Connected in the order of priority; equals stay in the order of the file.
        service.networks.sort_by(|_, a, _, b| b.priority.cmp(&a.priority));
        needs_image(&name, &service, places, findings);
        services.insert(name, service);
    }
    let mut project = Project {
        name: wanted.name.clone(),
        working_dir: wanted.working_dir.clone(),
        files: wanted.files.clone(),
        env_files: wanted.env_files.clone(),
        services,
        disabled,
        networks: decoded.networks,
        volumes: decoded.volumes,
        secrets: decoded.secrets,
        configs: decoded.configs,
        models: decoded.models,
        ext: decoded.ext,
        extensions: decoded.extensions,
        nested_extensions: decoded.nested_extensions,
        places: SourcePlaces::default(),
    };
    let default_used = project
        .services
        .values()
        .any(|s| s.networks.contains_key("default"));
    if wanted.implied && default_used && !project.networks.contains_key("default") {
        project
            .networks
            .insert("default".to_owned(), NetworkSpec::default());
    }
    if wanted.implied {
        full_names(&mut project);
    }
    for link in &mut project.ext.links {
        // A link named as a service belongs to it.
        if link.service.is_none() && is_service(&project.services, &project.disabled, &link.name) {
            link.service = Some(link.name.clone());
        }
    }
    project
}

fn is_service(services: &IndexMap<ServiceName, Service>, disabled: &[ServiceName], name: &str) -> bool {
    services.contains_key(name) || disabled.iter().any(|d| d.as_str() == name)
}

/// `links`, `volumes_from` and namespaces of other services are dependencies.
fn implied_dependencies(service: &mut Service) {
    let mut implied: Vec<(ServiceName, bool)> = Vec::new();
    for link in &service.links {
        let name = link.split(':').next().unwrap_or_default();
        implied.push((ServiceName::from(name), true));
    }
    if let Some(NetworkMode::Service(name)) = &service.network_mode {
        implied.push((name.clone(), true));
    }
    for namespace in [&service.ipc, &service.pid, &service.uts, &service.cgroup] {
        if let Some(name) = namespace.as_deref().and_then(|n| n.strip_prefix("service:")) {
            implied.push((ServiceName::from(name), true));
        }
    }
    for source in &service.volumes_from {
        if !source.starts_with("container:") {
            let name = source.split(':').next().unwrap_or_default();
            implied.push((ServiceName::from(name), false));
        }
    }
    for (name, restart) in implied {
        service.depends_on.entry(name).or_insert(Dependency {
            condition: Condition::ServiceStarted,
            restart,
            required: true,
        });
    }
}

fn implied_network(service: &mut Service) {
    if service.networks.is_empty() && service.network_mode.is_none() && service.provider.is_none() {
        service.networks.insert("default".to_owned(), Endpoint::default());
    }
}

/// A service without image and build cannot be.
fn needs_image(name: &ServiceName, service: &Service, places: Places<'_>, findings: &mut Findings) {
    if service.image.is_some() || service.build.is_some() || service.provider.is_some() {
        return;
    }
    let path = ["services", name.as_str()];
    // Where one was written, or was meant, what is wrong with it has been said.
    let meant = |key: &str| {
        matches!(key, "image" | "build" | "extends" | "provider")
            || suggest(key, ["image", "build"]).is_some()
    };
    if findings.has_errors() && places.keys(&path).any(meant) {
        return;
    }
    findings.push(if places.has(&["services", name.as_str(), "image"]) {
        Finding::error(Code::Value, format!("the image of service `{name}` is empty")).at(places.value(&[
            "services",
            name.as_str(),
            "image",
        ]))
    } else {
        Finding::error(
            Code::Missing,
            format!("service `{name}` has neither an image nor a build"),
        )
        .at(places.key(&path))
        .help("add `image: …` or `build: …`")
    });
}

/// The engine's names are `project_key` unless the file says otherwise.
fn full_names(project: &mut Project) {
    let name = project.name.clone();
    let full = |key: &str| format!("{name}_{key}");
    for (key, network) in &mut project.networks {
        if network.name.is_empty() {
            network.name = full(key);
        }
    }
    for (key, volume) in &mut project.volumes {
        if volume.name.is_empty() {
            volume.name = full(key);
        }
    }
    for (key, file) in project.configs.iter_mut().chain(&mut project.secrets) {
        if file.name.is_empty() {
            file.name = full(key);
        }
    }
}
