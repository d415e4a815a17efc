//! Settings of `start`, `stop`, `restart` and their like, and of `dashboard`.

use std::path::PathBuf;
use std::time::Duration;

use crate::plan::{Change, Which};

use super::super::args::up::{DashboardArgs, StartArgs, StopArgs};
use super::super::env::{self, Environment};
use super::super::exit::ExpectedError;
use super::up::{engine_timeout, lock_timeout, stop_timeout};
use super::{seconds, service_names};

/// What `start`, `stop`, `restart`, `kill`, `pause` or `unpause` is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleSettings {
    /// Which of them.
    pub change: Change,
    /// Which containers.
    pub which: Which,
    /// Grace period of a stop; each container's own where absent.
    pub timeout: Option<Duration>,
    /// How long one that was started may take to be ready; its own deadline where absent.
    pub wait_timeout: Option<Duration>,
    /// The longest time that the engine is waited for once it stops answering.
    pub engine_timeout: Duration,
    /// The longest time that another run of the project is waited for.
    pub lock_timeout: Duration,
}

impl LifecycleSettings {
    /// Resolves the arguments of `stop` and `restart`.
    ///
    /// # Errors
    /// What is no duration.
    pub fn resolve(change: Change, args: StopArgs, env: &Environment) -> Result<Self, ExpectedError> {
        Ok(Self {
            change,
            which: Which::Services(service_names(args.services)),
            timeout: stop_timeout(args.timeout.as_deref())?,
            wait_timeout: None,
            engine_timeout: engine_timeout(None, env)?,
            lock_timeout: lock_timeout(None, env)?,
        })
    }

    /// Resolves the arguments of `start`.
    ///
    /// # Errors
    /// What is no duration.
    pub fn start(args: StartArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let wait_timeout = args
            .wait_timeout
            .as_deref()
            .map(|text| seconds("--wait-timeout", text))
            .transpose()?;
        let args = StopArgs {
            services: args.services,
            timeout: None,
        };
        Ok(Self {
            wait_timeout,
            ..Self::resolve(Change::Start, args, env)?
        })
    }
}

/// What `dashboard` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardSettings {
    /// Whether everything that changes the project is refused.
    pub read_only: bool,
    /// The settings file, absolute; whether it was named, and so has to be there.
    pub file: Option<(PathBuf, bool)>,
    /// Whether only the default settings are printed.
    pub print_settings: bool,
    /// What is remembered between two times, absolute.
    pub remembered: Option<PathBuf>,
}

impl DashboardSettings {
    /// Resolves the arguments of `dashboard`.
    pub fn resolve(args: DashboardArgs, env: &Environment) -> Self {
        let home = |variable: &str, under: &str| {
            env.get(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .or_else(|| env.get(env::HOME).map(|home| PathBuf::from(home).join(under)))
                .map(|folder| folder.join("platform"))
        };
        let usual =
            home(env::XDG_CONFIG_HOME, ".config").map(|folder| (folder.join("dashboard.toml"), false));
        Self {
            read_only: args.read_only,
            file: args.settings.map(|file| (env.absolute(&file), true)).or(usual),
            print_settings: args.print_settings,
            remembered: home(env::XDG_STATE_HOME, ".local/state").map(|folder| folder.join("dashboard.json")),
        }
    }
}
