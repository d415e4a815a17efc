//! `platform completions`.

use clap::CommandFactory;
use clap_complete::{Shell as Target, generate};

use super::super::args::Cli;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::Shell;

/// Prints the completion script of a shell.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(shell: Shell) -> Outcome {
    let target = match shell {
        Shell::Bash => Target::Bash,
        Shell::Zsh => Target::Zsh,
        Shell::Fish => Target::Fish,
        Shell::Elvish => Target::Elvish,
        Shell::PowerShell => Target::PowerShell,
    };
    let mut script = Vec::new();
    generate(target, &mut Cli::command(), "platform", &mut script);
    output::bytes(&script)?;
    Ok(Exit::AsWanted)
}
