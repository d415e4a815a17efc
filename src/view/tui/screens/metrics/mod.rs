//! The metrics screen: the panels of the stack's Grafana dashboards, drawn from the running Prometheus.

use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::Screen;
use crate::event::live::Chart;
use crate::event::live::board::{Board, Panel};
use crate::event::request::{ChartNeed, Needs};
use crate::view::text::{one_line, wrap};
use crate::view::tui::command::{self, CommandId, Spec};
use crate::view::tui::effect::Effect;
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::Painter;

mod panel;
mod plot;
mod units;
#[cfg(test)]
mod tests;

use panel::View;

/// Its name.
pub const NAME: &str = "metrics";

const SPAN: CommandId = CommandId("metrics.span");
const NEXT_BOARD: CommandId = CommandId("metrics.next-board");
const PREVIOUS_BOARD: CommandId = CommandId("metrics.previous-board");

/// Its own commands.
pub const COMMANDS: &[Spec] = &[
    Spec::new(NEXT_BOARD, &[">", "."], "the next dashboard").hint("next dashboard"),
    Spec::new(PREVIOUS_BOARD, &["<", ","], "the dashboard before"),
    Spec::new(
        SPAN,
        &["T"],
        "how far back: 5 minutes, 15 minutes, 1 hour, 6 hours",
    )
    .hint("time range"),
];

/// How far back the charts go.
const SPANS: [(Duration, &str); 4] = [
    (Duration::from_secs(5 * 60), "5m"),
    (Duration::from_secs(15 * 60), "15m"),
    (Duration::from_secs(60 * 60), "1h"),
    (Duration::from_secs(6 * 60 * 60), "6h"),
];
/// How many moments the cursor of a panel goes through.
const MOMENTS: u32 = 120;

/// The screen's state.
#[derive(Debug, Default)]
pub struct Metrics {
    area: Rect,
    board: usize,
    span: usize,
    /// The selected panel; heights are rows of panels.
    at: usize,
    /// The first row of panels in sight.
    top: usize,
    /// Whether the selected panel takes the whole screen.
    full: bool,
    /// Where the cursor of an open panel stands, from its newest moment back.
    back: Option<u32>,
}

/// How panels are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    columns: usize,
    /// Rows of panels in sight.
    rows: usize,
    height: u16,
}

impl Screen for Metrics {
    fn needs(&self, shared: &Shared) -> Needs {
        let panels: BTreeSet<usize> = self
            .in_sight(shared)
            .into_iter()
            .map(|(panel, _)| panel)
            .collect();
        let charts = (!panels.is_empty()).then(|| ChartNeed {
            board: self.board,
            panels,
            span: self.span().0,
        });
        Needs {
            charts,
            ..Needs::default()
        }
    }

    fn resize(&mut self, shared: &Shared, area: Rect) {
        self.area = area;
        let count = self.panels(shared).len();
        let grid = grid(self.body(), count);
        self.at = self.at.min(count.saturating_sub(1));
        let row = self.at / grid.columns;
        let last = count.div_ceil(grid.columns).saturating_sub(grid.rows);
        self.top = self.top.clamp((row + 1).saturating_sub(grid.rows), row).min(last);
    }

    fn refresh(&mut self, shared: &mut Shared) {
        self.board = self.board.min(boards(shared).len().saturating_sub(1));
    }

    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>> {
        let count = self.panels(shared).len();
        match id {
            SPAN => self.span = (self.span + 1) % SPANS.len(),
            NEXT_BOARD | PREVIOUS_BOARD => {
                let boards = boards(shared).len().max(1);
                let step = if id == NEXT_BOARD { 1 } else { boards - 1 };
                self.board = (self.board + step) % boards;
                (self.at, self.top, self.back) = (0, 0, None);
            }
            command::OPEN if count > 0 => {
                self.full = !self.full;
                self.back = None;
            }
            command::BACK if self.back.is_some() => self.back = None,
            command::BACK if self.full => self.full = false,
            command::LEFT if self.full => self.back = Some((self.back.unwrap_or(0) + 1).min(MOMENTS)),
            command::RIGHT if self.full => {
                self.back = self.back.and_then(|back| back.checked_sub(1)).filter(|b| *b > 0)
            }
            command::COPY => {
                let panel = self.panels(shared).get(self.at)?;
                let queries: Vec<&str> = panel
                    .queries
                    .iter()
                    .map(|query| query.expression.as_str())
                    .collect();
                return Some(vec![Effect::Copy(queries.join("\n"))]);
            }
            _ => return self.moves(id, count).then(Vec::new),
        }
        Some(Vec::new())
    }

    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) {
        if self.draw_head(shared, area, buffer) {
            if self.full {
                self.draw_full(shared, buffer);
                return;
            }
            for (at, part) in self.in_sight(shared) {
                if let Some(view) = self.view(shared, at) {
                    panel::draw(shared, &view, part, buffer);
                }
            }
        }
    }

    fn click(&mut self, shared: &mut Shared, column: u16, row: u16) -> Vec<Effect> {
        let at = (self.area.x + column, self.area.y + row);
        if !self.full
            && let Some((panel, _)) = self
                .in_sight(shared)
                .into_iter()
                .find(|(_, part)| part.contains(at.into()))
        {
            self.at = panel;
        }
        Vec::new()
    }

    fn status(&self, shared: &Shared) -> String {
        let count = self.panels(shared).len();
        if count == 0 {
            return String::new();
        }
        format!("panel {} of {count}, last {}", self.at + 1, self.span().1)
    }

    fn remember(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("span".into(), self.span().1.into());
        map.insert("board".into(), self.board.into());
        map
    }

    fn recall(&mut self, remembered: &Map<String, Value>) {
        let span = remembered.get("span").and_then(Value::as_str);
        self.span = SPANS
            .iter()
            .position(|(_, word)| Some(*word) == span)
            .unwrap_or(0);
        let board = remembered.get("board").and_then(Value::as_u64);
        self.board = board.and_then(|board| usize::try_from(board).ok()).unwrap_or(0);
    }
}

/// The dashboards there are.
fn boards(shared: &Shared) -> &[Board] {
    match &shared.live.boards {
        Some(Ok(boards)) => boards,
        _ => &[],
    }
}

/// One to three panels beside each other, each at least six rows high where there is room.
fn grid(area: Rect, count: usize) -> Grid {
    let columns = match area.width {
        ..80 => 1,
        80..150 => 2,
        _ => 3,
    };
    let columns = columns.min(count.max(1));
    let wanted = count.div_ceil(columns).max(1);
    let rows = usize::from(area.height / 9).clamp(1, wanted);
    Grid {
        columns,
        rows,
        height: area.height / u16::try_from(rows).unwrap_or(1),
    }
}

impl Metrics {
    fn span(&self) -> (Duration, &'static str) {
        SPANS
            .get(self.span)
            .copied()
            .unwrap_or((Duration::from_secs(300), "5m"))
    }

    fn panels<'s>(&self, shared: &'s Shared) -> &'s [Panel] {
        boards(shared).get(self.board).map_or(&[], |board| &board.panels)
    }

    /// The part below the head.
    fn body(&self) -> Rect {
        let head = u16::from(self.area.height >= 6);
        Rect {
            y: self.area.y + head,
            height: self.area.height - head,
            ..self.area
        }
    }

    fn moves(&mut self, id: CommandId, count: usize) -> bool {
        if self.full && matches!(id, command::LEFT | command::RIGHT) {
            return true;
        }
        let grid = grid(self.body(), count);
        let last = count.saturating_sub(1);
        let page = grid.columns * grid.rows;
        self.at = match id {
            command::UP => self.at.checked_sub(grid.columns).unwrap_or(self.at),
            command::DOWN if self.at + grid.columns <= last => self.at + grid.columns,
            command::DOWN if self.at / grid.columns < last / grid.columns => last,
            command::DOWN => self.at,
            command::LEFT => self.at.saturating_sub(1),
            command::RIGHT => (self.at + 1).min(last),
            command::PAGE_UP => self.at.saturating_sub(page),
            command::PAGE_DOWN => (self.at + page).min(last),
            command::TOP => 0,
            command::BOTTOM => last,
            _ => return false,
        };
        true
    }

    /// The panels in sight and their parts.
    fn in_sight(&self, shared: &Shared) -> Vec<(usize, Rect)> {
        let body = self.body();
        let count = self.panels(shared).len();
        if count == 0 {
            return Vec::new();
        }
        if self.full {
            return vec![(self.at, body)];
        }
        let grid = grid(body, count);
        let first = self.top * grid.columns;
        let width = body.width / u16::try_from(grid.columns).unwrap_or(1);
        (first..count.min(first + grid.columns * grid.rows))
            .map(|at| {
                let place = at - first;
                let column = u16::try_from(place % grid.columns).unwrap_or(0);
                let row = u16::try_from(place / grid.columns).unwrap_or(0);
                let part = Rect {
                    x: body.x + column * width,
                    y: body.y + row * grid.height,
                    // A column stays free between panels.
                    width: width.saturating_sub(u16::from(usize::from(column) + 1 < grid.columns)),
                    height: grid.height,
                };
                (at, part)
            })
            .collect()
    }

    fn chart<'s>(&self, shared: &'s Shared, at: usize) -> Option<&'s Chart> {
        shared.live.charts.get(&(self.board, at))
    }

    fn view<'s>(&self, shared: &'s Shared, at: usize) -> Option<View<'s>> {
        let chart = self.chart(shared, at);
        let cursor =
            self.back.filter(|_| self.full).zip(chart).map(|(back, chart)| {
                chart.to - (chart.to - chart.from) * f64::from(back) / f64::from(MOMENTS)
            });
        Some(View {
            panel: self.panels(shared).get(at)?,
            chart,
            selected: at == self.at,
            cursor,
        })
    }

    /// The line above the panels; whether there are any.
    fn draw_head(&self, shared: &Shared, area: Rect, buffer: &mut Buffer) -> bool {
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, area, theme);
        let mut say = |text: &str| {
            let columns = usize::from(area.width).max(8);
            for (y, line) in (0..area.height).zip(wrap(&one_line(text), columns)) {
                painter.put(0, y, Role::Dim, &line);
            }
        };
        let boards = match &shared.live.boards {
            None => {
                say("looking for Grafana dashboards in this stack");
                return false;
            }
            Some(Err(why)) => {
                say(why);
                return false;
            }
            Some(Ok(boards)) => boards,
        };
        let Some(board) = boards.get(self.board) else {
            say("no service of this stack mounts Grafana dashboards: there is nothing to draw");
            return false;
        };
        if board.panels.is_empty() {
            say(&format!(
                "the dashboard {} has no panel that asks Prometheus",
                board.title
            ));
            return false;
        }
        if self.body().y > area.y {
            let mut at = painter.put(0, 0, Role::Title, &board.title);
            if boards.len() > 1 {
                let place = format!(" {} of {}", self.board + 1, boards.len());
                at = painter.put(at, 0, Role::Dim, &place);
            }
            at = painter.put(at, 0, Role::Dim, theme.pick(" · ", " | "));
            at = painter.put(at, 0, Role::Accent, &format!("last {}", self.span().1));
            if let Some(trouble) = shared.live.traffic.trouble() {
                let at = painter.put(at, 0, Role::Dim, theme.pick(" · ", " | "));
                painter.put(at, 0, Role::Attention, trouble);
            }
        }
        true
    }

    /// The selected panel alone: its chart, all its values, its description and its queries.
    fn draw_full(&self, shared: &Shared, buffer: &mut Buffer) {
        let body = self.body();
        let Some(view) = self.view(shared, self.at) else {
            return;
        };
        let below = if body.height >= 16 { body.height * 2 / 5 } else { 0 };
        let chart = Rect {
            height: body.height - below,
            ..body
        };
        panel::draw(shared, &view, chart, buffer);
        let rest = Rect {
            y: chart.bottom(),
            height: below,
            ..body
        };
        let theme = &shared.theme;
        let mut painter = Painter::new(buffer, rest, theme);
        let columns = usize::from(rest.width).max(8);
        let mut y = 0;
        if let Some(moment) = view.cursor {
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            let time = shared.time((moment * 1e9) as i64, false);
            painter.put(0, y, Role::Accent, &format!("values at {time}"));
            y += 1;
        }
        for line in wrap(&one_line(&view.panel.description), columns) {
            painter.put(0, y, Role::Text, &line);
            y += 1;
        }
        for query in &view.panel.queries {
            let at = painter.put(0, y, Role::Accent, &query.letter);
            let expression = one_line(&query.expression);
            for line in wrap(&expression, columns.saturating_sub(3)) {
                painter.put(at + 1, y, Role::Dim, &line);
                y += 1;
            }
        }
    }
}
