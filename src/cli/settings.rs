//! Settings: arguments and environment, resolved. Commands see these and nothing of clap.
//!
//! Order of precedence everywhere: argument, environment variable, default.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::ProjectName;
use crate::plan::Change;
use crate::view::logs::LogStyle;
use crate::view::style::{Ansi, Style, Surroundings};

use super::args::{AnsiArg, Cli, Command, GlobalArgs, ProgressArg};
use super::env::{self, Environment};
use super::exit::ExpectedError;
use super::persona::Persona;
use super::terminal::Terminal;

pub mod env_files;
pub mod lifecycle;
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
mod values;

pub use config::{ConfigFormat, ConfigList, ConfigSettings};
pub use copy::{CommitSettings, CpSettings, ExportSettings};
pub use develop::WatchSettings;
pub use env_files::with_env_files;
pub use lifecycle::{DashboardSettings, LifecycleSettings};
pub use lists::{ImagesSettings, ListShape, LsSettings, VolumesSettings};
pub use manage::{PortSettings, RmSettings, WaitSettings};
pub use observe::{
    DoctorSettings, ExecSettings, InitSettings, LogsSettings, ManSettings, PsFormat, PsSettings, PsShape,
    ReportFormat, Shell, SmokeSettings, VersionFormat, VersionSettings,
};
pub use run::{AttachSettings, RunSettings};
pub use supply::{Action, How, PushSettings, SupplySettings};
pub use up::{
    Abort, Attach, BuildChoice, DownSettings, PlanFormat, PlanSettings, PullChoice, RemoveImages,
    SmokeChoice, UpSettings, Wait, WhatToDo,
};
pub(super) use values::{check_index, seconds, service_names, timeout};
pub use watch::{EventsSettings, StatsSettings, TopSettings};

/// Everything that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What holds for every command.
    pub global: GlobalSettings,
    /// The command.
    pub command: CommandSettings,
}

/// The command and what it was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandSettings {
    /// `up`, `create`, `scale`
    Up(Box<UpSettings>),
    /// `watch`
    Watch(Box<WatchSettings>),
    /// `down`
    Down(DownSettings),
    /// `plan`
    Plan(PlanSettings),
    /// `start`, `stop`, `restart`, `kill`, `pause`, `unpause`
    Lifecycle(LifecycleSettings),
    /// `build`, `pull`.
    Supply(SupplySettings),
    /// `push`
    Push(PushSettings),
    /// `rm`
    Rm(RmSettings),
    /// `wait`
    Wait(Box<WaitSettings>),
    /// `port`
    Port(PortSettings),
    /// `ls`
    Ls(LsSettings),
    /// `images`
    Images(ImagesSettings),
    /// `volumes`
    Volumes(VolumesSettings),
    /// `dashboard`
    Dashboard(DashboardSettings),
    /// `ps`
    Ps(PsSettings),
    /// `logs`
    Logs(LogsSettings),
    /// `stats`
    Stats(StatsSettings),
    /// `events`
    Events(EventsSettings),
    /// `top`
    Top(TopSettings),
    /// `exec`
    Exec(ExecSettings),
    /// `run`
    Run(Box<RunSettings>),
    /// `attach`
    Attach(AttachSettings),
    /// `cp`
    Cp(CpSettings),
    /// `export`
    Export(ExportSettings),
    /// `commit`
    Commit(CommitSettings),
    /// `smoke`
    Smoke(SmokeSettings),
    /// `config`
    Config(ConfigSettings),
    /// `doctor`
    Doctor(DoctorSettings),
    /// `init`
    Init(InitSettings),
    /// `completions`
    Completions(Shell),
    /// `man`
    Man(ManSettings),
    /// `version`
    Version(VersionSettings),
}

/// What holds for every command.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalSettings {
    /// Whose manners the program has.
    pub persona: Persona,
    /// Where the stack comes from.
    pub stack: StackSource,
    /// Whether its files were named by `COMPOSE_FILE`.
    pub files_by_variable: bool,
    /// The project's name, where one was asked for; else the stack says.
    pub project_name: Option<ProjectName>,
    /// Whether it was asked for by name alone (`-p` and no stack): whatever stack lies here may be
    /// another one.
    pub by_name: bool,
    /// Active profiles.
    pub profiles: Vec<String>,
    /// Files to read variables from, absolute; empty means the default `.env`.
    pub env_files: Vec<PathBuf>,
    /// Whether the default `.env` is read.
    pub default_env_file: bool,
    /// Folder that relative paths are resolved against, absolute; the first file's where absent.
    pub project_dir: Option<PathBuf>,
    /// How progress is shown.
    pub progress: Progress,
    /// Colours and symbols on standard output.
    pub stdout: Style,
    /// Colours and symbols on standard error.
    pub stderr: Style,
    /// What the standard streams are connected to.
    pub terminal: Terminal,
    /// How many operations run at once.
    pub parallel: Parallel,
    /// Whether networks and volumes take part that no service uses.
    pub all_resources: bool,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// Whether more is told of what is done.
    pub verbose: bool,
    /// What is traced; empty for nothing.
    pub trace: String,
}

/// Where the stack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackSource {
    /// These files, merged in order; absolute, `-` for standard input.
    Files(Vec<PathBuf>),
    /// `stacks/NAME.yaml`
    Named(String),
    /// Whatever is found: Compose's default names here or in a parent, then the only one in `stacks/`.
    Search,
}

/// How progress is shown, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A live tree on standard error.
    Tty,
    /// A line for each change.
    Plain,
    /// A line for each change, in docker compose's words.
    Compose,
    /// One JSON object a line, on standard output.
    Json,
    /// Only warnings and errors.
    Quiet,
}

/// How many operations run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallel {
    /// As many as are useful on this machine.
    Default,
    /// At most so many; at least 1.
    AtMost(usize),
    /// All that can.
    Unlimited,
}

/// How long another run of the same project is waited for where nobody says.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a lost engine is waited for where nobody says.
pub const ENGINE_TIMEOUT: Duration = Duration::from_secs(60);

impl Settings {
    /// Resolves what was typed with the environment. `command` must have been given.
    ///
    /// # Errors
    /// What makes no sense, or is not supported.
    pub fn resolve(
        persona: Persona,
        global: GlobalArgs,
        command: Command,
        env: &Environment,
        terminal: Terminal,
    ) -> Result<Self, ExpectedError> {
        let mut global = GlobalSettings::resolve(persona, global, env, terminal)?;
        let command = match command {
            Command::Up(args) => {
                CommandSettings::Up(Box::new(UpSettings::resolve(*args, &global, env, terminal)?))
            }
            Command::Create(args) => {
                let settings = UpSettings::resolve(args.into(), &global, env, terminal)?;
                CommandSettings::Up(Box::new(settings.of("create")))
            }
            Command::Watch(args) => {
                CommandSettings::Watch(Box::new(WatchSettings::resolve(args, &global, env, terminal)?))
            }
            Command::Scale(args) => {
                let settings = UpSettings::resolve(args.into(), &global, env, terminal)?;
                CommandSettings::Up(Box::new(settings.of("scale")))
            }
            Command::Build(args) => CommandSettings::Supply(SupplySettings::build(args, env)?),
            Command::Pull(args) => CommandSettings::Supply(SupplySettings::pull(args)),
            Command::Push(args) => CommandSettings::Push(PushSettings::resolve(args)),
            Command::Down(args) => CommandSettings::Down(DownSettings::resolve(args, env)?),
            Command::Plan(args) => CommandSettings::Plan(PlanSettings::resolve(args, env)?),
            Command::Start(args) => CommandSettings::Lifecycle(LifecycleSettings::start(args, env)?),
            Command::Stop(args) => {
                CommandSettings::Lifecycle(LifecycleSettings::resolve(Change::Stop, args, env)?)
            }
            Command::Restart(args) => {
                CommandSettings::Lifecycle(LifecycleSettings::resolve(Change::Restart, args, env)?)
            }
            Command::Kill(args) => CommandSettings::Lifecycle(LifecycleSettings::kill(args, env)?),
            Command::Pause(args) => {
                CommandSettings::Lifecycle(LifecycleSettings::freeze(Change::Pause, args, env)?)
            }
            Command::Unpause(args) => {
                CommandSettings::Lifecycle(LifecycleSettings::freeze(Change::Unpause, args, env)?)
            }
            Command::Rm(args) => CommandSettings::Rm(RmSettings::resolve(args, env)?),
            Command::Wait(args) => CommandSettings::Wait(Box::new(WaitSettings::resolve(args, env)?)),
            Command::Ls(args) => CommandSettings::Ls(LsSettings::resolve(&args)?),
            Command::Images(args) => CommandSettings::Images(ImagesSettings::resolve(args)),
            Command::Volumes(args) => CommandSettings::Volumes(VolumesSettings::resolve(args)?),
            Command::Port(args) => CommandSettings::Port(PortSettings::resolve(args)),
            Command::Dashboard(args) => CommandSettings::Dashboard(DashboardSettings::resolve(args, env)),
            Command::Ps(args) => CommandSettings::Ps(PsSettings::resolve(args)?),
            Command::Logs(args) => CommandSettings::Logs(LogsSettings::resolve(args, &global)?),
            Command::Stats(args) => CommandSettings::Stats(StatsSettings::resolve(args)?),
            Command::Events(args) => CommandSettings::Events(EventsSettings::resolve(args)),
            Command::Top(args) => CommandSettings::Top(TopSettings::resolve(args)),
            Command::Exec(args) => CommandSettings::Exec(ExecSettings::resolve(args, env, terminal)?),
            Command::Run(args) => CommandSettings::Run(Box::new(RunSettings::resolve(*args, env, terminal)?)),
            Command::Attach(args) => CommandSettings::Attach(AttachSettings::resolve(args)?),
            Command::Cp(args) => CommandSettings::Cp(CpSettings::resolve(args, env)?),
            Command::Export(args) => CommandSettings::Export(ExportSettings::resolve(args, env, terminal)?),
            Command::Commit(args) => CommandSettings::Commit(CommitSettings::resolve(args)?),
            Command::Smoke(args) => CommandSettings::Smoke(SmokeSettings::resolve(args, env)),
            Command::Config(args) => CommandSettings::Config(ConfigSettings::resolve(args, env)?),
            Command::Doctor(args) => CommandSettings::Doctor(DoctorSettings::resolve(&args)),
            Command::Init(args) => CommandSettings::Init(InitSettings::resolve(args, env)),
            Command::Completions(args) => CommandSettings::Completions(args.shell.into()),
            Command::Man(args) => CommandSettings::Man(ManSettings::resolve(args, env)),
            Command::Version(args) => CommandSettings::Version(VersionSettings::resolve(&args)),
        };
        match &command {
            CommandSettings::Supply(SupplySettings { quiet: true, .. })
            | CommandSettings::Push(PushSettings { quiet: true, .. }) => global.progress = Progress::Quiet,
            // A live tree and what containers write would share the screen.
            CommandSettings::Up(up) if up.attach.as_ref().is_some_and(|attach| attach.at_once) => {
                global.progress = match global.progress {
                    Progress::Tty | Progress::Plain => Progress::Compose,
                    other => other,
                }
            }
            _ => {}
        }
        let settings = Self { global, command };
        settings.refuse_dry_run()?;
        Ok(settings)
    }

    /// `--dry-run` means something for what changes something and can tell beforehand.
    fn refuse_dry_run(&self) -> Result<(), ExpectedError> {
        let name = match &self.command {
            CommandSettings::Exec(_) => "exec",
            CommandSettings::Attach(_) => "attach",
            CommandSettings::Cp(_) => "cp",
            CommandSettings::Export(_) => "export",
            CommandSettings::Commit(_) => "commit",
            CommandSettings::Smoke(_) => "smoke",
            CommandSettings::Init(_) => "init",
            CommandSettings::Wait(_) => "wait",
            CommandSettings::Dashboard(_) => "dashboard",
            _ => return Ok(()),
        };
        if self.global.dry_run {
            return Err(ExpectedError::usage(format!("`{name}` has no dry run")));
        }
        Ok(())
    }
}

impl GlobalSettings {
    /// Resolves the flags of every command.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(
        persona: Persona,
        args: GlobalArgs,
        env: &Environment,
        terminal: Terminal,
    ) -> Result<Self, ExpectedError> {
        let stack = stack_source(&args, env)?;
        let files_by_variable = args.files.is_empty() && args.stack.is_none();
        let by_name = args.project_name.is_some() && stack == StackSource::Search;
        let project_name = args
            .project_name
            .or_else(|| env.get(env::COMPOSE_PROJECT_NAME).map(str::to_owned))
            .map(|name| project_name(&name))
            .transpose()?;
        let profiles = if args.profiles.is_empty() {
            env.get(env::COMPOSE_PROFILES).map_or_else(Vec::new, comma_list)
        } else {
            args.profiles
        };
        let env_files = if args.env_files.is_empty() {
            env.get(env::COMPOSE_ENV_FILES)
                .map_or_else(Vec::new, comma_list)
                .into_iter()
                .map(PathBuf::from)
                .collect()
        } else {
            args.env_files
        };
        let ansi = ansi(args.ansi, env)?;
        let style = |is_terminal: bool| Style::decide(ansi, &surroundings(is_terminal, env));
        Ok(Self {
            persona,
            files_by_variable: files_by_variable && matches!(stack, StackSource::Files(_)),
            stack,
            project_name,
            by_name,
            profiles,
            env_files: env_files.iter().map(|file| env.absolute(file)).collect(),
            default_env_file: !env.is_true(env::COMPOSE_DISABLE_ENV_FILE),
            project_dir: args.project_directory.map(|dir| env.absolute(&dir)),
            progress: match progress(args.progress, ansi, env, terminal)? {
                Progress::Plain if persona.is_compose() => Progress::Compose,
                progress => progress,
            },
            stdout: style(terminal.stdout),
            stderr: style(terminal.stderr),
            terminal,
            parallel: parallel(args.parallel, env)?,
            all_resources: args.all_resources,
            dry_run: args.dry_run,
            verbose: args.verbose,
            trace: args
                .log_level
                .or_else(|| env.get(env::PLATFORM_LOG).map(str::to_owned))
                .unwrap_or_default(),
        })
    }

    /// How lines of logs are written to standard output.
    pub(super) fn log_style(&self, prefix: bool, timestamps: bool, no_color: bool) -> LogStyle {
        LogStyle {
            prefix,
            timestamps,
            terminal: self.terminal.stdout,
            style: Style {
                colour: self.stdout.colour && !no_color,
                ..self.stdout
            },
        }
    }
}

fn stack_source(args: &GlobalArgs, env: &Environment) -> Result<StackSource, ExpectedError> {
    let absolute = |path: &Path| {
        if path == Path::new("-") {
            path.to_owned()
        } else {
            env.absolute(path)
        }
    };
    if let Some(name) = &args.stack {
        if !args.files.is_empty() {
            return Err(ExpectedError::usage("--stack cannot be used together with -f"));
        }
        return stack_name(name);
    }
    if !args.files.is_empty() {
        return Ok(StackSource::Files(
            args.files.iter().map(|f| absolute(f)).collect(),
        ));
    }
    if let Some(list) = env.get(env::COMPOSE_FILE) {
        let separator = env.get(env::COMPOSE_PATH_SEPARATOR).unwrap_or(":");
        let files = list
            .split(separator)
            .filter(|part| !part.is_empty())
            .map(|part| absolute(Path::new(part)))
            .collect();
        return Ok(StackSource::Files(files));
    }
    match env.get(env::PLATFORM_STACK) {
        Some(name) => stack_name(name),
        None => Ok(StackSource::Search),
    }
}

fn stack_name(name: &str) -> Result<StackSource, ExpectedError> {
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(ExpectedError::Usage {
            message: format!("`{name}` is no name of a stack"),
            hint: Some("--stack takes the name of a file in stacks/ without .yaml; -f takes a path".into()),
        });
    }
    Ok(StackSource::Named(name.to_owned()))
}

fn project_name(text: &str) -> Result<ProjectName, ExpectedError> {
    if ProjectName::is_valid(text) {
        return Ok(ProjectName::new(text));
    }
    Err(ExpectedError::Usage {
        message: format!(
            "invalid project name `{text}`: only lower-case letters, digits, `-` and `_`, beginning with a letter or digit"
        ),
        hint: ProjectName::normalised(text).map(|name| format!("`{name}` would do")),
    })
}

fn comma_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn surroundings(is_terminal: bool, env: &Environment) -> Surroundings {
    Surroundings {
        is_terminal,
        no_color: env.get(env::NO_COLOR).is_some(),
        clicolor_force: env.get(env::CLICOLOR_FORCE).is_some_and(|v| v != "0"),
        term: env.get(env::TERM).map(str::to_owned),
        locale: [env::LC_ALL, env::LC_CTYPE, env::LANG]
            .into_iter()
            .find_map(|name| env.get(name))
            .map(str::to_owned),
    }
}

fn ansi(arg: Option<AnsiArg>, env: &Environment) -> Result<Ansi, ExpectedError> {
    match (arg, env.get(env::COMPOSE_ANSI)) {
        (Some(AnsiArg::Auto), _) | (None, None | Some("auto")) => Ok(Ansi::Auto),
        (Some(AnsiArg::Always), _) | (None, Some("always")) => Ok(Ansi::Always),
        (Some(AnsiArg::Never), _) | (None, Some("never")) => Ok(Ansi::Never),
        (None, Some(other)) => Err(bad_variable(env::COMPOSE_ANSI, other, "auto, always or never")),
    }
}

fn progress(
    arg: Option<ProgressArg>,
    ansi: Ansi,
    env: &Environment,
    terminal: Terminal,
) -> Result<Progress, ExpectedError> {
    let asked = match (arg, env.get(env::COMPOSE_PROGRESS)) {
        (Some(arg), _) => arg,
        (None, None | Some("auto")) => ProgressArg::Auto,
        (None, Some("tty")) => ProgressArg::Tty,
        (None, Some("plain" | "rawjson")) => ProgressArg::Plain,
        (None, Some("json")) => ProgressArg::Json,
        (None, Some("quiet")) => ProgressArg::Quiet,
        (None, Some(other)) => {
            return Err(bad_variable(
                env::COMPOSE_PROGRESS,
                other,
                "auto, tty, plain, json or quiet",
            ));
        }
    };
    let term = env.get(env::TERM);
    Ok(match asked {
        ProgressArg::Plain => Progress::Plain,
        ProgressArg::Json => Progress::Json,
        ProgressArg::Quiet => Progress::Quiet,
        // A tree cannot be redrawn without cursor control.
        ProgressArg::Tty if ansi == Ansi::Never => Progress::Plain,
        ProgressArg::Tty => Progress::Tty,
        ProgressArg::Auto
            if terminal.stderr && term.is_some_and(|term| term != "dumb") && ansi != Ansi::Never =>
        {
            Progress::Tty
        }
        ProgressArg::Auto => Progress::Plain,
    })
}

fn parallel(arg: Option<i64>, env: &Environment) -> Result<Parallel, ExpectedError> {
    let number = match (arg, env.get(env::COMPOSE_PARALLEL_LIMIT)) {
        (Some(number), _) => number,
        (None, Some(text)) => text
            .trim()
            .parse()
            .map_err(|_| bad_variable(env::COMPOSE_PARALLEL_LIMIT, text, "a whole number"))?,
        (None, None) => return Ok(Parallel::Default),
    };
    match usize::try_from(number) {
        Ok(0) => Err(ExpectedError::usage(
            "--parallel must be 1 or more, or -1 for no limit",
        )),
        Ok(number) => Ok(Parallel::AtMost(number)),
        Err(_) => Ok(Parallel::Unlimited),
    }
}

fn bad_variable(name: &str, value: &str, expected: &str) -> ExpectedError {
    ExpectedError::usage(format!("{name} is `{value}`; expected {expected}"))
}

/// What `Cli` holds beside the command, taken apart for [`Settings::resolve`].
pub fn split(cli: Cli) -> (GlobalArgs, Option<Command>) {
    if cli.version {
        let version = Command::Version(super::args::observe::VersionArgs::default());
        return (cli.global, Some(version));
    }
    (cli.global, cli.command)
}

#[cfg(test)]
mod tests;
