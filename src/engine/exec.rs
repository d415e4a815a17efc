//! Commands in containers: captured, with an end to each; or attached to a terminal.
//!
//! The engine has no call to end a command that runs in a container, and one whose connection is
//! dropped goes on. At the timeout, and when the caller drops the future, it is killed
//! - by its process id, with its children, where this process is root and sees the container's
//!   processes (the usual case: the engine on this machine);
//! - else by a further command in the container, which finds it by a variable in its environment
//!   and needs a shell there. Where there is none, the command lives on until the container ends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Method;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::api::Result;
use super::docker::Docker;
use super::frames::Frames;
use super::raw::{Call, within};
use super::{EngineError, EngineErrorKind, ExecControl, ExecOutcome, ExecSession, ExecSpec, LogStream};
use crate::base::ContainerId;

/// How long a captured command may take where the caller does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// So much of each stream is kept.
const CAPTURED: usize = 64 * 1024;
/// The variable that a command is found by; its value is unique to the command.
const MARK: &str = "PLATFORM_EXEC_ID";

/// A command that a caller is attached to.
struct Attached {
    docker: Docker,
    exec: String,
}

#[async_trait]
impl ExecControl for Attached {
    async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        resize(&self.docker, &format!("/exec/{}", self.exec), columns, rows).await
    }

    async fn exit_code(&self) -> Result<i64> {
        within(
            "ask for the command's exit code",
            self.docker.short(),
            self.docker.exec_exit(&self.exec),
        )
        .await
    }
}

/// Tells a terminal its size; `of` is the path of what it belongs to.
pub(super) async fn resize(docker: &Docker, of: &str, columns: u16, rows: u16) -> Result<()> {
    let call = Call::new("resize the terminal", Method::POST, format!("{of}/resize"))
        .query("w", columns.to_string())
        .query("h", rows.to_string());
    docker.http.read(call, docker.short()).await.map(drop)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ExecState {
    #[serde(default)]
    running: bool,
    #[serde(default)]
    exit_code: Option<i64>,
    #[serde(default)]
    pid: i64,
}

impl Docker {
    /// Runs a command to its end.
    pub(super) async fn run_exec(&self, id: &ContainerId, spec: &ExecSpec) -> Result<ExecOutcome> {
        let operation = format!("run {} in container {}", first_word(spec), id.short());
        let timeout = spec.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let mark = new_mark();
        let exec = self
            .create_exec(id, spec, spec.stdin.is_some(), false, Some(&mark))
            .await?;
        let guard = ExecGuard(Some(Running {
            docker: self.clone(),
            container: id.clone(),
            exec: exec.clone(),
            mark,
        }));
        let outcome = within(&operation, timeout, self.capture(&exec, spec, &operation)).await;
        match outcome {
            Ok(outcome) => {
                guard.disarm();
                Ok(outcome)
            }
            // Kills it in the background; the caller has waited long enough.
            Err(error) => Err(error),
        }
    }

    async fn capture(&self, exec: &str, spec: &ExecSpec, operation: &str) -> Result<ExecOutcome> {
        let (mut read, mut write) = tokio::io::split(self.start_exec(exec, false).await?);
        let input = async {
            if let Some(stdin) = &spec.stdin {
                // A command that does not read its input closes it; that is its own affair.
                let _ = write.write_all(stdin).await;
            }
            let _ = write.shutdown().await;
        };
        let output = async {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            let mut frames = Frames::default();
            let mut buffer = vec![0; 16 * 1024];
            loop {
                let count = read
                    .read(&mut buffer)
                    .await
                    .map_err(|e| EngineErrorKind::OutcomeUnknown(e.to_string()))?;
                if count == 0 {
                    return Ok((stdout, stderr));
                }
                frames.push(buffer.get(..count).unwrap_or_default());
                while let Some((stream, bytes)) = frames.next()? {
                    let into = match stream {
                        LogStream::Stdout => &mut stdout,
                        LogStream::Stderr => &mut stderr,
                    };
                    let room = CAPTURED.saturating_sub(into.len());
                    into.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
                }
            }
        };
        let ((), output) = futures_util::join!(input, output);
        let (stdout, stderr) = output.map_err(|kind| EngineError::new(operation, kind))?;
        let code = self.exec_exit(exec).await?;
        Ok(ExecOutcome { code, stdout, stderr })
    }

    /// Starts a command and attaches the caller to it.
    pub(super) async fn attach_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        tty: bool,
    ) -> Result<ExecSession> {
        let exec = self.create_exec(id, spec, true, tty, None).await?;
        let (read, mut write) = tokio::io::split(self.start_exec(&exec, tty).await?);
        if let Some(stdin) = &spec.stdin {
            let _ = write.write_all(stdin).await;
        }
        let operation = format!("read the output of {}", first_word(spec));
        Ok(ExecSession {
            input: Box::pin(write),
            output: output(read, tty, operation).boxed(),
            control: Arc::new(Attached {
                docker: self.clone(),
                exec,
            }),
        })
    }

    /// Starts a command that nobody is attached to.
    pub(super) async fn detach_exec(&self, id: &ContainerId, spec: &ExecSpec, tty: bool) -> Result<()> {
        let exec = self.create_exec(id, spec, false, tty, None).await?;
        let call = Call::new(
            format!("start {} in container {}", first_word(spec), id.short()),
            Method::POST,
            format!("/exec/{exec}/start"),
        )
        .json(&json!({"Detach": true, "Tty": tty}));
        self.http.read(call, self.shared.deadlines.start).await.map(drop)
    }

    async fn create_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        stdin: bool,
        tty: bool,
        mark: Option<&str>,
    ) -> Result<String> {
        #[derive(Deserialize)]
        struct Created {
            #[serde(rename = "Id")]
            id: String,
        }
        let mut env = spec.env.clone();
        env.extend(mark.map(|mark| format!("{MARK}={mark}")));
        let mut body = json!({
            "AttachStdin": stdin,
            "AttachStdout": true,
            "AttachStderr": true,
            "Tty": tty,
            "Cmd": spec.command,
            "Env": env,
            "Privileged": spec.privileged,
        });
        if let Value::Object(fields) = &mut body {
            for (name, value) in [
                ("User", &spec.user),
                ("WorkingDir", &spec.working_dir),
                ("DetachKeys", &spec.detach_keys),
            ] {
                if let Some(value) = value {
                    fields.insert(name.into(), json!(value));
                }
            }
        }
        let operation = format!("run {} in container {}", first_word(spec), id.short());
        let call = Call::new(operation, Method::POST, format!("/containers/{id}/exec")).json(&body);
        let created: Created = self.http.fetch(call, self.short()).await?;
        Ok(created.id)
    }

    async fn start_exec(&self, exec: &str, tty: bool) -> Result<TokioIo<Upgraded>> {
        const OPERATION: &str = "start the command";
        let call = Call::new(OPERATION, Method::POST, format!("/exec/{exec}/start"))
            .json(&json!({"Detach": false, "Tty": tty}));
        within(OPERATION, self.short(), self.http.upgrade(call, "tcp")).await
    }

    async fn exec_state(&self, exec: &str) -> Result<ExecState> {
        let call = Call::new("inspect the command", Method::GET, format!("/exec/{exec}/json"));
        self.http.fetch(call, self.short()).await
    }

    /// The exit code of a command whose output has ended, which the engine may know a moment later.
    async fn exec_exit(&self, exec: &str) -> Result<i64> {
        let mut pause = Duration::from_millis(1);
        loop {
            let state = self.exec_state(exec).await?;
            if let (false, Some(code)) = (state.running, state.exit_code) {
                return Ok(code);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }
}

fn first_word(spec: &ExecSpec) -> &str {
    spec.command.first().map_or("a command", String::as_str)
}

fn new_mark() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = |seed: u8| RandomState::new().hash_one(seed);
    format!("{:016x}{:016x}", half(0), half(1))
}

/// What comes over an attached connection, stream by stream; with a terminal all of it is standard output.
pub(super) fn output(
    read: impl AsyncRead + Send + Unpin + 'static,
    tty: bool,
    operation: String,
) -> impl Stream<Item = Result<(LogStream, Bytes)>> + Send {
    struct State<R> {
        read: R,
        frames: Frames,
        done: bool,
    }
    let state = State {
        read,
        frames: Frames::default(),
        done: false,
    };
    stream::unfold(state, move |mut state| {
        let operation = operation.clone();
        async move {
            let fail = |kind| Err(EngineError::new(operation, kind));
            if state.done {
                return None;
            }
            loop {
                if !tty {
                    match state.frames.next() {
                        Ok(Some(item)) => return Some((Ok(item), state)),
                        Ok(None) => {}
                        Err(kind) => {
                            state.done = true;
                            return Some((fail(kind), state));
                        }
                    }
                }
                let mut buffer = bytes::BytesMut::with_capacity(16 * 1024);
                match state.read.read_buf(&mut buffer).await {
                    Ok(0) => return None,
                    Ok(_) if tty => return Some((Ok((LogStream::Stdout, buffer.freeze())), state)),
                    Ok(_) => state.frames.push(&buffer),
                    Err(error) => {
                        state.done = true;
                        return Some((fail(EngineErrorKind::OutcomeUnknown(error.to_string())), state));
                    }
                }
            }
        }
    })
}

/// A command that must not outlive the interest in it.
struct Running {
    docker: Docker,
    container: ContainerId,
    exec: String,
    mark: String,
}

struct ExecGuard(Option<Running>);

impl ExecGuard {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ExecGuard {
    fn drop(&mut self) {
        if let (Some(running), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { running.kill().await });
        }
    }
}

impl Running {
    /// Kills the command, by the better of the two ways that works.
    async fn kill(self) {
        let Ok(state) = self.docker.exec_state(&self.exec).await else {
            return;
        };
        if !state.running {
            return;
        }
        let pid = i32::try_from(state.pid).unwrap_or(0);
        let root = self.docker.shared.env.uid == 0;
        if root && pid > 0 && processes::belongs(pid, self.container.as_str(), &self.mark) {
            processes::kill_tree(pid);
            return;
        }
        let script = format!(
            "for p in /proc/[0-9]*; do if tr '\\000' '\\n' <$p/environ 2>/dev/null | grep -qx '{MARK}={}'; \
             then kill -9 ${{p#/proc/}}; fi; done",
            self.mark
        );
        let spec = ExecSpec {
            command: vec!["/bin/sh".into(), "-c".into(), script],
            user: Some("0".into()),
            ..ExecSpec::default()
        };
        // Not by way of `run_exec`: this one needs no guard of its own.
        if let Ok(exec) = self
            .docker
            .create_exec(&self.container, &spec, false, false, None)
            .await
        {
            let _ = tokio::time::timeout(
                DEFAULT_TIMEOUT,
                self.docker.capture(&exec, &spec, "kill the command"),
            )
            .await;
        }
    }
}

mod processes {
    //! Processes of this machine that belong to a container.

    use rustix::process::{Pid, Signal, kill_process};

    /// Whether a process is the command marked `mark` in this container: it is seen under the same id
    /// here, and neither another container's nor one that took over the id.
    pub(super) fn belongs(pid: i32, container: &str, mark: &str) -> bool {
        let in_container = std::fs::read_to_string(format!("/proc/{pid}/cgroup"))
            .is_ok_and(|groups| groups.contains(container));
        let marked = std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment
                .split(|b| *b == 0)
                .any(|v| v.strip_prefix(super::MARK.as_bytes()) == Some(format!("={mark}").as_bytes()))
        });
        in_container && marked
    }

    /// Kills a process and all that it started.
    pub(super) fn kill_tree(pid: i32) {
        const MANY: usize = 10_000;
        let mut tree = vec![pid];
        let mut at = 0;
        while let Some(&parent) = tree.get(at) {
            at += 1;
            let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
            for child in children.unwrap_or_default().split_whitespace() {
                if let Ok(child) = child.parse()
                    && tree.len() < MANY
                    && !tree.contains(&child)
                {
                    tree.push(child);
                }
            }
        }
        // Parents first, so that none starts another child meanwhile.
        for pid in tree {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}
