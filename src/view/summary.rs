//! What is said when a run is over: where everything is, and what took how long.

use std::time::Duration;

use super::progress::words;
use super::ps;
use super::style::{Style, Symbol, Tone};
use super::table::{Cell, Table};
use super::text::{Line, wrap};
use crate::base::{Moment, ServiceName};
use crate::event::{ImageStage, InstanceView, Snapshot, Stage, TestVerdict};
use crate::model::observed::BoundPort;
use crate::model::{Container, Project, labels};
use crate::plan::{Action, Instance, Plan};

/// What the summary of an `up` is made from.
#[derive(Debug, Clone, Copy)]
pub struct UpFacts<'a> {
    /// The end of the run.
    pub snapshot: &'a Snapshot,
    /// What was wanted.
    pub project: &'a Project,
    /// What is there now.
    pub containers: &'a [Container],
}

/// The summary of an `up`: a table of the containers, links, smoke tests, time. `columns` is the
/// terminal's width; `None` cuts nothing.
pub fn up(facts: &UpFacts<'_>, columns: Option<usize>, style: &Style) -> String {
    let mut out = services(facts, columns, style);
    let room = columns.unwrap_or(usize::MAX);
    for (instance, view) in &facts.snapshot.instances {
        if view.stage == Stage::Unavailable
            && let Some(reason) = &view.reason
        {
            let text = format!(
                "{} {instance} is unavailable: {reason}",
                style.symbol(Symbol::Left)
            );
            for line in text.lines().flat_map(|line| wrap(line, room)) {
                put(&mut out, &Line::new().with(Tone::Warn, line), None, style);
            }
        }
    }
    for link in links(facts) {
        put(&mut out, &link, None, style);
    }
    if let Some(line) = smoke(facts.snapshot) {
        put(&mut out, &line, None, style);
    }
    if let Some(line) = verdict(facts.snapshot, style) {
        put(&mut out, &line, None, style);
    }
    let path = critical_path(facts.snapshot, facts.project);
    if path.len() > 1 {
        let arrow = format!(" {} ", style.symbol(Symbol::ArrowRight));
        let parts: Vec<String> = path
            .iter()
            .map(|(name, took)| format!("{name} {}", words::fine(*took)))
            .collect();
        let line = Line::new()
            .with(Tone::Dim, "  longest way: ")
            .with(Tone::Dim, parts.join(&arrow));
        put(&mut out, &line, None, style);
    }
    out
}

fn put(out: &mut String, line: &Line, columns: Option<usize>, style: &Style) {
    out.push_str(&line.render(columns.unwrap_or(usize::MAX), style));
    out.push('\n');
}

fn services(facts: &UpFacts<'_>, columns: Option<usize>, style: &Style) -> String {
    let mut table = Table::new()
        .flexible("SERVICE", 8)
        .column("STATE")
        .right("TOOK")
        .droppable()
        .flexible("PORTS", 16)
        .droppable()
        .flexible("IMAGE", 12)
        .droppable();
    let order = |instance: &Instance| {
        let at = facts.project.services.get_index_of(&instance.service);
        (at.unwrap_or(usize::MAX), instance.number)
    };
    let mut instances: Vec<(&Instance, &InstanceView)> = facts.snapshot.instances.iter().collect();
    instances.sort_by_key(|(instance, _)| order(instance));
    for (instance, view) in instances {
        let container = facts
            .containers
            .iter()
            .find(|c| c.service == instance.service && c.number == instance.number && !c.oneoff);
        let (tone, symbol) = words::of_stage(view.stage);
        let word = match view.stage {
            Stage::Pending if view.kept => "kept",
            stage => stage.as_str(),
        };
        let took = boot_time(view).map(words::fine).unwrap_or_default();
        table.row([
            Cell::toned(Tone::of_service(instance.service.as_str()), instance.to_string()),
            Cell::toned(tone, format!("{} {word}", style.symbol(symbol))),
            took.into(),
            published(container).into(),
            Cell::toned(Tone::Dim, image(facts, instance, container, style)),
        ]);
    }
    if table.is_empty() {
        String::new()
    } else {
        table.render(columns, style)
    }
}

/// From the start of its process to ready.
fn boot_time(view: &InstanceView) -> Option<Duration> {
    Some(view.ready?.saturating_sub(view.started?))
}

/// Only the ports that the host publishes.
fn published(container: Option<&Container>) -> String {
    let ports: Vec<BoundPort> = container
        .map(|c| {
            c.ports
                .iter()
                .filter(|port| port.host.is_some())
                .cloned()
                .collect()
        })
        .unwrap_or_default();
    ps::ports(&ports)
}

/// `nginx:1.26.3 ← built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB`, from this run
/// or from what an earlier one wrote on the image.
fn image(facts: &UpFacts<'_>, instance: &Instance, container: Option<&Container>, style: &Style) -> String {
    let wanted = facts
        .project
        .services
        .get(&instance.service)
        .map(|service| service.image_reference(facts.project.name.as_str(), instance.service.as_str()));
    let Some(reference) = wanted.or_else(|| container.map(|c| c.image_ref.clone())) else {
        return String::new();
    };
    let obtained = facts
        .snapshot
        .images
        .get(&reference)
        .and_then(|image| match &image.stage {
            ImageStage::Obtained { line } => Some(line.as_str()),
            _ => None,
        });
    let source = obtained.or_else(|| {
        let label = container?.labels.get(labels::IMAGE_SOURCE)?;
        Some(label.as_str())
    });
    // A line from this run begins with the reference itself.
    let source = source.map(|text| {
        let rest = text
            .strip_prefix(reference.as_str())
            .map(|rest| rest.trim_start());
        rest.and_then(|rest| rest.strip_prefix('←'))
            .map_or(text, str::trim_start)
    });
    match source {
        Some(source) => format!("{reference} {} {source}", style.symbol(Symbol::ArrowLeft)),
        None => reference,
    }
}

/// The links whose service is up.
fn links(facts: &UpFacts<'_>) -> Vec<Line> {
    let is_up = |name: &str| {
        let mut of_service = facts
            .snapshot
            .instances
            .iter()
            .filter(|(instance, _)| instance.service.as_str() == name)
            .peekable();
        of_service.peek().is_some()
            && of_service.all(|(_, view)| {
                matches!(view.stage, Stage::Ready | Stage::Running)
                    || (view.kept && view.stage == Stage::Pending)
            })
    };
    let shown: Vec<_> = facts
        .project
        .ext
        .links
        .iter()
        .filter(|link| link.service.as_deref().is_none_or(is_up))
        .collect();
    let widest = shown
        .iter()
        .map(|link| super::text::width(&link.name))
        .max()
        .unwrap_or(0);
    shown
        .iter()
        .map(|link| {
            let mut line = Line::new().with(Tone::Plain, &link.name);
            line.tab(widest + 2);
            line.with(Tone::Strong, &link.url)
        })
        .collect()
}

fn smoke(snapshot: &Snapshot) -> Option<Line> {
    let count = |wanted: fn(&TestVerdict) -> bool| {
        snapshot
            .tests
            .values()
            .filter(|test| test.verdict.as_ref().is_some_and(wanted))
            .count()
    };
    let passed = count(|v| matches!(v, TestVerdict::Passed));
    let failed = count(|v| matches!(v, TestVerdict::Failed { .. }));
    let skipped = count(|v| matches!(v, TestVerdict::Skipped { .. }));
    if passed + failed + skipped == 0 {
        return None;
    }
    let mut line = Line::new()
        .with(Tone::Plain, "smoke tests: ")
        .with(Tone::Good, format!("{passed} passed"));
    if failed > 0 {
        line.push(Tone::Plain, ", ");
        line.push(Tone::Bad, format!("{failed} failed"));
    }
    if skipped > 0 {
        line.push(Tone::Plain, ", ");
        line.push(Tone::Dim, format!("{skipped} skipped"));
    }
    Some(line)
}

/// How the run ended, and after how long.
pub(super) fn verdict(snapshot: &Snapshot, style: &Style) -> Option<Line> {
    let verdict = snapshot.verdict.as_ref()?;
    let (tone, symbol) = if verdict.code == 0 {
        (Tone::Good, Symbol::Good)
    } else {
        (Tone::Bad, Symbol::Bad)
    };
    let line = Line::new()
        .with(tone, style.symbol(symbol))
        .with(Tone::Plain, " ")
        .with(Tone::Strong, &verdict.text)
        .with(Tone::Plain, " ")
        .with(Tone::Dim, format!("({})", words::fine(verdict.took)));
    Some(line)
}

/// What the start took so long for: from the service that got ready last back over what it waited
/// for, each with the time that it alone added; in front the images, where any had to be obtained.
/// The times add up to the moment at which the last service was ready. Empty where nothing started.
pub fn critical_path(snapshot: &Snapshot, project: &Project) -> Vec<(String, Duration)> {
    let images = snapshot
        .images
        .values()
        .filter(|image| matches!(image.stage, ImageStage::Obtained { .. }))
        .map(|image| image.since)
        .max();
    let ready_at = |name: &ServiceName| -> Option<Moment> {
        snapshot
            .instances
            .iter()
            .filter(|(instance, view)| instance.service == *name && view.started.is_some())
            .filter_map(|(_, view)| view.ready)
            .max()
    };
    let last = project
        .services
        .keys()
        .filter_map(|name| Some((name, ready_at(name)?)))
        .max_by_key(|(_, at)| *at);
    let mut path = Vec::new();
    let mut current = last;
    while let Some((name, end)) = current {
        let dependencies = project
            .services
            .get(name)
            .map(|service| service.depends_on.keys());
        let before = dependencies
            .into_iter()
            .flatten()
            .filter_map(|dependency| Some((dependency, ready_at(dependency)?)))
            // What got ready later was not waited for.
            .filter(|(_, at)| *at < end)
            .max_by_key(|(_, at)| *at);
        let begin = before.map(|(_, at)| at).or(images.filter(|at| *at < end));
        path.push((name.to_string(), end.saturating_sub(begin.unwrap_or_default())));
        if before.is_none()
            && let Some(images) = images.filter(|at| *at < end)
        {
            path.push(("images".to_owned(), images));
        }
        current = before;
    }
    path.reverse();
    path
}

/// The summary of a `down`: what is gone, and what stays.
pub fn down(plan: &Plan, snapshot: &Snapshot, style: &Style) -> String {
    let done = |kind: fn(&Action) -> bool| {
        plan.steps
            .iter()
            .filter(|step| kind(&step.action))
            .filter(|step| {
                snapshot
                    .steps
                    .get(&step.id)
                    .and_then(|view| view.state.as_ref())
                    .is_some_and(|state| matches!(state, crate::event::StepState::Done { .. }))
            })
            .count()
    };
    let counts = [
        (
            done(|a| matches!(a, Action::RemoveContainer { .. })),
            "container",
            "containers",
        ),
        (
            done(|a| matches!(a, Action::RemoveNetwork { .. })),
            "network",
            "networks",
        ),
        (
            done(|a| matches!(a, Action::RemoveVolume { .. })),
            "volume",
            "volumes",
        ),
        (
            done(|a| matches!(a, Action::RemoveImage { .. })),
            "image",
            "images",
        ),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    let mut out = String::new();
    for note in &plan.notes {
        put(&mut out, &Line::new().with(Tone::Plain, &note.text), None, style);
        if let Some(hint) = &note.hint {
            put(
                &mut out,
                &Line::new().with(Tone::Dim, format!("  {hint}")),
                None,
                style,
            );
        }
    }
    if !parts.is_empty() {
        let line = Line::new().with(Tone::Plain, format!("removed: {}", parts.join(", ")));
        put(&mut out, &line, None, style);
    }
    if let Some(line) = verdict(snapshot, style) {
        put(&mut out, &line, None, style);
    }
    out
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
