//! `platform man`: the manual pages, from the tables that the arguments are read with.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::super::args::Cli;
use super::super::exit::{EXIT_CODES, Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::ManSettings;
use super::version::VERSION;

/// User commands, in the numbering of manuals.
const SECTION: &str = "1";

/// A manual page.
struct Page {
    /// The file's name: `platform-up.1`.
    file: String,
    /// The page, in the language of `man(7)`.
    roff: String,
}

/// Writes a page for the program and one for each command, or prints the program's.
///
/// # Errors
/// Where the folder or standard output cannot be written.
pub fn run(settings: &ManSettings) -> Outcome {
    let pages = pages();
    if let Some(dir) = &settings.dir {
        write(dir, &pages)?;
    } else if let Some(page) = pages.first() {
        output::data(&page.roff)?;
    }
    Ok(Exit::AsWanted)
}

fn write(dir: &Path, pages: &[Page]) -> Result<(), ExpectedError> {
    let failed = |path: &Path, source| ExpectedError::File {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    fs::create_dir_all(dir).map_err(|source| failed(dir, source))?;
    for page in pages {
        let path = dir.join(&page.file);
        fs::write(&path, &page.roff).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

/// The program's page, then the commands' in the order of the help.
fn pages() -> Vec<Page> {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives commands their full names and the flags of every command.
    program.build();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    std::iter::once(&program).chain(commands).map(page).collect()
}

fn page(command: &Command) -> Page {
    let is_program = command.has_subcommands();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section(SECTION)
        .source(format!("platform {VERSION}"))
        .manual("User Commands");
    let mut end = Roff::new();
    if is_program {
        end.control("SH", ["EXIT STATUS"]);
        for (codes, meaning) in EXIT_CODES {
            end.control("TP", []);
            end.text([bold(codes)]);
            end.text([roman(meaning)]);
        }
    } else {
        end.control("SH", ["SEE ALSO"]);
        end.text([bold("platform"), roman(format!("({SECTION})"))]);
    }
    let mut roff = Vec::new();
    // A vector takes every write.
    let _ = man
        .render_title(&mut roff)
        .and_then(|()| man.render_name_section(&mut roff))
        .and_then(|()| man.render_synopsis_section(&mut roff))
        .and_then(|()| man.render_description_section(&mut roff))
        .and_then(|()| man.render_options_section(&mut roff))
        .and_then(|()| {
            if is_program {
                man.render_subcommands_section(&mut roff)
            } else {
                Ok(())
            }
        })
        .and_then(|()| end.to_writer(&mut roff));
    Page {
        file: man.get_filename(),
        roff: String::from_utf8_lossy(&roff).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command as Program;

    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_its_flags() {
        let pages = pages();
        assert_eq!(pages[0].file, "platform.1");
        let mut program = Cli::command();
        program.build();
        for command in program.get_subcommands() {
            if command.get_name() == "help" {
                continue;
            }
            let file = format!("platform-{}.1", command.get_name());
            let page = pages.iter().find(|page| page.file == file);
            let page = page.unwrap_or_else(|| panic!("there is no {file}"));
            for flag in command.get_arguments().filter(|flag| !flag.is_hide_set()) {
                if let Some(long) = flag.get_long() {
                    let long = format!("\\-\\-{}", long.replace('-', "\\-"));
                    assert!(page.roff.contains(&long), "{file} lacks {long}");
                }
            }
            let about = command.get_about().unwrap().to_string();
            let first = about.split(['\'', '-']).next().unwrap();
            assert!(page.roff.contains(first), "{file} does not say: {about}");
        }
    }

    #[test]
    fn the_programs_page_says_what_exit_codes_mean() {
        let roff = &pages()[0].roff;
        let (_, status) = roff.split_once(".SH \"EXIT STATUS\"").unwrap();
        insta::assert_snapshot!(status.replace(".TP\n", ""), @r"
        \fB0\fR
        as wanted
        \fB1\fR
        something wanted is not so
        \fB2\fR
        wrong usage
        \fB3\fR
        the stack file is wrong
        \fB4\fR
        the engine cannot be reached or refused
        \fB5\fR
        another run holds the project
        \fB130/143\fR
        interrupted
        ");
        assert!(roff.contains(&format!("platform {VERSION}")));
    }

    #[test]
    fn a_folder_is_made_and_one_that_cannot_be_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let man1 = dir.path().join("share/man/man1");
        let settings = ManSettings {
            dir: Some(man1.clone()),
        };
        run(&settings).unwrap();
        run(&settings).unwrap();
        assert_eq!(fs::read_dir(&man1).unwrap().count(), pages().len());
        let below_a_file = man1.join("platform.1/man1");
        let error = run(&ManSettings {
            dir: Some(below_a_file),
        })
        .unwrap_err();
        assert!(error.to_string().contains("platform.1/man1"), "{error}");
    }

    /// groff, where it is installed, warns of macros, escapes and characters that it does not know.
    #[test]
    fn groff_finds_nothing_wrong() {
        if Program::new("groff").arg("--version").output().is_err() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &pages()).unwrap();
        for page in pages() {
            let output = Program::new("groff")
                .args(["-man", "-Tutf8", "-k", "-z", "-ww", "-rCHECKSTYLE=3"])
                .arg(dir.path().join(&page.file))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.is_empty(),
                "{}: {said}",
                page.file
            );
        }
    }
}
