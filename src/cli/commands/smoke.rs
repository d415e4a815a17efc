//! `platform smoke`: the stack's smoke tests against what runs now.

use std::fs;

use crate::base::Masker;
use crate::engine::Wanted;
use crate::event::TestVerdict;
use crate::model::{Project, SmokeTest};
use crate::probe::EngineHost;
use crate::smoke::{
    Notice, Report, Setting, json, junit, run as run_tests, select, text, text_line, unavailable,
};
use crate::view::annotate::{self, Checkout};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::{ReportFormat, SmokeSettings};

/// How many tests run at one time.
const CONCURRENCY: usize = 4;

/// Runs smoke tests.
///
/// # Errors
/// No stack, a test that does not exist, nothing that runs, an engine that does not answer.
pub async fn run(context: &Context, settings: SmokeSettings) -> Outcome {
    let project = context.project(&[])?;
    let tests = chosen(&project, &settings.names)?;
    if tests.is_empty() {
        output::talk("the stack has no smoke tests (`smoke` under its x-platform)\n");
        return Ok(Exit::AsWanted);
    }
    let engine = context.engine().await?;
    let wanted = Wanted::of(&project);
    let (info, observed) = futures_util::try_join!(engine.info(), engine.observe(&wanted))?;
    if !observed.containers.iter().any(|c| c.state.is_running()) {
        return Err(ExpectedError::NotAsWanted {
            message: format!("nothing of project {} runs", project.name),
            hint: Some("`platform up -d` brings it up, and runs its smoke tests".into()),
        });
    }
    let unavailable = unavailable(&project, &observed);
    let setting = Setting {
        project: &project,
        observed: &observed,
        host: &EngineHost::of(&info.endpoint),
        engine: &*engine,
        clock: &*context.clock,
        masker: &context.masker,
        unavailable: &unavailable,
        concurrency: CONCURRENCY,
    };
    let shown = Shown::of(&settings);
    let mut written = Ok(());
    let report = run_tests(&setting, &tests, |notice| {
        if let (Notice::Done(test), Ok(())) = (notice, &written) {
            written = match shown {
                Shown::OnStdout => {
                    output::data(&text_line(test, &context.masker, context.settings.stdout.colour))
                }
                Shown::OnStderr => {
                    output::talk(&text_line(test, &context.masker, context.settings.stderr.colour));
                    Ok(())
                }
                Shown::Not => Ok(()),
            };
        }
    })
    .await;
    written?;
    match shown {
        Shown::OnStdout => output::data(&sum(&report, context))?,
        Shown::OnStderr => output::talk(&sum(&report, context)),
        Shown::Not => {}
    }
    deliver(&report, &settings, context)?;
    if let Some(checkout) = context.checkout() {
        annotate_failures(&report, &project, &checkout, &context.masker);
    }
    Ok(if report.is_good() {
        Exit::AsWanted
    } else {
        Exit::NotAsWanted
    })
}

fn chosen<'p>(project: &'p Project, names: &[String]) -> Result<Vec<&'p SmokeTest>, ExpectedError> {
    select(project, names).map_err(|unknown| ExpectedError::NoSuchThing {
        message: unknown.to_string(),
        hint: match &unknown.similar {
            Some(similar) => Some(format!("did you mean `{similar}`?")),
            None if unknown.names.is_empty() => Some("the stack has no smoke tests".into()),
            None => Some(format!("there is: {}", unknown.names.join(", "))),
        },
    })
}

/// Where lines for people go while tests run.
#[derive(Clone, Copy)]
enum Shown {
    /// They are the result.
    OnStdout,
    /// The result goes into a file.
    OnStderr,
    /// Standard output is for a machine.
    Not,
}

impl Shown {
    fn of(settings: &SmokeSettings) -> Self {
        match (&settings.output, settings.format) {
            (Some(_), _) => Self::OnStderr,
            (None, ReportFormat::Text) => Self::OnStdout,
            (None, ReportFormat::Json | ReportFormat::Junit) => Self::Not,
        }
    }
}

/// The last line of the text for people.
fn sum(report: &Report, context: &Context) -> String {
    let text = text(report, &context.masker, false);
    text.lines()
        .last()
        .map(|line| format!("{line}\n"))
        .unwrap_or_default()
}

fn annotate_failures(report: &Report, project: &Project, checkout: &Checkout, masker: &Masker) {
    for test in &report.tests {
        if let TestVerdict::Failed { reason } = test.to_event(masker).verdict {
            let line = annotate::smoke_test(&test.name, &reason, &project.places, checkout);
            output::talk(&line);
        }
    }
}

/// Writes the report where it is wanted, unless it was already told line by line.
fn deliver(report: &Report, settings: &SmokeSettings, context: &Context) -> Result<(), ExpectedError> {
    let document = match settings.format {
        ReportFormat::Text if settings.output.is_none() => return Ok(()),
        ReportFormat::Text => text(report, &context.masker, false),
        ReportFormat::Json => json(report, &context.masker),
        ReportFormat::Junit => {
            junit(report, &context.masker).map_err(|reason| ExpectedError::NotAsWanted {
                message: format!("cannot write JUnit: {reason}"),
                hint: None,
            })?
        }
    };
    match &settings.output {
        None => output::data(&document),
        Some(path) => fs::write(path, document).map_err(|source| ExpectedError::File {
            action: "write",
            path: path.display().to_string(),
            source,
        }),
    }
}
