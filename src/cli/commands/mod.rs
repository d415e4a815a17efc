//! One file a command. Each takes the [`Context`] and its own settings, and returns an [`Outcome`].

pub mod attach;
pub mod attach_service;
pub mod completions;
pub mod config;
pub mod cp;
pub mod dashboard;
pub mod doctor;
pub mod down;
pub mod events;
pub mod exec;
pub mod finish;
pub mod images;
pub mod init;
pub mod lifecycle;
pub mod logs;
pub mod ls;
pub mod man;
pub mod plan;
pub mod port;
pub mod ps;
pub mod push;
pub mod rm;
pub mod run;
pub mod smoke;
pub mod snapshot;
pub mod stats;
pub mod supply;
pub mod top;
pub mod up;
pub mod version;
pub mod volumes;
pub mod wait;
pub mod watch;

use std::collections::BTreeSet;

use crate::base::ServiceName;
use crate::model::{Container, Project};
use crate::plan::Plan;
use crate::stack::diagnostic::did_you_mean;

use super::context::Context;
use super::exit::{Exit, ExpectedError, Outcome};
use super::settings::CommandSettings;

/// What became of a command that was tried without a runtime.
pub enum Ran {
    /// It is done.
    Done(Exit),
    /// It needs a runtime.
    Needs(CommandSettings),
}

/// Runs a command if it needs neither runtime nor signal handlers.
///
/// # Errors
/// The command's own.
pub fn without_runtime(context: &Context, command: CommandSettings) -> Result<Ran, ExpectedError> {
    let exit = match command {
        CommandSettings::Completions(shell) => completions::run(shell)?,
        CommandSettings::Config(settings) => config::run(context, &settings)?,
        CommandSettings::Init(settings) => init::run(&settings)?,
        CommandSettings::Man(settings) => man::run(&settings)?,
        CommandSettings::Version(settings) => version::run(context.settings.persona, settings)?,
        other => return Ok(Ran::Needs(other)),
    };
    Ok(Ran::Done(exit))
}

/// Runs a command that needs a runtime.
///
/// # Errors
/// The command's own.
pub async fn run(context: &Context, command: CommandSettings) -> Outcome {
    match command {
        CommandSettings::Up(settings) => up::run(context, *settings).await,
        CommandSettings::Watch(settings) => watch::run(context, *settings).await,
        CommandSettings::Down(settings) => down::run(context, settings).await,
        CommandSettings::Plan(settings) => plan::run(context, settings).await,
        CommandSettings::Supply(settings) => supply::run(context, &settings).await,
        CommandSettings::Push(settings) => push::run(context, &settings).await,
        CommandSettings::Lifecycle(settings) => lifecycle::run(context, settings).await,
        CommandSettings::Rm(settings) => rm::run(context, settings).await,
        CommandSettings::Wait(settings) => wait::run(context, *settings).await,
        CommandSettings::Ls(settings) => until_stopped(context, ls::run(context, settings)).await,
        CommandSettings::Images(settings) => until_stopped(context, images::run(context, settings)).await,
        CommandSettings::Volumes(settings) => until_stopped(context, volumes::run(context, settings)).await,
        CommandSettings::Port(settings) => until_stopped(context, port::run(context, settings)).await,
        CommandSettings::Dashboard(settings) => dashboard::run(context, settings).await,
        CommandSettings::Ps(settings) => until_stopped(context, ps::run(context, settings)).await,
        CommandSettings::Logs(settings) => until_stopped(context, logs::run(context, settings)).await,
        CommandSettings::Stats(settings) => until_stopped(context, stats::run(context, settings)).await,
        CommandSettings::Events(settings) => until_stopped(context, events::run(context, settings)).await,
        CommandSettings::Top(settings) => until_stopped(context, top::run(context, settings)).await,
        CommandSettings::Exec(settings) => until_stopped(context, exec::run(context, settings)).await,
        CommandSettings::Run(settings) => run::run(context, *settings).await,
        CommandSettings::Attach(settings) => attach_service::run(context, settings).await,
        CommandSettings::Cp(settings) => until_stopped(context, cp::run(context, settings)).await,
        CommandSettings::Export(settings) => {
            until_stopped(context, snapshot::export(context, settings)).await
        }
        CommandSettings::Commit(settings) => {
            until_stopped(context, snapshot::commit(context, settings)).await
        }
        CommandSettings::Smoke(settings) => until_stopped(context, smoke::run(context, settings)).await,
        CommandSettings::Doctor(settings) => until_stopped(context, doctor::run(context, settings)).await,
        // Done without a runtime, but no less here.
        CommandSettings::Config(settings) => config::run(context, &settings),
        CommandSettings::Init(settings) => init::run(&settings),
        CommandSettings::Completions(shell) => completions::run(shell),
        CommandSettings::Man(settings) => man::run(&settings),
        CommandSettings::Version(settings) => version::run(context.settings.persona, settings),
    }
}

/// A command that leaves nothing behind: the first signal ends it.
async fn until_stopped(context: &Context, command: impl Future<Output = Outcome>) -> Outcome {
    tokio::select! {
        outcome = command => outcome,
        signal = context.signals.stopped() => Err(ExpectedError::Interrupted(signal)),
    }
}

/// A plan that may not be done, as the end of a run.
pub fn refused(plan: &Plan) -> ExpectedError {
    let reasons: Vec<&str> = plan.refusals.iter().map(|r| r.text.as_str()).collect();
    let hints: Vec<&str> = plan.refusals.iter().map(|r| r.hint.as_str()).collect();
    ExpectedError::NotAsWanted {
        message: reasons.join("\n       "),
        hint: Some(hints.join("\n      ")),
    }
}

/// Refuses names of services that neither the stack nor a container has.
///
/// # Errors
/// The first such name, with the nearest there is.
pub fn check_services(
    named: &[ServiceName],
    project: Option<&Project>,
    containers: &[Container],
) -> Result<(), ExpectedError> {
    if named.is_empty() {
        return Ok(());
    }
    let in_stack = project
        .iter()
        .flat_map(|p| p.services.keys().chain(&p.disabled))
        .map(ServiceName::as_str);
    let in_engine = containers.iter().map(|c| c.service.as_str());
    let known: BTreeSet<&str> = in_stack
        .chain(in_engine)
        .filter(|name| !name.is_empty())
        .collect();
    let Some(unknown) = named.iter().find(|name| !known.contains(name.as_str())) else {
        return Ok(());
    };
    let names: Vec<&str> = known.iter().copied().collect();
    Err(ExpectedError::NoSuchThing {
        message: format!("no service `{unknown}`"),
        hint: did_you_mean(unknown.as_str(), names.iter().copied())
            .or_else(|| (!names.is_empty()).then(|| format!("there is: {}", names.join(", ")))),
    })
}
