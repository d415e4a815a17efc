//! Wanted values in the forms that the Compose Specification gives them.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{MountKind, Project, Service};
use crate::base::{ServiceName, format_duration};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn is_zero(value: &i64) -> bool {
    *value == 0
}

pub(super) fn as_duration<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(format_duration).serialize(serializer)
}

/// Byte values are strings in Compose's own output.
pub(super) fn as_bytes<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|v| v.to_string()).serialize(serializer)
}

/// File modes are octal strings in Compose's own output.
pub(super) fn as_mode<S: Serializer>(value: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|v| format!("0{v:o}")).serialize(serializer)
}

/// A service's definition as compared by plans and kept on its containers: what decides
/// whether a container is still what is wanted.
///
/// Left out is what changes no container: build, pull policy, profiles, dependencies, scale,
/// probes and reload rules. Added is the digest of each config and secret it mounts, and of
/// each single file bound from the host (`bound_files`: host path to SHA-256), and the engine's name of
/// each volume and network that has one of its own.
pub fn comparable(project: &Project, service: &Service, bound_files: &[(String, String)]) -> Value {
    let mut value = serde_json::to_value(service).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        for irrelevant in [
            "build",
            "pull_policy",
            "profiles",
            "depends_on",
            "scale",
            "attach",
            "develop",
            "x-platform",
        ] {
            fields.shift_remove(irrelevant);
        }
        if let Some(Value::Object(deploy)) = fields.get_mut("deploy") {
            for irrelevant in [
                "replicas",
                "labels",
                "endpoint_mode",
                "update_config",
                "rollback_config",
                "mode",
                "placement",
                "reserve_generic",
                "restart_delay",
                "restart_window",
            ] {
                deploy.shift_remove(irrelevant);
            }
            if deploy.is_empty() {
                fields.shift_remove("deploy");
            }
        }
        for section in ["configs", "secrets"] {
            let mounts = fields.get_mut(section).and_then(Value::as_array_mut);
            for mount in mounts.into_iter().flatten().filter_map(Value::as_object_mut) {
                mount.shift_remove("written_target");
            }
        }
        let mut contents = serde_json::Map::new();
        let files = service
            .configs
            .iter()
            .filter_map(|m| project.configs.get(&m.source).map(|file| (m, file)))
            .chain(
                service
                    .secrets
                    .iter()
                    .filter_map(|m| project.secrets.get(&m.source).map(|file| (m, file))),
            );
        for (mount, file) in files {
            if let Some(digest) = &file.digest {
                contents.insert(mount.target.clone(), Value::from(digest.as_str()));
            }
        }
        for (path, digest) in bound_files {
            contents.insert(path.clone(), Value::from(digest.as_str()));
        }
        if !contents.is_empty() {
            fields.insert("content".into(), Value::Object(contents));
        }
        let names = names_at_the_engine(project, service);
        if !names.is_empty() {
            fields.insert("names".into(), Value::Object(names));
        }
        // Environment values may be secret and the label is as readable as the container:
        // it tells whether they changed without telling them.
        if let Some(Value::Object(environment)) = fields.get_mut("environment") {
            for (_, value) in environment.iter_mut() {
                if let Value::String(text) = value {
                    *value = Value::String(fingerprint(text));
                }
            }
        }
    }
    value
}

/// The engine's names of a service's volumes and networks, of those that have others than by default: under
/// the same key in the stack may stand another object by now.
fn names_at_the_engine(project: &Project, service: &Service) -> serde_json::Map<String, Value> {
    let volumes = service.volumes.iter().filter_map(|mount| match &mount.kind {
        MountKind::Volume {
            source: Some(key), ..
        } => project.volumes.get(key).map(|volume| (key, volume.name.as_str())),
        _ => None,
    });
    let networks = service.networks.keys().filter_map(|key| {
        project
            .networks
            .get(key)
            .map(|network| (key, network.name.as_str()))
    });
    volumes
        .chain(networks)
        .filter(|(key, name)| *name != format!("{}_{key}", project.name))
        .map(|(key, name)| (key.clone(), Value::from(name)))
        .collect()
}

/// A short fingerprint of a value that must not be shown.
pub fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("sha256:{}", hex(&digest[..8]))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 of a comparable definition, in hexadecimal.
pub fn hash(comparable: &Value) -> String {
    hex(&Sha256::digest(comparable.to_string().as_bytes()))
}

/// The name of a service's container by Compose's rule.
pub fn container_name(project: &Project, name: &ServiceName, service: &Service, number: u32) -> String {
    service
        .container_name
        .clone()
        .unwrap_or_else(|| format!("{}-{}-{}", project.name, name, number))
}
