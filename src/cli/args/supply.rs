//! Arguments of the commands that bring images onto the engine: `build`, `pull`.

use clap::{Args, ValueEnum};

/// Arguments of `build`.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildArgs {
    /// Services; all that have a build where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Set a build argument; without a value that of the environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub build_arg: Vec<String>,
    /// Use no cache
    #[arg(long)]
    pub no_cache: bool,
    /// Pull base images anew
    #[arg(long)]
    pub pull: bool,
    /// Build what the named services depend on as well
    #[arg(long)]
    pub with_dependencies: bool,
    /// Hand an SSH agent or key to the builds
    #[arg(long, value_name = "default|ID[=PATH]")]
    pub ssh: Vec<String>,
    /// Show only what fails
    #[arg(short, long)]
    pub quiet: bool,
    /// Push what was built, where the stack names it
    #[arg(long)]
    pub push: bool,
    /// Check the Dockerfiles, and build nothing (buildx)
    #[arg(long)]
    pub check: bool,
    /// Print the builds as a file for buildx bake, and build nothing
    #[arg(long)]
    pub print: bool,
    /// Build with this builder (buildx)
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Add a provenance attestation (buildx)
    #[arg(long, value_name = "WHAT")]
    pub provenance: Option<String>,
    /// Add a bill of materials (buildx)
    #[arg(long, value_name = "WHAT")]
    pub sbom: Option<String>,
    /// Accepted for docker compose's sake: BuildKit has no such limit
    #[arg(short, long, hide = true, value_name = "BYTES")]
    pub memory: Option<String>,
    /// Accepted for docker compose's sake: never so
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    pub compress: Option<Option<bool>>,
    /// Accepted for docker compose's sake: always so
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    pub force_rm: Option<Option<bool>>,
    /// Accepted for docker compose's sake: never so
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    pub no_rm: Option<Option<bool>>,
}

/// Arguments of `push`.
#[derive(Debug, Clone, Default, Args)]
pub struct PushArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Push what the named services depend on as well
    #[arg(long)]
    pub include_deps: bool,
    /// Push what can be pushed; the rest is no failure
    #[arg(long)]
    pub ignore_push_failures: bool,
    /// Show only what fails
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `pull`.
#[derive(Debug, Clone, Default, Args)]
pub struct PullArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Which images are pulled
    #[arg(long, value_name = "WHICH", default_value = "always")]
    pub policy: PullPolicyArg,
    /// Pull what the named services depend on as well
    #[arg(long)]
    pub include_deps: bool,
    /// Leave out images that can be built
    #[arg(long)]
    pub ignore_buildable: bool,
    /// Pull what can be pulled; the rest is no failure
    #[arg(long)]
    pub ignore_pull_failures: bool,
    /// Show only what fails
    #[arg(short, long)]
    pub quiet: bool,
}

/// `pull --policy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PullPolicyArg {
    /// All
    #[default]
    Always,
    /// Those that the engine does not have
    Missing,
}
