//! `platform attach`: this terminal, or these streams, for a service's own process.

use crate::engine::{AttachSpec, Until};

use super::super::attached::{self, Attachment, Insist, Left};
use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::AttachSettings;
use super::{check_services, exec};

/// Attaches; the exit code is the container's own.
///
/// # Errors
/// No project, no running container of the service, an engine that does not answer.
pub async fn run(context: &Context, settings: AttachSettings) -> Outcome {
    let named = [settings.service.clone()];
    let (project, stack) = context.project_or_name(&named)?;
    let keys = attached::detach_keys(context, settings.detach_keys.as_deref())?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&named, stack.as_deref(), &containers)?;
    let container = exec::choose(&containers, &settings.service, settings.index)?;
    let inspected = engine.inspect(&container.id).await?;
    let how = Attachment {
        tty: inspected.tty,
        stdin: settings.stdin,
        keys,
        joined: true,
    };
    let spec = AttachSpec {
        tty: how.tty,
        stdin: how.stdin,
        until: Until::NotRunning,
        detach_keys: Some(how.keys.as_str().to_owned()),
    };
    let session = engine.attach_container(&container.id, &spec).await?;
    let left = tokio::select! {
        left = attached::stay(context, session, &how) => left?,
        error = attached::pass_signals_on(context, &engine, &container.id, Insist::No),
            if settings.pass_signals_on => return Err(error),
        signal = context.signals.stopped(), if !settings.pass_signals_on => {
            return Err(ExpectedError::Interrupted(signal));
        }
    };
    match left {
        Left::Ended(exit) => Ok(exit),
        Left::Detached => {
            output::talk(&format!("detached; {} runs on\n", container.name));
            Ok(Exit::AsWanted)
        }
    }
}
