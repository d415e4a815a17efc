//! Arguments of `config`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `config`.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// Services, with their dependencies; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// How the stack is written
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub format: ConfigFormatArg,
    /// Only check; print nothing
    #[arg(short, long)]
    pub quiet: bool,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print the names of services
    #[arg(long = "services", group = "list")]
    pub service_names: bool,
    /// Print the references of images
    #[arg(long, group = "list")]
    pub images: bool,
    /// Print the keys of volumes
    #[arg(long, group = "list")]
    pub volumes: bool,
    /// Print the keys of networks
    #[arg(long, group = "list")]
    pub networks: bool,
    /// Print the names of profiles
    #[arg(long = "profiles", group = "list")]
    pub profile_names: bool,
    /// Print each service with the hash of its definition; `*` for all, else names separated by commas
    #[arg(long, value_name = "SERVICES", group = "list")]
    pub hash: Option<String>,
    /// Print the variables that the stack is interpolated with
    #[arg(long, group = "list")]
    pub environment: bool,
    /// Print the variables that the stack uses, and what stands for them where they have no value
    #[arg(long, group = "list")]
    pub variables: bool,
    /// Print the keys of models
    #[arg(long, group = "list")]
    pub models: bool,
    /// Tell where a value came from, and what it won over: a variable, or a path such as services.web.image
    #[arg(long, value_name = "NAME", group = "list")]
    pub explain: Option<String>,
    /// Leave variables as they are written
    #[arg(long)]
    pub no_interpolate: bool,
    /// Do not write out what is implied: default networks, full names, dependencies
    #[arg(long)]
    pub no_normalize: bool,
    /// Leave relative paths as they are written
    #[arg(long)]
    pub no_path_resolution: bool,
    /// Accepted for docker compose's sake: it has no effect there either
    #[arg(long)]
    pub no_env_resolution: bool,
    /// Do not check that the parts fit together
    #[arg(long)]
    pub no_consistency: bool,
    /// Not supported
    #[arg(long, hide = true)]
    pub resolve_image_digests: bool,
    /// Not supported
    #[arg(long, hide = true)]
    pub lock_image_digests: bool,
}

/// `config --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormatArg {
    /// YAML
    #[default]
    Yaml,
    /// JSON
    Json,
}
