//! Containers: made once however often an answer gets lost, started, stopped, removed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bollard::models;
use bollard::query_parameters::{
    DownloadFromContainerOptions, InspectContainerOptions, KillContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, RenameContainerOptions, StartContainerOptions,
    WaitContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::Method;
use serde_json::Value;

use super::api::Result;
use super::convert::container::{self, Prepared, whole_seconds};
use super::convert::found::{self, PARTIAL};
use super::docker::{Docker, excused};
use super::files;
use super::raw::{Call, full};
use super::{CreateContainer, EngineError, EngineErrorKind, Exit, sort};
use crate::base::ContainerId;
use crate::model::labels;

/// The exit code of a process that SIGKILL ended (Engine API, `State.ExitCode`).
const KILLED: i64 = 137;
/// An answer that hangs looks like a container that lasts: so often it is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_secs(5);
/// How long the engine may take to hear that the kernel killed a container for memory.
const OOM_NEWS: std::time::Duration = std::time::Duration::from_millis(100);

#[derive(serde::Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

impl Docker {
    /// Creates a container with its files in it and its networks connected.
    ///
    /// Where that takes more than one call, it bears a name that marks it as half-made until the
    /// last one is done, so that nobody starts it when we die in between.
    pub(super) async fn make_container(&self, request: &CreateContainer<'_>) -> Result<ContainerId> {
        let operation = format!("create container {}", request.name);
        let files = files::plan(request)?;
        let mut prepared = self.prepare(request, &operation).await?;
        prepared.files = files.binds;
        prepared.files.extend(files::materialise(
            &self.shared.env,
            self.http.endpoint(),
            request,
            &files.materialised,
        )?);
        let container::CreateBody { body, connect } = container::create_container(request, &prepared);
        if files.copies.is_empty() && connect.is_empty() {
            return self.create(request, &request.name, &body, &operation).await;
        }
        let partial = format!("{}{PARTIAL}", request.name);
        let id = self.create(request, &partial, &body, &operation).await?;
        let finished = async {
            for (network, endpoint) in &connect {
                self.connect(&id, network, endpoint).await?;
            }
            if !files.copies.is_empty() {
                let tar = files::archive(&files.copies)
                    .map_err(|e| EngineError::new(&operation, EngineErrorKind::Protocol(e.to_string())))?;
                self.upload(&id, "/", tar).await?;
            }
            self.rename(&id, &request.name).await
        };
        match finished.await {
            Ok(()) => Ok(id),
            Err(error) => {
                let _ = self.delete_container(&id, true, true).await;
                Err(error)
            }
        }
    }

    /// Looks up what a create body depends on.
    async fn prepare(&self, request: &CreateContainer<'_>, operation: &str) -> Result<Prepared> {
        let reference = request
            .service
            .image_reference(request.project.name.as_str(), request.service_name.as_str());
        let (image, inherited) = futures_util::try_join!(
            // The reference reads better in every list of containers; the id is what is meant.
            self.image_answer(&reference),
            self.anonymous_volumes(request),
        )?;
        let image = image.filter(|i| i.id.as_deref() == Some(request.image.as_str()));
        let same = image.is_some();
        let inherited = self.still_wanted(request, inherited, image).await?;
        let api = self
            .http
            .ping()
            .await
            .map_err(|e| EngineError::new(operation, sort::send_error(&e)))?
            .api;
        Ok(Prepared {
            image: if same {
                reference
            } else {
                request.image.to_string()
            },
            api,
            files: Vec::new(),
            inherited,
            security_opt: security_options(&request.service.security_opt)
                .map_err(|why| EngineError::new(operation, EngineErrorKind::Unsupported(why)))?,
        })
    }

    /// Of the volumes to take over, those whose place still is an anonymous volume: of the service,
    /// or declared by the image.
    async fn still_wanted(
        &self,
        request: &CreateContainer<'_>,
        volumes: BTreeMap<String, String>,
        image: Option<models::ImageInspect>,
    ) -> Result<BTreeMap<String, String>> {
        if volumes.is_empty() {
            return Ok(volumes);
        }
        let image = match image {
            Some(image) => Some(image),
            None => self.image_answer(request.image.as_str()).await?,
        };
        let declared = image
            .and_then(|i| i.config)
            .and_then(|c| c.volumes)
            .unwrap_or_default();
        let anonymous = |target: &String| {
            request.service.volumes.iter().any(|m| {
                m.target == *target && matches!(m.kind, crate::model::MountKind::Volume { source: None, .. })
            })
        };
        Ok(volumes
            .into_iter()
            .filter(|(target, _)| declared.contains(target) || anonymous(target))
            .collect())
    }

    /// The anonymous volumes of a replaced container that its successor takes over, by target.
    async fn anonymous_volumes(&self, request: &CreateContainer<'_>) -> Result<BTreeMap<String, String>> {
        let Some(from) = &request.inherit_volumes_from else {
            return Ok(BTreeMap::new());
        };
        let asked = self
            .ask(
                &format!("inspect container {}", from.short()),
                self.client
                    .inspect_container(from.as_str(), None::<InspectContainerOptions>),
            )
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let anonymous = |name: &str| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        Ok(answer
            .mounts
            .unwrap_or_default()
            .into_iter()
            .filter_map(|m| Some((m.destination?, m.name.filter(|n| anonymous(n))?)))
            .collect())
    }

    /// Creates a container under a name; one that our own run made under it is that one.
    async fn create(
        &self,
        request: &CreateContainer<'_>,
        name: &str,
        body: &Value,
        operation: &str,
    ) -> Result<ContainerId> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut call = Call::new(operation, Method::POST, "/containers/create")
                .query("name", name)
                .json(body);
            if let Some(platform) = &request.service.platform {
                call = call.query("platform", platform);
            }
            let error = match self
                .http
                .fetch::<Created>(call, self.shared.deadlines.start)
                .await
            {
                Ok(created) => return Ok(ContainerId::from(created.id)),
                Err(error) => error,
            };
            let lost = error.is_engine_lost();
            if !lost && !matches!(error.kind, EngineErrorKind::Conflict(_)) {
                return Err(error);
            }
            // The engine may have done it and its answer been lost, now or on the last try.
            let there = match self.by_name(name).await {
                Ok(there) => there,
                Err(_) => return Err(error),
            };
            match there {
                Some(container) => {
                    let is = |key| container.labels.get(key) == request.labels.get(key);
                    if is(labels::PROJECT) && is(labels::RUN) && request.labels.contains_key(labels::RUN) {
                        return Ok(container.id);
                    }
                    // What an earlier run left half-made is in the way, and of no use.
                    let leftover = name.ends_with(PARTIAL) && is(labels::PROJECT);
                    if !leftover || tries > 2 {
                        return Err(error);
                    }
                    self.delete_container(&container.id, true, true).await?;
                }
                None if tries > 1 => return Err(error),
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn connect(&self, id: &ContainerId, network: &str, endpoint: &Value) -> Result<()> {
        let body = serde_json::json!({"Container": id, "EndpointConfig": endpoint});
        let call = Call::new(
            format!("connect container {} to its networks", id.short()),
            Method::POST,
            format!("/networks/{network}/connect"),
        )
        .json(&body);
        match self.http.read(call, self.short()).await {
            Ok(_) => Ok(()),
            Err(error) => match &error.kind {
                EngineErrorKind::Refused { message, .. } if message.contains("already exists in network") => {
                    Ok(())
                }
                _ => Err(error),
            },
        }
    }

    /// Unpacks a tar in a container, owners as in the tar.
    pub(super) async fn upload(&self, id: &ContainerId, folder: &str, tar: Vec<u8>) -> Result<()> {
        let call = Call::new(
            format!("copy files into container {}", id.short()),
            Method::PUT,
            format!("/containers/{id}/archive"),
        )
        .query("path", folder)
        .body("application/x-tar", full(tar));
        self.http.read(call, self.shared.deadlines.start).await.map(drop)
    }

    /// A file of a container as a tar, at most `limit` bytes of it; `None` where there is no such path.
    pub(super) async fn download(&self, id: &ContainerId, path: &str, limit: usize) -> Result<Option<Bytes>> {
        let operation = format!("read {path} of container {}", id.short());
        let options = DownloadFromContainerOptions {
            path: path.to_owned(),
        };
        let mut stream = self.client.download_from_container(id.as_str(), Some(options));
        let mut bytes = Vec::new();
        let read = self
            .ask_within(&operation, self.short(), async {
                while let Some(chunk) = stream.next().await {
                    bytes.extend_from_slice(&chunk?);
                    if bytes.len() > limit {
                        break;
                    }
                }
                Ok(())
            })
            .await;
        match read {
            Ok(()) => Ok(Some(bytes.into())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts a container; the deadline grows with the number of starts under way.
    pub(super) async fn start(&self, id: &ContainerId) -> Result<()> {
        const EACH: Duration = Duration::from_secs(10);
        struct Counted<'a>(&'a std::sync::atomic::AtomicUsize);
        impl Drop for Counted<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let others = self.shared.starting.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted(&self.shared.starting);
        let deadline =
            self.shared.deadlines.start + EACH * u32::try_from(others).unwrap_or(u32::MAX).min(100);
        self.ask_within(
            &format!("start container {}", id.short()),
            deadline,
            self.client
                .start_container(id.as_str(), None::<StartContainerOptions>),
        )
        .await
    }

    /// Stops a container: asks it, and kills it after `grace`.
    pub(super) async fn stop(&self, id: &ContainerId, signal: Option<&str>, grace: Duration) -> Result<()> {
        let operation = format!("stop container {}", id.short());
        let mut call = Call::new(&operation, Method::POST, format!("/containers/{id}/stop"))
            .query("t", whole_seconds(grace).to_string());
        if let Some(signal) = signal {
            let api = self
                .http
                .ping()
                .await
                .map_err(|e| EngineError::new(&operation, sort::send_error(&e)))?
                .api;
            if api >= (1, 42) {
                call = call.query("signal", signal);
            } else {
                // Older engines send the container's own signal only: ask first, then let the stop kill.
                match self.kill(id, signal).await {
                    Err(error) if matches!(error.kind, EngineErrorKind::Conflict(_)) => return Ok(()),
                    other => other?,
                }
                match tokio::time::timeout(grace, self.wait(id)).await {
                    Ok(exit) => return exit.map(drop),
                    Err(_) => {
                        call = Call::new(&operation, Method::POST, format!("/containers/{id}/stop"))
                            .query("t", "0");
                    }
                }
            }
        }
        let stopped = self
            .http
            .read(call, grace + self.shared.deadlines.stop)
            .await
            .map(drop);
        excused(stopped, |kind| matches!(kind, EngineErrorKind::NotModified(_)))
    }

    /// Sends a signal to process 1.
    pub(super) async fn kill(&self, id: &ContainerId, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        self.ask(
            &format!("send {signal} to container {}", id.short()),
            self.client.kill_container(id.as_str(), Some(options)),
        )
        .await
    }

    /// Freezes the processes of a container, or lets them go on; as it already is, is success.
    pub(super) async fn freeze(&self, id: &ContainerId, frozen: bool) -> Result<()> {
        let done = if frozen {
            self.ask(
                &format!("pause container {}", id.short()),
                self.client.pause_container(id.as_str()),
            )
            .await
        } else {
            self.ask(
                &format!("unpause container {}", id.short()),
                self.client.unpause_container(id.as_str()),
            )
            .await
        };
        excused(done, |kind| {
            matches!(kind, EngineErrorKind::Conflict(text) | EngineErrorKind::Refused { message: text, .. }
                if text.contains("already paused") || text.contains("is not paused"))
        })
    }

    /// Removes a container and waits until it is gone, also where somebody else removes it.
    pub(super) async fn delete_container(&self, id: &ContainerId, force: bool, volumes: bool) -> Result<()> {
        let operation = format!("remove container {}", id.short());
        let options = RemoveContainerOptionsBuilder::default()
            .force(force)
            .v(volumes)
            .build();
        let deadline = self.shared.deadlines.start;
        let removed = self
            .ask_within(
                &operation,
                deadline,
                self.client.remove_container(id.as_str(), Some(options)),
            )
            .await;
        let under_way = matches!(&removed, Err(e)
            if matches!(&e.kind, EngineErrorKind::Conflict(m) if m.contains("already in progress")));
        if !under_way {
            return excused(removed, |kind| matches!(kind, EngineErrorKind::NotFound(_)));
        }
        super::raw::within(&operation, deadline, async {
            loop {
                match self.inspect_one(id).await {
                    Err(error) if error.is_not_found() => return Ok(()),
                    Err(error) => return Err(error),
                    Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        })
        .await
    }

    /// Renames a container; a lost answer is found out.
    pub(super) async fn rename(&self, id: &ContainerId, name: &str) -> Result<()> {
        let options = RenameContainerOptions {
            name: name.to_owned(),
        };
        let renamed = self
            .ask(
                &format!("rename container {} to {name}", id.short()),
                self.client.rename_container(id.as_str(), options),
            )
            .await;
        match renamed {
            Err(error) if error.is_engine_lost() => match self.inspect_one(id).await {
                Ok(now) if now.container.name == name => Ok(()),
                _ => Err(error),
            },
            other => other,
        }
    }

    /// Waits until a container does not run.
    pub(super) async fn wait(&self, id: &ContainerId) -> Result<Exit> {
        let operation = format!("wait for container {}", id.short());
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        let mut answers = self.client.wait_container(id.as_str(), Some(options));
        let code = loop {
            let answer = tokio::select! {
                answer = answers.next() => answer,
                () = tokio::time::sleep(LOOK) => match found::exit(&self.inspect_one(id).await?) {
                    Some(exit) => break exit.code,
                    None => continue,
                },
            };
            break match answer {
                Some(Ok(answer)) => answer.status_code,
                // bollard's way to say that the exit code is not 0.
                Some(Err(bollard::errors::Error::DockerContainerWaitError { code, error }))
                    if error.is_empty() =>
                {
                    code
                }
                Some(Err(error)) => return Err(EngineError::new(operation, sort::bollard(&error))),
                None => {
                    return Err(EngineError::new(
                        operation,
                        EngineErrorKind::OutcomeUnknown("the connection ended".into()),
                    ));
                }
            };
        };
        // The answer does not tell whether memory was the reason.
        let mut oom_killed = self.was_killed_for_memory(id, code).await?;
        if code == KILLED && !oom_killed {
            // The engine may hear of the kernel's doing only after the end.
            tokio::time::sleep(OOM_NEWS).await;
            oom_killed = self.was_killed_for_memory(id, code).await?;
        }
        Ok(Exit { code, oom_killed })
    }

    async fn was_killed_for_memory(&self, id: &ContainerId, code: i64) -> Result<bool> {
        match self.inspect_one(id).await {
            Ok(now) => Ok(found::exit(&now).is_some_and(|exit| exit.code == code && exit.oom_killed)),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Security options with seccomp profiles read in, as the engine wants them.
fn security_options(options: &[String]) -> std::result::Result<Vec<String>, String> {
    options
        .iter()
        .map(|option| {
            let (key, value) = option
                .split_once('=')
                .or_else(|| option.split_once(':'))
                .unwrap_or((option, ""));
            if key != "seccomp" || matches!(value, "unconfined" | "builtin") {
                return Ok(option.clone());
            }
            let text = std::fs::read_to_string(value).map_err(|e| format!("seccomp profile {value}: {e}"))?;
            let profile: Value =
                serde_json::from_str(&text).map_err(|e| format!("seccomp profile {value}: {e}"))?;
            Ok(format!("seccomp={profile}"))
        })
        .collect()
}
