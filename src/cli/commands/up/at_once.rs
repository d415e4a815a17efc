//! `up` in the foreground as in docker compose: what containers write is shown from the first one's
//! start on, and one that ends may end everything before the rest has come up.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::base::ServiceName;
use crate::engine::EngineEventKind;
use crate::engine::api::SharedEngine;
use crate::execute::stop::{StopLevel, Stopper, stop_pair};
use crate::model::Project;

use super::super::super::context::Context;
use super::super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::super::output;
use super::super::super::session::{self, Session};
use super::super::super::settings::{Abort, Attach, LogsSettings, UpSettings};
use super::super::{attach as foreground, logs};
use super::{End, conclude, drive, open};

/// Said when somebody stops the stack.
const STOPPING: &str = "Gracefully Stopping... press Ctrl+C again to force\n";
/// Said when a container's end ends the stack.
const ABORTING: &str = "Aborting on container exit...\n";

/// Brings the stack up, follows it, and stops it when somebody or a container's end asks for that.
///
/// # Errors
/// As `up`'s own.
pub async fn run(
    context: &Context,
    project: &Arc<Project>,
    settings: &UpSettings,
    attach: &Attach,
) -> Outcome {
    let mut session = open(context, project, settings, None).await?;
    let (stopper, stop) = stop_pair();
    // A container's end stops the run as a signal does.
    session.site.stop = stop;
    let over = CancellationToken::new();
    let shown = foreground::shown(context, project, settings, attach);
    let followed = shown.services.clone();
    output::talk(&attaching(project, &followed));
    let outcome = {
        let mut work = pin!(bring_up(context, &session, project, settings, attach, &stopper));
        let mut signals = pin!(pass_on(context, &stopper));
        let mut follow = pin!(follow(context, project, shown, over.clone()));
        let mut following = true;
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                () = &mut signals => {}
                () = &mut follow, if following => following = false,
            }
        };
        over.cancel();
        if following {
            follow.await;
        }
        outcome
    };
    match outcome? {
        Ended::With(exit) => {
            session.hush().await;
            Ok(exit)
        }
        Ended::Early(end) => conclude(context, session, project, settings, *end).await,
    }
}

/// How the work ended.
enum Ended {
    /// It came up, and ended so.
    With(Exit),
    /// It did not come up.
    Early(Box<End>),
}

async fn bring_up(
    context: &Context,
    session: &Session,
    project: &Arc<Project>,
    settings: &UpSettings,
    attach: &Attach,
    stopper: &Stopper,
) -> Result<Ended, ExpectedError> {
    let site = &session.site;
    let mut first_end = pin!(first_end(&site.engine, project, settings, &attach.abort));
    let mut aborted = None;
    let mut driven = pin!(drive(context, session, project, settings));
    let end = loop {
        tokio::select! {
            biased;
            end = &mut driven => break end?,
            code = &mut first_end, if aborted.is_none() => {
                output::talk(ABORTING);
                aborted = Some(code);
                stopper.raise();
            }
        }
    };
    if !matches!(end, End::Good { .. } | End::Stopped(_)) {
        return Ok(Ended::Early(Box::new(end)));
    }
    let exit = match (aborted, &end) {
        (Some(code), _) => Exit::of_command(code),
        (None, End::Good { observed, wants, .. }) => {
            let all = foreground::ended(site, wants, observed, settings, &Abort::AllEnded);
            tokio::select! {
                signal = context.signals.stopped() => Exit::Interrupted(signal),
                code = &mut first_end => {
                    output::talk(ABORTING);
                    Exit::of_command(code)
                }
                ended = all => return ended.map(Ended::With),
            }
        }
        (None, _) => session::interrupted(context),
    };
    if let Exit::Interrupted(_) = exit {
        output::talk(STOPPING);
    }
    // To be stopped, nothing has to be known of images.
    let wants = session::wants(project, BTreeMap::new());
    foreground::stop(site, &wants, settings).await?;
    match &attach.abort {
        Abort::ExitCodeFrom(service) if !matches!(exit, Exit::Interrupted(_)) => {
            let containers = site.engine.list_containers(Some(&project.name)).await?;
            Ok(Ended::With(foreground::exit_code_of(&containers, service)))
        }
        _ => Ok(Ended::With(exit)),
    }
}

/// Each signal raises the run's own level too.
async fn pass_on(context: &Context, stopper: &Stopper) {
    let heard = context.signals.stop();
    for level in [StopLevel::Ask, StopLevel::Kill, StopLevel::Leave] {
        heard.reached(level).await;
        stopper.raise();
    }
    std::future::pending().await
}

/// The exit code of the first container whose end ends everything; never where none does.
async fn first_end(engine: &SharedEngine, project: &Project, settings: &UpSettings, abort: &Abort) -> i64 {
    let concerned = match settings.what.services.as_slice() {
        [] => project.closure(&[]),
        named => named.to_vec(),
    };
    if *abort == Abort::AllEnded {
        return std::future::pending().await;
    }
    loop {
        if let Ok(mut events) = engine.events(Some(&project.name)).await {
            while let Some(Ok(event)) = events.next().await {
                let ours = event
                    .service
                    .as_ref()
                    .is_some_and(|name| concerned.contains(name));
                match event.kind {
                    EngineEventKind::Die(0) if *abort == Abort::AnyFailure => {}
                    EngineEventKind::Die(code) if ours => return code,
                    _ => {}
                }
            }
        }
        // What ended meanwhile is found where the stack is looked at again.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

async fn follow(context: &Context, project: &Project, settings: LogsSettings, over: CancellationToken) {
    if !settings.services.is_empty() {
        foreground::told(logs::alongside(context, project.name.clone(), settings, over).await);
    }
}

/// `Attaching to app-1, db-1`
fn attaching(project: &Project, services: &[ServiceName]) -> String {
    let mut names: Vec<String> = project
        .services
        .iter()
        .filter(|(name, _)| services.contains(name))
        .flat_map(|(name, service)| (1..=service.replicas()).map(move |number| format!("{name}-{number}")))
        .collect();
    names.sort();
    format!("Attaching to {}\n", names.join(", "))
}
