use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::event::{
    ChainLink, ContainerExit, FailedOperation, PlannedStep, ProbeAttempt, Stage, TestResult, Verdict,
};
use crate::model::{Condition, SourcePlace};
use crate::plan::StepId;
use crate::plan::text::{Deed, Object, Verb};

const DOCUMENT: &str = include_str!("../../docs/progress-json.md");

fn instance(service: &str) -> Instance {
    Instance {
        service: service.into(),
        number: 1,
    }
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The place of an event's kind in the document. Written out so that a new kind does not compile
/// without one here, and then fails below without an example and a section.
fn kind(body: &Body) -> usize {
    match body {
        Body::RunStarted { .. } => 0,
        Body::EngineFound { .. } => 1,
        Body::EngineLost { .. } => 2,
        Body::EngineBack { .. } => 3,
        Body::WaitingForLock { .. } => 4,
        Body::Image { .. } => 5,
        Body::Progress { .. } => 6,
        Body::Output { .. } => 7,
        Body::Planned { .. } => 8,
        Body::Step { .. } => 9,
        Body::Stage { .. } => 10,
        Body::Probed { .. } => 11,
        Body::TestStarted { .. } => 12,
        Body::TestDone(_) => 13,
        Body::Warning { .. } => 14,
        Body::Info { .. } => 15,
        Body::Stopping { .. } => 16,
        Body::Failure(_) => 17,
        Body::Finished(_) => 18,
    }
}

const KINDS: usize = 19;

/// The examples of the document, in its order.
fn examples() -> Vec<Body> {
    let image = |stage| Body::Image {
        reference: "nginx:1.26.3".into(),
        services: vec!["nginx".into()],
        stage,
    };
    let step = |id, state| Body::Step {
        id: StepId(id),
        state,
    };
    let probe = ProbeAttempt {
        what: "GET http://172.18.0.3:8000/health/ready".into(),
        passed: false,
        detail: "503 Service Unavailable: {\"status\":\"starting\"}".into(),
        took: Duration::from_micros(2300),
    };
    let test = |verdict| {
        Body::TestDone(TestResult {
            name: "front page".into(),
            verdict,
            took: ms(41),
            attempts: 1,
            evidence: vec!["GET http://127.0.0.1:8080/: 200 OK".into()],
        })
    };
    vec![
        Body::RunStarted {
            run: "01k9x2".into(),
            command: "up",
            project: "devops".into(),
        },
        Body::EngineFound {
            description: "Docker Engine 20.10.24 (API 1.41)".into(),
            endpoint: "unix:///var/run/docker.sock".into(),
        },
        Body::EngineLost {
            reason: "connection refused".into(),
        },
        Body::EngineBack { after: ms(2100) },
        Body::WaitingForLock {
            holder: "platform up, process 4711, since 3 s".into(),
        },
        image(ImageStage::Present),
        image(ImageStage::Pulling),
        image(ImageStage::Building),
        image(ImageStage::Bootstrapping),
        image(ImageStage::Obtained {
            line: "built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB".into(),
        }),
        image(ImageStage::Unavailable {
            reason: "no registry answers".into(),
        }),
        image(ImageStage::Failed {
            reason: "the build failed".into(),
        }),
        Body::Progress {
            subject: "nginx:1.26.3".into(),
            text: "[3/5] unpack".into(),
            amount: Some((3, 5)),
        },
        Body::Output {
            subject: "nginx:1.26.3".into(),
            line: "Setting up nginx (1.26.3-3) ...".into(),
        },
        Body::Planned {
            steps: vec![PlannedStep {
                id: StepId(0),
                what: "create container devops-app-1".into(),
                cause: "it is wanted and not there".into(),
                service: Some("app".into()),
                deed: Deed {
                    verb: Verb::Create,
                    object: Object::Container,
                    name: "devops-app-1".into(),
                    instance: Some(instance("app")),
                },
            }],
            kept: vec![instance("prometheus")],
            names: BTreeMap::new(),
            unavailable: vec![("grafana".into(), "no registry answers".into(), true)],
        },
        step(
            4,
            StepState::Waiting {
                reason: "app to be ready".into(),
            },
        ),
        step(4, StepState::Started),
        step(4, StepState::Done { took: ms(198) }),
        step(
            4,
            StepState::Failed {
                error: "port is already allocated".into(),
            },
        ),
        step(
            5,
            StepState::Blocked {
                reason: "app exited with code 1".into(),
            },
        ),
        Body::Stage {
            instance: instance("app"),
            stage: Stage::Ready,
            reason: None,
        },
        Body::Stage {
            instance: instance("nginx"),
            stage: Stage::Failed,
            reason: Some("exited with code 1".into()),
        },
        Body::Probed {
            instance: instance("app"),
            attempt: probe.clone(),
        },
        Body::TestStarted {
            name: "front page".into(),
        },
        test(TestVerdict::Passed),
        test(TestVerdict::Failed {
            reason: "expected status 200, found 502".into(),
        }),
        test(TestVerdict::Skipped {
            reason: "grafana is unavailable".into(),
        }),
        Body::Warning {
            text: "port 8080 is published on all addresses".into(),
            hint: Some("write 127.0.0.1:8080:80".into()),
        },
        Body::Info {
            text: "mmdebstrap is installed, to make images".into(),
        },
        Body::Stopping {
            text: "Ctrl-C: stopping; once more kills".into(),
        },
        Body::Failure(FailureReport {
            services: vec![FailedService {
                exit: Some(ContainerExit {
                    code: 1,
                    oom_killed: false,
                }),
                chain: vec![ChainLink {
                    service: "nginx".into(),
                    condition: Condition::ServiceHealthy,
                }],
                last_probe: Some(probe),
                probes: 41,
                logs: vec!["no database".into()],
                blocks: vec!["nginx".into()],
                previous: Some(Previous::PutBack),
                hint: Some("is DATABASE_URL right?".into()),
                place: Some(SourcePlace {
                    file: "stacks/devops.yaml".into(),
                    line: 12,
                }),
                took: ms(1200),
                ..FailedService::new(instance("app"), FailureCause::Exited)
            }],
            operations: vec![FailedOperation {
                what: "create network devops_devops".into(),
                error: "could not find an available address pool".into(),
                hint: Some("remove networks that nothing uses".into()),
            }],
        }),
        Body::Finished(Verdict {
            code: 0,
            text: "devops is up".into(),
            took: ms(2431),
        }),
    ]
}

/// The lines as `--progress json` writes them.
fn lines() -> Vec<String> {
    examples()
        .into_iter()
        .zip(1..)
        .map(|(body, seq)| {
            let event = Event {
                seq,
                at: ms(seq * 10),
                body,
            };
            to_json(&event).to_string()
        })
        .collect()
}

#[test]
fn every_kind_of_event_has_an_example() {
    let mut seen: Vec<usize> = examples().iter().map(kind).collect();
    seen.dedup();
    assert_eq!(seen, (0..KINDS).collect::<Vec<_>>());
}

#[test]
fn the_document_shows_what_is_written() {
    let documented: Vec<&str> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("{\"v\":"))
        .collect();
    let written = lines();
    // One by one first: the message is then one line long.
    for (documented, written) in documented.iter().zip(&written) {
        assert_eq!(documented, written, "docs/progress-json.md");
    }
    assert_eq!(documented, written, "docs/progress-json.md");
}

#[test]
fn the_document_names_every_field_of_every_kind() {
    for line in lines() {
        let value: Value = serde_json::from_str(&line).unwrap();
        let name = value["type"].as_str().unwrap();
        let (_, section) = DOCUMENT
            .split_once(&format!("\n### `{name}`\n"))
            .unwrap_or_else(|| panic!("docs/progress-json.md has no section for {name}"));
        let section = section.split("\n### ").next().unwrap_or_default();
        for field in value.as_object().unwrap().keys() {
            if ["v", "seq", "ms", "type"].contains(&field.as_str()) {
                continue;
            }
            assert!(
                section.contains(&format!("| `{field}`")),
                "{name}.{field} is not documented"
            );
        }
    }
}

#[test]
fn the_document_names_every_stage_and_cause() {
    let stages = [
        Stage::Pending,
        Stage::Created,
        Stage::Running,
        Stage::Restarting,
        Stage::Ready,
        Stage::Completed,
        Stage::Stopped,
        Stage::Removed,
        Stage::Blocked,
        Stage::Unavailable,
        Stage::Failed,
    ];
    for stage in stages {
        assert_eq!(json!(stage), stage.as_str(), "shown and written alike");
        assert!(DOCUMENT.contains(&format!("`{}`", stage.as_str())), "{stage:?}");
    }
    for cause in [
        "no_image",
        "build",
        "create",
        "start",
        "exited",
        "restarting",
        "not_ready",
        "unhealthy",
        "removed",
        "other",
    ] {
        assert!(DOCUMENT.contains(&format!("`{cause}`")), "{cause}");
    }
    assert!(DOCUMENT.contains(&format!("Version {VERSION}")));
}

#[test]
fn no_secret_passes_the_hub() {
    // Every text of every example, in turn: what of it reaches the wire once it is secret?
    let hub_masks = |body: Body, secret: &str| {
        let masker = crate::base::Masker::default();
        masker.add(secret);
        let event = Event {
            seq: 1,
            at: ms(1),
            body: crate::event::mask::masked(body, &masker),
        };
        to_json(&event).to_string()
    };
    let secrets = [
        "connection refused",
        "process 4711",
        "Debian trixie",
        "no registry answers",
        "the build failed",
        "unpack",
        "Setting up",
        "it is wanted",
        "app to be ready",
        "already allocated",
        "exited with code",
        "172.18.0.3",
        "starting",
        "found 502",
        "grafana is unavailable",
        "127.0.0.1:8080",
        "all addresses",
        "mmdebstrap",
        "once more kills",
        "no database",
        "DATABASE_URL",
        "address pool",
        "devops_devops",
        "devops is up",
        "remove networks",
    ];
    for secret in secrets {
        let mut found = 0;
        for body in examples() {
            let plain = to_json(&Event {
                seq: 1,
                at: ms(1),
                body: body.clone(),
            })
            .to_string();
            found += usize::from(plain.contains(secret));
            let line = hub_masks(body, secret);
            assert!(!line.contains(secret), "{secret}: {line}");
        }
        assert!(found > 0, "{secret} is in no example");
    }
}
