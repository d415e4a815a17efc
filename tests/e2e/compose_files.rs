//! Compose files, unchanged: what `config` makes of them, beside docker compose's own answers; and projects that
//! go back and forth between the two programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::engine::peer;
use crate::support::cli::Cli;
use crate::support::project::Project;
use crate::support::running::Outcome;

/// Files that use every attribute between them, each in a folder with what it refers to.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
/// Options that leave steps out, together with which the answers are to be the same too.
const LEFT_OUT: &[&[&str]] = &[
    &["--no-interpolate"],
    &["--no-interpolate", "--no-normalize"],
    &["--no-interpolate", "--no-path-resolution"],
    &["--no-normalize"],
    &["--no-path-resolution"],
    &["--no-normalize", "--no-path-resolution"],
    &["--no-env-resolution"],
    &["--no-consistency"],
];

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(CORPUS).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 40, "{} cases", cases.len());
    cases
}

/// A program in a folder, in surroundings that both programs have alike.
fn asked(program: Cli, folder: &Path, args: &[&str]) -> Outcome {
    let cli = program.cwd(folder).args(args.iter().copied());
    cli.env("HOME", "/root")
        .env("EMPTY", "")
        .env("E", "ee")
        .timeout(Duration::from_secs(60))
        .run()
}

fn ours(folder: &Path, args: &[&str]) -> Outcome {
    asked(Cli::platform(), folder, args)
}

fn theirs(compose: &Path, folder: &Path, args: &[&str]) -> Outcome {
    asked(Cli::new(compose.to_str().unwrap()), folder, args)
}

/// The first places at which two values differ.
fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let none = &Value::String("(nothing)".into());
                let (a, b) = (a.get(key).unwrap_or(none), b.get(key).unwrap_or(none));
                differences(&format!("{path}.{key}"), a, b, out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{n}]"), a, b, out);
            }
        }
        _ if ours.as_f64().is_some() && ours.as_f64() == theirs.as_f64() => {}
        _ if ours == theirs => {}
        _ => out.push(format!("{path}: {ours} instead of {theirs}")),
    }
}

fn compare(case: &Path, compose: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let json = ["config", "--format", "json"];
    let theirs_first = theirs(compose, case, &json).expect(0);
    let expected: Value = serde_json::from_str(&theirs_first.stdout).unwrap();
    let found: Value = serde_json::from_str(&ours(case, &json).expect(0).stdout).unwrap();
    differences("json", &found, &expected, &mut out);
    // Our YAML, as docker compose reads it.
    let yaml = ours(case, &["config"]).expect(0).stdout;
    let file = std::env::temp_dir().join(format!("{}.yaml", crate::support::owner::unique()));
    fs::write(&file, yaml).unwrap();
    let read_again = ["-f", file.to_str().unwrap(), "config", "--format", "json"];
    let again = theirs(compose, case, &read_again);
    fs::remove_file(&file).unwrap();
    let again: Value = serde_json::from_str(&again.expect(0).stdout).unwrap();
    differences("yaml read again", &again, &expected, &mut out);
    let hashes = |outcome: Outcome| {
        let mut lines: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let hash = ["config", "--hash", "*"];
    let (found, expected) = (
        hashes(ours(case, &hash).expect(0)),
        hashes(theirs(compose, case, &hash).expect(0)),
    );
    if found != expected {
        out.push(format!("hashes: {found:?} instead of {expected:?}"));
    }
    out
}

#[test]
fn config_leaves_out_the_steps_that_docker_compose_leaves_out() {
    let Some(compose) = peer::required() else { return };
    let mut wrong = Vec::new();
    for case in cases() {
        for options in LEFT_OUT {
            let args: Vec<&str> = ["config", "--format", "json"]
                .iter()
                .chain(*options)
                .copied()
                .collect();
            let json = |outcome: Outcome| serde_json::from_str::<Value>(&outcome.expect(0).stdout).unwrap();
            let (found, expected) = (json(ours(&case, &args)), json(theirs(&compose, &case, &args)));
            let name = format!("{} {}", case.file_name().unwrap().display(), options.join(" "));
            differences(&name, &found, &expected, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn config_is_what_docker_compose_says() {
    let Some(compose) = peer::required() else { return };
    let mut wrong = Vec::new();
    for case in cases() {
        for difference in compare(&case, &compose) {
            wrong.push(format!("{}: {difference}", case.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Stacks that docker compose refuses.
const REFUSED: &[&str] = &[
    "services: {a: {image: x, mem_limit: 64m, deploy: {resources: {limits: {memory: 32m}}}}}",
    "services: {a: {image: x, mem_limit: 64m, deploy: {resources: {limits: {cpus: '1'}}}}}",
    "services: {a: {image: x, cpus: 1, deploy: {resources: {limits: {memory: 32m}}}}}",
    "services: {a: {image: x, pids_limit: 1, deploy: {resources: {limits: {memory: 32m}}}}}",
    "services: {a: {image: x, mem_reservation: 1m, deploy: {resources: {reservations: {cpus: '1'}}}}}",
    "services: {a: {image: x, scale: 2, deploy: {replicas: 3}}}",
    "services: {a: {image: x, tmpfs: [/a], volumes: [/a]}}",
    "services: {a: {image: x, tmpfs: ['/a:size=1m', /a]}}",
    "services: {a: {image: x, models: [m]}}",
    "services: {a: {build: {context: ., additional_contexts: {c: 'service:none'}}}}",
    "services: {a: {build: {context: ., additional_contexts: {c: 'service:b'}}}, b: {image: x}}",
    "services: {a: {build: {context: ., platforms: [linux/amd64]}, platform: linux/arm64}}",
    "services: {a: {build: {context: ., ssh: default}}}",
    "services: {a: {image: x, networks: [n, n]}}\nnetworks: {n: }",
    "services: {a: {image: x, depends_on: [b, b]}, b: {image: x}}",
    "services: {a: {image: x, security_opt: [b, b]}}",
    "services: {a: {image: x, group_add: [1, 1]}}",
    "services: {a: {image: x, volumes_from: [b, b]}, b: {image: x}}",
    "services: {a: {image: x, develop: {watch: [{path: x, action: sync}]}}}",
    "services: {a: {image: x, ports: [{target: 80, host_ip: here}]}}",
    "services: {a: {image: x}}\nvolumes: {n: {external: true, driver: x}}",
];
/// Stacks that look wrong, and that docker compose takes.
const TAKEN: &[&str] = &[
    "services: {a: {image: x, mem_limit: 64m, deploy: {resources: {reservations: {memory: 32m}}}}}",
    "services: {a: {image: x, healthcheck: {test: []}}}",
    "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true, driver: x}}",
    "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true, file: ./f}}",
    "services: {a: {image: x, volumes: [{type: tmpfs, source: a, target: /x}]}}",
    "services: {a: {image: x, volumes: [{type: volume, target: /x, bind: {propagation: x}}]}}",
    "services: {a: {image: x, deploy: {mode: replicated-job}}}",
    "services: {a: {image: x, cap_add: [A, A], dns: [1.1.1.1, 1.1.1.1], tmpfs: [/b, /b]}}",
];

#[test]
fn what_docker_compose_refuses_is_refused_and_what_it_takes_is_taken() {
    let Some(compose) = peer::required() else { return };
    let project = Project::shared();
    let stacks = REFUSED
        .iter()
        .map(|stack| (stack, false))
        .chain(TAKEN.iter().map(|stack| (stack, true)));
    let mut wrong = Vec::new();
    for (stack, is_taken) in stacks {
        project.stack(stack);
        let args = ["config", "-q"];
        let (found, expected) = (ours(project.dir(), &args), theirs(&compose, project.dir(), &args));
        if (expected.code() == Some(0)) != is_taken || (found.code() == Some(0)) != is_taken {
            wrong.push(format!(
                "{stack}\n  ours: {}\n  theirs: {}",
                found.stderr, expected.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a project may have that is seen in docker compose's hash or on its containers.
const RICH: &str = r#"
services:
  plain:
    image: "@image@"
    env_file: some.env
    environment: { Z: "1", NOVAL: }
    labels: { x: "$$HOME", "a.b": "<&>" }
  rich:
    image: "@image@"
    depends_on: [plain]
    label_file: labels.env
    extra_hosts: { h: 1.2.3.4, g: 1.1.1.1 }
    secrets: [token]
    configs: [{ source: text, target: /etc/text }, text]
    volumes: ["data:/data", "./sub:/sub:ro", { type: tmpfs, target: /t }]
    mem_limit: 64m
    healthcheck: { test: [CMD, "true"], interval: 1s }
    ulimits: { nofile: 1024 }
    cap_drop: [ALL]
    init: true
    stop_grace_period: 2s
    networks: { default: { aliases: [other] } }
secrets: { token: { file: ./some.env } }
configs: { text: { content: "x<y" } }
volumes: { data: }
"#;

#[test]
fn projects_go_back_and_forth_and_nothing_is_recreated() {
    let Some(compose) = peer::required() else { return };
    let compose = compose.to_str().unwrap();
    let project = Project::shared();
    project.stack(RICH);
    project.file("some.env", "AA=1\nBB=${X:-y}\n");
    project.file("labels.env", "L=1\n");
    project.file("sub/file", "");
    let up = |project: &Project| {
        let up = project.program(compose).args(["up", "-d"]);
        up.timeout(Duration::from_secs(120)).run().expect(0)
    };
    up(&project);
    let ids = project.ids();
    project.assert_converged();
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.ids(), ids, "docker compose's containers were replaced");
    project.run(["down", "-v"]).expect(0);

    project.run(["up", "-d"]).expect(0);
    let ids = project.ids();
    up(&project);
    assert_eq!(project.ids(), ids, "our containers were replaced");
    project.assert_converged();
    // What differs is replaced, whoever made it.
    project.stack(&RICH.replace("nofile: 1024", "nofile: 2048"));
    project.run(["up", "-d"]).expect(0);
    let changed = project.ids().iter().filter(|id| !ids.contains(id)).count();
    assert_eq!(changed, 1, "one service differs");
}
