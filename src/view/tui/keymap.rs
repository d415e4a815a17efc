//! Keys as text, and which command each means.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::{self, CommandId, Spec};
use super::screens;

/// A key with its modifiers, written `ctrl-t`, `shift-tab`, `alt-x`, `f5`, `G`, `space`, `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    code: Code,
    ctrl: bool,
    alt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Code {
    Char(char),
    Named(&'static str),
    Function(u8),
}

const NAMED: [(&str, KeyCode); 14] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    /// Reads a key as it is written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let (mut ctrl, mut alt) = (false, false);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|r| !r.is_empty()) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|r| !r.is_empty()) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let key = |code| Ok(Self { code, ctrl, alt });
        if rest == "space" {
            return key(Code::Char(' '));
        }
        if let Some((name, _)) = NAMED.iter().find(|(name, _)| *name == rest) {
            return key(Code::Named(name));
        }
        if let Some(number) = rest.strip_prefix('f').and_then(|n| n.parse().ok())
            && (1..=24).contains(&number)
        {
            return key(Code::Function(number));
        }
        let mut chars = rest.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => {
                key(Code::Char(if ctrl { c.to_ascii_lowercase() } else { c }))
            }
            _ => Err(format!(
                "`{text}` is no key: write a character, or one of space, enter, esc, tab, shift-tab, backspace, delete, \
                 up, down, left, right, home, end, pageup, pagedown, f1 to f24, with ctrl- or alt- before it"
            )),
        }
    }

    /// The key of a terminal's event; `None` for what is no key press of ours.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) => Code::Char(if ctrl { c.to_ascii_lowercase() } else { c }),
            KeyCode::F(number) => Code::Function(number),
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Code::Named("shift-tab"),
            other => Code::Named(NAMED.iter().find(|(_, code)| *code == other)?.0),
        };
        Some(Self {
            code,
            ctrl,
            alt: event.modifiers.contains(KeyModifiers::ALT),
        })
    }

    /// The character that it types into a text, where it does.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// The digit that it is, for choosing a screen.
    pub fn digit(self) -> Option<usize> {
        self.typed()
            .and_then(|c| c.to_digit(10))
            .and_then(|d| usize::try_from(d).ok())
    }

    /// Whether it is the key so written.
    pub fn is(self, text: &str) -> bool {
        Self::parse(text) == Ok(self)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::Named(name) => f.write_str(name),
            Code::Function(number) => write!(f, "f{number}"),
        }
    }
}

/// Which command each key means, on every screen and on one.
#[derive(Debug, Clone)]
pub struct Keymap {
    global: BTreeMap<Key, CommandId>,
    screens: BTreeMap<&'static str, BTreeMap<Key, CommandId>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&BTreeMap::new())
    }
}

impl Keymap {
    /// The keys of all commands, `own` in the place of a command's usual ones.
    pub fn new(own: &BTreeMap<CommandId, Vec<Key>>) -> Self {
        let table = |specs: &[Spec]| {
            let mut map = BTreeMap::new();
            // Own keys come last, so that they win over another command's usual ones.
            for spec in specs.iter().filter(|s| !own.contains_key(&s.id)) {
                for key in spec.keys.iter().filter_map(|text| Key::parse(text).ok()) {
                    map.insert(key, spec.id);
                }
            }
            for spec in specs {
                for key in own.get(&spec.id).into_iter().flatten() {
                    map.insert(*key, spec.id);
                }
            }
            map
        };
        Self {
            global: table(command::GLOBAL),
            screens: screens::REGISTRY
                .iter()
                .map(|entry| (entry.name, table(entry.commands)))
                .collect(),
        }
    }

    /// What a key means on a screen.
    pub fn command(&self, screen: &str, key: Key) -> Option<CommandId> {
        let own = self.screens.get(screen).and_then(|map| map.get(&key));
        own.or_else(|| self.global.get(&key)).copied()
    }

    /// The keys of a command, in the order of their names.
    pub fn keys(&self, id: CommandId) -> Vec<Key> {
        let maps = std::iter::once(&self.global).chain(self.screens.values());
        let mut keys: Vec<Key> = maps
            .flat_map(|map| map.iter().filter(|(_, other)| **other == id).map(|(key, _)| *key))
            .collect();
        // The usual order, where it is the usual keys: `up` stands before `k`.
        if let Some(spec) = command::spec(id) {
            let place = |key: &Key| {
                spec.keys
                    .iter()
                    .position(|text| key.is(text))
                    .unwrap_or(usize::MAX)
            };
            keys.sort_by_key(place);
        }
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_as_written() {
        for text in [
            "a",
            "G",
            "?",
            "space",
            "enter",
            "shift-tab",
            "ctrl-t",
            "alt-x",
            "ctrl-alt-x",
            "f1",
            "f12",
            "-",
            "f",
            "pagedown",
        ] {
            assert_eq!(Key::parse(text).map(|k| k.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "ctrl-", "f0", "f99", "ab", "strg-x"] {
            assert!(Key::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn terminal_events_are_the_keys_that_are_written() {
        let of = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers)).map(|k| k.to_string());
        assert_eq!(
            of(KeyCode::Char('C'), KeyModifiers::CONTROL).as_deref(),
            Some("ctrl-c")
        );
        assert_eq!(of(KeyCode::Char('G'), KeyModifiers::SHIFT).as_deref(), Some("G"));
        assert_eq!(
            of(KeyCode::BackTab, KeyModifiers::SHIFT).as_deref(),
            Some("shift-tab")
        );
        assert_eq!(of(KeyCode::F(5), KeyModifiers::NONE).as_deref(), Some("f5"));
        assert_eq!(of(KeyCode::Insert, KeyModifiers::NONE), None);
    }

    #[test]
    fn own_keys_replace_the_usual_ones_and_win() {
        let key = |text: &str| Key::parse(text).unwrap();
        let own = BTreeMap::from([(command::RESTART, vec![key("f5"), key("s")])]);
        let map = Keymap::new(&own);
        assert_eq!(map.command("stack", key("f5")), Some(command::RESTART));
        assert_eq!(map.command("stack", key("s")), Some(command::RESTART));
        assert_eq!(map.command("stack", key("r")), None);
        let keys: Vec<String> = map.keys(command::UP).iter().map(Key::to_string).collect();
        assert_eq!(keys, ["up", "k"]);
    }
}
