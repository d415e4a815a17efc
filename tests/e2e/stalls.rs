//! The engine's answers stall, are cut or get lost at any byte: no hang, and Ctrl-C always works.
//!
//! `PLATFORM_TEST_ROUNDS=200 cargo test --test e2e stalls` is the full form.

use std::time::Duration;

use rustix::process::Signal;

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::kill::{Dice, rounds};
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};

/// How many requests one `up` from nothing makes.
fn requests_of_up(project: &Project) -> u64 {
    let proxy = Proxy::before(project.engine());
    project
        .platform(["up", "-d"])
        .engine(&proxy.docker())
        .run()
        .expect(0);
    project.run(["down", "-v"]).expect(0);
    proxy.requests().len() as u64
}

#[test]
fn an_interrupt_ends_a_stalled_run_within_a_second() {
    let project = Project::shared();
    project.stack(FIVE);
    let requests = requests_of_up(&project);
    let mut dice = Dice::new("stalls interrupt");
    for _ in 0..rounds(3) {
        let proxy = Proxy::before(project.engine());
        let (nth, bytes) = (dice.below(requests) as usize + 1, dice.below(1500) as usize);
        proxy.rule("*", ".", Nth::From(nth), Fault::StallAfter(bytes));
        let mut running = project.platform(["up", "-d"]).engine(&proxy.docker()).start();
        crate::support::wait::until("the stall", Duration::from_secs(30), || {
            (running.ended() || proxy.requests().len() >= nth).then_some(())
        });
        std::thread::sleep(Duration::from_millis(300));
        let before = running.age();
        running.signal(Signal::INT);
        let outcome = running.wait();
        let late = outcome.duration.saturating_sub(before);
        assert!(
            late < Duration::from_secs(1),
            "{late:?} after a stall of request {nth} at byte {bytes}\n{outcome}"
        );
        project.run(["down", "-v"]).expect(0);
    }
}

/// Brings FIVE up through a proxy that breaks the `nth` request of one method; asserts that the run is good, or, where
/// that is allowed, says that the engine is away; and that all is well in the end.
fn up_with_fault(project: &Project, method: &str, nth: usize, fault: Fault, allowed: &[i32]) {
    let proxy = Proxy::before(project.engine());
    proxy.rule(method, ".", Nth::Only(nth), fault);
    let outcome = project
        .platform(["up", "-d"])
        .engine(&proxy.docker())
        .timeout(Duration::from_secs(100))
        .run();
    let broken: Vec<_> = proxy
        .requests()
        .into_iter()
        .filter(|request| request.fault.is_some())
        .collect();
    let fits = outcome.code().is_some_and(|code| allowed.contains(&code));
    assert!(
        fits && !outcome.timed_out,
        "{fault:?} of {method} {nth}: {broken:?}\n{outcome}"
    );
    if outcome.code() != Some(0) {
        project.run(["up", "-d"]).expect(0);
    }
    assert_eq!(
        project.states(),
        FIVE_UP,
        "{fault:?} of {method} {nth}: {broken:?}\n{outcome}"
    );
    project.assert_converged();
    project.run(["down", "-v"]).expect(0);
}

#[test]
fn a_wait_for_an_end_that_hangs_is_no_hang() {
    let project = Project::shared();
    project.stack(FIVE);
    for bytes in [0, 196] {
        let proxy = Proxy::before(project.engine());
        proxy.rule("POST", "/wait", Nth::Every, Fault::StallAfter(bytes));
        let cli = project.platform(["up", "-d"]).engine(&proxy.docker());
        let outcome = cli.timeout(Duration::from_secs(60)).run().expect(0);
        assert!(proxy.count("POST", "/wait") > 0, "{outcome}");
        assert_eq!(project.states(), FIVE_UP);
        project.run(["down", "-v"]).expect(0);
    }
}

#[test]
fn one_stalled_answer_ends_within_its_deadline() {
    let project = Project::shared();
    project.stack(FIVE);
    let requests = requests_of_up(&project);
    let mut dice = Dice::new("stalls one");
    for _ in 0..rounds(2) {
        let (nth, bytes) = (dice.below(requests) as usize + 1, dice.below(600) as usize);
        // Acts have a deadline of a minute: those are for the full form.
        let method = if rounds(2) > 10 { "*" } else { "GET" };
        up_with_fault(&project, method, nth, Fault::StallAfter(bytes), &[0, 4]);
    }
}

#[test]
fn a_lost_answer_to_any_act_is_not_a_lost_act() {
    let project = Project::shared();
    project.stack(FIVE);
    let mut dice = Dice::new("stalls lost");
    // One network, one volume, five creates and starts, and each exec of a probe twice.
    for _ in 0..rounds(4) {
        let cut = Fault::CutAfter(dice.below(300) as usize);
        let fault = [Fault::Drop, Fault::LoseAnswer, cut][dice.below(3) as usize];
        up_with_fault(&project, "POST", dice.below(14) as usize + 1, fault, &[0]);
    }
}

#[test]
fn a_lost_answer_to_any_question_is_never_taken_for_absence() {
    let project = Project::shared();
    project.stack(FIVE);
    let mut dice = Dice::new("stalls questions");
    for _ in 0..rounds(3) {
        let cut = Fault::CutAfter(dice.below(300) as usize);
        let fault = [Fault::Drop, Fault::Answer(500, "broken by the test"), cut][dice.below(3) as usize];
        up_with_fault(&project, "GET", dice.below(30) as usize + 1, fault, &[0, 1, 4]);
    }
}

#[test]
fn commands_that_read_end_at_once_when_stalled_and_interrupted() {
    let project = Project::shared();
    project.stack(FIVE);
    project.run(["up", "-d"]).expect(0);
    let proxy = Proxy::before(project.engine());
    proxy.rule("*", ".", Nth::Every, Fault::StallAfter(100));
    for args in [
        &["ps"][..],
        &["logs", "-f"],
        &["exec", "-T", "web", "true"],
        &["plan"],
        &["down"],
    ] {
        let running = project
            .platform(args.iter().copied())
            .engine(&proxy.docker())
            .start();
        std::thread::sleep(Duration::from_millis(400));
        let before = running.age();
        running.signal(Signal::INT);
        let outcome = running.wait();
        assert!(
            outcome.duration.saturating_sub(before) < Duration::from_secs(1),
            "{outcome}"
        );
        assert_ne!(outcome.code(), Some(0), "{outcome}");
    }
}
