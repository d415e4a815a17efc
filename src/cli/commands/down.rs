//! `down`: everything of a project stopped and removed, dependents first.

use std::sync::Arc;

use crate::base::ServiceName;
use crate::engine::Wanted;
use crate::execute::{Converged, ExecuteOptions, Site, Wants, converge};
use crate::model::{Observed, Project, StackExt};
use crate::plan::{DownOptions, Orphans, Reach, plan_down};
use crate::view::progress::Final;

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::session::{self, Opening, Session, execute_options};
use super::super::settings::{DownSettings, RemoveImages};
use super::finish::{Words, finish};

/// Runs `down`.
///
/// # Errors
/// The stack's, the engine's, or what could not be removed.
pub async fn run(context: &Context, settings: DownSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    if let Some(project) = &project {
        super::check_services(&settings.services, Some(project), &[])?;
    }
    let options = ExecuteOptions {
        wait: false,
        ..execute_options(context.settings.parallel)
    };
    let mut session = Session::open(
        context,
        Opening {
            command: "down",
            project: &name,
            options,
            lock_timeout: (!context.settings.dry_run).then_some(settings.lock_timeout),
            last: Final::Tree,
            hub: None,
        },
    )
    .await?;
    let wanted = match &project {
        Some(project) => Wanted {
            images: Vec::new(),
            container_names: Vec::new(),
            ..Wanted::of(project)
        },
        None => Wanted {
            project: Some(name.clone()),
            ..Wanted::default()
        },
    };
    let down = DownOptions {
        services: settings.services.clone(),
        volumes: settings.volumes,
        remove_orphans: settings.orphans == Orphans::Remove,
        images: images(project.as_deref(), settings.images),
        reach: Reach::Everything,
        grace: settings.stop_timeout,
    };
    if context.settings.dry_run {
        let observed = session.site.engine.observe(&wanted).await?;
        session.hush().await;
        super::super::output::data(&crate::plan::text::plan(&plan_down(
            project.as_deref(),
            &observed,
            &down,
        )))?;
        return Ok(Exit::AsWanted);
    }
    let known = or_nothing(project.as_ref(), &name);
    let wants = Wants {
        programs: Arc::new(context.programs(&known)),
        ..session::wants(&known, std::collections::BTreeMap::new())
    };
    let plan_of = |observed: &Observed| plan_down(project.as_deref(), observed, &down);
    let converged = converge(
        &session.site,
        &wants,
        &wanted,
        None,
        settings.engine_timeout,
        &plan_of,
    )
    .await;
    if let Converged::Done { report, .. } = &converged
        && report.is_empty()
        && settings.services.is_empty()
    {
        session.site.engine.remove_files(&name).await?;
    }
    let words = Words {
        done: "down",
        nothing: "nothing to remove",
        failed: "not everything could be removed",
        stopped: "stopped; what is left goes with another `platform down`",
    };
    finish(context, &mut session, converged, words).await
}

/// Stops the containers of some services, of all where none is named, dependents first, as the end of an
/// attached `up`.
pub async fn stop_services(
    site: &Site,
    wants: &Wants,
    services: &[ServiceName],
    grace: Option<std::time::Duration>,
) -> Converged {
    let site = &Site {
        stop: site.stop.for_stopping(),
        ..site.clone()
    };
    let project = wants.project.clone();
    let wanted = Wanted {
        images: Vec::new(),
        container_names: Vec::new(),
        ..Wanted::of(&project)
    };
    let options = DownOptions {
        services: services.to_vec(),
        reach: Reach::Stop,
        grace,
        ..DownOptions::default()
    };
    let plan_of = |observed: &Observed| plan_down(Some(&project), observed, &options);
    converge(
        site,
        wants,
        &wanted,
        None,
        std::time::Duration::from_secs(10),
        &plan_of,
    )
    .await
}

fn images(project: Option<&Project>, which: RemoveImages) -> Vec<String> {
    let Some(project) = project else { return Vec::new() };
    let mut references: Vec<String> = project
        .services
        .iter()
        .filter(|(_, service)| match which {
            RemoveImages::No => false,
            RemoveImages::Local => service.image.is_none(),
            RemoveImages::All => true,
        })
        .map(|(name, service)| service.image_reference(project.name.as_str(), name.as_str()))
        .collect();
    references.sort();
    references.dedup();
    references
}

/// The project, or one without services where only its name is known.
pub(super) fn or_nothing(project: Option<&Arc<Project>>, name: &crate::base::ProjectName) -> Arc<Project> {
    project.cloned().unwrap_or_else(|| Arc::new(nothing(name)))
}

/// A project of which only the name is known.
fn nothing(name: &crate::base::ProjectName) -> Project {
    Project {
        name: name.clone(),
        working_dir: std::path::PathBuf::new(),
        files: Vec::new(),
        env_files: Vec::new(),
        services: Default::default(),
        disabled: Vec::new(),
        networks: Default::default(),
        volumes: Default::default(),
        secrets: Default::default(),
        configs: Default::default(),
        ext: StackExt::default(),
        extensions: Default::default(),
        nested_extensions: Vec::new(),
        models: Default::default(),
        places: Default::default(),
    }
}
