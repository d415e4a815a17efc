//! Arguments of `run` and `attach`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `run`.
#[derive(Debug, Clone, Default, Args)]
#[command(override_usage = "platform run [OPTIONS] <SERVICE> [COMMAND]...")]
pub struct RunArgs {
    /// The service, then the command and its arguments; the service's own where absent
    // One list: whatever follows the service is the command's, also what looks like a flag of ours.
    #[arg(value_name = "SERVICE", required = true, trailing_var_arg = true)]
    pub words: Vec<String>,

    /// Remove the container, and its anonymous volumes, when it has ended
    #[arg(long)]
    pub rm: bool,
    /// Start it, print its id and return
    #[arg(short, long)]
    pub detach: bool,
    /// Set a variable; `NAME` alone takes its value from here
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Set the variables of a file; `--env` comes before it
    #[arg(long, value_name = "FILE")]
    pub env_from_file: Vec<PathBuf>,
    /// Add a label to the container
    #[arg(short, long, alias = "labels", value_name = "NAME=VALUE")]
    pub label: Vec<String>,
    /// Mount a folder or volume as well
    #[arg(short, long, alias = "volumes", value_name = "[SOURCE:]TARGET[:OPTIONS]")]
    pub volume: Vec<String>,
    /// Publish a port of the container
    #[arg(
        short,
        long,
        value_name = "[[IP:]PORT:]PORT[/PROTOCOL]",
        conflicts_with = "service_ports"
    )]
    pub publish: Vec<String>,
    /// Publish the service's ports
    #[arg(short = 'P', long)]
    pub service_ports: bool,
    /// Name of the container
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Do not bring up what the service depends on
    #[arg(long)]
    pub no_deps: bool,
    /// The entry point in the place of the service's or image's
    #[arg(long, value_name = "COMMAND")]
    pub entrypoint: Option<String>,
    /// Answer to the service's names on its networks
    #[arg(long)]
    pub use_aliases: bool,
    /// User, and group after a colon
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Folder that the command runs in
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// Add a capability
    #[arg(long, value_name = "CAPABILITY")]
    pub cap_add: Vec<String>,
    /// Drop a capability
    #[arg(long, value_name = "CAPABILITY")]
    pub cap_drop: Vec<String>,
    /// No terminal in the container, also where there is one here
    #[arg(short = 'T', long = "no-tty", alias = "no-TTY", value_name = "BOOL", num_args = 0..=1,
          default_missing_value = "true", require_equals = true, hide_possible_values = true)]
    pub no_tty: Option<bool>,
    /// Keep standard input open; `--interactive=false` does not
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          require_equals = true, hide_possible_values = true)]
    pub interactive: Option<bool>,
    /// Keys that leave the container running, on a terminal; default ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,

    /// Build images before
    #[arg(long)]
    pub build: bool,
    /// When images are pulled; what each service says where absent
    #[arg(long, value_name = "WHEN")]
    pub pull: Option<RunPullArg>,
    /// Do not show the progress of pulls
    #[arg(long)]
    pub quiet_pull: bool,
    /// Do not show the output of builds
    #[arg(long)]
    pub quiet_build: bool,
    /// Print nothing to standard output
    #[arg(short, long)]
    pub quiet: bool,
    /// Remove containers of services that are not in the stack any more
    #[arg(long)]
    pub remove_orphans: bool,

    /// How long dependencies may take to be ready; each one's own deadline where absent
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub wait_timeout: Option<String>,
    /// How long an engine that stops answering is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub engine_timeout: Option<String>,
    /// How long another run of the same project is waited for
    #[arg(long, value_name = "SECONDS|DURATION")]
    pub lock_timeout: Option<String>,
    /// A terminal in the container, also where there is none here
    #[arg(short, long, hide = true, conflicts_with = "no_tty")]
    pub tty: bool,
}

/// `run --pull`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunPullArg {
    /// On each run
    Always,
    /// Where the engine does not have the image
    Missing,
    /// Not at all
    Never,
    /// As each service says
    #[value(hide = true)]
    Policy,
}

/// Arguments of `attach`.
#[derive(Debug, Clone, Default, Args)]
pub struct AttachArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Keys that leave, on a terminal; default ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// Number of the container where a service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// Do not pass standard input on
    #[arg(long)]
    pub no_stdin: bool,
    /// Pass signals on to the process; `--sig-proxy=false` leaves at the first
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          require_equals = true, hide_possible_values = true)]
    pub sig_proxy: Option<bool>,
}
