//! The failure report in words: for people and for programs, from the same facts.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{Style, Symbol, Tone};
use super::text::{Line, lines_of, wrap};
use crate::event::{FailedOperation, FailedService, FailureCause, FailureReport, Previous, wire};
use crate::plan::text as plan_text;
use crate::view::progress::words;

/// What is known about a failed service beside the headline: a title and a text each.
fn facts(failed: &FailedService, style: &Style) -> Vec<(&'static str, String)> {
    let arrow = style.symbol(Symbol::ArrowRight);
    let mut facts = Vec::new();
    if !failed.chain.is_empty() {
        let mut names: Vec<String> = failed.chain.iter().map(|link| link.service.to_string()).collect();
        names.push(failed.instance.to_string());
        let mut text = names.join(&format!(" {arrow} "));
        if let [.., last] = failed.chain.as_slice() {
            let condition = plan_text::condition(last.condition);
            let _ = write!(text, " ({} needs it {condition})", last.service);
        }
        facts.push(("needed by", text));
    }
    if let Some(said) = failed.said() {
        facts.push(("because", said.to_owned()));
    }
    if let Some(exit) = failed.exit
        && !matches!(
            failed.cause,
            FailureCause::Exited | FailureCause::Restarting { .. }
        )
    {
        facts.push(("exit", format!("it {}", exit.to_text())));
    }
    if let Some(probe) = &failed.last_probe {
        let tries = match failed.probes {
            0 | 1 => String::new(),
            n => format!("; {n} tries"),
        };
        let text = format!(
            "{} {arrow} {} ({}{tries})",
            probe.what,
            probe.detail,
            words::fine(probe.took)
        );
        facts.push(("last probe", text));
    }
    match &failed.previous {
        Some(Previous::PutBack) => facts.push(("before", "the container that ran before runs again".into())),
        Some(Previous::Lost { error }) => {
            facts.push((
                "before",
                format!("the container that ran before could not be put back: {error}"),
            ));
        }
        None => {}
    }
    if !failed.blocks.is_empty() {
        let names: Vec<&str> = failed.blocks.iter().map(|name| name.as_str()).collect();
        facts.push(("not started", names.join(", ")));
    }
    if let Some(place) = &failed.place {
        facts.push(("defined in", format!("{}:{}", place.file.display(), place.line)));
    }
    facts
}

/// The column that facts begin in.
const FACTS: usize = 15;

/// The report for people. `columns` is the terminal's width; `None` breaks no lines.
pub fn text(report: &FailureReport, columns: Option<usize>, style: &Style) -> String {
    let mut out = String::new();
    for failed in &report.services {
        put(&mut out, &title(&failed.headline(), style), style);
        for (name, text) in facts(failed, style) {
            fact(&mut out, name, Tone::Plain, &text, columns, style);
        }
        if !failed.logs.is_empty() {
            let count = match failed.logs.len() {
                1 => "last line".to_owned(),
                n => format!("last {n} lines"),
            };
            fact(&mut out, "log", Tone::Plain, &count, columns, style);
            for log in &failed.logs {
                let line = Line::new().with(Tone::Dim, "    | ").with(Tone::Plain, log);
                put(&mut out, &line, style);
            }
        }
        if let Some(hint) = failed.hint() {
            fact(&mut out, "hint", Tone::Strong, hint, columns, style);
        }
    }
    for failed in &report.operations {
        put(&mut out, &title(&operation_headline(failed), style), style);
        fact(&mut out, "because", Tone::Plain, &failed.error, columns, style);
        if let Some(hint) = &failed.hint {
            fact(&mut out, "hint", Tone::Strong, hint, columns, style);
        }
    }
    out
}

pub(super) fn operation_headline(failed: &FailedOperation) -> String {
    format!("could not {}", failed.what)
}

fn title(text: &str, style: &Style) -> Line {
    Line::new()
        .with(Tone::Bad, style.symbol(Symbol::Bad))
        .with(Tone::Plain, " ")
        .with(Tone::Strong, text)
}

fn put(out: &mut String, line: &Line, style: &Style) {
    out.push_str(&line.render(usize::MAX, style));
    out.push('\n');
}

/// A fact with its title in front, broken into lines that stand below each other.
fn fact(out: &mut String, name: &str, tone: Tone, text: &str, columns: Option<usize>, style: &Style) {
    let narrow = columns.is_some_and(|columns| columns < FACTS * 3);
    let indent = if narrow { 4 } else { FACTS };
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(1));
    let mut first = Line::new().with(Tone::Plain, "  ").with(Tone::Dim, name);
    if narrow {
        put(out, &first, style);
        first = Line::new();
    }
    for line in lines_of(text).flat_map(|line| wrap(&line, room)) {
        if first.width() == 0 {
            first.push(Tone::Plain, " ".repeat(indent));
        } else {
            first.tab(indent);
        }
        first.push(tone, line);
        put(out, &first, style);
        first = Line::new();
    }
}

/// The report for programs: `{"v":1,"services":[…],"operations":[…]}`, as in the `failure` event of
/// `--progress json` (docs/progress-json.md).
pub fn json(report: &FailureReport) -> Value {
    let mut out = json!({"v": wire::VERSION});
    if let (Value::Object(out), Value::Object(fields)) = (&mut out, wire::failure(report)) {
        out.extend(fields);
    }
    out
}

/// The report without its headline, as plain text: the body of an annotation or a JUnit failure.
pub(super) fn details(failed: &FailedService) -> String {
    let mut out = String::new();
    for (name, text) in facts(failed, &Style::PLAIN) {
        let _ = writeln!(out, "{name}: {text}");
    }
    if let Some(hint) = failed.hint() {
        let _ = writeln!(out, "hint: {hint}");
    }
    for log in &failed.logs {
        let _ = writeln!(out, "| {}", log.trim_end());
    }
    tame(&out)
}

/// Control characters written out, line ends kept.
pub(super) fn tame(text: &str) -> String {
    let mut out = String::new();
    for line in lines_of(text) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
