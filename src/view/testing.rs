//! Recorded runs for the tests of the views.

use std::time::Duration;

use crate::event::{
    Body, ChainLink, ContainerExit, Event, FailedOperation, FailedService, FailureCause, FailureReport,
    ImageStage, PlannedStep, Previous, ProbeAttempt, Snapshot, Stage, StepState, TestResult, TestVerdict,
    Verdict,
};
use crate::model::{Condition, SourcePlace};
use crate::plan::text::{Deed, Object, Verb};
use crate::plan::{Instance, StepId};

/// The first container of a service.
pub(super) fn instance(service: &str) -> Instance {
    Instance {
        service: service.into(),
        number: 1,
    }
}

/// Milliseconds.
pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A report with one of everything.
pub(super) fn report() -> FailureReport {
    let not_ready = FailedService {
        chain: vec![
            ChainLink {
                service: "nginx".into(),
                condition: Condition::ServiceStarted,
            },
            ChainLink {
                service: "app".into(),
                condition: Condition::ServiceHealthy,
            },
        ],
        last_probe: Some(ProbeAttempt {
            what: "GET http://172.18.0.3:8000/health/ready".into(),
            passed: false,
            detail: "503 Service Unavailable: {\"status\":\"starting\"}".into(),
            took: Duration::from_micros(2300),
        }),
        probes: 41,
        logs: vec![
            "connecting to \x1b[31mpostgres\x1b[0m".into(),
            "still connecting".into(),
        ],
        blocks: vec!["nginx".into(), "prometheus".into()],
        previous: Some(Previous::PutBack),
        hint: Some("its database does not answer: is DATABASE_URL right?".into()),
        place: Some(SourcePlace {
            file: "stacks/devops.yaml".into(),
            line: 12,
        }),
        took: ms(30_000),
        ..FailedService::new(instance("db"), FailureCause::NotReady { deadline: ms(30_000) })
    };
    let oom = FailedService {
        exit: Some(ContainerExit {
            code: 137,
            oom_killed: true,
        }),
        ..FailedService::new(instance("worker"), FailureCause::Exited)
    };
    let start = FailedService::new(
        instance("web"),
        FailureCause::Start {
            error: "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: \
                    port is already allocated"
                .into(),
        },
    );
    FailureReport {
        services: vec![not_ready, oom, start],
        operations: vec![FailedOperation {
            what: "create network devops_devops".into(),
            error: "could not find an available address pool".into(),
            hint: Some("remove networks that nothing uses".into()),
        }],
    }
}

/// A step as announced, from its words (`create container devops-app-1`).
pub(crate) fn step(id: u32, service: Option<&str>, what: &str) -> PlannedStep {
    let mut words = what.split(' ');
    let verb = match words.next() {
        Some("start") => Verb::Start,
        Some("stop") => Verb::Stop,
        Some("remove") => Verb::Remove,
        Some("rename") => Verb::Rename,
        _ => Verb::Create,
    };
    let object = match words.next() {
        Some("network") => Object::Network,
        Some("volume") => Object::Volume,
        _ => Object::Container,
    };
    PlannedStep {
        id: StepId(id),
        what: what.into(),
        cause: "it is wanted and not there".into(),
        service: service.map(Into::into),
        deed: Deed {
            verb,
            object,
            name: words.next_back().unwrap_or_default().to_owned(),
            instance: service.filter(|_| object == Object::Container).map(instance),
        },
    }
}

fn staged(service: &str, stage: Stage) -> Body {
    Body::Stage {
        instance: instance(service),
        stage,
        reason: None,
    }
}

fn state(id: u32, state: StepState) -> Body {
    Body::Step {
        id: StepId(id),
        state,
    }
}

fn image(reference: &str, services: &[&str], stage: ImageStage) -> Body {
    Body::Image {
        reference: reference.into(),
        services: services.iter().map(|s| (*s).into()).collect(),
        stage,
    }
}

/// An `up` with a build, a replacement, a wait, an optional service without an image, a smoke test
/// that fails, and text that tries to command the terminal.
pub(super) fn up() -> Vec<Event> {
    let bodies = vec![
        (
            0,
            Body::RunStarted {
                run: "r1".into(),
                command: "up",
                project: "devops".into(),
            },
        ),
        (
            4,
            Body::EngineFound {
                description: "Docker Engine 20.10.24 (API 1.41)".into(),
                endpoint: "unix:///var/run/docker.sock".into(),
            },
        ),
        (
            20,
            image("prom/prometheus:v3", &["prometheus"], ImageStage::Present),
        ),
        (21, image("nginx:1.26.3", &["nginx"], ImageStage::Bootstrapping)),
        (22, image("grafana/grafana:12", &["grafana"], ImageStage::Pulling)),
        (
            30,
            Body::Progress {
                subject: "grafana/grafana:12".into(),
                text: "layer 2 of 7".into(),
                amount: Some((12 << 20, 48 << 20)),
            },
        ),
        (
            300,
            image(
                "grafana/grafana:12",
                &["grafana"],
                ImageStage::Unavailable {
                    reason: "no registry answers; docker load it, or name a mirror".into(),
                },
            ),
        ),
        (
            900,
            Body::Output {
                subject: "nginx:1.26.3".into(),
                line: "Setting up nginx \x1b[2J(1.26.3-3)".into(),
            },
        ),
        (
            1200,
            Body::Progress {
                subject: "nginx:1.26.3".into(),
                text: "[3/5] unpack".into(),
                amount: Some((3, 5)),
            },
        ),
        (
            9100,
            image(
                "nginx:1.26.3",
                &["nginx"],
                ImageStage::Obtained {
                    line: "built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB".into(),
                },
            ),
        ),
        (
            9110,
            Body::Planned {
                steps: vec![
                    step(0, None, "create network devops_devops"),
                    step(1, Some("app"), "create container devops-app-1"),
                    step(2, Some("app"), "start container devops-app-1"),
                    step(3, Some("nginx"), "create container devops-nginx-1"),
                    step(4, Some("nginx"), "start container devops-nginx-1"),
                ],
                kept: vec![instance("prometheus")],
                names: [(instance("prometheus"), "devops-prometheus-1".to_owned())].into(),
                unavailable: vec![("grafana".into(), "no image".into(), true)],
            },
        ),
        (9115, staged("prometheus", Stage::Ready)),
        (9120, state(0, StepState::Started)),
        (9150, state(0, StepState::Done { took: ms(30) })),
        (9151, state(1, StepState::Started)),
        (9152, state(3, StepState::Started)),
        (9200, staged("app", Stage::Created)),
        (9200, state(1, StepState::Done { took: ms(49) })),
        (9201, staged("nginx", Stage::Created)),
        (9201, state(3, StepState::Done { took: ms(49) })),
        (9202, state(2, StepState::Started)),
        (
            9203,
            state(
                4,
                StepState::Waiting {
                    reason: "app to be ready".into(),
                },
            ),
        ),
        (9400, staged("app", Stage::Running)),
        (9400, state(2, StepState::Done { took: ms(198) })),
        (
            9420,
            Body::Probed {
                instance: instance("app"),
                attempt: ProbeAttempt {
                    what: "GET http://172.18.0.3:8000/health/ready".into(),
                    passed: false,
                    detail: "503 Service Unavailable: {\"status\":\"starting\"}".into(),
                    took: ms(2),
                },
            },
        ),
        (
            9812,
            Body::Warning {
                text: "port 8080 is published on all addresses".into(),
                hint: Some("write 127.0.0.1:8080:80".into()),
            },
        ),
        (9850, staged("app", Stage::Ready)),
        (9851, state(4, StepState::Started)),
        (10_050, staged("nginx", Stage::Running)),
        (10_051, state(4, StepState::Done { took: ms(200) })),
        (10_150, staged("nginx", Stage::Ready)),
        (
            10_160,
            Body::TestStarted {
                name: "front page".into(),
            },
        ),
        (
            10_161,
            Body::TestStarted {
                name: "version".into(),
            },
        ),
        (
            10_200,
            Body::TestDone(TestResult {
                name: "front page".into(),
                verdict: TestVerdict::Passed,
                took: ms(40),
                attempts: 1,
                evidence: vec![],
            }),
        ),
        (
            10_900,
            Body::TestDone(TestResult {
                name: "version".into(),
                verdict: TestVerdict::Failed {
                    reason: "expected \"1.2\" at $.version, found \"1.1\"".into(),
                },
                took: ms(739),
                attempts: 3,
                evidence: vec![
                    "GET http://127.0.0.1:8080/version".into(),
                    "200 {\"version\":\"1.1\"}".into(),
                ],
            }),
        ),
        (
            10_901,
            Body::Finished(Verdict {
                code: 1,
                text: "1 of 2 smoke tests failed".into(),
                took: ms(10_901),
            }),
        ),
    ];
    bodies
        .into_iter()
        .zip(1..)
        .map(|((at, body), seq)| Event {
            seq,
            at: ms(at),
            body,
        })
        .collect()
}

/// The state after the events up to a moment.
pub(super) fn snapshot_at(events: &[Event], at: u64) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for event in events.iter().filter(|event| event.at <= ms(at)) {
        snapshot.apply(event);
    }
    snapshot
}
