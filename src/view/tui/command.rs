//! Commands: what a key, a click or the palette means. Help, palette and key table are made from
//! the same specifications.

use super::screens;

/// A command by its name: `restart`, `logs.follow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub &'static str);

/// A command: its name, its keys and its meaning.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name, as the settings file calls it.
    pub id: CommandId,
    /// Its keys where the settings file says nothing (see [`super::keymap::Key`] for how they are written).
    pub keys: &'static [&'static str],
    /// What it does, for help and palette.
    pub help: &'static str,
    /// One word for the line of hints; empty where it does not stand there.
    pub hint: &'static str,
    /// Whether it changes the project; `--read-only` refuses it.
    pub changes: bool,
}

impl Spec {
    /// A command that changes nothing outside.
    pub const fn new(id: CommandId, keys: &'static [&'static str], help: &'static str) -> Self {
        Self {
            id,
            keys,
            help,
            hint: "",
            changes: false,
        }
    }

    /// As this one, named in the line of hints.
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// As this one, changing the project.
    pub const fn changing(mut self) -> Self {
        self.changes = true;
        self
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: CommandId = CommandId($text);)*
    };
}

ids! {
    /// Leave the dashboard.
    QUIT = "quit";
    /// Leave at once, as Ctrl-C.
    INTERRUPT = "interrupt";
    /// Stop the process until the shell continues it.
    SUSPEND = "suspend";
    /// Draw everything anew.
    REDRAW = "redraw";
    /// Show all keys.
    HELP = "help";
    /// Find a command by its name.
    PALETTE = "palette";
    /// Next colour theme.
    THEME = "theme";
    /// Back: close what is open, clear marks and filters.
    BACK = "back";
    /// The screen that was shown before.
    LAST_SCREEN = "last-screen";
    /// The next screen.
    NEXT_SCREEN = "next-screen";
    /// The screen before.
    PREVIOUS_SCREEN = "previous-screen";
    /// The next pane of a screen.
    NEXT_PANE = "next-pane";
    /// One up.
    UP = "up";
    /// One down.
    DOWN = "down";
    /// To the left.
    LEFT = "left";
    /// To the right.
    RIGHT = "right";
    /// A page up.
    PAGE_UP = "page-up";
    /// A page down.
    PAGE_DOWN = "page-down";
    /// To the beginning.
    TOP = "top";
    /// To the end.
    BOTTOM = "bottom";
    /// Open what is selected.
    OPEN = "open";
    /// Mark or unmark.
    MARK = "mark";
    /// Mark or unmark all.
    MARK_ALL = "mark-all";
    /// Show only what contains a text.
    FILTER = "filter";
    /// Start containers.
    START = "start";
    /// Stop containers.
    STOP = "stop";
    /// Restart containers.
    RESTART = "restart";
    /// Replace containers.
    RECREATE = "recreate";
    /// Build images and replace containers.
    REBUILD = "rebuild";
    /// Change how many containers a service has.
    SCALE = "scale";
    /// Do what the plan says.
    APPLY = "apply";
    /// Open a shell in a container.
    SHELL = "shell";
    /// Open a service's URL in a browser.
    BROWSE = "browse";
    /// Copy what is selected.
    COPY = "copy";
    /// Run all smoke tests.
    SMOKE = "smoke";
    /// Try the probes of what is selected now.
    PROBE = "probe";
    /// The logs of what is selected.
    LOGS_OF = "logs-of";
    /// The log of commands that were asked for here.
    HISTORY = "history";
}

/// Commands of every screen.
pub const GLOBAL: &[Spec] = &[
    Spec::new(HELP, &["?", "f1"], "show all keys").hint("help"),
    Spec::new(PALETTE, &[":"], "find a command by its name").hint("commands"),
    Spec::new(QUIT, &["q"], "leave the dashboard").hint("quit"),
    Spec::new(INTERRUPT, &["ctrl-c"], "leave the dashboard at once"),
    Spec::new(
        SUSPEND,
        &["ctrl-z"],
        "stop this process until the shell continues it",
    ),
    Spec::new(REDRAW, &["ctrl-l"], "draw everything anew"),
    Spec::new(THEME, &["ctrl-t"], "next colour theme"),
    Spec::new(HISTORY, &["H"], "what was asked for here, as command lines"),
    Spec::new(BACK, &["esc"], "close what is open; clear filter and marks"),
    Spec::new(LAST_SCREEN, &["`"], "the screen that was shown before"),
    Spec::new(NEXT_SCREEN, &["]"], "the next screen"),
    Spec::new(PREVIOUS_SCREEN, &["["], "the screen before"),
    Spec::new(NEXT_PANE, &["tab"], "the next pane"),
    Spec::new(UP, &["up", "k"], "one up"),
    Spec::new(DOWN, &["down", "j"], "one down"),
    Spec::new(LEFT, &["left", "h"], "to the left"),
    Spec::new(RIGHT, &["right"], "to the right"),
    Spec::new(PAGE_UP, &["pageup", "ctrl-b"], "a page up"),
    Spec::new(PAGE_DOWN, &["pagedown", "ctrl-f"], "a page down"),
    Spec::new(TOP, &["home", "g"], "to the beginning"),
    Spec::new(BOTTOM, &["end", "G"], "to the end"),
    Spec::new(OPEN, &["enter"], "open what is selected"),
    Spec::new(MARK, &["space"], "mark or unmark, to act on several"),
    Spec::new(MARK_ALL, &["*"], "mark or unmark all"),
    Spec::new(FILTER, &["/"], "show only what contains a text").hint("filter"),
    Spec::new(LOGS_OF, &["l"], "the logs of what is selected").hint("logs"),
    Spec::new(START, &["S"], "start the selected containers").changing(),
    Spec::new(STOP, &["s"], "stop the selected containers")
        .changing()
        .hint("stop"),
    Spec::new(RESTART, &["r"], "restart the selected containers")
        .changing()
        .hint("restart"),
    Spec::new(
        RECREATE,
        &["R"],
        "replace the containers of the selected services",
    )
    .changing(),
    Spec::new(
        REBUILD,
        &["B"],
        "build the images of the selected services and replace their containers",
    )
    .changing(),
    Spec::new(
        SCALE,
        &["+"],
        "change how many containers the selected service has",
    )
    .changing(),
    Spec::new(APPLY, &["A"], "do what the plan says (`up`)").changing(),
    Spec::new(SHELL, &["e"], "open a shell in the selected container")
        .changing()
        .hint("shell"),
    Spec::new(BROWSE, &["o"], "open the selected service's URL in a browser").hint("open"),
    Spec::new(COPY, &["c", "y"], "copy what is selected"),
    Spec::new(SMOKE, &["t"], "run the smoke tests").hint("smoke"),
    Spec::new(PROBE, &["P"], "try the probes of the selected containers now"),
];

/// The specifications of all commands: those of every screen, then each screen's own.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    GLOBAL
        .iter()
        .chain(screens::REGISTRY.iter().flat_map(|entry| entry.commands.iter()))
}

/// A command's specification.
pub fn spec(id: CommandId) -> Option<&'static Spec> {
    all().find(|spec| spec.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::keymap::Key;
    use super::*;

    #[test]
    fn names_are_unique_and_keys_do_not_collide() {
        let mut names = BTreeMap::new();
        for spec in all() {
            assert!(
                names.insert(spec.id, ()).is_none(),
                "{} is there twice",
                spec.id.0
            );
            for key in spec.keys {
                assert!(Key::parse(key).is_ok(), "{key} of {} is no key", spec.id.0);
            }
        }
        let mut global = BTreeMap::new();
        for key in GLOBAL.iter().flat_map(|s| s.keys.iter().map(move |k| (*k, s.id))) {
            assert!(global.insert(key.0, key.1).is_none(), "{} is taken twice", key.0);
        }
        for entry in screens::REGISTRY {
            let mut own = BTreeMap::new();
            for (key, id) in entry
                .commands
                .iter()
                .flat_map(|s| s.keys.iter().map(move |k| (*k, s.id)))
            {
                assert!(
                    own.insert(key, id).is_none(),
                    "{key} is taken twice in {}",
                    entry.name
                );
                assert!(
                    !global.contains_key(key),
                    "{key} of {} is taken by {:?}",
                    id.0,
                    global[key]
                );
                assert!(!key.chars().all(|c| c.is_ascii_digit()), "digits choose screens");
            }
        }
    }
}
