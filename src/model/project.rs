//! A whole project, resolved.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Serialize;

use super::{ModelSpec, NetworkSpec, ResourceFile, Service, SourcePlaces, StackExt, VolumeSpec};
use crate::base::{ProjectName, ServiceName};

/// One Compose project: everything that is wanted, with nothing left to look up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// The project's name.
    pub name: ProjectName,
    /// The project's folder, absolute; relative paths in the stack were resolved against it.
    #[serde(skip)]
    pub working_dir: PathBuf,
    /// The stack files in the order of merging, absolute; `-` stands for standard input.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
    /// The environment files that were read for interpolation, absolute.
    #[serde(skip)]
    pub env_files: Vec<PathBuf>,
    /// The active services (profiles applied), in the order of the file.
    pub services: IndexMap<ServiceName, Service>,
    /// Services that exist in the file but whose profiles are not active.
    #[serde(skip)]
    pub disabled: Vec<ServiceName>,
    /// Networks that an active service uses, and `default` where one does.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub networks: IndexMap<String, NetworkSpec>,
    /// Named volumes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub volumes: IndexMap<String, VolumeSpec>,
    /// Secrets.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub secrets: IndexMap<String, ResourceFile>,
    /// Configs.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub configs: IndexMap<String, ResourceFile>,
    /// Models.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub models: IndexMap<String, ModelSpec>,
    /// The top-level `x-platform`.
    #[serde(rename = "x-platform", skip_serializing_if = "StackExt::is_empty")]
    pub ext: StackExt,
    /// Other extensions at the top (`x-…`), as written: shown, and nothing else.
    #[serde(flatten)]
    pub extensions: IndexMap<String, serde_json::Value>,
    /// Extensions below the top: where each stands (a JSON pointer), its key and its value.
    #[serde(skip)]
    pub nested_extensions: Vec<(String, String, serde_json::Value)>,
    /// Where the files define services and smoke tests.
    #[serde(skip)]
    pub places: SourcePlaces,
}

impl Project {
    /// Whether the stack has a service of this name, active or not.
    pub fn has(&self, service: &ServiceName) -> bool {
        self.services.contains_key(service) || self.disabled.contains(service)
    }

    /// These services and those that their builds take files from (`additional_contexts` with
    /// `service:NAME`), in the file's order.
    pub fn with_build_contexts(&self, names: &[ServiceName]) -> Vec<ServiceName> {
        let mut wanted: Vec<&str> = names.iter().map(ServiceName::as_str).collect();
        let mut at = 0;
        while let Some(name) = wanted.get(at) {
            let build = self
                .services
                .get(*name)
                .and_then(|service| service.build.as_ref());
            let contexts = build
                .into_iter()
                .flat_map(|build| build.additional_contexts.values());
            for other in contexts.filter_map(|place| place.strip_prefix("service:")) {
                if !wanted.contains(&other) {
                    wanted.push(other);
                }
            }
            at += 1;
        }
        let all = self.services.keys();
        all.filter(|name| wanted.contains(&name.as_str()))
            .cloned()
            .collect()
    }

    /// The services that `names` need, dependencies included, in the file's order;
    /// all services where `names` is empty.
    pub fn closure(&self, names: &[ServiceName]) -> Vec<ServiceName> {
        if names.is_empty() {
            return self.services.keys().cloned().collect();
        }
        let mut wanted: Vec<&ServiceName> = names.iter().collect();
        let mut at = 0;
        while at < wanted.len() {
            if let Some(service) = self.services.get(wanted[at]) {
                for dependency in service.depends_on.keys() {
                    if !wanted.contains(&dependency) {
                        wanted.push(dependency);
                    }
                }
            }
            at += 1;
        }
        self.services
            .keys()
            .filter(|name| wanted.contains(name))
            .cloned()
            .collect()
    }
}
