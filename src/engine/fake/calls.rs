//! The calls of the engine in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::FakeEngine;
use super::gone;
use super::state::{Failure, Op, State, timestamp};
use crate::base::{ContainerId, ImageId, NetworkId, ProjectName};
use crate::engine::api::Result;
use crate::engine::{
    BuildProgress, BuildRequest, CreateContainer, DiskUsage, Engine, EngineError, EngineErrorKind,
    EngineEvent, EngineEventKind, EngineInfo, EventQuery, ExecControl, ExecOutcome, ExecSession, ExecSpec,
    Exit, Inspected, LogLine, LogOptions, LogStream, ObjectEvent, Processes, PullProgress, Wanted,
};
use crate::model::{
    Container, ContainerState, Image, NetworkSpec, Observed, Project, Usage, VolumeFound, VolumeSpec, labels,
};

pub(super) type Kind = EngineErrorKind;

impl FakeEngine {
    /// A call: counted, made to fail where asked, its events published.
    pub(super) async fn call<T>(
        &self,
        op: Op,
        words: &str,
        work: impl FnOnce(&mut State) -> std::result::Result<(T, Vec<EngineEvent>), Kind>,
    ) -> Result<T> {
        // Lets others go on, as a call over a socket would.
        tokio::task::yield_now().await;
        let fail = |kind| EngineError::new(words, kind);
        let (failure, down) = {
            let mut state = self.state();
            let failure = state.called(op);
            (failure, state.down)
        };
        if down {
            return Err(fail(gone()));
        }
        match &failure {
            Some(Failure::Refused(kind)) => return Err(fail(kind.clone())),
            Some(Failure::Hangs) => std::future::pending::<()>().await,
            _ => {}
        }
        let (value, events) = {
            let mut state = self.state();
            let done = work(&mut state).map_err(fail)?;
            let changes = !matches!(
                op,
                Op::Info
                    | Op::Observe
                    | Op::Inspect
                    | Op::WaitContainer
                    | Op::Exec
                    | Op::Image
                    | Op::Ping
                    | Op::Events
                    | Op::Stats
                    | Op::Top
            );
            if changes {
                state.changes.push(words.to_owned());
            }
            done
        };
        self.publish(events);
        match failure {
            Some(Failure::AnswerLost) => Err(fail(Kind::OutcomeUnknown("the answer was lost".into()))),
            _ => Ok(value),
        }
    }

    fn name_of(&self, id: &ContainerId) -> String {
        self.state()
            .containers
            .get(id.as_str())
            .map_or_else(|| id.short().to_owned(), |c| c.container.name.clone())
    }

    /// Waits until `look` finds something.
    pub(super) async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.state()) {
                return found;
            }
            changed.await;
        }
    }
}

fn observed(state: &State, wanted: &Wanted) -> Observed {
    let ours = |all: &BTreeMap<String, String>| match (&wanted.project, all.get(labels::PROJECT)) {
        (Some(project), Some(label)) => project.as_str() == label,
        _ => false,
    };
    let mut containers: Vec<Container> = Vec::new();
    let mut foreign_names = BTreeMap::new();
    for fake in state.containers.values() {
        let container = &fake.container;
        if ours(&container.labels) {
            containers.push(container.clone());
        } else if wanted.container_names.contains(&container.name) {
            foreign_names.insert(container.name.clone(), container.id.clone());
        }
    }
    containers.sort_by(|a, b| (&a.service, a.number, &a.name).cmp(&(&b.service, b.number, &b.name)));
    Observed {
        containers,
        networks: state
            .networks
            .iter()
            .filter(|n| ours(&n.labels) || wanted.networks.contains(&n.name))
            .cloned()
            .collect(),
        volumes: state
            .volumes
            .values()
            .filter(|v| ours(&v.labels) || wanted.volumes.contains(&v.name))
            .cloned()
            .collect(),
        images: wanted
            .images
            .iter()
            .filter_map(|r| Some((r.clone(), state.image(r)?.clone())))
            .collect(),
        foreign_names,
    }
}

#[async_trait]
impl Engine for FakeEngine {
    async fn info(&self) -> Result<EngineInfo> {
        self.call(Op::Info, "ask the engine about itself", |_| {
            let info = EngineInfo {
                name: "Fake".into(),
                version: "20.10".into(),
                api_version: "1.41".into(),
                id: "fake".into(),
                os: "linux".into(),
                arch: "amd64".into(),
                cpus: 2,
                memory: 1 << 32,
                buildkit: true,
                endpoint: "memory".into(),
                endpoint_source: "test".into(),
                ..EngineInfo::default()
            };
            Ok((info, Vec::new()))
        })
        .await
    }

    async fn observe(&self, wanted: &Wanted) -> Result<Observed> {
        self.call(Op::Observe, "observe", |state| {
            Ok((observed(state, wanted), Vec::new()))
        })
        .await
    }

    async fn list_projects(&self) -> Result<Vec<Container>> {
        self.call(Op::Observe, "list containers", |state| {
            let all = state.containers.values().map(|c| c.container.clone());
            let all = all.filter(|c| c.labels.contains_key(labels::PROJECT)).collect();
            Ok((all, Vec::new()))
        })
        .await
    }

    async fn list_containers(&self, project: Option<&ProjectName>) -> Result<Vec<Container>> {
        self.call(Op::Observe, "list containers", |state| {
            let all = state.containers.values().map(|c| c.container.clone());
            let of = |c: &Container| match project {
                None => true,
                Some(p) => c.labels.get(labels::PROJECT).map(String::as_str) == Some(p.as_str()),
            };
            Ok((all.filter(of).collect(), Vec::new()))
        })
        .await
    }

    async fn ask_registry(&self, _: &str) -> Result<()> {
        Ok(())
    }

    async fn disk_usage(&self) -> Result<DiskUsage> {
        self.call(Op::Info, "ask for the disk usage", |_| {
            Ok((DiskUsage::default(), Vec::new()))
        })
        .await
    }

    async fn inspect(&self, id: &ContainerId) -> Result<Inspected> {
        self.call(Op::Inspect, "inspect container", |state| {
            let fake = state.get(id)?;
            let container = fake.container.clone();
            let ran = fake.starts > 0 || !matches!(container.state, ContainerState::Created);
            let inspected = Inspected {
                state: container.state.clone(),
                started_at: if ran {
                    timestamp(container.created)
                } else {
                    String::new()
                },
                finished_at: match container.state {
                    ContainerState::Exited { .. } => timestamp(container.created + 1),
                    _ => String::new(),
                },
                error: String::new(),
                restart_count: fake.starts.saturating_sub(1),
                pid: i64::from(container.state.is_running()),
                tty: fake.tty,
                health: container.health,
                container,
            };
            Ok((inspected, Vec::new()))
        })
        .await
    }

    async fn create_network(
        &self,
        project: &Project,
        key: &str,
        spec: &NetworkSpec,
        run: &str,
    ) -> Result<NetworkId> {
        self.call(
            Op::CreateNetwork,
            &format!("create network {}", spec.name),
            |state| {
                let mut all: BTreeMap<String, String> = spec.labels.clone().into_iter().collect();
                all.insert(labels::PROJECT.into(), project.name.to_string());
                all.insert(labels::NETWORK.into(), key.into());
                all.insert(labels::RUN.into(), run.into());
                let text = serde_json::to_string(spec).map_err(|e| Kind::Protocol(e.to_string()))?;
                all.insert(labels::SPEC.into(), text);
                let driver = spec.driver.as_deref().unwrap_or("bridge");
                Ok((state.create_network(&spec.name, driver, all), Vec::new()))
            },
        )
        .await
    }

    async fn remove_network(&self, id: &NetworkId) -> Result<()> {
        let name = self
            .networks()
            .into_iter()
            .find(|n| n.id == *id)
            .map_or_else(|| id.short().to_owned(), |n| n.name);
        self.call(Op::RemoveNetwork, &format!("remove network {name}"), |state| {
            if !state.members(id).is_empty() {
                return Err(Kind::Conflict(format!("network {name} has active endpoints")));
            }
            state.networks.retain(|n| n.id != *id);
            Ok(((), Vec::new()))
        })
        .await
    }

    async fn network_members(&self, id: &NetworkId) -> Result<Vec<String>> {
        self.call(Op::Inspect, "inspect network", |state| {
            Ok((state.members(id), Vec::new()))
        })
        .await
    }

    async fn create_volume(&self, project: &Project, key: &str, spec: &VolumeSpec, run: &str) -> Result<()> {
        self.call(
            Op::CreateVolume,
            &format!("create volume {}", spec.name),
            |state| {
                let mut all: BTreeMap<String, String> = spec.labels.clone().into_iter().collect();
                all.insert(labels::PROJECT.into(), project.name.to_string());
                all.insert(labels::VOLUME.into(), key.into());
                all.insert(labels::RUN.into(), run.into());
                state.volumes.entry(spec.name.clone()).or_insert(VolumeFound {
                    name: spec.name.clone(),
                    driver: spec.driver.clone().unwrap_or_else(|| "local".into()),
                    labels: all,
                    ..VolumeFound::default()
                });
                Ok(((), Vec::new()))
            },
        )
        .await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        self.call(Op::RemoveVolume, &format!("remove volume {name}"), |state| {
            if let Some(user) = state.containers.values().find(|c| c.volumes.contains(name)) {
                return Err(Kind::Conflict(format!(
                    "remove {name}: volume is in use - [{}]",
                    user.container.id
                )));
            }
            state.volumes.remove(name);
            Ok(((), Vec::new()))
        })
        .await
    }

    async fn create_container(&self, request: &CreateContainer<'_>) -> Result<ContainerId> {
        self.call(
            Op::CreateContainer,
            &format!("create container {}", request.name),
            |state| {
                let there = state.id_by_name(&request.name).and_then(|id| {
                    let theirs = state.containers.get(&id)?.container.labels.get(labels::RUN)?;
                    (request.labels.get(labels::RUN) == Some(theirs)).then_some(id)
                });
                match there {
                    Some(id) => Ok((ContainerId::from(id), Vec::new())),
                    None => state.create_container(request),
                }
            },
        )
        .await
    }

    async fn start_container(&self, id: &ContainerId) -> Result<()> {
        let words = format!("start container {}", self.name_of(id));
        self.call(Op::StartContainer, &words, |state| Ok(((), state.start(id)?)))
            .await
    }

    async fn stop_container(&self, id: &ContainerId, _signal: Option<&str>, _grace: Duration) -> Result<()> {
        let words = format!("stop container {}", self.name_of(id));
        self.call(Op::StopContainer, &words, |state| Ok(((), state.stop(id)?)))
            .await
    }

    async fn pause_container(&self, id: &ContainerId) -> Result<()> {
        let words = format!("pause container {}", self.name_of(id));
        self.call(Op::PauseContainer, &words, |state| {
            state.freeze(id, ContainerState::Running, ContainerState::Paused)
        })
        .await
    }

    async fn unpause_container(&self, id: &ContainerId) -> Result<()> {
        let words = format!("unpause container {}", self.name_of(id));
        self.call(Op::PauseContainer, &words, |state| {
            state.freeze(id, ContainerState::Paused, ContainerState::Running)
        })
        .await
    }

    async fn kill_container(&self, id: &ContainerId, signal: &str) -> Result<()> {
        let words = format!("send {signal} to container {}", self.name_of(id));
        self.call(Op::KillContainer, &words, |state| {
            if !state.get(id)?.container.state.is_running() {
                return Err(Kind::Conflict(format!("Container {id} is not running")));
            }
            let mut events = state.event(id.as_str(), EngineEventKind::Kill(signal.to_owned()));
            if matches!(signal, "SIGKILL" | "KILL" | "9") {
                let state_then = ContainerState::Exited {
                    code: 137,
                    oom_killed: false,
                };
                events.extend(state.end(id.as_str(), state_then));
            }
            Ok(((), events))
        })
        .await
    }

    async fn remove_container(&self, id: &ContainerId, force: bool, _volumes: bool) -> Result<()> {
        let words = format!("remove container {}", self.name_of(id));
        self.call(Op::RemoveContainer, &words, |state| {
            let Ok(fake) = state.get(id) else {
                return Ok(((), Vec::new()));
            };
            if fake.container.state.is_running() && !force {
                return Err(Kind::Conflict(format!(
                    "You cannot remove a running container {id}. Stop the container before attempting removal"
                )));
            }
            let killed = ContainerState::Exited {
                code: 137,
                oom_killed: false,
            };
            let mut events = state.end(id.as_str(), killed);
            events.extend(state.event(id.as_str(), EngineEventKind::Destroy));
            state.containers.remove(id.as_str());
            Ok(((), events))
        })
        .await
    }

    async fn rename_container(&self, id: &ContainerId, name: &str) -> Result<()> {
        let words = format!("rename container {} to {name}", self.name_of(id));
        self.call(Op::RenameContainer, &words, |state| {
            if state.id_by_name(name).is_some_and(|other| other != id.as_str()) {
                return Err(Kind::Conflict(format!("The name {name:?} is already in use")));
            }
            name.clone_into(&mut state.get(id)?.container.name);
            let events = state.event(id.as_str(), EngineEventKind::Rename);
            Ok(((), events))
        })
        .await
    }

    async fn wait_container(&self, id: &ContainerId) -> Result<Exit> {
        self.call(Op::WaitContainer, "wait for container", |state| {
            state.get(id).map(|_| ((), Vec::new()))
        })
        .await?;
        let outcome = self
            .until(|state| {
                if state.down {
                    return Some(Err(Kind::OutcomeUnknown("connection lost".into())));
                }
                match state.get(id) {
                    Err(kind) => Some(Err(kind)),
                    Ok(fake) => match fake.container.state {
                        ContainerState::Exited { code, oom_killed } => Some(Ok(Exit { code, oom_killed })),
                        ContainerState::Created => Some(Ok(Exit {
                            code: 0,
                            oom_killed: false,
                        })),
                        _ => None,
                    },
                }
            })
            .await;
        outcome.map_err(|kind| EngineError::new("wait for container", kind))
    }

    async fn remove_files(&self, _project: &ProjectName) -> Result<()> {
        Ok(())
    }

    fn logs(&self, id: &ContainerId, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        self.read_log(id, options)
    }

    async fn exec(&self, id: &ContainerId, _spec: &ExecSpec) -> Result<ExecOutcome> {
        let words = format!("run a command in {}", self.name_of(id));
        self.call(Op::Exec, &words, |state| Ok((state.exec(id)?, Vec::new())))
            .await
    }

    async fn exec_attach(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<ExecSession> {
        struct Ended(i64);
        #[async_trait]
        impl ExecControl for Ended {
            async fn resize(&self, _columns: u16, _rows: u16) -> Result<()> {
                Ok(())
            }
            async fn exit_code(&self) -> Result<i64> {
                Ok(self.0)
            }
        }
        let outcome = self.exec(id, spec).await?;
        let stderr = if tty { LogStream::Stdout } else { LogStream::Stderr };
        let written = [(LogStream::Stdout, outcome.stdout), (stderr, outcome.stderr)];
        let output = written
            .into_iter()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(stream, bytes)| Ok((stream, Bytes::from(bytes))));
        Ok(ExecSession {
            input: Box::pin(tokio::io::sink()),
            output: stream::iter(output.collect::<Vec<_>>()).boxed(),
            control: Arc::new(Ended(outcome.code)),
        })
    }

    async fn events(&self, project: Option<&ProjectName>) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        Ok(self.watch(project))
    }

    async fn object_events(&self, query: &EventQuery) -> Result<BoxStream<'static, Result<ObjectEvent>>> {
        self.watch_objects(query).await
    }

    fn stats(&self, id: &ContainerId) -> BoxStream<'static, Result<Usage>> {
        self.stream_stats(id)
    }

    async fn stats_once(&self, id: &ContainerId) -> Result<Usage> {
        self.call(Op::Stats, "read the resources of a container", |state| {
            Ok((state.get(id)?.resource_use, Vec::new()))
        })
        .await
    }

    async fn top(&self, id: &ContainerId, _ps_args: Option<&str>) -> Result<Processes> {
        self.call(Op::Top, "list the processes of a container", |state| {
            let container = &state.get(id)?.container;
            if !container.state.is_running() {
                return Err(Kind::Conflict(format!("Container {id} is not running")));
            }
            let processes = Processes {
                titles: vec!["PID".into(), "CMD".into()],
                rows: vec![vec!["1".into(), container.command.clone()]],
            };
            Ok((processes, Vec::new()))
        })
        .await
    }

    async fn ping(&self) -> Result<()> {
        const DEADLINE: Duration = Duration::from_secs(1);
        let asked = self.call(Op::Ping, "ping the engine", |_| Ok(((), Vec::new())));
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(EngineError::new("ping the engine", Kind::TimedOut(DEADLINE))),
        }
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        self.call(Op::Image, "inspect image", |state| {
            Ok((state.image(reference).cloned(), Vec::new()))
        })
        .await
    }

    fn pull(&self, reference: &str, _platform: Option<&str>) -> BoxStream<'static, Result<PullProgress>> {
        self.pull_image(reference.to_owned())
    }

    fn build(&self, request: BuildRequest) -> BoxStream<'static, Result<BuildProgress>> {
        self.build_image(request)
    }

    async fn import_image(&self, _tar: &Path, reference: &str, changes: &[String]) -> Result<ImageId> {
        self.call(Op::Import, &format!("import image {reference}"), |state| {
            let labels = changes
                .iter()
                .filter_map(|c| c.strip_prefix("LABEL "))
                .filter_map(|c| c.split_once('='))
                .map(|(k, v)| (k.trim_matches('"').to_owned(), v.trim_matches('"').to_owned()))
                .collect();
            let image = Image {
                labels,
                ..Image::default()
            };
            Ok((state.add_image(reference, image), Vec::new()))
        })
        .await
    }

    async fn load_images(&self, tar: &Path) -> Result<Vec<String>> {
        let name = tar.file_stem().map(|s| s.to_string_lossy().into_owned());
        self.call(Op::Import, "load images", |state| {
            let name = name.unwrap_or_default();
            state.add_image(&name, Image::default());
            Ok((vec![name], Vec::new()))
        })
        .await
    }

    async fn tag_image(&self, image: &ImageId, reference: &str) -> Result<()> {
        self.call(Op::TagImage, &format!("tag image {reference}"), |state| {
            let found = state
                .image(image.as_str())
                .cloned()
                .ok_or_else(|| Kind::NotFound(format!("No such image: {image}")))?;
            state.add_image(reference, found);
            Ok(((), Vec::new()))
        })
        .await
    }

    async fn remove_image(&self, reference: &str) -> Result<()> {
        self.call(Op::RemoveImage, &format!("remove image {reference}"), |state| {
            state.images.remove(reference);
            Ok(((), Vec::new()))
        })
        .await
    }

    async fn read_image_file(&self, image: &ImageId, path: &str) -> Result<Option<Vec<u8>>> {
        self.call(Op::Image, "read a file of an image", |state| {
            let key = (image.to_string(), path.to_owned());
            Ok((state.files.get(&key).cloned(), Vec::new()))
        })
        .await
    }
}
