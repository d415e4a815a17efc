//! What stands where: computed before anything is drawn.

use ratatui::layout::Rect;

use super::Stack;
use super::columns::{Column, Source};
use super::fit::{Placed, fit};
use crate::event::live::Reading;
use crate::view::tui::shared::Shared;
use crate::view::tui::widgets::Line;

/// What stands where.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The whole part.
    pub(super) area: Rect,
    /// Headings and rows; nothing where the details stand instead.
    pub(super) table: Rect,
    /// Images that are built or pulled, and how a run failed.
    pub(super) strip: Rect,
    pub(super) details: Option<Rect>,
    /// Whether details and table stand side by side.
    pub(super) beside: bool,
    pub(super) columns: Vec<Placed>,
    /// The strip's lines.
    pub(super) news: Vec<Line>,
    /// The details' lines, wrapped: for each row one line a column of text.
    pub(super) lines: Vec<Vec<Line>>,
}

/// Below this height, the details have no room beneath the table.
pub(super) const LOW: u16 = 15;
/// Columns before the table's own: the mark of what is marked, the symbol, a space.
pub(super) const GUTTER: u16 = 3;

impl Stack {
    /// Divides the part: details below where it is high, beside where it is wide, else instead.
    pub(super) fn divide(&mut self, area: Rect) {
        let news = u16::try_from(self.layout.news.len()).unwrap_or(u16::MAX);
        let rows = u16::try_from(self.items.len()).unwrap_or(u16::MAX);
        let needed = rows.saturating_add(1).saturating_add(news);
        let layout = &mut self.layout;
        layout.area = area;
        // Beside takes columns from the table; below takes rows, which may be fewer than it needs.
        let fits = needed.saturating_add(14) <= area.height;
        layout.beside = area.width >= 140 && area.height >= 6 && !fits;
        let below = !layout.beside && area.height >= LOW;
        if !(layout.beside || below) {
            let part = Some(area).filter(|_| self.instead);
            layout.details = part;
            layout.table = if part.is_some() { Rect::default() } else { area };
            layout.strip = Rect::default();
            return;
        }
        let mut table = area;
        layout.details = None;
        if self.open && layout.beside {
            let width = (area.width * 2 / 5).clamp(50, 90);
            table.width -= width + 1;
            layout.details = Some(Rect::new(table.right() + 1, area.y, width, area.height));
        } else if self.open {
            let height = needed.clamp(4, area.height * 11 / 20);
            table.height = height;
            layout.details = Some(Rect::new(
                area.x,
                table.bottom(),
                area.width,
                area.height - height,
            ));
        }
        let strip = news.min(table.height / 3);
        table.height -= strip;
        layout.strip = Rect::new(table.x, table.bottom(), table.width, strip);
        layout.table = table;
    }

    pub(super) fn place_columns(&mut self, shared: &Shared) {
        let need = |column: &Column| {
            let widest = self
                .items
                .iter()
                .map(|item| (column.cell)(item).width())
                .max()
                .unwrap_or(0);
            u16::try_from(widest).unwrap_or(u16::MAX)
        };
        // Where nobody can be asked, the column says nothing: it makes room first.
        let nobody = |column: &Column| match column.source {
            Source::Traffic => matches!(shared.live.traffic, Reading::Nobody(_)),
            Source::Alerts => matches!(shared.live.alerts, Reading::Nobody(_)),
            Source::Engine | Source::Usage => false,
        };
        let rank = |column: &Column| column.priority + if nobody(column) { 100 } else { 0 };
        let width = self.layout.table.width.saturating_sub(GUTTER);
        self.layout.columns = fit(&Self::wanted(shared), width, rank, need);
    }

    pub(super) fn scroll_details(&mut self, down: bool, by: usize) {
        let height = self
            .layout
            .details
            .map_or(0, |part| usize::from(part.height.saturating_sub(1)));
        let most = self.layout.lines.len().saturating_sub(height);
        self.scroll = if down {
            (self.scroll + by).min(most)
        } else {
            self.scroll.saturating_sub(by)
        };
    }
}
