//! A project's builds as a file for `docker buildx bake`.
//!
//! Source: buildx's bake file reference; which fields are given as docker compose gives them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::named::SERVICE;
use crate::base::ServiceName;
use crate::model::{Build, FileSource, Project, Service, labels};
use crate::stack::scope::clean;

/// A bake file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BakeFile {
    group: BTreeMap<String, Group>,
    target: BTreeMap<String, Target>,
    /// Variables that its secrets are read from.
    #[serde(skip)]
    secrets: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Group {
    targets: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Target {
    #[serde(skip_serializing_if = "String::is_empty")]
    context: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    contexts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    dockerfile: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dockerfile_inline: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_to: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pull: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_cache: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    network: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    no_cache_filter: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    shm_size: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ulimits: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    call: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entitlements: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra_hosts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    output: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attest: Vec<String>,
}

/// What becomes of what is built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It goes to the engine, as far as the engine can keep it.
    #[default]
    Load,
    /// Images with a name of their own go to their registries.
    Push,
    /// Nothing is built: the Dockerfiles are checked.
    Check,
}

impl BakeFile {
    /// The builds of all active services, of which `chosen` are built where nothing else is said.
    /// `proxies` are arguments that give way to the stack's.
    pub fn of_project(
        project: &Project,
        chosen: &[ServiceName],
        outcome: Outcome,
        proxies: &BTreeMap<String, String>,
    ) -> Self {
        let mut file = Self::default();
        for (name, service) in &project.services {
            let Some(build) = &service.build else { continue };
            let mut target = Target::new(project, name, service, build, outcome);
            for (key, value) in proxies {
                target.args.entry(key.clone()).or_insert_with(|| escaped(value));
            }
            target.secret = file.secrets_of(project, build);
            file.target.insert(target_name(name), target);
        }
        let targets = chosen.iter().map(target_name).collect();
        file.group.insert("default".to_owned(), Group { targets });
        file
    }

    /// The same with one service's build as what is built.
    #[must_use]
    pub fn of_one(&self, service: &ServiceName) -> Self {
        let targets = vec![target_name(service)];
        let mut file = self.clone();
        file.group.insert("default".to_owned(), Group { targets });
        file
    }

    /// The service whose build gives an image this name.
    pub fn builds(&self, image: &str) -> Option<ServiceName> {
        let gives = |target: &&String| {
            self.target
                .get(*target)
                .is_some_and(|t| t.tags.last().is_some_and(|tag| tag == image))
        };
        let name = self.target.keys().find(gives)?;
        let label = self.target.get(name)?.labels.get(labels::SERVICE)?;
        Some(ServiceName::from(label.as_str()))
    }

    /// The file's text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Variables for buildx that its secrets are read from.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.secrets
    }

    fn secrets_of(&mut self, project: &Project, build: &Build) -> Vec<String> {
        let mut out = Vec::new();
        for secret in &build.secrets {
            let id = secret.target.as_ref().unwrap_or(&secret.source);
            match project.secrets.get(&secret.source).map(|file| &file.source) {
                Some(FileSource::File(path)) => {
                    out.push(format!("id={id},type=file,src={}", path.display()));
                }
                Some(FileSource::Environment { variable, value }) => {
                    out.push(format!("id={id},type=env,env={variable}"));
                    if let Some(value) = value {
                        self.secrets.insert(variable.clone(), value.expose().clone());
                    }
                }
                _ => {}
            }
        }
        out
    }
}

impl Target {
    fn new(
        project: &Project,
        name: &ServiceName,
        service: &Service,
        build: &Build,
        outcome: Outcome,
    ) -> Self {
        let push = outcome == Outcome::Push && service.image.is_some();
        let image = service.image_reference(project.name.as_str(), name.as_str());
        let mut own_labels: BTreeMap<String, String> = build.labels.clone().into_iter().collect();
        own_labels.extend([
            (labels::VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            (labels::PROJECT.to_owned(), project.name.to_string()),
            (labels::SERVICE.to_owned(), name.to_string()),
        ]);
        let mut entitlements = build.entitlements.clone();
        if build.privileged {
            entitlements.push("security.insecure".to_owned());
        }
        Self {
            context: build.context.clone(),
            contexts: build
                .additional_contexts
                .iter()
                .map(|(key, place)| {
                    let place = match place.strip_prefix(SERVICE) {
                        Some(other) => format!("target:{}", target_name(&ServiceName::from(other))),
                        None => place.clone(),
                    };
                    (key.clone(), place)
                })
                .collect(),
            dockerfile: dockerfile(build),
            dockerfile_inline: escaped(build.dockerfile_inline.as_deref().unwrap_or_default()),
            args: build
                .args
                .iter()
                .map(|(key, value)| (key.clone(), escaped(value)))
                .collect(),
            labels: own_labels,
            tags: build.tags.iter().cloned().chain([image]).collect(),
            cache_from: build.cache_from.clone(),
            cache_to: build.cache_to.clone(),
            target: build.target.clone().unwrap_or_default(),
            secret: Vec::new(),
            ssh: build
                .ssh
                .iter()
                .map(|key| {
                    if key.contains('=') {
                        key.clone()
                    } else {
                        format!("{key}=")
                    }
                })
                .collect(),
            platforms: build.platforms.clone(),
            pull: build.pull,
            no_cache: build.no_cache,
            network: build.network.clone().unwrap_or_default(),
            no_cache_filter: build.no_cache_filter.clone(),
            shm_size: build.shm_size.map(|bytes| bytes.to_string()).unwrap_or_default(),
            ulimits: build
                .ulimits
                .iter()
                .map(|(limit, at)| match at.soft == at.hard {
                    true => format!("{limit}={}", at.soft),
                    false => format!("{limit}={}:{}", at.soft, at.hard),
                })
                .collect(),
            call: (if outcome == Outcome::Check { "lint" } else { "" }).to_owned(),
            entitlements,
            extra_hosts: extra_hosts(build),
            output: match outcome {
                Outcome::Check => Vec::new(),
                _ if build.platforms.len() > 1 => vec![format!("type=image,push={push}")],
                _ if push => vec!["type=registry".to_owned()],
                _ => vec!["type=docker".to_owned()],
            },
            attest: [("provenance", &build.provenance), ("sbom", &build.sbom)]
                .into_iter()
                .filter_map(|(kind, wanted)| match wanted.as_deref() {
                    None | Some("false") => None,
                    Some("true") => Some(format!("type={kind}")),
                    Some(how) => Some(format!("type={kind},{how}")),
                })
                .collect(),
        }
    }
}

/// A target may have no dots in its name.
fn target_name(service: &ServiceName) -> String {
    service.as_str().replace('.', "_")
}

/// Bake replaces variables of its own.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn dockerfile(build: &Build) -> String {
    let Some(file) = build
        .dockerfile
        .as_deref()
        .filter(|_| build.dockerfile_inline.is_none())
    else {
        return String::new();
    };
    if build.context.contains("://") || build.context.starts_with("git@") {
        return file.to_owned();
    }
    let path = clean(&Path::new(&build.context).join(file));
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name).display().to_string(),
        _ => path.display().to_string(),
    }
}

fn extra_hosts(build: &Build) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for line in &build.extra_hosts {
        if let Some((host, address)) = line.split_once('=').or_else(|| line.split_once(':')) {
            let all = out.entry(host.to_owned()).or_default();
            if !all.is_empty() {
                all.push(',');
            }
            all.push_str(address);
        }
    }
    out
}
