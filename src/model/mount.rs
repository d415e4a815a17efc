//! What is mounted into containers: volumes, binds, configs, secrets.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Serialize;

use super::render::{as_bytes, as_mode, is_false};
use crate::base::Secret;

/// A mount of a service (`volumes`, long form).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mount {
    /// What is mounted.
    #[serde(flatten)]
    pub kind: MountKind,
    /// Where in the container, absolute.
    pub target: String,
    /// Whether it cannot be written to.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// `consistent`, `cached` or `delegated`: has no effect on Linux.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency: Option<String>,
}

/// What a mount brings in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum MountKind {
    /// A path of the host.
    Bind {
        /// On the host, absolute.
        source: PathBuf,
        /// Whether a missing folder is created (the short form's behaviour).
        create_host_path: bool,
        /// Mount propagation.
        #[serde(skip_serializing_if = "Option::is_none")]
        propagation: Option<String>,
        /// `z` or `Z`.
        #[serde(skip_serializing_if = "Option::is_none")]
        selinux: Option<String>,
        /// Whether mounts below the source come along: `enabled`, `disabled`, `writable`, `readonly`.
        #[serde(skip_serializing_if = "Option::is_none")]
        recursive: Option<String>,
    },
    /// A named volume (key under `volumes`), or an anonymous one.
    Volume {
        /// The key; `None` for an anonymous volume.
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// Whether the image's content is not copied into an empty volume.
        #[serde(skip_serializing_if = "is_false")]
        nocopy: bool,
        /// Folder inside the volume.
        #[serde(skip_serializing_if = "Option::is_none")]
        subpath: Option<String>,
        /// Labels of a volume that is made for it.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        labels: IndexMap<String, String>,
        /// `z` or `Z` (short form only).
        #[serde(skip_serializing_if = "Option::is_none")]
        selinux: Option<String>,
    },
    /// The files of an image, read-only.
    Image {
        /// Its reference.
        source: String,
        /// Folder inside the image.
        #[serde(skip_serializing_if = "Option::is_none")]
        subpath: Option<String>,
    },
    /// A pipe of Windows.
    Npipe {
        /// On the host.
        source: String,
    },
    /// A volume of a Swarm's.
    Cluster {
        /// The key under `volumes`.
        source: String,
    },
    /// Memory.
    Tmpfs {
        /// In bytes.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
        size: Option<u64>,
        /// Unix mode.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_mode")]
        mode: Option<u32>,
    },
}

/// A config or secret mounted by a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileMount {
    /// Key under the top-level `configs` or `secrets`.
    pub source: String,
    /// Path in the container, absolute (`/run/secrets/<source>` or `/<source>` by default).
    pub target: String,
    /// The target as the file has it, where it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_target: Option<String>,
    /// Owner; `None` leaves the engine's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// Unix mode; `None` is 0444.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_mode")]
    pub mode: Option<u32>,
}

/// A top-level config or secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceFile {
    /// The engine-side name: `project_key` unless the file names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where its content comes from.
    #[serde(flatten)]
    pub source: FileSource,
    /// What only Swarm knows (`driver`, `driver_opts`, `labels`, `template_driver`): shown, and no more.
    #[serde(flatten)]
    pub swarm: IndexMap<String, serde_json::Value>,
    /// SHA-256 of the content in hexadecimal, where it could be read at load; part of what counts as changed.
    #[serde(skip)]
    pub digest: Option<String>,
}

/// Where a config's or secret's content comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSource {
    /// A file of the host, absolute.
    File(PathBuf),
    /// An environment variable's name; the value travels beside it, masked.
    Environment {
        /// The variable.
        variable: String,
        /// Its value at load; `None` where it is not set.
        #[serde(skip)]
        value: Option<Secret<String>>,
    },
    /// The text itself (configs only).
    Content(String),
    /// Kept by the engine or somebody else.
    External(bool),
}

/// A top-level volume.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolumeSpec {
    /// The engine-side name: `project_key` unless the file names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether somebody else makes it.
    #[serde(skip_serializing_if = "is_false")]
    pub external: bool,
    /// Driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Options of the driver.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub driver_opts: IndexMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}
