//! `platform exec`: a command in a running container, with this terminal if there is one.

use crate::base::ServiceName;
use crate::engine::{EngineError, EngineErrorKind, ExecSpec};
use crate::model::{Container, ContainerState};

use super::super::attached::{self, Attachment, Left};
use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::ExecSettings;
use super::check_services;

/// Runs a command; the exit code is the command's own.
///
/// # Errors
/// No project, no running container of the service, an engine that does not answer.
pub async fn run(context: &Context, settings: ExecSettings) -> Outcome {
    let named = [settings.service.clone()];
    let (project, stack) = context.project_or_name(&named)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&named, stack.as_deref(), &containers)?;
    let container = choose(&containers, &settings.service, settings.index)?;
    let keys = attached::detach_keys(context, settings.detach_keys.as_deref())?;
    let spec = ExecSpec {
        command: settings.command.clone(),
        user: settings.user.clone(),
        working_dir: settings.working_dir.clone(),
        env: settings.env.clone(),
        privileged: settings.privileged,
        detach_keys: Some(keys.as_str().to_owned()),
        ..ExecSpec::default()
    };
    if settings.detach {
        return match engine.exec_detached(&container.id, &spec, settings.tty).await {
            Ok(()) => Ok(Exit::AsWanted),
            Err(error) => refused_by(container, error),
        };
    }
    let session = match engine.exec_attach(&container.id, &spec, settings.tty).await {
        Ok(session) => session,
        Err(error) => return refused_by(container, error),
    };
    let how = Attachment {
        tty: settings.tty,
        stdin: settings.stdin,
        keys,
        joined: false,
    };
    match attached::stay(context, session, &how).await? {
        Left::Ended(exit) => Ok(exit),
        Left::Detached => {
            output::talk("detached; the command runs on\n");
            Ok(Exit::AsWanted)
        }
    }
}

/// The container that is meant: the one of that number, else the first that runs.
pub(super) fn choose<'c>(
    containers: &'c [Container],
    service: &ServiceName,
    index: Option<u32>,
) -> Result<&'c Container, ExpectedError> {
    let of_service = |oneoff| {
        containers
            .iter()
            .filter(move |c| c.service == *service && c.oneoff == oneoff)
    };
    // Without a number, one that `run` started will do where no other runs.
    let found = match index {
        Some(index) => of_service(false).find(|c| c.number == index),
        None => of_service(false)
            .chain(of_service(true))
            .find(|c| c.state == ContainerState::Running),
    };
    match found {
        Some(container) if container.state == ContainerState::Running => Ok(container),
        Some(container) => Err(not_running(format!(
            "container {} does not run: it is {}",
            container.name,
            container.state.as_str()
        ))),
        None => Err(not_running(match index {
            Some(index) => format!("service \"{service}\" is not running container #{index}"),
            None => format!("service \"{service}\" is not running"),
        })),
    }
}

fn not_running(message: String) -> ExpectedError {
    ExpectedError::NotAsWanted {
        message,
        hint: Some("`platform ps -a` shows what there is; `platform up -d` starts it".into()),
    }
}

/// A command that could not be started gives what a shell would.
pub(super) fn refused(error: EngineError) -> Outcome {
    match attached::code_of_refusal(&error) {
        Some(code) => {
            output::talk(&format!("error: {error}\n"));
            Ok(Exit::Command(code))
        }
        None => Err(error.into()),
    }
}

/// As [`refused`], of a container that ran when it was chosen and may have ended since.
fn refused_by(container: &Container, error: EngineError) -> Outcome {
    match &error.kind {
        EngineErrorKind::Conflict(text) if text.contains("is not running") => Err(not_running(format!(
            "no container of service {} runs: {} has ended",
            container.service, container.name
        ))),
        _ => refused(error),
    }
}
