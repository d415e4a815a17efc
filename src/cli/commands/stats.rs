//! `platform stats`: what the project's containers use of the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::{BoxStream, SelectAll};
use tokio::time::MissedTickBehavior;

use crate::base::ContainerId;
use crate::engine::EngineError;
use crate::model::{Container, Usage};
use crate::view::stats::{StatsFormat, StatsRow, stats};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::StatsSettings;
use super::check_services;

/// Between two pictures.
const PACE: Duration = Duration::from_secs(1);
/// Cursor to the top, and what is behind the cursor erased.
const HOME: &str = "\x1b[H";
const ERASE_LINE: &str = "\x1b[K\n";
const ERASE_BELOW: &str = "\x1b[J";

type Readings = SelectAll<BoxStream<'static, (ContainerId, Result<Usage, EngineError>)>>;

/// Shows readings once, or again and again until somebody stops it.
///
/// # Errors
/// No project, a service that does not exist, an engine that does not answer or goes away.
pub async fn run(context: &Context, settings: StatsSettings) -> Outcome {
    let (name, project) = context.project_or_name(&settings.services)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&name)).await?;
    check_services(&settings.services, project.as_deref(), &containers)?;
    let chosen = |containers: Vec<Container>| -> Vec<Container> {
        let named = |c: &Container| settings.services.is_empty() || settings.services.contains(&c.service);
        containers
            .into_iter()
            .filter(|c| named(c) && (settings.all || c.state.is_running()))
            .collect()
    };
    let mut containers = chosen(containers);
    if !settings.stream {
        let asked = join_all(containers.iter().map(|c| engine.stats_once(&c.id))).await;
        let mut known = BTreeMap::new();
        for (container, reading) in containers.iter().zip(asked) {
            match reading {
                Ok(used) => drop(known.insert(container.id.clone(), used)),
                Err(error) if error.is_engine_lost() => return Err(error.into()),
                // It has gone meanwhile.
                Err(_) => {}
            }
        }
        show(context, &settings, &containers, &known, false)?;
        return Ok(Exit::AsWanted);
    }
    let redraw = context.settings.terminal.stdout && settings.format != StatsFormat::Json;
    let mut known: BTreeMap<ContainerId, Usage> = BTreeMap::new();
    let mut open: BTreeSet<ContainerId> = BTreeSet::new();
    let mut readings: Readings = SelectAll::new();
    let mut tick = tokio::time::interval(PACE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for container in &containers {
            if open.insert(container.id.clone()) {
                let id = container.id.clone();
                let stream = engine.stats(&id).map(move |reading| (id.clone(), reading));
                readings.push(stream.boxed());
            }
        }
        tokio::select! {
            Some((id, reading)) = readings.next(), if !readings.is_empty() => match reading {
                Ok(used) => drop(known.insert(id, used)),
                Err(error) if error.is_engine_lost() => return Err(error.into()),
                Err(_) => {
                    known.remove(&id);
                    open.remove(&id);
                    containers.retain(|c| c.id != id);
                }
            },
            _ = tick.tick() => {
                containers = chosen(engine.list_containers(Some(&name)).await?);
                show(context, &settings, &containers, &known, redraw)?;
            }
        }
    }
}

fn show(
    context: &Context,
    settings: &StatsSettings,
    containers: &[Container],
    known: &BTreeMap<ContainerId, Usage>,
    redraw: bool,
) -> Result<(), ExpectedError> {
    let rows: Vec<StatsRow<'_>> = containers
        .iter()
        .map(|container| StatsRow {
            container,
            used: known.get(&container.id).copied(),
        })
        .collect();
    let text = stats(&rows, &settings.format, settings.full);
    let text = context.masker.mask(&text);
    if redraw {
        return output::data(&format!("{HOME}{}{ERASE_BELOW}", text.replace('\n', ERASE_LINE)));
    }
    output::data(&text)
}
