//! The settings file, read.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::style::Color;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Settings;
use crate::view::tui::command::{self, CommandId};
use crate::view::tui::keymap::Key;
use crate::view::tui::screens::{Entry, REGISTRY};
use crate::view::tui::theme::{Palette, Role};

/// What may stand at the top.
const TOP: [&str; 5] = ["theme", "mouse", "keys", "colors", "columns"];
/// Names of colours, for suggestions; `#rrggbb` and 0 to 255 are colours too.
const COLORS: [&str; 17] = [
    "reset",
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "darkgray",
    "lightred",
    "lightgreen",
    "lightyellow",
    "lightblue",
    "lightmagenta",
    "lightcyan",
    "white",
];

/// A key that the file gives to a command, and where it stands.
struct Given {
    key: Key,
    id: CommandId,
    span: Range<usize>,
}

struct Reader<'t> {
    text: &'t str,
    findings: Vec<(usize, String)>,
    settings: Settings,
    given: Vec<Given>,
}

pub(super) fn parse(text: &str, file: &str) -> Result<Settings, Vec<String>> {
    let mut reader = Reader {
        text,
        findings: Vec::new(),
        settings: Settings::default(),
        given: Vec::new(),
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    reader.root(root.get_ref());
    reader.collisions();
    // What was made of a line that could not be read says nothing of its own.
    let line_of = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count();
    let broken: Vec<usize> = errors
        .iter()
        .filter_map(|e| Some(line_of(e.span()?.start)))
        .collect();
    reader.findings.retain(|(at, _)| !broken.contains(&line_of(*at)));
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        reader.findings.push((at, format!("this is no TOML: {what}")));
    }
    if reader.findings.is_empty() {
        return Ok(reader.settings);
    }
    reader.findings.sort_by_key(|(at, _)| *at);
    let findings = reader.findings.iter().map(|(at, what)| {
        let before = text.get(..*at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{file}:{line}:{column}: {what}")
    });
    Err(findings.collect())
}

/// `; did you mean …?`, where something is near.
fn near<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word, name), name))
        // What was left out or put before is near, however long.
        .filter(|(distance, name)| *distance <= most || name.rsplit('.').next() == Some(&word))
        .min()
        .map(|(_, name)| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// A list in words, for what is expected.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

impl Reader<'_> {
    fn find(&mut self, span: &Range<usize>, what: impl Into<String>) {
        let at = span.start.min(self.text.len());
        self.findings.push((at, what.into()));
    }

    fn expected(&mut self, name: &str, value: &Spanned<DeValue<'_>>, what: &str) {
        let found = value.get_ref().type_str();
        self.find(
            &value.span(),
            format!("`{name}` is {what}, and this is of the type {found}"),
        );
    }

    fn root(&mut self, root: &DeTable<'_>) {
        for (name, value) in root {
            let key: &str = name.get_ref();
            match key {
                "theme" => self.theme(value),
                "mouse" => match value.get_ref().as_bool() {
                    Some(mouse) => self.settings.mouse = mouse,
                    None => self.expected(key, value, "true or false"),
                },
                "keys" => self.table(key, value, |reader, table| reader.keys("", table)),
                "colors" => self.table(key, value, Self::colors),
                "columns" => self.table(key, value, Self::columns),
                _ => self.find(
                    &name.span(),
                    format!(
                        "unknown setting `{key}`{}: there are {}",
                        near(key, TOP),
                        listed(TOP)
                    ),
                ),
            }
        }
    }

    fn table(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        read: impl FnOnce(&mut Self, &DeTable<'_>),
    ) {
        match value.get_ref().as_table() {
            Some(table) => read(self, table),
            None => self.expected(name, value, &format!("a table: write [{name}]")),
        }
    }

    fn theme(&mut self, value: &Spanned<DeValue<'_>>) {
        let names = Palette::ALL.map(|(name, _)| name);
        let Some(text) = value.get_ref().as_str() else {
            self.expected("theme", value, &format!("one of {}", listed(names)));
            return;
        };
        match Palette::ALL.iter().find(|(name, _)| *name == text) {
            Some((_, palette)) => self.settings.palette = Some(*palette),
            None => self.find(
                &value.span(),
                format!(
                    "unknown theme `{text}`{}: there are {}",
                    near(text, names),
                    listed(names)
                ),
            ),
        }
    }

    /// Commands and their keys. `stack.faults` may stand as it is or in quotes.
    fn keys(&mut self, before: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let full = format!("{before}{}", name.get_ref());
            if let Some(inner) = value.get_ref().as_table() {
                self.keys(&format!("{full}."), inner);
                continue;
            }
            let Some(spec) = command::all().find(|spec| spec.id.0 == full) else {
                let near = near(&full, command::all().map(|spec| spec.id.0));
                let what = format!(
                    "unknown command `{full}`{near}: `platform dashboard --print-settings` shows all"
                );
                self.find(&name.span(), what);
                continue;
            };
            let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
                DeValue::Array(list) => list.iter().collect(),
                _ => vec![value],
            };
            let mut keys = Vec::new();
            for value in values {
                keys.extend(self.one_key(&full, spec.id, value));
            }
            self.settings.keys.insert(spec.id, keys);
        }
    }

    fn one_key(&mut self, name: &str, id: CommandId, value: &Spanned<DeValue<'_>>) -> Option<Key> {
        let Some(text) = value.get_ref().as_str() else {
            self.expected(name, value, "a key in quotes, or a list of them");
            return None;
        };
        let key = match Key::parse(text) {
            Ok(key) if key.digit().is_some() => {
                self.find(
                    &value.span(),
                    format!("`{text}` chooses a screen: take another key"),
                );
                return None;
            }
            Ok(key) => key,
            Err(why) => {
                self.find(&value.span(), why);
                return None;
            }
        };
        self.given.push(Given {
            key,
            id,
            span: value.span(),
        });
        Some(key)
    }

    /// One key for two commands, where both could be meant.
    fn collisions(&mut self) {
        let given = std::mem::take(&mut self.given);
        let meet = |one: Option<&str>, other: Option<&str>| one.is_none() || other.is_none() || one == other;
        for (at, one) in given.iter().enumerate() {
            let screen = screen_of(one.id);
            let earlier = given.get(..at).unwrap_or_default();
            if let Some(other) = earlier
                .iter()
                .find(|other| other.key == one.key && meet(screen, screen_of(other.id)))
            {
                let text = format!(
                    "the key `{}` is already that of `{}`: take another, or none ([])",
                    one.key, other.id.0
                );
                self.find(&one.span, text);
                continue;
            }
            // A screen's own usual keys come before those of all screens.
            let taken = REGISTRY
                .iter()
                .filter(|_| screen.is_none())
                .flat_map(|entry| entry.commands)
                .find(|spec| {
                    !self.settings.keys.contains_key(&spec.id) && spec.keys.iter().any(|key| one.key.is(key))
                });
            if let Some(spec) = taken {
                let text = format!(
                    "the key `{}` is that of `{}`, which comes first on its screen: take another, or give that \
                     one another",
                    one.key, spec.id.0
                );
                self.find(&one.span, text);
            }
        }
    }

    fn colors(&mut self, table: &DeTable<'_>) {
        let mut colors: BTreeMap<Role, Color> = BTreeMap::new();
        for (name, value) in table {
            let key: &str = name.get_ref();
            let Some((_, role)) = Role::ALL.iter().find(|(known, _)| *known == key) else {
                let names = Role::ALL.map(|(name, _)| name);
                let text = format!(
                    "unknown colour `{key}`{}: there are {}",
                    near(key, names),
                    listed(names)
                );
                self.find(&name.span(), text);
                continue;
            };
            let number = || {
                let number = value.get_ref().as_integer()?;
                u8::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
            };
            let color = match value.get_ref() {
                DeValue::String(text) => text.parse::<Color>().ok(),
                DeValue::Integer(_) => number().map(Color::Indexed),
                _ => None,
            };
            match color {
                Some(color) => {
                    colors.insert(*role, color);
                }
                None => {
                    let found = value.get_ref().as_str().unwrap_or_default();
                    let text = format!(
                        "`{key}` has no such colour{}: write \"#rrggbb\", a number from 0 to 255, or one of {}",
                        near(found, COLORS),
                        listed(COLORS)
                    );
                    self.find(&value.span(), text);
                }
            }
        }
        self.settings.colors = colors.into_iter().collect();
    }

    fn columns(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let key: &str = name.get_ref();
            let with_columns = || REGISTRY.iter().filter(|entry| !entry.columns.is_empty());
            let Some(entry) = with_columns().find(|entry| entry.name == key) else {
                let names = || with_columns().map(|entry| entry.name);
                let text = format!(
                    "no screen with columns is called `{key}`{}: there is {}",
                    near(key, names()),
                    listed(names())
                );
                self.find(&name.span(), text);
                continue;
            };
            let Some(list) = value.get_ref().as_array() else {
                self.expected(key, value, "a list of columns: [\"name\", \"cpu\"]");
                continue;
            };
            let chosen = self.chosen(entry, list);
            if list.is_empty() {
                self.find(
                    &value.span(),
                    format!("`{key}` needs a column at least, or leave the line out"),
                );
            }
            self.settings.columns.insert(entry.name, chosen);
        }
    }

    fn chosen(&mut self, entry: &Entry, list: &[Spanned<DeValue<'_>>]) -> Vec<&'static str> {
        let names = || entry.columns.iter().map(|column| column.name);
        let mut chosen: Vec<&'static str> = Vec::new();
        for value in list {
            let Some(text) = value.get_ref().as_str() else {
                self.expected(entry.name, value, "a list of columns' names in quotes");
                continue;
            };
            match names().find(|name| *name == text) {
                Some(name) if chosen.contains(&name) => {
                    self.find(
                        &value.span(),
                        format!("the column `{name}` is there twice: take one out"),
                    );
                }
                Some(name) => chosen.push(name),
                None => {
                    let text = format!(
                        "unknown column `{text}`{}: there are {}",
                        near(text, names()),
                        listed(names())
                    );
                    self.find(&value.span(), text);
                }
            }
        }
        chosen
    }
}

/// The screen that a command belongs to; `None` for those of every screen.
fn screen_of(id: CommandId) -> Option<&'static str> {
    let has = |entry: &&Entry| entry.commands.iter().any(|spec| spec.id == id);
    REGISTRY.iter().find(has).map(|entry| entry.name)
}
