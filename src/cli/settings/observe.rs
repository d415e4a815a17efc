//! Settings of the commands that change nothing in the stack.

use std::path::PathBuf;

use crate::base::ServiceName;
use crate::view::grep::Grep;
use crate::view::logs::LogStyle;
use crate::view::ps::PsTemplate;

use super::super::args::observe::{
    DoctorArgs, DoctorFormatArg, ExecArgs, InitArgs, LogsArgs, ManArgs, PsArgs, ShellArg, SmokeArgs,
    SmokeFormatArg, StatusArg, VersionArgs, VersionFormatArg,
};
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::super::terminal::Terminal;
use super::{GlobalSettings, service_names};

/// What `ps` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether stopped and one-off containers are shown.
    pub all: bool,
    /// What is written of each.
    pub shape: PsShape,
    /// States to show, in the engine's words; where empty, those that `all` says.
    pub states: Vec<&'static str>,
    /// Whether containers of services that are not in the stack are shown.
    pub orphans: bool,
    /// Whether long values are shown in full.
    pub full: bool,
}

/// What `ps` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PsShape {
    /// Ids.
    Ids,
    /// Names of services.
    Services,
    /// Everything.
    Rows(PsFormat),
}

/// How `ps` writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PsFormat {
    /// A table.
    Table,
    /// One JSON object a line, as docker compose writes them.
    Json,
    /// Fields of each row.
    Template(PsTemplate),
}

impl PsSettings {
    /// Resolves the arguments of `ps`.
    ///
    /// # Errors
    /// What makes no sense, or is not supported.
    pub fn resolve(args: PsArgs) -> Result<Self, ExpectedError> {
        let format = match args.format.as_str() {
            "table" | "" => PsFormat::Table,
            "json" => PsFormat::Json,
            other if other.contains("{{") => PsFormat::Template(
                PsTemplate::parse(other).map_err(|what| ExpectedError::usage(format!("--format: {what}")))?,
            ),
            other => {
                return Err(ExpectedError::usage(format!(
                    "--format is `{other}`; expected table or json"
                )));
            }
        };
        let mut states: Vec<&'static str> = args.status.iter().map(|s| status_word(*s)).collect();
        if let Some(filter) = &args.filter {
            states.push(filtered_state(filter)?);
        }
        Ok(Self {
            services: service_names(args.services),
            all: args.all,
            shape: match (args.quiet, args.service_names) {
                (true, _) => PsShape::Ids,
                (false, true) => PsShape::Services,
                (false, false) => PsShape::Rows(format),
            },
            states,
            orphans: args.orphans,
            full: args.no_trunc,
        })
    }
}

const STATES: [&str; 7] = [
    "created",
    "running",
    "paused",
    "restarting",
    "removing",
    "exited",
    "dead",
];

fn status_word(status: StatusArg) -> &'static str {
    match status {
        StatusArg::Created => "created",
        StatusArg::Running => "running",
        StatusArg::Paused => "paused",
        StatusArg::Restarting => "restarting",
        StatusArg::Removing => "removing",
        StatusArg::Exited => "exited",
        StatusArg::Dead => "dead",
    }
}

fn filtered_state(filter: &str) -> Result<&'static str, ExpectedError> {
    match filter.split_once('=') {
        Some(("status", value)) => STATES.iter().find(|s| **s == value).copied().ok_or_else(|| {
            ExpectedError::usage(format!(
                "--filter has `status={value}`; expected one of {}",
                STATES.join(", ")
            ))
        }),
        Some(("source", _)) => Err(ExpectedError::not_supported(
            "--filter source",
            "only status=STATE is",
        )),
        _ => Err(ExpectedError::usage(format!(
            "--filter is `{filter}`; expected status=STATE"
        ))),
    }
}

/// What `logs` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogsSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether it goes on as lines are written.
    pub follow: bool,
    /// Lines from the end of each container's log; all where absent.
    pub tail: Option<u64>,
    /// From this time on, as typed.
    pub since: Option<String>,
    /// Up to this time, as typed.
    pub until: Option<String>,
    /// The number of the container; all where absent.
    pub index: Option<u32>,
    /// Which lines are shown; all where absent.
    pub grep: Option<Grep>,
    /// How lines are written.
    pub style: LogStyle,
}

impl LogsSettings {
    /// Resolves the arguments of `logs`.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(args: LogsArgs, global: &GlobalSettings) -> Result<Self, ExpectedError> {
        let tail = match args.tail.as_str() {
            "all" | "" | "-1" => None,
            text => Some(text.parse().map_err(|_| {
                ExpectedError::usage(format!("--tail is `{text}`; expected a number of lines or `all`"))
            })?),
        };
        let grep = args.grep.map(|pattern| {
            Grep::new(&pattern, args.ignore_case, args.invert_match).map_err(|reason| {
                ExpectedError::usage(format!(
                    "--grep is `{pattern}`; expected a regular expression: {reason}"
                ))
            })
        });
        Ok(Self {
            services: service_names(args.services),
            follow: args.follow,
            tail,
            grep: grep.transpose()?,
            since: args.since,
            until: args.until,
            index: args.index,
            style: global.log_style(!args.no_log_prefix, args.timestamps, args.no_color),
        })
    }
}

/// What `exec` runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecSettings {
    /// The service.
    pub service: ServiceName,
    /// The number of the container; the first that runs where absent.
    pub index: Option<u32>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Whether it is only started.
    pub detach: bool,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Whether it gets standard input.
    pub stdin: bool,
    /// The keys that leave it running, as typed.
    pub detach_keys: Option<String>,
    /// Environment, `NAME=value`.
    pub env: Vec<String>,
    /// `user[:group]`.
    pub user: Option<String>,
    /// The folder it runs in.
    pub working_dir: Option<String>,
    /// Whether with all privileges.
    pub privileged: bool,
}

impl ExecSettings {
    /// Resolves the arguments of `exec`.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(args: ExecArgs, env: &Environment, terminal: Terminal) -> Result<Self, ExpectedError> {
        let variables = args
            .env
            .into_iter()
            .filter_map(|text| {
                if text.contains('=') {
                    Some(text)
                } else {
                    // As docker does: a bare name takes its value from here, or is left out.
                    env.vars().get(&text).map(|value| format!("{text}={value}"))
                }
            })
            .collect();
        super::check_index(args.index)?;
        Ok(Self {
            service: args.service.into(),
            index: args.index,
            command: args.command,
            detach: args.detach,
            // Without a terminal on both sides there is nothing that it could serve.
            tty: !args.no_tty && !args.detach && terminal.stdin && terminal.stdout,
            stdin: args.interactive != Some(false),
            detach_keys: args.detach_keys,
            env: variables,
            user: args.user,
            working_dir: args.workdir,
            privileged: args.privileged,
        })
    }
}

/// What `smoke` runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeSettings {
    /// Names of tests; all where empty.
    pub names: Vec<String>,
    /// How results are written.
    pub format: ReportFormat,
    /// A file to write them to, absolute; standard output where absent.
    pub output: Option<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// JUnit's XML.
    Junit,
}

impl SmokeSettings {
    /// Resolves the arguments of `smoke`.
    pub fn resolve(args: SmokeArgs, env: &Environment) -> Self {
        Self {
            names: args.names,
            format: match args.format {
                SmokeFormatArg::Text => ReportFormat::Text,
                SmokeFormatArg::Json => ReportFormat::Json,
                SmokeFormatArg::Junit => ReportFormat::Junit,
            },
            output: args.output.map(|file| env.absolute(&file)),
        }
    }
}

/// What `doctor` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoctorSettings {
    /// Whether as JSON.
    pub json: bool,
}

impl DoctorSettings {
    /// Resolves the arguments of `doctor`.
    pub fn resolve(args: &DoctorArgs) -> Self {
        Self {
            json: args.format == DoctorFormatArg::Json,
        }
    }
}

/// Where `init` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitSettings {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// The folder as typed, for people.
    pub shown: PathBuf,
    /// Whether files that are there are written over.
    pub force: bool,
}

impl InitSettings {
    /// Resolves the arguments of `init`.
    pub fn resolve(args: InitArgs, env: &Environment) -> Self {
        let shown = args.dir.unwrap_or_else(|| PathBuf::from("."));
        Self {
            dir: env.absolute(&shown),
            shown,
            force: args.force,
        }
    }
}

/// Where `man` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManSettings {
    /// The folder, absolute; where absent, the program's page goes to standard output.
    pub dir: Option<PathBuf>,
}

impl ManSettings {
    /// Resolves the arguments of `man`.
    pub fn resolve(args: ManArgs, env: &Environment) -> Self {
        Self {
            dir: args.dir.map(|dir| env.absolute(&dir)),
        }
    }
}

/// What `version` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionSettings {
    /// How.
    pub format: VersionFormat,
}

/// How `version` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionFormat {
    /// For people.
    Pretty,
    /// JSON.
    Json,
    /// The number only.
    Short,
}

impl VersionSettings {
    /// Resolves the arguments of `version`.
    pub fn resolve(args: &VersionArgs) -> Self {
        Self {
            format: match (args.short, args.format) {
                (true, _) => VersionFormat::Short,
                (false, VersionFormatArg::Pretty) => VersionFormat::Pretty,
                (false, VersionFormatArg::Json) => VersionFormat::Json,
            },
        }
    }
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// Elvish.
    Elvish,
    /// PowerShell.
    PowerShell,
}

impl From<ShellArg> for Shell {
    fn from(shell: ShellArg) -> Self {
        match shell {
            ShellArg::Bash => Self::Bash,
            ShellArg::Zsh => Self::Zsh,
            ShellArg::Fish => Self::Fish,
            ShellArg::Elvish => Self::Elvish,
            ShellArg::PowerShell => Self::PowerShell,
        }
    }
}
