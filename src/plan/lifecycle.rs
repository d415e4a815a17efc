//! Plans of `start`, `stop`, `restart`, `kill`, `pause` and `unpause`: containers that are there, none made and
//! none removed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::down::{depends_on, stop_of};
use super::step::{Action, Cause, Gate, Instance, Plan, Step, StepId, Target};
use crate::base::{ServiceName, Signal};
use crate::model::{Condition, Container, ContainerState, Observed, Project};

/// What happens to containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Those that do not run are started, dependencies first.
    Start,
    /// Those that run are stopped, dependents first.
    Stop,
    /// Those that run are stopped, and all are started, dependencies first.
    Restart,
    /// Those that run are sent a signal, all at once.
    Kill(Signal),
    /// Those that run are frozen, all at once.
    Pause,
    /// Those that are frozen go on, all at once.
    Unpause,
}

impl Change {
    /// The command of that name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Kill(_) => "kill",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
        }
    }

    fn cause(self) -> Cause {
        Cause::Asked(self.as_str())
    }
}

/// Which containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those of these services; of all where empty. One-off containers of `run` are left alone.
    Services(Vec<ServiceName>),
    /// Those of these services, of all that the stack has where empty.
    OfStack {
        /// The services.
        services: Vec<ServiceName>,
        /// Whether one-off containers of `run` are among them.
        oneoff: bool,
        /// Whether those of services that the stack does not have are among them.
        orphans: bool,
    },
    /// These.
    Instances(Vec<Instance>),
}

impl Which {
    /// The services that were named; none where all are meant, or single containers.
    pub fn services(&self) -> &[ServiceName] {
        match self {
            Self::Services(services) | Self::OfStack { services, .. } => services,
            Self::Instances(_) => &[],
        }
    }

    fn takes(&self, container: &Container, project: Option<&Project>) -> bool {
        let named = |services: &[ServiceName]| services.is_empty() || services.contains(&container.service);
        match self {
            Self::Services(services) => !container.oneoff && named(services),
            Self::OfStack {
                services,
                oneoff,
                orphans,
            } => {
                named(services)
                    && (*oneoff || !container.oneoff)
                    && (*orphans || project.is_none_or(|p| p.has(&container.service)))
            }
            Self::Instances(instances) => {
                !container.oneoff
                    && instances
                        .iter()
                        .any(|i| i.service == container.service && i.number == container.number)
            }
        }
    }
}

/// Plans a change of containers that are there. Without a stack file, the order comes from the labels.
pub fn plan_change(
    project: Option<&Project>,
    observed: &Observed,
    which: &Which,
    change: Change,
    grace: Option<Duration>,
) -> Plan {
    let chosen: Vec<&Container> = observed
        .containers
        .iter()
        .filter(|c| which.takes(c, project))
        .collect();
    let dependencies: BTreeMap<&ServiceName, Vec<ServiceName>> = chosen
        .iter()
        .map(|c| (&c.service, depends_on(project, c)))
        .collect();
    let mut order = dependencies_first(&dependencies);
    let mut planned = Planned {
        project,
        change,
        grace,
        plan: Plan::default(),
        last: BTreeMap::new(),
    };
    if change == Change::Stop {
        order.reverse();
    }
    for name in order {
        // What has to be done before: to the dependencies, or, where things are stopped, to the dependents.
        let before = dependencies.iter().filter(|(other, list)| match change {
            Change::Stop => list.contains(name),
            Change::Start | Change::Restart => dependencies.get(name).is_some_and(|own| own.contains(other)),
            Change::Kill(_) | Change::Pause | Change::Unpause => false,
        });
        let after: Vec<StepId> = before
            .filter(|(other, _)| **other != name)
            .flat_map(|(other, _)| planned.last.get(*other).cloned().unwrap_or_default())
            .collect();
        for container in chosen.iter().filter(|c| c.service == *name) {
            planned.container(container, &after);
        }
    }
    planned.plan
}

struct Planned<'p> {
    project: Option<&'p Project>,
    change: Change,
    grace: Option<Duration>,
    plan: Plan,
    /// The last steps of each service.
    last: BTreeMap<ServiceName, Vec<StepId>>,
}

impl Planned<'_> {
    fn container(&mut self, container: &Container, after: &[StepId]) {
        if matches!(self.change, Change::Kill(_) | Change::Pause | Change::Unpause) {
            if let Some(action) = self.at_once(container) {
                self.push(action, Vec::new());
            }
            return;
        }
        let stop = stop_of(self.project, container, self.grace);
        let runs = stop.is_some();
        let mut last = after.to_vec();
        if let Some(stop) = stop.filter(|_| self.change != Change::Start) {
            last = vec![self.push(stop, last)];
        }
        if self.change != Change::Stop && (!runs || self.change == Change::Restart) {
            let start = Action::StartContainer {
                instance: instance_of(container),
                target: Target::Existing(container.id.clone()),
                name: container.name.clone(),
            };
            let gates = self.gates(container);
            last = vec![self.push(start, last)];
            if let Some(step) = self.plan.steps.last_mut() {
                step.gates = gates;
            }
        }
        self.last
            .entry(container.service.clone())
            .or_default()
            .extend(last);
    }

    /// What is done to a container whatever becomes of the others; `None` where it is so already.
    fn at_once(&self, container: &Container) -> Option<Action> {
        let (instance, id, name) = (
            instance_of(container),
            container.id.clone(),
            container.name.clone(),
        );
        let state = &container.state;
        match self.change {
            Change::Kill(signal) => state.is_alive().then_some(Action::KillContainer {
                instance,
                id,
                name,
                signal,
            }),
            Change::Pause => {
                (*state == ContainerState::Running).then_some(Action::PauseContainer { instance, id, name })
            }
            Change::Unpause => {
                (*state == ContainerState::Paused).then_some(Action::UnpauseContainer { instance, id, name })
            }
            Change::Start | Change::Stop | Change::Restart => None,
        }
    }

    /// What a start waits for beside the steps before it: dependencies that are started by this plan and
    /// are to be more than started. `restart` waits for none, as in docker compose.
    fn gates(&self, container: &Container) -> Vec<Gate> {
        let service = self.project.and_then(|p| p.services.get(&container.service));
        let started = |name: &ServiceName| {
            self.plan.steps.iter().any(
                |s| matches!(&s.action, Action::StartContainer { instance, .. } if instance.service == *name),
            )
        };
        if self.change != Change::Start {
            return Vec::new();
        }
        service
            .iter()
            .flat_map(|service| &service.depends_on)
            .filter(|(name, dependency)| dependency.condition != Condition::ServiceStarted && started(name))
            .map(|(name, dependency)| Gate::Dependency {
                service: name.clone(),
                condition: dependency.condition,
                required: dependency.required,
            })
            .collect()
    }

    fn push(&mut self, action: Action, after: Vec<StepId>) -> StepId {
        let id = StepId(u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX));
        self.plan.steps.push(Step {
            id,
            action,
            after,
            gates: Vec::new(),
            cause: self.change.cause(),
            undo: None,
        });
        id
    }
}

fn instance_of(container: &Container) -> Instance {
    Instance {
        service: container.service.clone(),
        number: container.number,
    }
}

/// Services in an order in which each comes after those it depends on; what is in a circle comes last.
fn dependencies_first<'s>(
    dependencies: &BTreeMap<&'s ServiceName, Vec<ServiceName>>,
) -> Vec<&'s ServiceName> {
    let mut order: Vec<&ServiceName> = Vec::new();
    let mut waiting: Vec<&ServiceName> = dependencies.keys().copied().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        let still = waiting.clone();
        waiting.retain(|name| {
            let needs = dependencies.get(*name).map(Vec::as_slice).unwrap_or_default();
            let waits = still.iter().any(|other| other != name && needs.contains(other));
            if !waits {
                order.push(*name);
            }
            waits
        });
        if waiting.len() == before {
            order.append(&mut waiting);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::container;
    use crate::model::{ContainerState, labels};
    use crate::plan::text;

    fn observed(states: [ContainerState; 3]) -> Observed {
        let mut containers = [container("db", 1), container("app", 1), container("web", 1)];
        for (container, state) in containers.iter_mut().zip(states) {
            container.state = state;
        }
        for (at, needs) in [(1, "db:service_healthy:false"), (2, "app:service_started:false")] {
            let label = (labels::DEPENDS_ON.to_owned(), needs.to_owned());
            containers[at].labels.extend([label]);
        }
        let mut oneoff = container("app", 7);
        oneoff.oneoff = true;
        Observed {
            containers: containers.into_iter().chain([oneoff]).collect(),
            ..Observed::default()
        }
    }

    fn steps(observed: &Observed, which: &Which, change: Change) -> String {
        let plan = plan_change(None, observed, which, change, None);
        let lines = plan.steps.iter().map(|step| {
            let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
            format!("{} {} [{}]", step.id, text::action(&step.action), after.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    const RUNNING: [ContainerState; 3] = [
        ContainerState::Running,
        ContainerState::Running,
        ContainerState::Running,
    ];

    #[test]
    fn stops_dependents_first_and_starts_dependencies_first() {
        let all = Which::Services(Vec::new());
        let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        assert_eq!(
            steps(&observed(RUNNING), &all, Change::Stop),
            lines(
                "#0 stop container shop-web-1 []
                 #1 stop container shop-app-1 [#0]
                 #2 stop container shop-db-1 [#1]"
            )
        );
        assert_eq!(
            steps(&observed(RUNNING), &all, Change::Restart),
            lines(
                "#0 stop container shop-db-1 []
                 #1 start container shop-db-1 [#0]
                 #2 stop container shop-app-1 [#1]
                 #3 start container shop-app-1 [#2]
                 #4 stop container shop-web-1 [#3]
                 #5 start container shop-web-1 [#4]"
            )
        );
        let ended = ContainerState::Exited {
            code: 1,
            oom_killed: false,
        };
        // What runs already is waited for by nobody, and what is stopped already holds nobody up.
        let half = observed([ended.clone(), ContainerState::Running, ended]);
        assert_eq!(
            steps(&half, &all, Change::Start),
            lines(
                "#0 start container shop-db-1 []
                 #1 start container shop-web-1 [#0]"
            )
        );
        assert_eq!(
            steps(&half, &all, Change::Stop),
            "#0 stop container shop-app-1 []"
        );
    }

    #[test]
    fn signals_and_pauses_wait_for_nothing_and_reach_what_runs() {
        let mut observed = observed([
            ContainerState::Running,
            ContainerState::Paused,
            ContainerState::Exited {
                code: 0,
                oom_killed: false,
            },
        ]);
        let all = Which::Services(Vec::new());
        assert_eq!(
            steps(&observed, &all, Change::Pause),
            "#0 pause container shop-db-1 []"
        );
        assert_eq!(
            steps(&observed, &all, Change::Unpause),
            "#0 unpause container shop-app-1 []"
        );
        let hangup = Signal::parse("HUP").unwrap();
        assert_eq!(
            steps(&observed, &all, Change::Kill(hangup)),
            "#0 send SIGHUP to container shop-db-1 []\n#1 send SIGHUP to container shop-app-1 []"
        );
        observed.containers.retain(|c| c.service.as_str() == "app");
        let also_oneoff = Which::OfStack {
            services: Vec::new(),
            oneoff: true,
            orphans: false,
        };
        assert_eq!(
            steps(&observed, &also_oneoff, Change::Kill(Signal::KILL)),
            "#0 send SIGKILL to container shop-app-1 []\n#1 send SIGKILL to container shop-app-7 []"
        );
    }

    #[test]
    fn only_what_is_named_is_touched() {
        let app = Which::Services(vec!["app".into()]);
        assert_eq!(
            steps(&observed(RUNNING), &app, Change::Stop),
            "#0 stop container shop-app-1 []"
        );
        let none = Which::Instances(vec![Instance {
            service: "app".into(),
            number: 7,
        }]);
        assert_eq!(steps(&observed(RUNNING), &none, Change::Stop), "");
        assert_eq!(steps(&observed(RUNNING), &app, Change::Start), "");
    }
}
