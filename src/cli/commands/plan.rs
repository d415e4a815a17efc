//! `plan`: what `up` would do and why; nothing is changed.

use crate::engine::Wanted;
use crate::plan::{Plan, plan_up};
use crate::view;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session;
use super::super::settings::{PlanFormat, PlanSettings};
use super::up::{self, images};

/// Runs `plan`.
///
/// # Errors
/// The stack's or the engine's; a plan that is refused.
pub async fn run(context: &Context, settings: PlanSettings) -> Outcome {
    let project = up::prepared(context, &settings.what)?;
    let project = context.with_api_socket(&project).await;
    let engine = context.engine().await?;
    let wanted = Wanted::of(&project);
    let observed = tokio::select! {
        observed = engine.observe(&wanted) => observed?,
        signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
    };
    let wants = session::wants(&project, session::images_of(&project, &observed));
    let states = images::foreseen(&project, &observed);
    let options = up::plan_options(&project, &settings.what, &wants);
    let plan = plan_up(&project, &observed, &states, &options);
    show(context, &plan, settings.format)?;
    let idle = plan.is_settled() && plan.refusals.is_empty();
    Ok(match (plan.refusals.is_empty(), settings.exit_code && !idle) {
        (true, false) => Exit::AsWanted,
        _ => Exit::NotAsWanted,
    })
}

fn show(context: &Context, plan: &Plan, format: PlanFormat) -> Result<(), ExpectedError> {
    let global = &context.settings;
    let text = match format {
        PlanFormat::Text => view::plan::text(plan, &global.stdout),
        PlanFormat::Json => format!("{:#}\n", view::plan::to_json(plan)),
    };
    output::data(&text)
}
