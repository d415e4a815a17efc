//! Feeds a run's events to the chosen form until the hub is closed.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::output::Output;
use super::tree::{Frame, frame, is_running};
use super::{ComposeWords, Plain, Screen};
use crate::base::Clock;
use crate::event::{Body, Event, Snapshot, Subscription, TestVerdict, wire};
use crate::view::style::{Style, Symbol, Tone};
use crate::view::text::Line;
use crate::view::{failure, summary};

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressMode {
    /// `Tty` on a terminal that can move its cursor, else `Plain`.
    #[default]
    Auto,
    /// A live tree.
    Tty,
    /// A line per change.
    Plain,
    /// A line per change, in docker compose's words.
    Compose,
    /// A JSON object per event.
    Json,
    /// Nothing but failures.
    Quiet,
}

/// What stays of the live tree when the run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Final {
    /// The whole tree.
    #[default]
    Tree,
    /// Nothing, since a summary follows.
    Nothing,
}

/// How a run is shown.
#[derive(Clone)]
pub struct Options {
    /// The form.
    pub mode: ProgressMode,
    /// Whether the writer is a terminal that can move its cursor; decides `Auto`.
    pub capable: bool,
    /// Colours and symbols.
    pub style: Style,
    /// Whether to show every step, probe and output line in the plain form.
    pub verbose: bool,
    /// What stays of the live tree.
    pub last: Final,
    /// The terminal's columns and rows, asked before each draw.
    pub size: Arc<dyn Fn() -> Option<(u16, u16)> + Send + Sync>,
    /// The clock of the hub.
    pub clock: Arc<dyn Clock>,
}

/// Where the size is not known.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// Between two draws.
const FRAME_TIME: Duration = Duration::from_millis(100);

impl Options {
    /// The form that `mode` means here.
    pub fn form(&self) -> ProgressMode {
        match self.mode {
            ProgressMode::Auto if self.capable => ProgressMode::Tty,
            ProgressMode::Auto => ProgressMode::Plain,
            other => other,
        }
    }

    fn columns_and_rows(&self) -> (usize, usize) {
        let (columns, rows) = (self.size)().unwrap_or(DEFAULT_SIZE);
        (usize::from(columns).max(1), usize::from(rows).max(2))
    }
}

/// A run that is being shown.
#[derive(Debug)]
pub struct Show {
    ended: oneshot::Receiver<()>,
}

impl Show {
    /// Waits until all is printed, at most so long (a terminal may be stopped). The hub must have
    /// been closed.
    pub async fn finish(self, at_most: Duration) {
        // Not in time, or its thread died: there is nothing to wait for then.
        let _ = timeout(at_most, self.ended).await;
    }
}

/// Shows a run on a thread of its own. Must be called within a runtime.
pub fn start(subscription: Subscription, mut writer: Box<dyn Write + Send>, options: Options) -> Show {
    let (done, ended) = oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        runtime.block_on(show(subscription, &mut *writer, &options));
        // Nobody waits for it any more.
        let _ = done.send(());
    });
    Show { ended }
}

/// Shows a run until the hub is closed.
pub async fn show(subscription: Subscription, writer: &mut (dyn Write + Send), options: &Options) {
    let out = Output::new(writer);
    match options.form() {
        ProgressMode::Json => json(subscription, out).await,
        ProgressMode::Tty => tty(subscription, out, options).await,
        ProgressMode::Compose => compose(subscription, out, options).await,
        ProgressMode::Quiet => quiet(subscription, out, options).await,
        ProgressMode::Auto | ProgressMode::Plain => plain(subscription, out, options).await,
    }
}

async fn json(mut subscription: Subscription, mut out: Output<'_>) {
    while let Some(event) = subscription.next().await {
        out.put(&format!("{}\n", wire::to_json(&event)));
    }
}

async fn plain(mut subscription: Subscription, mut out: Output<'_>, options: &Options) {
    let mut plain = Plain::new(options.style, options.verbose);
    while let Some(event) = subscription.next().await {
        out.put(&plain.take(&event));
        out.put(&report(&event, None, &options.style));
    }
}

async fn compose(mut subscription: Subscription, mut out: Output<'_>, options: &Options) {
    let mut words = ComposeWords::default();
    while let Some(event) = subscription.next().await {
        out.put(&words.take(&event));
        out.put(&report(&event, None, &options.style));
    }
}

async fn quiet(mut subscription: Subscription, mut out: Output<'_>, options: &Options) {
    let mut plain = Plain::new(options.style, false);
    while let Some(event) = subscription.next().await {
        let lines = plain.take(&event);
        match &event.body {
            Body::TestDone(result) if matches!(result.verdict, TestVerdict::Failed { .. }) => out.put(&lines),
            Body::Finished(verdict) if verdict.code != 0 => out.put(&lines),
            Body::Failure(_) => out.put(&report(&event, None, &options.style)),
            _ => {}
        }
    }
}

/// The failure report, where the event carries one.
fn report(event: &Event, columns: Option<usize>, style: &Style) -> String {
    match &event.body {
        Body::Failure(report) => failure::text(report, columns, style),
        _ => String::new(),
    }
}

/// The live tree with the terminal it is drawn on; gives the terminal back however it ends.
struct Live<'w, 'o> {
    out: Output<'w>,
    screen: Screen,
    snapshot: Snapshot,
    options: &'o Options,
    above: String,
    tick: u64,
}

async fn tty(mut subscription: Subscription, out: Output<'_>, options: &Options) {
    let mut live = Live {
        out,
        screen: Screen::new(),
        snapshot: Snapshot::default(),
        options,
        above: String::new(),
        tick: 0,
    };
    let mut dirty = false;
    let mut clock = interval(FRAME_TIME);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    clock.tick().await;
    loop {
        tokio::select! {
            event = subscription.next() => {
                let Some(event) = event else { break };
                live.take(&event);
                dirty = true;
            }
            _ = clock.tick(), if (dirty || is_running(&live.snapshot)) && !live.out.is_gone() => {
                live.draw();
                dirty = false;
            }
        }
    }
    live.end();
}

impl Live<'_, '_> {
    fn take(&mut self, event: &Event) {
        self.snapshot.apply(event);
        match &event.body {
            Body::Warning { text, hint } => {
                let symbol = self.options.style.symbol(Symbol::Warning);
                self.say(Tone::Warn, &format!("{symbol} {text}"));
                if let Some(hint) = hint {
                    self.say(Tone::Dim, &format!("  {hint}"));
                }
            }
            Body::Info { text } => self.say(Tone::Plain, text),
            Body::EngineBack { after } => {
                let text = format!("the engine is back after {}", super::words::seconds(*after));
                self.say(Tone::Good, &text);
            }
            _ => {}
        }
    }

    /// Puts lines above the tree, where they stay.
    fn say(&mut self, tone: Tone, text: &str) {
        for line in text.lines() {
            let line = Line::new().with(tone, line);
            self.above.push_str(&line.render(usize::MAX, &self.options.style));
            self.above.push('\n');
        }
    }

    fn frame(&self, columns: usize, rows: Option<usize>) -> Vec<Line> {
        let view = Frame {
            now: self.options.clock.now(),
            columns,
            rows,
            tick: self.tick,
            style: self.options.style,
        };
        frame(&self.snapshot, &view)
    }

    fn draw(&mut self) {
        self.tick += 1;
        let (columns, rows) = self.options.columns_and_rows();
        let lines = self.frame(columns, Some(rows));
        let above = std::mem::take(&mut self.above);
        let text = self.screen.draw(&above, &lines, columns, &self.options.style);
        self.out.put(&text);
    }

    fn end(&mut self) {
        let (columns, _) = self.options.columns_and_rows();
        let mut last = std::mem::take(&mut self.above);
        if self.options.last == Final::Tree {
            // Nothing is drawn over this any more, so nothing has to be cut.
            for line in self.frame(columns, None) {
                last.push_str(&line.render(usize::MAX, &self.options.style));
                last.push('\n');
            }
        }
        if let Some(report) = &self.snapshot.failure {
            last.push_str(&failure::text(report, Some(columns), &self.options.style));
        }
        if self.options.last == Final::Tree
            && let Some(line) = summary::verdict(&self.snapshot, &self.options.style)
        {
            last.push_str(&line.render(usize::MAX, &self.options.style));
            last.push('\n');
        }
        let text = self.screen.finish(&last, columns);
        self.out.put(&text);
    }
}

impl Drop for Live<'_, '_> {
    /// After a panic or a cancelled task: the cursor comes back. After [`Live::end`] there is nothing
    /// left to do, and this writes nothing.
    fn drop(&mut self) {
        if self.screen.is_drawn() {
            let text = self.screen.abandon();
            self.out.put(&text);
        }
    }
}
