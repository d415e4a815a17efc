//! The graph screen: what depends on what, what holds it up, and how the last start went.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use serde_json::{Map, Value};

use super::Screen;
use crate::base::{Moment, ServiceName};
use crate::event::live::{Row, Shade};
use crate::event::request::Needs;
use crate::event::{Stage, StepState};
use crate::model::Condition;
use crate::plan::Instance;
use crate::view::text::width;
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::{Effect, Focus};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Cursor, Painter, Rich, millis};

mod layout;
mod waterfall;
#[cfg(test)]
mod tests;

use layout::Node;
use waterfall::{Bar, Link};

/// Its name.
pub const NAME: &str = "graph";

const WATERFALL: CommandId = CommandId("graph.waterfall");

/// Its own commands.
pub const COMMANDS: &[Spec] = &[Spec::new(
    WATERFALL,
    &["w"],
    "how the last start went: the waterfall instead of the graph",
)
.hint("waterfall")];

/// The screen's state.
#[derive(Debug, Default)]
pub struct Graph {
    area: Rect,
    nodes: Vec<Node>,
    bars: Vec<Bar>,
    path: Vec<Link>,
    cursor: Cursor,
    /// Whether the waterfall takes the whole screen.
    waterfall: bool,
    /// What nodes and bars were made of.
    made_of: Option<(usize, Option<Moment>, u64)>,
}

impl Screen for Graph {
    fn needs(&self, _shared: &Shared) -> Needs {
        Needs::default()
    }

    fn resize(&mut self, _shared: &Shared, area: Rect) {
        self.area = area;
        let (graph, _) = self.parts(area);
        self.cursor
            .resize(usize::from(graph.map_or(0, |part| part.height)), self.nodes.len());
    }

    fn refresh(&mut self, shared: &mut Shared) {
        let live = &shared.live;
        let project = live
            .project
            .as_ref()
            .map_or(0, |project| std::sync::Arc::as_ptr(project) as usize);
        let made_of = Some((project, live.listed, live.run.as_ref().map_or(0, |run| run.seq)));
        if self.made_of == made_of {
            return;
        }
        self.made_of = made_of;
        self.nodes = match live.project.as_deref() {
            Some(project) => layout::tree(project),
            None => observed(shared),
        };
        self.bars = live
            .run
            .as_ref()
            .map(|run| waterfall::bars(run, live.project.as_deref()))
            .unwrap_or_default();
        self.path = waterfall::critical_path(&self.bars);
        self.cursor.settle(self.nodes.len());
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        if !self.waterfall && self.cursor.command(id, self.nodes.len()) {
            if let Some(instance) = self.instance(shared) {
                shared.selected = Some(instance);
            }
            return Some(Vec::new());
        }
        match id {
            WATERFALL if self.bars.is_empty() => {
                let text = "nothing was started by this dashboard's process: there is no waterfall";
                return Some(vec![Effect::Trouble(text.into())]);
            }
            WATERFALL => self.waterfall = !self.waterfall,
            command::BACK if self.waterfall => self.waterfall = false,
            command::OPEN => {
                let instance = self.instance(shared);
                return Some(vec![Effect::Show("stack", Focus { instance, time: None })]);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn focus(&mut self, shared: &mut Shared, focus: &Focus) {
        self.refresh(shared);
        if let Some(instance) = &focus.instance {
            shared.selected = Some(instance.clone());
            if let Some(at) = self
                .nodes
                .iter()
                .position(|node| node.service == instance.service)
            {
                self.cursor.select(at, self.nodes.len());
            }
        }
    }

    fn click(&mut self, shared: &mut Shared, _column: u16, row: u16) -> Vec<Effect> {
        if let (Some(graph), _) = self.parts(self.area)
            && row < graph.height
        {
            self.cursor
                .select(self.cursor.first + usize::from(row), self.nodes.len());
            shared.selected = self.instance(shared).or_else(|| shared.selected.take());
        }
        Vec::new()
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let (graph, bars) = self.parts(area);
        if let Some(part) = graph {
            self.draw_graph(shared, part, buffer);
        }
        if let Some(part) = bars {
            self.draw_waterfall(shared, part, buffer);
        }
    }

    fn status(&self, shared: &Shared) -> String {
        if shared.live.project.is_none() {
            return "without the stack's files: in the order of their starts".into();
        }
        String::new()
    }

    fn remember(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("waterfall".into(), self.waterfall.into());
        map
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        self.waterfall = remembered
            .get("waterfall")
            .and_then(Value::as_bool)
            .unwrap_or(false);
    }
}

/// Without the files, nobody knows what depends on what: services in the order of their starts.
fn observed(shared: &Shared) -> Vec<Node> {
    let mut rows = shared.live.rows();
    let started = |row: &Row| {
        let details = row.container.as_ref().and_then(|id| shared.live.details.get(id));
        details
            .map(|details| details.started_at.clone())
            .unwrap_or_default()
    };
    rows.sort_by_key(started);
    let mut names: Vec<ServiceName> = Vec::new();
    for row in rows {
        if !names.contains(&row.instance.service) {
            names.push(row.instance.service);
        }
    }
    let node = |service| Node {
        service,
        branches: Vec::new(),
        awaited: None,
        again: false,
    };
    names.into_iter().map(node).collect()
}

/// The rows of a service, the worst of them first.
fn worst<'r>(rows: &'r [Row], service: &ServiceName) -> Option<&'r Row> {
    rows.iter()
        .filter(|row| row.instance.service == *service)
        .max_by_key(|row| row.condition.shade)
}

/// What is awaited, in a word.
fn awaited_word(condition: Condition) -> &'static str {
    match condition {
        Condition::ServiceStarted => "started",
        Condition::ServiceHealthy => "healthy",
        Condition::ServiceCompletedSuccessfully => "completed",
    }
}

/// Whether a dependency's row is as awaited.
fn is_there(row: Option<&Row>, condition: Condition) -> bool {
    row.is_some_and(|row| match condition {
        Condition::ServiceStarted => {
            row.container.is_some()
                && !matches!(row.condition.shade, Shade::Off)
                && row.condition.word != "created"
        }
        Condition::ServiceHealthy | Condition::ServiceCompletedSuccessfully => {
            row.condition.shade == Shade::Good
        }
    })
}

/// Why a service is not where it should be: the run's own words, else what it depends on, else itself.
fn blocker(shared: &Shared, rows: &[Row], service: &ServiceName) -> Option<String> {
    let row = worst(rows, service)?;
    if row.condition.shade == Shade::Good {
        return None;
    }
    let run = shared.live.run.as_ref().filter(|run| run.verdict.is_none());
    let waiting = run
        .into_iter()
        .flat_map(|run| run.steps.values())
        .find_map(|step| match &step.state {
            Some(StepState::Waiting { reason }) if step.planned.service.as_ref() == Some(service) => {
                Some(reason.clone())
            }
            _ => None,
        });
    if waiting.is_some() {
        return waiting;
    }
    let dependencies = shared
        .live
        .project
        .as_ref()
        .and_then(|project| project.services.get(service));
    let missing = dependencies
        .into_iter()
        .flat_map(|service| &service.depends_on)
        .find_map(|(name, dependency)| {
            let other = worst(rows, name);
            if is_there(other, dependency.condition) || !dependency.required {
                return None;
            }
            let why = other.map_or_else(String::new, |row| match &row.condition.reason {
                Some(reason) => format!(": {reason}"),
                None => format!(": {}", row.condition.word),
            });
            Some(format!(
                "needs {name} to be {}{why}",
                awaited_word(dependency.condition)
            ))
        });
    missing.or_else(|| row.condition.reason.clone())
}

impl Graph {
    /// The parts for graph and waterfall.
    fn parts(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        if self.bars.is_empty() {
            return (Some(area), None);
        }
        if self.waterfall {
            return (None, Some(area));
        }
        let nodes = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        let bars = u16::try_from(self.bars.len())
            .unwrap_or(u16::MAX)
            .saturating_add(4);
        if nodes.saturating_add(bars) > area.height {
            return (Some(area), None);
        }
        let graph = Rect {
            height: area.height - bars,
            ..area
        };
        let below = Rect {
            y: graph.bottom(),
            height: bars,
            ..area
        };
        (Some(graph), Some(below))
    }

    /// The instance of the selected node.
    fn instance(&self, shared: &Shared) -> Option<Instance> {
        let node = self.nodes.get(self.cursor.at)?;
        worst(&shared.live.rows(), &node.service).map(|row| row.instance.clone())
    }

    fn draw_graph(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let rows = shared.live.rows();
        let mut painter = Painter::new(buffer, area, theme);
        if self.nodes.is_empty() {
            painter.put(0, 0, Role::Dim, "no service is known yet");
            return;
        }
        let name = |node: &Node| 3 * node.branches.len() + width(node.service.as_str()) + 2;
        let left = self
            .nodes
            .iter()
            .map(name)
            .max()
            .unwrap_or(0)
            .min(usize::from(area.width) / 2);
        for (y, at) in (0..area.height).zip(self.cursor.sight(self.nodes.len())) {
            let Some(node) = self.nodes.get(at) else { break };
            let row = worst(&rows, &node.service);
            let shade = row.map_or(Shade::Off, |row| row.condition.shade);
            let mut line = Rich::new()
                .with(theme.style(Role::Border), &node.lead(theme.is_unicode()))
                .with(theme.style(shade.into()), theme.mark(shade))
                .with(Style::new(), " ")
                .with(theme.service(node.service.as_str()), node.service.as_str());
            line.pad(left + 1);
            let word = row.map_or("not there", |row| &row.condition.word);
            let start = line.width();
            line.push(theme.style(shade.into()), word);
            line.pad(start + 13);
            let many = rows.iter().filter(|row| row.instance.service == node.service);
            let many = many.filter(|row| row.container.is_some()).count();
            if many > 1 {
                line.push(theme.style(Role::Dim), &format!("x{many} "));
            }
            if let Some((condition, required)) = node.awaited {
                let optional = if required { "" } else { ", optional" };
                line.push(
                    theme.style(Role::Dim),
                    &format!("awaited {}{optional} ", awaited_word(condition)),
                );
            }
            if node.again {
                line.push(theme.style(Role::Dim), theme.pick("↑ as above ", "^ as above "));
            }
            if let Some(why) = blocker(shared, &rows, &node.service) {
                line.push(theme.style(Role::Dim), theme.pick("← ", "<- "));
                line.push(theme.style(Role::Text), &why);
            } else if let Some(started) = started(shared, row) {
                line.push(theme.style(Role::Dim), &format!("since {started}"));
            }
            line.draw(&mut painter, (0, y), area.width, 0, theme);
            if at == self.cursor.at {
                painter.tint(y, theme.style(Role::Selected));
            }
        }
    }

    fn draw_waterfall(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        let theme = &shared.theme;
        let Some(run) = &shared.live.run else { return };
        let running = run.verdict.is_none();
        let latest = self
            .bars
            .iter()
            .filter_map(|bar| bar.ready.or(bar.started))
            .max()
            .unwrap_or_default();
        let total = if running { run.at.max(latest) } else { latest }.max(Moment::from_millis(1));
        let mut painter = Painter::new(buffer, area, theme);
        painter.heading(
            0,
            &format!("{} of {}: {}", run.command, self.bars.len(), millis(total)),
        );
        let names = self
            .bars
            .iter()
            .map(|bar| width(&bar.instance.to_string()))
            .max()
            .unwrap_or(0)
            .min(16);
        let left = u16::try_from(names + 2).unwrap_or(18);
        let columns = area.width.saturating_sub(left + 8);
        let column = |at: Moment| {
            let part = at.as_secs_f64() / total.as_secs_f64();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to the columns there are"
            )]
            let column = (part.clamp(0.0, 1.0) * f64::from(columns)) as u16;
            left + column
        };
        let below = area.height.saturating_sub(2);
        for (y, bar) in (1..below).zip(&self.bars) {
            let critical = self.path.iter().any(|link| link.instance == bar.instance);
            let mark = if critical { theme.pick("▸", ">") } else { " " };
            painter.put(0, y, Role::Accent, mark);
            let name = theme.service(bar.instance.service.as_str());
            painter.put_within(1, y, left - 1, name, &bar.instance.to_string());
            let full = if critical { Role::Accent } else { Role::Busy };
            let end = if running { total } else { latest };
            let parts = [
                (
                    bar.image.map(|(from, _)| from),
                    bar.image.and_then(|(_, to)| to),
                    Role::Dim,
                    ("▒", "i"),
                ),
                (bar.begun, bar.created, Role::Text, ("░", "c")),
                (bar.created, bar.started, Role::Dim, ("·", ".")),
                (bar.started, bar.ready, full, ("█", "#")),
            ];
            for (from, to, role, (unicode, ascii)) in parts {
                let Some(from) = from else { continue };
                let (from, to) = (column(from), column(to.unwrap_or(end)));
                let many = usize::from(to.saturating_sub(from)).max(1);
                painter.put(from, y, role, &theme.pick(unicode, ascii).repeat(many));
            }
            let took = bar.ready.map(millis);
            match (took, bar.failed) {
                (Some(took), _) => painter.put_right(area.width, y, 7, theme.style(Role::Text), &took),
                (None, true) => painter.put_right(area.width, y, 7, theme.style(Role::Bad), "failed"),
                (None, false) => {
                    painter.put_right(area.width, y, 7, theme.style(Role::Busy), Stage::Pending.as_str())
                }
            }
            let (at, _) = (column(bar.ready.unwrap_or(end)) + 1, ());
            let says = bar.says.clone().or_else(|| {
                let (other, there) = bar.after.as_ref()?;
                Some(format!("after {other} at {}", millis(*there)))
            });
            if let Some(says) = says {
                let room = (left + columns).saturating_sub(at);
                painter.put_within(at, y, room, theme.style(Role::Dim), &says);
            }
        }
        let legend = theme.pick(
            "▒ image  ░ created  · waits  █ boots",
            "i image  c created  . waits  # boots",
        );
        painter.put(left, below, Role::Dim, legend);
        painter.put_right(left + columns, below, 8, theme.style(Role::Dim), &millis(total));
        let mut line = Rich::new().with(theme.style(Role::Title), "critical path ");
        for (n, link) in self.path.iter().enumerate() {
            if n > 0 {
                line.push(theme.style(Role::Dim), theme.pick(" → ", " -> "));
            }
            let share = link.took.as_secs_f64() / latest.as_secs_f64().max(1e-9) * 100.0;
            line.push(
                theme.service(link.instance.service.as_str()),
                &link.instance.to_string(),
            );
            line.push(Style::new(), &format!(" {} ({share:.0}%)", millis(link.took)));
        }
        line.draw(&mut painter, (0, below + 1), area.width, 0, theme);
    }
}

/// When a row's container started.
fn started(shared: &Shared, row: Option<&Row>) -> Option<String> {
    let details = shared.live.details.get(row?.container.as_ref()?)?;
    let time: jiff::Timestamp = details.started_at.parse().ok()?;
    let nanoseconds = i64::try_from(time.as_nanosecond()).ok()?;
    Some(shared.time(nanoseconds, false))
}
