//! The rows of the probes screen, and what is known of each in full.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::TestVerdict;
use crate::event::live::{ProbeRecord, Shade, SmokeRecord};
use crate::plan::Instance;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::{Role, Theme};
use crate::view::tui::widgets::{Line, age, millis, spark};

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// An instance's probe.
    Probe(Instance),
    /// A smoke test.
    Test(String),
}

/// A row: its subject, how that is, and its line without the mark.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) subject: Subject,
    pub(super) shade: Shade,
    pub(super) line: Line,
}

/// How wide names and strips of verdicts are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    name: usize,
    strip: usize,
}

impl Columns {
    /// In a list of this width: the less room, the less of what is only nice to have.
    fn within(width: usize, longest: usize) -> Self {
        // Mark and spaces; then the time; then share and verdict in words.
        let (strip, behind) = match width {
            70.. => (20, 8 + 18),
            40.. => (10, 8),
            _ => (3, 0),
        };
        let most = width.saturating_sub(4 + strip + behind).clamp(6, 40);
        Self {
            name: longest.clamp(6, most),
            strip,
        }
    }
}

/// All rows: probed instances in the stack's order, then smoke tests as written, then those of which
/// only results are known.
pub(super) fn rows(shared: &Shared, failing: bool, width: usize) -> Vec<Row> {
    let live = &shared.live;
    let theme = &shared.theme;
    let instances: Vec<Instance> = live.rows().into_iter().map(|row| row.instance).collect();
    let tests = tests(shared);
    let names = instances
        .iter()
        .map(|i| Line::of(Role::Text, i.to_string()).width())
        .chain(tests.iter().map(|name| Line::of(Role::Text, name).width()));
    let columns = Columns::within(width, names.max().unwrap_or(0));
    let mut rows: Vec<Row> = instances
        .into_iter()
        .filter_map(|instance| {
            let history = live.probes.get(&instance)?;
            Some(probe(theme, instance, history, columns))
        })
        .collect();
    rows.extend(tests.into_iter().map(|test| smoke(shared, test, columns)));
    rows.retain(|row| !failing || matches!(row.shade, Shade::Bad | Shade::Attention));
    rows
}

fn tests(shared: &Shared) -> Vec<String> {
    let live = &shared.live;
    let written = live.project.iter().flat_map(|project| &project.ext.smoke);
    let mut names: Vec<String> = written.map(|test| test.name.clone()).collect();
    for name in live.smoke.keys().chain(&live.testing) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The newest verdicts, oldest first.
fn strip(theme: &Theme, line: &mut Line, columns: Columns, verdicts: impl DoubleEndedIterator<Item = Shade>) {
    let mut newest: Vec<Shade> = verdicts.rev().take(columns.strip).collect();
    newest.reverse();
    line.push(Role::Text, " ".repeat(columns.strip - newest.len()));
    for shade in newest {
        line.push(shade.into(), theme.mark(shade));
    }
}

/// A name cut or filled up to its column.
fn named(name: &str, columns: Columns) -> Line {
    let mut line = Line::of(Role::Text, name).cut(columns.name);
    line.tab(columns.name + 1);
    line
}

fn passed(record: &ProbeRecord) -> Shade {
    if record.attempt.passed {
        Shade::Good
    } else {
        Shade::Bad
    }
}

fn probe(theme: &Theme, instance: Instance, history: &VecDeque<ProbeRecord>, columns: Columns) -> Row {
    let last = history.back();
    let shade = match last {
        Some(last) if !last.attempt.passed && last.failures < last.allowed => Shade::Attention,
        Some(last) => passed(last),
        None => Shade::Off,
    };
    let mut line = named(&instance.to_string(), columns);
    strip(theme, &mut line, columns, history.iter().map(passed));
    if let Some(last) = last {
        let number = millis(last.attempt.took);
        line = line
            .with(Role::Text, format!("{} ", pad(&number, 7)))
            .with_number(&number);
        let good = history.iter().filter(|p| p.attempt.passed).count();
        let share = percent(good, history.len());
        line.push(Role::Text, format!("{share:>5}"));
        line.push(Role::Dim, "%");
        let same = history
            .iter()
            .rev()
            .take_while(|p| p.attempt.passed == last.attempt.passed)
            .count();
        let word = if last.attempt.passed { "passed" } else { "failed" };
        line.push(
            if last.attempt.passed { Role::Dim } else { Role::Bad },
            format!("  {same} {word} in a row"),
        );
    }
    Row {
        subject: Subject::Probe(instance),
        shade,
        line,
    }
}

/// Spaces that bring a number to the right.
fn pad(number: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(number.chars().count()))
}

/// Whole per cent, rounded down: 100 is all of them.
fn percent(part: usize, all: usize) -> usize {
    part * 100 / all.max(1)
}

fn verdict(verdict: &TestVerdict) -> (Shade, &'static str, Option<&str>) {
    match verdict {
        TestVerdict::Passed => (Shade::Good, "passed", None),
        TestVerdict::Failed { reason } => (Shade::Bad, "failed", Some(reason)),
        TestVerdict::Skipped { reason } => (Shade::Off, "skipped", Some(reason)),
    }
}

fn smoke(shared: &Shared, name: String, columns: Columns) -> Row {
    let live = &shared.live;
    let history = live.smoke.get(&name);
    let running = live.testing.contains(&name);
    let last = history.and_then(|history| history.back());
    let mut line = named(&name, columns);
    let results = history.into_iter().flatten();
    strip(
        &shared.theme,
        &mut line,
        columns,
        results.map(|record| verdict(&record.result.verdict).0),
    );
    let mut shade = Shade::Off;
    if let Some(last) = last {
        let (its, word, reason) = verdict(&last.result.verdict);
        shade = its;
        let number = millis(last.result.took);
        line = line
            .with(Role::Text, format!("{} ", pad(&number, 7)))
            .with_number(&number);
        line.push(Role::Text, "  ");
        line.push(its.into(), word);
        if last.result.attempts > 1 {
            line.push(Role::Dim, format!(" at try {}", last.result.attempts));
        }
        line.push(
            Role::Dim,
            format!(" {} ago", age(live.at.saturating_sub(last.at))),
        );
        if let Some(reason) = reason {
            line.push(Role::Text, format!("  {reason}"));
        }
    } else if !running {
        line.push(Role::Dim, "          not run yet");
    }
    if running {
        shade = Shade::Busy;
        line.push(Role::Busy, "  running now");
    }
    Row {
        subject: Subject::Test(name),
        shade,
        line,
    }
}

/// All that is known of a subject, wrapped.
pub(super) fn details(shared: &Shared, subject: &Subject, width: usize) -> Vec<Line> {
    let lines = match subject {
        Subject::Probe(instance) => of_probe(shared, instance),
        Subject::Test(name) => of_test(shared, name),
    };
    lines.iter().flat_map(|line| line.wrap(width, 2)).collect()
}

fn of_probe(shared: &Shared, instance: &Instance) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Title, instance.to_string())];
    let Some(history) = shared.live.probes.get(instance) else {
        return lines;
    };
    let times: Vec<f64> = history.iter().map(|p| p.attempt.took.as_secs_f64()).collect();
    let mut sorted: Vec<Duration> = history.iter().map(|p| p.attempt.took).collect();
    sorted.sort();
    let at = |share: usize| {
        sorted
            .get((sorted.len().saturating_sub(1) * share).div_ceil(100))
            .copied()
    };
    let mut line = Line::of(Role::Text, spark(&times, 40, None, shared.theme.is_unicode()));
    for (word, value) in [("fastest", at(0)), ("median", at(50)), ("slowest", at(100))] {
        line = line
            .with(Role::Dim, format!("  {word} "))
            .with_number(&millis(value.unwrap_or_default()));
    }
    lines.push(line);
    for record in history.iter().rev() {
        let shade = passed(record);
        let mut line = Line::of(Role::Dim, super::wall_time(shared, record.at))
            .with(shade.into(), format!(" {} ", shared.theme.mark(shade)))
            .with_number(&format!("{:>6}", millis(record.attempt.took)))
            .with(Role::Dim, format!("  {}  ", record.attempt.what))
            .with(Role::Text, &record.attempt.detail);
        // A run counts no failures against a limit: it has a deadline.
        if record.failures > 0 && record.allowed < u32::MAX {
            line.push(
                Role::Dim,
                format!("  ({} of {})", record.failures, record.allowed),
            );
        }
        lines.push(line);
    }
    lines
}

fn of_test(shared: &Shared, name: &str) -> Vec<Line> {
    let live = &shared.live;
    let mut lines = vec![Line::of(Role::Title, name)];
    let last: Option<&SmokeRecord> = live.smoke.get(name).and_then(|history| history.back());
    let Some(last) = last else {
        lines.push(Line::of(Role::Dim, "it has not run yet: x runs it, t runs all"));
        return lines;
    };
    let (shade, word, reason) = verdict(&last.result.verdict);
    let mut line = Line::of(shade.into(), format!("{} {word}", shared.theme.mark(shade)))
        .with(Role::Dim, " in ")
        .with_number(&millis(last.result.took));
    let plural = if last.result.attempts == 1 { "try" } else { "tries" };
    line.push(
        Role::Dim,
        format!(
            " · {} {plural} · {}",
            last.result.attempts,
            super::wall_time(shared, last.at)
        ),
    );
    lines.push(line);
    if let Some(reason) = reason {
        lines.push(Line::of(shade.into(), reason));
    }
    lines.extend(last.result.evidence.iter().map(|text| Line::of(Role::Text, text)));
    lines
}
