//! Text in a buffer, safe and cut to size; numbers in few columns.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::super::theme::{Role, Theme};
use crate::view::text::{fitting, one_line, width};

/// Draws text into a part of a buffer. What comes from elsewhere is made safe, and nothing is
/// drawn outside the part.
pub struct Painter<'b> {
    buffer: &'b mut Buffer,
    area: Rect,
    theme: &'b Theme,
}

impl<'b> Painter<'b> {
    /// A painter of a part.
    pub fn new(buffer: &'b mut Buffer, area: Rect, theme: &'b Theme) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area, theme }
    }

    /// The part.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Draws at a column and row of the part, cut at its right edge (with `…` where it does not fit);
    /// returns the column behind it.
    pub fn put(&mut self, column: u16, row: u16, role: Role, text: &str) -> u16 {
        self.put_styled(column, row, self.theme.style(role), text)
    }

    /// As [`Self::put`], in a style.
    pub fn put_styled(&mut self, column: u16, row: u16, style: Style, text: &str) -> u16 {
        let most = self.area.width.saturating_sub(column);
        self.put_within(column, row, most, style, text)
    }

    /// As [`Self::put_styled`], in at most `columns` columns.
    pub fn put_within(&mut self, column: u16, row: u16, columns: u16, style: Style, text: &str) -> u16 {
        let columns = columns.min(self.area.width.saturating_sub(column));
        if row >= self.area.height || columns == 0 {
            return column;
        }
        let text = one_line(text);
        let text = cut(&text, usize::from(columns), self.theme.is_unicode());
        let (x, y) = (self.area.x + column, self.area.y + row);
        let (end, _) = self.buffer.set_stringn(x, y, &text, usize::from(columns), style);
        end.saturating_sub(self.area.x)
    }

    /// As [`Self::put`], in at most `columns` columns.
    pub fn put_role_within(&mut self, column: u16, row: u16, columns: u16, role: Role, text: &str) -> u16 {
        self.put_within(column, row, columns, self.theme.style(role), text)
    }

    /// Draws so that the text ends before `end`, in at most `columns` columns.
    pub fn put_right(&mut self, end: u16, row: u16, columns: u16, style: Style, text: &str) {
        let text = one_line(text);
        let wide = u16::try_from(width(&text)).unwrap_or(u16::MAX).min(columns);
        self.put_within(end.saturating_sub(wide), row, wide, style, &text);
    }

    /// Gives a whole row a style over what is drawn there. Text in the colour of the new background
    /// becomes plain: it would not be seen.
    pub fn tint(&mut self, row: u16, style: Style) {
        if row >= self.area.height {
            return;
        }
        let y = self.area.y + row;
        for x in self.area.left()..self.area.right() {
            let Some(cell) = self.buffer.cell_mut((x, y)) else {
                continue;
            };
            if style.fg.is_none() && style.bg.is_some_and(|bg| cell.fg == bg) {
                cell.fg = Color::Reset;
            }
            cell.set_style(style);
        }
    }

    /// Whether nothing stands at a column and row of the part.
    pub fn is_empty_at(&self, column: u16, row: u16) -> bool {
        let place = (self.area.x + column, self.area.y + row);
        self.buffer.cell(place).is_some_and(|cell| cell.symbol() == " ")
    }

    /// Makes the part empty.
    pub fn clear(&mut self) {
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// A heading with a line behind it.
    pub fn heading(&mut self, row: u16, text: &str) {
        let end = self.put(0, row, Role::Title, text);
        let line = self
            .theme
            .pick("─", "-")
            .repeat(usize::from(self.area.width.saturating_sub(end + 1)));
        self.put(end + 1, row, Role::Border, &line);
    }
}

/// `text`, or the longest start of it that fits with a mark behind it.
fn cut(text: &str, columns: usize, unicode: bool) -> std::borrow::Cow<'_, str> {
    if width(text) <= columns {
        return text.into();
    }
    let (mark, room) = match (unicode, columns) {
        (true, 1..) => ("…", columns - 1),
        (false, 3..) => ("..", columns - 2),
        _ => ("", columns),
    };
    format!("{}{mark}", fitting(text, room)).into()
}

/// A duration in at most four columns: `8s`, `12m`, `3h`, `5d`.
pub fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=99 => format!("{seconds}s"),
        100..=5_999 => format!("{}m", seconds / 60),
        6_000..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration in milliseconds or seconds: `0.4ms`, `12ms`, `1.3s`.
pub fn millis(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    match ms {
        ..9.95 => format!("{ms:.1}ms"),
        ..999.5 => format!("{ms:.0}ms"),
        ..99_500.0 => format!("{:.1}s", ms / 1e3),
        _ => format!("{:.0}s", ms / 1e3),
    }
}

/// Bytes in powers of 1024, as `docker stats` writes them, in at most seven columns.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    match value {
        v if unit == "B" => format!("{v:.0}{unit}"),
        v if v < 9.95 => format!("{v:.2}{unit}"),
        v if v < 99.5 => format!("{v:.1}{unit}"),
        v => format!("{v:.0}{unit}"),
    }
}

/// Per cent: `0.3%`, `12.4%`, `130%`.
pub fn percent(value: f64) -> String {
    if value < 99.95 {
        format!("{value:.1}%")
    } else {
        format!("{value:.0}%")
    }
}

/// A ratio as per cent; a small one other than 0 is not shown as 0.
pub fn ratio(value: f64) -> String {
    match value * 100.0 {
        v if v > 0.0 && v < 0.05 => "<0.1%".into(),
        v => percent(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_few_columns() {
        let ages = [0, 99, 100, 5_999, 6_000, 200_000].map(|s| age(Duration::from_secs(s)));
        assert_eq!(ages, ["0s", "99s", "1m", "99m", "1h", "2d"]);
        let times = [0.0004, 0.0123, 0.9996, 12.34, 100.0].map(|s| millis(Duration::from_secs_f64(s)));
        assert_eq!(times, ["0.4ms", "12ms", "1.0s", "12.3s", "100s"]);
        let sizes = [0, 1000, 1024, 5 << 20, 300 << 20, 3 << 30].map(bytes);
        assert_eq!(
            sizes,
            ["0B", "0.98KiB", "1.00KiB", "5.00MiB", "300MiB", "3.00GiB"]
        );
        assert_eq!(percent(0.26), "0.3%");
        assert_eq!(percent(130.4), "130%");
        assert_eq!(ratio(0.0001), "<0.1%");
        assert_eq!(ratio(0.0), "0.0%");
    }

    #[test]
    fn nothing_leaves_its_part_and_nothing_acts_on_the_terminal() {
        let theme = Theme::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        let mut painter = Painter::new(&mut buffer, Rect::new(2, 0, 6, 1), &theme);
        painter.put(0, 0, Role::Text, "日本語のログ");
        painter.put(0, 1, Role::Text, "outside");
        painter.put(9, 0, Role::Text, "outside");
        let row = |buffer: &Buffer, y| {
            (0..10)
                .map(|x| buffer[(x, y)].symbol().to_owned())
                .collect::<String>()
        };
        assert_eq!(row(&buffer, 0), "  日 本 …   ");
        assert_eq!(row(&buffer, 1), "          ");
        let mut painter = Painter::new(&mut buffer, Rect::new(0, 1, 10, 1), &theme);
        painter.put(0, 0, Role::Text, "\x1b[2Jx");
        assert_eq!(row(&buffer, 1), "\\x1b[2Jx  ");
    }
}
