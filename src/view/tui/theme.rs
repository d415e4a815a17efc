//! Colours by what they mean.

use ratatui::style::{Color, Modifier, Style};

use crate::event::live::Shade;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Plain text.
    Text,
    /// What matters less.
    Dim,
    /// Headings.
    Title,
    /// What is chosen: the shown screen, a key.
    Accent,
    /// As wanted.
    Good,
    /// On its way.
    Busy,
    /// Not there.
    Off,
    /// Something to look at.
    Attention,
    /// Failed.
    Bad,
    /// The selected row.
    Selected,
    /// A marked row.
    Marked,
    /// Lines around panes.
    Border,
    /// A place that matches a search.
    Match,
}

impl Role {
    /// All, with the names that the settings file has for them.
    pub const ALL: [(&'static str, Self); 13] = [
        ("text", Self::Text),
        ("dim", Self::Dim),
        ("title", Self::Title),
        ("accent", Self::Accent),
        ("good", Self::Good),
        ("busy", Self::Busy),
        ("off", Self::Off),
        ("attention", Self::Attention),
        ("bad", Self::Bad),
        ("selected", Self::Selected),
        ("marked", Self::Marked),
        ("border", Self::Border),
        ("match", Self::Match),
    ];
}

impl From<Shade> for Role {
    fn from(shade: Shade) -> Self {
        match shade {
            Shade::Good => Self::Good,
            Shade::Busy => Self::Busy,
            Shade::Off => Self::Off,
            Shade::Attention => Self::Attention,
            Shade::Bad => Self::Bad,
        }
    }
}

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// For a dark background: the terminal's own sixteen colours.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// No colour: what matters is said in words, bold, underlined or reversed.
    Plain,
}

impl Palette {
    /// All, with the names that the settings file has for them.
    pub const ALL: [(&'static str, Self); 3] = [
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("plain", Self::Plain),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, p)| *p == self)
            .map_or("dark", |(name, _)| name)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Plain,
            Self::Plain => Self::Dark,
        }
    }
}

/// Colours that tell services, series and containers apart; readable on dark and on light.
const SERIES: [Color; 10] = [
    Color::Cyan,
    Color::Yellow,
    Color::Magenta,
    Color::Green,
    Color::Blue,
    Color::LightRed,
    Color::LightCyan,
    Color::LightMagenta,
    Color::LightGreen,
    Color::LightBlue,
];
const SERIES_LIGHT: [Color; 6] = [
    Color::Blue,
    Color::Magenta,
    Color::Red,
    Color::Green,
    Color::Cyan,
    Color::DarkGray,
];

/// How each role looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    /// Colours of the settings file, over the palette's.
    own: Vec<(Role, Color)>,
    unicode: bool,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(Palette::Dark, Vec::new(), true)
    }
}

impl Theme {
    /// A palette with colours of one's own, in characters beyond ASCII or not.
    pub fn new(palette: Palette, own: Vec<(Role, Color)>, unicode: bool) -> Self {
        Self {
            palette,
            own,
            unicode,
        }
    }

    /// The palette.
    pub fn palette(&self) -> Palette {
        self.palette
    }

    /// As this one, with another palette.
    #[must_use]
    pub fn with_palette(&self, palette: Palette) -> Self {
        Self {
            palette,
            ..self.clone()
        }
    }

    /// Whether characters beyond ASCII can be shown.
    pub fn is_unicode(&self) -> bool {
        self.unicode
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        let usual = match self.palette {
            Palette::Dark => dark(role),
            Palette::Light => light(role),
            Palette::Plain => return plain(role),
        };
        match self.own.iter().find(|(other, _)| *other == role) {
            Some((Role::Selected, color)) => usual.bg(*color),
            Some((_, color)) => usual.fg(*color),
            None => usual,
        }
    }

    /// How the n-th of several series or services looks.
    pub fn series(&self, n: usize) -> Style {
        let of =
            |colors: &[Color]| Style::new().fg(colors.get(n % colors.len()).copied().unwrap_or_default());
        match self.palette {
            Palette::Dark => of(&SERIES),
            Palette::Light => of(&SERIES_LIGHT),
            Palette::Plain => Style::new(),
        }
    }

    /// How a service looks, the same wherever it is named.
    pub fn service(&self, name: &str) -> Style {
        // FNV-1a: the same colour in each run.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        self.series(usize::try_from(hash % 60).unwrap_or(0))
    }

    /// A symbol for a condition, which tells it also without colour.
    pub fn mark(&self, shade: Shade) -> &'static str {
        match (self.unicode, shade) {
            (true, Shade::Good) => "●",
            (true, Shade::Busy) => "◐",
            (true, Shade::Off) => "○",
            (true, Shade::Attention) => "▲",
            (true, Shade::Bad) => "✖",
            (false, Shade::Good) => "+",
            (false, Shade::Busy) => "~",
            (false, Shade::Off) => "-",
            (false, Shade::Attention) => "!",
            (false, Shade::Bad) => "x",
        }
    }

    /// `unicode` where it can be shown, else `ascii`.
    pub fn pick(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }
}

fn dark(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text => style,
        Role::Dim | Role::Off | Role::Border => style.fg(Color::DarkGray),
        Role::Title => style.add_modifier(Modifier::BOLD),
        Role::Accent => style.fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Good => style.fg(Color::Green),
        Role::Busy => style.fg(Color::Blue),
        Role::Attention => style.fg(Color::Yellow),
        Role::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Selected => style.bg(Color::DarkGray).add_modifier(Modifier::BOLD),
        Role::Marked => style.fg(Color::Magenta),
        Role::Match => style.fg(Color::Black).bg(Color::Yellow),
    }
}

fn light(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Dim | Role::Off | Role::Border => style.fg(Color::Gray),
        Role::Accent => style.fg(Color::Blue).add_modifier(Modifier::BOLD),
        Role::Attention => style.fg(Color::Magenta),
        Role::Selected => style.bg(Color::Gray).add_modifier(Modifier::BOLD),
        Role::Marked => style.fg(Color::Blue),
        other => dark(other),
    }
}

fn plain(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Title | Role::Bad | Role::Attention => style.add_modifier(Modifier::BOLD),
        Role::Accent | Role::Match => style.add_modifier(Modifier::UNDERLINED),
        Role::Selected => style.add_modifier(Modifier::REVERSED),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_coloured() {
        let theme = Theme::new(Palette::Plain, vec![(Role::Good, Color::Red)], true);
        for (_, role) in Role::ALL {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_eq!(theme.series(3).fg, None);
    }

    #[test]
    fn own_colours_replace_the_palettes() {
        let theme = Theme::new(Palette::Dark, vec![(Role::Good, Color::Magenta)], true);
        assert_eq!(theme.style(Role::Good).fg, Some(Color::Magenta));
        assert_eq!(theme.style(Role::Bad).fg, Some(Color::Red));
        assert_eq!(theme.service("app"), theme.service("app"));
    }
}
