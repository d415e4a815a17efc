//! The probes screen: each instance's probes and each smoke test with their history; of the selected
//! one all that is known, evidence in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::Screen;
use crate::base::Moment;
use crate::event::request::{Needs, Request};
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::Effect;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Cursor, Line, Painter};

mod rows;
#[cfg(test)]
mod tests;

use rows::{Row, Subject};

/// Its name.
pub const NAME: &str = "probes";

const RUN: CommandId = CommandId("probes.run");
const FAILING: CommandId = CommandId("probes.failing");
const EVIDENCE_DOWN: CommandId = CommandId("probes.evidence-down");
const EVIDENCE_UP: CommandId = CommandId("probes.evidence-up");

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(
        RUN,
        &["x"],
        "run the selected smoke test now, or probe the selected instance",
    )
    .hint("run"),
    Spec::new(FAILING, &["f"], "only what fails, or all").hint("failing"),
    Spec::new(EVIDENCE_DOWN, &["J"], "scroll the evidence down"),
    Spec::new(EVIDENCE_UP, &["K"], "scroll the evidence up"),
];

/// The screen's state.
#[derive(Debug, Default)]
pub struct Probes {
    rows: Vec<Row>,
    cursor: Cursor,
    /// What is selected, to find it again when rows come and go.
    selected: Option<Subject>,
    failing: bool,
    /// Whether keys that move act on the evidence.
    in_evidence: bool,
    list: Rect,
    evidence: Rect,
    lines: Vec<Line>,
    scroll: usize,
}

/// A moment of this process's clock as time of the day.
fn wall_time(shared: &Shared, at: Moment) -> String {
    let live = &shared.live;
    let ago = i64::try_from(live.at.saturating_sub(at).as_nanos()).unwrap_or(i64::MAX);
    shared.time(live.wall.saturating_sub(ago), false)
}

impl Probes {
    fn select(&mut self, shared: &mut Shared) {
        let subject = self.rows.get(self.cursor.at).map(|row| row.subject.clone());
        if subject != self.selected {
            self.scroll = 0;
            self.selected = subject;
        }
        if let Some(Subject::Probe(instance)) = &self.selected {
            shared.selected = Some(instance.clone());
        }
    }

    fn scroll_by(&mut self, down: bool, by: usize) {
        let most = self.lines.len().saturating_sub(usize::from(self.evidence.height));
        self.scroll = if down {
            self.scroll.saturating_add(by).min(most)
        } else {
            self.scroll.saturating_sub(by)
        };
    }

    fn divide(&mut self, area: Rect) {
        let rows = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).max(1);
        let nothing = Rect::new(area.x, area.bottom(), area.width, 0);
        if area.height < 8 {
            // No room for both.
            (self.list, self.evidence) = if self.in_evidence {
                (nothing, area)
            } else {
                (area, nothing)
            };
        } else if area.width >= 150 {
            let width = area.width / 2;
            self.list = Rect::new(area.x, area.y, width, area.height);
            self.evidence = Rect::new(area.x + width + 1, area.y, area.width - width - 1, area.height);
        } else {
            let height = rows.clamp(3, area.height / 2);
            self.list = Rect::new(area.x, area.y, area.width, height);
            let rest = area.height - height - 1;
            self.evidence = Rect::new(area.x, area.y + height + 1, area.width, rest);
        }
    }

    fn run(&self) -> Vec<Effect> {
        match self.rows.get(self.cursor.at).map(|row| &row.subject) {
            Some(Subject::Test(name)) => vec![Effect::Request(Request::Smoke(vec![name.clone()]))],
            Some(Subject::Probe(instance)) => vec![Effect::Request(Request::Probe(vec![instance.clone()]))],
            None => vec![Effect::Trouble("nothing is selected".into())],
        }
    }
}

impl Screen for Probes {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs::default()
    }

    fn resize(&mut self, shared: &Shared, area: Rect) {
        self.divide(area);
        self.rows = rows::rows(shared, self.failing, usize::from(self.list.width));
        if self.list.height > 0 {
            self.cursor.resize(usize::from(self.list.height), self.rows.len());
        }
        self.lines = match self.rows.get(self.cursor.at) {
            Some(row) => rows::details(shared, &row.subject, usize::from(self.evidence.width)),
            None => Vec::new(),
        };
        self.scroll_by(true, 0);
    }

    fn refresh(&mut self, shared: &mut Shared) {
        self.rows = rows::rows(shared, self.failing, usize::from(self.list.width));
        if let Some(at) = self
            .rows
            .iter()
            .position(|row| Some(&row.subject) == self.selected.as_ref())
        {
            self.cursor.at = at;
        }
        self.cursor.settle(self.rows.len());
        self.select(shared);
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        if self.in_evidence {
            let page = usize::from(self.evidence.height).saturating_sub(1).max(1);
            match id {
                command::UP => self.scroll_by(false, 1),
                command::DOWN => self.scroll_by(true, 1),
                command::PAGE_UP => self.scroll_by(false, page),
                command::PAGE_DOWN => self.scroll_by(true, page),
                command::TOP => self.scroll_by(false, usize::MAX),
                command::BOTTOM => self.scroll_by(true, usize::MAX),
                command::OPEN | command::BACK | command::NEXT_PANE => self.in_evidence = false,
                _ => return self.own(shared, id),
            }
            return Some(Vec::new());
        }
        self.own(shared, id)
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, area, theme);
        if self.list.height > 0 && self.rows.is_empty() {
            let why = if self.failing {
                "nothing fails; f shows all"
            } else {
                "no probe was tried yet, and the stack has no smoke tests"
            };
            painter.put(0, 0, Role::Dim, why);
        }
        if self.evidence.y > self.list.bottom() && self.list.height > 0 {
            let role = if self.in_evidence {
                Role::Accent
            } else {
                Role::Border
            };
            let line = theme.pick("─", "-").repeat(usize::from(area.width));
            painter.put(0, self.list.bottom() - area.y, role, &line);
        }
        let mut painter = Painter::new(buffer, self.list, theme);
        for (row, at) in (0..).zip(self.cursor.sight(self.rows.len())) {
            let Some(one) = self.rows.get(at) else { break };
            painter.put(1, row, one.shade.into(), theme.mark(one.shade));
            one.line
                .draw(&mut painter, 3, row, self.list.width.saturating_sub(3));
            if at == self.cursor.at {
                painter.tint(row, theme.style(Role::Selected));
            }
        }
        let mut painter = Painter::new(buffer, self.evidence, theme);
        for (row, line) in (0..self.evidence.height).zip(self.lines.iter().skip(self.scroll)) {
            line.draw(&mut painter, 0, row, self.evidence.width);
        }
    }

    fn status(&self, _shared: &Shared) -> String {
        if self.failing {
            "only what fails".into()
        } else {
            String::new()
        }
    }

    fn remember(&self) -> Map<String, Value> {
        let mut own = Map::new();
        own.insert("failing".into(), self.failing.into());
        own
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        self.failing = remembered
            .get("failing")
            .and_then(Value::as_bool)
            .unwrap_or(false);
    }
}

impl Probes {
    fn own(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        match id {
            RUN => return Some(self.run()),
            FAILING => self.failing = !self.failing,
            EVIDENCE_DOWN => self.scroll_by(true, 3),
            EVIDENCE_UP => self.scroll_by(false, 3),
            command::OPEN | command::NEXT_PANE => self.in_evidence = true,
            command::BACK if self.failing => self.failing = false,
            command::COPY => {
                let text: Vec<String> = self.lines.iter().map(Line::text).collect();
                return Some(vec![Effect::Copy(text.join("\n"))]);
            }
            _ if self.cursor.command(id, self.rows.len()) => self.select(shared),
            _ => return None,
        }
        Some(Vec::new())
    }
}
