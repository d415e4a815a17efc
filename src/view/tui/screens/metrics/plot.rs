//! Lines over time in characters: eight dots a cell in braille, or one character a cell.

/// A cell of a plot: what stands there, and which line it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dot {
    pub(super) symbol: char,
    /// The line that was drawn there last.
    pub(super) line: usize,
}

/// The part of time and values that is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Characters for lines where there is no braille.
const ASCII: [char; 8] = ['*', '+', 'o', 'x', '#', '@', '%', '&'];

/// Draws lines (time and value, by time) into so many columns and rows; row by row, `None` is empty.
/// Points that stand further apart than three usual steps are not joined: there is a gap.
pub(super) fn plot(
    lines: &[&[(f64, f64)]],
    bounds: Bounds,
    columns: usize,
    rows: usize,
    unicode: bool,
) -> Vec<Vec<Option<Dot>>> {
    let mut cells = vec![vec![None; columns]; rows];
    let (wide, high) = if unicode {
        (columns * 2, rows * 4)
    } else {
        (columns, rows)
    };
    if wide == 0 || high == 0 || bounds.to <= bounds.from || bounds.high <= bounds.low {
        return cells;
    }
    let place = |(time, value): (f64, f64)| {
        let x = (time - bounds.from) / (bounds.to - bounds.from) * steps(wide);
        let y =
            (bounds.high - value.clamp(bounds.low, bounds.high)) / (bounds.high - bounds.low) * steps(high);
        (whole(x), whole(y))
    };
    for (number, points) in lines.iter().enumerate() {
        let gap = 3.0 * usual_step(points);
        let inside = points
            .iter()
            .filter(|(time, value)| (bounds.from..=bounds.to).contains(time) && value.is_finite());
        let mut before: Option<(f64, f64)> = None;
        for point in inside.copied() {
            let to = place(point);
            let from = before.filter(|(time, _)| point.0 - time <= gap).map_or(to, place);
            segment(from, to, |x, y| set(&mut cells, x, y, number, unicode));
            before = Some(point);
        }
    }
    cells
}

/// The greatest place of so many.
fn steps(count: usize) -> f64 {
    f64::from(u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX))
}

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
    let whole = value.round() as i64;
    whole
}

/// The median of the steps between points, in seconds.
fn usual_step(points: &[(f64, f64)]) -> f64 {
    let mut steps: Vec<f64> = points
        .iter()
        .zip(points.iter().skip(1))
        .map(|(a, b)| b.0 - a.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(f64::INFINITY)
}

/// All places between two (Bresenham).
fn segment(from: (i64, i64), to: (i64, i64), mut put: impl FnMut(i64, i64)) {
    let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
    let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
    let (mut x, mut y) = from;
    let mut error = dx + dy;
    loop {
        put(x, y);
        if (x, y) == to {
            return;
        }
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            x += sx;
        }
        if twice <= dx {
            error += dx;
            y += sy;
        }
    }
}

fn set(cells: &mut [Vec<Option<Dot>>], x: i64, y: i64, line: usize, unicode: bool) {
    let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
        return;
    };
    let (column, row) = if unicode { (x / 2, y / 4) } else { (x, y) };
    let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) else {
        return;
    };
    let symbol = if unicode {
        // Unicode 15, block Braille Patterns: a bit for each dot.
        const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let bit = BITS
            .get(x % 2)
            .and_then(|bits| bits.get(y % 4))
            .copied()
            .unwrap_or(0);
        let there = cell.map_or(0x2800, |dot: Dot| u32::from(dot.symbol));
        char::from_u32(there | bit).unwrap_or('*')
    } else {
        ASCII.get(line % ASCII.len()).copied().unwrap_or('*')
    };
    *cell = Some(Dot { symbol, line });
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        from: 0.0,
        to: 10.0,
        low: 0.0,
        high: 10.0,
    };

    fn text(lines: &[&[(f64, f64)]], unicode: bool) -> Vec<String> {
        let cells = plot(lines, BOUNDS, 11, 3, unicode);
        let row = |row: &Vec<Option<Dot>>| {
            let text: String = row.iter().map(|dot| dot.map_or(' ', |dot| dot.symbol)).collect();
            text.trim_end().to_owned()
        };
        cells.iter().map(row).collect()
    }

    #[test]
    fn lines_and_gaps() {
        let rising: Vec<(f64, f64)> = (0..=10).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(text(&[&rising], true), ["       ⣀⠤⠒⠉", "   ⢀⣀⠤⠊", "⡠⠔⠊⠁"]);
        // The second line has nothing between 2 and 8.
        let broken = [
            (0.0, 5.0),
            (1.0, 5.0),
            (2.0, 5.0),
            (8.0, 5.0),
            (9.0, 5.0),
            (10.0, 99.0),
        ];
        assert_eq!(
            text(&[&rising, &broken], false),
            ["        **+", "+++*****++", "***"]
        );
    }

    #[test]
    fn nothing_panics_on_odd_points() {
        let odd = [
            (0.0, f64::NAN),
            (f64::NAN, 1.0),
            (5.0, f64::INFINITY),
            (5.0, -1e300),
            (4.0, 1e300),
        ];
        for (columns, rows) in [(0, 0), (1, 1), (5, 2)] {
            plot(&[&odd, &[]], BOUNDS, columns, rows, true);
        }
        let none = Bounds { to: 0.0, ..BOUNDS };
        assert!(
            plot(&[&odd], none, 3, 3, true)
                .iter()
                .flatten()
                .all(Option::is_none)
        );
    }
}
