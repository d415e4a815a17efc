//! No terminal, a dumb one, a closed pipe, a full device.

use std::time::Duration;

use crate::support::project::Project;
use crate::support::pty::Terminal;

fn project() -> Project {
    let project = Project::shared();
    project.stack("services:\n  web: { image: \"@image@\", command: [sh, -c, \"echo a line of web; exec pause\"] }\n  api: { image: \"@image@\" }\n");
    project
}

#[test]
fn without_a_terminal_there_is_no_control_sequence() {
    let project = project();
    for args in [&["up", "-d"][..], &["ps"], &["logs"], &["plan"], &["down"]] {
        let outcome = project
            .run(args.iter().copied())
            .expect(0)
            .never_says("\x1b")
            .never_says("\r");
        if args[0] == "up" || args[0] == "down" {
            assert_eq!(outcome.stdout, "", "talk on standard output\n{outcome}");
        }
    }
}

#[test]
fn data_goes_to_standard_output() {
    let project = project();
    project.run(["up", "-d"]).expect(0);
    project.run(["ps"]).expect(0).prints("web").prints("api");
    project.run(["logs", "web"]).expect(0).prints("a line of web");
    project.run(["ps", "-q"]).expect(0);
    let ids = project.run(["ps", "-q"]).expect(0).stdout;
    assert_eq!(ids.lines().count(), 2, "{ids}");
    let json = project.run(["ps", "--format", "json"]).expect(0).stdout;
    assert!(
        json.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{json}"
    );
}

#[test]
fn a_closed_pipe_ends_the_printing_and_not_the_stack() {
    let project = project();
    let up = project.platform(["up", "-d"]).stdout_closed().run();
    assert_eq!(up.code(), Some(0), "{up}");
    for args in [&["ps"][..], &["logs"], &["config"], &["plan", "--format", "json"]] {
        let outcome = project.platform(args.iter().copied()).stdout_closed().run();
        assert!(
            outcome.signal().is_none() && !outcome.stderr.contains("panic"),
            "{outcome}"
        );
    }
    assert_eq!(project.states(), ["api: running", "web: running"]);
}

#[test]
fn an_attached_run_whose_reader_is_gone_goes_on_or_ends_and_keeps_the_services() {
    let project = project();
    let mut running = project.platform(["up", "--no-tui"]).stdout_closed().start();
    crate::support::wait::until("the services", Duration::from_secs(20), || {
        (project.states() == ["api: running", "web: running"] || running.ended()).then_some(())
    });
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(project.states(), ["api: running", "web: running"]);
}

#[test]
fn a_full_device_is_an_error() {
    let project = project();
    project.run(["up", "-d"]).expect(0);
    for args in [&["ps"][..], &["config"], &["logs"]] {
        let outcome = project
            .platform(args.iter().copied())
            .stdout_file("/dev/full")
            .run();
        assert_eq!(outcome.code(), Some(1), "{outcome}");
        assert!(outcome.stderr.to_lowercase().contains("space"), "{outcome}");
    }
}

#[test]
fn a_terminal_shows_the_tree_and_is_put_back() {
    let project = project();
    let mut terminal = Terminal::start(&project.platform(["up", "-d"]), 24, 80);
    assert_eq!(terminal.wait(Duration::from_secs(20)), 0, "{}", terminal.text());
    assert!(
        terminal.text().contains("web") && terminal.raw().contains('\x1b'),
        "{}",
        terminal.text()
    );
    terminal.assert_restored();
}

#[test]
fn a_dumb_a_tiny_and_a_colourless_terminal_are_fine() {
    let project = project();
    let plain = project.platform(["up", "-d"]).env("TERM", "dumb");
    let mut terminal = Terminal::start(&plain, 24, 80);
    assert_eq!(terminal.wait(Duration::from_secs(20)), 0, "{}", terminal.text());
    assert!(!terminal.raw().contains('\x1b'), "{:?}", terminal.raw());
    let mut terminal = Terminal::start(&project.platform(["up", "-d", "--force-recreate"]), 4, 12);
    assert_eq!(terminal.wait(Duration::from_secs(20)), 0, "{}", terminal.text());
    terminal.assert_restored();
    let mut terminal = Terminal::start(&project.platform(["ps"]).env("NO_COLOR", "1"), 24, 80);
    assert_eq!(terminal.wait(Duration::from_secs(20)), 0, "{}", terminal.text());
    assert!(!terminal.raw().contains("\x1b[3"), "{:?}", terminal.raw());
}
