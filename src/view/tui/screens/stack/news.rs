//! What a run has to tell that belongs to no row alone.

use crate::event::ImageStage;
use crate::event::live::{Live, Shade};
use crate::view::tui::theme::{Role, Theme};
use crate::view::tui::widgets::{Line, age};

/// Images that are being obtained, and how it failed.
pub(super) fn news(live: &Live, theme: &Theme) -> Vec<Line> {
    const MOST: usize = 4;
    let Some(run) = &live.run else { return Vec::new() };
    let busy: Vec<_> = run
        .images
        .iter()
        .filter_map(|(reference, view)| {
            let verb = match view.stage {
                ImageStage::Pulling => "pulling",
                ImageStage::Building => "building",
                ImageStage::Bootstrapping => "making from packages",
                _ => return None,
            };
            Some((reference, view, verb))
        })
        .collect();
    let mut lines = Vec::new();
    for (reference, view, verb) in busy.iter().take(MOST) {
        let mut line = Line::of(Role::Busy, format!(" {} {verb} ", theme.mark(Shade::Busy)));
        line.push(Role::Text, reference);
        line.push(Role::Dim, format!(" {}", age(run.at.saturating_sub(view.since))));
        if let Some(progress) = run.progress.get(*reference) {
            if let Some((done, all)) = progress.amount.filter(|(_, all)| *all > 0) {
                line.push(Role::Text, format!(" {}%", done.saturating_mul(100) / all));
            }
            line.push(Role::Dim, format!("  {}", progress.text));
        }
        lines.push(line);
    }
    if busy.len() > MOST {
        lines.push(Line::of(
            Role::Dim,
            format!("   and {} more images", busy.len() - MOST),
        ));
    }
    if let Some(verdict) = run.verdict.as_ref().filter(|verdict| verdict.code != 0) {
        let mark = theme.mark(Shade::Bad);
        lines.push(Line::of(Role::Bad, format!(" {mark} {}: ", run.command)).with(Role::Text, &verdict.text));
    }
    lines
}
