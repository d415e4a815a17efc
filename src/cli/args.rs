//! Arguments as typed. Nothing is decided here: [`super::settings`] resolves them with the
//! environment, and no command sees these types.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::exit;

pub mod config;
pub mod copy;
pub mod develop;
pub mod lists;
pub mod manage;
pub mod observe;
pub mod run;
pub mod supply;
pub mod up;
pub mod watch;

/// Brings a whole platform up on a container engine, proves every service ready, and shows it.
#[derive(Debug, Parser)]
#[command(
    name = "platform",
    bin_name = "platform",
    disable_version_flag = true,
    disable_help_flag = true,
    max_term_width = 100,
    after_help = exit::exit_codes_text()
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// Show the version
    #[arg(short = 'v', long)]
    pub version: bool,
    /// Show this help
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    pub help: Option<bool>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// Stack file; several are merged in order, `-` is standard input
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Name of the project
    #[arg(short, long, value_name = "NAME")]
    pub project_name: Option<String>,
    /// Use stacks/NAME.yaml
    #[arg(long, value_name = "NAME", global = true)]
    pub stack: Option<String>,
    /// Activate a profile (`*`: all)
    #[arg(long = "profile", value_name = "NAME", global = true)]
    pub profiles: Vec<String>,
    /// Read variables from this file instead of `.env`
    #[arg(long = "env-file", value_name = "FILE", global = true)]
    pub env_files: Vec<PathBuf>,
    /// Folder that relative paths are resolved against
    #[arg(long, value_name = "DIR", global = true)]
    pub project_directory: Option<PathBuf>,
    /// How progress is shown
    #[arg(long, value_name = "HOW", global = true)]
    pub progress: Option<ProgressArg>,
    /// When colours and cursor control are used
    #[arg(long, value_name = "WHEN", global = true)]
    pub ansi: Option<AnsiArg>,
    /// How many operations run at once; -1 for no limit
    #[arg(long, value_name = "N", global = true, allow_negative_numbers = true)]
    pub parallel: Option<i64>,
    /// Include networks and volumes that no service uses
    #[arg(long, global = true)]
    pub all_resources: bool,
    /// Show what would be done and change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Tell every step and probe
    #[arg(long, global = true)]
    pub verbose: bool,
    /// What is traced to standard error; `target=level` may follow, separated by commas
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log_level: Option<String>,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A live tree on a terminal, else plain lines
    Auto,
    /// A live tree
    Tty,
    /// A line for each change
    Plain,
    /// One JSON object a line
    Json,
    /// Only warnings and errors
    Quiet,
}

/// `--ansi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnsiArg {
    /// On a terminal
    Auto,
    /// Also without a terminal
    Always,
    /// Not at all
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create and start the stack, prove every service ready, run the smoke tests
    Up(Box<up::UpArgs>),
    /// Stop and remove the stack's containers and networks
    Down(up::DownArgs),
    /// Create the stack's containers and start none
    Create(manage::CreateArgs),
    /// Start the stack and keep its containers in step with the files that change
    Watch(develop::WatchArgs),
    /// Change how many containers services have
    Scale(manage::ScaleArgs),
    /// Build images, and start nothing
    Build(supply::BuildArgs),
    /// Pull images, and start nothing
    Pull(supply::PullArgs),
    /// Push the images of services to their registries
    Push(supply::PushArgs),
    /// Show what `up` would do, and why
    Plan(up::PlanArgs),
    /// Start containers that are there, dependencies first, and prove them ready
    Start(up::StartArgs),
    /// Stop containers, dependents first; nothing is removed
    Stop(up::StopArgs),
    /// Stop and start containers
    Restart(up::StopArgs),
    /// Send containers a signal, SIGKILL where none is named
    Kill(manage::KillArgs),
    /// Freeze the processes of containers
    Pause(manage::ServicesArgs),
    /// Let the processes of paused containers go on
    Unpause(manage::ServicesArgs),
    /// Remove containers that do not run
    Rm(manage::RmArgs),
    /// Wait until containers have ended; the exit code is theirs
    Wait(manage::WaitArgs),
    /// Show the living stack in a terminal dashboard, and act on it
    #[command(visible_alias = "ui")]
    Dashboard(up::DashboardArgs),
    /// List the project's containers
    Ps(observe::PsArgs),
    /// List the projects that the engine has
    Ls(lists::LsArgs),
    /// List the images that the project's containers were made from
    Images(lists::ImagesArgs),
    /// List the project's volumes
    Volumes(lists::VolumesArgs),
    /// Show where a port of a container is bound on the host
    Port(manage::PortArgs),
    /// Show the output of containers
    Logs(observe::LogsArgs),
    /// Show what containers use of the machine
    Stats(watch::StatsArgs),
    /// Show what happens to containers, as it happens
    Events(watch::EventsArgs),
    /// Show the processes in containers
    Top(watch::TopArgs),
    /// Run a command in a running container
    Exec(observe::ExecArgs),
    /// Run a command in a container of its own, with what the service depends on proven ready
    Run(Box<run::RunArgs>),
    /// Attach this terminal to a service's own process
    Attach(run::AttachArgs),
    /// Copy files between this machine and a service's containers
    Cp(copy::CpArgs),
    /// Write a container's file system as a tar
    Export(copy::ExportArgs),
    /// Make an image of a container as it is now
    Commit(copy::CommitArgs),
    /// Run the stack's smoke tests
    Smoke(observe::SmokeArgs),
    /// Show the stack as it is understood
    #[command(alias = "convert")]
    Config(config::ConfigArgs),
    /// Look for what is wrong on this machine, and say what to do
    Doctor(observe::DoctorArgs),
    /// Write the reference platform into a folder
    Init(observe::InitArgs),
    /// Print a completion script for a shell
    Completions(observe::CompletionsArgs),
    /// Write the manual pages into a folder; without one, print that of `platform`
    Man(observe::ManArgs),
    /// Show the version
    Version(observe::VersionArgs),
}
