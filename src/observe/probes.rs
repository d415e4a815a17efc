//! Each running instance's own probe, tried again and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Shared, instance_of};
use crate::base::ContainerId;
use crate::event::ProbeAttempt;
use crate::event::live::{Fact, ProbeRecord};
use crate::model::{Container, NetworkMode, Service};
use crate::plan::Instance;
use crate::probe::{Attempt, Context, Outcome, Probe, ProbeKind, Prober, Verdict, probe_of};

/// Between two tries over the network.
const NETWORK: Duration = Duration::from_secs(2);
/// The same, as long as none has passed.
const NETWORK_AT_FIRST: Duration = Duration::from_millis(500);
/// Between two commands in a container, at least: each costs the engine about 100 ms.
const EXEC: Duration = Duration::from_secs(10);
const EXEC_AT_FIRST: Duration = Duration::from_secs(2);
/// A log is read to its end or for so long.
const LOG: Duration = Duration::from_secs(5);
/// How much longer than its timeout a try may take before it is dropped.
const OVERTIME: Duration = Duration::from_millis(500);
/// How many failures in a row are too many where the service does not say (Engine API, `HealthConfig`).
const RETRIES: u32 = 3;

/// Tries probes until nobody listens.
pub(super) async fn run(mut shared: Shared, mut asked: mpsc::UnboundedReceiver<Vec<Instance>>) {
    let mut tasks = JoinSet::new();
    let mut tried: BTreeMap<ContainerId, Tried> = BTreeMap::new();
    loop {
        reconcile(&mut shared, &mut tasks, &mut tried);
        tokio::select! {
            changed = shared.there.changed() => if changed.is_err() { return },
            changed = shared.stack.changed() => if changed.is_err() { return },
            instances = asked.recv() => match instances {
                None => return,
                Some(instances) => {
                    for one in tried.values().filter(|one| instances.contains(&one.instance)) {
                        one.now.notify_one();
                    }
                }
            },
            // A service without a probe ends its task at once.
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            () = shared.facts.closed() => return,
        }
    }
}

/// A container whose probe is tried.
struct Tried {
    instance: Instance,
    service: Arc<Service>,
    network_of: Option<ContainerId>,
    life: u64,
    task: AbortHandle,
    now: Arc<Notify>,
}

fn reconcile(shared: &mut Shared, tasks: &mut JoinSet<()>, tried: &mut BTreeMap<ContainerId, Tried>) {
    let there = shared.there.borrow_and_update().clone();
    let Some(project) = shared.stack.borrow_and_update().clone() else {
        return;
    };
    if !there.reached {
        // What the engine does not tell of may be gone; what is tried says so itself.
        return;
    }
    let running = |c: &&Container| c.state.is_running() && !c.oneoff;
    let wanted: BTreeMap<&ContainerId, (&Container, &Service, Option<ContainerId>)> = there
        .containers
        .iter()
        .filter(running)
        .filter_map(|container| {
            let service = project.services.get(&container.service)?;
            let owner = match &service.network_mode {
                Some(NetworkMode::Service(owner)) => there
                    .containers
                    .iter()
                    .filter(running)
                    .find(|c| c.service == *owner)
                    .map(|c| c.id.clone()),
                _ => None,
            };
            Some((&container.id, (container, service, owner)))
        })
        .collect();
    tried.retain(|id, one| {
        let keep = wanted.get(id).is_some_and(|(_, service, owner)| {
            one.life == there.life(id) && *one.service == **service && one.network_of == *owner
        });
        if !keep {
            one.task.abort();
        }
        keep
    });
    for (id, (container, service, owner)) in wanted {
        if tried.contains_key(id) {
            continue;
        }
        let (service, now) = (Arc::new(service.clone()), Arc::new(Notify::new()));
        let life = there.life(id);
        let subject = Subject {
            container: container.clone(),
            service: service.clone(),
            network_of: owner.clone(),
            is_new: life > 0,
        };
        let one = Tried {
            instance: instance_of(container),
            service,
            network_of: owner,
            life,
            task: tasks.spawn(subject.try_for_ever(shared.clone(), now.clone())),
            now,
        };
        tried.insert(id.clone(), one);
    }
}

struct Subject {
    container: Container,
    service: Arc<Service>,
    network_of: Option<ContainerId>,
    /// Whether it was seen to start.
    is_new: bool,
}

impl Subject {
    /// Its probe; nothing where it has none, or one that cannot be tried.
    async fn probe(&self, shared: &Shared) -> Option<Probe> {
        // The image's own health check counts where the service has no probe of ours.
        let image = if self.service.ext.probe.is_some() {
            None
        } else {
            let found = shared.setting.engine.image(self.container.image.as_str()).await;
            found.ok().flatten()
        };
        probe_of(&self.container.service, &self.service, image.as_ref())
            .ok()
            .flatten()
    }

    async fn try_for_ever(self, shared: Shared, now: Arc<Notify>) {
        let Some(probe) = self.probe(&shared).await else {
            return;
        };
        let setting = &shared.setting;
        let started_at = setting.clock.now();
        let host = shared.there.borrow().host.clone();
        let context = Context {
            engine: &*setting.engine,
            clock: &*setting.clock,
            container: self.container.id.clone(),
            network_of: self.network_of.clone(),
            started_at,
            host: &host,
            execs: &setting.execs,
            masker: &setting.masker,
            stop: CancellationToken::new(),
        };
        let mut prober = Prober::new(&context, &probe);
        let instance = instance_of(&self.container);
        let (mut number, mut failures, mut passed) = (0, 0u32, false);
        loop {
            number += 1;
            let attempt = one_try(&context, &probe, &mut prober, number).await;
            let verdict = attempt.outcome.verdict();
            match verdict {
                Verdict::Pass => (failures, passed) = (0, true),
                Verdict::Fail => failures = failures.saturating_add(1),
                // It says nothing about the service.
                Verdict::Unknown => {}
            }
            if verdict != Verdict::Unknown {
                let since = attempt.at.saturating_sub(started_at);
                let record = ProbeRecord {
                    at: setting.clock.now(),
                    attempt: ProbeAttempt::from(&attempt),
                    failures,
                    allowed: self.allowed(&probe, failures, passed, since),
                };
                if !shared.tell(Fact::Probed(instance.clone(), record)).await {
                    return;
                }
            }
            match pause(&probe, passed) {
                None => now.notified().await,
                Some(pause) => tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = now.notified() => {}
                },
            }
        }
    }

    /// How many failures in a row are too many. One that was just started is given the time that its
    /// definition gives it: until then one more is always allowed.
    fn allowed(&self, probe: &Probe, failures: u32, passed: bool, since: Duration) -> u32 {
        let pace = &probe.pace;
        let allowed = pace.patience.map_or(RETRIES, |patience| patience.retries.max(1));
        let time = pace.deadline.unwrap_or(pace.start_period);
        if self.is_new && !passed && since < time {
            allowed.max(failures.saturating_add(1))
        } else {
            allowed
        }
    }
}

async fn one_try(context: &Context<'_>, probe: &Probe, prober: &mut Prober<'_>, number: u32) -> Attempt {
    // Waiting for a place is not the service's time.
    let _place = match probe.kind {
        ProbeKind::Exec(_) => context.execs.hold().await,
        _ => None,
    };
    let timeout = match probe.kind {
        ProbeKind::Log(_) => LOG,
        _ => probe.pace.timeout,
    };
    let at = context.clock.now();
    let tried = tokio::time::timeout(timeout + OVERTIME, prober.attempt(timeout)).await;
    let (tried, outcome) = tried.unwrap_or_else(|_| {
        let what = "the engine did not answer in time".to_owned();
        ("probe".to_owned(), Outcome::Unknown { what })
    });
    Attempt {
        number,
        at,
        took: context.clock.now().saturating_sub(at),
        tried,
        outcome,
    }
}

/// Until the next try; `None` where one that passed proves all there is to prove.
fn pause(probe: &Probe, passed: bool) -> Option<Duration> {
    Some(match (&probe.kind, passed) {
        (ProbeKind::Http(_) | ProbeKind::Tcp(_), true) => NETWORK,
        (ProbeKind::Http(_) | ProbeKind::Tcp(_), false) => NETWORK_AT_FIRST,
        (ProbeKind::Exec(_), true) => probe.pace.patience.map_or(EXEC, |p| p.interval.max(EXEC)),
        (ProbeKind::Exec(_) | ProbeKind::Log(_), false) => EXEC_AT_FIRST,
        // Its line was written: that does not change in this life.
        (ProbeKind::Log(_), true) => return None,
    })
}
