//! Which columns stand in a width, and where.

use super::columns::{Align, Column};

/// A column in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Which.
    pub(super) column: &'static Column,
    /// Its first terminal column.
    pub(super) at: u16,
    /// How many it has.
    pub(super) width: u16,
}

/// Below this width, texts are cut to little.
const NARROW: u16 = 60;
/// The most that a text gets.
const WIDEST: u16 = 48;

/// Places columns in `width`. What does not fit is left out, the greatest `rank` first; then texts grow
/// to what they need (`need`), the lowest rank first. The first column stands in any width.
pub(super) fn fit(
    columns: &[&'static Column],
    width: u16,
    rank: impl Fn(&Column) -> u8,
    need: impl Fn(&Column) -> u16,
) -> Vec<Placed> {
    let gap: u16 = if width >= 100 { 2 } else { 1 };
    let mut by_rank: Vec<&Column> = columns.to_vec();
    by_rank.sort_by_key(|column| rank(column));
    let natural = |column: &Column| match column.align {
        // A short text needs no more than it has, and its heading. Where there is room for little more,
        // texts are cut rather than left out.
        Align::Left if width < NARROW => 7.min(need(column).max(heading(column))),
        Align::Left => column.width.min(need(column).max(heading(column))),
        Align::Right => column.width.max(heading(column)),
    };
    let mut room = width;
    let mut taken: Vec<(&Column, u16)> = Vec::new();
    // When one has no room, smaller numbers of a higher rank do not take its place.
    let mut closed = false;
    for column in by_rank {
        let wide = natural(column);
        let gap = if taken.is_empty() { 0 } else { gap };
        if taken.is_empty() {
            let wide = wide.min(width);
            taken.push((column, wide));
            room -= wide;
        } else if wide + gap <= room && !(closed && column.align == Align::Right) {
            taken.push((column, wide));
            room -= wide + gap;
        } else {
            closed = true;
        }
    }
    for (column, wide) in &mut taken {
        if column.align == Align::Left {
            let more = need(column).min(WIDEST).saturating_sub(*wide).min(room);
            *wide += more;
            room -= more;
        }
    }
    let mut at = 0;
    let mut placed = Vec::new();
    for column in columns {
        let Some((_, wide)) = taken.iter().find(|(other, _)| other.name == column.name) else {
            continue;
        };
        placed.push(Placed {
            column,
            at,
            width: *wide,
        });
        at += wide + gap;
    }
    placed
}

/// The heading's width, with the mark of the order.
fn heading(column: &Column) -> u16 {
    u16::try_from(column.title.len() + 1).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::columns::COLUMNS;
    use super::*;

    fn names(width: u16) -> String {
        let columns: Vec<&'static Column> = COLUMNS.iter().collect();
        let placed = fit(&columns, width, |c| c.priority, |_| 20);
        let names: Vec<String> = placed
            .iter()
            .map(|p| format!("{}:{}", p.column.name, p.width))
            .collect();
        names.join(" ")
    }

    #[test]
    fn columns_go_by_priority_and_texts_grow() {
        insta::assert_snapshot!([10, 17, 40, 77, 120, 200].map(names).join("\n"), @r"
        name:10
        name:9 stage:7
        name:10 stage:7 probe:6 cpu:6 memory:7
        name:20 stage:18 probe:6 restarts:4 cpu:6 memory:7 alerts:5 age:4
        name:20 stage:20 probe:6 restarts:4 cpu:6 memory:7 limit:6 rate:6 errors:6 p95:6 alerts:5 age:4
        name:20 stage:20 probe:6 restarts:4 cpu:6 memory:7 limit:6 rate:6 errors:6 p95:6 alerts:5 age:4 image:20 ports:20 in:9 out:9 pids:5
        ");
    }

    #[test]
    fn nothing_reaches_beyond_the_width() {
        let columns: Vec<&'static Column> = COLUMNS.iter().collect();
        for width in 0..250 {
            for need in [0, 5, 30, 1_000] {
                let placed = fit(&columns, width, |c| c.priority, |_| need);
                assert_eq!(placed.first().map(|p| p.column.name), Some("name"));
                let mut end = 0;
                for one in &placed {
                    assert!(one.at >= end, "{} stands in another", one.column.name);
                    end = one.at + one.width;
                }
                assert!(end <= width, "{end} > {width}");
            }
        }
    }
}
