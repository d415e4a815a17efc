//! `dashboard`: the living stack on one screen.

pub mod act;
pub mod handler;
pub mod remember;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::base::ProjectName;
use crate::engine::api::SharedEngine;
use crate::event::Subscription;
use crate::event::live::{Fact, Live};
use crate::event::request::Needs;
use crate::model::Project;
use crate::observe;
use crate::probe::{EngineHost, ExecLimit};
use crate::view::tui::effect::Quit;
use crate::view::tui::{self, App, Leave, Settings, Shared, default_settings};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::DashboardSettings;

/// Facts on their way to the screen; more wait where they come from.
const FACTS: usize = 1024;

/// Runs `dashboard`.
///
/// # Errors
/// No terminal, settings that are wrong, neither stack nor name of a project, no engine.
pub async fn run(context: &Context, settings: DashboardSettings) -> Outcome {
    if settings.print_settings {
        output::data(&default_settings())?;
        return Ok(Exit::AsWanted);
    }
    let terminal = context.settings.terminal;
    if !(terminal.stdin && terminal.stdout) {
        return Err(ExpectedError::Usage {
            message: "the dashboard needs a terminal on standard input and output".into(),
            hint: Some("`platform ps`, `platform logs -f` and `platform stats` show the same as text".into()),
        });
    }
    let looks = remember::settings(&settings)?;
    let (name, project) = context.whole_project_or_name()?;
    let engine = context.engine().await?;
    let dashboard = Dashboard {
        context,
        name,
        has_files: project.is_some(),
        project,
        engine,
        looks,
        settings: &settings,
        foreground: false,
    };
    match dashboard
        .show(None, CancellationToken::new(), std::future::pending::<()>())
        .await?
        .0
    {
        Leave::Asked(Quit::Leave | Quit::Stop) => Ok(Exit::AsWanted),
        Leave::Asked(Quit::Interrupt) => Ok(Exit::Interrupted(crate::execute::StopSignal::Interrupt)),
        Leave::Stopped | Leave::TerminalGone => {
            Err(ExpectedError::Interrupted(context.signals.stopped().await))
        }
    }
}

/// A dashboard about to be shown.
pub struct Dashboard<'c> {
    /// The run's context.
    pub context: &'c Context,
    /// The project.
    pub name: ProjectName,
    /// The stack's files, where they are at hand.
    pub project: Option<Arc<Project>>,
    /// Whether they are.
    pub has_files: bool,
    /// The engine.
    pub engine: SharedEngine,
    /// The settings file.
    pub looks: Settings,
    /// What was asked for.
    pub settings: &'c DashboardSettings,
    /// Whether it is that of an `up` in the foreground.
    pub foreground: bool,
}

impl Dashboard<'_> {
    /// Shows it until it is left, while `work` is done beside it; `events` of a run that does that work are
    /// shown too. `leave` leaves it. Says how it was left, and what the work gave where it was done by then.
    ///
    /// # Errors
    /// The terminal's.
    pub async fn show<T>(
        self,
        events: Option<Subscription>,
        leave: CancellationToken,
        work: impl Future<Output = T>,
    ) -> Result<(Leave, Option<T>), ExpectedError> {
        let context = self.context;
        let host = EngineHost::of(&self.engine.info().await?.endpoint);
        let (facts, to_show) = mpsc::channel(FACTS);
        let (needs, needed) = watch::channel(Needs::default());
        let (stack, read) = watch::channel(self.project.clone());
        let observing = observe::start(
            observe::Setting {
                project: self.name.clone(),
                stack: read,
                engine: self.engine.clone(),
                clock: context.clock.clone(),
                wall,
                masker: context.masker.clone(),
                execs: ExecLimit::default(),
            },
            needed.clone(),
            facts.clone(),
        );
        let (requests, asked) = mpsc::unbounded_channel();
        let acting = act::Acting {
            context,
            name: self.name.clone(),
            engine: self.engine.clone(),
            host,
            has_files: self.has_files,
            facts: facts.clone(),
            stack,
            observing,
        };
        let mut handler = handler::Handler {
            context,
            engine: self.engine.clone(),
            requests,
        };
        let mut app = self.app();
        let _stopping = on_signal(context, leave.clone());
        let runner = tui::Runner {
            facts: to_show,
            needs,
            handler: &mut handler,
            clock: context.clock.clone(),
            wall,
            stop: leave,
        };
        let telling = tell(events, facts);
        let mut done = None;
        let left = {
            let shown = tui::run(&mut app, runner);
            let acting = acting.run(asked, needed);
            let working = async { done = Some(work.await) };
            tokio::pin!(shown, acting, working, telling);
            let (mut acts, mut works, mut tells) = (true, true, true);
            loop {
                tokio::select! {
                    biased;
                    left = &mut shown => break left,
                    () = &mut telling, if tells => tells = false,
                    () = &mut acting, if acts => acts = false,
                    () = &mut working, if works => works = false,
                }
            }
        };
        remember::remember(self.settings.remembered.as_deref(), &app.remember());
        Ok((left.map_err(ExpectedError::Setup)?, done))
    }

    fn app(&self) -> App {
        let live = Live::new(self.name.clone(), self.project.clone());
        let theme = remember::theme(self.context, &self.looks);
        let mut shared = Shared::new(live, theme, self.looks.clone());
        shared.read_only = self.settings.read_only;
        shared.foreground = self.foreground;
        shared.zone = jiff::tz::TimeZone::system();
        let mut app = App::new(shared);
        app.recall(&remember::recall(self.settings.remembered.as_deref()));
        app
    }
}

/// Hands a run's events on as facts.
async fn tell(events: Option<Subscription>, facts: mpsc::Sender<Fact>) {
    let Some(mut events) = events else { return };
    while let Some(event) = events.next().await {
        let fact = Fact::Run(Box::new(event));
        if facts.send(fact).await.is_err() {
            return;
        }
    }
}

/// Cancels a token at the first signal, as long as what is returned lives.
fn on_signal(context: &Context, token: CancellationToken) -> tokio_util::task::AbortOnDropHandle<()> {
    let signals = context.signals.clone();
    tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        signals.stopped().await;
        token.cancel();
    }))
}

/// Nanoseconds since 1970.
fn wall() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}
