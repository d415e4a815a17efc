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
    /// Not supported
    #[arg(long, hide = true)]
    pub push: bool,
    /// Not supported
    #[arg(long, hide = true)]
    pub check: bool,
    /// Not supported
    #[arg(long, hide = true)]
    pub print: bool,
    /// Not supported
    #[arg(long, hide = true, value_name = "NAME")]
    pub builder: Option<String>,
    /// Not supported
    #[arg(long, hide = true, value_name = "WHAT")]
    pub provenance: Option<String>,
    /// Not supported
    #[arg(long, hide = true, value_name = "WHAT")]
    pub sbom: Option<String>,
    /// Accepted for docker compose's sake: BuildKit has no such limit
    #[arg(short, long, hide = true, value_name = "BYTES")]
    pub memory: Option<String>,
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
