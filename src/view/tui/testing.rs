//! Driving a dashboard in tests: facts and keys in, screens as text out.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Message};
use super::draw::draw;
use super::effect::Effect;
use super::keymap::Key;
use super::settings::Settings;
use super::shared::Shared;
use super::theme::{Palette, Theme};
use crate::event::live::{Fact, Live};
use crate::model::Project;

/// A dashboard under test. Its wall clock begins at 12:00:00 UTC.
pub(crate) struct Driven {
    /// The dashboard.
    pub(crate) app: App,
    /// What it had outside, in order.
    pub(crate) effects: Vec<Effect>,
    at: Duration,
}

/// 2026-11-21 12:00:00 UTC in nanoseconds since 1970.
pub(crate) const NOON: i64 = 1_795_262_400_000_000_000;

impl Driven {
    /// A dashboard of the project `shop`, without colour.
    pub(crate) fn new(project: Option<Project>) -> Self {
        let live = Live::new("shop".into(), project.map(std::sync::Arc::new));
        let theme = Theme::new(Palette::Plain, Vec::new(), true);
        Self {
            app: App::new(Shared::new(live, theme, Settings::default())),
            effects: Vec::new(),
            at: Duration::ZERO,
        }
    }

    /// A stack of `text` (YAML).
    pub(crate) fn of_stack(text: &str) -> Self {
        let loaded = crate::stack::testing::Case::new(text).load();
        let project = loaded.project.unwrap_or_else(|| panic!("the stack is wrong"));
        Self::new(Some(project))
    }

    /// Takes a message in.
    pub(crate) fn message(&mut self, message: Message) -> &mut Self {
        let wall = NOON + i64::try_from(self.at.as_nanos()).unwrap();
        let effects = self.app.update(self.at, wall, message);
        self.effects.extend(effects);
        self
    }

    /// Takes a fact in.
    pub(crate) fn fact(&mut self, fact: Fact) -> &mut Self {
        self.message(Message::Fact(Box::new(fact)));
        self.app.settle_facts();
        self
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, duration: Duration) -> &mut Self {
        self.at += duration;
        self.message(Message::Tick)
    }

    /// Presses keys, as the settings file writes them: `"2 / e r r enter"`.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.message(Message::Key(Key::parse(key).unwrap()));
        }
        self
    }

    /// What is on the screen at a size, without spaces at the ends of lines.
    pub(crate) fn screen(&mut self, columns: u16, rows: u16) -> String {
        self.message(Message::Resize(columns, rows));
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        draw(&self.app, &mut buffer);
        text_of(&buffer)
    }
}

/// A buffer's text, without spaces at the ends of lines.
pub(crate) fn text_of(buffer: &Buffer) -> String {
    let area = buffer.area;
    let line = |y| {
        let mut text = String::new();
        let mut skip = 0;
        for x in 0..area.width {
            let symbol = buffer[(x, y)].symbol();
            // The cell behind a wide character is not its own.
            if skip == 0 {
                text.push_str(symbol);
                skip = crate::view::text::width(symbol).saturating_sub(1);
            } else {
                skip -= 1;
            }
        }
        text.trim_end().to_owned()
    };
    (0..area.height).map(line).collect::<Vec<_>>().join("\n")
}
