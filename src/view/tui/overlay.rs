//! What stands over a screen: help, the palette, questions, a line that is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::command::{self, CommandId, Spec};
use super::effect::{Confirm, Prompt, Quit};
use super::keymap::{Key, Keymap};
use super::screens;
use super::shared::Shared;
use super::theme::Role;
use super::widgets::input::Typed;
use super::widgets::{Cursor, Input, Painter, age};
use crate::view::text::width;

/// What stands over a screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// All keys.
    Help(Cursor),
    /// Commands by name.
    Palette(Input, Cursor),
    /// Something that has to be meant.
    Confirm(Confirm),
    /// How to leave a dashboard whose process holds the stack.
    Leave,
    /// A line of text.
    Prompt(Prompt, Input),
    /// Command lines of what was asked for here.
    History(Cursor),
}

/// What a key did to an overlay.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It stays.
    Stay,
    /// It is closed and nothing follows.
    Close,
    /// It is closed and a command follows.
    Command(CommandId),
    /// It is closed: yes.
    Yes(Confirm),
    /// It is closed, and the dashboard is left.
    Quit(Quit),
    /// The text changed.
    Typed(Prompt, String),
    /// The text is there, or was given up.
    Done(Prompt, Option<String>),
}

impl Overlay {
    /// A palette with nothing typed.
    pub fn palette() -> Self {
        Self::Palette(Input::default(), Cursor::default())
    }

    /// A line of text to be typed.
    pub fn prompt(prompt: Prompt) -> Self {
        let input = Input::new(&prompt.text);
        Self::Prompt(prompt, input)
    }

    /// Takes a key. `screen` is the one below, whose commands are on offer.
    pub fn key(&mut self, key: Key, screen: &'static str, keymap: &Keymap, shared: &Shared) -> Answer {
        let escape = key.is("esc") || key.is("ctrl-c");
        match self {
            Self::Help(cursor) => {
                let len = help_lines(screen, keymap).len();
                scroll(cursor, key, screen, keymap, len)
            }
            Self::History(cursor) => scroll(cursor, key, screen, keymap, shared.live.asked.len()),
            Self::Palette(input, cursor) => {
                let found = matches(&input.text(), screen, shared);
                match key.to_string().as_str() {
                    "esc" | "ctrl-c" => return Answer::Close,
                    "enter" => {
                        return found
                            .get(cursor.at)
                            .map_or(Answer::Close, |spec| Answer::Command(spec.id));
                    }
                    "up" => {
                        cursor.command(command::UP, found.len());
                    }
                    "down" | "tab" => {
                        cursor.command(command::DOWN, found.len());
                    }
                    _ => {
                        if input.key(key) == Typed::Changed {
                            cursor.select(0, matches(&input.text(), screen, shared).len());
                        }
                    }
                }
                Answer::Stay
            }
            Self::Confirm(confirm) => match key.to_string().as_str() {
                "y" | "Y" => Answer::Yes(confirm.clone()),
                "n" | "N" | "q" | "esc" | "ctrl-c" => Answer::Close,
                _ => Answer::Stay,
            },
            Self::Leave => match key.to_string().as_str() {
                "s" => Answer::Quit(Quit::Stop),
                "l" => Answer::Quit(Quit::Leave),
                "ctrl-c" => Answer::Quit(Quit::Interrupt),
                "n" | "q" | "esc" => Answer::Close,
                _ => Answer::Stay,
            },
            Self::Prompt(prompt, input) => {
                if escape {
                    return Answer::Done(prompt.clone(), None);
                }
                if key.is("enter") {
                    return Answer::Done(prompt.clone(), Some(input.text()));
                }
                match input.key(key) {
                    Typed::Changed if prompt.live => Answer::Typed(prompt.clone(), input.text()),
                    _ => Answer::Stay,
                }
            }
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) -> Answer {
        match self {
            Self::Palette(input, _) => input.paste(text),
            Self::Prompt(prompt, input) => {
                input.paste(text);
                if prompt.live {
                    return Answer::Typed(prompt.clone(), input.text());
                }
            }
            _ => {}
        }
        Answer::Stay
    }

    /// Takes the size of the whole screen.
    pub fn resize(&mut self, area: Rect, screen: &'static str, keymap: &Keymap, shared: &Shared) {
        let inside = usize::from(frame(area, self).height.saturating_sub(2));
        match self {
            Self::Help(cursor) => cursor.resize(inside, help_lines(screen, keymap).len()),
            Self::History(cursor) => cursor.resize(inside, shared.live.asked.len()),
            Self::Palette(input, cursor) => {
                cursor.resize(
                    inside.saturating_sub(1),
                    matches(&input.text(), screen, shared).len(),
                );
            }
            _ => {}
        }
    }

    /// Draws it over the screen; returns where the cursor stands, where something is typed.
    pub fn draw(
        &self,
        area: Rect,
        screen: &'static str,
        keymap: &Keymap,
        shared: &Shared,
        buffer: &mut Buffer,
    ) -> Option<(u16, u16)> {
        let theme = &shared.theme;
        if let Self::Prompt(prompt, input) = self {
            let line = Rect::new(area.x, area.bottom().saturating_sub(1), area.width, 1);
            let mut painter = Painter::new(buffer, line, theme);
            painter.clear();
            let start = painter.put(0, 0, Role::Accent, &prompt.label);
            let (text, at) = input.window(usize::from(area.width.saturating_sub(start)));
            painter.put(start, 0, Role::Text, &text);
            let column = line.x + start + u16::try_from(at).unwrap_or(0);
            return Some((column.min(line.right().saturating_sub(1)), line.y));
        }
        let part = frame(area, self);
        let inside = boxed(part, self.title(), shared, buffer);
        let mut painter = Painter::new(buffer, inside, theme);
        match self {
            Self::Help(cursor) => {
                let lines = help_lines(screen, keymap);
                for (row, (keys, help)) in (0..).zip(lines.get(cursor.sight(lines.len())).unwrap_or_default())
                {
                    if keys.is_empty() {
                        painter.put(0, row, Role::Title, help);
                        continue;
                    }
                    painter.put_within(1, row, 18, theme.style(Role::Accent), keys);
                    painter.put(20.min(inside.width / 2), row, Role::Text, help);
                }
            }
            Self::Palette(input, cursor) => {
                let (text, at) = input.window(usize::from(inside.width.saturating_sub(2)));
                painter.put(0, 0, Role::Accent, ":");
                painter.put(1, 0, Role::Text, &text);
                let found = matches(&input.text(), screen, shared);
                if found.is_empty() {
                    painter.put(1, 1, Role::Dim, "no command is named so");
                }
                for (row, at) in (1..).zip(cursor.sight(found.len())) {
                    let Some(spec) = found.get(at) else { break };
                    let keys: Vec<String> = keymap.keys(spec.id).iter().map(Key::to_string).collect();
                    let end = painter.put(1, row, Role::Title, spec.id.0);
                    painter.put(end.max(18) + 1, row, Role::Text, spec.help);
                    painter.put_right(
                        inside.width,
                        row,
                        14,
                        theme.style(Role::Dim),
                        &format!(" {}", keys.join(" ")),
                    );
                    if at == cursor.at {
                        painter.tint(row, theme.style(Role::Selected));
                    }
                }
                return Some((inside.x + 1 + u16::try_from(at).unwrap_or(0), inside.y));
            }
            Self::Confirm(confirm) => {
                painter.put(0, 0, Role::Title, &confirm.question);
                painter.put(0, 1, Role::Dim, &confirm.command);
                let end = painter.put(0, 2, Role::Accent, "y");
                let end = painter.put(end, 2, Role::Text, " yes   ");
                let end = painter.put(end, 2, Role::Accent, "n");
                painter.put(end, 2, Role::Text, " no");
            }
            Self::Leave => {
                painter.put(0, 0, Role::Title, "the stack runs in this terminal's `up`");
                for (row, (key, what)) in (1..).zip([
                    ("s", " stop the stack and leave"),
                    ("l", " leave; the stack goes on running"),
                    ("esc", " stay here"),
                ]) {
                    let end = painter.put(0, row, Role::Accent, key);
                    painter.put(end, row, Role::Text, what);
                }
            }
            Self::History(cursor) => {
                let asked = &shared.live.asked;
                if asked.is_empty() {
                    painter.put(0, 0, Role::Dim, "nothing was asked for here yet");
                }
                for (row, at) in (0..).zip(cursor.sight(asked.len())) {
                    // The newest stands at the top.
                    let Some(one) = asked.get(asked.len() - 1 - at) else {
                        break;
                    };
                    let (role, word) = match &one.outcome {
                        None => (Role::Busy, "…".to_owned()),
                        Some(Ok(())) => (Role::Good, "done".to_owned()),
                        Some(Err(why)) => (Role::Bad, format!("failed: {why}")),
                    };
                    let ago = age(shared.live.at.saturating_sub(one.at));
                    painter.put_right(4, row, 4, theme.style(Role::Dim), &ago);
                    let end = painter.put(5, row, Role::Text, &one.command);
                    painter.put(end + 1, row, role, &word);
                    if at == cursor.at {
                        painter.tint(row, theme.style(Role::Selected));
                    }
                }
            }
            Self::Prompt(..) => {}
        }
        None
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Help(_) => "keys",
            Self::Palette(..) => "commands",
            Self::Confirm(_) => "sure?",
            Self::Leave => "leave?",
            Self::Prompt(..) => "",
            Self::History(_) => "asked for here, newest first",
        }
    }
}

fn scroll(cursor: &mut Cursor, key: Key, screen: &'static str, keymap: &Keymap, len: usize) -> Answer {
    match keymap.command(screen, key) {
        Some(id) if cursor.command(id, len) => Answer::Stay,
        Some(
            command::BACK
            | command::QUIT
            | command::INTERRUPT
            | command::HELP
            | command::HISTORY
            | command::OPEN,
        ) => Answer::Close,
        _ => Answer::Stay,
    }
}

/// The part that an overlay takes.
fn frame(area: Rect, overlay: &Overlay) -> Rect {
    let (width, height) = match overlay {
        Overlay::Help(_) => (76, area.height.saturating_sub(2)),
        Overlay::Palette(..) => (76, 16),
        Overlay::History(_) => (110, area.height.saturating_sub(2)),
        Overlay::Confirm(confirm) => {
            let widest = width(&confirm.question).max(width(&confirm.command)).max(20);
            (u16::try_from(widest + 4).unwrap_or(u16::MAX), 5)
        }
        Overlay::Leave => (44, 6),
        Overlay::Prompt(..) => (0, 0),
    };
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    )
}

/// Draws a frame and returns its inside. Where there is no room for a frame, there is none.
pub fn boxed(part: Rect, title: &str, shared: &Shared, buffer: &mut Buffer) -> Rect {
    let theme = &shared.theme;
    let mut painter = Painter::new(buffer, part, theme);
    painter.clear();
    if part.width < 4 || part.height < 3 {
        return part;
    }
    let [h, v, tl, tr, bl, br] = if theme.is_unicode() {
        ["─", "│", "╭", "╮", "╰", "╯"]
    } else {
        ["-", "|", "+", "+", "+", "+"]
    };
    let line = h.repeat(usize::from(part.width - 2));
    let (right, bottom) = (part.width - 1, part.height - 1);
    painter.put(0, 0, Role::Border, &format!("{tl}{line}{tr}"));
    painter.put(0, bottom, Role::Border, &format!("{bl}{line}{br}"));
    for row in 1..bottom {
        painter.put(0, row, Role::Border, v);
        painter.put(right, row, Role::Border, v);
    }
    if !title.is_empty() {
        painter.put_within(
            2,
            0,
            part.width - 4,
            theme.style(Role::Title),
            &format!(" {title} "),
        );
    }
    Rect::new(
        part.x + 2,
        part.y + 1,
        part.width.saturating_sub(4),
        part.height - 2,
    )
}

/// Headings (without keys) and commands, those of the screen first.
fn help_lines(screen: &'static str, keymap: &Keymap) -> Vec<(String, String)> {
    let line = |spec: &Spec| {
        let keys: Vec<String> = keymap.keys(spec.id).iter().map(Key::to_string).collect();
        let help = if spec.changes {
            format!("{} ·", spec.help)
        } else {
            spec.help.to_owned()
        };
        let keys = if keys.is_empty() {
            "(no key)".to_owned()
        } else {
            keys.join(" ")
        };
        (keys, help)
    };
    let heading = |text: &str| (String::new(), text.to_owned());
    let mut lines = Vec::new();
    if let Some(entry) = screens::REGISTRY.iter().find(|entry| entry.name == screen)
        && !entry.commands.is_empty()
    {
        lines.push(heading(entry.title));
        lines.extend(entry.commands.iter().map(line));
    }
    lines.push(heading("Everywhere (· changes the project)"));
    let digits = format!("1-{}", screens::REGISTRY.len());
    let titles: Vec<&str> = screens::REGISTRY.iter().map(|entry| entry.title).collect();
    lines.push((digits, titles.join(", ")));
    lines.extend(command::GLOBAL.iter().map(line));
    lines
}

/// The commands that a typed text finds: by the start of their name first, then by what is in name or help.
fn matches(text: &str, screen: &'static str, shared: &Shared) -> Vec<&'static Spec> {
    let text = text.trim().to_lowercase();
    let own = screens::REGISTRY.iter().find(|entry| entry.name == screen);
    let mut found: Vec<(u8, &'static Spec)> = own
        .into_iter()
        .flat_map(|entry| entry.commands)
        .chain(command::GLOBAL)
        .filter(|spec| spec.id != command::PALETTE && !(shared.read_only && spec.changes))
        .filter_map(|spec| {
            let name = spec.id.0;
            let short = name.rsplit_once('.').map_or(name, |(_, short)| short);
            let rank = if name.starts_with(&text) {
                0
            } else if short.starts_with(&text) {
                1
            } else if name.contains(&text) {
                2
            } else if spec.help.to_lowercase().contains(&text) {
                3
            } else {
                return None;
            };
            Some((rank, spec))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, spec)| spec).collect()
}
