//! `platform events`: what happens to the project's containers, as it happens.

use futures_util::StreamExt;

use crate::engine::EventQuery;
use crate::model::labels;
use crate::view::events::{json, line};

use super::super::context::Context;
use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::settings::EventsSettings;
use super::check_services;
use super::logs::time;

/// Shows events until `--until`, or for ever.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer or goes away.
pub async fn run(context: &Context, settings: EventsSettings) -> Outcome {
    let now = jiff::Timestamp::now();
    let at = |flag, text: &Option<String>| text.as_deref().map(|text| time(flag, text, now)).transpose();
    let (since, until) = (at("--since", &settings.since)?, at("--until", &settings.until)?);
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    if !settings.services.is_empty() {
        let containers = engine.list_containers(Some(&name)).await?;
        check_services(&settings.services, project.as_deref(), &containers)?;
    }
    let query = EventQuery {
        project: Some(name),
        kinds: vec!["container".into()],
        since,
        until,
        ..EventQuery::default()
    };
    let mut events = engine.object_events(&query).await?;
    while let Some(event) = events.next().await {
        let event = event?;
        let label = |name: &str| event.attributes.get(name).map(String::as_str).unwrap_or_default();
        let service = label(labels::SERVICE);
        let named = settings.services.is_empty() || settings.services.iter().any(|s| s.as_str() == service);
        if !named || label(labels::ONEOFF) == "True" {
            continue;
        }
        let text = if settings.json { json(&event) } else { line(&event) };
        output::data(&context.masker.mask(&text))?;
    }
    Ok(Exit::AsWanted)
}
