//! Drawing of a panel.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use super::plot::{Bounds, plot};
use super::units::{axis, format};
use crate::event::live::board::Panel;
use crate::event::live::{Chart, ChartSeries};
use crate::view::text::{width, wrap};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::{Palette, Role, Theme};
use crate::view::tui::widgets::{Painter, Rich, age, spark};

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lines,
    Numbers,
    Text,
}

fn shape(kind: &str) -> Shape {
    match kind {
        "timeseries" | "graph" | "trend" | "barchart" | "histogram" | "heatmap" => Shape::Lines,
        "text" => Shape::Text,
        _ => Shape::Numbers,
    }
}

/// A chart older than this many seconds is told as such.
const STALE: f64 = 90.0;

/// What is drawn, and how much of it.
pub(super) struct View<'v> {
    pub(super) panel: &'v Panel,
    pub(super) chart: Option<&'v Chart>,
    pub(super) selected: bool,
    /// A moment whose values are shown, seconds since 1970.
    pub(super) cursor: Option<f64>,
}

/// Draws a panel: its title, and below it what it shows.
pub(super) fn draw(shared: &Shared, view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = &shared.theme;
    let mut painter = Painter::new(buffer, area, theme);
    painter.heading(0, "");
    let role = if view.selected { Role::Accent } else { Role::Title };
    let lead = theme.pick(
        if view.selected { "▸ " } else { "─ " },
        if view.selected { "> " } else { "- " },
    );
    let at = painter.put(
        0,
        0,
        if view.selected { Role::Accent } else { Role::Border },
        lead,
    );
    let title = if view.panel.title.is_empty() {
        &view.panel.kind
    } else {
        &view.panel.title
    };
    let mut text = format!("{title} ");
    if let Some(late) = late(shared, view.chart) {
        text.push_str(&format!("({late}) "));
    }
    painter.put(at, 0, role, &text);
    let body = Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    let mut say = |role: Role, text: &str| {
        let mut painter = Painter::new(buffer, body, theme);
        let columns = usize::from(body.width).max(8);
        let lines = text
            .lines()
            .flat_map(|line| wrap(&crate::view::text::one_line(line), columns));
        for (y, line) in (0..body.height).zip(lines) {
            painter.put(0, y, role, &line);
        }
    };
    if shape(&view.panel.kind) == Shape::Text {
        let (text, description) = (view.panel.text.trim(), &view.panel.description);
        say(Role::Text, if text.is_empty() { description } else { text });
        return;
    }
    match view.chart.map(|chart| (chart, &chart.series)) {
        None if view.panel.queries.is_empty() => say(Role::Dim, "this panel asks Prometheus nothing"),
        None => say(Role::Dim, "asking Prometheus"),
        Some((_, Err(why))) => say(Role::Attention, why),
        Some((_, Ok(series))) if series.iter().all(|s| s.points.is_empty()) => say(Role::Dim, "no data"),
        Some((chart, Ok(series))) => match shape(&view.panel.kind) {
            Shape::Lines => lines(shared, view, (chart, series), body, buffer),
            Shape::Numbers | Shape::Text => numbers(shared, view, series, body, buffer),
        },
    }
}

/// How old a chart is, where it is not of now.
fn late(shared: &Shared, chart: Option<&Chart>) -> Option<String> {
    let behind = seconds(shared.live.wall) - chart?.to;
    (behind > STALE).then(|| format!("{} old", age(std::time::Duration::from_secs_f64(behind.min(1e9)))))
}

/// Nanoseconds as seconds.
pub(super) fn seconds(nanoseconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds are enough on a chart")]
    let seconds = nanoseconds as f64 / 1e9;
    seconds
}

fn nanoseconds(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let nanoseconds = (seconds * 1e9) as i64;
    nanoseconds
}

/// The value at a moment: that of the last point before it.
pub(super) fn value_at(series: &ChartSeries, cursor: Option<f64>) -> Option<f64> {
    let point = match cursor {
        None => series.points.last(),
        Some(moment) => {
            let behind = series.points.partition_point(|(time, _)| *time <= moment);
            behind.checked_sub(1).and_then(|at| series.points.get(at))
        }
    };
    point.map(|(_, value)| *value)
}

fn lines(shared: &Shared, view: &View<'_>, shown: (&Chart, &[ChartSeries]), area: Rect, buffer: &mut Buffer) {
    let (chart, series) = shown;
    let theme = &shared.theme;
    let panel = view.panel;
    let many = u16::try_from(series.len()).unwrap_or(u16::MAX);
    // The legend may take a third of the room; a chart is worth three rows and more.
    let legend = many
        .min((area.height / 3).max(1))
        .min(area.height.saturating_sub(4));
    let rows = area.height.saturating_sub(legend + 1);
    if rows < 2 {
        return numbers(shared, view, series, area, buffer);
    }
    let values = || {
        series
            .iter()
            .flat_map(|s| s.points.iter().map(|(_, value)| *value))
            .filter(|v| v.is_finite())
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let (low, high, marks) = axis(
        low,
        high,
        (panel.min, panel.max),
        usize::from(rows / 2).clamp(1, 6),
    );
    let labels: Vec<(f64, String)> = marks
        .into_iter()
        .map(|mark| (mark, format(mark, &panel.unit)))
        .collect();
    let left = labels
        .iter()
        .map(|(_, text)| width(text))
        .max()
        .unwrap_or(0)
        .min(12);
    let left = u16::try_from(left + 1).unwrap_or(13);
    let columns = area.width.saturating_sub(left);
    if columns < 4 {
        return numbers(shared, view, series, area, buffer);
    }
    let mut painter = Painter::new(buffer, area, theme);
    for (mark, text) in &labels {
        let part = (high - mark) / (high - low);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the rows there are"
        )]
        let y = (part.clamp(0.0, 1.0) * f64::from(rows - 1)).round() as u16;
        painter.put_right(left - 1, y, left - 1, theme.style(Role::Dim), text);
        painter.put(left - 1, y, Role::Border, theme.pick("┤", "+"));
    }
    for y in 0..rows {
        if painter.is_empty_at(left - 1, y) {
            painter.put(left - 1, y, Role::Border, theme.pick("│", "|"));
        }
    }
    let bounds = Bounds {
        from: chart.from,
        to: chart.to,
        low,
        high,
    };
    let points: Vec<&[(f64, f64)]> = series.iter().map(|s| s.points.as_slice()).collect();
    let cells = plot(
        &points,
        bounds,
        usize::from(columns),
        usize::from(rows),
        theme.is_unicode(),
    );
    for (y, row) in (0..rows).zip(&cells) {
        for (x, dot) in (left..area.width).zip(row) {
            if let Some(dot) = dot {
                let mut text = [0; 4];
                painter.put_styled(x, y, theme.series(dot.line), dot.symbol.encode_utf8(&mut text));
            }
        }
    }
    if let Some(moment) = view.cursor {
        let part = (moment - chart.from) / (chart.to - chart.from).max(1e-9);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the columns there are"
        )]
        let x = left + (part.clamp(0.0, 1.0) * f64::from(columns - 1)).round() as u16;
        for y in 0..rows {
            if painter.is_empty_at(x, y) {
                painter.put(x, y, Role::Accent, theme.pick("┊", "!"));
            }
        }
    }
    let time = |moment: f64| shared.time(nanoseconds(moment), false);
    let dim = theme.style(Role::Dim);
    painter.put_within(left, rows, 8, dim, &time(chart.from));
    if columns >= 30 {
        painter.put_within(
            left + columns / 2 - 4,
            rows,
            8,
            dim,
            &time(f64::midpoint(chart.from, chart.to)),
        );
    }
    if columns >= 18 {
        painter.put_right(area.width, rows, 8, dim, &time(chart.to));
    }
    for (y, (n, one)) in (rows + 1..area.height).zip(series.iter().enumerate()) {
        let more = series.len() - n;
        if y + 1 == area.height && more > 1 {
            painter.put(0, y, Role::Dim, &format!("and {more} more"));
            break;
        }
        legend_line(panel, one, n, view.cursor, theme).draw(&mut painter, (0, y), area.width, 0, theme);
    }
}

/// A line's name with its value, least and greatest.
pub(super) fn legend_line(
    panel: &Panel,
    series: &ChartSeries,
    n: usize,
    cursor: Option<f64>,
    theme: &Theme,
) -> Rich {
    let values = || {
        series
            .points
            .iter()
            .map(|(_, value)| *value)
            .filter(|v| v.is_finite())
    };
    let number = |value: f64| format(value, &panel.unit);
    let mark = if theme.is_unicode() {
        "━━".to_owned()
    } else {
        format!(
            "{0}{0}",
            ["*", "+", "o", "x", "#", "@", "%", "&"]
                .get(n % 8)
                .unwrap_or(&"*")
        )
    };
    let name = if series.name.is_empty() {
        "value"
    } else {
        &series.name
    };
    let last = value_at(series, cursor).map_or_else(|| "-".to_owned(), number);
    Rich::new()
        .with(theme.series(n), &mark)
        .with(Style::new(), &format!(" {name} "))
        .with(theme.style(Role::Title), &last)
        .with(
            theme.style(Role::Dim),
            &format!(
                "  min {} max {}",
                number(values().fold(f64::INFINITY, f64::min)),
                number(values().fold(f64::NEG_INFINITY, f64::max))
            ),
        )
}

fn numbers(shared: &Shared, view: &View<'_>, series: &[ChartSeries], area: Rect, buffer: &mut Buffer) {
    let theme = &shared.theme;
    let panel = view.panel;
    let mut painter = Painter::new(buffer, area, theme);
    let values = |one: &ChartSeries| one.points.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
    if let [one] = series {
        let Some(value) = value_at(one, view.cursor) else {
            return;
        };
        let style = threshold(panel, value, theme);
        let middle = if area.height >= 4 { area.height / 2 - 1 } else { 0 };
        let text = format(value, &panel.unit);
        let end = painter.put_styled(1, middle, style, &text);
        if !one.name.is_empty() {
            painter.put(end + 2, middle, Role::Dim, &one.name);
        }
        let bar = usize::from(area.width.saturating_sub(2));
        if let (true, Some(max)) = (is_gauge(&panel.kind), panel.max) {
            gauge(
                &mut painter,
                middle + 1,
                bar,
                (value, panel.min.unwrap_or(0.0), max),
                style,
                theme,
            );
        } else {
            let line = spark(&values(one), bar, None, theme.is_unicode());
            painter.put_styled(1, middle + 1, theme.style(Role::Dim), &line);
        }
        return;
    }
    let name = series
        .iter()
        .map(|one| width(&one.name))
        .max()
        .unwrap_or(0)
        .min(usize::from(area.width / 2));
    let left = u16::try_from(name + 1).unwrap_or(0);
    for (y, (n, one)) in (0..area.height).zip(series.iter().enumerate()) {
        let more = series.len() - n;
        if y + 1 == area.height && more > 1 {
            painter.put(0, y, Role::Dim, &format!("and {more} more"));
            break;
        }
        let value = value_at(one, view.cursor).unwrap_or(f64::NAN);
        painter.put_within(0, y, left.saturating_sub(1), theme.style(Role::Text), &one.name);
        let end = painter.put_styled(
            left,
            y,
            threshold(panel, value, theme),
            &format(value, &panel.unit),
        );
        let from = end.max(left + 10) + 1;
        let room = usize::from(area.width.saturating_sub(from));
        let line = spark(&values(one), room, None, theme.is_unicode());
        painter.put_styled(from, y, theme.style(Role::Dim), &line);
    }
}

fn is_gauge(kind: &str) -> bool {
    matches!(kind, "gauge" | "bargauge")
}

fn gauge(
    painter: &mut Painter<'_>,
    y: u16,
    columns: usize,
    range: (f64, f64, f64),
    style: Style,
    theme: &Theme,
) {
    let (value, min, max) = range;
    let part = ((value - min) / (max - min)).clamp(0.0, 1.0);
    if part.is_nan() {
        return;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to the columns there are"
    )]
    let full = (part * columns as f64).round() as usize;
    let end = painter.put_styled(1, y, style, &theme.pick("█", "#").repeat(full));
    painter.put(end, y, Role::Border, &theme.pick("░", ".").repeat(columns - full));
}

/// How a value looks by the panel's thresholds (Grafana's colour names).
fn threshold(panel: &Panel, value: f64, theme: &Theme) -> Style {
    let reached = panel.thresholds.iter().rfind(|(from, _)| value >= *from);
    let title = theme.style(Role::Title);
    let Some((_, color)) = reached else { return title };
    if theme.palette() == Palette::Plain {
        return title;
    }
    let name = color.rsplit('-').next().unwrap_or(color);
    let style = match name {
        "green" => theme.style(Role::Good),
        "red" => theme.style(Role::Bad),
        "yellow" | "orange" => theme.style(Role::Attention),
        "blue" => title.fg(Color::Blue),
        "purple" => title.fg(Color::Magenta),
        _ => title,
    };
    title.patch(style)
}
