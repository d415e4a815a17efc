//! Arguments of `watch`.

use clap::{ArgAction, Args};

/// Arguments of `watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Services; all where none is named. Their dependencies come along
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Do not build and start the services first
    #[arg(long)]
    pub no_up: bool,
    /// Remove the images that builds replace
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, action = ArgAction::Set)]
    pub prune: bool,
    /// Do not show the output of builds
    #[arg(long)]
    pub quiet: bool,
}
