//! Ctrl-C once and twice, SIGTERM: the run ends as asked, says what is left, and can be taken up again.

use std::time::Duration;

use rustix::process::Signal;

use crate::stacks::{FIVE, FIVE_UP, NEVER_READY};
use crate::support::kill::{self, Dice, Moment, rounds};
use crate::support::project::Project;
use crate::support::pty::Terminal;
use crate::support::wait;

/// Waits until the run waits for the service that is never ready.
fn stuck(project: &Project) {
    wait::until("the wait", Duration::from_secs(20), || {
        (project.states() == ["after: created", "ok: running", "stuck: running"]).then_some(())
    });
}

#[test]
fn a_wait_ends_at_once_with_the_signals_own_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::shared();
        project.stack(NEVER_READY);
        let running = project.platform(["up", "-d"]).start();
        stuck(&project);
        let before = running.age();
        running.signal(signal);
        let outcome = running.wait().expect(code);
        assert!(outcome.duration - before < Duration::from_secs(1), "{outcome}");
        assert!(
            outcome.stderr.contains("stuck") || outcome.stderr.contains("down"),
            "what is left is not said\n{outcome}"
        );
    }
}

/// A service that takes its whole grace period to stop, on an attached run.
const STUBBORN: &str =
    "services: { web: { image: \"@image@\", command: [sleep, \"2147483647\"], stop_grace_period: 30s } }\n";

#[test]
fn an_attached_run_stops_its_services_when_interrupted() {
    let project = Project::shared();
    project.stack("services: { web: { image: \"@image@\" }, api: { image: \"@image@\" } }\n");
    let mut running = project.platform(["up", "--no-tui"]).start();
    wait::until("the services", Duration::from_secs(20), || {
        (project.states() == ["api: running", "web: running"] || running.ended()).then_some(())
    });
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration < Duration::from_secs(15), "{outcome}");
    assert_eq!(project.states(), ["api: exited", "web: exited"], "{outcome}");
}

#[test]
fn a_second_interrupt_kills() {
    let project = Project::shared();
    project.stack(STUBBORN);
    let mut running = project.platform(["up", "--no-tui"]).start();
    wait::until("the service", Duration::from_secs(20), || {
        (project.states() == ["web: running"] || running.ended()).then_some(())
    });
    std::thread::sleep(Duration::from_millis(300));
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(700));
    assert!(!running.ended(), "{}", running.wait());
    let before = running.age();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration - before < Duration::from_secs(3), "{outcome}");
}

#[test]
fn down_can_be_interrupted_and_finished() {
    let project = Project::shared();
    project.stack(STUBBORN);
    project.run(["up", "-d"]).expect(0);
    let running = project.platform(["down"]).start();
    std::thread::sleep(Duration::from_millis(700));
    let before = running.age();
    running.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(200));
    running.signal(Signal::TERM);
    let outcome = running.wait();
    assert!(
        outcome.code() == Some(143) && outcome.duration - before < Duration::from_secs(4),
        "{outcome}"
    );
    project.run(["down", "-t", "0"]).expect(0);
    assert!(project.containers().is_empty() && project.networks().is_empty());
}

#[test]
fn an_interrupt_at_any_moment_leaves_what_the_next_run_finishes() {
    let project = Project::shared();
    project.stack(FIVE);
    let mut dice = Dice::new("interrupt");
    let whole = project.run(["up", "-d"]).expect(0).duration;
    for round in 0..rounds(3) {
        let signal = if dice.below(2) == 0 {
            Signal::INT
        } else {
            Signal::TERM
        };
        let cli = project
            .platform(["up", "-d"])
            .env("SALT", format!("round {round}"));
        let moment = Moment::After(dice.duration(whole * 2));
        let (outcome, sent) = kill::at(&cli, &moment, signal);
        if sent {
            // Before our handler is there, the signal kills; after the work is done, the run is good.
            let code = if signal == Signal::INT { 130 } else { 143 };
            let fits =
                outcome.code() == Some(code) || outcome.code() == Some(0) || outcome.signal().is_some();
            assert!(fits, "round {round}, {moment:?}\n{outcome}");
        }
        cli.run().expect(0);
        assert_eq!(project.states(), FIVE_UP, "round {round}, {moment:?}");
        project
            .platform(["plan", "--exit-code"])
            .env("SALT", format!("round {round}"))
            .run()
            .expect(0);
    }
}

#[test]
fn a_terminal_is_put_back_after_ctrl_c() {
    let project = Project::shared();
    project.stack(NEVER_READY);
    let mut terminal = Terminal::start(&project.platform(["up", "-d"]), 30, 100);
    terminal.wait_for("the wait", Duration::from_secs(20), |screen| {
        screen.contains("stuck")
    });
    stuck(&project);
    terminal.resize(12, 40);
    std::thread::sleep(Duration::from_millis(150));
    terminal.resize(30, 100);
    terminal.send("\x03");
    assert_eq!(terminal.wait(Duration::from_secs(3)), 130, "{}", terminal.text());
    terminal.assert_restored();
}
