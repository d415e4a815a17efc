//! Arguments of the commands that change nothing in the stack.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `ps`.
#[derive(Debug, Clone, Default, Args)]
pub struct PsArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Show stopped and one-off containers too
    #[arg(short, long)]
    pub all: bool,
    /// Show ids only
    #[arg(short, long)]
    pub quiet: bool,
    /// Show the names of services only
    #[arg(long = "services")]
    pub service_names: bool,
    /// `table` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,
    /// Only containers with this property: `status=running`
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Option<String>,
    /// Only containers in this state
    #[arg(long, value_name = "STATE")]
    pub status: Vec<StatusArg>,
    /// Whether containers of services that are not in the stack are shown
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub orphans: bool,
    /// Show long values in full
    #[arg(long)]
    pub no_trunc: bool,
}

/// `ps --status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// Created, not started
    Created,
    /// Running
    Running,
    /// Frozen
    Paused,
    /// Between an exit and the next start
    Restarting,
    /// Being removed
    Removing,
    /// Ended
    Exited,
    /// Broken
    Dead,
}

/// Arguments of `logs`.
#[derive(Debug, Clone, Default, Args)]
pub struct LogsArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Go on as lines are written
    #[arg(short, long)]
    pub follow: bool,
    /// Number of lines from the end of each container's log, or `all`
    #[arg(short = 'n', long, value_name = "N", default_value = "all")]
    pub tail: String,
    /// From this time on: a timestamp, or an age such as 42m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Up to this time: a timestamp, or an age such as 42m
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Show when each line was written
    #[arg(short, long)]
    pub timestamps: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    /// No service names before the lines
    #[arg(long)]
    pub no_log_prefix: bool,
    /// Number of the container where a service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// Only lines in which this regular expression is found; --tail counts these
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub grep: Option<String>,
    /// Upper and lower case are the same to --grep
    #[arg(short, long, requires = "grep")]
    pub ignore_case: bool,
    /// Only lines in which --grep is not found
    #[arg(long, requires = "grep")]
    pub invert_match: bool,
}

/// Arguments of `exec`.
#[derive(Debug, Clone, Default, Args)]
pub struct ExecArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<String>,
    /// Start the command and return
    #[arg(short, long)]
    pub detach: bool,
    /// Set a variable; `NAME` alone takes its value from here
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// No terminal in the container, also where there is one here
    #[arg(short = 'T', long = "no-tty", alias = "no-TTY")]
    pub no_tty: bool,
    /// User, and group after a colon
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Folder that the command runs in
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
    /// With all privileges
    #[arg(long)]
    pub privileged: bool,
    /// Number of the container where a service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// Keys that leave the command running, on a terminal; default ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// Pass standard input on; the default
    #[arg(short, long, hide = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub interactive: Option<bool>,
    /// Accepted for docker compose's sake: the default on a terminal
    #[arg(short, long, hide = true)]
    pub tty: bool,
}

/// Arguments of `smoke`.
#[derive(Debug, Clone, Default, Args)]
pub struct SmokeArgs {
    /// Names of tests; all where none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// How results are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: SmokeFormatArg,
    /// Write the results to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `smoke --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SmokeFormatArg {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// JUnit's XML
    Junit,
}

/// Arguments of `doctor`.
#[derive(Debug, Clone, Default, Args)]
pub struct DoctorArgs {
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DoctorFormatArg,
}

/// `doctor --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormatArg {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// Arguments of `init`.
#[derive(Debug, Clone, Default, Args)]
pub struct InitArgs {
    /// The folder; the current one where absent
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `version`.
#[derive(Debug, Clone, Default, Args)]
pub struct VersionArgs {
    /// How the version is written
    #[arg(short, long, value_name = "FORMAT", default_value = "pretty")]
    pub format: VersionFormatArg,
    /// Print the number only
    #[arg(long)]
    pub short: bool,
}

/// `version --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum VersionFormatArg {
    /// For people
    #[default]
    Pretty,
    /// JSON
    Json,
}

/// Arguments of `man`.
#[derive(Debug, Clone, Default, Args)]
pub struct ManArgs {
    /// The folder, such as ~/.local/share/man/man1; made where it is missing
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: ShellArg,
}

/// A shell with completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
    /// Elvish
    Elvish,
    /// PowerShell
    #[value(name = "powershell")]
    PowerShell,
}
