//! Health checks (Compose Specification, `healthcheck`).

use std::time::Duration;

use serde::Serialize;

use super::render::{as_duration, is_false};

/// A health check; an absent field takes the image's value, then the engine's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Healthcheck {
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<HealthcheckTest>,
    /// Between two checks; default 30 s.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub interval: Option<Duration>,
    /// For one check; default 30 s.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub timeout: Option<Duration>,
    /// Failures in a row that make it unhealthy; default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How long failures do not count; default 0.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub start_period: Option<Duration>,
    /// Between two checks in the start period; default 5 s.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub start_interval: Option<Duration>,
    /// Whether the image's health check is switched off.
    #[serde(skip_serializing_if = "is_false")]
    pub disable: bool,
}

/// What a health check runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthcheckTest {
    /// `NONE`.
    None,
    /// `CMD` with arguments.
    Cmd(Vec<String>),
    /// `CMD-SHELL` with a line for the shell.
    Shell(String),
}

impl HealthcheckTest {
    /// The engine's form: `["CMD", …]`, `["CMD-SHELL", "…"]`, `["NONE"]`.
    pub fn to_engine(&self) -> Vec<String> {
        match self {
            Self::None => vec!["NONE".into()],
            Self::Cmd(args) => std::iter::once("CMD".to_owned())
                .chain(args.iter().cloned())
                .collect(),
            Self::Shell(line) => vec!["CMD-SHELL".into(), line.clone()],
        }
    }

    /// Reads the engine's form; an empty list is `None` (inherited).
    pub fn from_engine(words: &[String]) -> Option<Self> {
        match words {
            [] => None,
            [kind, ..] if kind == "NONE" => Some(Self::None),
            [kind, rest @ ..] if kind == "CMD" => Some(Self::Cmd(rest.to_vec())),
            [kind, line, ..] if kind == "CMD-SHELL" => Some(Self::Shell(line.clone())),
            _ => None,
        }
    }

    /// What to execute in the container to run the check; `None` for `NONE`.
    pub fn to_exec(&self) -> Option<Vec<String>> {
        match self {
            Self::None => None,
            Self::Cmd(args) => Some(args.clone()),
            Self::Shell(line) => Some(vec!["/bin/sh".into(), "-c".into(), line.clone()]),
        }
    }
}

impl Serialize for HealthcheckTest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_engine().serialize(serializer)
    }
}
