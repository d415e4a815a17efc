//! What can go wrong with programs beside the engine.

use std::io;

/// Why a provider or the runner of models did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum ProvideError {
    /// There is no such program.
    #[error("there is no docker plugin docker-{kind} and no program {kind} on the search path")]
    NoProvider {
        /// The provider's type.
        kind: String,
    },
    /// Compose cannot be its own provider.
    #[error("'compose' is not a valid provider type")]
    Compose,
    /// The plugin that runs models is missing.
    #[error("'models' support requires Docker Model plugin, and there is no docker-model")]
    NoModelPlugin,
    /// An option that the provider says it needs is not given.
    #[error("required parameter {option:?} is missing from provider {kind:?} definition")]
    MissingOption {
        /// The option.
        option: String,
        /// The provider's type.
        kind: String,
    },
    /// The program said itself that it failed; these are its words.
    #[error("{0}")]
    Said(String),
    /// It said something that the protocol does not have.
    #[error("invalid response from {program}: {what}")]
    Protocol {
        /// The program.
        program: String,
        /// What was found, and what was expected.
        what: String,
    },
    /// It ended without success.
    #[error("{program} {how}{}", words(.lines))]
    Ended {
        /// The program and what it was asked for, without the options.
        program: String,
        /// How it ended (`exited with code 1`).
        how: String,
        /// The last lines that it wrote to standard error.
        lines: Vec<String>,
    },
    /// It could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
}

fn words(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!(": {}", lines.join("\n"))
    }
}

impl ProvideError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProvider { kind } => Some(format!(
                "install the provider: a program {kind} on the PATH, or docker-{kind} in ~/.docker/cli-plugins"
            )),
            Self::NoModelPlugin => {
                Some("install Docker Model Runner's plugin (package docker-model-plugin) into ~/.docker/cli-plugins".into())
            }
            Self::MissingOption { option, .. } => Some(format!("add {option} to provider.options")),
            _ => None,
        }
    }
}
