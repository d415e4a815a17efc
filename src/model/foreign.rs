//! What others than the engine bring: providers, models, credential specifications.

use indexmap::IndexMap;
use serde::Serialize;

use crate::base::ServiceName;

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

/// What the variables that a provider gives are called in the services that depend on its service: each
/// with this before it (docker compose, `docs/extension.md`).
pub fn provider_prefix(service: &ServiceName) -> String {
    format!("{}_", service.as_str().to_uppercase())
}

/// The variables that tell a service of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVariables {
    /// The one that holds its name.
    pub model: String,
    /// The one that holds its endpoint.
    pub endpoint: String,
}

/// How the variables of a service's model are called: as the service says, else after the model's key.
pub fn model_variables(key: &str, used: Option<&ModelUse>) -> ModelVariables {
    let prefix = key.to_uppercase().replace('-', "_");
    let said = |name: Option<&String>, suffix: &str| {
        let name = name.filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| format!("{prefix}_{suffix}"))
    };
    ModelVariables {
        model: said(used.and_then(|used| used.model_variable.as_ref()), "MODEL"),
        endpoint: said(used.and_then(|used| used.endpoint_variable.as_ref()), "URL"),
    }
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
