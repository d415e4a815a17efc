//! The attached end of `up`: what containers write is shown until somebody stops the stack, or
//! until it ends by itself.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::base::{ContainerId, ServiceName};
use crate::engine::{EngineError, Exit as ContainerExit, Wanted};
use crate::execute::{Converged, Site, StopLevel, Wants, prove, wait_for_engine};
use crate::model::{Container, Observed, Project, RestartPolicy};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session;
use super::super::settings::{Abort, Attach, LogsSettings, UpSettings};
use super::watch::Watching;
use super::{down, logs};

/// A container is asked again whether it runs this long after the engine started it anew.
const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// Follows the stack; the first Ctrl-C stops it in good order, the second kills it, the third
/// leaves it as it is.
///
/// # Errors
/// The engine's, or what could not be stopped.
pub async fn run(
    context: &Context,
    site: &Site,
    wants: &Wants,
    observed: &Observed,
    settings: &UpSettings,
    attach: &Attach,
) -> Outcome {
    let shown = shown(context, &wants.project, settings, attach);
    let mut follow = std::pin::pin!(follow(context, shown));
    let watching = match attach.watch {
        true => Some(Watching::of_up(context, site, &wants.project, settings)?),
        false => None,
    };
    let mut watched = std::pin::pin!(
        async {
            match &watching {
                Some(watching) => watching.run().await,
                None => std::future::pending().await,
            }
        }
        .fuse()
    );
    let ended = async {
        match &watching {
            Some(watching) => ended_while_watched(site, wants, observed, settings, attach, watching).await,
            None => ended(site, wants, observed, settings, &attach.abort).await,
        }
    };
    let exit = tokio::select! {
        biased;
        _ = context.signals.stopped() => session::interrupted(context),
        ended = ended => ended?,
        watched = &mut watched => match watched {
            Ok(()) => session::interrupted(context),
            Err(error) => return Err(error),
        },
        // A reader that went away ends the printing, not the stack.
        () = &mut follow => std::future::pending().await,
    };
    if context.signals.first().is_some() && !watched.is_terminated() && watching.is_some() {
        // What it is at ends in good order by itself.
        watched.await?;
    }
    let words = match exit {
        Exit::Interrupted(_) => STOPPING,
        _ => "stopping the rest\n",
    };
    output::talk(words);
    tokio::select! {
        stopped = stop(site, wants, settings) => stopped.map(|()| exit),
        () = async { follow.await; std::future::pending().await } => Ok(exit),
    }
}

/// What is said when somebody stops the stack.
pub const STOPPING: &str = "stopping; once more kills, a third time leaves everything as it is\n";

/// Stops the stack, or the services that were named, in good order.
///
/// # Errors
/// The engine's, or what could not be stopped.
pub async fn stop(site: &Site, wants: &Wants, settings: &UpSettings) -> Result<(), ExpectedError> {
    match down::stop_services(site, wants, &settings.what.services, settings.what.stop_timeout).await {
        Converged::EngineGone(error) => Err(error.into()),
        Converged::Done { report, .. } if !report.is_empty() => {
            let what: Vec<&str> = report.operations.iter().map(|o| o.error.as_str()).collect();
            Err(ExpectedError::NotAsWanted {
                message: what.join("; "),
                hint: None,
            })
        }
        _ => Ok(()),
    }
}

/// What is shown: the services asked for, from the beginning of this run.
pub fn shown(context: &Context, project: &Project, settings: &UpSettings, attach: &Attach) -> LogsSettings {
    let asked = if !attach.only.is_empty() {
        attach.only.clone()
    } else if settings.what.services.is_empty() || attach.dependencies {
        project.closure(&settings.what.services)
    } else {
        settings.what.services.clone()
    };
    let services = asked
        .into_iter()
        .filter(|name| !attach.except.contains(name))
        .filter(|name| project.services.get(name).is_none_or(|s| s.attach != Some(false)))
        .collect();
    LogsSettings {
        services,
        follow: true,
        tail: None,
        since: Some(format!("{}ms", context.clock.now().as_millis())),
        until: None,
        index: None,
        grep: None,
        style: attach.style,
    }
}

async fn follow(context: &Context, settings: LogsSettings) {
    if !settings.services.is_empty() {
        told(logs::run(context, settings).await);
    }
}

/// Following ended: whatever broke it off is said, and is no end of the stack.
pub fn told<T>(followed: Result<T, ExpectedError>) {
    match followed {
        Ok(_) | Err(ExpectedError::OutputClosed) => {}
        Err(error) => output::talk(&error.to_text()),
    }
}

/// Resolves when the stack, or the services that were named, has ended as far as `abort` asks, with the exit code that follows.
///
/// # Errors
/// The engine's, where it stays lost.
pub async fn ended(
    site: &Site,
    wants: &Wants,
    observed: &Observed,
    settings: &UpSettings,
    abort: &Abort,
) -> Result<Exit, ExpectedError> {
    let named = &settings.what.services;
    let engine_timeout = settings.engine_timeout;
    let mut waits: FuturesUnordered<_> = observed
        .containers
        .iter()
        .filter(|c| named.is_empty() || named.contains(&c.service))
        .filter(|c| !c.oneoff && wants.project.services.contains_key(&c.service) && c.state.is_running())
        .map(|c| end_of(site, wants, c.service.clone(), c.id.clone(), engine_timeout))
        .collect();
    while let Some(ended) = waits.next().await {
        let (service, exit) = ended?;
        let code = Exit::of_command(exit.code);
        match abort {
            Abort::AllEnded => {}
            Abort::AnyExit => return Ok(code),
            Abort::AnyFailure if exit.code != 0 => return Ok(code),
            Abort::AnyFailure => {}
            Abort::ExitCodeFrom(wanted) if service == *wanted => return Ok(code),
            // As in Compose, any end ends everything; the code is that of the one that was named.
            Abort::ExitCodeFrom(wanted) => {
                let found = exit_code_of(&site.engine.observe(&of_project(wants)).await?.containers, wanted);
                return Ok(found);
            }
        }
    }
    match abort {
        Abort::ExitCodeFrom(wanted) => Ok(exit_code_of(&observed.containers, wanted)),
        _ => Ok(Exit::AsWanted),
    }
}

/// As [`ended`], while containers are replaced and restarted on purpose: what ended counts once nothing of
/// the stack runs and nothing is being done about it.
async fn ended_while_watched(
    site: &Site,
    wants: &Wants,
    observed: &Observed,
    settings: &UpSettings,
    attach: &Attach,
    watching: &Watching<'_>,
) -> Result<Exit, ExpectedError> {
    let mut observed = observed.clone();
    loop {
        let exit = ended(site, wants, &observed, settings, &attach.abort).await?;
        watching.idle().await;
        observed = site.engine.observe(&of_project(wants)).await?;
        let runs = |c: &Container| {
            !c.oneoff && wants.project.services.contains_key(&c.service) && c.state.is_running()
        };
        if attach.abort != Abort::AllEnded || !observed.containers.iter().any(runs) {
            return Ok(exit);
        }
    }
}

fn of_project(wants: &Wants) -> Wanted {
    Wanted {
        project: Some(wants.project.name.clone()),
        ..Wanted::default()
    }
}

/// The code of a service that has ended; that of one that still runs is 0, it is stopped on purpose.
pub fn exit_code_of(containers: &[Container], service: &ServiceName) -> Exit {
    containers
        .iter()
        .find(|c| c.service == *service && !c.oneoff)
        .map_or(Exit::AsWanted, |c| match c.state {
            crate::model::ContainerState::Exited { code, .. } => Exit::of_command(code),
            _ => Exit::AsWanted,
        })
}

/// Waits until a container has ended and its policy does not start it again. An engine that goes
/// away is waited for: its containers may run on.
async fn end_of(
    site: &Site,
    wants: &Wants,
    service: ServiceName,
    id: ContainerId,
    engine_timeout: Duration,
) -> Result<(ServiceName, ContainerExit), EngineError> {
    let policy = wants
        .project
        .services
        .get(&service)
        .map_or(RestartPolicy::No, prove::restart_policy);
    loop {
        match site.engine.wait_container(&id).await {
            Ok(exit) => {
                let again = match policy {
                    RestartPolicy::No => false,
                    RestartPolicy::OnFailure(_) => exit.code != 0,
                    RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
                };
                if !again || site.stop.level() >= StopLevel::Ask {
                    return Ok((service, exit));
                }
                tokio::time::sleep(RESTART_PAUSE).await;
                // Stopped by somebody, or out of tries: the engine leaves it ended.
                let state = site.engine.inspect(&id).await.map(|found| found.state);
                if matches!(state, Ok(crate::model::ContainerState::Exited { .. })) {
                    return Ok((service, exit));
                }
            }
            Err(error) if error.is_not_found() => {
                return Ok((
                    service,
                    ContainerExit {
                        code: 0,
                        oom_killed: false,
                    },
                ));
            }
            Err(error) if error.is_engine_lost() => {
                if wait_for_engine(site, engine_timeout).await.is_none() {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}
