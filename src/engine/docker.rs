//! The real engine: bollard over our own transport, each call within its deadline.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use bollard::errors::Error as BollardError;
use futures_util::stream::BoxStream;

use super::api::Result;
use super::connect::{EngineEnv, Found, NotFound, find};
use super::convert::found;
use super::observe::belongs;
use super::raw::{Http, within};
use super::retry::asked;
use super::{
    AttachSpec, BuildProgress, BuildRequest, ByteStream, CommitSpec, CreateContainer, DiskUsage, Engine,
    EngineError, EngineErrorKind, EngineEvent, EngineInfo, EventQuery, ExecOutcome, ExecSession, ExecSpec,
    Exit, Inspected, LogLine, LogOptions, ObjectEvent, PathStat, Processes, PullProgress, TarStream, Wanted,
    files, sort,
};
use crate::base::{ContainerId, ImageId, NetworkId, ProjectName};
use crate::model::{Container, Image, NetworkSpec, Observed, Project, Usage, VolumeFound, VolumeSpec};

/// How long the engine may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// For a call that is answered at once.
    pub short: Duration,
    /// For a start; longer where several run at once.
    pub start: Duration,
    /// Beside the grace of a stop.
    pub stop: Duration,
    /// For a pull or load without a sign of progress.
    pub pull_idle: Duration,
    /// For a build without a line of output.
    pub build_idle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            short: Duration::from_secs(10),
            start: Duration::from_secs(60),
            stop: Duration::from_secs(10),
            pull_idle: Duration::from_secs(60),
            build_idle: Duration::from_secs(1800),
        }
    }
}

/// A container engine that speaks Docker's API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Docker {
    pub(super) http: Http,
    pub(super) client: bollard::Docker,
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) found: Found,
    pub(super) env: EngineEnv,
    pub(super) deadlines: Deadlines,
    /// Starts under way: the engine does them one after the other.
    pub(super) starting: AtomicUsize,
}

impl Docker {
    /// Finds the engine by the environment; talks to it only as far as finding it needs.
    ///
    /// # Errors
    /// All that was looked at, where no engine was found.
    pub async fn find(env: EngineEnv, deadlines: Deadlines) -> std::result::Result<Self, NotFound> {
        let found = find(&env).await?;
        Ok(Self::at(found, env, deadlines))
    }

    /// The engine at a known place.
    pub fn at(found: Found, env: EngineEnv, deadlines: Deadlines) -> Self {
        let http = Http::new(found.endpoint.clone());
        let client = http.bollard();
        Self {
            http,
            client,
            shared: Arc::new(Shared {
                found,
                env,
                deadlines,
                starting: AtomicUsize::new(0),
            }),
        }
    }

    /// How the engine was found.
    pub fn found(&self) -> &Found {
        &self.shared.found
    }

    /// The deadline of a call that is answered at once.
    pub(super) fn short(&self) -> Duration {
        self.shared.deadlines.short
    }

    /// A call through bollard, body included, within the short deadline.
    pub(super) async fn ask<T>(
        &self,
        operation: &str,
        call: impl Future<Output = std::result::Result<T, BollardError>>,
    ) -> Result<T> {
        self.ask_within(operation, self.short(), call).await
    }

    /// A call through bollard, body included, within a deadline.
    pub(super) async fn ask_within<T>(
        &self,
        operation: &str,
        deadline: Duration,
        call: impl Future<Output = std::result::Result<T, BollardError>>,
    ) -> Result<T> {
        within(operation, deadline, async {
            call.await
                .map_err(|e| EngineError::new(operation, sort::bollard(&e)))
        })
        .await
    }

    pub(super) async fn read_info(&self) -> Result<EngineInfo> {
        let (version, info) = futures_util::try_join!(
            self.ask("ask the engine's version", self.client.version()),
            self.ask("ask the engine about itself", self.client.info()),
        )?;
        let ping = self
            .http
            .ping()
            .await
            .map_err(|e| EngineError::new("ping the engine", sort::send_error(&e)))?;
        let info = found::info(version, info);
        Ok(EngineInfo {
            identity: identity(&info, ping.podman),
            api_version: format!("{}.{}", ping.api.0, ping.api.1),
            buildkit: ping.can_buildkit(),
            endpoint: self.shared.found.endpoint.to_string(),
            endpoint_source: self.shared.found.source.clone(),
            ..info
        })
    }
}

/// The engine's id with its data root, since engines on one host share the id
/// (`/etc/docker/key.json`). Podman makes up another one for each answer.
fn identity(info: &EngineInfo, podman: bool) -> Option<String> {
    (!podman && !info.id.is_empty()).then(|| format!("{} {}", info.id, info.root_dir))
}

/// Whether an error says "it already is so" or "it already is gone".
pub(super) fn excused(result: Result<()>, excuse: fn(&EngineErrorKind) -> bool) -> Result<()> {
    match result {
        Err(error) if excuse(&error.kind) => Ok(()),
        other => other,
    }
}

#[async_trait]
impl Engine for Docker {
    async fn info(&self) -> Result<EngineInfo> {
        asked(|| self.read_info()).await
    }

    async fn observe(&self, wanted: &Wanted) -> Result<Observed> {
        asked(|| self.observe_project(wanted)).await
    }

    async fn list_projects(&self) -> Result<Vec<Container>> {
        asked(|| self.containers_of(None)).await
    }

    async fn list_containers(&self, project: Option<&ProjectName>) -> Result<Vec<Container>> {
        match project {
            Some(project) => asked(|| self.containers_of(Some(project.as_str()))).await,
            None => asked(|| self.all_containers()).await,
        }
    }

    async fn list_volumes(&self, project: &ProjectName) -> Result<Vec<VolumeFound>> {
        asked(|| self.volumes(|volume| belongs(&volume.labels, Some(project.as_str())))).await
    }

    async fn ask_registry(&self, reference: &str) -> Result<()> {
        self.ask_the_registry(reference).await
    }

    async fn disk_usage(&self) -> Result<DiskUsage> {
        self.read_disk_usage().await
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Inspected> {
        asked(|| self.inspect_one(id)).await
    }

    async fn create_network(
        &self,
        project: &Project,
        key: &str,
        spec: &NetworkSpec,
        run: &str,
    ) -> Result<NetworkId> {
        self.make_network(project, key, spec, run).await
    }

    async fn remove_network(&self, id: &NetworkId) -> Result<()> {
        self.delete_network(id).await
    }

    async fn network_members(&self, id: &NetworkId) -> Result<Vec<String>> {
        self.members(id).await
    }

    async fn create_volume(&self, project: &Project, key: &str, spec: &VolumeSpec, run: &str) -> Result<()> {
        self.make_volume(project, key, spec, run).await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        self.delete_volume(name).await
    }

    async fn create_container(&self, request: &CreateContainer<'_>) -> Result<ContainerId> {
        self.make_container(request).await
    }

    async fn start_container(&self, id: &ContainerId) -> Result<()> {
        self.start(id).await
    }

    async fn stop_container(&self, id: &ContainerId, signal: Option<&str>, grace: Duration) -> Result<()> {
        self.stop(id, signal, grace).await
    }

    async fn pause_container(&self, id: &ContainerId) -> Result<()> {
        self.freeze(id, true).await
    }

    async fn unpause_container(&self, id: &ContainerId) -> Result<()> {
        self.freeze(id, false).await
    }

    async fn kill_container(&self, id: &ContainerId, signal: &str) -> Result<()> {
        self.kill(id, signal).await
    }

    async fn remove_container(&self, id: &ContainerId, force: bool, volumes: bool) -> Result<()> {
        self.delete_container(id, force, volumes).await
    }

    async fn rename_container(&self, id: &ContainerId, name: &str) -> Result<()> {
        self.rename(id, name).await
    }

    async fn wait_container(&self, id: &ContainerId) -> Result<Exit> {
        self.wait(id).await
    }

    async fn remove_files(&self, project: &ProjectName) -> Result<()> {
        files::remove(&self.shared.env, project)
    }

    fn logs(&self, id: &ContainerId, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        self.read_log(id, options)
    }

    async fn exec(&self, id: &ContainerId, spec: &ExecSpec) -> Result<ExecOutcome> {
        self.run_exec(id, spec).await
    }

    async fn exec_attach(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<ExecSession> {
        self.attach_exec(id, spec, tty).await
    }

    async fn exec_detached(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<()> {
        self.detach_exec(id, spec, tty).await
    }

    async fn attach_container(&self, id: &ContainerId, spec: &AttachSpec) -> Result<ExecSession> {
        self.attach_process(id, spec).await
    }

    async fn stat_path(&self, id: &ContainerId, path: &str) -> Result<Option<PathStat>> {
        asked(|| self.path_stat(id, path)).await
    }

    async fn read_archive(&self, id: &ContainerId, path: &str) -> Result<ByteStream> {
        self.open_archive(id, path).await
    }

    async fn write_archive(
        &self,
        id: &ContainerId,
        folder: &str,
        owners: bool,
        tar: TarStream,
    ) -> Result<()> {
        self.unpack_archive(id, folder, owners, tar).await
    }

    async fn export(&self, id: &ContainerId) -> Result<ByteStream> {
        self.open_export(id).await
    }

    async fn commit(&self, id: &ContainerId, spec: &CommitSpec) -> Result<ImageId> {
        self.commit_container(id, spec).await
    }

    async fn events(&self, project: Option<&ProjectName>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        self.watch(project).await
    }

    async fn object_events(&self, query: &EventQuery) -> Result<BoxStream<'static, Result<ObjectEvent>>> {
        self.watch_objects(query).await
    }

    fn stats(&self, id: &ContainerId) -> BoxStream<'static, Result<Usage>> {
        self.stream_stats(id)
    }

    async fn stats_once(&self, id: &ContainerId) -> Result<Usage> {
        self.read_stats(id).await
    }

    async fn top(&self, id: &ContainerId, ps_args: Option<&str>) -> Result<Processes> {
        self.read_processes(id, ps_args).await
    }

    async fn ping(&self) -> Result<()> {
        self.answers().await
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        asked(|| self.inspect_image(reference)).await
    }

    fn pull(&self, reference: &str, platform: Option<&str>) -> BoxStream<'static, Result<PullProgress>> {
        self.pull_image(reference, platform)
    }

    fn push(&self, reference: &str) -> BoxStream<'static, Result<PullProgress>> {
        self.push_image(reference)
    }

    fn build(&self, request: BuildRequest) -> BoxStream<'static, Result<BuildProgress>> {
        self.build_image(request)
    }

    async fn import_image(&self, tar: &Path, reference: &str, changes: &[String]) -> Result<ImageId> {
        self.import(tar, reference, changes).await
    }

    async fn load_images(&self, tar: &Path) -> Result<Vec<String>> {
        self.load(tar).await
    }

    async fn tag_image(&self, image: &ImageId, reference: &str) -> Result<()> {
        self.tag(image, reference).await
    }

    async fn remove_image(&self, reference: &str) -> Result<()> {
        self.delete_image(reference).await
    }

    async fn remove_dangling(&self, image: &ImageId) -> Result<bool> {
        self.delete_dangling(image).await
    }

    async fn read_image_file(&self, image: &ImageId, path: &str) -> Result<Option<Vec<u8>>> {
        self.image_file(image, path).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_told_from_others_by_id_and_data_root() {
        let of = |id: &str, root: &str, podman| {
            let info = EngineInfo {
                id: id.into(),
                root_dir: root.into(),
                ..EngineInfo::default()
            };
            identity(&info, podman)
        };
        let first = of("GB5N:CVMB", "/var/lib/docker", false);
        assert!(first.is_some());
        assert_ne!(
            first,
            of("GB5N:CVMB", "/tmp/private/data", false),
            "one host, one id"
        );
        assert_eq!(of("", "/var/lib/docker", false), None);
        assert_eq!(of("b7f1c6ae", "/var/lib/containers/storage", true), None);
    }
}
