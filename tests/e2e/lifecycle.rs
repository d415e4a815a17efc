//! `start`, `stop` and `restart` against a real engine.

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::project::Project;

#[test]
fn containers_are_stopped_and_started_and_none_is_made() {
    let project = Project::shared();
    project.stack(FIVE);
    project.run(["start"]).expect(1).says("has no containers");
    project.run(["up", "-d"]).expect(0);
    let ids = project.ids();

    project.run(["stop", "web", "api"]).expect(0);
    let states = project.states();
    assert!(
        states.contains(&"web: exited".into()) && states.contains(&"db: running".into()),
        "{states:?}"
    );
    project
        .run(["stop", "web", "api"])
        .expect(0)
        .says("nothing to do");

    let started = project.run(["--progress", "json", "start"]).expect(0);
    assert_eq!(project.states(), FIVE_UP);
    // What depends on a service being healthy waited for that.
    let stages: Vec<(String, String)> = started
        .events_of("stage")
        .iter()
        .map(|e| {
            let text = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
            (text("service"), text("stage"))
        })
        .collect();
    let at = |service: &str, stage: &str| stages.iter().position(|(s, t)| s == service && t == stage);
    assert!(at("api", "ready") < at("web", "running"), "{stages:?}");

    let before = project.container("db").unwrap()["State"]["StartedAt"].clone();
    project.run(["restart", "-t", "1", "db"]).expect(0);
    assert_ne!(project.container("db").unwrap()["State"]["StartedAt"], before);
    assert_eq!(project.ids(), ids);
    project.assert_converged();
}

#[test]
fn a_project_is_stopped_by_its_name_and_wrong_names_are_told() {
    let project = Project::shared();
    project.stack(FIVE);
    project.run(["up", "-d"]).expect(0);
    project
        .run(["stop", "cahce"])
        .expect(2)
        .says("did you mean `cache`?");
    let by_name =
        project.prepare(crate::support::cli::Cli::platform().args(["-p", project.name(), "stop", "-t", "1"]));
    by_name.cwd("/").run().expect(0);
    assert!(
        project.states().iter().all(|s| s.ends_with("exited")),
        "{:?}",
        project.states()
    );
    // As it was left: nothing is started by asking.
    project
        .run(["--dry-run", "start"])
        .expect(0)
        .prints("start container");
    assert!(project.states().iter().all(|s| s.ends_with("exited")));
}
