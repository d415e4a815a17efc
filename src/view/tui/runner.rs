//! The loop: input and facts in, effects out, a frame when something changed.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::app::{App, Message};
use super::draw::draw;
use super::effect::{Effect, Quit};
use super::keymap::Key;
use super::terminal::{Screen, clipboard, is_lost};
use crate::base::{Clock, ContainerId};
use crate::event::live::Fact;
use crate::event::request::{Needs, Request};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(100);
/// Readings come all the time, each at its own moment: so long, they are collected for one frame.
const COLLECT: Duration = Duration::from_millis(500);
/// Ages go on without anything happening.
const TICK: Duration = Duration::from_secs(1);
/// How many facts are taken in before input is looked at again.
const BATCH: usize = 64;

/// Does what the dashboard asks for.
#[async_trait]
pub trait Handler: Send {
    /// Takes a request on; what comes of it arrives as facts.
    fn request(&mut self, request: Request);
    /// Opens a shell in a container, on the terminal that was given back; ends with it.
    async fn shell(&mut self, container: &ContainerId) -> Result<(), String>;
    /// Opens a URL in a browser. Says what was done.
    fn browse(&mut self, url: &str) -> Result<String, String>;
    /// Writes a text into a new file. Says which.
    fn save(&mut self, name: &str, extension: &str, text: &str) -> Result<String, String>;
    /// Stops the process until it is continued; the terminal is given back.
    fn suspend(&mut self);
}

/// What the loop runs with.
pub struct Runner<'h> {
    /// What is learned.
    pub facts: mpsc::Receiver<Fact>,
    /// What is to be told.
    pub needs: watch::Sender<Needs>,
    /// Does what is asked for.
    pub handler: &'h mut dyn Handler,
    /// Moments.
    pub clock: Arc<dyn Clock>,
    /// Nanoseconds since 1970.
    pub wall: fn() -> i64,
    /// Ends the loop from outside: a signal.
    pub stop: tokio_util::sync::CancellationToken,
}

/// How the dashboard was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// By somebody at the keyboard.
    Asked(Quit),
    /// By a signal.
    Stopped,
    /// The terminal is gone.
    TerminalGone,
}

/// Runs the dashboard until it is left. The terminal is taken over and given back.
///
/// # Errors
/// The terminal's.
pub async fn run(app: &mut App, mut runner: Runner<'_>) -> io::Result<Leave> {
    let screen = Screen::enter(app.shared.settings.mouse)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    anew(&mut terminal)?;
    let size = terminal.size()?;
    let mut input = EventStream::new();
    let mut effects = Vec::new();
    let mut due = Some(Instant::now());
    let mut resized = false;
    let mut drawn = Instant::now() - FRAME;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let update = |app: &mut App, message, clock: &dyn Clock, wall: fn() -> i64| {
        app.update(clock.now(), wall(), message)
    };
    effects.extend(update(
        app,
        Message::Resize(size.width, size.height),
        &*runner.clock,
        runner.wall,
    ));
    let mut facts_end = false;
    loop {
        let message = tokio::select! {
            biased;
            () = runner.stop.cancelled() => return Ok(Leave::Stopped),
            event = input.next() => match event {
                None | Some(Err(_)) => return Ok(Leave::TerminalGone),
                Some(Ok(event)) => {
                    // Also where the size is the old one again: the terminal moved what it showed.
                    resized |= matches!(event, Event::Resize(..));
                    let message = message_of(event);
                    if message.is_some() {
                        earlier(&mut due, drawn + FRAME);
                    }
                    message
                }
            },
            () = sleep_until(due.unwrap_or(drawn)), if due.is_some() => {
                app.settle_facts();
                if std::mem::take(&mut resized) {
                    anew(&mut terminal)?;
                }
                if let Some(needs) = changed(&runner.needs, app) {
                    // Nobody listens any more only where the dashboard is about to end.
                    let _ = runner.needs.send(needs);
                }
                frame(app, &mut terminal)?;
                drawn = Instant::now();
                due = None;
                continue;
            }
            fact = runner.facts.recv(), if !facts_end => match fact {
                None => {
                    facts_end = true;
                    None
                }
                Some(fact) => {
                    let mut is_news = !fact.is_reading();
                    effects.extend(update(app, Message::Fact(Box::new(fact)), &*runner.clock, runner.wall));
                    // More of them at once: each costs less than a turn of the loop.
                    let mut more = 0;
                    while more < BATCH && let Ok(fact) = runner.facts.try_recv() {
                        is_news |= !fact.is_reading();
                        effects.extend(update(app, Message::Fact(Box::new(fact)), &*runner.clock, runner.wall));
                        more += 1;
                    }
                    earlier(&mut due, drawn + if is_news { FRAME } else { COLLECT });
                    None
                }
            },
            _ = tick.tick() => {
                earlier(&mut due, drawn + COLLECT);
                if is_lost() {
                    anew(&mut terminal)?;
                }
                Some(Message::Tick)
            }
        };
        if let Some(message) = message {
            #[cfg(debug_assertions)]
            if let Message::Key(key) = message
                && key.is("f17")
            {
                panic!("a panic on purpose, to try that the terminal is given back");
            }
            effects.extend(update(app, message, &*runner.clock, runner.wall));
        }
        for effect in std::mem::take(&mut effects) {
            let said = match effect {
                Effect::Quit(quit) => return Ok(Leave::Asked(quit)),
                Effect::Request(request) => {
                    runner.handler.request(request);
                    None
                }
                Effect::Copy(text) => {
                    let mut out = io::stdout();
                    out.write_all(clipboard(&text).as_bytes())?;
                    out.flush()?;
                    Some(Ok(format!("copied: {}", first_line(&text))))
                }
                Effect::Browse(url) => Some(runner.handler.browse(&url)),
                Effect::Save {
                    name,
                    extension,
                    text,
                } => Some(runner.handler.save(&name, extension, &text)),
                Effect::Shell { container, instance } => {
                    // Nobody else may read the keyboard meanwhile.
                    drop(input);
                    screen.lend();
                    let ended = runner.handler.shell(&container).await;
                    screen.take()?;
                    input = EventStream::new();
                    anew(&mut terminal)?;
                    Some(ended.map(|()| format!("the shell in {instance} has ended")))
                }
                Effect::Suspend => {
                    screen.lend();
                    runner.handler.suspend();
                    screen.take()?;
                    anew(&mut terminal)?;
                    None
                }
                Effect::Redraw => {
                    anew(&mut terminal)?;
                    None
                }
                // Done inside the application.
                Effect::Show(..)
                | Effect::Ask(_)
                | Effect::Confirm(_)
                | Effect::Notice(_)
                | Effect::Trouble(_) => None,
            };
            earlier(&mut due, drawn + FRAME);
            if let Some(said) = said {
                update(app, Message::Notice(said), &*runner.clock, runner.wall);
            }
            // The terminal may have another size now.
            let size = terminal.size()?;
            update(
                app,
                Message::Resize(size.width, size.height),
                &*runner.clock,
                runner.wall,
            );
        }
    }
}

/// Makes the next frame draw every cell. Unlike `Terminal::clear` it asks the terminal nothing, which not
/// every terminal answers.
fn anew(terminal: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
    let size = terminal.size()?;
    terminal.resize(Rect::new(0, 0, size.width, size.height))
}

/// A frame is due at this moment, or before.
fn earlier(due: &mut Option<Instant>, at: Instant) {
    *due = Some(due.map_or(at, |due| due.min(at)));
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What is needed now, where that is something else than before.
fn changed(before: &watch::Sender<Needs>, app: &App) -> Option<Needs> {
    let needs = app.needs();
    (*before.borrow() != needs).then_some(needs)
}

fn frame(app: &App, terminal: &mut Terminal<CrosstermBackend<io::Stdout>>) -> io::Result<()> {
    terminal.draw(|frame| {
        let cursor = draw(app, frame.buffer_mut());
        if let Some((column, row)) = cursor {
            frame.set_cursor_position(Position::new(column, row));
        }
    })?;
    Ok(())
}

fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Key::of(&key).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(width, height)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Message::Wheel(true)),
            MouseEventKind::ScrollUp => Some(Message::Wheel(false)),
            _ => None,
        },
        _ => None,
    }
}
