//! Several runs of one project at once: one works, the others wait, or say who holds it.

use std::time::Duration;

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::kill::rounds;
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};
use crate::support::running::{Outcome, Running};
use crate::support::wait;

fn race(project: &Project, runs: usize, args: &[&str]) -> Vec<Outcome> {
    let cli = project.platform(args.iter().copied());
    let running: Vec<Running> = (0..runs).map(|_| cli.start()).collect();
    Running::wait_all(running)
}

/// What must hold whoever came first.
fn assert_one_project(project: &Project, outcomes: Vec<Outcome>) {
    // Process ids and times may hold the digits, too.
    let conflict = regex::Regex::new(r"\b409\b|[Cc]onflict|already in use|already exists").unwrap();
    for outcome in outcomes {
        assert!(!conflict.is_match(&outcome.all()), "{outcome}");
    }
    assert_eq!(project.states(), FIVE_UP);
    assert_eq!(project.networks().len(), 1);
    project.assert_converged();
}

#[test]
fn ten_ups_at_once_end_as_one() {
    for _ in 0..rounds(1).min(20) {
        let project = Project::shared();
        project.stack(FIVE);
        let outcomes = race(&project, 10, &["up", "-d"]);
        assert!(
            outcomes.iter().all(|outcome| outcome.code() == Some(0)),
            "{}",
            outcomes[0]
        );
        assert_one_project(&project, outcomes);
    }
}

#[test]
fn runs_that_will_not_wait_say_within_a_second_who_holds_the_project() {
    for _ in 0..rounds(1).min(20) {
        let project = Project::shared();
        project.stack(FIVE);
        let cli = project.platform(["up", "-d", "--lock-timeout", "0s"]);
        let running: Vec<Running> = (0..10).map(|_| cli.start()).collect();
        let pids: Vec<u32> = running.iter().map(Running::pid).collect();
        let outcomes: Vec<Outcome> = Running::wait_all(running);
        let winner = outcomes
            .iter()
            .position(|outcome| outcome.code() == Some(0))
            .expect("no run won");
        for outcome in outcomes.iter().filter(|outcome| outcome.code() != Some(0)) {
            assert_eq!(outcome.code(), Some(5), "{outcome}");
            assert!(outcome.duration < Duration::from_secs(1), "{outcome}");
            // A later run may have won after the first was done; most name the first.
            assert!(
                pids.iter().any(|pid| outcome.stderr.contains(&pid.to_string())),
                "holder not named\n{outcome}"
            );
        }
        let named = |outcome: &&Outcome| outcome.stderr.contains(&pids[winner].to_string());
        assert!(
            outcomes.iter().filter(named).count() >= 1,
            "nobody names the winner"
        );
        assert_one_project(&project, outcomes);
    }
}

#[test]
fn up_and_down_at_once_leave_all_or_nothing() {
    let project = Project::shared();
    project.stack(FIVE);
    project.run(["up", "-d"]).expect(0);
    let (up, down) = (
        project.platform(["up", "-d"]).start(),
        project.platform(["down"]).start(),
    );
    let (up, down) = (up.wait(), down.wait());
    assert_eq!((up.code(), down.code()), (Some(0), Some(0)), "{up}\n{down}");
    let states = project.states();
    assert!(states.is_empty() || states == FIVE_UP, "{states:?}");
}

#[test]
fn two_addresses_of_one_engine_are_one() {
    let project = Project::shared();
    project.stack(FIVE);
    let proxy = Proxy::before(project.engine());
    let late = Fault::Delay(Duration::from_secs(3));
    proxy.rule("POST", "^/networks/create", Nth::Every, late);
    let first = project.platform(["up", "-d"]).engine(&proxy.docker()).start();
    wait::until("the first run's work", Duration::from_secs(30), || {
        (proxy.count("POST", "^/networks/create") > 0).then_some(())
    });
    project
        .run(["up", "-d", "--lock-timeout", "0s"])
        .expect(5)
        .says(&first.pid().to_string());
    first.wait().expect(0);
}
