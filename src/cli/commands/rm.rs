//! `rm`: containers that do not run removed, or, where asked, also those that do.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::base::{ContainerId, ProjectName};
use crate::engine::Wanted;
use crate::execute::{ExecuteOptions, converge};
use crate::model::{Container, Observed, Project};
use crate::plan::{DownOptions, Plan, Reach, plan_down, text};
use crate::view::progress::Final;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::RmSettings;
use super::finish::{Words, finish};

/// Runs `rm`.
///
/// # Errors
/// The stack's, the engine's, a service that does not exist, or what could not be removed.
pub async fn run(context: &Context, settings: RmSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let looked = async {
        context
            .engine()
            .await?
            .list_containers(Some(&name))
            .await
            .map_err(Into::into)
    };
    let found: Result<Vec<Container>, ExpectedError> = tokio::select! {
        found = looked => found,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let found = found?;
    super::check_services(&settings.services, project.as_deref(), &found)?;
    let chosen: Vec<&Container> = found
        .iter()
        .filter(|c| is_chosen(c, &settings, project.as_deref()))
        .collect();
    if chosen.is_empty() {
        let kind = if settings.stop { "" } else { "stopped " };
        output::talk(&format!("No {kind}containers\n"));
        return Ok(Exit::AsWanted);
    }
    if !context.settings.dry_run && !agreed(context, &settings, &chosen).await? {
        return Ok(Exit::AsWanted);
    }
    let chosen: BTreeSet<ContainerId> = chosen.iter().map(|c| c.id.clone()).collect();
    remove(context, &settings, &name, project, &chosen).await
}

fn is_chosen(container: &Container, settings: &RmSettings, project: Option<&Project>) -> bool {
    !container.oneoff
        && (settings.services.is_empty() || settings.services.contains(&container.service))
        && project.is_none_or(|p| p.has(&container.service))
        && (settings.stop || !container.state.is_alive())
}

/// Whether these containers may go.
async fn agreed(
    context: &Context,
    settings: &RmSettings,
    chosen: &[&Container],
) -> Result<bool, ExpectedError> {
    let names: Vec<&str> = chosen.iter().map(|c| c.name.as_str()).collect();
    let going = format!("Going to remove {}", names.join(", "));
    if settings.force {
        output::talk(&format!("{going}\n"));
        return Ok(true);
    }
    if !context.settings.terminal.stdin {
        return Err(ExpectedError::Usage {
            message: format!(
                "nobody can be asked whether to remove {}: standard input is no terminal",
                names.join(", ")
            ),
            hint: Some("`platform rm -f` removes without asking".into()),
        });
    }
    output::talk(&format!("{going}. Go on? [y/N] "));
    let mut answer = String::new();
    let mut stdin = BufReader::new(tokio::io::stdin());
    let read = tokio::select! {
        read = stdin.read_line(&mut answer) => read,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    read.map_err(|source| ExpectedError::File {
        action: "read",
        path: "standard input".into(),
        source,
    })?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

async fn remove(
    context: &Context,
    settings: &RmSettings,
    name: &ProjectName,
    project: Option<Arc<Project>>,
    chosen: &BTreeSet<ContainerId>,
) -> Outcome {
    let mut session = Session::open(
        context,
        Opening {
            command: "rm",
            project: name,
            options: ExecuteOptions {
                wait: false,
                ..execute_options(context.settings.parallel)
            },
            lock_timeout: (!context.settings.dry_run).then_some(settings.lock_timeout),
            last: Final::Tree,
            hub: None,
        },
    )
    .await?;
    let options = DownOptions {
        volumes: settings.volumes,
        reach: Reach::Containers,
        ..DownOptions::default()
    };
    // What was agreed to goes and nothing else, whatever has been made or started meanwhile.
    let plan_of = |observed: &Observed| -> Plan {
        let mut agreed = observed.clone();
        agreed
            .containers
            .retain(|c| chosen.contains(&c.id) && (settings.stop || !c.state.is_alive()));
        plan_down(project.as_deref(), &agreed, &options)
    };
    let wanted = Wanted {
        project: Some(name.clone()),
        ..Wanted::default()
    };
    if context.settings.dry_run {
        let observed = session.site.engine.observe(&wanted).await;
        session.hush().await;
        output::data(&text::plan(&plan_of(&observed?)))?;
        return Ok(Exit::AsWanted);
    }
    let wants = session::wants(
        &super::down::or_nothing(project.as_ref(), name),
        Default::default(),
    );
    let converged = converge(
        &session.site,
        &wants,
        &wanted,
        None,
        settings.engine_timeout,
        &plan_of,
    )
    .await;
    let words = Words {
        done: "removed",
        nothing: "nothing to remove",
        failed: "not everything could be removed",
        stopped: "interrupted",
    };
    finish(context, &mut session, converged, words).await
}
