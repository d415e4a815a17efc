//! What happens while developing (Compose Specification, `develop`). Changes no container.

use std::path::PathBuf;

use serde::Serialize;

use super::Hook;
use super::render::is_false;

/// `develop`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Develop {
    /// What is done when files change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<WatchRule>,
}

/// What is done when files under a path change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchRule {
    /// The path, absolute.
    pub path: PathBuf,
    /// What is done.
    pub action: WatchAction,
    /// Where changed files go in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Patterns of files that do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Patterns of the only files that count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// What runs in the container after a `sync+exec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<Hook>,
    /// Whether all files go into the container first.
    #[serde(skip_serializing_if = "is_false")]
    pub initial_sync: bool,
}

/// What a watch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchAction {
    /// Builds the image and makes the container anew.
    Rebuild,
    /// Copies the files.
    Sync,
    /// Restarts the container.
    Restart,
    /// Both.
    #[serde(rename = "sync+restart")]
    SyncRestart,
    /// Copies the files and runs a command.
    #[serde(rename = "sync+exec")]
    SyncExec,
}
