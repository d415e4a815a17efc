//! The engine's disk is full: said so, what runs is kept, and freed space is used.

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::engine::{Options, PrivateEngine};
use crate::support::project::Project;

#[test]
fn no_space_is_said_and_a_later_run_goes_on() {
    if !PrivateEngine::available() {
        return;
    }
    let engine = PrivateEngine::with(Options {
        disk_mb: Some(96),
        ..Options::default()
    });
    let project = Project::on(&engine.docker()).inside(engine.netns().file());
    project.stack("services: { db: { image: \"@image@\" } }\n");
    project.run(["up", "-d"]).expect(0);
    let kept = project.ids();
    project.stack(&FIVE.replace(
        "    <<: *common\n    command: [serve, \"80\"]\n    volumes",
        "    image: \"@image@\"\n    command: [serve, \"80\"]\n    volumes",
    ));
    engine.disk().unwrap().fill(0);
    let outcome = project.run(["up", "-d"]);
    assert!(matches!(outcome.code(), Some(1 | 4)), "{outcome}");
    assert!(outcome.stderr.contains("no space left"), "{outcome}");
    // What ran before still runs: its successor was not proven.
    let state = engine.docker().inspect(&kept[0]).expect("what ran was removed")["State"]["Running"].clone();
    assert_eq!(state, true, "{outcome}");
    engine.disk().unwrap().free();
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), FIVE_UP);
    project.assert_converged();
}
