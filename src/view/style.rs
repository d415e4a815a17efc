//! How text is coloured and which symbols it may use: decided once from what `cli` read of the
//! surroundings, then passed along as a value.

use std::borrow::Cow;

/// `--ansi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ansi {
    /// No control sequence, ever.
    Never,
    /// Colours also where the output is no terminal.
    Always,
    /// As the surroundings say.
    #[default]
    Auto,
}

/// What is known about where the output goes. Read by `cli`; plain data here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether the stream is a terminal.
    pub is_terminal: bool,
    /// Whether `NO_COLOR` is set to anything but the empty string (no-color.org).
    pub no_color: bool,
    /// Whether `CLICOLOR_FORCE` is set to anything but the empty string and `0`.
    pub clicolor_force: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// The locale: the first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set and not empty.
    pub locale: Option<String>,
}

impl Surroundings {
    /// Whether the terminal understands nothing but text.
    pub fn is_dumb(&self) -> bool {
        self.term.as_deref() == Some("dumb")
    }

    /// Whether the locale's characters are Unicode. No locale counts as yes: files and pipes of
    /// CI systems, which set none, are read as UTF-8.
    pub fn is_unicode(&self) -> bool {
        self.locale.as_deref().is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            // The plain "C" locale of a container is no statement about its terminal, unless
            // that terminal is a dumb one.
            locale.contains("utf-8") || locale.contains("utf8") || (locale == "c" && !self.is_dumb())
        })
    }
}

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether colours may be used.
    pub colour: bool,
    /// Whether characters beyond ASCII may be used.
    pub unicode: bool,
}

impl Style {
    /// ASCII without colours.
    pub const ASCII: Self = Self {
        colour: false,
        unicode: false,
    };
    /// Unicode without colours.
    pub const PLAIN: Self = Self {
        colour: false,
        unicode: true,
    };
    /// Unicode with colours.
    pub const COLOUR: Self = Self {
        colour: true,
        unicode: true,
    };

    /// Decides from `--ansi` and the surroundings. `--ansi` wins over the environment,
    /// `NO_COLOR` over `CLICOLOR_FORCE`, and that over what the stream is.
    pub fn decide(ansi: Ansi, around: &Surroundings) -> Self {
        let colour = match ansi {
            Ansi::Never => false,
            Ansi::Always => true,
            Ansi::Auto => {
                !around.no_color && (around.clicolor_force || (around.is_terminal && !around.is_dumb()))
            }
        };
        Self {
            colour,
            unicode: around.is_unicode() && !(around.is_terminal && around.is_dumb()),
        }
    }

    /// `text` in the colours of `tone`; as it is where there are no colours.
    pub fn paint<'t>(&self, tone: Tone, text: &'t str) -> Cow<'t, str> {
        if !self.colour || tone == Tone::Plain || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let code = tone.sgr();
        Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
    }

    /// A symbol, in ASCII where nothing else may be used.
    pub fn symbol(&self, symbol: Symbol) -> &'static str {
        let (unicode, ascii) = match symbol {
            Symbol::Good => ("✔", "+"),
            Symbol::Bad => ("✘", "x"),
            Symbol::Warning => ("▲", "!"),
            Symbol::Waiting => ("○", "."),
            Symbol::Left => ("–", "-"),
            Symbol::Ellipsis => ("…", "~"),
            Symbol::ArrowLeft => ("←", "<-"),
            Symbol::ArrowRight => ("→", "->"),
            Symbol::Dot => ("·", "-"),
            Symbol::BarDone => ("━", "#"),
            Symbol::BarRest => ("─", "."),
            Symbol::Create => ("+", "+"),
            Symbol::Replace => ("±", "~"),
            Symbol::Remove => ("−", "-"),
        };
        if self.unicode { unicode } else { ascii }
    }

    /// The frame of a spinner at `tick`.
    pub fn spinner(&self, tick: u64) -> &'static str {
        const UNICODE: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
        let frames: &[&str] = if self.unicode { &UNICODE } else { &ASCII };
        frames
            .get((tick % frames.len() as u64) as usize)
            .copied()
            .unwrap_or(" ")
    }
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// As wanted.
    Good,
    /// Not as wanted.
    Bad,
    /// Worth a look.
    Warn,
    /// Under way.
    Wait,
    /// Of less weight.
    Dim,
    /// Of more weight.
    Strong,
    /// A service: one of [`SERVICE_COLOURS`] by its name, always the same for the same name.
    Service(u8),
}

/// Colours of services: cyan, yellow, green, magenta, blue and their bright forms, as Compose has
/// them, without red, which means failure.
pub const SERVICE_COLOURS: [u8; 10] = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

impl Tone {
    /// The tone of a service.
    pub fn of_service(name: &str) -> Self {
        // FNV-1a: stable between runs and versions, which the standard hasher does not promise.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::Service(((hash >> 32) % SERVICE_COLOURS.len() as u64) as u8)
    }

    /// The parameters of the SGR sequence.
    fn sgr(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Good => 32,
            Self::Bad => 31,
            Self::Warn => 33,
            Self::Wait => 36,
            Self::Dim => 2,
            Self::Strong => 1,
            Self::Service(index) => SERVICE_COLOURS.get(usize::from(index)).copied().unwrap_or(0),
        }
    }
}

/// Symbols, each with an ASCII form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// Done and good.
    Good,
    /// Failed.
    Bad,
    /// Worth a look.
    Warning,
    /// Not its turn yet.
    Waiting,
    /// Left as it is, or left out.
    Left,
    /// Text was cut.
    Ellipsis,
    /// From.
    ArrowLeft,
    /// To.
    ArrowRight,
    /// Between parts.
    Dot,
    /// The done part of a bar.
    BarDone,
    /// The rest of a bar.
    BarRest,
    /// Something is made.
    Create,
    /// Something is replaced.
    Replace,
    /// Something goes.
    Remove,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(is_terminal: bool, term: &str, locale: Option<&str>) -> Surroundings {
        Surroundings {
            is_terminal,
            term: Some(term.into()),
            locale: locale.map(Into::into),
            ..Surroundings::default()
        }
    }

    #[test]
    fn colours_follow_flag_then_environment_then_stream() {
        let decide = |ansi, around: &Surroundings| Style::decide(ansi, around).colour;
        let mut here = around(true, "xterm", Some("C.UTF-8"));
        assert!(decide(Ansi::Auto, &here));
        assert!(!decide(Ansi::Never, &here));
        here.no_color = true;
        assert!(!decide(Ansi::Auto, &here));
        assert!(decide(Ansi::Always, &here));
        here.clicolor_force = true;
        assert!(!decide(Ansi::Auto, &here), "NO_COLOR wins");
        let mut pipe = around(false, "xterm", None);
        assert!(!decide(Ansi::Auto, &pipe));
        pipe.clicolor_force = true;
        assert!(decide(Ansi::Auto, &pipe));
        assert!(!decide(Ansi::Auto, &around(true, "dumb", None)));
    }

    #[test]
    fn symbols_fall_back_to_ascii() {
        let unicode = |around: &Surroundings| Style::decide(Ansi::Auto, around).unicode;
        assert!(unicode(&around(true, "xterm", Some("de_DE.UTF-8"))));
        assert!(!unicode(&around(true, "xterm", Some("de_DE.ISO-8859-1"))));
        assert!(!unicode(&around(true, "xterm", Some("POSIX"))));
        assert!(!unicode(&around(true, "dumb", Some("C.UTF-8"))));
        assert!(unicode(&around(false, "dumb", None)));
        for tick in 0..30 {
            assert!(Style::ASCII.spinner(tick).is_ascii());
        }
    }

    #[test]
    fn a_service_keeps_its_colour() {
        assert_eq!(Tone::of_service("app"), Tone::of_service("app"));
        let names = ["app", "nginx", "prometheus", "alertmanager", "grafana"];
        let distinct: std::collections::HashSet<u8> = names
            .iter()
            .filter_map(|name| match Tone::of_service(name) {
                Tone::Service(index) => Some(index),
                _ => None,
            })
            .collect();
        assert!(distinct.len() >= 4, "{distinct:?}");
        assert_eq!(Style::COLOUR.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "x"), "x");
    }
}
