//! What a command has outside the state: the only way out of the dashboard.

use crate::base::ContainerId;
use crate::event::request::Request;
use crate::plan::Instance;

/// Something to do outside, or in another part of the dashboard.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit(Quit),
    /// Ask whoever drives the project.
    Request(Request),
    /// Hand the terminal to a shell in a container.
    Shell {
        /// For people.
        instance: Instance,
        /// The container.
        container: ContainerId,
    },
    /// Put a text into the clipboard.
    Copy(String),
    /// Open a URL in a browser.
    Browse(String),
    /// Write a text into a new file whose name begins so.
    Save {
        /// `logs-app`
        name: String,
        /// Its extension: `log`.
        extension: &'static str,
        /// What is written.
        text: String,
    },
    /// Stop the process until the shell continues it.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Show another screen, by its name, and there what is meant.
    Show(&'static str, Focus),
    /// Ask for a line of text; the screen that asked gets it.
    Ask(Prompt),
    /// Ask whether something is meant, then do it.
    Confirm(Box<Confirm>),
    /// Say something on the status line.
    Notice(String),
    /// Say something that went wrong on the status line.
    Trouble(String),
}

/// How the dashboard is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quit {
    /// What runs goes on running.
    Leave,
    /// The stack is stopped first (an `up` in the foreground).
    Stop,
    /// As Ctrl-C.
    Interrupt,
}

/// What is to be shown on a screen that is switched to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// An instance.
    pub instance: Option<Instance>,
    /// A time, nanoseconds since 1970 on the engine's clock.
    pub time: Option<i64>,
}

/// A line of text that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What is asked; the screen tells by it what the answer is for.
    pub id: &'static str,
    /// Shown before the text: `filter: `.
    pub label: String,
    /// The text to begin with.
    pub text: String,
    /// Whether the screen hears of each change while it is typed.
    pub live: bool,
}

/// Something that has to be meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// What is asked: `stop app and nginx?`
    pub question: String,
    /// The command line that does the same.
    pub command: String,
    /// What is done on yes.
    pub effect: Effect,
}
