//! What is mounted into a container: binds where those suffice, mounts where not, as docker
//! compose chooses.

use serde_json::{Map, Value, json};

use super::container::{Fields, Prepared};
use crate::engine::CreateContainer;
use crate::model::{Mount, MountKind, Service};

/// Both forms that the engine takes.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// `HostConfig.Binds`.
    pub(super) binds: Vec<String>,
    /// `HostConfig.Mounts`.
    pub(super) mounts: Vec<Value>,
}

/// All mounts of a container.
pub(super) fn mounts(request: &CreateContainer<'_>, prepared: &Prepared) -> Mounts {
    let mut all = Mounts::default();
    for mount in &request.service.volumes {
        add(&mut all, request, prepared, mount);
    }
    for (target, name) in &prepared.inherited {
        let listed = request.service.volumes.iter().any(|m| m.target == *target);
        if !listed {
            all.mounts
                .push(json!({"Type": "volume", "Source": name, "Target": target}));
        }
    }
    for (source, target) in &prepared.files {
        all.mounts
            .push(json!({"Type": "bind", "Source": source, "Target": target, "ReadOnly": true}));
    }
    all
}

fn add(all: &mut Mounts, request: &CreateContainer<'_>, prepared: &Prepared, mount: &Mount) {
    let access = if mount.read_only { "ro" } else { "rw" };
    let mut fields = Fields::default();
    match &mount.kind {
        MountKind::Bind {
            source,
            create_host_path,
            propagation,
            selinux,
            recursive,
        } => {
            let source = source.display().to_string();
            let colon = source.contains(':') || mount.target.contains(':');
            // Only the bind form makes a missing folder (on engines before API 1.42) and labels for SELinux.
            if (*create_host_path || selinux.is_some()) && recursive.is_none() && !colon {
                let options: Vec<&str> = [Some(access), propagation.as_deref(), selinux.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect();
                all.binds
                    .push(format!("{source}:{}:{}", mount.target, options.join(",")));
                return;
            }
            let mut options = Fields::default();
            options
                .some("Propagation", propagation.as_ref())
                .flag("CreateMountpoint", *create_host_path);
            if let Some(recursive) = recursive {
                let is = |word: &str| recursive == word;
                options
                    .flag("NonRecursive", is("disabled"))
                    .flag("ReadOnlyNonRecursive", is("writable"))
                    .flag("ReadOnlyForceRecursive", is("readonly"));
            }
            fields
                .some("Type", Some("bind"))
                .some("Source", Some(source))
                .some("Target", Some(&mount.target))
                .flag("ReadOnly", mount.read_only)
                .map("BindOptions", options.done());
        }
        MountKind::Volume {
            source,
            nocopy,
            subpath,
            labels,
            selinux,
        } => {
            let name = match source {
                Some(key) => Some(
                    request
                        .project
                        .volumes
                        .get(key)
                        .map_or_else(|| key.clone(), |v| v.name.clone()),
                ),
                None => prepared.inherited.get(&mount.target).cloned(),
            };
            let plain = !nocopy && subpath.is_none() && labels.is_empty() && !mount.target.contains(':');
            if let (Some(name), true) = (&name, plain) {
                let label = selinux
                    .as_ref()
                    .map_or_else(String::new, |label| format!(",{label}"));
                all.binds.push(format!("{name}:{}:{access}{label}", mount.target));
                return;
            }
            let mut options = Fields::default();
            options.flag("NoCopy", *nocopy).some("Subpath", subpath.as_ref());
            if !labels.is_empty() {
                options.map("Labels", json!(labels));
            }
            fields
                .some("Type", Some("volume"))
                .some("Source", name)
                .some("Target", Some(&mount.target))
                .flag("ReadOnly", mount.read_only)
                .map("VolumeOptions", options.done());
        }
        MountKind::Image { source, subpath } => {
            let mut options = Fields::default();
            options.some("Subpath", subpath.as_ref());
            fields
                .some("Type", Some("image"))
                .some("Source", Some(source))
                .some("Target", Some(&mount.target))
                .flag("ReadOnly", mount.read_only)
                .map("ImageOptions", options.done());
        }
        MountKind::Npipe { source } | MountKind::Cluster { source } => {
            let kind = match &mount.kind {
                MountKind::Npipe { .. } => "npipe",
                _ => "cluster",
            };
            fields
                .some("Type", Some(kind))
                .some("Source", Some(source))
                .some("Target", Some(&mount.target))
                .flag("ReadOnly", mount.read_only);
        }
        MountKind::Tmpfs { size, mode } => {
            let mut options = Fields::default();
            options
                .some("SizeBytes", size.as_ref())
                .some("Mode", mode.as_ref());
            fields
                .some("Type", Some("tmpfs"))
                .some("Target", Some(&mount.target))
                .flag("ReadOnly", mount.read_only)
                .map("TmpfsOptions", options.done());
        }
    }
    all.mounts.push(fields.done());
}

/// `tmpfs: ["/run:size=1m", …]` by target.
pub(super) fn tmpfs(service: &Service) -> Value {
    let mut all = Map::new();
    for text in &service.tmpfs {
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        all.insert(target.to_owned(), json!(options));
    }
    Value::Object(all)
}

/// `volumes_from`, services replaced by their containers.
pub(super) fn volumes_from(request: &CreateContainer<'_>) -> Vec<String> {
    request
        .service
        .volumes_from
        .iter()
        .map(|text| {
            if let Some(container) = text.strip_prefix("container:") {
                return container.to_owned();
            }
            let (service, access) = text.split_once(':').unwrap_or((text, ""));
            let source = request
                .containers
                .get(service)
                .map_or_else(|| service.to_owned(), ToString::to_string);
            if access.is_empty() {
                source
            } else {
                format!("{source}:{access}")
            }
        })
        .collect()
}

/// Targets below which nothing can be copied into a created container: a mount hides it later.
pub(in crate::engine) fn covers(service: &Service, target: &str) -> bool {
    let below = |folder: &str| {
        let folder = folder.trim_end_matches('/');
        target == folder
            || target
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    service.volumes.iter().any(|m| below(&m.target))
        || service
            .tmpfs
            .iter()
            .any(|t| below(t.split(':').next().unwrap_or_default()))
}
