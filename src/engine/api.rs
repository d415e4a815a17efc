//! The narrow trait between us and a container engine, in words of the model.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::archive::{ByteStream, CommitSpec, PathStat, TarStream};
use super::process::{AttachSpec, ExecOutcome, ExecSession, ExecSpec};
use super::usage::Processes;
use super::{EngineError, EngineErrorKind, EventQuery, ObjectEvent, usage};
use crate::base::{ContainerId, ImageId, NetworkId, ProjectName, Secret, ServiceName};
use crate::model::{
    Build, Container, ContainerState, EngineHealth, Image, NetworkSpec, Observed, Project, Service, Usage,
    VolumeFound, VolumeSpec,
};

/// Result of an engine call.
pub type Result<T> = std::result::Result<T, EngineError>;

/// A container engine.
///
/// Every call ends within its own deadline; dropping a future does not undo the request, so
/// after a dropped or failed call the caller observes before it decides.
#[async_trait]
pub trait Engine: Send + Sync {
    /// What the engine is; also negotiates the API version on the first call.
    async fn info(&self) -> Result<EngineInfo>;

    /// Everything the engine has of a project, with the wanted images, in a constant number of calls.
    async fn observe(&self, wanted: &Wanted) -> Result<Observed>;
    /// All containers that carry Compose's project label, of all projects.
    async fn list_projects(&self) -> Result<Vec<Container>>;
    /// Containers of one project, or all that the engine has, anybody's included, where `None`; one call.
    async fn list_containers(&self, project: Option<&ProjectName>) -> Result<Vec<Container>>;
    /// The volumes that carry a project's label; one call.
    async fn list_volumes(&self, project: &ProjectName) -> Result<Vec<VolumeFound>> {
        let wanted = Wanted {
            project: Some(project.clone()),
            ..Wanted::default()
        };
        Ok(self.observe(&wanted).await?.volumes)
    }
    /// What takes up room on the engine's disk.
    async fn disk_usage(&self) -> Result<DiskUsage>;
    /// One container in full.
    async fn inspect(&self, id: &ContainerId) -> Result<Inspected>;

    /// Creates a network with the project's labels and returns its id. Where one with the same
    /// name and our labels already exists (two creators, a lost answer), returns that one.
    async fn create_network(
        &self,
        project: &Project,
        key: &str,
        spec: &NetworkSpec,
        run: &str,
    ) -> Result<NetworkId>;
    /// Removes a network; not found is success.
    async fn remove_network(&self, id: &NetworkId) -> Result<()>;
    /// Names of the containers that are attached to a network.
    async fn network_members(&self, id: &NetworkId) -> Result<Vec<String>>;
    /// Creates a volume with the project's labels.
    async fn create_volume(&self, project: &Project, key: &str, spec: &VolumeSpec, run: &str) -> Result<()>;
    /// Removes a volume; not found is success.
    async fn remove_volume(&self, name: &str) -> Result<()>;

    /// Creates a container, its configs and secrets copied in; does not start it.
    async fn create_container(&self, request: &CreateContainer<'_>) -> Result<ContainerId>;
    /// Starts a container; one that runs already is success.
    async fn start_container(&self, id: &ContainerId) -> Result<()>;
    /// Asks a container to stop and kills it after `grace`; one that does not run is success.
    async fn stop_container(&self, id: &ContainerId, signal: Option<&str>, grace: Duration) -> Result<()>;
    /// Freezes the processes of a container; one that is frozen already is success.
    async fn pause_container(&self, id: &ContainerId) -> Result<()> {
        let _ = id;
        Err(unsupported("pause a container"))
    }
    /// Lets the processes of a frozen container go on; one that is not frozen is success.
    async fn unpause_container(&self, id: &ContainerId) -> Result<()> {
        let _ = id;
        Err(unsupported("unpause a container"))
    }
    /// Sends a signal to process 1.
    async fn kill_container(&self, id: &ContainerId, signal: &str) -> Result<()>;
    /// Removes a container (`force` kills it first; `volumes` removes its anonymous volumes); not found is success.
    async fn remove_container(&self, id: &ContainerId, force: bool, volumes: bool) -> Result<()>;
    /// Renames a container.
    async fn rename_container(&self, id: &ContainerId, name: &str) -> Result<()>;
    /// Waits until a container does not run, without a deadline of its own; a lost connection is an error.
    async fn wait_container(&self, id: &ContainerId) -> Result<Exit>;
    /// Deletes the configs and secrets that were written to this machine's memory for a project's
    /// containers with a read-only root. To be called when the last of them is removed.
    async fn remove_files(&self, project: &ProjectName) -> Result<()> {
        let _ = project;
        Ok(())
    }

    /// A container's log. Ends when the log ends, or, with `follow`, when the container does.
    fn logs(&self, id: &ContainerId, options: LogOptions) -> BoxStream<'static, Result<LogLine>>;
    /// Runs a command in a container to its end, output captured up to 64 KiB a stream. At `timeout`, or
    /// when the future is dropped, the process in the container is killed as well as the engine allows.
    async fn exec(&self, id: &ContainerId, spec: &ExecSpec) -> Result<ExecOutcome>;
    /// Runs a command with the caller attached to it, with or without a terminal; `stdin` of the spec is
    /// sent first, its timeout is not kept. Dropping the session leaves the command running.
    async fn exec_attach(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<ExecSession> {
        let _ = (id, spec, tty);
        Err(unsupported("attach to a command"))
    }
    /// Starts a command that nobody is attached to.
    async fn exec_detached(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<()> {
        let _ = (id, spec, tty);
        Err(unsupported("start a command"))
    }
    /// Attaches the caller to a container's own process; before its start, so that nothing of its output
    /// is lost. Dropping the session leaves the container as it is.
    async fn attach_container(&self, id: &ContainerId, spec: &AttachSpec) -> Result<ExecSession> {
        let _ = (id, spec);
        Err(unsupported("attach to a container"))
    }
    /// What a path in a container is, links not followed; `None` where there is none.
    async fn stat_path(&self, id: &ContainerId, path: &str) -> Result<Option<PathStat>> {
        let _ = (id, path);
        Err(unsupported("look into a container"))
    }
    /// A path of a container as a tar, the path's last name before each entry.
    async fn read_archive(&self, id: &ContainerId, path: &str) -> Result<ByteStream> {
        let _ = (id, path);
        Err(unsupported("copy out of a container"))
    }
    /// Unpacks a tar in a folder of a container; with `owners` as the container's user. It has no deadline
    /// of its own: the tar comes as fast as its source gives it.
    async fn write_archive(
        &self,
        id: &ContainerId,
        folder: &str,
        owners: bool,
        tar: TarStream,
    ) -> Result<()> {
        let _ = (id, folder, owners, tar);
        Err(unsupported("copy into a container"))
    }
    /// A container's whole file system as a tar.
    async fn export(&self, id: &ContainerId) -> Result<ByteStream> {
        let _ = id;
        Err(unsupported("export a container"))
    }
    /// Makes an image of a container as it is now.
    async fn commit(&self, id: &ContainerId, spec: &CommitSpec) -> Result<ImageId> {
        let _ = (id, spec);
        Err(unsupported("commit a container"))
    }
    /// Events of a project's objects from now on; an error or the end of the stream means: observe again.
    async fn events(&self, project: Option<&ProjectName>) -> Result<BoxStream<'static, Result<EngineEvent>>>;

    /// Events of any objects, past and present, as asked for; the stream ends at `until` of the query, and
    /// where the engine ends it. Silence is no error.
    async fn object_events(&self, query: &EventQuery) -> Result<BoxStream<'static, Result<ObjectEvent>>> {
        let _ = query;
        Err(unsupported("watch the engine's events"))
    }
    /// A container's use of the machine, about every second while it runs. To be dropped where the
    /// container ends: of one that does not run the engine goes on to say that it uses nothing.
    fn stats(&self, id: &ContainerId) -> BoxStream<'static, Result<Usage>> {
        let _ = id;
        usage::unsupported("watch the resources of a container")
    }
    /// A container's use of the machine over a second; takes about two.
    async fn stats_once(&self, id: &ContainerId) -> Result<Usage> {
        let _ = id;
        Err(unsupported("read the resources of a container"))
    }
    /// The processes of a running container; `ps_args` are those of `ps` on the engine's machine, its
    /// own default where absent.
    async fn top(&self, id: &ContainerId, ps_args: Option<&str>) -> Result<Processes> {
        let _ = (id, ps_args);
        Err(unsupported("list the processes of a container"))
    }
    /// Whether the engine answers, within a second: how one that hangs is noticed.
    async fn ping(&self) -> Result<()> {
        self.info().await.map(drop)
    }

    /// One image by reference or id; `None` where the engine does not have it.
    async fn image(&self, reference: &str) -> Result<Option<Image>>;
    /// Asks, by way of the engine and without pulling, the registry of an image; that it answers is
    /// all that counts. The caller bounds the time.
    async fn ask_registry(&self, reference: &str) -> Result<()>;
    /// Pulls an image. Ends without an error when it is there.
    fn pull(&self, reference: &str, platform: Option<&str>) -> BoxStream<'static, Result<PullProgress>>;
    /// Pushes an image to the registry that its reference names. Ends without an error when that has it.
    fn push(&self, reference: &str) -> BoxStream<'static, Result<PullProgress>> {
        let error = unsupported(&format!("push {reference}"));
        futures_util::stream::iter([Err(error)]).boxed()
    }
    /// Builds an image; the last item of a good build is [`BuildProgress::Built`].
    fn build(&self, request: BuildRequest) -> BoxStream<'static, Result<BuildProgress>>;
    /// Imports a root file system (tar file) as an image; `changes` are Dockerfile instructions.
    async fn import_image(
        &self,
        tar: &std::path::Path,
        reference: &str,
        changes: &[String],
    ) -> Result<ImageId>;
    /// Loads images out of a tar that `docker save` wrote; returns their references or ids.
    async fn load_images(&self, tar: &std::path::Path) -> Result<Vec<String>> {
        let _ = tar;
        Err(unsupported("load images"))
    }
    /// Gives an image a further reference.
    async fn tag_image(&self, image: &ImageId, reference: &str) -> Result<()>;
    /// Removes an image reference; not found is success.
    async fn remove_image(&self, reference: &str) -> Result<()>;
    /// Removes an image that has no reference and that no container was made from; says whether it did.
    async fn remove_dangling(&self, image: &ImageId) -> Result<bool> {
        let _ = image;
        Err(unsupported("remove images without a name"))
    }
    /// Reads one small file (at most 64 KiB) out of an image; `None` where there is no such file.
    async fn read_image_file(&self, image: &ImageId, path: &str) -> Result<Option<Vec<u8>>>;
}

fn unsupported(operation: &str) -> EngineError {
    EngineError::new(
        operation,
        EngineErrorKind::Unsupported("this engine cannot do that".into()),
    )
}

/// A shared engine.
pub type SharedEngine = Arc<dyn Engine>;

/// What to look for when observing a project.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The project.
    pub project: Option<ProjectName>,
    /// Engine-side names of wanted networks.
    pub networks: Vec<String>,
    /// Engine-side names of wanted volumes.
    pub volumes: Vec<String>,
    /// Image references to look up.
    pub images: Vec<String>,
    /// Container names that must be free or ours.
    pub container_names: Vec<String>,
}

impl Wanted {
    /// What a project wants.
    pub fn of(project: &Project) -> Self {
        let mut images: Vec<String> = project
            .services
            .iter()
            .map(|(name, s)| s.image_reference(project.name.as_str(), name.as_str()))
            .collect();
        images.sort();
        images.dedup();
        Self {
            project: Some(project.name.clone()),
            networks: project.networks.values().map(|n| n.name.clone()).collect(),
            volumes: project.volumes.values().map(|v| v.name.clone()).collect(),
            images,
            container_names: project
                .services
                .iter()
                .flat_map(|(name, s)| {
                    (1..=s.replicas()).map(|n| crate::model::render::container_name(project, name, s, n))
                })
                .collect(),
        }
    }
}

/// What the engine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineInfo {
    /// `Docker Engine - Community`, `Podman Engine`, …
    pub name: String,
    /// Its version.
    pub version: String,
    /// The API version in use after negotiation.
    pub api_version: String,
    /// The engine's id (not unique: engines on one host may share it).
    pub id: String,
    /// `linux`, …
    pub os: String,
    /// `amd64`, …
    pub arch: String,
    /// Data root.
    pub root_dir: String,
    /// Storage driver.
    pub storage_driver: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// Cores.
    pub cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
    /// Whether BuildKit builds are possible.
    pub buildkit: bool,
    /// Whether without root.
    pub rootless: bool,
    /// The engine's wall clock, RFC 3339.
    pub system_time: String,
    /// What tells this engine from all others, whatever address it is reached at; `None` where the
    /// engine gives no lasting id.
    pub identity: Option<String>,
    /// Where it is reached (`unix:///var/run/docker.sock`).
    pub endpoint: String,
    /// How that was found (`DOCKER_HOST`, `context NAME`, `default socket`, …).
    pub endpoint_source: String,
}

/// What takes up room on the engine's disk, in bytes (Engine API, `SystemDataUsage`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// Layers of all images.
    pub images: u64,
    /// Images that no container uses.
    pub unused_images: u64,
    /// What containers wrote.
    pub containers: u64,
    /// What stopped containers wrote.
    pub stopped_containers: u64,
    /// Volumes.
    pub volumes: u64,
    /// Volumes that no container uses.
    pub unused_volumes: u64,
    /// The build cache that no build uses now.
    pub build_cache: u64,
}

/// One container in full (Engine API, `ContainerInspect`).
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// As in a list.
    pub container: Container,
    /// Its state again, with the exit code also where the list has none.
    pub state: ContainerState,
    /// RFC 3339 on the engine's clock; empty where it never started.
    pub started_at: String,
    /// RFC 3339 on the engine's clock; empty where it never ended.
    pub finished_at: String,
    /// The engine's message for a start that failed.
    pub error: String,
    /// How often the engine restarted it.
    pub restart_count: u64,
    /// Process id on the host, 0 where it does not run.
    pub pid: i64,
    /// Whether it has a terminal (its log is then not framed).
    pub tty: bool,
    /// The engine's own health verdict.
    pub health: Option<EngineHealth>,
}

/// A container to create.
#[derive(Debug, Clone)]
pub struct CreateContainer<'a> {
    /// The project.
    pub project: &'a Project,
    /// The service's name.
    pub service_name: &'a ServiceName,
    /// The service.
    pub service: &'a Service,
    /// The container's name; a temporary one in a replacement.
    pub name: String,
    /// Its number within the service, from 1.
    pub number: u32,
    /// The image to make it from.
    pub image: ImageId,
    /// Ids of the project's networks by key.
    pub networks: &'a BTreeMap<String, NetworkId>,
    /// Ids of running containers for `network_mode: service:`, `ipc`, `pid`, `volumes_from`: by service.
    pub containers: BTreeMap<ServiceName, ContainerId>,
    /// Labels beside the service's own (Compose's and ours), complete.
    pub labels: BTreeMap<String, String>,
    /// A container whose anonymous volumes are taken over.
    pub inherit_volumes_from: Option<ContainerId>,
    /// How `run` makes it; `None` for a container of the service.
    pub oneoff: Option<OneOff>,
}

/// What sets a container of `run` apart: no number and no restart policy. Ports are published as the
/// service has them, so that the caller clears them where they are not wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OneOff {
    /// Whether it answers to the service's names on its networks.
    pub use_aliases: bool,
    /// Whether the engine removes it, and its anonymous volumes, when it has ended.
    pub auto_remove: bool,
    /// Whether its standard input is the caller's, and ends when the caller leaves.
    pub stdin: bool,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The exit code; 128 + n for signal n.
    pub code: i64,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
}

/// What part of a log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on as lines are written.
    pub follow: bool,
    /// The last so many lines; all where absent.
    pub tail: Option<u64>,
    /// From here on: RFC 3339, seconds since 1970, as the engine takes them.
    pub since: Option<String>,
    /// Up to here.
    pub until: Option<String>,
}

/// Which stream a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output; all output of a container with a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written.
    pub stream: LogStream,
    /// When, RFC 3339 with nanoseconds, on the engine's clock.
    pub timestamp: String,
    /// The bytes, without the newline.
    pub bytes: Bytes,
    /// Whether a newline ended it (the last line of a dead container may have none).
    pub complete: bool,
    /// Whether it was cut because it was longer than 1 MiB.
    pub cut: bool,
}

/// Something that happened to an object of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEvent {
    /// The container.
    pub container: ContainerId,
    /// Its service, from the label.
    pub service: Option<ServiceName>,
    /// Its project, from the label.
    pub project: Option<ProjectName>,
    /// Its name.
    pub name: String,
    /// What happened.
    pub kind: EngineEventKind,
    /// The engine's time, nanoseconds since 1970.
    pub time: i64,
}

/// What happened (Engine API, event actions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEventKind {
    /// `create`
    Create,
    /// `start`
    Start,
    /// `die`, with the exit code.
    Die(i64),
    /// `stop`
    Stop,
    /// `kill`, with the signal.
    Kill(String),
    /// `oom`
    Oom,
    /// `destroy`
    Destroy,
    /// `rename`
    Rename,
    /// `pause`
    Pause,
    /// `unpause`
    Unpause,
    /// `health_status`
    Health(EngineHealth),
    /// Anything else, by the engine's word.
    Other(String),
}

/// Progress of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullProgress {
    /// The layer, or empty for the whole image.
    pub layer: String,
    /// The engine's word (`Downloading`, `Pull complete`).
    pub status: String,
    /// Bytes so far.
    pub current: u64,
    /// Bytes in all; 0 where unknown.
    pub total: u64,
}

/// An image to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The build as the stack has it (args, target, labels, network, …).
    pub build: Build,
    /// The context as a tar file on disk (may be gzip), `.dockerignore` applied, Dockerfile inside.
    pub context_tar: PathBuf,
    /// The Dockerfile's path within the context.
    pub dockerfile: String,
    /// References for the result.
    pub tags: Vec<String>,
    /// Secrets by id: content. BuildKit only.
    pub secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// Arguments that stay out of the image's history (proxy variables).
    pub hidden_args: BTreeMap<String, String>,
    /// Whether BuildKit is to be used.
    pub buildkit: bool,
    /// Whether no cache is used.
    pub no_cache: bool,
    /// Platform, `os/arch`.
    pub platform: Option<String>,
}

/// Progress of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildProgress {
    /// A step began (`[2/5] RUN …`).
    Step(String),
    /// A line that a step wrote.
    Output(String),
    /// The build is done.
    Built(ImageId),
}
