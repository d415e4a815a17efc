//! Processes in containers as callers see them: commands, and a container's own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWrite;

use super::LogStream;
use super::api::Result;

/// How a caller is attached to a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachSpec {
    /// Whether the container has a terminal.
    pub tty: bool,
    /// Whether the caller's input goes to it.
    pub stdin: bool,
    /// What the exit code is waited for.
    pub until: Until,
    /// The keys that detach, as the engine's API spells them; its own default where absent.
    pub detach_keys: Option<String>,
}

/// The end of a container, as a caller waits for it (Engine API, `ContainerWait`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Until {
    /// It does not run.
    #[default]
    NotRunning,
    /// It ends after the next start.
    NextExit,
    /// It is gone, for one that the engine removes by itself.
    Removed,
}

/// A command to run in a container.
#[derive(Debug, Clone, Default)]
pub struct ExecSpec {
    /// The command.
    pub command: Vec<String>,
    /// `user[:group]`.
    pub user: Option<String>,
    /// The folder it runs in.
    pub working_dir: Option<String>,
    /// Additional environment, `NAME=value`.
    pub env: Vec<String>,
    /// Whether with all privileges.
    pub privileged: bool,
    /// Given to standard input.
    pub stdin: Option<Vec<u8>>,
    /// How long it may take; 30 s where absent.
    pub timeout: Option<Duration>,
    /// The keys that detach from it, as the engine's API spells them; its own default where absent.
    pub detach_keys: Option<String>,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutcome {
    /// Its exit code.
    pub code: i64,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A command, or a container's own process, that the caller is attached to.
pub struct ExecSession {
    /// Standard input; shutting it down ends it.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
    /// What the command writes; ends when it does. With a terminal all of it is standard output.
    pub output: BoxStream<'static, Result<(LogStream, Bytes)>>,
    /// The rest that can be done with it.
    pub control: Arc<dyn ExecControl>,
}

/// What can be done with an attached process beside reading and writing.
#[async_trait]
pub trait ExecControl: Send + Sync {
    /// Tells the command's terminal its size.
    async fn resize(&self, columns: u16, rows: u16) -> Result<()>;
    /// The exit code; to be asked for when the output has ended.
    async fn exit_code(&self) -> Result<i64>;
}

impl std::fmt::Debug for ExecSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExecSession")
    }
}
