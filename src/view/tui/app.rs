//! The state of the dashboard, and what changes it: `update(state, message) → effects`.

use ratatui::layout::Rect;
use serde_json::{Map, Value};

use super::command::{self, CommandId};
use super::draw;
use super::effect::{Effect, Focus, Prompt, Quit};
use super::keymap::{Key, Keymap};
use super::overlay::{Answer, Overlay};
use super::screens::{REGISTRY, Screen};
use super::shared::Shared;
use super::theme::{Palette, Role};
use crate::base::Moment;
use crate::event::live::Fact;
use crate::event::request::{Needs, Request};
use crate::event::{Body, Verdict};
use crate::model::ContainerState;
use crate::plan::Instance;

/// How long something said stays on the status line.
const NOTICE: Moment = Moment::from_secs(6);

/// Something that happened to the dashboard.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The left button was pressed at a column and row.
    Click(u16, u16),
    /// The wheel was turned: down, or up.
    Wheel(bool),
    /// The terminal has another size.
    Resize(u16, u16),
    /// Something was learned.
    Fact(Box<Fact>),
    /// Time passed.
    Tick,
    /// Something to be said on the status line: an effect's outcome.
    Notice(Result<String, String>),
}

/// The state of the dashboard.
pub struct App {
    /// What all screens share.
    pub shared: Shared,
    pub(super) screens: Vec<Box<dyn Screen>>,
    pub(super) at: usize,
    last: usize,
    pub(super) overlay: Option<Overlay>,
    pub(super) notice: Option<(Moment, Role, String)>,
    pub(super) keymap: Keymap,
    pub(super) area: Rect,
    /// Whether facts were taken in since the shown screen was brought up to date.
    unsettled: bool,
}

/// How a run in this process ended, where a fact tells that.
fn verdict_of(fact: &Fact) -> Option<Verdict> {
    let Fact::Run(event) = fact else { return None };
    match &event.body {
        Body::Finished(verdict) => Some(verdict.clone()),
        _ => None,
    }
}

impl App {
    /// The first screen, nothing open.
    pub fn new(shared: Shared) -> Self {
        let keymap = Keymap::new(&shared.settings.keys);
        Self {
            shared,
            screens: REGISTRY.iter().map(|entry| (entry.make)()).collect(),
            at: 0,
            last: 0,
            overlay: None,
            notice: None,
            keymap,
            area: Rect::new(0, 0, 80, 24),
            unsettled: false,
        }
    }

    /// The name of the screen that is shown.
    pub fn screen(&self) -> &'static str {
        REGISTRY.get(self.at).map_or("", |entry| entry.name)
    }

    /// What has to be told while it looks as it does now.
    pub fn needs(&self) -> Needs {
        let mut needs = self
            .screens
            .get(self.at)
            .map(|screen| screen.needs(&self.shared))
            .unwrap_or_default();
        // The header tells how many alerts fire.
        needs.alerts = true;
        needs
    }

    /// Takes something in and returns what it has outside.
    pub fn update(&mut self, at: Moment, wall: i64, message: Message) -> Vec<Effect> {
        let message = match message {
            Message::Fact(fact) => {
                let ended = verdict_of(&fact);
                // Facts come in floods; what follows from them is worked out once for many.
                self.shared.live.apply(at, wall, *fact);
                if let Some(verdict) = ended {
                    self.say(if verdict.code == 0 {
                        Ok(verdict.text)
                    } else {
                        Err(verdict.text)
                    });
                }
                self.unsettled = true;
                return Vec::new();
            }
            other => other,
        };
        self.settle_facts();
        let effects = match message {
            // Taken in above.
            Message::Fact(_) => Vec::new(),
            Message::Tick => {
                self.shared.live.tick(at, wall);
                if self
                    .notice
                    .as_ref()
                    .is_some_and(|(since, ..)| at.saturating_sub(*since) > NOTICE)
                {
                    self.notice = None;
                }
                Vec::new()
            }
            Message::Key(key) => {
                self.shared.live.tick(at, wall);
                self.key(key)
            }
            Message::Paste(text) => match &mut self.overlay {
                Some(overlay) => {
                    let answer = overlay.paste(&text);
                    self.answer(answer)
                }
                None => Vec::new(),
            },
            Message::Click(column, row) => self.click(column, row),
            Message::Wheel(down) => {
                let id = if down { command::DOWN } else { command::UP };
                if self.overlay.is_none() {
                    self.command(id)
                } else {
                    Vec::new()
                }
            }
            Message::Resize(width, height) => {
                self.area = Rect::new(0, 0, width, height);
                Vec::new()
            }
            Message::Notice(said) => {
                self.say(said);
                Vec::new()
            }
        };
        let outside = self.inside(effects);
        self.settle();
        outside
    }

    /// Brings what is shown up to date with the facts that were taken in; before it is drawn.
    pub fn settle_facts(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            self.settle();
        }
    }

    /// Brings the shown screen and the layout up to date with the state.
    fn settle(&mut self) {
        let body = draw::body(self);
        let screen = REGISTRY.get(self.at).map_or("", |entry| entry.name);
        if let Some(shown) = self.screens.get_mut(self.at) {
            shown.refresh(&mut self.shared);
            shown.resize(&self.shared, body);
        }
        if let Some(overlay) = &mut self.overlay {
            overlay.resize(self.area, screen, &self.keymap, &self.shared);
        }
        if self.shared.selected.is_none() {
            self.shared.selected = self.shared.live.rows().into_iter().next().map(|row| row.instance);
        }
    }

    fn say(&mut self, said: Result<String, String>) {
        let (role, text) = match said {
            Ok(text) => (Role::Good, text),
            Err(text) => (Role::Bad, text),
        };
        self.notice = Some((self.shared.live.at, role, text));
    }

    /// Does what is to be done within the dashboard and returns the rest.
    fn inside(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut outside = Vec::new();
        for effect in effects {
            match effect {
                Effect::Notice(text) => self.say(Ok(text)),
                Effect::Trouble(text) => self.say(Err(text)),
                Effect::Show(name, focus) => self.show(name, &focus),
                Effect::Ask(prompt) => self.overlay = Some(Overlay::prompt(prompt)),
                Effect::Confirm(confirm) => self.overlay = Some(Overlay::Confirm(*confirm)),
                Effect::Request(request) if self.shared.read_only && !request.is_read_only() => {
                    self.say(Err("read-only: nothing is changed here".into()));
                }
                other => outside.push(other),
            }
        }
        outside
    }

    fn show(&mut self, name: &str, focus: &Focus) {
        let Some(at) = REGISTRY.iter().position(|entry| entry.name == name) else {
            return;
        };
        self.switch(at);
        if let Some(screen) = self.screens.get_mut(self.at) {
            screen.focus(&mut self.shared, focus);
        }
    }

    fn switch(&mut self, at: usize) {
        if at < self.screens.len() && at != self.at {
            self.last = self.at;
            self.at = at;
        }
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        let screen = self.screen();
        if let Some(overlay) = &mut self.overlay {
            let answer = overlay.key(key, screen, &self.keymap, &self.shared);
            return self.answer(answer);
        }
        self.notice = None;
        if let Some(digit) = key.digit() {
            if (1..=self.screens.len()).contains(&digit) {
                self.switch(digit - 1);
            }
            return Vec::new();
        }
        match self.keymap.command(screen, key) {
            Some(id) => self.command(id),
            None => {
                self.say(Err(format!("{key} means nothing here; ? shows all keys")));
                Vec::new()
            }
        }
    }

    fn answer(&mut self, answer: Answer) -> Vec<Effect> {
        if !matches!(answer, Answer::Stay | Answer::Typed(..)) {
            self.overlay = None;
        }
        match answer {
            Answer::Stay | Answer::Close => Vec::new(),
            Answer::Command(id) => self.command(id),
            Answer::Yes(confirm) => vec![confirm.effect],
            Answer::Quit(quit) => vec![Effect::Quit(quit)],
            Answer::Typed(prompt, text) => self.answered(&prompt, Some(&text), false),
            Answer::Done(prompt, text) => self.answered(&prompt, text.as_deref(), true),
        }
    }

    fn answered(&mut self, prompt: &Prompt, text: Option<&str>, done: bool) -> Vec<Effect> {
        if prompt.id == SCALE_PROMPT {
            return if done { self.scale(text) } else { Vec::new() };
        }
        match self.screens.get_mut(self.at) {
            Some(screen) => screen.answered(&mut self.shared, prompt.id, text, done),
            None => Vec::new(),
        }
    }

    fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        if self.overlay.is_some() {
            return Vec::new();
        }
        if let Some(at) = draw::tab_at(self, column, row) {
            self.switch(at);
            return Vec::new();
        }
        let body = draw::body(self);
        if !body.contains((column, row).into()) {
            return Vec::new();
        }
        match self.screens.get_mut(self.at) {
            Some(screen) => screen.click(&mut self.shared, column - body.x, row - body.y),
            None => Vec::new(),
        }
    }

    /// Carries a command out: the screen's way, else what it does everywhere.
    pub fn command(&mut self, id: CommandId) -> Vec<Effect> {
        let changes = command::spec(id).is_some_and(|spec| spec.changes);
        if changes && self.shared.read_only {
            return vec![Effect::Trouble("read-only: nothing is changed here".into())];
        }
        if let Some(screen) = self.screens.get_mut(self.at)
            && let Some(effects) = screen.command(&mut self.shared, id)
        {
            return effects;
        }
        let len = self.screens.len();
        match id {
            command::HELP => self.overlay = Some(Overlay::Help(Default::default())),
            command::PALETTE => self.overlay = Some(Overlay::palette()),
            command::HISTORY => self.overlay = Some(Overlay::History(Default::default())),
            command::QUIT if self.shared.foreground => self.overlay = Some(Overlay::Leave),
            command::QUIT => return vec![Effect::Quit(Quit::Leave)],
            command::INTERRUPT => return vec![Effect::Quit(Quit::Interrupt)],
            command::SUSPEND => return vec![Effect::Suspend],
            command::REDRAW => return vec![Effect::Redraw],
            command::THEME => {
                let palette = self.shared.theme.palette().next();
                self.shared.theme = self.shared.theme.with_palette(palette);
                return vec![Effect::Notice(format!("theme: {}", palette.name()))];
            }
            command::LAST_SCREEN => self.switch(self.last),
            command::NEXT_SCREEN => self.switch((self.at + 1) % len),
            command::PREVIOUS_SCREEN => self.switch((self.at + len - 1) % len),
            command::BACK => self.shared.marked.clear(),
            _ => return self.act(id),
        }
        Vec::new()
    }

    /// Commands on what is selected or marked.
    fn act(&mut self, id: CommandId) -> Vec<Effect> {
        let shared = &self.shared;
        let targets = shared.targets();
        let services = shared.target_services();
        let nothing = || vec![Effect::Trouble("nothing is selected".into())];
        let with = |request: Request, verb: &str| {
            let question = format!("{verb} {}?", named(&targets));
            vec![shared.request(request, question)]
        };
        match id {
            command::APPLY => vec![shared.request(Request::Apply, "do what the plan says?".into())],
            command::SMOKE => vec![Effect::Request(Request::Smoke(Vec::new()))],
            command::START
            | command::STOP
            | command::RESTART
            | command::RECREATE
            | command::REBUILD
            | command::SCALE
            | command::SHELL
            | command::BROWSE
            | command::COPY
            | command::PROBE
            | command::LOGS_OF
            | command::MARK
                if targets.is_empty() =>
            {
                nothing()
            }
            command::START => with(Request::Start(targets.clone()), "start"),
            command::STOP => with(Request::Stop(targets.clone()), "stop"),
            command::RESTART => with(Request::Restart(targets.clone()), "restart"),
            command::RECREATE => with(Request::Recreate(services), "replace the containers of"),
            command::REBUILD => with(Request::Rebuild(services), "build and replace"),
            command::PROBE => vec![Effect::Request(Request::Probe(targets))],
            command::LOGS_OF => {
                let focus = Focus {
                    instance: shared.selected.clone(),
                    time: None,
                };
                vec![Effect::Show("logs", focus)]
            }
            command::SCALE => {
                let Some(service) = services.first() else {
                    return nothing();
                };
                let now = shared.live.rows();
                let now = now
                    .iter()
                    .filter(|r| r.instance.service == *service && r.container.is_some());
                vec![Effect::Ask(Prompt {
                    id: SCALE_PROMPT,
                    label: format!("containers of {service}: "),
                    text: now.count().to_string(),
                    live: false,
                })]
            }
            command::SHELL => self.shell(),
            command::BROWSE => self.browse(),
            command::COPY => {
                let names = targets.iter().filter_map(|i| shared.live.container_of(i));
                let text: Vec<&str> = names.map(|c| c.name.as_str()).collect();
                vec![Effect::Copy(text.join(" "))]
            }
            command::MARK | command::MARK_ALL => {
                self.mark(id);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn mark(&mut self, id: CommandId) {
        let shared = &mut self.shared;
        if id == command::MARK_ALL {
            if shared.marked.is_empty() {
                shared.marked = shared.live.rows().into_iter().map(|row| row.instance).collect();
            } else {
                shared.marked.clear();
            }
        } else if let Some(instance) = &shared.selected
            && !shared.marked.remove(instance)
        {
            shared.marked.insert(instance.clone());
        }
    }

    fn scale(&self, text: Option<&str>) -> Vec<Effect> {
        let Some(text) = text else { return Vec::new() };
        let (Ok(number @ 0..=100), Some(service)) = (
            text.trim().parse::<u32>(),
            self.shared.target_services().into_iter().next(),
        ) else {
            return vec![Effect::Trouble(format!(
                "`{text}` is no number of containers: 0 to 100"
            ))];
        };
        let question = format!("run {number} containers of {service}?");
        vec![self.shared.request(Request::Scale(service, number), question)]
    }

    fn shell(&self) -> Vec<Effect> {
        let Some(instance) = self.shared.selected.clone() else {
            return Vec::new();
        };
        match self.shared.live.container_of(&instance) {
            Some(container) if container.state == ContainerState::Running => vec![Effect::Shell {
                container: container.id.clone(),
                instance,
            }],
            _ => vec![Effect::Trouble(format!("{instance} does not run"))],
        }
    }

    fn browse(&self) -> Vec<Effect> {
        let Some(instance) = &self.shared.selected else {
            return Vec::new();
        };
        match self.shared.url_of(instance) {
            Some(url) => vec![Effect::Browse(url)],
            None => vec![Effect::Trouble(format!(
                "{instance} publishes no port and has no link"
            ))],
        }
    }

    /// What is to be remembered until the next time.
    pub fn remember(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.insert("theme".into(), self.shared.theme.palette().name().into());
        all.insert("screen".into(), self.screen().into());
        for (entry, screen) in REGISTRY.iter().zip(&self.screens) {
            let own = screen.remember();
            if !own.is_empty() {
                all.insert(entry.name.into(), Value::Object(own));
            }
        }
        all
    }

    /// What was remembered.
    pub fn recall(&mut self, remembered: &Map<String, Value>) {
        let text = |key: &str| remembered.get(key).and_then(Value::as_str).unwrap_or_default();
        let palette = Palette::ALL.iter().find(|(name, _)| *name == text("theme"));
        // Where colours are off, they stay off.
        if let (None, Some((_, palette))) = (self.shared.settings.palette, palette)
            && self.shared.theme.palette() != Palette::Plain
        {
            self.shared.theme = self.shared.theme.with_palette(*palette);
        }
        for (entry, screen) in REGISTRY.iter().zip(&mut self.screens) {
            if let Some(own) = remembered.get(entry.name).and_then(Value::as_object) {
                screen.recall(own);
            }
        }
        if let Some(at) = REGISTRY.iter().position(|entry| entry.name == text("screen")) {
            self.switch(at);
        }
    }
}

const SCALE_PROMPT: &str = "app.scale";

/// `app`, `app and nginx`, `app, nginx and 3 more`.
fn named(instances: &[Instance]) -> String {
    let names: Vec<String> = instances.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => "nothing".into(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
