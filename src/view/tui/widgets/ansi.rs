//! Colours that programs write into their lines (SGR, ECMA-48 section 8.3.117). Only these are
//! understood; every other control sequence stays in the text, where it is written out and cannot act.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

/// A text without its SGR sequences, and the styles that these ask for: the byte from which on each
/// holds.
pub fn read(text: &str) -> (Cow<'_, str>, Vec<(usize, Style)>) {
    if !text.contains('\x1b') {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut out = String::with_capacity(text.len());
    let mut styles = Vec::new();
    let mut style = Style::new();
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        let (before, sequence) = rest.split_at(at);
        out.push_str(before);
        match sgr(sequence) {
            Some((parameters, behind)) => {
                apply(&mut style, parameters);
                styles.push((out.len(), style));
                rest = behind;
            }
            None => {
                out.push('\x1b');
                rest = sequence.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    (Cow::Owned(out), styles)
}

/// A text without its SGR sequences.
pub fn strip(text: &str) -> Cow<'_, str> {
    read(text).0
}

/// The parameters of the sequence that a text begins with, and what stands behind it.
fn sgr(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("\x1b[")?;
    let end = inner.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    let behind = inner.get(end..)?.strip_prefix('m')?;
    Some((inner.get(..end)?, behind))
}

fn apply(style: &mut Style, parameters: &str) {
    let mut numbers = parameters.split([';', ':']).map(|number| {
        if number.is_empty() {
            Some(0)
        } else {
            number.parse::<u16>().ok()
        }
    });
    while let Some(number) = numbers.next() {
        let Some(number) = number else { continue };
        let add = |modifier| style.add_modifier(modifier);
        let remove = |modifier| style.remove_modifier(modifier);
        *style = match number {
            0 => Style::new(),
            1 => add(Modifier::BOLD),
            2 => add(Modifier::DIM),
            3 => add(Modifier::ITALIC),
            4 => add(Modifier::UNDERLINED),
            7 => add(Modifier::REVERSED),
            9 => add(Modifier::CROSSED_OUT),
            22 => remove(Modifier::BOLD | Modifier::DIM),
            23 => remove(Modifier::ITALIC),
            24 => remove(Modifier::UNDERLINED),
            27 => remove(Modifier::REVERSED),
            29 => remove(Modifier::CROSSED_OUT),
            30..=37 | 90..=97 => style.fg(basic(number)),
            40..=47 | 100..=107 => style.bg(basic(number - 10)),
            38 => extended(&mut numbers).map_or(*style, |color| style.fg(color)),
            48 => extended(&mut numbers).map_or(*style, |color| style.bg(color)),
            39 => Style { fg: None, ..*style },
            49 => Style { bg: None, ..*style },
            // Concealed and blinking text is shown as it is.
            _ => *style,
        };
    }
}

fn basic(number: u16) -> Color {
    const COLORS: [Color; 8] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
    ];
    const BRIGHT: [Color; 8] = [
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let (colors, first) = if number >= 90 { (BRIGHT, 90) } else { (COLORS, 30) };
    let at = usize::from(number.saturating_sub(first));
    colors.get(at).copied().unwrap_or_default()
}

/// `5;n` and `2;r;g;b`.
fn extended(numbers: &mut impl Iterator<Item = Option<u16>>) -> Option<Color> {
    let mut byte = || u8::try_from(numbers.next()??).ok();
    match byte()? {
        5 => Some(Color::Indexed(byte()?)),
        2 => Some(Color::Rgb(byte()?, byte()?, byte()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_understood_and_nothing_else() {
        let (text, styles) = read("\x1b[32mINFO\x1b[0m:  ok \x1b[2J\x1b]0;title\x07 \x1b[1;38;5;208mx");
        assert_eq!(text, "INFO:  ok \x1b[2J\x1b]0;title\x07 x");
        let orange = Style::new().fg(Color::Indexed(208)).add_modifier(Modifier::BOLD);
        assert_eq!(
            styles,
            [
                (0, Style::new().fg(Color::Green)),
                (4, Style::new()),
                (text.len() - 1, orange),
            ]
        );
    }

    #[test]
    fn odd_sequences_do_no_harm() {
        for text in [
            "\x1b",
            "\x1b[",
            "\x1b[1",
            "\x1b[38;5m",
            "\x1b[38;2;1;2m",
            "\x1b[;;m",
            "\x1b[99999m",
            "é\x1b[mé",
        ] {
            let (plain, styles) = read(text);
            assert!(
                styles.iter().all(|(at, _)| plain.is_char_boundary(*at)),
                "{text:?}"
            );
        }
        assert_eq!(strip("\x1b[31m\x1b[mx\x1b[K"), "x\x1b[K");
    }
}
