//! A log line as it is shown.

use ratatui::style::Style;

use super::fields::{Fields, Part, level_of};
use crate::event::live::{Level, LogRecord};
use crate::view::tui::theme::{Palette, Role, Theme};
use crate::view::tui::widgets::{Query, Rich, ansi};

/// The text of a record, readable where it is structured, with what is looked for marked.
pub(super) fn rich(record: &LogRecord, readable: bool, queries: [&Query; 2], theme: &Theme) -> Rich {
    let (text, styles) = ansi::read(&record.text);
    let mut line = Rich::new();
    match readable.then(|| Fields::read(&text)).flatten() {
        Some(fields) => structured(&fields, record.level, theme, &mut line),
        None => coloured(&text, &styles, tone(record.level, theme), theme, &mut line),
    }
    let [filter, find] = queries;
    let found = theme.style(Role::Accent);
    line.mark(&filter.places(line.text()), found);
    line.mark(&find.places(line.text()), theme.style(Role::Match));
    line
}

/// How grave lines look.
pub(super) fn tone(level: Option<Level>, theme: &Theme) -> Style {
    theme.style(match level {
        Some(Level::Error | Level::Fatal) => Role::Bad,
        Some(Level::Warn) => Role::Attention,
        Some(Level::Trace | Level::Debug) => Role::Dim,
        _ => Role::Text,
    })
}

fn structured(fields: &Fields<'_>, level: Option<Level>, theme: &Theme, line: &mut Rich) {
    let level = fields.level.as_deref().and_then(level_of).or(level);
    let grave = tone(level, theme);
    let named = match level {
        Some(Level::Info) => theme.style(Role::Good),
        _ => grave,
    };
    let dim = theme.style(Role::Dim);
    fields.parts(|part, text| {
        let style = match part {
            Part::Level => named,
            Part::Message => grave,
            Part::Key => dim,
            Part::Value | Part::Space => theme.style(Role::Text),
        };
        line.push(style, text);
    });
}

fn coloured(text: &str, styles: &[(usize, Style)], usual: Style, theme: &Theme, line: &mut Rich) {
    let mut from = 0;
    let mut style = Style::new();
    let ends = styles.iter().map(|(at, _)| *at).chain([text.len()]);
    let next = styles.iter().map(|(_, style)| *style).chain([style]);
    for (end, following) in ends.zip(next) {
        let piece = text.get(from..end).unwrap_or_default();
        let shown = if theme.palette() == Palette::Plain {
            Style {
                fg: None,
                bg: None,
                ..style
            }
        } else {
            style
        };
        line.push(if style == Style::new() { usual } else { shown }, piece);
        from = end;
        style = following;
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;
    use crate::plan::Instance;

    fn shown(text: &str, palette: Palette) -> Rich {
        let record = LogRecord {
            instance: Instance {
                service: "app".into(),
                number: 1,
            },
            container: "c".into(),
            stderr: false,
            time: 0,
            text: text.into(),
            level: None,
        };
        let none = Query::default();
        rich(
            &record,
            true,
            [&none, &none],
            &Theme::new(palette, Vec::new(), true),
        )
    }

    #[test]
    fn colours_of_programs_are_kept_and_their_other_sequences_written_out() {
        let line = shown("\x1b[31mred\x1b[0m plain\x1b[2J", Palette::Dark);
        assert_eq!(line.text(), "red plain\\x1b[2J");
        let red = Rich::new().with(Style::new().fg(Color::Red), "red");
        assert_eq!(line, red.with(Style::new(), " plain\\x1b[2J"));
        assert_eq!(
            shown("\x1b[31mred", Palette::Plain),
            Rich::new().with(Style::new(), "red")
        );
    }
}
