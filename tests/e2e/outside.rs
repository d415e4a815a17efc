//! Services of providers, and models: what programs beside the engine bring up, as with docker compose.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::engine::peer;
use crate::support::cli::Cli;
use crate::support::project::Project;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(20);

/// A provider that writes down how it was called and does what its options say.
const PROVIDER: &str = r#"#!/bin/sh
if [ "$2" = metadata ]; then
    test -e "$CALLS.metadata" && cat "$CALLS.metadata"
    exit 0
fi
echo "$@" >> "$CALLS"
case "$*" in
*--mode=slow*)
    echo '{"type": "info", "message": "preparing"}'
    trap 'echo ended >> "$CALLS"; exit 1' TERM
    sleep 30 & wait $!;;
*--mode=fail*) echo '{"type": "error", "message": "quota of 3 used up"}';;
*--mode=crash*) echo "no credentials in ~/.cloud" >&2; exit 4;;
*--mode=talk*) echo "hello";;
esac
echo '{"type": "debug", "message": "at work"}{"type": "info", "message": "half done"}'
echo '{"type": "setenv", "message": "URL=cloud://'"$(cat "$CALLS.url" 2>/dev/null)"'/x=1"}'
"#;

/// What `docker model` is asked, written down; it has one model.
const MODEL: &str = r#"#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in
docker-cli-plugin-metadata) echo '{"SchemaVersion":"0.1.0","Vendor":"x","Version":"v1"}';;
status) echo '{"running": true, "endpoint": "http://models.test/v1/"}';;
ls) echo '[{"id": "1", "tags": ["ai/small"], "created": 1}]';;
pull) test "$2" != ai/gone || { echo "no such model: $2" >&2; exit 1; }; echo "Downloaded 1 of 2";;
esac
"#;

struct Cloud {
    project: Project,
}

impl Cloud {
    fn new(stack: &str) -> Self {
        let project = Project::shared();
        project.stack(stack);
        let cloud = Self { project };
        cloud.program("bin/cloud", PROVIDER);
        cloud
    }

    fn program(&self, path: &str, text: &str) {
        let file = self.project.file(path, text);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn prepare(&self, cli: Cli) -> Cli {
        let dir = self.project.dir();
        let path = std::env::var("PATH").unwrap();
        self.project
            .prepare(cli)
            .env("PATH", format!("{path}:{}", dir.join("bin").display()))
            .env("HOME", dir.join("home"))
            .env("CALLS", dir.join("calls"))
    }

    fn platform(&self, args: &[&str]) -> Cli {
        self.prepare(Cli::platform()).args(args)
    }

    /// How the programs were called since the last time.
    fn calls(&self) -> Vec<String> {
        let file = self.project.dir().join("calls");
        let text = fs::read_to_string(&file).unwrap_or_default();
        drop(fs::remove_file(&file));
        text.lines().map(str::to_owned).collect()
    }

    fn environment(&self, service: &str) -> Vec<String> {
        let container = self.project.container(service).unwrap();
        let listed = container["Config"]["Env"].as_array().unwrap();
        let mut found: Vec<String> = listed
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        found.retain(|one| !one.starts_with("PATH="));
        found.sort();
        found
    }
}

const STACK: &str = r#"
services:
  app: { image: "@image@", environment: { A: "1" }, depends_on: { db: { condition: service_healthy } } }
  other: { image: "@image@" }
  db: { provider: { type: cloud, options: { size: 10, tag: [a, b] } } }
"#;

#[test]
fn a_provider_brings_its_service_up_and_tells_dependents_of_it() {
    let cloud = Cloud::new(STACK);
    let name = cloud.project.name().to_owned();
    cloud.project.file("calls.url", "one");
    cloud
        .platform(&["plan"])
        .run()
        .expect(0)
        .prints("bring up db through the provider cloud");
    assert_eq!(cloud.calls(), [""; 0], "a plan asks nobody");
    let up = cloud.platform(&["up", "-d", "--progress", "plain"]);
    up.run().expect(0).says("half done").never_says("at work");
    let called = format!("compose --project-name={name} up --size=10 --tag=a --tag=b db");
    assert_eq!(cloud.calls(), [called.as_str()]);
    assert_eq!(cloud.environment("app"), ["A=1", "DB_URL=cloud://one/x=1"]);
    assert_eq!(cloud.environment("other"), [""; 0]);
    assert_eq!(cloud.project.states(), ["app: running", "other: running"]);

    // It is asked again on every run; the same answer changes nothing.
    let before = cloud.project.ids();
    up.run().expect(0).says("nothing to do");
    assert_eq!(cloud.calls(), [called.as_str()]);
    assert_eq!(cloud.project.ids(), before);
    cloud.platform(&["plan", "--exit-code"]).run().expect(0);

    // Another answer replaces its dependents, and nobody else.
    cloud.project.file("calls.url", "two");
    up.run().expect(0);
    assert_eq!(cloud.environment("app"), ["A=1", "DB_URL=cloud://two/x=1"]);
    let kept = cloud
        .project
        .ids()
        .iter()
        .filter(|id| before.contains(id))
        .count();
    assert_eq!(kept, 1);
    cloud.calls();

    // A command of its own is told as well.
    let told = cloud.platform(&["run", "--rm", "-T", "app", "sh", "-c", "echo $DB_URL"]);
    assert_eq!(told.run().expect(0).stdout, "cloud://two/x=1\n");
    assert_eq!(cloud.calls(), [called.as_str()]);
    let never = cloud.platform(&["run", "db", "true"]).run();
    never.expect(2).says("brought up by the provider cloud");

    // Stopping is none of its business, taking down is.
    cloud.platform(&["stop"]).run().expect(0);
    assert_eq!(cloud.calls(), [""; 0]);
    cloud.platform(&["down"]).run().expect(0);
    assert_eq!(
        cloud.calls(),
        [format!(
            "compose --project-name={name} down --size=10 --tag=a --tag=b db"
        )]
    );
    assert_eq!(cloud.project.states(), [""; 0]);
}

#[test]
fn docker_compose_and_we_call_a_provider_alike() {
    let Some(compose) = peer::required() else { return };
    let cloud = Cloud::new(STACK);
    cloud.project.file("calls.url", "one");
    let metadata = r#"{"description": "d", "up": {"parameters": [{"name": "size", "required": true}]},
        "down": {"parameters": []}}"#;
    cloud.project.file("calls.metadata", metadata);
    let seen = |program: &dyn Fn(&[&str]) -> Cli| {
        program(&["up", "-d"]).run().expect(0);
        let (hash, env) = (
            cloud.project.container("app").unwrap()["Config"]["Labels"]["com.docker.compose.config-hash"]
                .clone(),
            cloud.environment("app"),
        );
        program(&["down", "-t", "1"]).run().expect(0);
        let kept = cloud
            .project
            .dir()
            .join("home/.docker/compose/providers/cloud.json");
        let text = fs::read_to_string(&kept).unwrap();
        fs::remove_file(kept).unwrap();
        (cloud.calls(), env, hash, text)
    };
    let theirs = seen(&|args| cloud.prepare(Cli::new(&compose)).args(args));
    let ours = seen(&|args| cloud.platform(args));
    assert_eq!(ours, theirs);
    cloud
        .project
        .file("calls.metadata", &metadata.replace("size", "kind"));
    let required = "required parameter \"kind\" is missing from provider \"cloud\" definition";
    cloud
        .prepare(Cli::new(&compose))
        .args(["up", "-d"])
        .run()
        .says(required);
    cloud.platform(&["up", "-d"]).run().expect(1).says(required);
}

#[test]
fn a_provider_that_fails_says_why_and_holds_everything_up() {
    let failing = |mode: &str| {
        let cloud = Cloud::new(&STACK.replace("size: 10", &format!("mode: {mode}")));
        let outcome = cloud.platform(&["up", "-d"]).run().expect(1);
        assert_eq!(cloud.project.states(), [""; 0]);
        outcome
    };
    failing("fail").says("quota of 3 used up");
    failing("crash")
        .says("exited with code 4")
        .says("no credentials in ~/.cloud");
    failing("talk").says("expected a JSON message, found \"hello\"");
    let missing = Cloud::new(&STACK.replace("type: cloud", "type: no-such-cloud"));
    let outcome = missing.platform(&["up", "-d"]).run().expect(1);
    outcome.says("no program no-such-cloud on the search path");
    let own = Cloud::new(&STACK.replace("type: cloud", "type: compose"));
    own.platform(&["up", "-d"])
        .run()
        .expect(1)
        .says("'compose' is not a valid provider type");
}

#[test]
fn an_interrupt_ends_the_provider() {
    let cloud = Cloud::new(&STACK.replace("size: 10", "mode: slow"));
    let run = cloud.platform(&["up", "-d", "--progress", "plain"]).start();
    wait::until("the provider to be asked", LIMIT, || {
        let calls = fs::read_to_string(cloud.project.dir().join("calls")).unwrap_or_default();
        calls.contains(" up ").then_some(())
    });
    run.signal(Signal::INT);
    let outcome = run.wait();
    outcome.expect(130);
    assert_eq!(cloud.calls().last().unwrap(), "ended");
}

const MODELS: &str = r#"
services:
  app: { image: "@image@", models: [my-llm, small] }
  named: { image: "@image@", models: { small: { endpoint_var: AT, model_var: WHAT } } }
models:
  my-llm: { model: ai/large, context_size: 1024, runtime_flags: ["--no-prefill", "--x"] }
  small: { model: ai/small }
"#;

#[test]
fn models_are_prepared_and_told_as_by_docker_compose() {
    let cloud = Cloud::new(MODELS);
    let missing = cloud.platform(&["up", "-d"]).run().expect(1);
    missing.says("'models' support requires Docker Model plugin");
    assert_eq!(cloud.project.states(), [""; 0]);

    cloud.program("home/.docker/cli-plugins/docker-model", MODEL);
    cloud
        .platform(&["plan"])
        .run()
        .expect(0)
        .prints("prepare the model ai/large");
    assert_eq!(cloud.calls(), [""; 0]);
    let seen = |program: &dyn Fn(&[&str]) -> Cli| {
        program(&["up", "-d"]).run().expect(0);
        let mut calls = cloud.calls();
        calls.retain(|call| call != "docker-cli-plugin-metadata");
        calls.sort();
        let environments = ["app", "named"].map(|service| cloud.environment(service));
        program(&["down", "-t", "1"]).run().expect(0);
        (calls, environments)
    };
    let ours = seen(&|args| cloud.platform(args));
    assert_eq!(
        ours.0,
        [
            "configure --context-size 1024 ai/large -- --no-prefill --x",
            "configure ai/small",
            "ls --json",
            "pull ai/large",
            "status --json"
        ]
    );
    assert_eq!(ours.1[1], ["AT=http://models.test/v1/", "WHAT=ai/small"]);
    if let Some(compose) = peer::required() {
        assert_eq!(ours, seen(&|args| cloud.prepare(Cli::new(&compose)).args(args)));
    }
    cloud.project.stack(&MODELS.replace("ai/large", "ai/gone"));
    let outcome = cloud.platform(&["up", "-d"]).run().expect(1);
    outcome.says("no such model: ai/gone");
}

#[test]
fn the_engines_socket_and_credentials_are_handed_in_as_by_docker_compose() {
    let Some(compose) = peer::required() else { return };
    let cloud = Cloud::new(
        r#"
services:
  app: { image: "@image@", use_api_socket: true }
  own: { image: "@image@", use_api_socket: true, environment: { DOCKER_CONFIG: /mine } }
  other: { image: "@image@" }
"#,
    );
    let auths = r#"{"auths": {"registry.test": {"auth": "dXNlcjpzM2NyM3Q="}}}"#;
    cloud.project.file("home/.docker/config.json", auths);
    let seen = |program: &dyn Fn(&[&str]) -> Cli| {
        program(&["up", "-d"]).run().expect(0);
        let services = ["app", "own", "other"].map(|service| {
            let found = cloud.project.container(service).unwrap();
            let mounts = found["Mounts"].as_array().unwrap().iter();
            // The one is asked for by the engine's older form, the other by its newer one.
            let mounts: Vec<String> = mounts
                .map(|m| format!("{} {} {} {}", m["Type"], m["Source"], m["Destination"], m["RW"]))
                .collect();
            (mounts, cloud.environment(service))
        });
        let settings = cloud.platform(&["exec", "-T", "app", "cat", "/run/secrets/docker/config.json"]);
        let settings: Value = serde_json::from_str(&settings.run().expect(0).stdout).unwrap();
        (services, settings)
    };
    let ours = seen(&|args| cloud.platform(args));
    cloud
        .platform(&["plan", "--exit-code"])
        .run()
        .expect(0)
        .never_says("s3cr3t");
    cloud.platform(&["down"]).run().expect(0);
    let theirs = seen(&|args| cloud.prepare(Cli::new(&compose)).args(args));
    assert_eq!(ours, theirs);
    assert_eq!(ours.1["auths"]["registry.test"]["auth"], "dXNlcjpzM2NyM3Q=");
}
