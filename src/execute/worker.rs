//! One step at the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::site::{Site, Wants};
use super::stop::StopLevel;
use super::{labels, late};
use crate::base::{ContainerId, NetworkId, ServiceName};
use crate::engine::{CreateContainer, EngineError, EngineErrorKind, ExecSpec};
use crate::event::Body;
use crate::model::Hook;
use crate::model::render::comparable;
use crate::plan::{Action, Instance};
use crate::provide::{ModelRunner, ProvideError};

/// What a step gives to those after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// The network it created.
    Network(String, NetworkId),
    /// The container it created.
    Created(ContainerId),
    /// The container it started; another than planned where the engine refused to start that one.
    Started(ContainerId),
    /// What a provider said of the service that it brought up: variables and their values.
    Provided(Vec<(String, String)>),
    /// The runner of models.
    Runner(ModelRunner),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The engine's.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// That of a program beside it.
    #[error(transparent)]
    Outside(#[from] ProvideError),
}

impl StepError {
    /// What was said, without what was being done.
    pub fn said(&self) -> String {
        match self {
            Self::Engine(error) => error.kind.to_string(),
            Self::Outside(error) => error.to_string(),
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => super::report::hint(error),
            Self::Outside(error) => error.hint(),
        }
    }
}

/// What a step needs from those before it.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Networks by key.
    pub networks: BTreeMap<String, NetworkId>,
    /// A container of each service, for shared namespaces and volumes.
    pub containers: BTreeMap<ServiceName, ContainerId>,
    /// The container that the step works on, where it is not named in the plan.
    pub target: Option<ContainerId>,
    /// The runner of models, where it was asked.
    pub runner: Option<ModelRunner>,
}

/// How often a conflict that goes away by itself is tried again.
const RETRIES: u32 = 3;

/// Does one step.
///
/// # Errors
/// The engine's, or those of programs beside it; after one of the engine's that leaves the outcome open the
/// caller observes before it decides.
pub async fn perform(
    site: &Site,
    wants: &Wants,
    action: &Action,
    input: &Input,
) -> Result<Output, StepError> {
    match action {
        Action::RunProvider { .. } | Action::FindModelRunner | Action::PrepareModel { .. } => {
            Ok(super::outside::perform(site, wants, action, input).await?)
        }
        _ => Ok(at_the_engine(site, wants, action, input).await?),
    }
}

async fn at_the_engine(
    site: &Site,
    wants: &Wants,
    action: &Action,
    input: &Input,
) -> Result<Output, EngineError> {
    let engine = &site.engine;
    match action {
        Action::CreateNetwork { key, .. } => {
            let Some(spec) = wants.project.networks.get(key) else {
                return Ok(Output::Nothing);
            };
            let id = engine
                .create_network(&wants.project, key, spec, &site.run)
                .await?;
            Ok(Output::Network(key.clone(), id))
        }
        Action::CreateVolume { key, .. } => {
            if let Some(spec) = wants.project.volumes.get(key) {
                engine.create_volume(&wants.project, key, spec, &site.run).await?;
            }
            Ok(Output::Nothing)
        }
        Action::CreateContainer {
            instance,
            name,
            image,
            inherits,
        } => {
            let id = create(site, wants, instance, name, image, inherits.clone(), input).await?;
            Ok(Output::Created(id))
        }
        Action::StartContainer { instance, name, .. } => {
            let Some(target) = &input.target else {
                return Ok(Output::Nothing);
            };
            let id = start(site, wants, instance, name, target, input).await?;
            run_hooks(site, wants, instance, &id).await?;
            Ok(Output::Started(id))
        }
        Action::StopContainer {
            id,
            signal,
            grace,
            service,
            ..
        } => {
            stop(site, wants, service, id, signal.as_deref(), *grace).await?;
            Ok(Output::Nothing)
        }
        Action::KillContainer { id, signal, .. } => {
            kill(site, id, &signal.to_string()).await?;
            Ok(Output::Nothing)
        }
        Action::PauseContainer { id, .. } => {
            engine.pause_container(id).await?;
            Ok(Output::Nothing)
        }
        Action::UnpauseContainer { id, .. } => {
            engine.unpause_container(id).await?;
            Ok(Output::Nothing)
        }
        Action::RemoveContainer { id, volumes, .. } => {
            again(|| engine.remove_container(id, true, *volumes)).await?;
            Ok(Output::Nothing)
        }
        Action::RenameContainer { name, .. } => {
            if let Some(target) = &input.target {
                again(|| engine.rename_container(target, name)).await?;
            }
            Ok(Output::Nothing)
        }
        Action::RemoveNetwork { id, .. } => {
            remove_network(site, id).await?;
            Ok(Output::Nothing)
        }
        Action::RemoveVolume { name } => {
            again(|| engine.remove_volume(name)).await?;
            Ok(Output::Nothing)
        }
        Action::RemoveImage { reference } => {
            engine.remove_image(reference).await?;
            Ok(Output::Nothing)
        }
        Action::RunProvider { .. } | Action::FindModelRunner | Action::PrepareModel { .. } => {
            Ok(Output::Nothing)
        }
    }
}

/// Tries again what the engine refuses for a moment: it is still busy with the object.
async fn again<F, T>(operation: impl Fn() -> F) -> Result<T, EngineError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let mut tries = 0;
    loop {
        match operation().await {
            Err(error) if matches!(error.kind, EngineErrorKind::Conflict(_)) && tries < RETRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100 * u64::from(tries))).await;
            }
            other => return other,
        }
    }
}

/// Removes a network; where others hold it, says who.
async fn remove_network(site: &Site, id: &NetworkId) -> Result<(), EngineError> {
    match again(|| site.engine.remove_network(id)).await {
        Err(mut error) if !error.is_engine_lost() && !error.is_not_found() => {
            if let Ok(members) = site.engine.network_members(id).await
                && !members.is_empty()
            {
                error.kind = EngineErrorKind::Conflict(format!(
                    "it is still used by {}, which this project did not make; the network stays",
                    members.join(", ")
                ));
            }
            Err(error)
        }
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

async fn create(
    site: &Site,
    wants: &Wants,
    instance: &Instance,
    name: &str,
    image: &crate::base::ImageId,
    inherits: Option<ContainerId>,
    input: &Input,
) -> Result<ContainerId, EngineError> {
    let project = &*wants.project;
    let Some(service) = project.services.get(&instance.service) else {
        let kind = EngineErrorKind::Protocol(format!(
            "the plan names {instance}, which the stack does not have"
        ));
        return Err(EngineError::new(format!("create container {name}"), kind));
    };
    let files = wants
        .bound_files
        .get(&instance.service)
        .map_or(&[][..], Vec::as_slice);
    let definition = comparable(project, service, files);
    let request = CreateContainer {
        project,
        service_name: &instance.service,
        service,
        name: name.to_owned(),
        number: instance.number,
        image: image.clone(),
        networks: &input.networks,
        containers: input.containers.clone(),
        labels: labels::of_container(
            project,
            &instance.service,
            service,
            instance.number,
            &definition,
            image,
            &site.run,
        ),
        inherit_volumes_from: inherits,
        oneoff: None,
    };
    late::create(site, &request).await
}

/// Starts a container. One that a dying engine left half started ("task already exists") is
/// removed and created again once: nothing else clears that state.
async fn start(
    site: &Site,
    wants: &Wants,
    instance: &Instance,
    name: &str,
    target: &ContainerId,
    input: &Input,
) -> Result<ContainerId, EngineError> {
    let error = match site.engine.start_container(target).await {
        Ok(()) => return Ok(target.clone()),
        Err(error) => error,
    };
    if !matches!(error.kind, EngineErrorKind::StaleTask(_)) {
        return Err(error);
    }
    let found = site.engine.inspect(target).await?;
    site.hub.publish(Body::Warning {
        text: format!(
            "{}: the engine cannot start this container any more after it was killed; it is created again",
            found.container.name
        ),
        hint: (found.pid > 0).then(|| format!("process {} may be left of it on the host", found.pid)),
    });
    site.engine.remove_container(target, true, false).await?;
    let name = if found.container.name.is_empty() {
        name
    } else {
        &found.container.name
    };
    let id = create(site, wants, instance, name, &found.container.image, None, input).await?;
    site.engine.start_container(&id).await?;
    Ok(id)
}

/// A hook as a command in its container.
pub fn hook_spec(hook: &Hook) -> ExecSpec {
    ExecSpec {
        command: hook.command.clone(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        env: hook
            .environment
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or_default()))
            .collect(),
        privileged: hook.privileged,
        stdin: None,
        timeout: Some(Duration::from_secs(300)),
        ..ExecSpec::default()
    }
}

async fn run_hooks(
    site: &Site,
    wants: &Wants,
    instance: &Instance,
    id: &ContainerId,
) -> Result<(), EngineError> {
    let Some(service) = wants.project.services.get(&instance.service) else {
        return Ok(());
    };
    for hook in &service.post_start {
        let outcome = site.engine.exec(id, &hook_spec(hook)).await?;
        if outcome.code != 0 {
            let kind = EngineErrorKind::StreamFailed(format!(
                "exit code {}: {}",
                outcome.code,
                String::from_utf8_lossy(&outcome.stderr).trim()
            ));
            return Err(EngineError::new(
                format!("post_start hook {:?}", hook.command),
                kind,
            ));
        }
    }
    Ok(())
}

/// Stops a container; when the run is asked to hurry, kills it.
async fn stop(
    site: &Site,
    wants: &Wants,
    service: &ServiceName,
    id: &ContainerId,
    signal: Option<&str>,
    grace: Duration,
) -> Result<(), EngineError> {
    if let Some(service) = wants.project.services.get(service) {
        for hook in &service.pre_stop {
            if let Err(error) = site.engine.exec(id, &hook_spec(hook)).await {
                site.hub.publish(Body::Warning {
                    text: error.to_string(),
                    hint: None,
                });
            }
        }
    }
    if site.stop.level() >= StopLevel::Kill {
        return kill(site, id, "KILL").await;
    }
    tokio::select! {
        stopped = site.engine.stop_container(id, signal, grace) => stopped,
        () = site.stop.reached(StopLevel::Kill) => kill(site, id, "KILL").await,
    }
}

async fn kill(site: &Site, id: &ContainerId, signal: &str) -> Result<(), EngineError> {
    match site.engine.kill_container(id, signal).await {
        // It has ended by itself meanwhile.
        Err(error) if matches!(error.kind, EngineErrorKind::Conflict(_)) => Ok(()),
        other => other,
    }
}
