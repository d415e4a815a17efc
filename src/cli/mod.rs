//! The command surface: arguments → settings → one file a command → an exit code.
//!
//! [`main_impl`] is the crate's one public entry. [`args`] is what clap reads, [`settings`] what
//! it means together with the environment, [`context`] what commands share (the stack, the
//! engine, signals), [`exit`] how a run ends, [`persona`] under which name, and so
//! with whose manners, the program was called. Invariants: clap is named in [`args`], here and in
//! `completions` and `man` only; variables of the environment are named in [`env`] only; nothing is built
//! that the command does not need.

pub mod env;
pub mod args;
pub mod exit;
pub mod output;
pub mod persona;
pub mod terminal;
pub mod signals;
pub mod settings;
pub mod trace;
pub mod context;
pub mod load;
pub mod session;
pub mod attached;
pub mod copying;
pub mod detach;
pub mod commands;
mod help;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::base::Masker;

pub use context::Context;
pub use env::Environment;
pub use exit::{Exit, ExpectedError, Outcome};
pub use persona::Persona;
pub use settings::{CommandSettings, GlobalSettings, Settings};
pub use signals::Signals;

use args::Cli;
use persona::Called;
use settings::split;
use terminal::{Terminal, TerminalGuard};

/// Runs the program: everything between the arguments and the exit code.
pub fn main_impl(args: impl IntoIterator<Item = OsString>, env: Environment) -> ExitCode {
    let (persona, outcome) = match persona::called(args, env) {
        Called::Metadata => (
            Persona::default(),
            output::data(&persona::metadata(commands::version::VERSION)).map(|()| Exit::AsWanted),
        ),
        Called::ToDo { persona, args, env } => (persona, run(persona, args, env)),
    };
    let exit = match outcome {
        Ok(exit) => exit,
        Err(error) => {
            output::talk(&error.to_text());
            error.exit()
        }
    };
    ExitCode::from(persona.code(exit))
}

fn run(persona: Persona, args: Vec<OsString>, env: Environment) -> Outcome {
    let parsed = Cli::command()
        .bin_name(persona.name())
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return help::show(&error),
    };
    let (global, Some(command)) = split(cli) else {
        output::data(&help::long())?;
        return Ok(Exit::AsWanted);
    };
    let env = settings::with_env_files(&global, env);
    let settings = Settings::resolve(persona, global, command, &env, Terminal::detect())?;
    let masker = Masker::default();
    trace::start(&settings.global.trace, &masker)?;
    execute(settings, env, masker)
}

/// Runs a command, with a runtime and signal handlers only where it needs them.
fn execute(settings: Settings, env: Environment, masker: Masker) -> Outcome {
    let Settings { global, command } = settings;
    let guard = TerminalGuard::default();
    let mut context = Context::new(global, env, Signals::deaf(), guard.clone());
    context.masker = masker;
    let command = match commands::without_runtime(&context, command)? {
        commands::Ran::Done(exit) => return Ok(exit),
        commands::Ran::Needs(command) => command,
    };
    context.signals = Signals::listen(guard).map_err(ExpectedError::Setup)?;
    let runtime = runtime(&command).map_err(ExpectedError::Setup)?;
    let outcome = runtime.block_on(commands::run(&context, command));
    // A blocking read of standard input must not hold up the end of the process.
    runtime.shutdown_background();
    context.terminal.restore_mode();
    outcome
}

/// Worker threads of a run that hashes, packs and copies beside waiting for the engine.
const WORKERS: usize = 2;

fn runtime(command: &CommandSettings) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        CommandSettings::Up(_) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(WORKERS);
            builder
        }
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}
