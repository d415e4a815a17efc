//! What is done about changed files.

use std::collections::BTreeSet;
use std::fs;

use futures_util::future::join_all;

use crate::base::{ContainerId, ImageId, ServiceName};
use crate::engine::{EngineError, EngineErrorKind, ExecSpec};
use crate::event::failure::FailureReport;
use crate::event::{Body, Hub, Subscription};
use crate::execute::Converged;
use crate::execute::worker::hook_spec;
use crate::model::Container;
use crate::plan::{Change, Orphans, Recreate, Which};
use crate::view::failure;
use crate::watch::{Command, Mapping, Work, pack};

use super::super::super::attached::{self, Attachment, Left};
use super::super::super::copying;
use super::super::super::exit::{Exit, ExpectedError};
use super::super::super::settings::{BuildChoice, LifecycleSettings, SmokeChoice, UpSettings, WhatToDo};
use super::super::up::{self, Pursued};
use super::super::{lifecycle, refused};
use super::Watching;

/// Does all that a batch of changes asks for, and says what failed. Whether the engine was there for it.
pub(super) async fn all(watching: &Watching<'_>, work: &Work) -> bool {
    let mut there = true;
    let mut told = |result: Result<(), ExpectedError>| {
        if let Err(error) = result {
            there &= !matches!(&error, ExpectedError::Engine(error) if error.is_engine_lost());
            if !matches!(error, ExpectedError::Reported) {
                watching.say(error.to_text().trim_end());
            }
        }
    };
    if !work.rebuild.is_empty() {
        told(rebuild(watching, &work.rebuild).await);
    }
    for (service, mappings) in &work.sync {
        let text = if watching.context.settings.verbose {
            let paths: Vec<String> = mappings.iter().map(|m| m.host.display().to_string()).collect();
            format!(
                "Syncing service {:?} after changes were detected: {}",
                service.as_str(),
                paths.join(", ")
            )
        } else {
            let count = mappings.len();
            format!(
                "Syncing service {:?} after {count} changes were detected",
                service.as_str()
            )
        };
        watching.say(&text);
        told(copy(watching, service, mappings).await);
    }
    if !work.restart.is_empty() {
        told(restart(watching, &work.restart).await);
    }
    for command in &work.exec {
        told(execute(watching, command).await);
    }
    there
}

/// Builds the images of services and replaces their containers; the old run until the new are proven.
async fn rebuild(watching: &Watching<'_>, services: &BTreeSet<ServiceName>) -> Result<(), ExpectedError> {
    watching.say(&format!(
        "Rebuilding service(s) {} after changes were detected...",
        quoted(services)
    ));
    let settings = UpSettings {
        what: WhatToDo {
            services: services.iter().cloned().collect(),
            dependencies: false,
            recreate: Recreate::Always,
            orphans: Orphans::Ignore,
            ..watching.up.what.clone()
        },
        build: BuildChoice::Always,
        smoke: SmokeChoice::Never,
        attach: None,
        ..watching.up.clone()
    };
    let before = images(watching, services).await?;
    let hub = watching.context.hub();
    let heard = hub.subscribe();
    let (pursued, ()) = tokio::join!(pursue(watching, &settings, hub), relay(watching, heard));
    let (plan, report) = match pursued? {
        Converged::Done { plan, report, .. } => (plan, report),
        Converged::Refused(plan) => return Err(refused(&plan)),
        // Whoever stopped it knows.
        Converged::Stopped(_) => return Ok(()),
        Converged::EngineGone(error) => return Err(error.into()),
    };
    if plan.unavailable.is_empty() {
        watching.say(&format!("service(s) {} successfully built", quoted(services)));
    }
    if !report.is_empty() {
        say_failure(watching, "Application failed to start after update:", &report);
        return Err(ExpectedError::Reported);
    }
    if watching.prune {
        let after = images(watching, services).await?;
        for old in before.difference(&after) {
            // One that cannot go is of no further interest.
            let _ = watching.engine.remove_dangling(old).await;
        }
    }
    Ok(())
}

async fn pursue(
    watching: &Watching<'_>,
    settings: &UpSettings,
    hub: Hub,
) -> Result<Converged, ExpectedError> {
    let (context, project) = (watching.context, &watching.project);
    let worked = async {
        let session = up::open(context, project, settings, Some(hub.clone())).await?;
        up::pursue(context, &session, project, settings, &[]).await
    }
    .await;
    hub.close();
    match worked? {
        Pursued::Done { converged, .. } => Ok(*converged),
        // Only a dry run shows a plan, and that watches nothing.
        Pursued::Shown(_) => Ok(Converged::Stopped(FailureReport::default())),
    }
}

/// Says what builders write, and warnings.
async fn relay(watching: &Watching<'_>, mut events: Subscription) {
    while let Some(event) = events.next().await {
        match event.body {
            Body::Output { line, .. } if !watching.quiet => watching.say(&line),
            Body::Warning { text, .. } => watching.say(&format!("warning: {text}")),
            _ => {}
        }
    }
}

fn say_failure(watching: &Watching<'_>, what: &str, report: &FailureReport) {
    let text = failure::text(report, None, &watching.context.settings.stdout);
    watching.say(&format!("{what}\n{text}"));
}

/// The images that the containers of services were made from.
async fn images(
    watching: &Watching<'_>,
    services: &BTreeSet<ServiceName>,
) -> Result<BTreeSet<ImageId>, ExpectedError> {
    let all = watching
        .engine
        .list_containers(Some(&watching.project.name))
        .await?;
    let chosen = all.into_iter().filter(|c| services.contains(&c.service));
    Ok(chosen.map(|container| container.image).collect())
}

/// The containers of a service, without those of `run`.
async fn containers(watching: &Watching<'_>, service: &ServiceName) -> Result<Vec<Container>, ExpectedError> {
    let mut all = watching
        .engine
        .list_containers(Some(&watching.project.name))
        .await?;
    all.retain(|container| !container.oneoff && container.service == *service);
    Ok(all)
}

/// Copies files into the containers of a service, and removes there what is not here any more.
pub(super) async fn copy(
    watching: &Watching<'_>,
    service: &ServiceName,
    mappings: &BTreeSet<Mapping>,
) -> Result<(), ExpectedError> {
    let (here, gone): (BTreeSet<Mapping>, BTreeSet<Mapping>) = mappings
        .iter()
        .cloned()
        .partition(|mapping| fs::symlink_metadata(&mapping.host).is_ok());
    let containers = containers(watching, service).await?;
    let all = containers.iter().map(|container| async {
        if !gone.is_empty() && container.state.is_running() {
            remove(watching, container, &gone).await?;
        }
        if !here.is_empty() {
            let packed = here.clone();
            let tar = copying::written(move |to| pack(&packed, to));
            watching
                .engine
                .write_archive(&container.id, "/", true, tar)
                .await?;
        }
        Ok::<(), ExpectedError>(())
    });
    join_all(all).await.into_iter().collect()
}

async fn remove(
    watching: &Watching<'_>,
    container: &Container,
    gone: &BTreeSet<Mapping>,
) -> Result<(), ExpectedError> {
    let mut command: Vec<String> = ["rm", "-rf", "--"].map(str::to_owned).to_vec();
    command.extend(gone.iter().map(|mapping| mapping.container.clone()));
    let spec = ExecSpec {
        command,
        // Files are copied whoever the container's user is; so they are removed.
        user: Some("0".into()),
        ..ExecSpec::default()
    };
    let outcome = watching.engine.exec(&container.id, &spec).await?;
    if outcome.code == 0 {
        return Ok(());
    }
    let said = [outcome.stderr, outcome.stdout].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let kind = EngineErrorKind::StreamFailed(format!("rm ended with exit code {}: {said}", outcome.code));
    Err(EngineError::new(format!("delete paths in {}", container.name), kind).into())
}

async fn restart(watching: &Watching<'_>, services: &BTreeSet<ServiceName>) -> Result<(), ExpectedError> {
    let settings = LifecycleSettings {
        change: Change::Restart,
        which: Which::Services(services.iter().cloned().collect()),
        timeout: watching.up.what.stop_timeout,
        wait_timeout: None,
        engine_timeout: watching.up.engine_timeout,
        lock_timeout: watching.up.lock_timeout,
    };
    let hub = watching.context.hub();
    let (name, project) = (&watching.project.name, Some(watching.project.clone()));
    let done = lifecycle::change(
        watching.context,
        name,
        project,
        &settings.which,
        &settings,
        Some(hub.clone()),
    );
    match done.await {
        Ok(Exit::AsWanted) => watching.say(&format!("service(s) {} restarted", quoted(services))),
        Ok(_) => {}
        Err(error) => {
            if let Some(report) = &hub.snapshot().failure {
                say_failure(watching, "Restart failed:", report);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Runs a command in the running containers of its service; what it writes is shown as it is.
async fn execute(watching: &Watching<'_>, command: &Command) -> Result<(), ExpectedError> {
    let spec = hook_spec(&command.hook);
    for container in containers(watching, &command.service).await? {
        if !container.state.is_running() {
            continue;
        }
        let code = tokio::select! {
            code = run_in(watching, &container.id, &spec) => code?,
            _ = watching.context.signals.stopped() => return Ok(()),
        };
        if code != Exit::AsWanted {
            let text = format!(
                "the command in {} ended with exit code {}",
                container.name,
                code.code()
            );
            watching.say(&text);
        }
    }
    Ok(())
}

async fn run_in(watching: &Watching<'_>, id: &ContainerId, spec: &ExecSpec) -> Result<Exit, ExpectedError> {
    let session = watching.engine.exec_attach(id, spec, false).await?;
    let how = Attachment {
        tty: false,
        stdin: false,
        keys: attached::detach_keys(watching.context, None)?,
        joined: false,
    };
    match attached::stay(watching.context, session, &how).await? {
        Left::Ended(exit) => Ok(exit),
        Left::Detached => Ok(Exit::AsWanted),
    }
}

/// Names as docker compose writes them: `["app" "web"]`.
fn quoted(services: &BTreeSet<ServiceName>) -> String {
    let names: Vec<String> = services
        .iter()
        .map(|name| format!("{:?}", name.as_str()))
        .collect();
    format!("[{}]", names.join(" "))
}
