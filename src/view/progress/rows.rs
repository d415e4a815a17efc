//! The rows of the live tree: images, containers, other steps, smoke tests.

use std::time::Duration;

use super::tree::{Frame, Rank, Row, Section};
use super::words;
use crate::base::{Moment, ServiceName};
use crate::event::{ImageStage, ImageView, InstanceView, Snapshot, Stage, StepState, StepView, TestVerdict};
use crate::plan::Instance;
use crate::view::style::{Style, Symbol, Tone};
use crate::view::text::{Line, truncate, width};

/// The parts of a row, laid out in columns.
struct Parts<'a> {
    rank: Rank,
    tone: Tone,
    symbol: Symbol,
    name: &'a str,
    name_tone: Tone,
    word: &'a str,
    time: Option<Duration>,
    detail: String,
    detail_tone: Tone,
}

/// Lays a row out: `⠹ nginx   running   0.2s  GET http://… → 502`.
fn row(parts: Parts<'_>, names: usize, view: &Frame) -> Row {
    let style = &view.style;
    let symbol = if parts.rank == Rank::Active && view.rows.is_some() {
        style.spinner(view.tick)
    } else {
        style.symbol(parts.symbol)
    };
    let mut line = Line::new().with(parts.tone, symbol).with(Tone::Plain, " ");
    let name = truncate(parts.name, names, style);
    line.push(parts.name_tone, &name);
    let narrow = view.columns < NARROW;
    if narrow {
        line.push(Tone::Plain, " ");
    } else {
        line.tab(2 + names + 2);
    }
    line.push(parts.tone, parts.word);
    let detail_at = 2 + names + 2 + WORDS + 1 + TIMES + 2;
    if let Some(time) = parts.time {
        let time = words::seconds(time);
        if narrow {
            line.push(Tone::Plain, " ");
        } else {
            line.tab((detail_at - 2).saturating_sub(width(&time)));
        }
        line.push(Tone::Dim, time);
    }
    if !parts.detail.is_empty() {
        if narrow {
            line.push(Tone::Plain, " ");
        } else {
            line.tab(detail_at);
        }
        line.push(parts.detail_tone, parts.detail);
    }
    Row {
        rank: parts.rank,
        line,
    }
}

/// Below this many columns nothing is aligned.
const NARROW: usize = 50;
/// Columns of the word that says how it stands; the longest are `unavailable` and `bootstrapping`.
const WORDS: usize = 8;
/// Columns of the time.
const TIMES: usize = 5;
/// From this many columns on there are bars.
const WITH_BARS: usize = 70;

fn names_width<'a>(names: impl Iterator<Item = &'a str>, view: &Frame) -> usize {
    names.map(width).max().unwrap_or(0).min((view.columns / 3).max(8))
}

pub(super) fn images(snapshot: &Snapshot, view: &Frame) -> Section {
    let shown: Vec<(&String, &ImageView)> = snapshot
        .images
        .iter()
        .filter(|(_, image)| image.stage != ImageStage::Present)
        .collect();
    let names = names_width(shown.iter().map(|(name, _)| name.as_str()), view);
    let rows: Vec<Row> = shown
        .iter()
        .map(|(name, image)| image_row(snapshot, name, image, names, view))
        .collect();
    Section {
        title: "images",
        done: rows.iter().filter(|row| row.rank == Rank::Done).count(),
        total: rows.len(),
        rows,
    }
}

fn image_row(snapshot: &Snapshot, name: &str, image: &ImageView, names: usize, view: &Frame) -> Row {
    let (word, tone, symbol) = words::of_image(&image.stage);
    let (rank, detail, detail_tone) = match &image.stage {
        ImageStage::Present => (Rank::Done, String::new(), Tone::Dim),
        ImageStage::Obtained { line } => (Rank::Done, line.clone(), Tone::Dim),
        ImageStage::Unavailable { reason } => (Rank::Done, reason.clone(), Tone::Dim),
        ImageStage::Failed { reason } => (Rank::Failed, reason.clone(), Tone::Bad),
        ImageStage::Pulling | ImageStage::Building | ImageStage::Bootstrapping => {
            (Rank::Active, progress(snapshot, name, view), Tone::Plain)
        }
    };
    let time = (rank == Rank::Active).then(|| view.now.saturating_sub(image.since));
    let parts = Parts {
        rank,
        tone,
        symbol,
        name,
        name_tone: Tone::Plain,
        word,
        time,
        detail,
        detail_tone,
    };
    row(parts, names, view)
}

/// `━━━━──── 42%  [3/5] RUN …`
fn progress(snapshot: &Snapshot, subject: &str, view: &Frame) -> String {
    let Some(progress) = snapshot.progress.get(subject) else {
        return String::new();
    };
    let mut parts = Vec::new();
    if let Some((done, total)) = progress.amount.filter(|(_, total)| *total > 0) {
        let share = (done.min(total) as f64) / (total as f64);
        if view.columns >= WITH_BARS {
            parts.push(bar(share, (view.columns / 8).min(20), &view.style));
        }
        parts.push(format!("{:.0}%", share * 100.0));
    }
    let said = if progress.text.is_empty() {
        progress.last_line.as_deref()
    } else {
        Some(progress.text.as_str())
    };
    parts.extend(said.map(Into::into));
    parts.join(" ")
}

fn bar(share: f64, columns: usize, style: &Style) -> String {
    let done = ((share * columns as f64).round() as usize).min(columns);
    format!(
        "{}{}",
        style.symbol(Symbol::BarDone).repeat(done),
        style.symbol(Symbol::BarRest).repeat(columns - done)
    )
}

/// The containers in the order of the plan, then those it does not mention.
fn instances(snapshot: &Snapshot) -> Vec<Instance> {
    let mut services: Vec<&ServiceName> = Vec::new();
    let planned = snapshot
        .steps
        .values()
        .filter_map(|step| step.planned.service.as_ref());
    for service in planned.chain(snapshot.instances.keys().map(|instance| &instance.service)) {
        if !services.contains(&service) {
            services.push(service);
        }
    }
    let mut out = Vec::new();
    for service in services {
        let mut known: Vec<&Instance> = snapshot
            .instances
            .keys()
            .filter(|i| i.service == *service)
            .collect();
        known.sort();
        if known.is_empty() {
            out.push(Instance {
                service: service.clone(),
                number: 1,
            });
        }
        out.extend(known.into_iter().cloned());
    }
    out
}

pub(super) fn services(snapshot: &Snapshot, view: &Frame) -> Section {
    let instances = instances(snapshot);
    let labels: Vec<String> = instances.iter().map(Instance::to_string).collect();
    let names = names_width(labels.iter().map(String::as_str), view);
    let rows: Vec<Row> = instances
        .iter()
        .zip(&labels)
        .map(|(instance, label)| service_row(snapshot, instance, label, names, view))
        .collect();
    Section {
        title: "services",
        done: rows.iter().filter(|row| row.rank == Rank::Done).count(),
        total: rows.len(),
        rows,
    }
}

/// The step of a service that says most about it now: a failed one, one under way, one that waits.
fn current_step<'s>(snapshot: &'s Snapshot, service: &ServiceName) -> Option<&'s StepView> {
    let of_service = || {
        snapshot
            .steps
            .values()
            .filter(|step| step.planned.service.as_ref() == Some(service))
    };
    let find =
        |wanted: fn(&StepState) -> bool| of_service().find(|step| step.state.as_ref().is_some_and(wanted));
    find(|state| matches!(state, StepState::Failed { .. }))
        .or_else(|| find(|state| matches!(state, StepState::Started)))
        .or_else(|| find(|state| matches!(state, StepState::Waiting { .. })))
}

fn service_row(snapshot: &Snapshot, instance: &Instance, label: &str, names: usize, view: &Frame) -> Row {
    let known = snapshot.instances.get(instance);
    let stage = known.map_or(Stage::Pending, |i| i.stage);
    let step = current_step(snapshot, &instance.service);
    let since = |moment: Moment| Some(view.now.saturating_sub(moment));
    let (tone, symbol) = words::of_stage(stage);
    let mut parts = Parts {
        rank: Rank::Waiting,
        tone,
        symbol,
        name: label,
        name_tone: Tone::of_service(instance.service.as_str()),
        word: stage.as_str(),
        time: None,
        detail: known.and_then(|i| i.reason.clone()).unwrap_or_default(),
        detail_tone: Tone::Plain,
    };
    match stage {
        Stage::Failed => {
            parts.rank = Rank::Failed;
            parts.detail_tone = Tone::Bad;
            if parts.detail.is_empty()
                && let Some(StepState::Failed { error }) = step.and_then(|s| s.state.as_ref())
            {
                parts.detail.clone_from(error);
            }
        }
        Stage::Running | Stage::Restarting => {
            parts.rank = Rank::Active;
            parts.time = known.and_then(|i| since(i.started.unwrap_or(i.since)));
            if parts.detail.is_empty() {
                parts.detail = known.map(|i| last_probe(i, view)).unwrap_or_default();
                parts.detail_tone = Tone::Dim;
            }
        }
        Stage::Ready | Stage::Completed => {
            parts.rank = Rank::Done;
            if let Some(InstanceView {
                started: Some(started),
                ready: Some(ready),
                ..
            }) = known
            {
                parts.time = Some(ready.saturating_sub(*started));
            } else if known.is_some_and(|i| i.kept) && parts.detail.is_empty() {
                parts.detail = "as it was".into();
            }
            parts.detail_tone = Tone::Dim;
        }
        Stage::Stopped | Stage::Removed | Stage::Unavailable => {
            parts.rank = Rank::Done;
            parts.detail_tone = Tone::Dim;
        }
        Stage::Blocked => parts.rank = Rank::Waiting,
        Stage::Pending | Stage::Created => parts.detail_tone = Tone::Dim,
    }
    // Nothing more was wanted of it: it was paused, say, or only created.
    let ended_well = snapshot.verdict.as_ref().is_some_and(|verdict| verdict.code == 0);
    if ended_well && matches!(stage, Stage::Running | Stage::Created) {
        parts.rank = Rank::Done;
    }
    if known.is_some_and(|i| i.kept) && stage == Stage::Pending && step.is_none() {
        parts.rank = Rank::Done;
        (parts.tone, parts.symbol) = words::of_stage(Stage::Ready);
        parts.word = "kept";
    }
    // What is being done about it is worth more than the stage it is at.
    if !matches!(
        stage,
        Stage::Failed | Stage::Blocked | Stage::Unavailable | Stage::Running
    ) && let Some(step) = step
    {
        match &step.state {
            Some(StepState::Started) => {
                parts.rank = Rank::Active;
                parts.tone = Tone::Wait;
                parts.time = since(step.since);
                parts.detail.clone_from(&step.planned.what);
                parts.detail_tone = Tone::Dim;
            }
            Some(StepState::Waiting { reason }) if matches!(stage, Stage::Pending | Stage::Created) => {
                parts.word = "waiting";
                parts.detail = format!("for {reason}");
            }
            Some(StepState::Failed { error }) if stage != Stage::Ready => {
                parts.rank = Rank::Failed;
                (parts.tone, parts.symbol) = words::of_stage(Stage::Failed);
                parts.word = "failed";
                parts.detail.clone_from(error);
                parts.detail_tone = Tone::Bad;
            }
            _ => {}
        }
    }
    row(parts, names, view)
}

fn last_probe(instance: &InstanceView, view: &Frame) -> String {
    instance.last_probe.as_ref().map_or_else(String::new, |probe| {
        format!(
            "{} {} {}",
            probe.what,
            view.style.symbol(Symbol::ArrowRight),
            probe.detail
        )
    })
}

/// Steps that belong to no service: only while they run, and when they failed.
pub(super) fn others(snapshot: &Snapshot, view: &Frame) -> Section {
    let rows: Vec<Row> = snapshot
        .steps
        .values()
        .filter(|step| step.planned.service.is_none())
        .filter_map(|step| {
            let (rank, tone, symbol, detail) = match step.state.as_ref()? {
                StepState::Started => (Rank::Active, Tone::Wait, Symbol::Waiting, ""),
                StepState::Waiting { reason } => (Rank::Waiting, Tone::Dim, Symbol::Waiting, reason.as_str()),
                StepState::Failed { error } => (Rank::Failed, Tone::Bad, Symbol::Bad, error.as_str()),
                StepState::Blocked { reason } => {
                    (Rank::Waiting, Tone::Warn, Symbol::Waiting, reason.as_str())
                }
                StepState::Done { .. } => return None,
            };
            let spinner = view.style.spinner(view.tick);
            let symbol = if rank == Rank::Active && view.rows.is_some() {
                spinner
            } else {
                view.style.symbol(symbol)
            };
            let mut line = Line::new()
                .with(tone, symbol)
                .with(Tone::Plain, " ")
                .with(Tone::Plain, &step.planned.what);
            if !detail.is_empty() {
                line.push(Tone::Plain, "  ");
                line.push(tone, detail);
            }
            Some(Row { rank, line })
        })
        .collect();
    Section {
        title: "",
        done: 0,
        total: rows.len(),
        rows,
    }
}

/// Smoke tests: those that passed are only counted.
pub(super) fn tests(snapshot: &Snapshot, view: &Frame) -> Section {
    let names = names_width(snapshot.tests.keys().map(String::as_str), view);
    let mut done = 0;
    let mut rows = Vec::new();
    for (name, test) in &snapshot.tests {
        let (rank, tone, symbol, word, detail) = match &test.verdict {
            None => (Rank::Active, Tone::Wait, Symbol::Waiting, "running", ""),
            Some(TestVerdict::Passed) => {
                done += 1;
                continue;
            }
            Some(TestVerdict::Failed { reason }) => {
                (Rank::Failed, Tone::Bad, Symbol::Bad, "failed", reason.as_str())
            }
            Some(TestVerdict::Skipped { reason }) => {
                (Rank::Done, Tone::Dim, Symbol::Left, "skipped", reason.as_str())
            }
        };
        let parts = Parts {
            rank,
            tone,
            symbol,
            name,
            name_tone: Tone::Plain,
            word,
            time: (rank == Rank::Active).then(|| view.now.saturating_sub(test.since)),
            detail: detail.to_owned(),
            detail_tone: if rank == Rank::Failed {
                Tone::Bad
            } else {
                Tone::Dim
            },
        };
        rows.push(row(parts, names, view));
    }
    Section {
        title: "smoke",
        done,
        total: snapshot.tests.len(),
        rows,
    }
}
