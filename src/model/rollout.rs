//! How a deployment rolls out (Compose Specification, 08-deploy). Changes no container.

use std::time::Duration;

use serde::Serialize;

use super::render::as_duration;

/// `deploy.update_config`, `deploy.rollback_config`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UpdateConfig {
    /// How many at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// Between two groups.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub delay: Option<Duration>,
    /// `continue`, `pause` or `rollback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_action: Option<String>,
    /// How long each is watched.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub monitor: Option<Duration>,
    /// The share of failures that is tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failure_ratio: Option<f64>,
    /// `start-first` or `stop-first`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}
