//! Providers and models: the steps that programs beside the engine do.

use std::sync::Arc;

use super::executor::{Outcome, execute_asking};
use super::site::{Site, Wants};
use super::state::only;
use super::worker::{Input, Output};
use crate::engine::EngineError;
use crate::event::failure::FailureReport;
use crate::event::{Body, Stage};
use crate::model::Project;
use crate::plan::{Action, Plan};
use crate::provide::{self, Order, ProvideError, Said};

/// How asking the programs beside the engine ended.
#[derive(Debug)]
pub enum Asked {
    /// All have done their part: the project with what they answered.
    Done(Arc<Project>),
    /// Some have not.
    Failed(FailureReport),
    /// The run was asked to end.
    Stopped(FailureReport),
    /// The engine was lost.
    EngineLost(EngineError),
}

/// Does the part of a plan that belongs to programs beside the engine ([`crate::plan::plan_outside`]).
pub async fn ask_outside(site: &Site, wants: &Wants, plan: &Plan) -> Asked {
    let (outcome, answers) = execute_asking(site, wants, plan).await;
    match outcome {
        Outcome::Done(report) if report.is_empty() => {
            Asked::Done(Arc::new(answers.applied_to(&wants.project)))
        }
        // A program that was told to end may have done so before the run itself heard of it.
        Outcome::Done(report) if site.stop.is_ended() => Asked::Stopped(report),
        Outcome::Done(report) => Asked::Failed(report),
        Outcome::Stopped(report) => Asked::Stopped(report),
        Outcome::EngineLost(error) => Asked::EngineLost(error),
    }
}

/// Does one step.
pub(super) async fn perform(
    site: &Site,
    wants: &Wants,
    action: &Action,
    input: &Input,
) -> Result<Output, ProvideError> {
    let (programs, stop) = (&wants.programs, site.stop.ended());
    match action {
        Action::RunProvider { service, up, .. } => {
            let spec = wants.project.services.get(service);
            let Some(provider) = spec.and_then(|spec| spec.provider.as_ref()) else {
                return Ok(Output::Nothing);
            };
            let order = Order {
                project: &wants.project.name,
                service,
                provider,
                up: *up,
            };
            let hear = |said: &Said| match said {
                Said::Info(text) => site.hub.publish(Body::Stage {
                    instance: only(service),
                    stage: Stage::Running,
                    reason: Some(text.clone()),
                }),
                Said::Debug(text) => site.hub.publish(Body::Output {
                    subject: service.to_string(),
                    line: text.clone(),
                }),
                // Said with the failure of the step; or for the dependents alone.
                Said::Error(_) | Said::Variable(..) => {}
            };
            let variables = provide::ask(programs, &order, stop, &hear).await?;
            Ok(Output::Provided(variables))
        }
        Action::FindModelRunner => {
            let runner = provide::find_runner(programs, stop).await?;
            Ok(Output::Runner(runner))
        }
        Action::PrepareModel { key, .. } => {
            let (Some(spec), Some(runner)) = (wants.project.models.get(key), &input.runner) else {
                return Ok(Output::Nothing);
            };
            let hear = |line: &str| {
                site.hub.publish(Body::Progress {
                    subject: spec.model.clone(),
                    text: line.to_owned(),
                    amount: None,
                });
            };
            provide::prepare_model(programs, runner, spec, stop, &hear).await?;
            Ok(Output::Nothing)
        }
        _ => Ok(Output::Nothing),
    }
}
