use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::*;
use crate::base::ContainerId;
use crate::event::{Body, Event, StepState, Verdict};
use crate::model::{Condition, ContainerState, Dependency, Service, StackExt};
use crate::plan::{Cause, Note, Step, StepId};
use crate::view::testing::{self, ms};

fn project() -> Project {
    let service = |image: &str, needs: &[&str]| Service {
        image: Some(image.into()),
        depends_on: needs
            .iter()
            .map(|name| {
                let dependency = Dependency {
                    condition: Condition::ServiceHealthy,
                    restart: false,
                    required: true,
                };
                ((*name).into(), dependency)
            })
            .collect(),
        ..Service::default()
    };
    let link = |name: &str, url: &str, service: &str| crate::model::ext::Link {
        name: name.into(),
        url: url.into(),
        service: Some(service.into()),
    };
    Project {
        name: "devops".into(),
        working_dir: "/".into(),
        files: vec![],
        env_files: vec![],
        services: [
            ("app".into(), service("devops-app:1", &[])),
            ("nginx".into(), service("nginx:1.26.3", &["app"])),
            ("prometheus".into(), service("prom/prometheus:v3", &[])),
            ("grafana".into(), service("grafana/grafana:12", &["prometheus"])),
        ]
        .into_iter()
        .collect(),
        disabled: vec![],
        networks: Default::default(),
        volumes: Default::default(),
        secrets: Default::default(),
        configs: Default::default(),
        places: Default::default(),
        extensions: Default::default(),
        nested_extensions: Vec::new(),
        models: Default::default(),
        ext: StackExt {
            links: vec![
                link("front page", "http://127.0.0.1:8080/", "nginx"),
                link("dashboards", "http://127.0.0.1:3000/", "grafana"),
            ],
            ..StackExt::default()
        },
    }
}

fn container(service: &str, port: Option<u16>) -> Container {
    Container {
        id: ContainerId::from("1"),
        name: format!("devops-{service}-1"),
        service: service.into(),
        number: 1,
        oneoff: false,
        state: ContainerState::Running,
        health: None,
        image: "sha256:1".into(),
        image_ref: "x".into(),
        labels: [(
            labels::IMAGE_SOURCE.to_owned(),
            format!("built from images/{service}"),
        )]
        .into(),
        addresses: Default::default(),
        ports: port
            .map(|port| BoundPort {
                target: 80,
                protocol: "tcp".into(),
                host: Some(("127.0.0.1".into(), port)),
            })
            .into_iter()
            .collect(),
        volumes: Vec::new(),
        command: String::new(),
        created: 0,
        status: "Up".into(),
    }
}

fn summary(columns: Option<usize>, style: &Style) -> String {
    let snapshot = testing::snapshot_at(&testing::up(), 20_000);
    let containers = [
        container("nginx", Some(8080)),
        container("prometheus", None),
        container("app", None),
    ];
    let facts = UpFacts {
        snapshot: &snapshot,
        project: &project(),
        containers: &containers,
    };
    up(&facts, columns, style)
}

#[test]
fn up_says_where_everything_is() {
    assert_snapshot!(summary(None, &Style::PLAIN), @r"
    SERVICE      STATE            TOOK   PORTS                    IMAGE
    app          ✔ ready         450ms                            devops-app:1 ← built from images/app
    nginx        ✔ ready         100ms   127.0.0.1:8080->80/tcp   nginx:1.26.3 ← built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB
    prometheus   ✔ ready                                          prom/prometheus:v3 ← built from images/prometheus
    grafana      – unavailable                                    grafana/grafana:12
    – grafana is unavailable: no image
    front page  http://127.0.0.1:8080/
    smoke tests: 1 passed, 1 failed
    ✘ 1 of 2 smoke tests failed (10.9s)
      longest way: images 9.1s → app 750ms → nginx 300ms
    ");
    assert_snapshot!(summary(Some(80), &Style::PLAIN), @r"
    SERVICE      STATE            TOOK   PORTS                  IMAGE
    app          ✔ ready         450ms                          devops-app:1 ← buil…
    nginx        ✔ ready         100ms   127.0.0.1:8080->80/…   nginx:1.26.3 ← buil…
    prometheus   ✔ ready                                        prom/prometheus:v3 …
    grafana      – unavailable                                  grafana/grafana:12
    – grafana is unavailable: no image
    front page  http://127.0.0.1:8080/
    smoke tests: 1 passed, 1 failed
    ✘ 1 of 2 smoke tests failed (10.9s)
      longest way: images 9.1s → app 750ms → nginx 300ms
    ");
    assert_snapshot!(summary(Some(30), &Style::ASCII), @r"
    SERVICE      STATE
    app          + ready
    nginx        + ready
    prometheus   + ready
    grafana      - unavailable
    - grafana is unavailable: no
    image
    front page  http://127.0.0.1:8080/
    smoke tests: 1 passed, 1 failed
    x 1 of 2 smoke tests failed (10.9s)
      longest way: images 9.1s -> app 750ms -> nginx 300ms
    ");
}

#[test]
fn the_longest_way_adds_up() {
    let snapshot = testing::snapshot_at(&testing::up(), 20_000);
    let path = critical_path(&snapshot, &project());
    let names: Vec<&str> = path.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["images", "app", "nginx"]);
    let sum: Duration = path.iter().map(|(_, took)| *took).sum();
    assert_eq!(sum, ms(10_150), "when nginx was ready");
    assert_eq!(critical_path(&Snapshot::default(), &project()), []);
}

#[test]
fn down_says_what_is_gone_and_what_stays() {
    let action = |id: u32, action| Step {
        id: StepId(id),
        action,
        after: vec![],
        gates: vec![],
        cause: Cause::Down,
        undo: None,
    };
    let remove = |service: &str| Action::RemoveContainer {
        id: ContainerId::from("1"),
        name: format!("p-{service}-1"),
        service: service.into(),
        volumes: false,
    };
    let network = Action::RemoveNetwork {
        id: "n".into(),
        name: "p_default".into(),
    };
    let plan = Plan {
        steps: vec![action(0, remove("a")), action(1, remove("b")), action(2, network)],
        notes: vec![Note {
            text: "volume p_data stays".into(),
            hint: Some("down --volumes removes it".into()),
        }],
        ..Plan::default()
    };
    let steps = plan.steps.iter().map(crate::event::PlannedStep::of).collect();
    let mut bodies = vec![Body::Planned {
        steps,
        kept: vec![],
        names: BTreeMap::new(),
        unavailable: vec![],
    }];
    bodies.extend((0..3).map(|id| Body::Step {
        id: StepId(id),
        state: StepState::Done { took: ms(5) },
    }));
    bodies.push(Body::Finished(Verdict {
        code: 0,
        text: "p is down".into(),
        took: ms(420),
    }));
    let mut snapshot = Snapshot::default();
    for body in bodies {
        snapshot.apply(&Event {
            seq: 1,
            at: ms(1),
            body,
        });
    }
    assert_snapshot!(down(&plan, &snapshot, &Style::PLAIN), @r"
    volume p_data stays
      down --volumes removes it
    removed: 2 containers, 1 network
    ✔ p is down (420ms)
    ");
}
