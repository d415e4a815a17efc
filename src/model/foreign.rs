//! What others than the engine bring: providers, models, credential specifications. Kept and shown; a plan
//! that needs them is refused.

use indexmap::IndexMap;
use serde::Serialize;

/// A service that a program beside the engine brings up (Compose Specification, `provider`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Provider {
    /// The program's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is told, each option once or several times.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, Vec<String>>,
}

/// How a service is told of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ModelUse {
    /// The variable that holds the model's endpoint.
    #[serde(rename = "endpoint_var", skip_serializing_if = "Option::is_none")]
    pub endpoint_variable: Option<String>,
    /// The variable that holds the model's name.
    #[serde(rename = "model_var", skip_serializing_if = "Option::is_none")]
    pub model_variable: Option<String>,
}

/// A top-level model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ModelSpec {
    /// Its name, where that is not the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its reference.
    pub model: String,
    /// How many tokens it looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    /// What its runtime is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime_flags: Vec<String>,
}

/// Where a Windows container's credential specification is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CredentialSpec {
    /// Key under the top-level `configs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// A file below the engine's own folder for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A value in the engine machine's registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}
