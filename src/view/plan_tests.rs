use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::base::ContainerId;
use crate::model::{Condition, ContainerState};
use crate::plan::{Difference, Instance, Kept, Note, Refusal, Target, Unavailable};
use crate::view::testing::instance;

fn step(id: u32, action: Action, after: &[u32], gates: Vec<Gate>, cause: Cause) -> Step {
    Step {
        id: StepId(id),
        action,
        after: after.iter().map(|id| StepId(*id)).collect(),
        gates,
        cause,
        undo: None,
    }
}

fn create(service: &str) -> Action {
    Action::CreateContainer {
        instance: instance(service),
        name: format!("p-{service}-1"),
        image: "sha256:1".into(),
        inherits: None,
    }
}

fn start(service: &str) -> Action {
    Action::StartContainer {
        instance: instance(service),
        target: Target::CreatedBy(StepId(0)),
        name: format!("p-{service}-1"),
    }
}

fn stop(service: &str) -> Action {
    Action::StopContainer {
        id: ContainerId::from("c"),
        name: format!("p-{service}-1"),
        service: service.into(),
        signal: None,
        grace: Duration::from_secs(10),
    }
}

fn remove(service: &str) -> Action {
    Action::RemoveContainer {
        id: ContainerId::from("c"),
        name: format!("p-{service}-1"),
        service: service.into(),
        volumes: false,
    }
}

fn plan() -> Plan {
    let differs = Cause::Differs(vec![
        Difference {
            path: "healthcheck.interval".into(),
            from: Some("10s".into()),
            to: Some("5s".into()),
        },
        Difference {
            path: "user".into(),
            from: None,
            to: Some("1000\x1b[2J".into()),
        },
    ]);
    let healthy = Gate::Dependency {
        service: "db".into(),
        condition: Condition::ServiceHealthy,
        required: true,
    };
    let mut started = step(5, start("web"), &[3, 4], vec![], differs.clone());
    started.undo = Some(Undo::PutBack {
        id: ContainerId::from("c"),
        name: "p-web-1".into(),
    });
    Plan {
        steps: vec![
            step(
                0,
                Action::CreateNetwork {
                    key: "default".into(),
                    name: "p_default".into(),
                },
                &[],
                vec![],
                Cause::Missing,
            ),
            step(1, create("db"), &[0], vec![], Cause::Missing),
            step(2, start("db"), &[1], vec![], Cause::Missing),
            step(3, create("web"), &[0], vec![], differs),
            step(4, stop("web"), &[3], vec![healthy], Cause::Replaced),
            started,
            step(
                6,
                remove("web"),
                &[5],
                vec![Gate::Proven(instance("web"))],
                Cause::Replaced,
            ),
            step(7, stop("old"), &[], vec![], Cause::Orphan),
            step(8, remove("old"), &[7], vec![], Cause::Orphan),
        ],
        kept: vec![Kept {
            state: ContainerState::Running,
            instance: Instance {
                service: "cache".into(),
                number: 1,
            },
            id: ContainerId::from("k"),
            name: "p-cache-1".into(),
            completed: false,
            healthy: false,
        }],
        notes: vec![Note {
            text: "volume p_data stays".into(),
            hint: Some("down --volumes removes it".into()),
        }],
        unavailable: vec![Unavailable {
            service: "grafana".into(),
            reason: "no registry answers".into(),
            optional: true,
            lack: crate::plan::Lack::Missing,
        }],
        ..Plan::default()
    }
}

#[test]
fn says_what_why_and_what_it_costs() {
    assert_snapshot!(text(&plan(), &Style::PLAIN), @r"
    + #0  create network p_default  it is wanted and not there
    + db is created
        it is wanted and not there
      #1  create container p-db-1  after #0
      #2  start container p-db-1   after #1
    ± web is replaced
        healthcheck.interval: 10s → 5s
        user: added 1000\x1b[2J
      #3  create container p-web-1  after #0
      #4  stop container p-web-1    after #3; when db healthy
      #5  start container p-web-1   after #3 #4; else p-web-1 is put back
      #6  remove container p-web-1  after #5; when web proven
        down from the end of #4 until what #5 starts is ready
    − old is removed
        its service is not in the stack any more
      #7  stop container p-old-1
      #8  remove container p-old-1  after #7
    – grafana is unavailable (optional): no registry answers
    note: volume p_data stays
      hint: down --volumes removes it
    9 steps; 1 container is as wanted
    ");
    assert_snapshot!(text(&plan(), &Style::ASCII), @r"
    + #0  create network p_default  it is wanted and not there
    + db is created
        it is wanted and not there
      #1  create container p-db-1  after #0
      #2  start container p-db-1   after #1
    ~ web is replaced
        healthcheck.interval: 10s -> 5s
        user: added 1000\x1b[2J
      #3  create container p-web-1  after #0
      #4  stop container p-web-1    after #3; when db healthy
      #5  start container p-web-1   after #3 #4; else p-web-1 is put back
      #6  remove container p-web-1  after #5; when web proven
        down from the end of #4 until what #5 starts is ready
    - old is removed
        its service is not in the stack any more
      #7  stop container p-old-1
      #8  remove container p-old-1  after #7
    - grafana is unavailable (optional): no registry answers
    note: volume p_data stays
      hint: down --volumes removes it
    9 steps; 1 container is as wanted
    ");
}

#[test]
fn a_refused_or_empty_plan_says_so() {
    let mut refused = plan();
    refused.steps.clear();
    refused.notes.clear();
    refused.unavailable.clear();
    refused.refusals.push(Refusal {
        text: "the name p-db-1 is held by another container".into(),
        hint: "rename it".into(),
    });
    assert_snapshot!(text(&refused, &Style::PLAIN), @r"
    ✘ refused: the name p-db-1 is held by another container
      hint: rename it
    nothing is done while anything is refused
    ");
    refused.refusals.clear();
    assert_snapshot!(text(&refused, &Style::PLAIN), @r"nothing to do: 1 container is as wanted");
    assert_eq!(text(&Plan::default(), &Style::PLAIN), "nothing to do\n");
}

#[test]
fn a_successor_that_is_proven_first_costs_nothing() {
    let plan = Plan {
        steps: vec![
            step(0, create("web"), &[], vec![], Cause::Missing),
            step(1, start("web"), &[0], vec![], Cause::Missing),
            step(
                2,
                stop("web"),
                &[1],
                vec![Gate::Proven(instance("web"))],
                Cause::Replaced,
            ),
        ],
        ..Plan::default()
    };
    assert_eq!(downtimes(&plan), [("web".to_owned(), Downtime::None)]);
}

#[test]
fn programs_get_the_same() {
    let value = to_json(&plan());
    assert_eq!(value["v"], 1);
    assert_snapshot!(value["steps"][5], @r#"{"id":5,"action":"start_container","what":"start container p-web-1","service":"web","cause":"differs","why":"healthcheck.interval: 10s → 5s; user: added 1000\u001b[2J","differences":[{"path":"healthcheck.interval","from":"10s","to":"5s"},{"path":"user","from":null,"to":"1000\u001b[2J"}],"after":[3,4],"gates":[],"puts_back":"p-web-1"}"#);
    assert_snapshot!(value["downtime"], @r#"{"web":{"kind":"between","stopped_by":4,"started_by":5},"old":{"kind":"for_good","stopped_by":7}}"#);
}
