//! Why an image could not be had.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decide::Attempt;
use super::dockerfile::DockerfileError;
use super::ignore::PatternError;
use super::recipe::RecipeError;
use crate::engine::EngineError;

/// Why an image could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImageError {
    /// The reference makes no sense.
    #[error("`{reference}`: expected {expected}")]
    BadReference {
        /// As written.
        reference: String,
        /// What was expected.
        expected: &'static str,
    },
    /// No source has it. The only failure that `optional` excuses.
    #[error("no source has the image {reference}: {}", list(.tried))]
    Unavailable {
        /// The image.
        reference: String,
        /// Each source, and why it did not help.
        tried: Vec<Tried>,
    },
    /// The engine has a copy, but the stack asks for a new one, which could not be had.
    #[error("{reference} is to be pulled anew ({why}), and that failed: {reason}")]
    PullRequired {
        /// The image.
        reference: String,
        /// Why the engine's copy does not do.
        why: String,
        /// Why the pull failed.
        reason: String,
    },
    /// A base image of a build could not be had.
    #[error("{image} is built from {base}, which cannot be had")]
    Base {
        /// The image to build.
        image: String,
        /// The base image.
        base: String,
        /// Why.
        #[source]
        source: Box<ImageError>,
    },
    /// Recipes need each other's images.
    #[error("base images need each other: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// A build failed.
    #[error("building {image} from {context} failed: {reason}")]
    Build {
        /// The image.
        image: String,
        /// The build context.
        context: String,
        /// The builder's reason.
        reason: String,
        /// Its last lines of output.
        lines: Vec<String>,
    },
    /// The stack asks for something of a build that cannot be done yet.
    #[error("building {image}: {what}")]
    Unsupported {
        /// The image.
        image: String,
        /// What, and what is possible instead.
        what: String,
    },
    /// A Dockerfile that cannot be understood.
    #[error("{}", .path.display())]
    Dockerfile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DockerfileError,
    },
    /// An ignore file that cannot be understood.
    #[error("{}", .path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PatternError,
    },
    /// A secret of a build that cannot be read.
    #[error("building {image}: secret `{secret}` {reason}")]
    Secret {
        /// The image.
        image: String,
        /// Its key.
        secret: String,
        /// Why; never the value.
        reason: String,
    },
    /// A recipe that cannot be understood.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A recipe's command failed.
    #[error("recipe {} for {image} {reason}", .recipe.display())]
    Bootstrap {
        /// The image.
        image: String,
        /// The recipe's folder.
        recipe: PathBuf,
        /// What happened (`exited with 1`, `did not end within 15m0s`).
        reason: String,
        /// Its last lines of output.
        lines: Vec<String>,
    },
    /// Tools that a recipe needs are missing and were not installed.
    #[error("recipe {} needs {}: {reason}", .recipe.display(), .missing.join(", "))]
    Tools {
        /// The recipe's folder.
        recipe: PathBuf,
        /// What is missing.
        missing: Vec<String>,
        /// Why it was not installed.
        reason: String,
        /// The command that installs it.
        command: String,
        /// The installer's last lines of output.
        lines: Vec<String>,
    },
    /// The engine failed, as opposed to not having the image.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The file system failed.
    #[error("{action} {}", .path.display())]
    Io {
        /// What was done (`reading`).
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: Arc<io::Error>,
    },
}

/// A source of an image, and why it did not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The source.
    pub source: Attempt,
    /// Why it did not help.
    pub reason: String,
}

impl ImageError {
    /// Whether it is the image that is missing (which `optional` excuses), as opposed to something that failed.
    pub fn is_missing_image(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Base { source, .. } => source.is_missing_image(),
            _ => false,
        }
    }

    /// Where what failed is a build, be it of a base image: the last lines that it wrote, oldest
    /// first, which the message does not repeat.
    pub fn failed_build(&self) -> Option<&[String]> {
        match self {
            Self::Build { lines, .. } | Self::Bootstrap { lines, .. } | Self::Tools { lines, .. } => {
                Some(lines)
            }
            Self::Base { source, .. } => match source.as_ref() {
                Self::Unavailable { .. } => None,
                source => Some(source.failed_build().unwrap_or_default()),
            },
            Self::Cycle(_)
            | Self::Unsupported { .. }
            | Self::Dockerfile { .. }
            | Self::Ignore { .. }
            | Self::Secret { .. }
            | Self::Recipe(_)
            | Self::Io { .. } => Some(&[]),
            Self::BadReference { .. }
            | Self::Unavailable { .. }
            | Self::PullRequired { .. }
            | Self::Engine(_) => None,
        }
    }

    /// What to do about it, one line each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Unavailable { reference, tried } => supply_hints(reference, tried, false),
            Self::Base { base, source, .. } => match source.as_ref() {
                Self::Unavailable { tried, .. } => supply_hints(base, tried, true),
                other => other.hints(),
            },
            Self::PullRequired { .. } => vec![
                "the engine has a copy of it: `--pull missing` (or `pull_policy: missing`) uses that"
                    .to_owned(),
            ],
            Self::Tools { command, .. } => vec![format!("install it: {command}")],
            Self::Secret { .. } => vec!["secrets of a build come from the top-level `secrets`".to_owned()],
            _ => Vec::new(),
        }
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

fn supply_hints(reference: &str, tried: &[Tried], is_base: bool) -> Vec<String> {
    let pulled = tried
        .iter()
        .any(|t| t.source == Attempt::Pull && t.reason.contains("reached"));
    let mut hints = Vec::new();
    if pulled {
        hints.push(
            "let the engine reach a registry: `registry-mirrors` or a proxy in the engine's daemon.json"
                .to_owned(),
        );
    }
    hints.push(format!(
        "bring it from a machine that has it: `docker save {reference} -o image.tar`, then here `docker load -i image.tar`"
    ));
    if is_base {
        hints.push(format!(
            "name a recipe that makes it, in the stack file: `x-platform: {{base_images: {{\"{reference}\": FOLDER}}}}`"
        ));
    }
    hints
}

fn list(tried: &[Tried]) -> String {
    let parts: Vec<_> = tried
        .iter()
        .map(|t| format!("{}: {}", t.source.as_str(), t.reason))
        .collect();
    parts.join("; ")
}
