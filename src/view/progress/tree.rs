//! The live tree: what stands on the terminal at one moment, as a pure function of the snapshot.

use super::{rows, words};
use crate::base::Moment;
use crate::event::Snapshot;
use crate::view::style::{Style, Symbol, Tone};
use crate::view::text::Line;

/// What a frame depends on beside the snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The time now, on the clock of the events.
    pub now: Moment,
    /// Columns of the terminal.
    pub columns: usize,
    /// Rows that may be used; `None` for the final state, which is printed whole.
    pub rows: Option<usize>,
    /// Which frame of the spinner.
    pub tick: u64,
    /// Colours and symbols.
    pub style: Style,
}

/// How much a row matters when there is no room for all: failed, under way, waiting, done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Failed,
    Active,
    Waiting,
    Done,
}

/// A row before it is known whether there is room for it.
pub(super) struct Row {
    pub(super) rank: Rank,
    pub(super) line: Line,
}

/// A part of the tree with its title.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) done: usize,
    pub(super) total: usize,
    pub(super) rows: Vec<Row>,
}

/// Whether anything is under way, so that time changes the frame.
pub(super) fn is_running(snapshot: &Snapshot) -> bool {
    snapshot.verdict.is_none() && snapshot.project.is_some()
}

/// The lines on the terminal, none wider than the terminal when rendered, and no more than fit.
pub fn frame(snapshot: &Snapshot, view: &Frame) -> Vec<Line> {
    let mut head = header(snapshot, view);
    let mut sections = vec![
        rows::images(snapshot, view),
        rows::services(snapshot, view),
        rows::others(snapshot, view),
        rows::tests(snapshot, view),
    ];
    sections.retain(|section| section.total > 0);

    let all: usize = sections.iter().map(|section| section.rows.len() + 1).sum();
    let room = view.rows.unwrap_or(usize::MAX).saturating_sub(1);
    let mut hidden = [0usize; 4];
    if head.len() + all > room {
        head.truncate(room);
        // One line for the titles each, as long as rows get the better half, and one that counts.
        let budget = room.saturating_sub(head.len() + 1);
        let titles = if budget >= sections.len() * 3 {
            sections.len()
        } else {
            0
        };
        hidden = keep_most_urgent(&mut sections, budget - titles);
        if titles == 0 {
            for section in &mut sections {
                section.title = "";
            }
        }
    }
    for section in sections {
        if !section.title.is_empty() && (!section.rows.is_empty() || section.done > 0) {
            let count = format!(" {}/{}", section.done, section.total);
            head.push(
                Line::new()
                    .with(Tone::Strong, section.title)
                    .with(Tone::Dim, count),
            );
        }
        head.extend(section.rows.into_iter().map(|row| row.line));
    }
    let words = [
        (hidden[0], "failed"),
        (hidden[1], "under way"),
        (hidden[2], "waiting"),
        (hidden[3], "done"),
    ];
    let more: Vec<String> = words
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if !more.is_empty() && room > head.len() {
        let text = format!("{} {}", view.style.symbol(Symbol::Ellipsis), more.join(", "));
        head.push(Line::new().with(Tone::Dim, text));
    }
    head
}

/// Leaves `budget` rows: of the most urgent rank first, within a rank in the order of the tree.
/// Returns how many of each rank were taken away.
fn keep_most_urgent(sections: &mut [Section], budget: usize) -> [usize; 4] {
    let mut room = budget;
    let mut hidden = [0usize; 4];
    let mut keep: Vec<Vec<bool>> = sections.iter().map(|s| vec![false; s.rows.len()]).collect();
    let ranks = [Rank::Failed, Rank::Active, Rank::Waiting, Rank::Done];
    for (rank, hidden) in ranks.iter().zip(&mut hidden) {
        for (section, keep) in sections.iter().zip(&mut keep) {
            for (row, keep) in section.rows.iter().zip(keep) {
                if row.rank != *rank {
                    continue;
                }
                if room > 0 {
                    room -= 1;
                    *keep = true;
                } else {
                    *hidden += 1;
                }
            }
        }
    }
    for (section, keep) in sections.iter_mut().zip(keep) {
        let mut keep = keep.into_iter();
        section.rows.retain(|_| keep.next().unwrap_or(false));
    }
    hidden
}

fn header(snapshot: &Snapshot, view: &Frame) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(project) = &snapshot.project {
        let end = snapshot.verdict.as_ref().map_or(view.now, |_| snapshot.at);
        lines.push(
            Line::new()
                .with(Tone::Strong, project.as_str())
                .with(Tone::Plain, " ")
                .with(Tone::Plain, snapshot.command)
                .with(Tone::Plain, "  ")
                .with(Tone::Dim, words::seconds(end)),
        );
    }
    if let Some((since, reason)) = &snapshot.engine_lost {
        let away = words::seconds(view.now.saturating_sub(*since));
        let text = format!(
            "{} the engine does not answer for {away}: {reason}",
            view.style.symbol(Symbol::Bad)
        );
        lines.push(Line::new().with(Tone::Bad, text));
    }
    if let Some(holder) = &snapshot.waiting_for_lock {
        let text = format!("{} waits for {holder}", view.style.symbol(Symbol::Waiting));
        lines.push(Line::new().with(Tone::Wait, text));
    }
    if let Some(text) = &snapshot.stopping {
        lines.push(Line::new().with(Tone::Warn, text));
    }
    lines
}
