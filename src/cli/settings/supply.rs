//! Settings of `build` and `pull`.

use crate::base::ServiceName;
use crate::image::BuildxOptions;

use super::super::args::supply::{BuildArgs, PullArgs, PullPolicyArg, PushArgs};
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
        /// What buildx is asked, and whether images are pushed.
        buildx: BuildxOptions,
        /// What is done with the builds.
        action: Action,
        /// Whether a limit was asked for that BuildKit does not have.
        memory: bool,
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

/// What is done with builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// They are carried out.
    Build,
    /// Their Dockerfiles are checked.
    Check,
    /// They are printed for buildx bake.
    Print,
}

/// What `push` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether their dependencies take part.
    pub dependencies: bool,
    /// Whether only failures are shown.
    pub quiet: bool,
    /// Whether what cannot be pushed is no failure.
    pub ignore_failures: bool,
}

impl PushSettings {
    /// Resolves the arguments.
    pub fn resolve(args: PushArgs) -> Self {
        Self {
            services: service_names(args.services),
            dependencies: args.include_deps,
            quiet: args.quiet,
            ignore_failures: args.ignore_push_failures,
        }
    }
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
    /// An SSH agent or key that is not there, or makes no sense.
    pub fn build(args: BuildArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let ssh = args.ssh.into_iter().map(|key| ssh(key, env));
        let ssh = ssh.collect::<Result<Vec<_>, _>>()?;
        let named = |value: Option<&str>| value.filter(|name| !name.is_empty()).map(str::to_owned);
        let builder = named(args.builder.as_deref()).or_else(|| named(env.get("BUILDX_BUILDER")));
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
                ssh,
                buildx: BuildxOptions {
                    builder,
                    provenance: args.provenance,
                    sbom: args.sbom,
                    push: args.push,
                },
                action: match (args.print, args.check) {
                    (true, _) => Action::Print,
                    (false, true) => Action::Check,
                    (false, false) => Action::Build,
                },
                memory: args.memory.is_some(),
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

/// `--ssh`: `default`, or an id and where its agent or key is.
fn ssh(key: String, env: &Environment) -> Result<String, ExpectedError> {
    let wants_agent = matches!(key.as_str(), "" | "default");
    if !wants_agent && !key.contains('=') {
        return Err(ExpectedError::usage(format!(
            "invalid ssh key \"{key}\": expected `default` or ID=PATH"
        )));
    }
    if wants_agent && env.get("SSH_AUTH_SOCK").is_none_or(str::is_empty) {
        // In docker compose's words, which are BuildKit's.
        return Err(ExpectedError::NotAsWanted {
            message: "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set".to_owned(),
            hint: Some("start an agent (`eval $(ssh-agent)`), or name a key: `--ssh ID=PATH`".to_owned()),
        });
    }
    Ok(if wants_agent { "default".to_owned() } else { key })
}
