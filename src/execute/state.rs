//! The executor's state: which steps can run, and what a failure blocks. Pure, so that every
//! order of messages can be tried without a runtime.

use std::collections::BTreeMap;

use super::gate::{self, Answer, Progress, Table};
use crate::base::{ContainerId, ServiceName};
use crate::plan::{Action, Instance, Plan, StepId};

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Will not be done.
    Blocked,
}

/// How much may be begun now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Operations of any kind.
    pub operations: usize,
    /// Operations other than stops among them.
    pub work: usize,
    /// Starts of containers among these.
    pub starts: usize,
    /// The engine's cores. A start takes about one of them, so while as many starts that others
    /// wait for are under way, a less urgent one would only make these take longer.
    pub cores: usize,
}

/// What became of the pending steps when the state was asked to go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// Steps to start now, the most urgent first; they count as running from here on.
    pub start: Vec<StepId>,
    /// Steps that will never be done, and why.
    pub blocked: Vec<(StepId, String)>,
    /// Steps that newly wait at a gate, and for what.
    pub waiting: Vec<(StepId, String)>,
}

/// The state of one execution.
#[derive(Debug)]
pub struct State {
    status: Vec<Status>,
    said: Vec<Option<String>>,
    urgency: Vec<u32>,
    created: BTreeMap<StepId, ContainerId>,
    /// How far each container is.
    pub table: Table,
}

impl State {
    /// The state before anything was done. `stop_starting` steps are left for [`State::advance`].
    pub fn new(plan: &Plan) -> Self {
        let mut table = Table::new();
        for one in &plan.unavailable {
            let instance = only(&one.service);
            let progress = if one.optional {
                Progress::Unavailable(one.reason.clone())
            } else {
                Progress::Failed(format!("has no image: {}", one.reason))
            };
            table.insert(instance, progress);
        }
        for kept in &plan.kept {
            let progress = if kept.completed {
                Progress::Completed
            } else {
                Progress::Running
            };
            table.insert(kept.instance.clone(), progress);
        }
        for service in &plan.provided {
            table.insert(only(service), Progress::Provided);
        }
        for step in &plan.steps {
            match &step.action {
                Action::CreateContainer { instance, .. } | Action::StartContainer { instance, .. } => {
                    table.insert(instance.clone(), Progress::Waiting);
                }
                Action::RunProvider {
                    service, up: true, ..
                } => {
                    table.insert(only(service), Progress::Waiting);
                }
                _ => {}
            }
        }
        Self {
            status: vec![Status::Pending; plan.steps.len()],
            said: vec![None; plan.steps.len()],
            urgency: urgency(plan),
            created: BTreeMap::new(),
            table,
        }
    }

    /// Looks at all pending steps: which can begin in the room there is, and which never will.
    pub fn advance(&mut self, plan: &Plan, room: Room) -> Advance {
        let mut out = Advance::default();
        let mut ready = Vec::new();
        // Blocking one step may block others; go on until nothing changes.
        loop {
            let mut changed = false;
            ready.clear();
            for step in &plan.steps {
                let index = step.id.0 as usize;
                if self.status[index] != Status::Pending {
                    continue;
                }
                match self.answer(plan, index) {
                    Answer::Open => ready.push(step.id),
                    Answer::Waiting(reason) => {
                        if !reason.is_empty() && self.said[index].as_ref() != Some(&reason) {
                            self.said[index] = Some(reason.clone());
                            out.waiting.push((step.id, reason));
                        }
                    }
                    Answer::Failed(reason) => {
                        self.status[index] = Status::Blocked;
                        if let Action::CreateContainer { instance, .. }
                        | Action::StartContainer { instance, .. } = &step.action
                            && !matches!(self.table.get(instance), Some(Progress::Failed(_)))
                        {
                            let progress = Progress::Failed(format!("was not started: {reason}"));
                            self.table.insert(instance.clone(), progress);
                        }
                        out.blocked.push((step.id, reason));
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        ready.sort_by_key(|id| (std::cmp::Reverse(self.urgency[id.0 as usize]), *id));
        self.fit(plan, room, &mut ready);
        for id in &ready {
            self.status[id.0 as usize] = Status::Running;
        }
        out.start = ready;
        out
    }

    /// Keeps the steps that there is room for, and that do not get in the way of more urgent ones.
    fn fit(&self, plan: &Plan, mut room: Room, ready: &mut Vec<StepId>) {
        let mut starting: Vec<u32> = plan
            .steps
            .iter()
            .filter(|s| matches!(s.action, Action::StartContainer { .. }))
            .map(|s| s.id.0 as usize)
            .filter(|index| self.status[*index] == Status::Running)
            .map(|index| self.urgency[index])
            .collect();
        ready.retain(|id| {
            let Some(step) = plan.step(*id) else { return false };
            let fits = match &step.action {
                Action::StopContainer { .. } => room.operations > 0,
                Action::StartContainer { .. } => {
                    let urgency = self.urgency[id.0 as usize];
                    let more_urgent = starting.iter().filter(|u| **u > urgency).count();
                    let fits =
                        room.operations.min(room.work).min(room.starts) > 0 && more_urgent < room.cores;
                    if fits {
                        starting.push(urgency);
                        room.starts -= 1;
                        room.work -= 1;
                    }
                    fits
                }
                _ => {
                    let fits = room.operations.min(room.work) > 0;
                    room.work -= usize::from(fits);
                    fits
                }
            };
            room.operations -= usize::from(fits);
            fits
        });
    }

    fn answer(&self, plan: &Plan, index: usize) -> Answer {
        let Some(step) = plan.steps.get(index) else {
            return Answer::Waiting(String::new());
        };
        let mut open = true;
        for after in &step.after {
            match self.status.get(after.0 as usize) {
                Some(Status::Done) => {}
                Some(Status::Failed | Status::Blocked) => {
                    let what = plan
                        .step(*after)
                        .map_or_else(String::new, |s| crate::plan::text::action(&s.action));
                    return Answer::Failed(format!("could not {what}"));
                }
                _ => open = false,
            }
        }
        let mut waiting = None;
        for one in &step.gates {
            match gate::evaluate(one, &self.table) {
                Answer::Open => {}
                Answer::Waiting(why) => waiting = Some(why),
                failed @ Answer::Failed(_) => return failed,
            }
        }
        match waiting {
            None if open => Answer::Open,
            // Only a step that nothing but a gate holds up has something to say.
            Some(why) if open => Answer::Waiting(why),
            _ => Answer::Waiting(String::new()),
        }
    }

    /// A step is done; a creating one says what it created.
    pub fn done(&mut self, id: StepId, created: Option<ContainerId>) {
        self.set(id, Status::Done);
        if let Some(container) = created {
            self.created.insert(id, container);
        }
    }

    /// A step failed.
    pub fn failed(&mut self, id: StepId) {
        self.set(id, Status::Failed);
    }

    fn set(&mut self, id: StepId, status: Status) {
        if let Some(slot) = self.status.get_mut(id.0 as usize) {
            *slot = status;
        }
    }

    /// The container that a step created.
    pub fn created(&self, id: StepId) -> Option<&ContainerId> {
        self.created.get(&id)
    }

    /// A step's container is another now (it had to be created again).
    pub fn recreated(&mut self, id: StepId, container: ContainerId) {
        self.created.insert(id, container);
    }

    /// Whether no step is pending.
    pub fn is_through(&self) -> bool {
        !self
            .status
            .iter()
            .any(|s| matches!(s, Status::Pending | Status::Running))
    }
}

/// The one instance of a service that has no containers.
pub fn only(service: &ServiceName) -> Instance {
    Instance {
        service: service.clone(),
        number: 1,
    }
}

/// How many steps wait for each step, directly or not: the longest way through the plan first.
fn urgency(plan: &Plan) -> Vec<u32> {
    let mut urgency = vec![0u32; plan.steps.len()];
    // A start that opens a gate for another service is followed by that service's steps.
    for index in (0..plan.steps.len()).rev() {
        let step = &plan.steps[index];
        let followers = plan.steps.iter().enumerate().filter(|(other, follower)| {
            *other != index
                && (follower.after.contains(&step.id)
                    || follower.gates.iter().any(|gate| opens(&step.action, gate)))
        });
        let longest = followers.map(|(other, _)| urgency[other] + 1).max().unwrap_or(0);
        urgency[index] = urgency[index].max(longest);
    }
    urgency
}

fn opens(action: &Action, gate: &crate::plan::Gate) -> bool {
    match (action, gate) {
        (Action::StartContainer { instance, .. }, crate::plan::Gate::Dependency { service, .. }) => {
            instance.service == *service
        }
        (Action::StartContainer { instance, .. }, crate::plan::Gate::Proven(proven)) => instance == proven,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Condition;
    use crate::plan::{Cause, Gate, Step, Target};

    const WIDE: Room = Room {
        operations: 8,
        work: 8,
        starts: 8,
        cores: 8,
    };

    fn plan() -> Plan {
        let instance = |service: &str| Instance {
            service: service.into(),
            number: 1,
        };
        let step = |id: u32, action, after: &[u32], gates| Step {
            id: StepId(id),
            action,
            after: after.iter().map(|a| StepId(*a)).collect(),
            gates,
            cause: Cause::Missing,
            undo: None,
        };
        let create = |service: &str| Action::CreateContainer {
            instance: instance(service),
            name: service.into(),
            image: "i".into(),
            inherits: None,
        };
        let start = |service: &str, by| Action::StartContainer {
            instance: instance(service),
            target: Target::CreatedBy(StepId(by)),
            name: service.into(),
        };
        let gate = Gate::Dependency {
            service: "db".into(),
            condition: Condition::ServiceHealthy,
            required: true,
        };
        Plan {
            steps: vec![
                step(0, create("other"), &[], vec![]),
                step(1, start("other", 0), &[0], vec![]),
                step(2, create("db"), &[], vec![]),
                step(3, start("db", 2), &[2], vec![]),
                step(4, create("web"), &[], vec![]),
                step(5, start("web", 4), &[4], vec![gate]),
            ],
            ..Plan::default()
        }
    }

    fn ids(list: &[StepId]) -> Vec<u32> {
        list.iter().map(|s| s.0).collect()
    }

    #[test]
    fn the_longest_way_goes_first_and_gates_hold() {
        let plan = plan();
        let mut state = State::new(&plan);
        assert_eq!(ids(&state.advance(&plan, WIDE).start), [2, 0, 4]);
        for id in [0, 2, 4] {
            state.done(StepId(id), Some("c".into()));
        }
        let next = state.advance(&plan, WIDE);
        assert_eq!(ids(&next.start), [3, 1]);
        assert_eq!(
            next.waiting,
            [(StepId(5), "db to start".to_owned())].map(|(i, _)| (i, "db to be ready".into()))
        );
        state.done(StepId(3), None);
        state.table.insert(
            Instance {
                service: "db".into(),
                number: 1,
            },
            Progress::Running,
        );
        assert!(state.advance(&plan, WIDE).start.is_empty());
        state.table.insert(
            Instance {
                service: "db".into(),
                number: 1,
            },
            Progress::Ready,
        );
        assert_eq!(ids(&state.advance(&plan, WIDE).start), [5]);
    }

    /// The plan with its containers created.
    fn created(plan: &Plan, room: Room) -> State {
        let mut state = State::new(plan);
        assert_eq!(ids(&state.advance(plan, room).start), [2, 0, 4]);
        for id in [0, 2, 4] {
            state.done(StepId(id), Some("c".into()));
        }
        state
    }

    #[test]
    fn a_start_that_nobody_waits_for_does_not_slow_down_one_that_opens_a_gate() {
        let plan = plan();
        let room = Room { cores: 1, ..WIDE };
        let mut state = created(&plan, room);
        assert_eq!(ids(&state.advance(&plan, room).start), [3]);
        assert_eq!(ids(&state.advance(&plan, room).start), [0u32; 0]);
        state.done(StepId(3), None);
        assert_eq!(ids(&state.advance(&plan, room).start), [1]);
    }

    #[test]
    fn starts_have_a_bound_of_their_own() {
        let plan = plan();
        let mut state = created(&plan, Room { starts: 1, ..WIDE });
        assert_eq!(ids(&state.advance(&plan, Room { starts: 1, ..WIDE }).start), [3]);
        assert_eq!(
            ids(&state.advance(&plan, Room { starts: 0, ..WIDE }).start),
            [0u32; 0]
        );
    }

    #[test]
    fn stops_take_no_room_from_work() {
        let stop = |id: u32| Step {
            id: StepId(id),
            action: Action::StopContainer {
                service: "s".into(),
                id: "c".into(),
                name: "s".into(),
                signal: None,
                grace: std::time::Duration::from_secs(10),
            },
            after: vec![],
            gates: vec![],
            cause: Cause::Missing,
            undo: None,
        };
        let plan = Plan {
            steps: (0..6).map(stop).collect(),
            ..Plan::default()
        };
        let room = Room {
            work: 0,
            operations: 5,
            ..WIDE
        };
        assert_eq!(
            ids(&State::new(&plan).advance(&plan, room).start),
            [0, 1, 2, 3, 4]
        );
    }

    #[test]
    fn a_failure_blocks_dependents_and_nothing_else() {
        let plan = plan();
        let mut state = State::new(&plan);
        state.advance(&plan, WIDE);
        state.failed(StepId(2));
        state.table.insert(
            Instance {
                service: "db".into(),
                number: 1,
            },
            Progress::Failed("could not be created".into()),
        );
        state.done(StepId(0), None);
        state.done(StepId(4), None);
        let next = state.advance(&plan, WIDE);
        assert_eq!(ids(&next.start), [1]);
        let blocked: Vec<_> = next
            .blocked
            .iter()
            .map(|(id, why)| (id.0, why.as_str()))
            .collect();
        assert_eq!(
            blocked,
            [
                (3, "could not create container db"),
                (5, "db could not be created")
            ]
        );
        state.done(StepId(1), None);
        assert!(state.is_through());
    }
}
