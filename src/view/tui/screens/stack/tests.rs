use std::collections::BTreeMap;
use std::time::Duration;

use super::columns;
use crate::event::live::testing::container;
use crate::event::live::{
    Alert, ContainerDetails, Fact, Level, Link, LogRecord, PlanLine, PlannedChanges, ProbeRecord, Reading,
    ServiceTraffic, Usage,
};
use crate::event::{
    Body, Event, FailedService, FailureCause, FailureReport, ImageStage, ProbeAttempt, Stage, Verdict,
};
use crate::model::observed::{Attachment, BoundPort};
use crate::model::{ContainerState, EngineHealth};
use crate::plan::Instance;
use crate::view::tui::testing::{Driven, NOON};

const STACK: &str = "
name: shop
services:
  db: {image: postgres:17, volumes: [data:/var/lib/postgresql/data]}
  migrate:
    image: shop-app:1.4.0
    depends_on: [db]
  app:
    image: shop-app:1.4.0
    scale: 2
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
  web:
    image: nginx:1.26.3
    depends_on: {app: {condition: service_healthy}}
    ports: ['8080:80']
  grafana: {image: grafana/grafana:12.2.1}
volumes: {data: {}}
";

fn instance(service: &str, number: u32) -> Instance {
    Instance {
        service: service.into(),
        number,
    }
}

fn probed(service: &str, number: u32, ms: u64, failures: u32) -> Fact {
    let passed = failures == 0;
    let record = ProbeRecord {
        at: Duration::from_secs(58),
        attempt: ProbeAttempt {
            what: format!("GET http://172.20.0.{number}:8000/health/ready"),
            passed,
            detail: if passed {
                "200 OK"
            } else {
                "503 Service Unavailable: {\"status\":\"starting\"}"
            }
            .into(),
            took: Duration::from_micros(ms * 1_000),
        },
        failures,
        allowed: 3,
    };
    Fact::Probed(instance(service, number), record)
}

fn usage(cpu: f64, mib: u64, limit_mib: u64, received: u64) -> Usage {
    Usage {
        cpu_percent: cpu,
        memory: mib << 20,
        memory_limit: limit_mib << 20,
        received,
        sent: received * 3,
        read: 12 << 20,
        written: 0,
        pids: 9,
    }
}

fn details(started: &str, finished: &str, restarts: u64) -> ContainerDetails {
    ContainerDetails {
        started_at: started.into(),
        finished_at: finished.into(),
        restart_count: restarts,
        pid: 4711,
        ..ContainerDetails::default()
    }
}

fn traffic(rate: f64, errors: f64, p95: f64) -> ServiceTraffic {
    ServiceTraffic {
        rate: Some(rate),
        errors: Some(errors),
        p95: Some(p95),
    }
}

fn alert() -> Alert {
    Alert {
        name: "HighErrorRate".into(),
        severity: "page".into(),
        state: "active".into(),
        service: Some("app".into()),
        summary: "more than 5 % of the requests to app fail".into(),
        starts_at: "2026-11-21T11:58:00Z".into(),
        fingerprint: "f1".into(),
    }
}

/// A platform as it is on a bad day.
fn busy() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    let mut db = container("db", 1);
    db.image_ref = "postgres:17".into();
    db.health = Some(EngineHealth::Healthy);
    let mut migrate = container("migrate", 1);
    migrate.state = ContainerState::Exited {
        code: 0,
        oom_killed: false,
    };
    let mut second = container("app", 2);
    second.state = ContainerState::Exited {
        code: 137,
        oom_killed: true,
    };
    let mut web = container("web", 1);
    web.image_ref = "nginx:1.26.3".into();
    web.ports = vec![BoundPort {
        target: 80,
        protocol: "tcp".into(),
        host: Some(("127.0.0.1".into(), 8080)),
    }];
    web.addresses.insert(
        "shop_default".into(),
        Attachment {
            network: "n1".into(),
            ip: "172.20.0.4".parse().ok(),
        },
    );
    let mut oneoff = container("app", 9);
    oneoff.oneoff = true;
    oneoff.name = "shop-app-run-3f2a".into();
    let old = container("cache", 1);
    driven.wait(Duration::from_secs(50));
    driven.fact(Fact::Engine(Link::Up {
        description: "Docker Engine 20.10.24 (API 1.41)".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        cpus: 2,
    }));
    driven.fact(Fact::Containers(vec![
        db,
        migrate,
        container("app", 1),
        second,
        web,
        oneoff,
        old,
    ]));
    for (id, started, finished, restarts) in [
        ("db1", "2026-11-18T12:00:00Z", "", 0),
        ("migrate1", "2026-11-21T11:00:00Z", "2026-11-21T11:00:04Z", 0),
        ("app1", "2026-11-21T11:00:05Z", "", 0),
        ("app2", "2026-11-21T11:00:05Z", "2026-11-21T11:59:01Z", 14),
        ("web1", "2026-11-21T11:00:09Z", "", 0),
    ] {
        let id = format!("{id}0123456789abcdef");
        driven.fact(Fact::Details(
            id.as_str().into(),
            details(started, finished, restarts),
        ));
    }
    for ms in [2, 3, 2, 9, 4] {
        driven.fact(probed("app", 1, ms, 0));
    }
    driven.fact(probed("web", 1, 1, 0));
    driven.fact(probed("web", 1, 2_000, 2));
    for second in 1..=8_u32 {
        driven.wait(Duration::from_secs(1));
        let loads = [
            ("db1", usage(0.02, 310, 7_900, 1_000)),
            (
                "app1",
                usage(12.5 * f64::from(second), 245, 256, 40_000 * u64::from(second)),
            ),
            ("web1", usage(3.4, 12, 64, 9_000)),
        ];
        for (id, load) in loads {
            let id = format!("{id}0123456789abcdef");
            driven.fact(Fact::Usage(id.as_str().into(), load));
        }
    }
    driven.fact(Fact::Traffic(Reading::Fresh {
        value: BTreeMap::from([
            ("app".into(), traffic(182.4, 0.061, 0.0874)),
            ("web".into(), traffic(0.0, 0.0, 0.0031)),
        ]),
        at: Duration::from_secs(57),
    }));
    driven.fact(Fact::Alerts(Reading::Fresh {
        value: vec![alert()],
        at: Duration::from_secs(57),
    }));
    let lines = [
        ("INFO:     started 日本語 e\u{301}", Level::Info),
        ("ERROR connection \x1b[31mrefused\x1b[0m", Level::Error),
    ];
    let records = lines.iter().zip(0..).map(|((text, level), n)| LogRecord {
        instance: instance("app", 1),
        container: "app10123456789abcdef".into(),
        stderr: false,
        time: NOON + 55_000_000_000 + n * 1_000_000_000,
        text: (*text).into(),
        level: Some(*level),
    });
    driven.fact(Fact::Logs(records.collect()));
    driven
}

#[test]
fn at_several_sizes() {
    let mut driven = busy();
    driven.keys("down down");
    insta::assert_snapshot!("20x5", driven.screen(20, 5));
    insta::assert_snapshot!("80x24", driven.screen(80, 24));
    insta::assert_snapshot!("120x40", driven.screen(120, 40));
    insta::assert_snapshot!("200x50", driven.screen(200, 50));
}

fn run(seq: u64, body: Body) -> Fact {
    Fact::Run(Box::new(Event {
        seq,
        at: Duration::from_secs(seq),
        body,
    }))
}

#[test]
fn a_run_shows_its_images_and_why_it_failed() {
    let mut driven = busy();
    driven.fact(run(
        1,
        Body::RunStarted {
            run: "r1".into(),
            command: "up",
            project: "shop".into(),
        },
    ));
    for (reference, stage) in [
        ("shop-app:1.4.0", ImageStage::Building),
        ("grafana/grafana:12.2.1", ImageStage::Pulling),
    ] {
        driven.fact(run(
            2,
            Body::Image {
                reference: reference.into(),
                services: vec![
                    if stage == ImageStage::Pulling {
                        "grafana"
                    } else {
                        "app"
                    }
                    .into(),
                ],
                stage,
            },
        ));
    }
    driven.fact(run(
        14,
        Body::Progress {
            subject: "shop-app:1.4.0".into(),
            text: "[3/5] RUN pip install -r requirements.txt".into(),
            amount: Some((45, 100)),
        },
    ));
    driven.keys("down down");
    let building = driven.screen(100, 30);
    insta::assert_snapshot!("building", building);
    driven.fact(run(
        20,
        Body::Image {
            reference: "grafana/grafana:12.2.1".into(),
            services: vec!["grafana".into()],
            stage: ImageStage::Failed {
                reason: "no registry could be reached".into(),
            },
        },
    ));
    driven.fact(run(
        20,
        Body::Image {
            reference: "shop-app:1.4.0".into(),
            services: vec!["app".into()],
            stage: ImageStage::Obtained {
                line: "built in 18 s".into(),
            },
        },
    ));
    driven.fact(run(
        21,
        Body::Stage {
            instance: instance("grafana", 1),
            stage: Stage::Failed,
            reason: Some("it has no image".into()),
        },
    ));
    let mut failed = FailedService::new(
        instance("grafana", 1),
        FailureCause::NoImage {
            reason: "no registry could be reached".into(),
        },
    );
    failed.hint = Some("mark it `x-platform: {optional: true}`, or load the image".into());
    driven.fact(run(
        22,
        Body::Failure(FailureReport {
            services: vec![failed],
            operations: Vec::new(),
        }),
    ));
    driven.fact(run(
        23,
        Body::Finished(Verdict {
            code: 1,
            text: "1 of 5 services failed: grafana".into(),
            took: Duration::from_secs(21),
        }),
    ));
    driven.keys("down down down");
    insta::assert_snapshot!("failed", driven.screen(100, 30));
}

/// The names in the rows, in order.
fn names(driven: &mut Driven) -> Vec<String> {
    driven.keys("=");
    driven.app.shared.marked.clear();
    order(driven)
}

fn order(driven: &mut Driven) -> Vec<String> {
    let screen = driven.screen(120, 40);
    screen
        .lines()
        .skip(3)
        .map(|line| line.chars().skip(1).collect::<String>())
        .take_while(|line| line.starts_with(['●', '○', '✖', '▲', '◐']))
        .filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned))
        .collect()
}

#[test]
fn rows_are_sorted_by_columns_and_back() {
    let mut driven = busy();
    let usual = ["db", "migrate", "app", "app-2", "web", "grafana", "cache"];
    assert_eq!(names(&mut driven), usual);
    driven.keys("C");
    assert_eq!(
        order(&mut driven).get(..3),
        Some(&["app", "web", "db"].map(String::from)[..])
    );
    driven.keys("C");
    assert_eq!(
        order(&mut driven).get(..3),
        Some(&["db", "web", "app"].map(String::from)[..])
    );
    driven.keys("N !");
    assert_eq!(order(&mut driven).first().map(String::as_str), Some("web"));
    driven.keys("W");
    assert_eq!(order(&mut driven).first().map(String::as_str), Some("app-2"));
    // To the next column and back again, then the stack's own order.
    driven.keys("N > <");
    assert_eq!(order(&mut driven).first().map(String::as_str), Some("app"));
    assert_eq!(names(&mut driven), usual);
}

#[test]
fn every_command_that_sorts_names_a_column() {
    for spec in super::COMMANDS {
        if let Some(name) = spec.id.0.strip_prefix(super::SORT) {
            assert!(columns::by_name(name).is_some(), "{name}");
        }
    }
}

#[test]
fn filters_and_faults() {
    let mut driven = busy();
    driven.keys("/ n g i n x");
    assert_eq!(order(&mut driven), ["web"], "while it is typed");
    driven.keys("esc");
    assert_eq!(order(&mut driven).len(), 7, "given up");
    driven.keys("/ ! a p p enter");
    assert_eq!(order(&mut driven), ["db", "migrate", "web", "grafana", "cache"]);
    assert!(driven.screen(120, 40).contains("5 of 7 · /!app"));
    driven.keys("esc f");
    let faults = order(&mut driven);
    assert_eq!(faults, ["app", "app-2", "web", "grafana"], "app has an alert");
    driven.keys("/ x x x enter");
    assert!(driven.screen(80, 24).contains("nothing contains `xxx`"));
    driven.keys("esc");
    assert_eq!(order(&mut driven).len(), 7);
}

#[test]
fn the_selection_is_everywheres_and_survives_sorting() {
    let mut driven = busy();
    driven.keys("down down down down C");
    assert_eq!(driven.app.shared.selected, Some(instance("web", 1)));
    driven.keys("up");
    assert_eq!(driven.app.shared.selected, Some(instance("app", 1)));
    // What is filtered away is selected no more: actions are on what is seen.
    driven.keys("/ g r a f enter");
    assert_eq!(driven.app.shared.selected, Some(instance("grafana", 1)));
    driven.keys("*");
    assert_eq!(driven.app.shared.marked.len(), 1, "only what is shown");
}

#[test]
fn only_what_is_in_sight_is_measured() {
    let mut driven = busy();
    driven.screen(120, 40);
    let ids = |driven: &Driven| {
        let needs = driven.app.needs();
        let ids = needs
            .usage
            .iter()
            .map(|id| id.as_str().trim_end_matches("0123456789abcdef").to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&driven), ["app1", "cache1", "db1", "web1"]);
    driven.keys("enter");
    driven.screen(120, 5);
    assert_eq!(ids(&driven), ["app1", "db1"]);
    assert!(driven.app.needs().traffic);
    // No room for any of its columns.
    driven.screen(20, 5);
    assert_eq!((ids(&driven), driven.app.needs().traffic), (Vec::new(), false));
    driven.keys("C");
    driven.screen(20, 5);
    assert_eq!(ids(&driven).len(), 4, "whoever sorts by it needs all");
}

#[test]
fn what_cannot_be_asked_is_marked_and_the_rest_lives() {
    let mut driven = busy();
    let gone = || "GET http://172.20.0.7:9090: connection refused".to_owned();
    driven.wait(Duration::from_secs(2));
    driven.fact(Fact::Traffic(Reading::Stale {
        last: None,
        why: gone(),
    }));
    driven.fact(Fact::Alerts(Reading::Nobody(
        "no service runs an Alertmanager".into(),
    )));
    driven.keys("down down");
    insta::assert_snapshot!("prometheus_away", driven.screen(120, 30));
}

#[test]
fn on_a_small_screen_the_details_stand_instead() {
    let mut driven = busy();
    driven.screen(40, 8);
    driven.keys("down down down enter");
    insta::assert_snapshot!("small_details", driven.screen(40, 8));
    driven.keys("down down");
    let scrolled = driven.screen(40, 8);
    assert!(
        !scrolled.contains(
            "memory
"
        ),
        "{scrolled}"
    );
    driven.keys("esc");
    assert!(driven.screen(40, 8).contains("NAME"));
}

#[test]
fn clicks_select_and_sort() {
    use crate::view::tui::app::Message;
    let mut driven = busy();
    driven.screen(120, 40);
    driven.message(Message::Click(5, 7));
    assert_eq!(driven.app.shared.selected, Some(instance("web", 1)));
    let screen = driven.screen(120, 40);
    let heading = screen.lines().nth(2).unwrap();
    let at = heading.find("CPU%").unwrap();
    driven.message(Message::Click(u16::try_from(at).unwrap(), 2));
    assert_eq!(order(&mut driven).first().map(String::as_str), Some("app"));
}

#[test]
fn columns_are_those_of_the_settings() {
    let mut driven = busy();
    driven
        .app
        .shared
        .settings
        .columns
        .insert("stack", vec!["memory", "name"]);
    let screen = driven.screen(80, 12);
    let heading = screen.lines().nth(2).unwrap();
    assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), ["MEM", "NAME"]);
}

#[test]
fn differences_from_the_files_are_told() {
    let mut driven = busy();
    driven.fact(Fact::Plan(Ok(std::sync::Arc::new(PlannedChanges {
        at: Duration::ZERO,
        lines: vec![PlanLine {
            what: "replace container shop-web-1".into(),
            cause: "its configuration changed".into(),
            service: Some("web".into()),
            differences: vec![("image".into(), "nginx:1.26.3".into(), "nginx:1.27.0".into())],
        }],
        notes: Vec::new(),
        refused: false,
    }))));
    driven.keys("down down down down");
    let screen = driven.screen(120, 50);
    assert!(screen.contains("image  nginx:1.26.3 → nginx:1.27.0"), "{screen}");
}

#[test]
fn what_is_remembered_comes_back() {
    let mut driven = busy();
    driven.keys("M ! enter");
    let remembered = driven.app.remember();
    let mut next = busy();
    next.app.recall(&remembered);
    next.keys("up");
    assert_eq!(next.screen(80, 24), driven.screen(80, 24));
}

#[test]
fn without_containers_the_services_are_there() {
    let mut driven = Driven::of_stack(STACK);
    let before = driven.screen(80, 10);
    assert!(
        before.contains("unknown") && !before.contains("not there"),
        "{before}"
    );
    driven.fact(Fact::Containers(Vec::new()));
    assert!(driven.screen(80, 10).contains("not there"));
    let mut driven = Driven::new(None);
    assert!(driven.screen(80, 10).contains("the engine is asked"));
    driven.fact(Fact::Containers(Vec::new()));
    assert!(driven.screen(80, 10).contains("no container"));
}
