//! One file a command. Each takes the [`Context`] and its own settings, and returns an [`Outcome`].

pub mod completions;
pub mod init;
pub mod version;

use super::context::Context;
use super::env::Environment;
use super::exit::{Exit, ExpectedError, Outcome};
use super::settings::{CommandSettings, GlobalSettings};

/// What became of a command that was tried without a runtime.
pub enum Ran {
    /// It is done.
    Done(Exit),
    /// It needs a runtime.
    Needs(CommandSettings),
}

/// Runs a command if it needs neither runtime nor signal handlers.
///
/// # Errors
/// The command's own.
pub fn without_runtime(
    _global: &GlobalSettings,
    command: CommandSettings,
    _env: &Environment,
) -> Result<Ran, ExpectedError> {
    let exit = match command {
        CommandSettings::Completions(shell) => completions::run(shell)?,
        CommandSettings::Init(settings) => init::run(&settings)?,
        CommandSettings::Version(settings) => version::run(settings)?,
        other => return Ok(Ran::Needs(other)),
    };
    Ok(Ran::Done(exit))
}

/// Runs a command.
///
/// # Errors
/// The command's own.
pub async fn run(_context: &Context, command: CommandSettings) -> Outcome {
    match command {
        CommandSettings::Up(_)
        | CommandSettings::Down(_)
        | CommandSettings::Plan(_)
        | CommandSettings::Ps(_)
        | CommandSettings::Logs(_)
        | CommandSettings::Exec(_)
        | CommandSettings::Smoke(_)
        | CommandSettings::Config(_)
        | CommandSettings::Doctor(_)
        | CommandSettings::Init(_)
        | CommandSettings::Completions(_)
        | CommandSettings::Version(_) => {
            Err(ExpectedError::not_supported("this command", "it is being built"))
        }
    }
}
