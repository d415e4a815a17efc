//! Help, and what is wrong with arguments, in clap's words with ours added.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;
use super::exit::{Exit, Outcome};
use super::output;

/// The help of the whole program.
pub(super) fn long() -> String {
    Cli::command().render_help().to_string()
}

/// Shows what clap has to say: help that was asked for on standard output, anything else on
/// standard error.
pub(super) fn show(error: &clap::Error) -> Outcome {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        output::data(&text)?;
        return Ok(Exit::AsWanted);
    }
    output::talk(&text);
    if let Some(hint) = hint(error) {
        output::talk(&format!("\nhint: {hint}\n"));
    }
    Ok(Exit::Usage)
}

/// Flags that stand before the command only, because commands have others of the same letter.
const BEFORE_COMMAND: [&str; 4] = ["-f", "--file", "-p", "--project-name"];

fn hint(error: &clap::Error) -> Option<String> {
    let ContextValue::String(arg) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let flag = arg.split([' ', '=']).next()?;
    (error.kind() == ErrorKind::UnknownArgument && BEFORE_COMMAND.contains(&flag))
        .then(|| format!("{flag} stands before the command: `platform {flag} … COMMAND`"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn each_command_has_its_help() {
        let mut root = Cli::command().term_width(100);
        root.build();
        insta::assert_snapshot!("platform", root.render_help());
        for command in root.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            if name != "help" {
                insta::assert_snapshot!(name, command.render_help());
            }
        }
    }

    #[test]
    fn a_flag_in_the_wrong_place_is_explained() {
        let error = Cli::try_parse_from(["platform", "up", "-f", "x.yaml"]).unwrap_err();
        assert_eq!(
            hint(&error).as_deref(),
            Some("-f stands before the command: `platform -f … COMMAND`")
        );
        let error = Cli::try_parse_from(["platform", "up", "--nonsense"]).unwrap_err();
        assert_eq!(hint(&error), None);
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_nearest() {
        let error = Cli::try_parse_from(["platform", "lgos"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.render().to_string().contains("'logs'"), "{error}");
    }
}
