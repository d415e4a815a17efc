//! Our own process killed with -9 at any moment, then `up` again: converged, nothing of others touched.
//!
//! `PLATFORM_TEST_ROUNDS=200 cargo test --test e2e killed` is the full form; `PLATFORM_TEST_SEED` repeats one.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::foreign::Foreign;
use crate::support::kill::{self, Dice, Moment, rounds};
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};
use crate::support::wait;

/// A project and, beside it, a container that is not its own.
fn with_neighbour() -> (Project, Project, Foreign) {
    let (project, neighbour) = (Project::shared(), Project::shared());
    let name = format!("{}-canary", neighbour.name());
    neighbour
        .engine()
        .run(neighbour.name(), &name, &neighbour.image(), &["pause"], json!({}));
    let foreign = Foreign::snapshot(project.engine(), project.name()).canary(project.engine(), &name);
    project.stack(FIVE);
    (project, neighbour, foreign)
}

/// Kills `up` once at `moment`, and lets the next `up` finish the work.
fn kill_once(project: &Project, salt: &str, moment: &Moment) {
    let up = project
        .platform(["--progress", "json", "up", "-d"])
        .env("SALT", salt);
    let (killed, sent) = kill::at(&up, moment, Signal::KILL);
    assert!(
        !sent || killed.signal() == Some(9) || killed.code() == Some(0),
        "{killed}"
    );
    let outcome = up.run();
    assert_eq!(
        outcome.code(),
        Some(0),
        "after a kill at {moment:?}\n{killed}\n{outcome}"
    );
    assert_eq!(
        project.states(),
        FIVE_UP,
        "after a kill at {moment:?}\n{killed}\n{outcome}"
    );
    let plan = project.platform(["plan", "--exit-code"]).env("SALT", salt).run();
    assert_eq!(
        plan.code(),
        Some(0),
        "after a kill at {moment:?}\n{killed}\n{plan}"
    );
    assert_eq!((project.networks().len(), project.volumes().len()), (1, 1));
}

#[test]
fn at_random_moments() {
    let (project, _neighbour, foreign) = with_neighbour();
    let mut dice = Dice::new("killed at_random_moments");
    let whole = project.run(["up", "-d"]).expect(0).duration;
    for round in 0..rounds(5) {
        // Half of the rounds begin with nothing, half replace what runs.
        if dice.below(2) == 0 {
            project.run(["down"]).expect(0);
        }
        let moment = Moment::After(dice.duration(whole * 3 / 2));
        kill_once(&project, &format!("round {round}"), &moment);
    }
    foreign.assert_untouched(project.engine());
}

#[test]
fn at_named_steps() {
    let (project, _neighbour, foreign) = with_neighbour();
    let planned = project.run(["--progress", "json", "up", "-d"]).expect(0);
    let steps = planned.events_of("planned")[0]["steps"]
        .as_array()
        .unwrap()
        .clone();
    assert!(steps.len() > 10, "{planned}");
    let mut dice = Dice::new("killed at_named_steps");
    for _ in 0..rounds(3).min(steps.len() * 2) {
        project.run(["down", "-v"]).expect(0);
        let step = &steps[dice.below(steps.len() as u64) as usize];
        let state = if dice.below(2) == 0 { "started" } else { "done" };
        let moment = Moment::Line(vec![
            "\"type\":\"step\"".to_owned(),
            format!("\"id\":{},", step["id"]),
            format!("\"state\":\"{state}\""),
        ]);
        kill_once(&project, "none", &moment);
    }
    foreign.assert_untouched(project.engine());
}

#[test]
fn down_killed_in_the_middle_is_finished_by_the_next() {
    let (project, _neighbour, foreign) = with_neighbour();
    let mut dice = Dice::new("killed down");
    for _ in 0..rounds(2) {
        project.run(["up", "-d"]).expect(0);
        let moment = Moment::After(dice.duration(Duration::from_millis(800)));
        kill::at(&project.platform(["down", "-v"]), &moment, Signal::KILL);
        project.run(["down", "-v"]).expect(0);
        assert!(
            project.containers().is_empty() && project.networks().is_empty() && project.volumes().is_empty()
        );
    }
    foreign.assert_untouched(project.engine());
}

/// The engine does a killed run's last request after the next run has looked at what is there.
#[test]
fn a_create_that_comes_late_is_replaced() {
    let (project, _neighbour, foreign) = with_neighbour();
    // Both runs are slow with the same container.
    const CACHE: &str = "^/containers/create\\?.*-cache-1";
    let slow = |time| {
        let proxy = Proxy::before(project.engine());
        proxy.rule(
            "POST",
            CACHE,
            Nth::Only(1),
            Fault::Late(Duration::from_millis(time)),
        );
        proxy
    };
    let (first, second) = (slow(1500), slow(3000));
    let running = project.platform(["up", "-d"]).engine(&first.docker()).start();
    wait::until("the first create", Duration::from_secs(20), || {
        (first.count("POST", CACHE) > 0).then_some(())
    });
    running.signal(Signal::KILL);
    running.wait();
    let outcome = project
        .platform(["up", "-d"])
        .engine(&second.docker())
        .run()
        .expect(0);
    // The late one got there first, and the engine said so.
    let creates = second
        .requests()
        .into_iter()
        .filter(|request| request.path.starts_with("/containers/create"));
    let statuses: Vec<_> = creates.map(|request| request.status).collect();
    assert!(statuses.contains(&Some(409)), "{statuses:?}\n{outcome}");
    assert_eq!(project.states(), FIVE_UP, "{outcome}");
    project.assert_converged();
    foreign.assert_untouched(project.engine());
}
