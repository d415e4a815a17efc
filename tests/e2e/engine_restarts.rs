//! The engine goes away in the middle of a run, and comes back.

use std::time::Duration;

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::engine::{Options, PrivateEngine};
use crate::support::kill::{Dice, rounds};
use crate::support::project::Project;

fn project(engine: &PrivateEngine) -> Project {
    let project = Project::on(&engine.docker()).inside(engine.netns().file());
    project.stack(FIVE);
    project
}

/// Runs `up`, does something to the engine when the `nth` step has begun, and expects the run to see it through.
fn disturb(engine: &mut PrivateEngine, project: &Project, nth: usize, act: impl Fn(&mut PrivateEngine)) {
    let cli = project.platform(["--progress", "json", "up", "-d", "--engine-timeout", "40s"]);
    let mut running = cli.timeout(Duration::from_secs(120)).start();
    for n in 0..=nth {
        let part = format!("\"id\":{n},\"state\":\"started\"");
        running.line(Duration::from_secs(60), |line| line.contains(&part));
    }
    act(engine);
    let outcome = running.wait().expect(0);
    assert_eq!(project.states(), FIVE_UP, "{outcome}");
    project.assert_converged();
}

#[test]
fn a_killed_engine_is_waited_for_and_the_run_goes_on() {
    if !PrivateEngine::available() {
        return;
    }
    let mut dice = Dice::new("engine killed");
    for round in 0..rounds(2).min(40) {
        let mut engine = PrivateEngine::with(Options {
            live_restore: round % 2 == 0,
            ..Options::default()
        });
        let project = project(&engine);
        disturb(&mut engine, &project, 2 + dice.below(10) as usize, |engine| {
            engine.kill();
            std::thread::sleep(Duration::from_millis(300));
            engine.restart();
        });
    }
}

#[test]
fn a_stopped_engine_is_waited_for_and_the_run_goes_on() {
    if !PrivateEngine::available() {
        return;
    }
    let mut engine = PrivateEngine::start();
    let project = project(&engine);
    disturb(&mut engine, &project, 7, |engine| {
        engine.stop();
        engine.restart();
    });
}

#[test]
fn an_engine_that_freezes_for_a_while_is_waited_for() {
    if !PrivateEngine::available() {
        return;
    }
    let mut engine = PrivateEngine::start();
    let project = project(&engine);
    disturb(&mut engine, &project, 7, |engine| {
        engine.freeze();
        std::thread::sleep(Duration::from_secs(2));
        engine.thaw();
    });
}

#[test]
fn an_engine_that_stays_away_ends_the_run_with_its_own_code() {
    if !PrivateEngine::available() {
        return;
    }
    let mut engine = PrivateEngine::start();
    let project = project(&engine);
    let mut running = project
        .platform(["--progress", "json", "up", "-d", "--engine-timeout", "2s"])
        .start();
    // Not earlier: an engine killed while it makes a volume may keep the name and lose the folder.
    running.line(Duration::from_secs(20), |line| {
        line.contains("\"id\":3,\"state\":\"started\"")
    });
    engine.kill();
    let outcome = running.wait().expect(4);
    assert!(!outcome.events_of("engine_lost").is_empty(), "{outcome}");
    assert!(outcome.duration < Duration::from_secs(20), "{outcome}");
    engine.restart();
    project.run(["up", "-d"]).expect(0);
    project.assert_converged();
}
