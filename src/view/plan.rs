//! A plan for people and programs: each service once, with what is done to it, why, and what that
//! costs; in the words of [`crate::plan::text`].

use serde_json::{Value, json};

use super::style::{Style, Symbol, Tone};
use super::text::Line;
use crate::plan::{Action, Cause, Gate, Plan, Step, StepId, Undo, text as words};

/// Version of the JSON form.
const VERSION: u32 = 1;

/// What one service, or what belongs to none, goes through.
struct Group<'p> {
    name: Option<String>,
    steps: Vec<&'p Step>,
}

/// What happens to a group as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Created,
    Replaced,
    Started,
    Stopped,
    Removed,
    Changed,
    Asked,
}

impl Fate {
    fn of(steps: &[&Step]) -> Self {
        let any = |test: fn(&Action) -> bool| steps.iter().any(|step| test(&step.action));
        let creates = any(|a| {
            matches!(
                a,
                Action::CreateContainer { .. } | Action::CreateNetwork { .. } | Action::CreateVolume { .. }
            )
        });
        let removes = any(|a| {
            matches!(
                a,
                Action::RunProvider { up: false, .. }
                    | Action::RemoveContainer { .. }
                    | Action::RemoveNetwork { .. }
                    | Action::RemoveVolume { .. }
                    | Action::RemoveImage { .. }
            )
        });
        let starts = any(|a| matches!(a, Action::StartContainer { .. }));
        let stops = any(|a| matches!(a, Action::StopContainer { .. }));
        let asks = any(|a| {
            matches!(
                a,
                Action::RunProvider { up: true, .. } | Action::FindModelRunner | Action::PrepareModel { .. }
            )
        });
        match (creates, removes, starts, stops) {
            (false, false, false, false) if asks => Self::Asked,
            (true, true, ..) => Self::Replaced,
            (true, false, ..) => Self::Created,
            (false, true, ..) => Self::Removed,
            (_, _, true, true) => Self::Changed,
            (_, _, true, false) => Self::Started,
            (_, _, false, true) => Self::Stopped,
            _ => Self::Changed,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Created => "is created",
            Self::Replaced => "is replaced",
            Self::Started => "is started",
            Self::Stopped => "is stopped",
            Self::Removed => "is removed",
            Self::Changed => "is changed",
            Self::Asked => "is asked of its provider",
        }
    }

    fn look(self) -> (Tone, Symbol) {
        match self {
            Self::Created | Self::Started | Self::Asked => (Tone::Good, Symbol::Create),
            Self::Replaced | Self::Changed => (Tone::Warn, Symbol::Replace),
            Self::Stopped | Self::Removed => (Tone::Bad, Symbol::Remove),
        }
    }
}

/// What a plan costs a service that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downtime {
    /// Nothing runs that would be missed, or its successor is proven before it stops.
    None,
    /// From the end of the first step until the container that the second starts is ready.
    Between(StepId, StepId),
    /// It stops and nothing takes its place.
    ForGood(StepId),
}

/// The downtime of each service that the plan stops, in the order of the plan.
pub fn downtimes(plan: &Plan) -> Vec<(String, Downtime)> {
    groups(plan)
        .into_iter()
        .filter_map(|group| {
            let name = group.name?;
            let downtime = downtime(&group.steps)?;
            Some((name, downtime))
        })
        .collect()
}

/// `None` where nothing of the group is stopped.
fn downtime(steps: &[&Step]) -> Option<Downtime> {
    let stop = steps
        .iter()
        .find(|step| matches!(step.action, Action::StopContainer { .. }))?;
    let proven_first = stop.gates.iter().any(|gate| matches!(gate, Gate::Proven(_)));
    if proven_first {
        return Some(Downtime::None);
    }
    let start = steps
        .iter()
        .find(|step| matches!(step.action, Action::StartContainer { .. }) && step.id > stop.id);
    Some(match start {
        Some(start) => Downtime::Between(stop.id, start.id),
        None => Downtime::ForGood(stop.id),
    })
}

fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for step in &plan.steps {
        let name = step.action.service().map(ToString::to_string);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.steps.push(step),
            None => groups.push(Group {
                name,
                steps: vec![step],
            }),
        }
    }
    groups
}

/// The plan for people. Nothing is cut: what a plan says must not depend on the terminal's width.
pub fn text(plan: &Plan, style: &Style) -> String {
    let mut lines = Vec::new();
    for refusal in &plan.refusals {
        lines.push(
            Line::new()
                .with(Tone::Bad, style.symbol(Symbol::Bad))
                .with(Tone::Bad, " refused: ")
                .with(Tone::Plain, &refusal.text),
        );
        lines.push(
            Line::new()
                .with(Tone::Dim, "  hint: ")
                .with(Tone::Plain, &refusal.hint),
        );
    }
    for group in groups(plan) {
        group_lines(&group, style, &mut lines);
    }
    for one in &plan.unavailable {
        let (tone, symbol, what) = if one.optional {
            (Tone::Warn, Symbol::Left, " is unavailable (optional): ")
        } else {
            (Tone::Bad, Symbol::Bad, " is unavailable: ")
        };
        lines.push(
            Line::new()
                .with(tone, style.symbol(symbol))
                .with(Tone::Plain, " ")
                .with(Tone::of_service(one.service.as_str()), one.service.as_str())
                .with(Tone::Plain, what)
                .with(Tone::Plain, &one.reason),
        );
    }
    for note in &plan.notes {
        lines.push(
            Line::new()
                .with(Tone::Warn, "note: ")
                .with(Tone::Plain, &note.text),
        );
        if let Some(hint) = &note.hint {
            lines.push(Line::new().with(Tone::Dim, "  hint: ").with(Tone::Plain, hint));
        }
    }
    lines.push(Line::new().with(Tone::Strong, sum(plan)));
    let mut out = String::new();
    for line in lines {
        out.push_str(&line.render(usize::MAX, style));
        out.push('\n');
    }
    out
}

/// The last line: how much is done, or why nothing is.
fn sum(plan: &Plan) -> String {
    let kept = match plan.kept.len() {
        0 => String::new(),
        1 => "1 container is as wanted".to_owned(),
        n => format!("{n} containers are as wanted"),
    };
    if !plan.refusals.is_empty() {
        return "nothing is done while anything is refused".into();
    }
    match (plan.steps.len(), kept.is_empty()) {
        (0, true) => "nothing to do".into(),
        (0, false) => format!("nothing to do: {kept}"),
        (n, true) => format!("{n} {}", if n == 1 { "step" } else { "steps" }),
        (n, false) => format!("{n} {}; {kept}", if n == 1 { "step" } else { "steps" }),
    }
}

fn group_lines(group: &Group<'_>, style: &Style, lines: &mut Vec<Line>) {
    let fate = Fate::of(&group.steps);
    let (tone, symbol) = fate.look();
    if let Some(name) = &group.name {
        lines.push(
            Line::new()
                .with(tone, style.symbol(symbol))
                .with(Tone::Plain, " ")
                .with(Tone::of_service(name), name)
                .with(Tone::Plain, " ")
                .with(tone, fate.words()),
        );
        for text in causes(group) {
            lines.push(Line::new().with(Tone::Plain, "    ").with(Tone::Plain, text));
        }
    }
    let widest = group
        .steps
        .iter()
        .map(|step| super::text::width(&words::action(&step.action)))
        .max()
        .unwrap_or(0);
    for step in &group.steps {
        let mut line = if group.name.is_some() {
            Line::new().with(Tone::Plain, "  ")
        } else {
            let (tone, symbol) = Fate::of(&[step]).look();
            Line::new()
                .with(tone, style.symbol(symbol))
                .with(Tone::Plain, " ")
        };
        line.push(Tone::Dim, format!("{:<4}", step.id.to_string()));
        let from = line.width();
        line.push(Tone::Plain, words::action(&step.action));
        let mut rest = after(step);
        if group.name.is_none() {
            rest.insert(0, words::cause(&step.cause));
        }
        if !rest.is_empty() {
            line.tab(from + widest + 2);
            line.push(Tone::Dim, rest.join("; "));
        }
        lines.push(line);
    }
    let (tone, text) = match downtime(&group.steps).filter(|_| group.name.is_some()) {
        Some(Downtime::None) => (
            Tone::Good,
            "no downtime: its successor is proven first".to_owned(),
        ),
        Some(Downtime::Between(stop, start)) => (
            Tone::Warn,
            format!("down from the end of {stop} until what {start} starts is ready"),
        ),
        // The heading has said that it stops.
        Some(Downtime::ForGood(_)) | None => return,
    };
    lines.push(Line::new().with(Tone::Plain, "    ").with(tone, text));
}

/// Why a group is touched, each reason once, a difference a line. That a successor takes its place
/// is said by the heading.
fn causes(group: &Group<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for step in &group.steps {
        let texts = match &step.cause {
            Cause::Replaced => Vec::new(),
            Cause::Differs(differences) => differences.iter().map(crate::plan::Difference::to_text).collect(),
            other => vec![words::cause(other)],
        };
        for text in texts {
            if !out.contains(&text) {
                out.push(text);
            }
        }
    }
    out
}

/// What a step comes after, what it waits for, and what is done when it fails.
fn after(step: &Step) -> Vec<String> {
    let mut out = Vec::new();
    if !step.after.is_empty() {
        let ids: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        out.push(format!("after {}", ids.join(" ")));
    }
    if !step.gates.is_empty() {
        let gates: Vec<String> = step.gates.iter().map(words::gate).collect();
        out.push(format!("when {}", gates.join(", ")));
    }
    if let Some(Undo::PutBack { name, .. }) = &step.undo {
        out.push(format!("else {name} is put back"));
    }
    out
}

/// The plan for programs.
pub fn to_json(plan: &Plan) -> Value {
    let downtimes: serde_json::Map<String, Value> = downtimes(plan)
        .into_iter()
        .map(|(name, downtime)| {
            let value = match downtime {
                Downtime::None => json!({"kind": "none"}),
                Downtime::Between(from, to) => {
                    json!({"kind": "between", "stopped_by": from, "started_by": to})
                }
                Downtime::ForGood(from) => json!({"kind": "for_good", "stopped_by": from}),
            };
            (name, value)
        })
        .collect();
    json!({
        "v": VERSION,
        "steps": plan.steps.iter().map(step_json).collect::<Vec<_>>(),
        "kept": plan.kept.iter().map(|kept| json!({
            "service": kept.instance.service, "number": kept.instance.number,
            "name": kept.name, "id": kept.id, "completed": kept.completed,
        })).collect::<Vec<_>>(),
        "unavailable": plan.unavailable.iter().map(|one| json!({
            "service": one.service, "reason": one.reason, "optional": one.optional,
        })).collect::<Vec<_>>(),
        "notes": plan.notes.iter().map(|note| json!({
            "text": note.text, "hint": note.hint,
        })).collect::<Vec<_>>(),
        "refusals": plan.refusals.iter().map(|refusal| json!({
            "text": refusal.text, "hint": refusal.hint,
        })).collect::<Vec<_>>(),
        "downtime": downtimes,
    })
}

fn step_json(step: &Step) -> Value {
    let differences = match &step.cause {
        Cause::Differs(differences) => differences
            .iter()
            .map(|d| json!({"path": d.path, "from": d.from, "to": d.to}))
            .collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    json!({
        "id": step.id,
        "action": action_kind(&step.action),
        "what": words::action(&step.action),
        "service": step.action.service(),
        "cause": cause_kind(&step.cause),
        "why": words::cause(&step.cause),
        "differences": differences,
        "after": step.after,
        "gates": step.gates.iter().map(words::gate).collect::<Vec<_>>(),
        "puts_back": step.undo.as_ref().map(|undo| match undo {
            Undo::PutBack { name, .. } => name,
        }),
    })
}

fn action_kind(action: &Action) -> &'static str {
    match action {
        Action::CreateNetwork { .. } => "create_network",
        Action::CreateVolume { .. } => "create_volume",
        Action::CreateContainer { .. } => "create_container",
        Action::StartContainer { .. } => "start_container",
        Action::StopContainer { .. } => "stop_container",
        Action::KillContainer { .. } => "kill_container",
        Action::PauseContainer { .. } => "pause_container",
        Action::UnpauseContainer { .. } => "unpause_container",
        Action::RemoveContainer { .. } => "remove_container",
        Action::RenameContainer { .. } => "rename_container",
        Action::RemoveNetwork { .. } => "remove_network",
        Action::RemoveVolume { .. } => "remove_volume",
        Action::RemoveImage { .. } => "remove_image",
        Action::RunProvider { up: true, .. } => "provider_up",
        Action::RunProvider { up: false, .. } => "provider_down",
        Action::FindModelRunner => "find_model_runner",
        Action::PrepareModel { .. } => "prepare_model",
    }
}

fn cause_kind(cause: &Cause) -> &'static str {
    match cause {
        Cause::Missing => "missing",
        Cause::NotRunning { .. } => "not_running",
        Cause::Differs(_) => "differs",
        Cause::ImageChanged { .. } => "image_changed",
        Cause::Asked(_) => "asked",
        Cause::NotOurs => "not_ours",
        Cause::DependencyReplaced(_) => "dependency_replaced",
        Cause::NetworkReplaced(_) => "network_replaced",
        Cause::Replaced => "replaced",
        Cause::LeftOver => "left_over",
        Cause::ScaledDown { .. } => "scaled_down",
        Cause::Orphan => "orphan",
        Cause::Down => "down",
        Cause::EveryRun => "every_run",
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
