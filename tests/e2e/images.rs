//! Images that are nowhere to be had, optional ones, and pulls that go wrong.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::project::Project;
use crate::support::registry::{Behaviour, Registry};

/// A service with `image`, and one that has nothing to do with it.
fn project(image: &str, more: &str) -> Project {
    let project = Project::shared();
    let image = image.replace("@name@", project.name());
    project.stack(&format!(
        "services:\n  web:\n    image: \"{image}\"\n    command: [pause]\n{more}  other: {{ image: \"@image@\" }}\n"
    ));
    project
}

#[test]
fn an_image_that_no_registry_serves_fails_its_service_alone() {
    let image = Registry::refused_reference("@name@:1");
    let project = project(&image, "");
    let outcome = project.run(["up", "-d"]).expect(1).says("web");
    assert!(
        outcome.stderr.contains(&image.replace("@name@", project.name())),
        "{outcome}"
    );
    assert!(outcome.duration < Duration::from_secs(15), "{outcome}");
    assert_eq!(project.states(), ["other: running"]);
}

#[test]
fn an_optional_image_that_is_nowhere_is_unavailable_and_the_run_is_good() {
    let project = project(
        &Registry::refused_reference("@name@:1"),
        "    x-platform: { optional: true }\n",
    );
    let outcome = project
        .run(["up", "-d"])
        .expect(0)
        .says("web")
        .says("unavailable");
    assert!(outcome.duration < Duration::from_secs(15), "{outcome}");
    assert_eq!(project.states(), ["other: running"]);
    project.run(["up", "-d"]).expect(0);
}

#[test]
fn an_optional_service_that_starts_and_fails_fails_the_run() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  web:
    image: "@image@"
    command: [sh, -c, "sleep 0.2; exit 9"]
    healthcheck: { test: [CMD, "false"], interval: 1s, timeout: 5s, retries: 100 }
    x-platform: { optional: true }
"#,
    );
    project.run(["up", "-d"]).expect(1).says("web").says("9");
}

#[test]
fn a_registry_that_refuses_is_quoted() {
    for behaviour in [
        Behaviour::Unauthorized,
        Behaviour::Missing,
        Behaviour::Status(503),
    ] {
        let registry = Registry::open();
        registry.behave(behaviour);
        let project = project(&registry.reference("@name@:1"), "");
        let outcome = project.run(["up", "-d"]).expect(1).says("web");
        assert!(outcome.duration < Duration::from_secs(30), "{outcome}");
        let words: &[&str] = match behaviour {
            Behaviour::Unauthorized => &["credentials", "unauthorized", "authoriz", "log in", "login"],
            Behaviour::Missing => &["not found", "unknown", "no such", "does not exist"],
            _ => &["503"],
        };
        let said = outcome.stderr.to_lowercase();
        assert!(
            words.iter().any(|word| said.contains(word)),
            "{behaviour:?}\n{outcome}"
        );
        assert_eq!(project.states(), ["other: running"]);
    }
}

#[test]
fn an_image_is_pulled_once() {
    let registry = Registry::open();
    let project = project(&registry.reference("@name@:1"), "");
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), ["other: running", "web: running"]);
    let pulled = registry.requests().len();
    assert!(registry.count("/manifests/") >= 1);
    project.run(["up", "-d"]).expect(0);
    assert_eq!(registry.requests().len(), pulled);
    project.assert_converged();
}

#[test]
fn a_stalled_pull_ends_at_once_when_interrupted() {
    let registry = Registry::open();
    registry.behave(Behaviour::StallInLayer(20_000));
    let project = project(&registry.reference("@name@:1"), "");
    let mut running = project.platform(["up", "-d"]).start();
    crate::support::wait::until("the layer's request", Duration::from_secs(20), || {
        (registry.count("/blobs/") >= 2 || running.ended()).then_some(())
    });
    std::thread::sleep(Duration::from_millis(200));
    let before = running.age();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration - before < Duration::from_secs(2), "{outcome}");
    registry.behave(Behaviour::Serve);
    project.run(["up", "-d"]).expect(0);
    project.assert_converged();
}

#[test]
fn pull_gets_what_a_registry_has_and_tells_what_it_has_not() {
    let registry = Registry::open();
    let project = project(&registry.reference("@name@:1"), "");
    registry.behave(Behaviour::Missing);
    project.run(["pull", "web"]).expect(1).says("no image for");
    project.run(["pull", "--ignore-pull-failures", "web"]).expect(0);
    registry.behave(Behaviour::Serve);
    project.run(["pull", "web"]).expect(0);
    let before = registry.count("GET /v2/");
    project.run(["pull", "--policy", "missing", "web"]).expect(0);
    assert_eq!(registry.count("GET /v2/"), before, "it is there");
    registry.behave(Behaviour::Missing);
    // What can be built is no failure.
    let stack = format!(
        "services:\n  web: {{ build: ., image: \"{}\" }}\n",
        registry.reference("@name@:1")
    );
    project.stack(&stack);
    project.run(["pull"]).expect(0).says("`platform build` builds it");
    project
        .run(["pull", "--ignore-buildable"])
        .expect(0)
        .says("no image to pull");
    assert!(project.containers().is_empty() && project.networks().is_empty());
}
