//! The screens, one a file, and their registry.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::command::{CommandId, Spec};
use super::effect::{Effect, Focus};
use super::shared::Shared;
use crate::event::request::Needs;

mod stack;
mod logs;
mod timeline;
mod graph;
mod metrics;
mod probes;
mod plan;

/// The screens, in the order of their digits.
pub const REGISTRY: &[Entry] = &[
    Entry::new(stack::NAME, "Stack", stack::COMMANDS, || {
        Box::new(stack::Stack::default())
    })
    .columns(stack::COLUMNS),
    Entry::new(logs::NAME, "Logs", logs::COMMANDS, || {
        Box::new(logs::Logs::default())
    }),
    Entry::new(timeline::NAME, "Timeline", timeline::COMMANDS, || {
        Box::new(timeline::Timeline::default())
    }),
    Entry::new(graph::NAME, "Graph", graph::COMMANDS, || {
        Box::new(graph::Graph::default())
    }),
    Entry::new(metrics::NAME, "Metrics", metrics::COMMANDS, || {
        Box::new(metrics::Metrics::default())
    }),
    Entry::new(probes::NAME, "Probes", probes::COMMANDS, || {
        Box::new(probes::Probes::default())
    }),
    Entry::new(plan::NAME, "Plan", plan::COMMANDS, || {
        Box::new(plan::Plan::default())
    }),
];

/// A screen of the registry.
pub struct Entry {
    /// Its name, in settings and effects.
    pub name: &'static str,
    /// What stands on its tab.
    pub title: &'static str,
    /// Its own commands.
    pub commands: &'static [Spec],
    /// Makes it.
    pub make: fn() -> Box<dyn Screen>,
    /// Its columns, where the settings file may choose them.
    pub columns: &'static [ColumnInfo],
}

/// A column that the settings file may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it tells and where that comes from.
    pub help: &'static str,
}

impl Entry {
    const fn new(
        name: &'static str,
        title: &'static str,
        commands: &'static [Spec],
        make: fn() -> Box<dyn Screen>,
    ) -> Self {
        Self {
            name,
            title,
            commands,
            make,
            columns: &[],
        }
    }

    /// As this one, with columns that can be chosen.
    const fn columns(mut self, columns: &'static [ColumnInfo]) -> Self {
        self.columns = columns;
        self
    }
}

/// A screen: its own state, what changes it, and how it is drawn.
pub trait Screen: Send {
    /// What it needs to be told of while it is shown.
    fn needs(&self, shared: &Shared) -> Needs;

    /// Takes the size of its part; before it is drawn, and whenever that changes.
    fn resize(&mut self, shared: &Shared, area: Rect);

    /// Facts arrived, or time passed: brings what it keeps of them up to date.
    fn refresh(&mut self, shared: &mut Shared);

    /// Carries a command out. `None` where it is not its own and means nothing special to it: the
    /// application then does what the command does everywhere.
    fn command(&mut self, shared: &mut Shared, id: CommandId) -> Option<Vec<Effect>>;

    /// Draws it. Changes nothing.
    fn draw(&self, shared: &Shared, area: Rect, buffer: &mut Buffer);

    /// It is switched to, with something to be shown.
    fn focus(&mut self, shared: &mut Shared, focus: &Focus) {
        if let Some(instance) = &focus.instance {
            shared.selected = Some(instance.clone());
        }
        self.refresh(shared);
    }

    /// A line of text that it asked for, as it is typed (`done` is false) and when it is there; `None`
    /// where it was given up.
    fn answered(
        &mut self,
        shared: &mut Shared,
        prompt: &'static str,
        text: Option<&str>,
        done: bool,
    ) -> Vec<Effect> {
        let _ = (shared, prompt, text, done);
        Vec::new()
    }

    /// A click at a column and row of its part.
    fn click(&mut self, shared: &mut Shared, column: u16, row: u16) -> Vec<Effect> {
        let _ = (shared, column, row);
        Vec::new()
    }

    /// In a few letters, where there is room for nothing else: what it hides by choice.
    fn chosen(&self) -> String {
        String::new()
    }

    /// What it has to say on the status line: filters that are on, where it stands.
    fn status(&self, shared: &Shared) -> String {
        let _ = shared;
        String::new()
    }

    /// What is to be remembered until the next time.
    fn remember(&self) -> Map<String, Value> {
        Map::new()
    }

    /// What was remembered. What does not fit any more is passed over.
    fn recall(&mut self, remembered: &Map<String, Value>) {
        let _ = remembered;
    }
}
