//! Settings of `build` and `pull`.

use crate::base::ServiceName;

use super::super::args::supply::{BuildArgs, PullArgs, PullPolicyArg};
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::service_names;

/// What `build` or `pull` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplySettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether their dependencies take part.
    pub dependencies: bool,
    /// Whether only failures are shown.
    pub quiet: bool,
    /// How images are to be had.
    pub how: How,
}

/// How images are to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Built, also where they are there.
    Build {
        /// Build arguments, over those of the stack; `None` has no value anywhere.
        args: Vec<(String, Option<String>)>,
        /// Whether no cache is used.
        no_cache: bool,
        /// Whether base images are pulled anew.
        pull: bool,
        /// SSH agents and keys, beside those of the stack.
        ssh: Vec<String>,
    },
    /// Pulled.
    Pull {
        /// Whether only what is missing.
        missing: bool,
        /// Whether images that can be built are left out.
        ignore_buildable: bool,
        /// Whether what cannot be pulled is no failure.
        ignore_failures: bool,
    },
}

impl How {
    /// The command's name.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Build { .. } => "build",
            Self::Pull { .. } => "pull",
        }
    }
}

impl SupplySettings {
    /// Resolves the arguments of `build`.
    ///
    /// # Errors
    /// What an engine's builder cannot be asked for.
    pub fn build(args: BuildArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let unsupported = [
            (args.push, "--push"),
            (args.check, "--check"),
            (args.print, "--print"),
            (args.builder.is_some(), "--builder"),
            (args.provenance.is_some(), "--provenance"),
            (args.sbom.is_some(), "--sbom"),
        ];
        if let Some((_, flag)) = unsupported.iter().find(|(given, _)| *given) {
            return Err(ExpectedError::not_supported(
                flag,
                "images are built by the engine itself, not by buildx",
            ));
        }
        let value = |text: String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => {
                let value = env.get(&text).map(str::to_owned);
                (text, value)
            }
        };
        Ok(Self {
            services: service_names(args.services),
            dependencies: args.with_dependencies,
            quiet: args.quiet,
            how: How::Build {
                args: args.build_arg.into_iter().map(value).collect(),
                no_cache: args.no_cache,
                pull: args.pull,
                ssh: args.ssh,
            },
        })
    }

    /// Resolves the arguments of `pull`.
    pub fn pull(args: PullArgs) -> Self {
        Self {
            services: service_names(args.services),
            dependencies: args.include_deps,
            quiet: args.quiet,
            how: How::Pull {
                missing: args.policy == PullPolicyArg::Missing,
                ignore_buildable: args.ignore_buildable,
                ignore_failures: args.ignore_pull_failures,
            },
        }
    }
}
