//! Configs and secrets: how each reaches its container.
//!
//! A file of the host without owner or mode is bind-mounted read-only, as docker compose does.
//! Anything else (values, inline text, files with an owner or mode) is copied into the created
//! container before it starts. Where that cannot be (a read-only root, a target under a mount,
//! which would hide it), it is written to a folder of ours on memory, with the right mode, and
//! bind-mounted from there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::api::Result;
use super::connect::{Endpoint, EngineEnv};
use super::convert::mounts::covers;
use super::{CreateContainer, EngineError, EngineErrorKind};
use crate::base::{ProjectName, Secret};
use crate::model::{FileMount, FileSource, ResourceFile, render};

/// The mode of a file that names none (Compose Specification, `secrets`).
const DEFAULT_MODE: u32 = 0o444;

/// How the configs and secrets of a container get into it.
#[derive(Debug, Default)]
pub(super) struct FilePlan {
    /// Files of the host to bind: path and target.
    pub(super) binds: Vec<(String, String)>,
    /// Files to copy in after creation.
    pub(super) copies: Vec<FileCopy>,
    /// Files to write to memory and bind.
    pub(super) materialised: Vec<FileCopy>,
}

/// One file with its content.
#[derive(Debug)]
pub(super) struct FileCopy {
    /// Where in the container, absolute.
    pub(super) target: String,
    /// Owner.
    pub(super) uid: u64,
    /// Group.
    pub(super) gid: u64,
    /// Unix mode.
    pub(super) mode: u32,
    /// The content; it may be secret.
    pub(super) content: Secret<Vec<u8>>,
}

/// Decides how each config and secret of a container reaches it, and reads those that are copied.
pub(super) fn plan(request: &CreateContainer<'_>) -> Result<FilePlan> {
    let service = request.service;
    let mut plan = FilePlan::default();
    let configs = service
        .configs
        .iter()
        .map(|m| ("config", m, request.project.configs.get(&m.source)));
    let secrets = service
        .secrets
        .iter()
        .map(|m| ("secret", m, request.project.secrets.get(&m.source)));
    for (kind, mount, resource) in configs.chain(secrets) {
        let operation = || format!("mount {kind} {} in {}", mount.source, request.name);
        let fail = |why: String| EngineError::new(operation(), EngineErrorKind::Unsupported(why));
        let resource = resource.ok_or_else(|| fail(format!("there is no {kind} of this name")))?;
        let plain = mount.uid.is_none() && mount.gid.is_none() && mount.mode.is_none();
        if let (FileSource::File(path), true) = (&resource.source, plain) {
            plan.binds
                .push((path.display().to_string(), mount.target.clone()));
            continue;
        }
        let copy = FileCopy {
            target: mount.target.clone(),
            uid: number(mount.uid.as_deref(), "uid").map_err(fail)?,
            gid: number(mount.gid.as_deref(), "gid").map_err(fail)?,
            mode: mount.mode.unwrap_or(DEFAULT_MODE) & 0o7777,
            content: Secret::new(content(mount, resource).map_err(fail)?),
        };
        if service.read_only || covers(service, &mount.target) {
            plan.materialised.push(copy);
        } else {
            plan.copies.push(copy);
        }
    }
    Ok(plan)
}

fn number(text: Option<&str>, what: &str) -> std::result::Result<u64, String> {
    match text {
        None => Ok(0),
        Some(text) => text.trim().parse().map_err(|_| {
            format!("{what} {text:?} is not a number, and names are not looked up in the image")
        }),
    }
}

fn content(mount: &FileMount, resource: &ResourceFile) -> std::result::Result<Vec<u8>, String> {
    match &resource.source {
        FileSource::File(path) => fs::read(path).map_err(|e| format!("{}: {e}", path.display())),
        FileSource::Content(text) => Ok(text.clone().into_bytes()),
        FileSource::Environment { variable, value } => match value {
            Some(value) => Ok(value.expose().clone().into_bytes()),
            None => Err(format!("the environment variable {variable} is not set")),
        },
        FileSource::External(_) => Err(format!(
            "{} is external, which only a swarm can supply",
            mount.source
        )),
    }
}

/// The files as a tar, paths from the container's root on. Missing folders are made by the
/// engine; existing ones keep their owner and mode.
pub(super) fn archive(copies: &[FileCopy]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for copy in copies {
        let content = copy.content.expose();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(copy.mode);
        header.set_uid(copy.uid);
        header.set_gid(copy.gid);
        tar.append_data(
            &mut header,
            copy.target.trim_start_matches('/'),
            content.as_slice(),
        )?;
    }
    tar.into_inner()
}

/// The folder on memory that belongs to a project.
pub(super) fn project_dir(env: &EngineEnv, project: &ProjectName) -> PathBuf {
    let base = match env.runtime_dir() {
        Some(dir) => dir.join("platform"),
        None if env.uid == 0 && Path::new("/run").is_dir() => PathBuf::from("/run/platform"),
        None => PathBuf::from(format!("/dev/shm/platform-{}", env.uid)),
    };
    base.join(project.as_str())
}

/// Writes files to the project's folder on memory; returns host path and target of each.
pub(super) fn materialise(
    env: &EngineEnv,
    endpoint: &Endpoint,
    request: &CreateContainer<'_>,
    files: &[FileCopy],
) -> Result<Vec<(String, String)>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let operation = format!("mount configs and secrets in {}", request.name);
    if let Endpoint::Tcp(..) = endpoint {
        return Err(EngineError::new(
            operation,
            EngineErrorKind::Unsupported(
                "the engine runs elsewhere, so that a container with a read-only root cannot be given \
                 files: mount a volume, or leave read_only away"
                    .into(),
            ),
        ));
    }
    let dir = project_dir(env, &request.project.name);
    files
        .iter()
        .map(|file| {
            let path = write_one(env, &dir, request, file).map_err(|e| {
                EngineError::new(
                    &operation,
                    EngineErrorKind::Unsupported(format!("{}: {e}", dir.display())),
                )
            })?;
            Ok((path.display().to_string(), file.target.clone()))
        })
        .collect()
}

fn write_one(
    env: &EngineEnv,
    dir: &Path,
    request: &CreateContainer<'_>,
    file: &FileCopy,
) -> io::Result<PathBuf> {
    if let Some(base) = dir.parent() {
        private_dir(base, env.uid)?;
    }
    private_dir(dir, env.uid)?;
    // The name tells the content apart, so that a running container keeps its file when a new one
    // gets another.
    let mut hash = Sha256::new();
    hash.update(file.content.expose());
    hash.update(format!(
        "\0{}\0{}\0{}\0{:o}",
        file.target, file.uid, file.gid, file.mode
    ));
    let digest = render::hex(&hash.finalize());
    let name = format!(
        "{}-{}-{}",
        request.service_name,
        if request.oneoff.is_some() {
            0
        } else {
            request.number
        },
        digest.get(..16).unwrap_or(&digest)
    );
    let path = dir.join(&name);
    let draft = dir.join(format!("{name}.new"));
    match fs::remove_file(&draft) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    out.write_all(file.content.expose())?;
    let owner = |id: u64| u32::try_from(id).map_err(|_| io::Error::other("an id of more than 32 bits"));
    let (uid, gid) = (owner(file.uid)?, owner(file.gid)?);
    let meta = out.metadata()?;
    // Without uid and gid a file is root's in the container; only root can see to that, and the
    // user's own file serves as well.
    if (uid, gid) != (meta.uid(), meta.gid()) && (env.uid == 0 || uid != 0 || gid != 0) {
        std::os::unix::fs::fchown(&out, Some(uid), Some(gid))?;
    }
    out.set_permissions(fs::Permissions::from_mode(file.mode))?;
    drop(out);
    fs::rename(&draft, &path)?;
    Ok(path)
}

/// Makes a folder that only we can enter, or makes sure that one is ours.
fn private_dir(dir: &Path, uid: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let meta = fs::symlink_metadata(dir)?;
            if !meta.is_dir() || meta.uid() != uid {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!("{} is not a folder of this user", dir.display()),
                ));
            }
            if meta.mode() & 0o077 != 0 {
                fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
            }
            Ok(())
        }
        Err(e) => Err(e),
    }
}

/// Deletes what was written to memory for a project; nothing there is success.
pub(super) fn remove(env: &EngineEnv, project: &ProjectName) -> Result<()> {
    if !ProjectName::is_valid(project.as_str()) {
        return Ok(());
    }
    let dir = project_dir(env, project);
    match fs::remove_dir_all(&dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(EngineError::new(
            format!("remove the secrets of {project}"),
            EngineErrorKind::Unsupported(format!("{}: {e}", dir.display())),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::convert::tests_support::project;
    use crate::model::{Project, Service};

    fn env(dir: &Path) -> EngineEnv {
        EngineEnv {
            vars: [("XDG_RUNTIME_DIR".to_owned(), dir.display().to_string())].into(),
            uid: rustix::process::getuid().as_raw(),
        }
    }

    fn with_secrets() -> Project {
        let mut project = project();
        let resource = |source| ResourceFile {
            name: "n".into(),
            source,
            swarm: Default::default(),
            digest: None,
        };
        project
            .secrets
            .insert("file".into(), resource(FileSource::File("/etc/hostname".into())));
        project.secrets.insert(
            "env".into(),
            resource(FileSource::Environment {
                variable: "TOKEN".into(),
                value: Some(Secret::new("hunter22".into())),
            }),
        );
        project
            .configs
            .insert("text".into(), resource(FileSource::Content("x".into())));
        project
    }

    fn mount(source: &str, mode: Option<u32>) -> FileMount {
        FileMount {
            written_target: None,
            source: source.into(),
            target: format!("/run/secrets/{source}"),
            uid: None,
            gid: None,
            mode,
        }
    }

    fn request<'a>(
        project: &'a Project,
        service: &'a Service,
        networks: &'a BTreeMap<String, crate::base::NetworkId>,
        name: &'a crate::base::ServiceName,
    ) -> CreateContainer<'a> {
        CreateContainer {
            project,
            service_name: name,
            service,
            name: "p-a-1".into(),
            number: 1,
            image: "sha256:1".into(),
            networks,
            containers: BTreeMap::new(),
            labels: BTreeMap::new(),
            inherit_volumes_from: None,
            oneoff: None,
        }
    }

    /// `bind`, `copy` or `memory` for each mount, in order.
    fn ways(service: &Service) -> String {
        let (project, networks) = (with_secrets(), BTreeMap::new());
        let plan = plan(&request(&project, service, &networks, &"a".into())).unwrap();
        let mut ways = vec!["bind"; plan.binds.len()];
        ways.extend(vec!["copy"; plan.copies.len()]);
        ways.extend(vec!["memory"; plan.materialised.len()]);
        ways.join(" ")
    }

    #[test]
    fn each_file_takes_the_way_that_works() {
        let service = |read_only, tmpfs: &[&str], mode| Service {
            read_only,
            tmpfs: tmpfs.iter().map(|t| (*t).to_owned()).collect(),
            secrets: vec![mount("file", mode), mount("env", None)],
            configs: vec![mount("text", None)],
            ..Service::default()
        };
        assert_eq!(ways(&service(false, &[], None)), "bind copy copy");
        assert_eq!(ways(&service(false, &[], Some(0o400))), "copy copy copy");
        assert_eq!(ways(&service(true, &[], Some(0o400))), "memory memory memory");
        assert_eq!(
            ways(&service(false, &["/run:size=1m"], None)),
            "bind memory memory"
        );
        assert_eq!(ways(&service(false, &["/ru"], None)), "bind copy copy");
    }

    #[test]
    fn files_on_memory_have_the_mode_asked_for_in_a_private_folder_and_go_away() {
        let runtime = tempfile::tempdir().unwrap();
        let (project, networks) = (with_secrets(), BTreeMap::new());
        let service = Service {
            read_only: true,
            secrets: vec![mount("env", Some(0o440))],
            ..Service::default()
        };
        let (env, name) = (env(runtime.path()), "a".into());
        let request = request(&project, &service, &networks, &name);
        let plan = plan(&request).unwrap();
        let socket = Endpoint::Unix("/x".into());
        let paths = materialise(&env, &socket, &request, &plan.materialised).unwrap();
        let again = materialise(&env, &socket, &request, &plan.materialised).unwrap();
        assert_eq!(paths, again);
        let path = Path::new(&paths[0].0);
        assert_eq!(fs::read(path).unwrap(), b"hunter22");
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, 0o440);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777,
            0o700
        );
        assert!(materialise(&env, &Endpoint::Tcp("h".into(), 1), &request, &plan.materialised).is_err());
        remove(&env, &project.name).unwrap();
        assert!(!path.exists());
        remove(&env, &project.name).unwrap();
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let stranger = rustix::process::getuid().as_raw() + 1;
        assert!(private_dir(dir.path(), stranger).is_err());
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
        assert!(private_dir(&dir.path().join("link"), stranger - 1).is_err());
    }

    #[test]
    fn the_archive_carries_owner_and_mode_and_no_folders() {
        let bytes = archive(&[FileCopy {
            target: "/run/secrets/a".into(),
            uid: 7,
            gid: 8,
            mode: 0o400,
            content: Secret::new(b"abc".to_vec()),
        }])
        .unwrap();
        let mut tar = tar::Archive::new(bytes.as_slice());
        let entries: Vec<String> = tar
            .entries()
            .unwrap()
            .map(|e| {
                let e = e.unwrap();
                let h = e.header();
                format!(
                    "{} {}:{} {:o}",
                    e.path().unwrap().display(),
                    h.uid().unwrap(),
                    h.gid().unwrap(),
                    h.mode().unwrap()
                )
            })
            .collect();
        assert_eq!(entries, ["run/secrets/a 7:8 400"]);
    }
}
