//! `platform ps`: from one list call; sees what docker compose started too.

use crate::model::{Container, Project};
use crate::view::ps::{PsRow, by_template, json, table};

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::settings::{PsFormat, PsSettings, PsShape};
use super::super::{output, terminal};
use super::check_services;

/// Shows the project's containers.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer.
pub async fn run(context: &Context, settings: PsSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&name)).await?;
    check_services(&settings.services, project.as_deref(), &containers)?;
    let shown: Vec<&Container> = containers
        .iter()
        .filter(|container| is_shown(container, &settings, project.as_deref()))
        .collect();
    let text = match &settings.shape {
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
                PsFormat::Template(template) => by_template(&rows, template, name.as_str(), now),
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
    if !settings.orphans && project.is_some_and(|p| !p.has(&container.service)) {
        return false;
    }
    if !settings.states.is_empty() {
        return settings.states.contains(&container.state.as_str());
    }
    settings.all || !container.oneoff && container.state.is_alive()
}
