//! Gates: pure predicates over the containers' progress, with three answers.

use std::collections::BTreeMap;

use crate::base::ServiceName;
use crate::model::Condition;
use crate::plan::{Gate, Instance};

/// How far a container is, as far as gates care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not started.
    Waiting,
    /// Its process runs.
    Running,
    /// It has proven itself; a service that nothing probes does so by running.
    Ready,
    /// It ended with exit code 0 and was meant to.
    Completed,
    /// Its provider has brought it up, which is all that can be known of it.
    Provided,
    /// It failed, in words that fit after the service's name (`exited with code 1`).
    Failed(String),
    /// No image, and the stack says that the run is good without it.
    Unavailable(String),
}

/// A gate's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Open,
    /// Not yet: what it waits for.
    Waiting(String),
    /// Never: why.
    Failed(String),
}

/// The progress of every container that gates may ask for.
pub type Table = BTreeMap<Instance, Progress>;

/// Answers a gate.
pub fn evaluate(gate: &Gate, table: &Table) -> Answer {
    match gate {
        Gate::Proven(instance) => match table.get(instance) {
            Some(Progress::Ready | Progress::Completed) => Answer::Open,
            Some(Progress::Failed(why)) => Answer::Failed(format!("{instance} {why}")),
            Some(Progress::Unavailable(why)) => Answer::Failed(format!("{instance} is unavailable: {why}")),
            _ => Answer::Waiting(format!("{instance} to prove itself")),
        },
        Gate::Dependency {
            service,
            condition,
            required,
        } => {
            let answer = dependency(service, *condition, table);
            match answer {
                Answer::Failed(_) if !required => Answer::Open,
                other => other,
            }
        }
    }
}

fn dependency(service: &ServiceName, condition: Condition, table: &Table) -> Answer {
    let mut waiting = None;
    let mut found = false;
    for (instance, progress) in table.iter().filter(|(i, _)| i.service == *service) {
        found = true;
        match one(instance, progress, condition) {
            Answer::Open => {}
            Answer::Waiting(why) => waiting = Some(why),
            failed @ Answer::Failed(_) => return failed,
        }
    }
    match waiting {
        _ if !found => Answer::Failed(format!("{service} has no container")),
        Some(why) => Answer::Waiting(why),
        None => Answer::Open,
    }
}

fn one(instance: &Instance, progress: &Progress, condition: Condition) -> Answer {
    match (progress, condition) {
        (Progress::Failed(why), _) => Answer::Failed(format!("{instance} {why}")),
        (Progress::Unavailable(why), _) => Answer::Failed(format!("{instance} is unavailable: {why}")),
        (Progress::Provided, _) => Answer::Open,
        (Progress::Completed, Condition::ServiceHealthy) => {
            Answer::Failed(format!("{instance} has ended, and cannot be healthy any more"))
        }
        (Progress::Completed, _)
        | (Progress::Ready, Condition::ServiceStarted | Condition::ServiceHealthy)
        | (Progress::Running, Condition::ServiceStarted) => Answer::Open,
        (Progress::Waiting, Condition::ServiceStarted) => Answer::Waiting(format!("{instance} to start")),
        (_, Condition::ServiceCompletedSuccessfully) => Answer::Waiting(format!("{instance} to complete")),
        (_, Condition::ServiceHealthy) => Answer::Waiting(format!("{instance} to be ready")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(progress: Progress, condition: Condition) -> Answer {
        let instance = Instance {
            service: "db".into(),
            number: 1,
        };
        let gate = Gate::Dependency {
            service: "db".into(),
            condition,
            required: true,
        };
        evaluate(&gate, &[(instance, progress)].into())
    }

    #[test]
    fn each_condition_opens_at_its_stage_and_fails_for_good() {
        use Condition::{ServiceCompletedSuccessfully as C, ServiceHealthy as H, ServiceStarted as S};
        for (progress, started, healthy, completed) in [
            (Progress::Waiting, 'w', 'w', 'w'),
            (Progress::Running, 'o', 'w', 'w'),
            (Progress::Ready, 'o', 'o', 'w'),
            (Progress::Completed, 'o', 'f', 'o'),
            (Progress::Provided, 'o', 'o', 'o'),
            (Progress::Failed("exited with code 1".into()), 'f', 'f', 'f'),
            (Progress::Unavailable("no image".into()), 'f', 'f', 'f'),
        ] {
            let letter = |answer| match answer {
                Answer::Open => 'o',
                Answer::Waiting(_) => 'w',
                Answer::Failed(_) => 'f',
            };
            let answers = [S, H, C].map(|c| letter(ask(progress.clone(), c)));
            assert_eq!(answers, [started, healthy, completed], "{progress:?}");
        }
    }

    #[test]
    fn says_why() {
        let answer = ask(
            Progress::Failed("exited with code 1".into()),
            Condition::ServiceHealthy,
        );
        assert_eq!(answer, Answer::Failed("db exited with code 1".into()));
    }

    #[test]
    fn what_is_not_required_never_blocks() {
        let gate = Gate::Dependency {
            service: "gone".into(),
            condition: Condition::ServiceHealthy,
            required: false,
        };
        assert_eq!(evaluate(&gate, &Table::new()), Answer::Open);
    }

    #[test]
    fn all_containers_of_a_service_count() {
        let table: Table = [(1, Progress::Ready), (2, Progress::Running)]
            .into_iter()
            .map(|(number, p)| {
                (
                    Instance {
                        service: "db".into(),
                        number,
                    },
                    p,
                )
            })
            .collect();
        let gate = Gate::Dependency {
            service: "db".into(),
            condition: Condition::ServiceHealthy,
            required: true,
        };
        assert_eq!(
            evaluate(&gate, &table),
            Answer::Waiting("db-2 to be ready".into())
        );
    }
}
