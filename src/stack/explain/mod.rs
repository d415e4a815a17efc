//! Where a value came from: `config --explain`. Found again after loading, from the places that the merged tree
//! kept and from the texts that were read; loading itself keeps no history.

mod origin;
mod path;
mod text;
mod variable;

#[cfg(test)]
mod tests;

pub use origin::{Explanation, Origin};
pub use text::to_text;

use std::collections::HashMap;
use std::path::PathBuf;

use crate::stack::interpolate::Variables;
use crate::stack::source::SourceMap;
use crate::stack::tree::Node;

/// What an explanation is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The merged tree, variables put in.
    pub root: &'a Node,
    /// All texts that were read.
    pub sources: &'a SourceMap,
    /// The process environment.
    pub environment: &'a HashMap<String, String>,
    /// The environment files of the project, in the order of reading.
    pub env_files: &'a [PathBuf],
    /// The variables that hold.
    pub variables: &'a Variables,
}

/// Explains a variable (`TAG`) or a value of the stack (`services.web.image`); `None` where there is neither.
pub fn explain(name: &str, evidence: Evidence<'_>) -> Option<Explanation> {
    path::explain(name, evidence).or_else(|| variable::explain(name, evidence))
}
