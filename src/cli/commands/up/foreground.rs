//! `up` in the foreground of a terminal: the dashboard from the first step on, and for as long as somebody
//! looks at it.

use std::pin::pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::model::Project;
use crate::view::progress::Final;
use crate::view::summary;
use crate::view::tui::Leave;
use crate::view::tui::effect::Quit;

use super::super::super::context::Context;
use super::super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::super::output;
use super::super::super::session::{Session, begin_show};
use super::super::super::settings::{DashboardSettings, UpSettings};
use super::super::attach;
use super::super::dashboard::{Dashboard, remember};
use super::{End, conclude, drive, failed, open, report};

/// Brings the stack up within a dashboard, and leaves it as whoever looks at it wants.
///
/// # Errors
/// As `up`'s own.
pub async fn run(context: &Context, project: &Arc<Project>, settings: &UpSettings) -> Outcome {
    let own = DashboardSettings::resolve(Default::default(), &context.env);
    let looks = remember::settings(&own)?;
    let hub = context.hub();
    // Once for the dashboard, and once for the lines that stay in the terminal when it is left.
    let (events, lines) = (hub.subscribe(), hub.subscribe());
    let dashboard = Dashboard {
        context,
        name: project.name.clone(),
        has_files: true,
        project: Some(project.clone()),
        engine: context.engine().await?,
        looks,
        settings: &own,
        foreground: true,
    };
    let nothing_to_see = CancellationToken::new();
    let mut work = pin!(async {
        let worked = bring_up(context, project, settings, hub.clone()).await;
        if !matches!(
            &worked,
            Ok((_, End::Good { .. } | End::Failed(_) | End::SmokeFailed { .. }))
        ) {
            nothing_to_see.cancel();
        }
        worked
    });
    let (left, worked) = dashboard
        .show(Some(events), nothing_to_see.clone(), work.as_mut())
        .await?;
    if left == Leave::Asked(Quit::Interrupt) || (left == Leave::Asked(Quit::Stop) && worked.is_none()) {
        // In raw mode the terminal does not do it. A run under way then ends in good order.
        interrupt();
    }
    let shown = begin_show(context, lines, Final::Nothing);
    let worked = match worked {
        Some(worked) => worked,
        None => work.await,
    };
    let (mut session, end) = worked?;
    session.shown_by(shown);
    let hub = session.site.hub.clone();
    let outcome = leave(context, session, project, settings, end, left).await;
    report(context, project, settings, &hub.snapshot())?;
    outcome
}

async fn bring_up(
    context: &Context,
    project: &Arc<Project>,
    settings: &UpSettings,
    hub: crate::event::Hub,
) -> Result<(Session, End), ExpectedError> {
    let mut session = open(context, project, settings, Some(hub)).await?;
    let end = drive(context, &session, project, settings).await?;
    match &end {
        End::Good { changed: true, .. } => session.finished(0, "up".into()),
        End::Good { changed: false, .. } => session.finished(0, "up; nothing to do".into()),
        other => failed(&mut session, other),
    }
    // What is asked for in the dashboard takes the project for itself.
    session.unlock();
    Ok((session, end))
}

/// The end of a run whose dashboard was left.
async fn leave(
    context: &Context,
    mut session: Session,
    project: &Arc<Project>,
    settings: &UpSettings,
    end: End,
    left: Leave,
) -> Outcome {
    let End::Good { observed, wants, .. } = &end else {
        return conclude(context, session, project, settings, end).await;
    };
    session.hush().await;
    let exit = match left {
        Leave::Asked(Quit::Leave) => {
            let snapshot = session.site.hub.snapshot();
            let facts = summary::UpFacts {
                snapshot: &snapshot,
                project,
                containers: &observed.containers,
            };
            session.summarise(context, |columns, style| summary::up(&facts, columns, style));
            return Ok(Exit::AsWanted);
        }
        Leave::Asked(Quit::Stop) => Exit::AsWanted,
        Leave::Asked(Quit::Interrupt) | Leave::Stopped | Leave::TerminalGone => {
            Exit::Interrupted(context.signals.stopped().await)
        }
    };
    output::talk(attach::STOPPING);
    attach::stop(&session.site, wants, settings).await?;
    Ok(exit)
}

/// What Ctrl-C does outside raw mode.
fn interrupt() {
    let own = rustix::process::getpid();
    // A process may always signal itself.
    let _ = rustix::process::kill_process(own, rustix::process::Signal::INT);
}
