//! Arguments of the commands that manage containers that are there.

use clap::Args;

use super::up::{PullArg, UpArgs};

/// Arguments of `pause` and `unpause`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServicesArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Arguments of `kill`.
#[derive(Debug, Clone, Default, Args)]
pub struct KillArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// The signal, by name or number
    #[arg(short, long, value_name = "SIGNAL", default_value = "SIGKILL")]
    pub signal: String,
    /// Also containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,
}

/// Arguments of `rm`.
#[derive(Debug, Clone, Default, Args)]
pub struct RmArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Also containers that run: they are stopped first
    #[arg(short, long)]
    pub stop: bool,
    /// Remove their anonymous volumes too
    #[arg(short, long)]
    pub volumes: bool,
    /// Accepted for docker compose's sake: without effect there too
    #[arg(short, long, hide = true)]
    pub all: bool,
}

/// Arguments of `wait`.
#[derive(Debug, Clone, Default, Args)]
pub struct WaitArgs {
    /// Services
    #[arg(value_name = "SERVICE", required = true)]
    pub services: Vec<String>,
    /// Take the project down when they have ended
    #[arg(long)]
    pub down_project: bool,
}

/// Arguments of `port`.
#[derive(Debug, Clone, Default, Args)]
pub struct PortArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The port in the container
    #[arg(value_name = "PRIVATE_PORT")]
    pub private_port: u16,
    /// tcp or udp
    #[arg(long, value_name = "PROTOCOL", default_value = "tcp")]
    pub protocol: String,
    /// Number of the container where the service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
}

/// Arguments of `create`.
#[derive(Debug, Clone, Default, Args)]
pub struct CreateArgs {
    /// Services; all where none is named. Their dependencies come along
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Build images before
    #[arg(long, conflicts_with = "no_build")]
    pub build: bool,
    /// Do not build images
    #[arg(long)]
    pub no_build: bool,
    /// When images are pulled; each service's own policy where absent
    #[arg(long, value_name = "WHEN")]
    pub pull: Option<PullArg>,
    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,
    /// Number of containers of a service
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,
    /// Replace containers even where nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    pub force_recreate: bool,
    /// Keep containers even where something changed
    #[arg(long)]
    pub no_recreate: bool,
    /// Remove containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Accepted for docker compose's sake: nothing is ever asked
    #[arg(short, long, hide = true)]
    pub yes: bool,
}

impl From<CreateArgs> for UpArgs {
    fn from(args: CreateArgs) -> Self {
        Self {
            services: args.services,
            build: args.build,
            no_build: args.no_build,
            pull: args.pull,
            quiet_pull: args.quiet_pull,
            scale: args.scale,
            force_recreate: args.force_recreate,
            no_recreate: args.no_recreate,
            remove_orphans: args.remove_orphans,
            no_start: true,
            ..Self::default()
        }
    }
}

/// Arguments of `scale`.
#[derive(Debug, Clone, Default, Args)]
pub struct ScaleArgs {
    /// A service and how many containers it is to have
    #[arg(value_name = "SERVICE=N", required = true)]
    pub services: Vec<String>,
    /// Leave the dependencies of these services alone
    #[arg(long)]
    pub no_deps: bool,
}

impl From<ScaleArgs> for UpArgs {
    fn from(args: ScaleArgs) -> Self {
        // What is no `SERVICE=N` is told where `--scale` is read.
        let service = |pair: &String| pair.split_once('=').map(|(service, _)| service.to_owned());
        Self {
            services: args.services.iter().filter_map(service).collect(),
            scale: args.services,
            no_deps: args.no_deps,
            detach: true,
            no_smoke: true,
            ..Self::default()
        }
    }
}
