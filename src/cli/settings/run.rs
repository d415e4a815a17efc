//! Settings of `run` and `attach`.

use std::path::Path;

use crate::base::ServiceName;
use crate::execute::oneoff::Overrides;
use crate::plan::Recreate;
use crate::stack::decode::arguments;
use crate::stack::{dotenv, scope};

use super::super::args::run::{AttachArgs, RunArgs, RunPullArg};
use super::super::env::{self, Environment};
use super::super::exit::ExpectedError;
use super::super::terminal::Terminal;
use super::up::{engine_timeout, lock_timeout, orphans};
use super::{BuildChoice, PullChoice, SmokeChoice, UpSettings, Wait, WhatToDo, seconds};

/// What `run` is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSettings {
    /// The service.
    pub service: ServiceName,
    /// What is laid over its definition.
    pub overrides: Overrides,
    /// How what it depends on, and its image, are brought up.
    pub up: UpSettings,
    /// Variables named without a value that are not set here: the project's environment files may know them.
    pub unset: Vec<String>,
    /// The container's name; Compose's rule where absent.
    pub name: Option<String>,
    /// Whether the container goes when it has ended.
    pub remove: bool,
    /// Whether it is only started.
    pub detach: bool,
    /// Whether it answers to the service's names.
    pub use_aliases: bool,
    /// Whether nothing of ours is printed to standard output.
    pub quiet: bool,
    /// The keys that leave it running, as typed.
    pub detach_keys: Option<String>,
}

impl RunSettings {
    /// Resolves the arguments of `run`.
    ///
    /// # Errors
    /// What makes no sense, or a file of variables that cannot be read.
    pub fn resolve(args: RunArgs, env: &Environment, terminal: Terminal) -> Result<Self, ExpectedError> {
        let service = ServiceName::from(args.words.first().map_or("", String::as_str));
        let up = UpSettings {
            command: "run",
            what: WhatToDo {
                services: vec![service.clone()],
                dependencies: !args.no_deps,
                recreate: Recreate::WhenChanged,
                renew_anonymous_volumes: false,
                start: true,
                orphans: orphans(args.remove_orphans, env)?,
                scale: Vec::new(),
                stop_timeout: None,
            },
            build: if args.build {
                BuildChoice::Always
            } else {
                BuildChoice::Missing
            },
            pull: args.pull.and_then(|pull| match pull {
                RunPullArg::Always => Some(PullChoice::Always),
                RunPullArg::Missing => Some(PullChoice::Missing),
                RunPullArg::Never => Some(PullChoice::Never),
                RunPullArg::Policy => None,
            }),
            quiet_pull: args.quiet_pull,
            quiet_build: args.quiet_build,
            wait: Wait::Ready {
                timeout: args
                    .wait_timeout
                    .as_deref()
                    .map(|text| seconds("--wait-timeout", text))
                    .transpose()?,
            },
            smoke: SmokeChoice::Never,
            report: None,
            attach: None,
            engine_timeout: engine_timeout(args.engine_timeout.as_deref(), env)?,
            lock_timeout: lock_timeout(args.lock_timeout.as_deref(), env)?,
        };
        Ok(Self {
            overrides: overrides(&args, env, terminal)?,
            unset: args
                .env
                .iter()
                .filter(|text| !text.contains('=') && !env.vars().contains_key(*text))
                .cloned()
                .collect(),
            service,
            up,
            name: args.name,
            remove: args.rm,
            detach: args.detach,
            use_aliases: args.use_aliases,
            quiet: args.quiet,
            detach_keys: args.detach_keys,
        })
    }
}

fn overrides(args: &RunArgs, env: &Environment, terminal: Terminal) -> Result<Overrides, ExpectedError> {
    let home = env.get(env::HOME).map(Path::new);
    let host_path = |written: &str| scope::absolute(&env.absolute(Path::new("")), home, written);
    let volumes = args
        .volume
        .iter()
        .map(|text| arguments::mount(text, host_path).map_err(|why| bad("--volume", text, &why)))
        .collect::<Result<_, _>>()?;
    let publish = args
        .publish
        .iter()
        .map(|text| arguments::ports(text).map_err(|why| bad("--publish", text, &why)))
        .collect::<Result<Vec<_>, _>>()?;
    let labels = args
        .label
        .iter()
        .map(|text| {
            text.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .ok_or_else(|| bad("--label", text, "expected NAME=VALUE"))
        })
        .collect::<Result<_, _>>()?;
    let entrypoint = args
        .entrypoint
        .as_deref()
        .map(|line| arguments::words(line).map_err(|why| bad("--entrypoint", line, &why)))
        .transpose()?;
    Ok(Overrides {
        command: args.words.iter().skip(1).cloned().collect(),
        entrypoint,
        environment: environment(args, env)?,
        labels,
        user: args.user.clone(),
        working_dir: args.workdir.clone(),
        volumes,
        ports: (!args.service_ports).then(|| publish.concat()),
        cap_add: args.cap_add.clone(),
        cap_drop: args.cap_drop.clone(),
        no_deps: args.no_deps,
        tty: tty(args, terminal)?,
        stdin_open: args.interactive != Some(false),
    })
}

fn bad(flag: &str, text: &str, why: &str) -> ExpectedError {
    ExpectedError::usage(format!("{flag} is `{text}`: {why}"))
}

/// Where nothing is said, as docker compose decides: a terminal on both sides.
fn tty(args: &RunArgs, terminal: Terminal) -> Result<bool, ExpectedError> {
    let asked = args.tty || args.no_tty == Some(false);
    if asked && args.interactive != Some(false) && !terminal.stdin {
        return Err(ExpectedError::usage("the input device is not a TTY"));
    }
    Ok(match args.no_tty {
        _ if args.tty => true,
        Some(no_tty) => !no_tty,
        None => terminal.stdout && (terminal.stdin || args.interactive.is_some()),
    })
}

/// `--env` and `--env-from-file`: what is named on the command line comes first, also where the files'
/// lines refer to it.
fn environment(args: &RunArgs, env: &Environment) -> Result<Vec<(String, String)>, ExpectedError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for text in &args.env {
        // As docker does: a bare name takes its value from here, or is left out.
        let found = match text.split_once('=') {
            Some((name, value)) => Some((name, value.to_owned())),
            None => env.vars().get(text).map(|value| (text.as_str(), value.clone())),
        };
        if let Some((name, value)) = found {
            all.retain(|(known, _)| known != name);
            all.push((name.to_owned(), value));
        }
    }
    for file in &args.env_from_file {
        let path = env.absolute(file);
        let text = std::fs::read_to_string(&path).map_err(|source| ExpectedError::File {
            action: "read",
            path: path.display().to_string(),
            source,
        })?;
        let known = |name: &str| all.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        let parsed = dotenv::parse(&text, &known).map_err(|error| {
            let line = text.get(..error.at).unwrap_or_default().matches('\n').count() + 1;
            ExpectedError::usage(format!("{}:{line}: {}", path.display(), error.message))
        })?;
        for (name, value) in parsed.variables {
            if !all.iter().any(|(known, _)| *known == name) {
                all.push((name, value));
            }
        }
    }
    Ok(all)
}

/// What `attach` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachSettings {
    /// The service.
    pub service: ServiceName,
    /// The number of the container; the first that runs where absent.
    pub index: Option<u32>,
    /// Whether standard input goes to it.
    pub stdin: bool,
    /// Whether signals go to it.
    pub pass_signals_on: bool,
    /// The keys that leave, as typed.
    pub detach_keys: Option<String>,
}

impl AttachSettings {
    /// Resolves the arguments of `attach`.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn resolve(args: AttachArgs) -> Result<Self, ExpectedError> {
        super::check_index(args.index)?;
        Ok(Self {
            service: args.service.into(),
            index: args.index,
            stdin: !args.no_stdin,
            pass_signals_on: args.sig_proxy != Some(false),
            detach_keys: args.detach_keys,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{CommandSettings, Settings, split};
    use super::*;
    use crate::cli::Persona;
    use crate::cli::args::Cli;
    use crate::model::MountKind;

    fn resolve(words: &[&str], env: &Environment, terminal: Terminal) -> Result<RunSettings, String> {
        let cli = Cli::try_parse_from(["platform", "run"].iter().chain(words)).map_err(|e| e.to_string())?;
        let (global, command) = split(cli);
        match Settings::resolve(
            Persona::Platform,
            global,
            command.expect("a command"),
            env,
            terminal,
        ) {
            Ok(Settings {
                command: CommandSettings::Run(settings),
                ..
            }) => Ok(*settings),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_text()),
        }
    }

    fn here() -> Environment {
        let vars = [("HERE", "value"), ("HOME", "/home/me")];
        Environment::new(vars.map(|(k, v)| (k.to_owned(), v.to_owned())), "/work".into())
    }

    fn plain(words: &[&str]) -> RunSettings {
        resolve(words, &here(), Terminal::none()).unwrap()
    }

    #[test]
    fn a_terminal_is_had_where_docker_compose_has_one() {
        let all = Terminal {
            stdin: true,
            stdout: true,
            stderr: true,
        };
        let piped = Terminal { stdin: false, ..all };
        let tty = |words: &[&str], terminal| resolve(words, &here(), terminal).unwrap().overrides.tty;
        assert!(tty(&["app"], all) && tty(&["-it", "app", "sh", "-T"], all));
        assert!(!tty(&["app"], piped) && !tty(&["app"], Terminal::none()));
        assert!(!tty(&["-T", "app"], all) && tty(&["--no-TTY=false", "app"], all));
        assert!(resolve(&["--tty", "app"], &here(), piped).is_err());
        assert!(!plain(&["-i=false", "app"]).overrides.stdin_open);
    }

    #[test]
    fn what_is_typed_is_read_as_in_the_file() {
        let run = plain(&[
            "-e",
            "A=x=y",
            "-e",
            "HERE",
            "-e",
            "NOWHERE",
            "-e",
            "A=last",
            "-l",
            "a=b=c",
            "-v",
            "./x:/x:ro",
            "-v",
            "~/y:/y",
            "-v",
            "named:/z",
            "-p",
            "127.0.0.1:80:81",
            "--entrypoint",
            "sh -c 'a b'",
            "app",
            "-e",
            "x",
        ]);
        assert_eq!(run.unset, ["NOWHERE"]);
        let over = run.overrides;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(over.environment, [pair("HERE", "value"), pair("A", "last")]);
        assert_eq!(over.labels, [pair("a", "b=c")]);
        assert_eq!(over.command, ["-e", "x"]);
        assert_eq!(over.entrypoint.unwrap(), ["sh", "-c", "a b"]);
        assert_eq!(over.ports.unwrap()[0].published.as_deref(), Some("80"));
        let sources: Vec<String> = over
            .volumes
            .iter()
            .map(|mount| match &mount.kind {
                MountKind::Bind { source, .. } => source.display().to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(sources[..2], ["/work/x", "/home/me/y"]);
        assert_eq!(plain(&["-P", "app"]).overrides.ports, None);
        assert_eq!(plain(&["app"]).overrides.ports, Some(Vec::new()));
    }

    #[test]
    fn files_of_variables_come_after_what_is_typed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vars");
        std::fs::write(&file, "A=file\nB=${A}-more\n").unwrap();
        let file = file.to_str().unwrap();
        let run = plain(&["--env-from-file", file, "-e", "A=typed", "app"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            run.overrides.environment,
            [pair("A", "typed"), pair("B", "typed-more")]
        );
        let refused = |words: &[&str]| resolve(words, &here(), Terminal::none()).unwrap_err();
        assert!(refused(&["--env-from-file", "/none", "app"]).contains("cannot read /none"));
        assert!(refused(&["-l", "x", "app"]).contains("expected NAME=VALUE"));
        assert!(refused(&["-p", "x", "app"]).contains("--publish is `x`"));
        assert!(refused(&["-v", "a:b", "app"]).contains("no absolute path"));
        assert!(refused(&["-p", "1", "-P", "app"]).contains("cannot be used with"));
    }
}
