//! Builds: one that works, one that fails, one that is interrupted.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::project::Project;

fn project(run: &str) -> Project {
    let project = Project::shared();
    project.stack("services:\n  web: { build: ., image: \"@name@-web:built\", command: [pause] }\n  other: { image: \"@image@\" }\n");
    project.file(
        "Dockerfile",
        &format!("FROM @image@\nCOPY greeting /greeting\nRUN {run}\n"),
    );
    project.file("greeting", "hello from the context\n");
    project
}

#[test]
fn a_build_is_done_once_and_again_when_asked() {
    let project = project("cat /greeting");
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), ["other: running", "web: running"]);
    project
        .run(["exec", "-T", "web", "cat", "/greeting"])
        .expect(0)
        .prints("hello from the context");
    let before = project.ids();
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.ids(), before);
    project.file("greeting", "another\n");
    project.run(["up", "-d", "--build"]).expect(0);
    project
        .run(["exec", "-T", "web", "cat", "/greeting"])
        .expect(0)
        .prints("another");
    project.assert_converged();
}

#[test]
fn a_build_that_fails_shows_its_last_lines_and_its_code() {
    let project = project("echo the words before the end; exit 42");
    let outcome = project
        .run(["up", "-d"])
        .expect(1)
        .says("web could not be built")
        .says("    | the words before the end")
        .says("42");
    assert!(outcome.duration < Duration::from_secs(30), "{outcome}");
    assert_eq!(project.states(), ["other: running"]);
    let outcome = project.run(["--progress", "json", "up", "-d"]).expect(1);
    let failed = outcome.failed_service();
    assert_eq!(failed["service"], "web", "{outcome}");
    assert_eq!(failed["cause"], "build", "{outcome}");
    let logs = failed["logs"].as_array().unwrap();
    assert!(logs.iter().any(|l| l == "the words before the end"), "{outcome}");
    // They are told once.
    assert!(!failed["text"].as_str().unwrap().contains('\n'), "{outcome}");
    project.run(["up", "-d", "--report", "up.xml"]).expect(1);
    let junit = std::fs::read_to_string(project.dir().join("up.xml")).unwrap();
    assert!(
        junit.contains(r#"type="build""#) && junit.contains("| the words before the end"),
        "{junit}"
    );
}

#[test]
fn a_build_ends_when_interrupted() {
    let project = project("echo has begun; sleep 1000");
    let mut running = project.platform(["--progress", "json", "up", "-d"]).start();
    let begun = running.line(Duration::from_secs(30), |line| {
        line.contains("has begun") && !line.contains("sleep")
    });
    assert!(begun.is_some(), "{}", running.wait());
    let before = running.age();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration - before < Duration::from_secs(3), "{outcome}");
}
