//! What stands under `x-platform`: ours beside the Compose Specification.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use super::SmokeTest;
use super::render::{as_duration, is_false};

/// `x-platform` of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServiceExt {
    /// How readiness is proven; before the `healthcheck`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeSpec>,
    /// Whether a missing image leaves the service `unavailable` and the run good.
    #[serde(skip_serializing_if = "is_false")]
    pub optional: bool,
    /// How a changed configuration is taken in while running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload: Option<Reload>,
    /// Whether the supervisor restarts it when it becomes unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_unhealthy: Option<bool>,
}

impl ServiceExt {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeSpec {
    /// What is tried.
    #[serde(flatten)]
    pub target: ProbeTarget,
    /// For one try; default 2 s.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub timeout: Option<Duration>,
    /// How long the service may take to get ready; default 2 minutes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub deadline: Option<Duration>,
}

/// What a probe tries.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeTarget {
    /// `http://[host]:port/path`; an empty host is the container's own address. Any 2xx or 3xx passes.
    Http(String),
    /// A port of the container that accepts a connection.
    Tcp(u16),
    /// A command in the container that exits with 0.
    Exec(Vec<String>),
    /// A regular expression that a line of the container's log matches.
    Log(String),
}

/// How a service takes in a changed configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reload {
    /// A command in the container that validates the new configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
    /// How it is made to take it.
    #[serde(flatten)]
    pub action: Option<ReloadAction>,
}

/// How a running service is made to reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReloadAction {
    /// A signal to process 1.
    Signal(String),
    /// A POST to `http://[host]:port/path`.
    Http(String),
    /// A command in the container.
    Exec(Vec<String>),
}

/// `x-platform` at the top of a stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StackExt {
    /// Recipe folder (absolute) for each base image of a Dockerfile.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub base_images: IndexMap<String, PathBuf>,
    /// What to show when the stack is up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Smoke tests, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smoke: Vec<SmokeTest>,
}

impl StackExt {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Something to open in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it is.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The service behind it; the link is shown only when that is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}
