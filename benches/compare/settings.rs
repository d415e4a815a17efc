//! What the benchmark was asked to do.

use std::path::PathBuf;

/// How it is called.
pub const USAGE: &str = "\
cargo bench --bench compare -- [OPTION…]
  --short               a minute: one interval, few rounds
  --rounds N            rounds of the whole cycle (5; short: 2)
  --slow-rounds N       rounds with the stack's own health intervals (1; short: 0)
  --many                also 42 and 100 services that do nothing
  --markdown FILE       write the tables there as well
  --json FILE           write every single measurement there
  --stack FILE          the stack (stacks/devops.yaml)
  --image SERVICE=IMAGE another image for a service, for both programs
  --platform FILE       the program (target/release/platform, built where it is missing)
  --only platform|all   all, or without docker compose (5 ms a row, to see a change of ours)";

/// What to measure and how often.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Rounds with health intervals of one second.
    pub rounds: usize,
    /// Rounds with the stack's own intervals.
    pub slow_rounds: usize,
    /// Whether stacks of many services are measured too.
    pub many: bool,
    /// Where the tables go, beside standard output.
    pub markdown: Option<PathBuf>,
    /// Where the raw measurements go.
    pub json: Option<PathBuf>,
    /// The stack file.
    pub stack: PathBuf,
    /// Images in place of the stack's own, by service.
    pub images: Vec<(String, String)>,
    /// Our program.
    pub platform: Option<PathBuf>,
    /// Whether docker compose is left out of the rounds.
    pub ours_only: bool,
    /// Whether this is the form for CI.
    pub short: bool,
}

impl Settings {
    /// Reads the arguments; the error is for people.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut rounds = None;
        let mut slow_rounds = None;
        let mut settings = Self {
            rounds: 5,
            slow_rounds: 1,
            many: false,
            markdown: None,
            json: None,
            stack: root().join("stacks/devops.yaml"),
            images: Vec::new(),
            platform: None,
            ours_only: false,
            short: false,
        };
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--short" => settings.short = true,
                "--rounds" => rounds = Some(number(&value()?)?),
                "--slow-rounds" => slow_rounds = Some(number(&value()?)?),
                "--many" => settings.many = true,
                "--markdown" => settings.markdown = Some(value()?.into()),
                "--json" => settings.json = Some(value()?.into()),
                "--stack" => settings.stack = value()?.into(),
                "--platform" => settings.platform = Some(value()?.into()),
                "--only" => settings.ours_only = value()? == "platform",
                "--image" => {
                    let value = value()?;
                    let (service, image) = value.split_once('=').ok_or("--image wants SERVICE=IMAGE")?;
                    settings.images.push((service.to_owned(), image.to_owned()));
                }
                // Cargo's own.
                "--bench" => {}
                "--help" | "-h" => return Err(USAGE.to_owned()),
                other => return Err(format!("unknown argument {other}\n\n{USAGE}")),
            }
        }
        settings.rounds = rounds.unwrap_or(if settings.short { 2 } else { 5 }).max(1);
        settings.slow_rounds = slow_rounds.unwrap_or(usize::from(!settings.short));
        Ok(settings)
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

/// The project's own folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
