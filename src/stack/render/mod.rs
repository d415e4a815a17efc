//! A resolved project as YAML or JSON, in the structure that the Compose Specification has and
//! docker compose's `config` prints. Reading the YAML again gives the same project.

mod yaml;

pub use crate::model::compose::{to_value, to_yaml_value};
pub use yaml::to_yaml;

use crate::model::Project;

/// The project as YAML.
pub fn project_yaml(project: &Project) -> String {
    to_yaml(&to_yaml_value(project))
}

/// The project as JSON, indented.
pub fn project_json(project: &Project) -> String {
    pretty_json(&to_value(project))
}

/// A value as JSON, indented.
pub fn pretty_json(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
