//! From what is there to what is wanted, also when the engine goes away on the way: observe,
//! plan, execute, and again from the start when an answer was lost.

use std::time::Duration;

use super::executor::{Outcome, execute};
use super::site::{Site, Wants};
use crate::engine::{EngineError, Wanted};
use crate::event::failure::{ContainerExit, FailedService, FailureCause, FailureReport};
use crate::event::{Body, Stage};
use crate::model::{ContainerState, Observed, RestartPolicy};
use crate::plan::{Instance, Plan};

/// How often a run starts over because an answer was lost.
const ROUNDS: u32 = 12;

/// How a convergence ended.
#[derive(Debug)]
pub enum Converged {
    /// The plan was done as far as it could be.
    Done {
        /// What failed; empty where all is as wanted.
        report: FailureReport,
        /// The last plan.
        plan: Plan,
        /// What was there at the end.
        observed: Observed,
        /// Whether anything was done at all.
        changed: bool,
    },
    /// The plan may not be done.
    Refused(Plan),
    /// The run was asked to end.
    Stopped(FailureReport),
    /// The engine did not come back.
    EngineGone(EngineError),
}

/// Converges. `plan_of` is asked anew each time something was observed; `seen` is what the caller
/// has just observed itself, and saves the first time.
pub async fn converge(
    site: &Site,
    wants: &Wants,
    wanted: &Wanted,
    mut seen: Option<Observed>,
    engine_timeout: Duration,
    plan_of: &(dyn Fn(&Observed) -> Plan + Sync),
) -> Converged {
    let mut changed = false;
    let mut rounds = 0;
    loop {
        let error = match round(site, wants, wanted, seen.take(), plan_of, &mut changed).await {
            Ok(converged) => return converged,
            Err(error) if error.is_engine_lost() => error,
            Err(error) => return Converged::EngineGone(error),
        };
        rounds += 1;
        if rounds > ROUNDS {
            return Converged::EngineGone(error);
        }
        site.hub.publish(Body::EngineLost {
            reason: error.to_string(),
        });
        match wait_for_engine(site, engine_timeout).await {
            Some(after) => site.hub.publish(Body::EngineBack { after }),
            None if site.stop.is_ended() => {
                return Converged::Stopped(FailureReport::default());
            }
            None => return Converged::EngineGone(error),
        }
    }
}

async fn round(
    site: &Site,
    wants: &Wants,
    wanted: &Wanted,
    seen: Option<Observed>,
    plan_of: &(dyn Fn(&Observed) -> Plan + Sync),
    changed: &mut bool,
) -> Result<Converged, EngineError> {
    let observed = match seen {
        Some(observed) => observed,
        None => tokio::select! {
            observed = site.engine.observe(wanted) => observed?,
            () = site.stop.ended() => return Ok(Converged::Stopped(FailureReport::default())),
        },
    };
    let mut plan = plan_of(&observed);
    if plan.refusals.is_empty() {
        plan.refusals = super::ports::refusals(site, wants, &plan).await?;
    }
    if !plan.refusals.is_empty() {
        return Ok(Converged::Refused(plan));
    }
    for note in &plan.notes {
        site.hub.publish(Body::Warning {
            text: note.text.clone(),
            hint: note.hint.clone(),
        });
    }
    *changed |= !plan.is_empty();
    match execute(site, wants, &plan).await {
        Outcome::EngineLost(error) => Err(error),
        Outcome::Stopped(report) => Ok(Converged::Stopped(report)),
        Outcome::Done(mut report) => {
            let observed = if plan.is_empty() {
                observed
            } else {
                let observed = tokio::select! {
                    observed = site.engine.observe(wanted) => observed?,
                    () = site.stop.ended() => return Ok(Converged::Stopped(report)),
                };
                report
                    .services
                    .extend(verify(site, wants, &observed).await.services);
                observed
            };
            Ok(Converged::Done {
                report,
                plan,
                observed,
                changed: *changed,
            })
        }
    }
}

/// What was proven must still be so: the containers of this run that were ready and, as `observed`
/// tells, do not run any more. Their stages are published.
pub async fn verify(site: &Site, wants: &Wants, observed: &Observed) -> FailureReport {
    let mut report = FailureReport::default();
    let snapshot = site.hub.snapshot();
    let by_provider = |instance: &Instance| {
        let service = wants.project.services.get(&instance.service);
        service.is_some_and(|service| service.provider.is_some())
    };
    for (instance, view) in snapshot
        .instances
        .iter()
        .filter(|(instance, view)| view.stage == Stage::Ready && !by_provider(instance))
    {
        let found = observed
            .containers
            .iter()
            .find(|c| !c.oneoff && c.service == instance.service && c.number == instance.number);
        let ends = wants
            .project
            .services
            .get(&instance.service)
            .is_some_and(|s| super::prove::restart_policy(s) == RestartPolicy::No);
        let (cause, exit) = match found.map(|c| &c.state) {
            Some(ContainerState::Exited { code: 0, .. }) if ends => {
                let reason = Some("ran to its end".to_owned());
                site.hub.publish(Body::Stage {
                    instance: instance.clone(),
                    stage: Stage::Completed,
                    reason,
                });
                continue;
            }
            Some(ContainerState::Exited { code, oom_killed }) => (
                FailureCause::Exited,
                Some(ContainerExit {
                    code: *code,
                    oom_killed: *oom_killed,
                }),
            ),
            Some(ContainerState::Restarting) => (FailureCause::Restarting { times: 1 }, None),
            Some(ContainerState::Dead) => (FailureCause::Exited, None),
            Some(ContainerState::Removing) | None => (FailureCause::Removed, None),
            Some(ContainerState::Created | ContainerState::Running | ContainerState::Paused) => continue,
        };
        let mut failure = FailedService::new(instance.clone(), cause);
        failure.exit = exit;
        failure.took = view.since;
        super::report::locate(&wants.project, &mut failure);
        if let Some(found) = found {
            super::prove::gather(site, &found.id, &mut failure, None).await;
        }
        let words = failure.in_words();
        site.hub.publish(Body::Stage {
            instance: instance.clone(),
            stage: Stage::Failed,
            reason: Some(format!("{words}, after it had been ready")),
        });
        report.services.push(failure);
    }
    report
}

/// Waits until the engine answers again; `None` where it did not within `timeout` or the run
/// was asked to end.
pub async fn wait_for_engine(site: &Site, timeout: Duration) -> Option<Duration> {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    let began = site.clock.now();
    let mut pause = FIRST;
    loop {
        let left = timeout.saturating_sub(site.clock.now().saturating_sub(began));
        if left.is_zero() {
            return None;
        }
        tokio::select! {
            answer = tokio::time::timeout(left, site.engine.info()) => {
                if matches!(answer, Ok(Ok(_))) {
                    return Some(site.clock.now().saturating_sub(began));
                }
            }
            () = site.stop.ended() => return None,
        }
        tokio::select! {
            () = tokio::time::sleep(pause.min(left)) => {}
            () = site.stop.ended() => return None,
        }
        pause = (pause * 2).min(LONGEST);
    }
}
