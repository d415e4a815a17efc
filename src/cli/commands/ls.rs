//! `ls`: the projects that the engine has, from one list call; needs no stack.

use crate::model::Container;
use crate::view::lists::{projects, projects_json, projects_table};

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::{ListShape, LsSettings};

/// Shows the projects, whoever started them.
///
/// # Errors
/// An engine that does not answer.
pub async fn run(context: &Context, settings: LsSettings) -> Outcome {
    let engine = context.engine().await?;
    let containers = engine.list_projects().await?;
    let seen: Vec<&Container> = containers
        .iter()
        .filter(|container| settings.all || container.state.is_alive())
        .collect();
    let mut rows = projects(&seen);
    rows.retain(|row| {
        settings.names.is_empty() || settings.names.iter().any(|name| name.is_match(&row.name))
    });
    let text = match settings.shape {
        ListShape::Names => rows.iter().map(|row| format!("{}\n", row.name)).collect(),
        ListShape::Table => projects_table(&rows),
        ListShape::Json => format!("{}\n", projects_json(&rows)),
    };
    output::data(&text)?;
    Ok(Exit::AsWanted)
}
