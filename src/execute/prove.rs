//! Proving one started container: ready by its probe, completed by its exit, or failed with
//! everything that explains why.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::site::{Site, Wants};
use crate::base::{ContainerId, Moment};
use crate::engine::{EngineError, Exit, LogOptions};
use crate::event::failure::{ContainerExit, FailedService, FailureCause, LOG_LINES};
use crate::event::{Body, ProbeAttempt, Stage};
use crate::model::{Condition, RestartPolicy, Service};
use crate::plan::Instance;
use crate::probe::{Context, GaveUp, NotReady, ProbeSource, Readiness, probe_of, until_ready};

/// A service that nothing probes has to run this long to count as up.
const SETTLE: Duration = Duration::from_millis(100);
/// A start that takes longer than this tells of a machine on which an exit takes longer as well.
const USUAL_START: Duration = Duration::from_millis(800);
/// The longest that such a service has to run.
const LONGEST_SETTLE: Duration = Duration::from_secs(1);
/// How often a container that the engine restarts may end before it counts as failed.
const RESTARTS_ALLOWED: u32 = 5;
/// How long gathering evidence about a failure may take.
const EVIDENCE: Duration = Duration::from_secs(3);

/// What a proof showed.
#[derive(Debug)]
pub enum Proof {
    /// It is ready.
    Ready,
    /// It ended with exit code 0 and was meant to.
    Completed,
    /// It failed.
    Failed(Box<FailedService>),
    /// The run was asked to end first.
    Stopped,
}

/// A container to prove.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Which.
    pub instance: Instance,
    /// The container.
    pub id: ContainerId,
    /// When it was started, or first seen.
    pub started_at: Moment,
    /// How long the engine took to start it.
    pub start_took: Duration,
    /// Whether it ran before and is as wanted, and what the engine's health check last said.
    pub kept: Option<KeptHealth>,
}

/// What is known of a container that ran before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptHealth {
    /// It runs.
    Running,
    /// It runs and the engine's own health check passed last time.
    Healthy,
}

/// Proves a container.
///
/// # Errors
/// The engine's, where it is lost; a failure of the service is a [`Proof`].
pub async fn prove(
    site: &Site,
    wants: &Wants,
    subject: &Subject,
    stop: CancellationToken,
    on_ready: impl FnOnce(),
) -> Result<Proof, EngineError> {
    let Some(service) = wants.project.services.get(&subject.instance.service) else {
        return Ok(Proof::Ready);
    };
    let awaited = is_awaited_to_the_end(wants, subject);
    let probe = match probe_of(
        &subject.instance.service,
        service,
        wants.images.get(&subject.instance.service),
    ) {
        Ok(probe) => probe,
        Err(error) => {
            let cause = FailureCause::Other {
                text: error.to_string(),
            };
            return Ok(Proof::Failed(Box::new(FailedService::new(
                subject.instance.clone(),
                cause,
            ))));
        }
    };
    match (&probe, subject.kept) {
        // It was seen running a moment ago.
        (None, Some(_)) if !awaited => return Ok(Proof::Ready),
        // Its own check costs a process in it, and the engine has just run it.
        (Some(probe), Some(KeptHealth::Healthy)) if probe.source == ProbeSource::Healthcheck && !awaited => {
            return Ok(Proof::Ready);
        }
        _ => {}
    }
    let lost = Lost::default();
    let times = Mutex::new(0);
    let watch = ended(site, subject, service, &times, &lost, &stop);
    let outcome = if let Some(probe) = probe {
        let network_of = match &service.network_mode {
            Some(crate::model::NetworkMode::Service(owner)) => container_of(site, wants, owner).await?,
            _ => None,
        };
        let context = Context {
            engine: &*site.engine,
            clock: &*site.clock,
            container: subject.id.clone(),
            network_of,
            started_at: subject.started_at,
            host: &site.host,
            execs: &site.execs,
            masker: &site.masker,
            stop: stop.clone(),
        };
        let mut last = None;
        let readiness = until_ready(&context, &probe, watch, |attempt| {
            let attempt = ProbeAttempt::from(attempt);
            last = Some(attempt.clone());
            site.hub.publish(Body::Probed {
                instance: subject.instance.clone(),
                attempt,
            });
        });
        let readiness = match site.options.wait_timeout {
            Some(limit) => match tokio::time::timeout(limit, readiness).await {
                Ok(readiness) => readiness,
                Err(_) => {
                    return failed(
                        site,
                        subject,
                        FailureCause::NotReady { deadline: limit },
                        last,
                        0,
                        None,
                    )
                    .await;
                }
            },
            None => readiness.await,
        };
        match readiness {
            Readiness::Ready { .. } => {
                if awaited {
                    on_ready();
                    let watch = ended(site, subject, service, &times, &lost, &stop);
                    let exit = watch.await;
                    return after_exit(site, subject, exit, &times, None, 0).await;
                }
                return Ok(Proof::Ready);
            }
            Readiness::Failed { reason, attempts, .. } => (reason, last, attempts),
        }
    } else if awaited {
        tokio::select! {
            exit = watch => return after_exit(site, subject, exit, &times, None, 0).await,
            () = stop.cancelled() => (NotReady::Stopped, None, 0),
        }
    } else {
        tokio::select! {
            exit = watch => (NotReady::Exited(exit), None, 0),
            () = stop.cancelled() => (NotReady::Stopped, None, 0),
            () = tokio::time::sleep(settle(subject.start_took)) => return Ok(Proof::Ready),
        }
    };
    if let Some(error) = lost.take() {
        return Err(error);
    }
    let (reason, last, attempts) = outcome;
    match reason {
        NotReady::Stopped => Ok(Proof::Stopped),
        NotReady::Exited(exit) => {
            let ends = matches!(restart_policy(service), RestartPolicy::No);
            if exit.code == 0 && ends {
                return Ok(Proof::Completed);
            }
            after_exit(site, subject, exit, &times, last, attempts).await
        }
        NotReady::GaveUp(GaveUp::Deadline(waited)) => {
            failed(
                site,
                subject,
                FailureCause::NotReady { deadline: waited },
                last,
                attempts,
                None,
            )
            .await
        }
        NotReady::GaveUp(GaveUp::Retries {
            failures: counted, ..
        }) => {
            failed(
                site,
                subject,
                FailureCause::Unhealthy { failures: counted },
                last,
                attempts,
                None,
            )
            .await
        }
    }
}

/// How long a container that nothing probes has to run to count as up: longer where its start took
/// longer than usual, in proportion.
fn settle(start_took: Duration) -> Duration {
    let slowness = start_took.as_secs_f64() / USUAL_START.as_secs_f64();
    SETTLE.mul_f64(slowness.max(1.0)).min(LONGEST_SETTLE)
}

/// Whether a service waits for this one to run to its end.
fn is_awaited_to_the_end(wants: &Wants, subject: &Subject) -> bool {
    wants.project.services.values().any(|other| {
        other
            .depends_on
            .get(&subject.instance.service)
            .is_some_and(|d| d.condition == Condition::ServiceCompletedSuccessfully)
    })
}

async fn container_of(
    site: &Site,
    wants: &Wants,
    service: &crate::base::ServiceName,
) -> Result<Option<ContainerId>, EngineError> {
    let wanted = crate::engine::Wanted {
        project: Some(wants.project.name.clone()),
        ..Default::default()
    };
    let observed = site.engine.observe(&wanted).await?;
    Ok(observed
        .containers
        .into_iter()
        .find(|c| c.service == *service && !c.oneoff)
        .map(|c| c.id))
}

/// The policy in force: `deploy.restart_policy` over `restart`.
pub fn restart_policy(service: &Service) -> RestartPolicy {
    service
        .deploy
        .as_ref()
        .and_then(|d| d.restart_policy)
        .or(service.restart)
        .unwrap_or(RestartPolicy::No)
}

/// An engine error that ended a watch from within a future that cannot return it.
#[derive(Default)]
struct Lost(Arc<Mutex<Option<EngineError>>>);

impl Lost {
    fn set(&self, error: EngineError) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }

    fn take(&self) -> Option<EngineError> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }
}

/// Resolves when the container has ended for good: with no restart by its policy, or after too
/// many. A lost engine cancels `stop` and is kept in `lost`.
async fn ended(
    site: &Site,
    subject: &Subject,
    service: &Service,
    times: &Mutex<u32>,
    lost: &Lost,
    stop: &CancellationToken,
) -> Exit {
    let policy = restart_policy(service);
    loop {
        let exit = match site.engine.wait_container(&subject.id).await {
            Ok(exit) => exit,
            Err(error) => {
                lost.set(error);
                stop.cancel();
                return std::future::pending().await;
            }
        };
        let count = {
            let mut times = times.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *times += 1;
            *times
        };
        let restarts = match policy {
            RestartPolicy::No => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure(most) => exit.code != 0 && most.is_none_or(|m| count <= m),
        };
        if !restarts || count >= RESTARTS_ALLOWED {
            return exit;
        }
        site.hub.publish(Body::Stage {
            instance: subject.instance.clone(),
            stage: Stage::Restarting,
            reason: Some(format!(
                "exited with code {}; the engine starts it again ({count} of {RESTARTS_ALLOWED})",
                exit.code
            )),
        });
        // The engine waits a little longer before each restart; meanwhile the container does not run.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn after_exit(
    site: &Site,
    subject: &Subject,
    exit: Exit,
    times: &Mutex<u32>,
    last: Option<ProbeAttempt>,
    attempts: u32,
) -> Result<Proof, EngineError> {
    if exit.code == 0 && last.is_none() && attempts == 0 {
        return Ok(Proof::Completed);
    }
    let times = *times.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cause = if times > 1 {
        FailureCause::Restarting { times }
    } else {
        FailureCause::Exited
    };
    failed(site, subject, cause, last, attempts, Some(exit)).await
}

/// A failure with its evidence.
async fn failed(
    site: &Site,
    subject: &Subject,
    cause: FailureCause,
    last: Option<ProbeAttempt>,
    attempts: u32,
    exit: Option<Exit>,
) -> Result<Proof, EngineError> {
    let mut report = FailedService::new(subject.instance.clone(), cause);
    report.last_probe = last;
    report.probes = attempts;
    report.took = site.clock.now().saturating_sub(subject.started_at);
    gather(site, &subject.id, &mut report, exit).await;
    Ok(Proof::Failed(Box::new(report)))
}

/// Adds to a failure what the engine knows about its container: how it ended and its last lines.
/// What cannot be had in time is left out.
pub async fn gather(site: &Site, id: &ContainerId, report: &mut FailedService, exit: Option<Exit>) {
    let inspected = tokio::time::timeout(EVIDENCE, site.engine.inspect(id)).await;
    let mut oom_killed = exit.is_some_and(|e| e.oom_killed);
    let mut code = exit.map(|e| e.code);
    if let Ok(Ok(inspected)) = inspected {
        if let crate::model::ContainerState::Exited {
            code: found,
            oom_killed: oom,
        } = inspected.state
        {
            oom_killed |= oom;
            code.get_or_insert(found);
        }
        if let FailureCause::Restarting { times } = &mut report.cause {
            *times = (*times).max(u32::try_from(inspected.restart_count).unwrap_or(u32::MAX));
        }
    }
    if let Some(code) = code {
        report.exit = Some(ContainerExit { code, oom_killed });
    }
    let options = LogOptions {
        tail: Some(LOG_LINES as u64),
        ..LogOptions::default()
    };
    let mut lines = site.engine.logs(id, options);
    let collect = async {
        while let Some(Ok(line)) = lines.next().await {
            let text = String::from_utf8_lossy(&line.bytes).into_owned();
            report.logs.push(site.masker.mask(&text).into_owned());
        }
    };
    let _ = tokio::time::timeout(EVIDENCE, collect).await;
    let surplus = report.logs.len().saturating_sub(LOG_LINES);
    report.logs.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_machine_is_given_longer_to_show_an_exit() {
        let of = |ms| settle(Duration::from_millis(ms)).as_millis();
        assert_eq!([of(0), of(300), of(800)], [100, 100, 100]);
        assert_eq!([of(1600), of(4000), of(60_000)], [200, 500, 1000]);
    }
}
