//! `platform ps`: from one list call; sees what docker compose started too.

use std::sync::Arc;

use crate::base::ServiceName;
use crate::model::{Container, ContainerState, Project};
use crate::stack::diagnostic::did_you_mean;
use crate::view::ps::{PsRow, json, table};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::settings::{PsFormat, PsSettings, PsShape};
use super::super::{output, terminal};

/// Shows the project's containers.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: PsSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&name)).await?;
    check_services(&settings.services, project.as_ref(), &containers)?;
    let shown: Vec<&Container> = containers
        .iter()
        .filter(|container| is_shown(container, &settings, project.as_deref()))
        .collect();
    let text = match settings.shape {
        PsShape::Ids => lines(shown.iter().map(|c| c.id.as_str())),
        PsShape::Services => {
            let mut names: Vec<&str> = shown.iter().map(|c| c.service.as_str()).collect();
            names.dedup();
            lines(names)
        }
        PsShape::Rows(format) => {
            let rows: Vec<PsRow<'_>> = shown
                .into_iter()
                .map(|container| PsRow {
                    container,
                    remark: None,
                })
                .collect();
            let now = jiff::Timestamp::now().as_second();
            match format {
                PsFormat::Json => rows
                    .iter()
                    .map(|row| format!("{}\n", json(row, name.as_str(), now)))
                    .collect(),
                PsFormat::Table => {
                    let columns = terminal::size_of(std::io::stdout())
                        .map(|(columns, _)| usize::from(columns))
                        .filter(|_| !settings.full);
                    table(&rows, now, columns, &context.settings.stdout)
                }
            }
        }
    };
    output::data(&context.masker.mask(&text))?;
    Ok(Exit::AsWanted)
}

fn lines<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    items.into_iter().map(|item| format!("{item}\n")).collect()
}

fn is_shown(container: &Container, settings: &PsSettings, project: Option<&Project>) -> bool {
    if !settings.services.is_empty() && !settings.services.contains(&container.service) {
        return false;
    }
    if !settings.orphans
        && project.is_some_and(|p| {
            !p.services.contains_key(&container.service) && !p.disabled.contains(&container.service)
        })
    {
        return false;
    }
    if !settings.states.is_empty() {
        return settings.states.contains(&container.state.as_str());
    }
    settings.all
        || !container.oneoff
            && matches!(
                container.state,
                ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
            )
}

/// Refuses names that neither the stack nor a container has.
///
/// # Errors
/// The first such name, with the nearest there is.
pub fn check_services(
    named: &[ServiceName],
    project: Option<&Arc<Project>>,
    containers: &[Container],
) -> Result<(), ExpectedError> {
    let mut known: Vec<&str> = project.map_or_else(Vec::new, |p| {
        p.services
            .keys()
            .chain(&p.disabled)
            .map(ServiceName::as_str)
            .collect()
    });
    known.extend(containers.iter().map(|c| c.service.as_str()));
    for name in named {
        if !known.contains(&name.as_str()) {
            return Err(ExpectedError::NoSuchThing {
                message: format!("no service `{name}`"),
                hint: did_you_mean(name.as_str(), known.iter().copied()).or_else(|| {
                    let mut names = known.clone();
                    names.sort_unstable();
                    names.dedup();
                    (!names.is_empty()).then(|| format!("there is: {}", names.join(", ")))
                }),
            });
        }
    }
    Ok(())
}
