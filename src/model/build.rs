//! How an image is built (Compose Specification, 06-build).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::Ulimit;
use super::render::{as_bytes, as_mode, is_false};

/// A build.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Build {
    /// Folder (absolute) or URL.
    pub context: String,
    /// Path of the Dockerfile, relative to the context or absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// The Dockerfile's text, in the place of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile_inline: Option<String>,
    /// Build arguments, resolved.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub args: IndexMap<String, String>,
    /// Arguments that are only named, where nobody looked for their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unset_args: Vec<String>,
    /// Stage to build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Labels on the image.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Further references for the result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Named contexts: name to folder, URL or `docker-image://reference`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub additional_contexts: IndexMap<String, String>,
    /// Cache sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<String>,
    /// Cache destinations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_to: Vec<String>,
    /// Network mode of the build's steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Whether no cache is used.
    #[serde(skip_serializing_if = "is_false")]
    pub no_cache: bool,
    /// Whether base images are pulled anew.
    #[serde(skip_serializing_if = "is_false")]
    pub pull: bool,
    /// Platforms to build for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Whether with elevated privileges.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    /// Extra hosts, `host=address`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<String>,
    /// Size of `/dev/shm` in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub shm_size: Option<u64>,
    /// Limits of the steps' processes, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// How the steps are isolated (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// Privileges that steps may ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// Stages that are built without cache.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    /// Provenance attestation: a boolean or its parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
    /// SBOM attestation: a boolean or its parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbom: Option<String>,
    /// Secrets given to the build.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<BuildSecret>,
    /// SSH agents or keys, `id[=path]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<String>,
}

/// A secret that a build step may mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildSecret {
    /// Key under the top-level `secrets`.
    pub source: String,
    /// Id in the Dockerfile; the source where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Owner in the step; `None` leaves the builder's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// Unix mode.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_mode")]
    pub mode: Option<u32>,
}
