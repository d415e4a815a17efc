//! Settings of `up`, `down` and `plan`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::ServiceName;
use crate::plan::{Orphans, Outside, Recreate, UpOptions};
use crate::view::logs::LogStyle;

use super::super::args::up::{DownArgs, PlanArgs, PlanFormatArg, PullArg, RmiArg, UpArgs};
use super::super::env::{self, Environment};
use super::super::exit::ExpectedError;
use super::super::terminal::Terminal;
use super::{ENGINE_TIMEOUT, GlobalSettings, LOCK_TIMEOUT, Progress, seconds, service_names, timeout};

/// What `up` is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct UpSettings {
    /// The command's name, for events and whoever waits for the run: `up`, `create` or `scale`.
    pub command: &'static str,
    /// What decides the plan.
    pub what: WhatToDo,
    /// Whether images are built.
    pub build: BuildChoice,
    /// When images are pulled; `None` leaves it to each service.
    pub pull: Option<PullChoice>,
    /// Whether the progress of pulls is not shown.
    pub quiet_pull: bool,
    /// Whether the output of builds is not shown.
    pub quiet_build: bool,
    /// What is waited for.
    pub wait: Wait,
    /// Whether smoke tests are run.
    pub smoke: SmokeChoice,
    /// A file for the report of the run, absolute.
    pub report: Option<PathBuf>,
    /// What happens once everything is up; `None` returns.
    pub attach: Option<Attach>,
    /// The longest time that the engine is waited for once it stops answering.
    pub engine_timeout: Duration,
    /// The longest time that another run of the project is waited for.
    pub lock_timeout: Duration,
}

/// What decides the plan: which services, and how far their containers are replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatToDo {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether dependencies come along.
    pub dependencies: bool,
    /// When containers are replaced.
    pub recreate: Recreate,
    /// Whether replaced containers get new anonymous volumes.
    pub renew_anonymous_volumes: bool,
    /// Whether containers are started.
    pub start: bool,
    /// What happens to containers of services that are not in the stack.
    pub orphans: Orphans,
    /// Number of containers by service.
    pub scale: Vec<(ServiceName, u32)>,
    /// Grace period of a stop; each container's own where absent.
    pub stop_timeout: Option<Duration>,
}

/// Whether images are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildChoice {
    /// Those that are missing.
    Missing,
    /// All that have a build (`--build`).
    Always,
    /// None (`--no-build`).
    Never,
}

/// When images are pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullChoice {
    /// On each run.
    Always,
    /// Where missing.
    Missing,
    /// Not at all.
    Never,
}

/// What `up` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Every service is ready.
    Ready {
        /// At most so long; each service's own deadline where absent.
        timeout: Option<Duration>,
    },
    /// Every container is started (`--no-wait`).
    Started,
}

/// Whether smoke tests are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmokeChoice {
    /// Where the stack has some and the whole of it is up.
    Auto,
    /// In any case (`--smoke`).
    Always,
    /// Not at all (`--no-smoke`).
    Never,
}

/// What an attached `up` does once everything is up.
#[derive(Debug, Clone, PartialEq)]
pub struct Attach {
    /// Services whose output is shown; all where empty.
    pub only: Vec<ServiceName>,
    /// Services whose output is not shown.
    pub except: Vec<ServiceName>,
    /// Whether the output of dependencies is shown where services were named.
    pub dependencies: bool,
    /// Whether containers are kept in step with the files that change.
    pub watch: bool,
    /// What ends everything.
    pub abort: Abort,
    /// How lines are written.
    pub style: LogStyle,
    /// Whether the dashboard is opened instead of following logs.
    pub dashboard: bool,
    /// Whether logs are followed, and ends heeded, from the first container on, as in docker compose.
    pub at_once: bool,
}

/// What ends an attached `up`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abort {
    /// Every container has ended, or somebody stops the run.
    AllEnded,
    /// A container ended.
    AnyExit,
    /// A container failed.
    AnyFailure,
    /// A container ended; the exit code is that of this service.
    ExitCodeFrom(ServiceName),
}

impl UpSettings {
    /// Resolves the arguments of `up`.
    ///
    /// # Errors
    /// What makes no sense, or is not supported.
    pub fn resolve(
        args: UpArgs,
        global: &GlobalSettings,
        env: &Environment,
        terminal: Terminal,
    ) -> Result<Self, ExpectedError> {
        let aborts =
            args.abort_on_container_exit || args.abort_on_container_failure || args.exit_code_from.is_some();
        if args.wait && (aborts || !args.attach.is_empty() || args.attach_dependencies || args.watch) {
            return Err(ExpectedError::usage(
                "--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, \
                 --exit-code-from, --attach, --attach-dependencies or --watch",
            ));
        }
        if args.no_start && (args.wait || args.smoke || aborts) {
            return Err(ExpectedError::usage(
                "--no-start cannot be combined with --wait, --smoke, --abort-on-container-exit, \
                 --abort-on-container-failure or --exit-code-from",
            ));
        }
        if args.no_wait && args.smoke {
            return Err(ExpectedError::usage("--smoke cannot be combined with --no-wait"));
        }
        if args.no_wait && args.wait_timeout.is_some() {
            return Err(ExpectedError::usage(
                "--wait-timeout cannot be combined with --no-wait",
            ));
        }
        let wait_timeout = args
            .wait_timeout
            .as_deref()
            .map(|text| seconds("--wait-timeout", text))
            .transpose()?;
        let attached = !args.detach && !args.wait && !args.no_start && !global.dry_run;
        let smoke_unasked = !args.no_smoke && !args.no_wait && !args.no_start && !global.persona.is_compose();
        let smoke = match (args.smoke, !smoke_unasked) {
            (true, _) => SmokeChoice::Always,
            (false, true) => SmokeChoice::Never,
            (false, false) => SmokeChoice::Auto,
        };
        let abort = match args.exit_code_from {
            Some(service) => Abort::ExitCodeFrom(service.into()),
            None if args.abort_on_container_exit => Abort::AnyExit,
            None if args.abort_on_container_failure => Abort::AnyFailure,
            None => Abort::AllEnded,
        };
        let attach = attached.then(|| Attach {
            dashboard: !args.no_tui
                && !global.persona.is_compose()
                && args.menu != Some(false)
                && !env.is_false(env::COMPOSE_MENU)
                && abort == Abort::AllEnded
                && !args.watch
                && args.attach.is_empty()
                && global.progress == Progress::Tty
                && terminal.stdin
                && terminal.stdout,
            at_once: global.persona.is_compose(),
            only: service_names(args.attach),
            except: service_names(args.no_attach),
            dependencies: args.attach_dependencies,
            watch: args.watch,
            abort,
            style: global.log_style(!args.no_log_prefix, args.timestamps, args.no_color),
        });
        Ok(Self {
            command: "up",
            what: WhatToDo {
                services: service_names(args.services),
                dependencies: !args.no_deps,
                recreate: recreate(args.force_recreate, args.no_recreate, args.always_recreate_deps),
                renew_anonymous_volumes: args.renew_anon_volumes,
                start: !args.no_start,
                orphans: orphans(args.remove_orphans, env)?,
                scale: scale(&args.scale)?,
                stop_timeout: stop_timeout(args.timeout.as_deref())?,
            },
            build: match (args.build, args.no_build) {
                (true, _) => BuildChoice::Always,
                (false, true) => BuildChoice::Never,
                (false, false) => BuildChoice::Missing,
            },
            pull: args.pull.and_then(|pull| match pull {
                PullArg::Always => Some(PullChoice::Always),
                PullArg::Missing => Some(PullChoice::Missing),
                PullArg::Never => Some(PullChoice::Never),
                PullArg::Policy => None,
            }),
            quiet_pull: args.quiet_pull,
            quiet_build: args.quiet_build,
            wait: if args.no_wait || args.no_start || (global.persona.is_compose() && !args.wait) {
                Wait::Started
            } else {
                Wait::Ready {
                    timeout: wait_timeout,
                }
            },
            smoke,
            report: args.report.map(|file| env.absolute(&file)),
            attach,
            engine_timeout: engine_timeout(args.engine_timeout.as_deref(), env)?,
            lock_timeout: lock_timeout(args.lock_timeout.as_deref(), env)?,
        })
    }

    /// The same under another command's name.
    #[must_use]
    pub fn of(self, command: &'static str) -> Self {
        Self { command, ..self }
    }
}

fn recreate(force: bool, never: bool, dependencies: bool) -> Recreate {
    match (force, never, dependencies) {
        (true, _, _) => Recreate::Always,
        (false, true, _) => Recreate::Never,
        (false, false, true) => Recreate::WithDependencies,
        (false, false, false) => Recreate::WhenChanged,
    }
}

impl WhatToDo {
    /// The planner's options. `bound_files`: digests of the files that a service binds from the
    /// host, by service: path and SHA-256.
    pub fn up_options(&self, bound_files: BTreeMap<ServiceName, Vec<(String, String)>>) -> UpOptions {
        UpOptions {
            services: self.services.clone(),
            no_deps: !self.dependencies,
            recreate: self.recreate,
            orphans: self.orphans,
            no_start: !self.start,
            renew_anon_volumes: self.renew_anonymous_volumes,
            grace: self.stop_timeout,
            beside: std::collections::BTreeSet::new(),
            outside: Outside::Planned,
            unprobed: std::collections::BTreeSet::new(),
            bound_files,
        }
    }
}

pub(super) fn orphans(remove: bool, env: &Environment) -> Result<Orphans, ExpectedError> {
    let ignore = env.is_true(env::COMPOSE_IGNORE_ORPHANS);
    if remove && ignore {
        return Err(ExpectedError::usage(
            "--remove-orphans cannot be combined with COMPOSE_IGNORE_ORPHANS",
        ));
    }
    Ok(
        if remove || (env.is_true(env::COMPOSE_REMOVE_ORPHANS) && !ignore) {
            Orphans::Remove
        } else if ignore {
            Orphans::Ignore
        } else {
            Orphans::Warn
        },
    )
}

fn scale(args: &[String]) -> Result<Vec<(ServiceName, u32)>, ExpectedError> {
    args.iter()
        .map(|text| {
            let bad = || ExpectedError::usage(format!("scale is `{text}`; expected SERVICE=N"));
            let (service, number) = text.split_once('=').ok_or_else(bad)?;
            if service.is_empty() {
                return Err(bad());
            }
            Ok((ServiceName::from(service), number.parse().map_err(|_| bad())?))
        })
        .collect()
}

pub(super) fn engine_timeout(arg: Option<&str>, env: &Environment) -> Result<Duration, ExpectedError> {
    timeout(
        "--engine-timeout",
        arg,
        env,
        env::PLATFORM_ENGINE_TIMEOUT,
        ENGINE_TIMEOUT,
    )
}

pub(super) fn lock_timeout(arg: Option<&str>, env: &Environment) -> Result<Duration, ExpectedError> {
    timeout(
        "--lock-timeout",
        arg,
        env,
        env::PLATFORM_LOCK_TIMEOUT,
        LOCK_TIMEOUT,
    )
}

pub(super) fn stop_timeout(arg: Option<&str>) -> Result<Option<Duration>, ExpectedError> {
    arg.map(|text| seconds("--timeout", text)).transpose()
}

/// What `down` is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct DownSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// What happens to containers of services that are not in the stack.
    pub orphans: Orphans,
    /// Which images are removed.
    pub images: RemoveImages,
    /// Whether volumes are removed.
    pub volumes: bool,
    /// Grace period of a stop; each container's own where absent.
    pub stop_timeout: Option<Duration>,
    /// The longest time that the engine is waited for once it stops answering.
    pub engine_timeout: Duration,
    /// The longest time that another run of the project is waited for.
    pub lock_timeout: Duration,
}

/// Which images `down` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveImages {
    /// None.
    No,
    /// Those that the stack builds and does not name.
    Local,
    /// Every one that a service uses.
    All,
}

impl DownSettings {
    /// Resolves the arguments of `down`.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(args: DownArgs, env: &Environment) -> Result<Self, ExpectedError> {
        Ok(Self {
            services: service_names(args.services),
            orphans: orphans(args.remove_orphans, env)?,
            images: match args.rmi {
                None => RemoveImages::No,
                Some(RmiArg::Local) => RemoveImages::Local,
                Some(RmiArg::All) => RemoveImages::All,
            },
            volumes: args.volumes,
            stop_timeout: stop_timeout(args.timeout.as_deref())?,
            engine_timeout: engine_timeout(args.engine_timeout.as_deref(), env)?,
            lock_timeout: lock_timeout(args.lock_timeout.as_deref(), env)?,
        })
    }
}

/// What `plan` is to show.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSettings {
    /// What decides the plan.
    pub what: WhatToDo,
    /// How it is written.
    pub format: PlanFormat,
    /// Whether the exit code is 1 where there is something to do.
    pub exit_code: bool,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl PlanSettings {
    /// Resolves the arguments of `plan`.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(args: PlanArgs, env: &Environment) -> Result<Self, ExpectedError> {
        Ok(Self {
            what: WhatToDo {
                services: service_names(args.services),
                dependencies: !args.no_deps,
                recreate: recreate(args.force_recreate, args.no_recreate, args.always_recreate_deps),
                renew_anonymous_volumes: args.renew_anon_volumes,
                start: !args.no_start,
                orphans: orphans(args.remove_orphans, env)?,
                scale: scale(&args.scale)?,
                stop_timeout: None,
            },
            format: match args.format {
                PlanFormatArg::Text => PlanFormat::Text,
                PlanFormatArg::Json => PlanFormat::Json,
            },
            exit_code: args.exit_code,
        })
    }
}
