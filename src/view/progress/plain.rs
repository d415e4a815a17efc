//! A line per meaningful change: stable, greppable, never rewritten.
//!
//! `seconds since the start · what it is about · a word · what there is to say`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::words;
use crate::base::Moment;
use crate::event::{Body, Event, ImageStage, PlannedStep, Stage, StepState, TestResult, TestVerdict};
use crate::plan::{Instance, StepId};
use crate::view::style::{Style, Symbol, Tone};
use crate::view::text::{Line, width};

/// At most one progress line a subject in this time.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// How many lines of a build or tool are kept for its failure.
const OUTPUT_KEPT: usize = 20;
/// The column of names does not get wider than this.
const NAMES_WIDEST: usize = 40;

/// The plain form's memory between events.
#[derive(Debug, Default)]
pub struct Plain {
    verbose: bool,
    style: Style,
    names: usize,
    steps: BTreeMap<StepId, PlannedStep>,
    stages: BTreeMap<Instance, (Stage, Option<String>, Option<Moment>)>,
    progress: BTreeMap<String, (Moment, String)>,
    output: BTreeMap<String, VecDeque<String>>,
}

/// What goes without saying where a project comes up for the first time.
const MISSING: &str = "it is wanted and not there";

impl Plain {
    /// The form at the beginning of a run. `verbose` adds every step, probe and output line.
    pub fn new(style: Style, verbose: bool) -> Self {
        Self {
            verbose,
            style,
            names: 10,
            ..Self::default()
        }
    }

    /// The lines that an event is worth, each ended by a newline; often none.
    pub fn take(&mut self, event: &Event) -> String {
        self.learn_names(&event.body);
        let lines = self.lines(event);
        let mut out = String::new();
        for line in lines {
            out.push_str(&line.render(usize::MAX, &self.style));
            out.push('\n');
        }
        out
    }

    fn lines(&mut self, event: &Event) -> Vec<Line> {
        let at = event.at;
        match &event.body {
            Body::RunStarted {
                run,
                command,
                project,
            } => {
                vec![self.line(at, project.as_str(), Tone::Strong, command, &format!("run {run}"))]
            }
            Body::EngineFound {
                description,
                endpoint,
            } => vec![self.line(
                at,
                "engine",
                Tone::Plain,
                "found",
                &format!("{description} at {endpoint}"),
            )],
            Body::EngineLost { reason } => vec![self.line(at, "engine", Tone::Bad, "lost", reason)],
            Body::EngineBack { after } => {
                let text = format!("after {}; looking again at what is there", words::seconds(*after));
                vec![self.line(at, "engine", Tone::Good, "back", &text)]
            }
            Body::WaitingForLock { holder } => {
                vec![self.line(at, "project", Tone::Wait, "waiting", &format!("for {holder}"))]
            }
            Body::Image { reference, stage, .. } => self.image(at, reference, stage),
            Body::Progress {
                subject,
                text,
                amount,
            } => self.progress(at, subject, text, *amount),
            Body::Output { subject, line } => self.output(at, subject, line),
            Body::Planned {
                steps,
                kept,
                names: _,
                unavailable: _,
            } => self.planned(at, steps, kept),
            Body::Step { id, state } => self.step(at, *id, state),
            Body::Stage {
                instance,
                stage,
                reason,
            } => self.stage(at, instance, *stage, reason.as_deref()),
            Body::Probed { instance, attempt } => {
                if !self.verbose {
                    return Vec::new();
                }
                let (tone, word) = if attempt.passed {
                    (Tone::Good, "passed")
                } else {
                    (Tone::Dim, "probe")
                };
                let arrow = self.style.symbol(Symbol::ArrowRight);
                let text = format!(
                    "{} {arrow} {} ({})",
                    attempt.what,
                    attempt.detail,
                    words::fine(attempt.took)
                );
                vec![self.line(at, &instance.to_string(), tone, word, &text)]
            }
            Body::TestStarted { name } => {
                if self.verbose {
                    vec![self.line(at, "smoke", Tone::Dim, "started", name)]
                } else {
                    Vec::new()
                }
            }
            Body::TestDone(result) => self.test(at, result),
            Body::Warning { text, hint } => self.said(at, Tone::Warn, "warning", text, hint.as_deref()),
            Body::Info { text } => self.said(at, Tone::Plain, "info", text, None),
            Body::Stopping { text } => vec![self.line(at, "project", Tone::Warn, "stopping", text)],
            // The report itself comes after the last line (see `show`).
            Body::Failure(_) => Vec::new(),
            Body::Finished(verdict) => {
                let (tone, word) = if verdict.code == 0 {
                    (Tone::Good, "done")
                } else {
                    (Tone::Bad, "failed")
                };
                let text = format!("{} ({})", verdict.text, words::fine(verdict.took));
                vec![self.line(at, "project", tone, word, &text)]
            }
        }
    }

    /// ` 0.412s  app        running    …`
    fn line(&self, at: Moment, subject: &str, tone: Tone, word: &str, text: &str) -> Line {
        let time = format!("{:>3}.{:03}s", at.as_secs(), at.subsec_millis());
        let mut line = Line::new().with(Tone::Dim, time).with(Tone::Plain, "  ");
        let from = line.width();
        line.push(Tone::Strong, subject);
        line.tab((from + self.names + 1).max(from + width(subject) + 1));
        line.push(Tone::Plain, " ");
        let from = line.width();
        line.push(tone, word);
        if !text.is_empty() {
            line.tab(from + 10);
            line.push(Tone::Plain, " ");
            line.push(Tone::Plain, text);
        }
        line
    }

    fn said(&self, at: Moment, tone: Tone, word: &str, text: &str, hint: Option<&str>) -> Vec<Line> {
        let mut out: Vec<Line> = text
            .lines()
            .map(|one| self.line(at, "project", tone, word, one))
            .collect();
        out.extend(hint.map(|hint| self.line(at, "project", Tone::Dim, "hint", hint)));
        out
    }

    /// The column of names is as wide as the services and images announced so far; it never shrinks.
    fn learn_names(&mut self, body: &Body) {
        let widest = match body {
            Body::Image {
                reference, services, ..
            } => services
                .iter()
                .map(|s| width(s.as_str()))
                .chain([width(reference)])
                .max(),
            Body::Planned { steps, .. } => steps
                .iter()
                .filter_map(|step| step.service.as_ref())
                .map(|service| width(service.as_str()))
                .max(),
            Body::Stage { instance, .. } => Some(width(&instance.to_string())),
            _ => None,
        };
        self.names = self.names.max(widest.unwrap_or(0).min(NAMES_WIDEST));
    }

    fn image(&mut self, at: Moment, reference: &str, stage: &ImageStage) -> Vec<Line> {
        self.progress.remove(reference);
        let (word, tone, _) = words::of_image(stage);
        match stage {
            ImageStage::Present if !self.verbose => Vec::new(),
            ImageStage::Present | ImageStage::Pulling | ImageStage::Building | ImageStage::Bootstrapping => {
                vec![self.line(at, reference, tone, word, "")]
            }
            ImageStage::Obtained { line } => {
                self.output.remove(reference);
                let arrow = self.style.symbol(Symbol::ArrowLeft);
                vec![self.line(at, reference, tone, arrow, line)]
            }
            ImageStage::Unavailable { reason } => self.lines_about(at, reference, tone, word, reason),
            ImageStage::Failed { reason } => {
                let mut out = self.last_output(at, reference);
                out.extend(self.lines_about(at, reference, tone, word, reason));
                out
            }
        }
    }

    /// A line for each line of `text`.
    fn lines_about(&self, at: Moment, subject: &str, tone: Tone, word: &str, text: &str) -> Vec<Line> {
        if text.is_empty() {
            return vec![self.line(at, subject, tone, word, "")];
        }
        text.lines()
            .map(|one| self.line(at, subject, tone, word, one))
            .collect()
    }

    fn last_output(&mut self, at: Moment, subject: &str) -> Vec<Line> {
        self.output
            .remove(subject)
            .unwrap_or_default()
            .iter()
            .filter(|_| !self.verbose)
            .map(|line| self.line(at, subject, Tone::Dim, "output", line))
            .collect()
    }

    fn progress(&mut self, at: Moment, subject: &str, text: &str, amount: Option<(u64, u64)>) -> Vec<Line> {
        match self.progress.get(subject) {
            Some((last, said))
                if at.saturating_sub(*last) < PROGRESS_EVERY || (said == text && amount.is_none()) =>
            {
                return Vec::new();
            }
            _ => {}
        }
        self.progress.insert(subject.to_owned(), (at, text.to_owned()));
        let text = match amount {
            Some(amount) => format!("{text}  {}", words::amount(amount)),
            None => text.to_owned(),
        };
        vec![self.line(at, subject, Tone::Dim, "progress", text.trim_start())]
    }

    fn output(&mut self, at: Moment, subject: &str, line: &str) -> Vec<Line> {
        let kept = self.output.entry(subject.to_owned()).or_default();
        if kept.len() == OUTPUT_KEPT {
            kept.pop_front();
        }
        kept.push_back(line.to_owned());
        if self.verbose {
            vec![self.line(at, subject, Tone::Dim, "output", line)]
        } else {
            Vec::new()
        }
    }

    /// A line a service with its cause, or a line a step where every step is to be shown.
    fn planned(&mut self, at: Moment, steps: &[PlannedStep], kept: &[Instance]) -> Vec<Line> {
        self.steps = steps.iter().map(|step| (step.id, step.clone())).collect();
        let mut summary = match steps.len() {
            0 => "nothing to do".to_owned(),
            1 => "1 step".to_owned(),
            n => format!("{n} steps"),
        };
        if !kept.is_empty() {
            let names: Vec<String> = kept.iter().map(Instance::to_string).collect();
            summary.push_str(&format!("; as wanted already: {}", names.join(", ")));
        }
        let mut out = vec![self.line(at, "plan", Tone::Plain, "made", &summary)];
        let mut said: Vec<(&str, &str)> = Vec::new();
        for step in steps {
            let subject = step.service.as_ref().map_or("plan", |s| s.as_str());
            if self.verbose {
                let text = format!("{} {} ({})", step.id, step.what, step.cause);
                out.push(self.line(at, subject, Tone::Plain, "planned", &text));
            } else if step.cause != MISSING
                && step.service.is_some()
                && !said.contains(&(subject, &step.cause))
            {
                said.push((subject, &step.cause));
                out.push(self.line(at, subject, Tone::Plain, "planned", &step.cause));
            }
        }
        out
    }

    fn step(&mut self, at: Moment, id: StepId, state: &StepState) -> Vec<Line> {
        let Some(step) = self.steps.get(&id) else {
            return Vec::new();
        };
        let subject = step.service.as_ref().map_or("project", |s| s.as_str());
        match state {
            StepState::Waiting { reason } => {
                vec![self.line(at, subject, Tone::Wait, "waiting", &format!("for {reason}"))]
            }
            StepState::Started if self.verbose => {
                vec![self.line(at, subject, Tone::Dim, "started", &step.what)]
            }
            StepState::Done { took } if self.verbose || step.service.is_none() => {
                let text = format!("{} ({})", step.what, words::fine(*took));
                vec![self.line(at, subject, Tone::Plain, "done", &text)]
            }
            StepState::Failed { error } => self.lines_about(
                at,
                subject,
                Tone::Bad,
                "failed",
                &format!("{}: {error}", step.what),
            ),
            // Said at the container's own stage; only what belongs to none is said here.
            StepState::Blocked { reason } if self.verbose || step.service.is_none() => {
                vec![self.line(
                    at,
                    subject,
                    Tone::Warn,
                    "blocked",
                    &format!("{}: {reason}", step.what),
                )]
            }
            StepState::Started | StepState::Done { .. } | StepState::Blocked { .. } => Vec::new(),
        }
    }

    fn stage(&mut self, at: Moment, instance: &Instance, stage: Stage, reason: Option<&str>) -> Vec<Line> {
        let before = self.stages.get(instance);
        if before.is_some_and(|(s, r, _)| *s == stage && r.as_deref() == reason) {
            return Vec::new();
        }
        let started = match stage {
            Stage::Running => Some(at),
            _ => before.and_then(|(_, _, started)| *started),
        };
        let mut text = reason.unwrap_or_default().to_owned();
        if matches!(stage, Stage::Ready | Stage::Completed)
            && let Some(started) = started
        {
            let took = format!("{} after its start", words::fine(at.saturating_sub(started)));
            text = if text.is_empty() {
                took
            } else {
                format!("{text} ({took})")
            };
        }
        self.stages
            .insert(instance.clone(), (stage, reason.map(Into::into), started));
        if stage == Stage::Pending && text.is_empty() {
            return Vec::new();
        }
        let tone = words::of_stage(stage).0;
        self.lines_about(at, &instance.to_string(), tone, stage.as_str(), &text)
    }

    fn test(&self, at: Moment, result: &TestResult) -> Vec<Line> {
        let took = words::fine(result.took);
        let tries = match result.attempts {
            0 | 1 => String::new(),
            n => format!(", {n} tries"),
        };
        let (tone, word, text) = match &result.verdict {
            TestVerdict::Passed => (Tone::Good, "passed", format!("{} ({took}{tries})", result.name)),
            TestVerdict::Failed { reason } => (
                Tone::Bad,
                "failed",
                format!("{}: {reason} ({took}{tries})", result.name),
            ),
            TestVerdict::Skipped { reason } => (Tone::Dim, "skipped", format!("{}: {reason}", result.name)),
        };
        let mut out = vec![self.line(at, "smoke", tone, word, &text)];
        if self.verbose || matches!(result.verdict, TestVerdict::Failed { .. }) {
            out.extend(
                result
                    .evidence
                    .iter()
                    .map(|line| self.line(at, "smoke", Tone::Dim, "evidence", line)),
            );
        }
        out
    }
}
