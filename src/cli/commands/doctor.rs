//! `platform doctor`: looks for what is wrong on this machine, and says what to do.
//!
//! Changes nothing. Each check is bounded in time, and one that fails does not keep the others
//! from being made.

use serde_json::json;

use crate::view::style::{Style, Symbol, Tone};
use crate::view::text::{one_line, wrap};

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::settings::DoctorSettings;
use super::super::{output, terminal};

mod engine;
mod stack;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Warning,
    /// Something will not work.
    Bad,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The check, for machines; stable.
    check: &'static str,
    level: Level,
    /// What is.
    text: String,
    /// What to do about it.
    advice: Option<String>,
}

impl Finding {
    pub(super) fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            level: Level::Good,
            text: text.into(),
            advice: None,
        }
    }

    pub(super) fn warning(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            check,
            level: Level::Warning,
            text: text.into(),
            advice: Some(advice.into()),
        }
    }

    pub(super) fn bad(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            level: Level::Bad,
            ..Self::warning(check, text, advice)
        }
    }
}

/// Looks for what is wrong.
///
/// # Errors
/// Where standard output cannot be written.
pub async fn run(context: &Context, settings: DoctorSettings) -> Outcome {
    let (stack, project) = stack::look(context);
    let mut findings = Vec::new();
    match engine::find(context).await {
        Err(found) => findings.push(found),
        Ok((found, engine)) => {
            findings.extend(engine::look(&engine, project.as_deref()).await);
            findings.push(found);
            findings.rotate_right(1);
            if let Some(project) = &project {
                findings.extend(stack::ports(&engine, project).await);
            }
        }
    }
    findings.extend(stack);
    let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Good);
    let text = if settings.json {
        as_json(&findings)
    } else {
        let columns = terminal::size_of(std::io::stdout()).map_or(100, |(columns, _)| usize::from(columns));
        as_text(&findings, columns, &context.settings.stdout)
    };
    output::data(&context.masker.mask(&text))?;
    Ok(if worst == Level::Bad {
        Exit::NotAsWanted
    } else {
        Exit::AsWanted
    })
}

fn as_json(findings: &[Finding]) -> String {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "check": finding.check,
                "level": match finding.level {
                    Level::Good => "good",
                    Level::Warning => "warning",
                    Level::Bad => "bad",
                },
                "text": finding.text,
                "advice": finding.advice,
            })
        })
        .collect();
    let document = json!({"v": 1, "findings": findings});
    format!("{document:#}\n")
}

fn as_text(findings: &[Finding], columns: usize, style: &Style) -> String {
    const INDENT: usize = 4;
    let mut out = String::new();
    for finding in findings {
        let (symbol, tone) = match finding.level {
            Level::Good => (Symbol::Good, Tone::Good),
            Level::Warning => (Symbol::Warning, Tone::Warn),
            Level::Bad => (Symbol::Bad, Tone::Bad),
        };
        out.push_str(&style.paint(tone, style.symbol(symbol)));
        let mut lines = finding.text.lines();
        out.push_str(&format!(" {}\n", one_line(lines.next().unwrap_or_default())));
        for line in lines {
            out.push_str(&format!("  {}\n", one_line(line)));
        }
        if let Some(advice) = &finding.advice {
            for line in wrap(advice, columns.saturating_sub(INDENT).max(20)) {
                out.push_str(&format!("    {}\n", style.paint(Tone::Dim, &line)));
            }
        }
    }
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    out.push_str(&match (count(Level::Bad), count(Level::Warning)) {
        (0, 0) => "\nnothing is wrong\n".to_owned(),
        (0, 1) => "\nnothing is wrong; one thing is worth a look\n".to_owned(),
        (0, warnings) => format!("\nnothing is wrong; {warnings} things are worth a look\n"),
        (1, _) => "\none thing is wrong\n".to_owned(),
        (bad, _) => format!("\n{bad} things are wrong\n"),
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_what_to_do() {
        let findings = [
            Finding::good("engine", "Docker Engine 20.10.24"),
            Finding::warning("registry", "docker.io cannot be reached", "set a mirror"),
            Finding::bad("port", "port 8080 is held by process 7 (x\u{1b}[2J)", "stop it"),
        ];
        insta::assert_snapshot!(as_text(&findings, 80, &Style::PLAIN), @r"
        ✔ Docker Engine 20.10.24
        ▲ docker.io cannot be reached
            set a mirror
        ✘ port 8080 is held by process 7 (x\x1b[2J)
            stop it

        one thing is wrong
        ");
        insta::assert_snapshot!(as_json(&findings[1..2]), @r#"
        {
          "v": 1,
          "findings": [
            {
              "check": "registry",
              "level": "warning",
              "text": "docker.io cannot be reached",
              "advice": "set a mirror"
            }
          ]
        }
        "#);
    }
}
