//! Settings of `watch`.

use crate::base::ServiceName;

use super::super::args::develop::WatchArgs;
use super::super::args::up::UpArgs;
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::super::terminal::Terminal;
use super::up::UpSettings;
use super::{GlobalSettings, service_names};

/// What `watch` is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether they are built and started first.
    pub start: bool,
    /// How that is done, and how containers are replaced later.
    pub up: UpSettings,
    /// Whether images that builds replace are removed.
    pub prune: bool,
    /// Whether the output of builds is not shown.
    pub quiet: bool,
}

impl WatchSettings {
    /// Resolves the arguments of `watch`.
    ///
    /// # Errors
    /// What makes no sense in the environment.
    pub fn resolve(
        args: WatchArgs,
        global: &GlobalSettings,
        env: &Environment,
        terminal: Terminal,
    ) -> Result<Self, ExpectedError> {
        let up = UpArgs {
            services: args.services.clone(),
            detach: true,
            no_smoke: true,
            quiet_build: args.quiet,
            quiet_pull: args.quiet,
            ..UpArgs::default()
        };
        Ok(Self {
            services: service_names(args.services),
            start: !args.no_up,
            up: UpSettings::resolve(up, global, env, terminal)?.of("watch"),
            prune: args.prune,
            quiet: args.quiet,
        })
    }
}
