//! Arguments of the commands that manage containers that are there.

use clap::Args;

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
