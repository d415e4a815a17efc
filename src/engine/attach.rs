//! A container's own process with the caller attached to it.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, StreamExt};
use http_body_util::BodyExt;
use hyper::Method;
use serde::Deserialize;

use super::api::Result;
use super::connect::EngineEnv;
use super::docker::Docker;
use super::exec::{output, resize};
use super::raw::{Call, within};
use super::{AttachSpec, EngineError, EngineErrorKind, ExecControl, ExecSession, Until, sort};
use crate::base::ContainerId;

/// A container's process that a caller is attached to.
struct Process {
    docker: Docker,
    container: ContainerId,
    ended: Ended,
}

/// The exit code, as soon as there is one.
type Ended = Shared<BoxFuture<'static, Result<i64>>>;

#[async_trait]
impl ExecControl for Process {
    async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        resize(
            &self.docker,
            &format!("/containers/{}", self.container),
            columns,
            rows,
        )
        .await
    }

    async fn exit_code(&self) -> Result<i64> {
        self.ended.clone().await
    }
}

/// What the engine says when a container has ended (Engine API, `ContainerWaitResponse`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Waited {
    status_code: i64,
    #[serde(default)]
    error: Option<WaitError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WaitError {
    #[serde(default)]
    message: String,
}

impl Docker {
    /// Attaches the caller to a container's process.
    pub(super) async fn attach_process(&self, id: &ContainerId, spec: &AttachSpec) -> Result<ExecSession> {
        let operation = format!("attach to container {}", id.short());
        let ended = self.begin_wait(id, spec.until).await?;
        let yes_no = |on: bool| if on { "1" } else { "0" };
        let mut call = Call::new(&operation, Method::POST, format!("/containers/{id}/attach"))
            .query("stream", "1")
            .query("stdin", yes_no(spec.stdin))
            .query("stdout", "1")
            .query("stderr", "1");
        if let Some(keys) = &spec.detach_keys {
            call = call.query("detachKeys", keys);
        }
        let stream = within(&operation, self.short(), self.http.upgrade(call, "tcp")).await?;
        let (read, write) = tokio::io::split(stream);
        Ok(ExecSession {
            input: Box::pin(write),
            output: output(
                read,
                spec.tty,
                format!("read the output of container {}", id.short()),
            )
            .boxed(),
            control: Arc::new(Process {
                docker: self.clone(),
                container: id.clone(),
                ended,
            }),
        })
    }

    /// Begins to wait for a container's end; when this returns, the engine has heard of it, so that no
    /// end that follows is missed, also where the container goes with it.
    async fn begin_wait(&self, id: &ContainerId, until: Until) -> Result<Ended> {
        let operation = format!("wait for container {}", id.short());
        let call = Call::new(&operation, Method::POST, format!("/containers/{id}/wait")).query(
            "condition",
            match until {
                Until::NotRunning => "not-running",
                Until::NextExit => "next-exit",
                Until::Removed => "removed",
            },
        );
        let (operation, answer) = within(&operation, self.short(), self.http.open(call)).await?;
        let ended = async move {
            let body = answer
                .into_body()
                .collect()
                .await
                .map_err(|e| EngineError::new(&operation, sort::lost(&e)))?;
            let waited: Waited = serde_json::from_slice(&body.to_bytes())
                .map_err(|e| EngineError::new(&operation, EngineErrorKind::Protocol(e.to_string())))?;
            match waited.error.filter(|error| !error.message.is_empty()) {
                Some(error) => Err(EngineError::new(
                    operation,
                    EngineErrorKind::StreamFailed(error.message),
                )),
                None => Ok(waited.status_code),
            }
        };
        Ok(ended.boxed().shared())
    }
}

impl EngineEnv {
    /// The keys that detach from a container (`detachKeys` in Docker's `config.json`), where it says.
    pub fn detach_keys(&self) -> Option<String> {
        let text = std::fs::read(self.docker_config_dir()?.join("config.json")).ok()?;
        let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
        config
            .get("detachKeys")?
            .as_str()
            .filter(|keys| !keys.is_empty())
            .map(str::to_owned)
    }
}
