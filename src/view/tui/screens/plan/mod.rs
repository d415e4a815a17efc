//! The plan screen: what differs from the files, step by step and field by field; while a run is under
//! way, how far its steps are.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Screen;
use crate::event::live::{Live, PlannedChanges, Shade};
use crate::event::request::{Needs, Request};
use crate::event::{Snapshot, StepState, StepView};
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::Effect;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::{Role, Theme};
use crate::view::tui::widgets::{Cursor, Line, Painter, age, millis};

#[cfg(test)]
mod tests;

/// Its name.
pub const NAME: &str = "plan";

const COMPARE: CommandId = CommandId("plan.compare");
const EXPAND: CommandId = CommandId("plan.expand-all");

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(COMPARE, &["u"], "read the stack's files again and compare").hint("compare"),
    Spec::new(EXPAND, &["x"], "show or hide what differs of all steps").hint("expand"),
];

/// An entry of the list: its first line, and what stands below it where it is open.
struct Entry {
    line: Line,
    below: Vec<Line>,
}

/// The screen's state.
#[derive(Debug, Default)]
pub struct Plan {
    area: Rect,
    cursor: Cursor,
    /// Entries that are opened one by one, or closed where all are open.
    turned: BTreeSet<usize>,
    closed: bool,
    /// The first line of each entry, and all lines, wrapped.
    starts: Vec<usize>,
    lines: Vec<Line>,
    /// The first line in sight.
    top: usize,
}

impl Plan {
    fn is_open(&self, at: usize) -> bool {
        self.closed == self.turned.contains(&at)
    }

    fn height(&self) -> usize {
        usize::from(self.area.height.saturating_sub(1))
    }

    /// Brings the selected entry into sight, whole where that is possible.
    fn follow(&mut self) {
        let Some(start) = self.starts.get(self.cursor.at).copied() else {
            self.top = 0;
            return;
        };
        let end = self
            .starts
            .get(self.cursor.at + 1)
            .copied()
            .unwrap_or(self.lines.len());
        if end > self.top + self.height() {
            self.top = end.saturating_sub(self.height());
        }
        self.top = self.top.min(start);
    }

    fn build(&mut self, shared: &Shared) {
        let width = usize::from(self.area.width);
        let entries = entries(shared);
        self.cursor.resize(self.height(), entries.len());
        self.starts.clear();
        self.lines.clear();
        for (at, entry) in entries.iter().enumerate() {
            self.starts.push(self.lines.len());
            let mark = match (entry.below.is_empty(), self.is_open(at)) {
                (true, _) => "  ",
                (false, true) => shared.theme.pick("▾ ", "- "),
                (false, false) => shared.theme.pick("▸ ", "+ "),
            };
            let mut line = Line::of(Role::Dim, mark);
            line.append(&entry.line);
            self.lines.extend(line.wrap(width, 4));
            if self.is_open(at) {
                self.lines
                    .extend(entry.below.iter().flat_map(|line| line.wrap(width, 8)));
            }
        }
        self.follow();
    }
}

/// The run whose steps are shown: one that is under way and has a plan.
fn run_of(live: &Live) -> Option<&Snapshot> {
    live.run
        .as_deref()
        .filter(|run| run.verdict.is_none() && !run.steps.is_empty())
}

fn entries(shared: &Shared) -> Vec<Entry> {
    let planned = shared.live.plan.as_ref().and_then(|plan| plan.as_ref().ok());
    if let Some(run) = run_of(&shared.live) {
        return run
            .steps
            .values()
            .map(|step| step_entry(&shared.theme, run, step, planned))
            .collect();
    }
    let mut entries = Vec::new();
    if let Some(planned) = planned {
        compared(planned, &mut entries);
    }
    if let Some(run) = shared.live.run.as_deref().filter(|run| !run.steps.is_empty()) {
        let ended = run
            .verdict
            .as_ref()
            .map(|verdict| verdict.text.as_str())
            .unwrap_or_default();
        let text = format!("the last run here, {}: {ended}", run.command);
        entries.push(Entry {
            line: Line::of(Role::Title, text),
            below: Vec::new(),
        });
        let steps = run.steps.values();
        entries.extend(steps.map(|step| step_entry(&shared.theme, run, step, None)));
    }
    entries
}

/// What differs from the files, and the notes.
fn compared(planned: &PlannedChanges, entries: &mut Vec<Entry>) {
    let steps = planned.lines.iter().map(|line| Entry {
        line: Line::of(Role::Text, &line.what).with(Role::Dim, format!(" · {}", line.cause)),
        below: differences(&line.differences),
    });
    entries.extend(steps);
    let role = if planned.refused { Role::Bad } else { Role::Dim };
    let notes = planned.notes.iter().map(|note| Entry {
        line: Line::of(role, note),
        below: Vec::new(),
    });
    entries.extend(notes);
}

fn differences(all: &[(String, String, String)]) -> Vec<Line> {
    let absent = |value: &str| {
        if value.is_empty() {
            "(none)".to_owned()
        } else {
            value.to_owned()
        }
    };
    all.iter()
        .map(|(path, was, will)| {
            Line::of(Role::Dim, format!("    {path}  "))
                .with(Role::Bad, absent(was))
                .with(Role::Dim, " → ")
                .with(Role::Good, absent(will))
        })
        .collect()
}

fn step_entry(
    theme: &Theme,
    run: &Snapshot,
    step: &StepView,
    planned: Option<&std::sync::Arc<PlannedChanges>>,
) -> Entry {
    let since = age(run.at.saturating_sub(step.since));
    let ended = run.verdict.is_some();
    let (shade, said) = match &step.state {
        None if ended => (Shade::Off, "its turn did not come".to_owned()),
        Some(StepState::Waiting { reason }) if ended => (Shade::Off, format!("not done: {reason}")),
        Some(StepState::Started) if ended => (Shade::Attention, "was not seen to its end".to_owned()),
        None => (Shade::Off, "not its turn yet".to_owned()),
        Some(StepState::Waiting { reason }) => (Shade::Off, format!("waits {since}: {reason}")),
        Some(StepState::Started) => (Shade::Busy, format!("under way for {since}")),
        Some(StepState::Done { took }) => (Shade::Good, format!("done in {}", millis(*took))),
        Some(StepState::Failed { error }) => (Shade::Bad, format!("failed: {error}")),
        Some(StepState::Blocked { reason }) => (Shade::Attention, format!("not done: {reason}")),
    };
    let said_role = match shade {
        Shade::Good | Shade::Off => Role::Dim,
        shade => shade.into(),
    };
    let own = planned.and_then(|p| p.lines.iter().find(|line| line.what == step.planned.what));
    let mut below = vec![Line::of(Role::Dim, format!("    because {}", step.planned.cause))];
    below.extend(own.map(|line| differences(&line.differences)).unwrap_or_default());
    Entry {
        line: Line::of(shade.into(), format!("{} ", theme.mark(shade)))
            .with(Role::Text, &step.planned.what)
            .with(said_role, format!("  {said}")),
        below,
    }
}

/// The first line: what stands below, and as of when.
fn heading(shared: &Shared) -> Line {
    let live = &shared.live;
    if let Some(run) = run_of(live) {
        let done = run
            .steps
            .values()
            .filter(|step| matches!(step.state, Some(StepState::Done { .. })))
            .count();
        return Line::of(Role::Busy, format!("{} is under way", run.command)).with(
            Role::Dim,
            format!(": {done} of {} steps are done", run.steps.len()),
        );
    }
    match &live.plan {
        None => Line::of(Role::Dim, "what runs is being compared with the files"),
        Some(Err(why)) => Line::of(Role::Bad, "what differs cannot be told: ").with(Role::Text, why),
        Some(Ok(planned)) => {
            let ago = age(live.at.saturating_sub(planned.at));
            let mut line = if planned.refused {
                Line::of(Role::Bad, "this plan may not be done")
            } else if planned.lines.is_empty() {
                Line::of(Role::Good, "nothing to do: all is as the files say")
            } else {
                let plural = if planned.lines.len() == 1 { "" } else { "s" };
                Line::of(
                    Role::Title,
                    format!("{} step{plural} to be as the files say", planned.lines.len()),
                )
            };
            line.push(Role::Dim, format!(" · compared {ago} ago"));
            line
        }
    }
}

impl Screen for Plan {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs {
            plan: true,
            ..Needs::default()
        }
    }

    fn resize(&mut self, shared: &Shared, area: Rect) {
        self.area = area;
        self.build(shared);
    }

    fn refresh(&mut self, _shared: &mut Shared) {}

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        match id {
            COMPARE => return Some(vec![Effect::Request(Request::Plan)]),
            EXPAND => {
                self.closed = !self.closed;
                self.turned.clear();
            }
            command::OPEN => {
                let at = self.cursor.at;
                if !self.turned.remove(&at) {
                    self.turned.insert(at);
                }
            }
            command::APPLY => {
                let planned = shared.live.plan.as_ref().and_then(|plan| plan.as_ref().ok());
                return match planned {
                    Some(planned) if planned.refused => Some(vec![Effect::Trouble(
                        "this plan may not be done; the notes say why".into(),
                    )]),
                    Some(planned) if planned.lines.is_empty() => Some(vec![Effect::Notice(
                        "nothing to do: all is as the files say".into(),
                    )]),
                    _ => None,
                };
            }
            command::COPY => {
                let text: Vec<String> = entries(shared)
                    .iter()
                    .flat_map(|entry| std::iter::once(&entry.line).chain(&entry.below))
                    .map(Line::text)
                    .collect();
                return Some(vec![Effect::Copy(text.join("\n"))]);
            }
            _ if self.cursor.command(id, self.starts.len()) => {}
            _ => return None,
        }
        Some(Vec::new())
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let mut painter = Painter::new(buffer, area, &shared.theme);
        heading(shared).draw(&mut painter, 0, 0, area.width);
        let selected = self.starts.get(self.cursor.at).copied();
        for (row, (at, line)) in (1..area.height).zip(self.lines.iter().enumerate().skip(self.top)) {
            line.draw(&mut painter, 0, row, area.width);
            if selected == Some(at) {
                painter.tint(row, shared.theme.style(Role::Selected));
            }
        }
    }

    fn click(&mut self, _shared: &mut Shared, _column: u16, row: u16) -> Vec<Effect> {
        let line = self.top + usize::from(row).saturating_sub(1);
        if row > 0
            && line < self.lines.len()
            && let Some(at) = self.starts.iter().rposition(|start| *start <= line)
        {
            self.cursor.select(at, self.starts.len());
        }
        Vec::new()
    }
}
