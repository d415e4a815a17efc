//! One file a command. Each takes the [`Context`] and its own settings, and returns an [`Outcome`].

pub mod completions;
pub mod config;
pub mod init;
pub mod ps;
pub mod version;

use super::context::Context;
use super::exit::{Exit, ExpectedError, Outcome};
use super::settings::CommandSettings;

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
pub fn without_runtime(context: &Context, command: CommandSettings) -> Result<Ran, ExpectedError> {
    let exit = match command {
        CommandSettings::Completions(shell) => completions::run(shell)?,
        CommandSettings::Config(settings) => config::run(context, &settings)?,
        CommandSettings::Init(settings) => init::run(&settings)?,
        CommandSettings::Version(settings) => version::run(settings)?,
        other => return Ok(Ran::Needs(other)),
    };
    Ok(Ran::Done(exit))
}

/// Runs a command that needs a runtime.
///
/// # Errors
/// The command's own.
pub async fn run(context: &Context, command: CommandSettings) -> Outcome {
    match command {
        CommandSettings::Ps(settings) => until_stopped(context, ps::run(context, settings)).await,
        CommandSettings::Up(_)
        | CommandSettings::Down(_)
        | CommandSettings::Plan(_)
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

/// A command that leaves nothing behind: the first signal ends it.
async fn until_stopped(context: &Context, command: impl Future<Output = Outcome>) -> Outcome {
    tokio::select! {
        outcome = command => outcome,
        signal = context.signals.stopped() => Err(ExpectedError::Interrupted(signal)),
    }
}
