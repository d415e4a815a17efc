//! Settings of the commands that manage containers that are there.

use std::time::Duration;

use crate::base::{ServiceName, Signal};
use crate::plan::{Change, Orphans, Which};
use crate::stack::diagnostic::did_you_mean;

use super::super::args::manage::{KillArgs, PortArgs, RmArgs, ServicesArgs, WaitArgs};
use super::super::args::up::{DownArgs, StopArgs};
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::up::{engine_timeout, lock_timeout};
use super::{DownSettings, LifecycleSettings, service_names};

impl LifecycleSettings {
    /// Resolves the arguments of `kill`.
    ///
    /// # Errors
    /// What is no signal.
    pub fn kill(args: KillArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let signal = Signal::parse(&args.signal).ok_or_else(|| {
            let name = args.signal.to_ascii_uppercase();
            let name = name.strip_prefix("SIG").unwrap_or(&name);
            ExpectedError::Usage {
                message: format!(
                    "`{}` is no signal; expected a name such as SIGHUP or a number",
                    args.signal
                ),
                hint: did_you_mean(name, Signal::names().iter().copied()),
            }
        })?;
        Ok(Self {
            which: Which::OfStack {
                services: service_names(args.services),
                oneoff: true,
                orphans: args.remove_orphans,
            },
            ..Self::resolve(Change::Kill(signal), StopArgs::default(), env)?
        })
    }

    /// Resolves the arguments of `pause` and `unpause`.
    ///
    /// # Errors
    /// A variable that holds no duration.
    pub fn freeze(change: Change, args: ServicesArgs, env: &Environment) -> Result<Self, ExpectedError> {
        Ok(Self {
            which: Which::OfStack {
                services: service_names(args.services),
                oneoff: false,
                orphans: false,
            },
            ..Self::resolve(change, StopArgs::default(), env)?
        })
    }
}

/// What `rm` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RmSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether nobody is asked.
    pub force: bool,
    /// Whether containers that run are stopped and removed too.
    pub stop: bool,
    /// Whether anonymous volumes go too.
    pub volumes: bool,
    /// The longest time that the engine is waited for once it stops answering.
    pub engine_timeout: Duration,
    /// The longest time that another run of the project is waited for.
    pub lock_timeout: Duration,
}

impl RmSettings {
    /// Resolves the arguments of `rm`.
    ///
    /// # Errors
    /// A variable that holds no duration.
    pub fn resolve(args: RmArgs, env: &Environment) -> Result<Self, ExpectedError> {
        Ok(Self {
            services: service_names(args.services),
            force: args.force,
            stop: args.stop,
            volumes: args.volumes,
            engine_timeout: engine_timeout(None, env)?,
            lock_timeout: lock_timeout(None, env)?,
        })
    }
}

/// What `wait` waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitSettings {
    /// Services that were named.
    pub services: Vec<ServiceName>,
    /// The `down` that follows, where one was asked for.
    pub down: Option<DownSettings>,
}

impl WaitSettings {
    /// Resolves the arguments of `wait`.
    ///
    /// # Errors
    /// A variable that holds no duration.
    pub fn resolve(args: WaitArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let down = || -> Result<DownSettings, ExpectedError> {
            Ok(DownSettings {
                orphans: Orphans::Remove,
                ..DownSettings::resolve(DownArgs::default(), env)?
            })
        };
        Ok(Self {
            services: service_names(args.services),
            down: args.down_project.then(down).transpose()?,
        })
    }
}

/// What `port` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortSettings {
    /// The service.
    pub service: ServiceName,
    /// The port in the container.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The container's number; any that runs where absent.
    pub index: Option<u32>,
}

impl PortSettings {
    /// Resolves the arguments of `port`.
    pub fn resolve(args: PortArgs) -> Self {
        Self {
            service: args.service.into(),
            port: args.private_port,
            protocol: args.protocol.to_ascii_lowercase(),
            // docker compose's own "no number".
            index: args.index.filter(|index| *index > 0),
        }
    }
}
