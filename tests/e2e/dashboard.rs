//! The dashboard on a real terminal, against real engines.

use std::time::Duration;

use rustix::process::Signal;

use crate::stacks::{FIVE, FIVE_UP};
use crate::support::cli::Cli;
use crate::support::engine::PrivateEngine;
use crate::support::project::Project;
use crate::support::pty::Terminal;
use crate::support::wait;

/// Long enough for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Two services, one of which writes what no terminal should obey.
const NOISY: &str = r#"
services:
  calm:
    image: "@image@"
    command: [serve, "80"]
    healthcheck: { test: [CMD, wget, -qO-, "http://127.0.0.1/"], interval: 1s, timeout: 2s, retries: 3 }
  noisy:
    image: "@image@"
    command:
      - sh
      - -c
      - |
        printf '\033]0;pwned\007\033[2J\033[31mred\033[0m\n'
        printf '{"level":"error","msg":"it is json","code":7}\n'
        i=0; while true; do i=$$((i+1)); echo "line $$i of noisy"; sleep 0.2; done
"#;

fn up(stack: &str) -> Project {
    let project = Project::shared();
    project.stack(stack);
    project.run(["up", "-d"]).expect(0);
    project
}

/// The dashboard remembers nothing of other tests.
fn dashboard<'a>(project: &Project, args: impl IntoIterator<Item = &'a str>) -> Cli {
    let args = ["dashboard"].into_iter().chain(args);
    at_home(project, project.platform(args))
}

/// The dashboard of a project on a terminal of this size.
pub(crate) fn shown(project: &Project, rows: u16, columns: u16) -> Terminal {
    Terminal::start(&dashboard(project, []), rows, columns)
}

pub(crate) fn at_home(project: &Project, cli: Cli) -> Cli {
    cli.env("HOME", project.dir())
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
}

/// Escape alone: what follows it at once would be a key with Alt.
fn escape(terminal: &mut Terminal) {
    terminal.send("\x1b");
    std::thread::sleep(Duration::from_millis(200));
}

fn restarted_since(project: &Project, service: &str, before: &str) -> bool {
    let started = || {
        Some(
            project.container(service)?["State"]["StartedAt"]
                .as_str()?
                .to_owned(),
        )
    };
    started().is_some_and(|now| now != before)
}

fn started_at(project: &Project, service: &str) -> String {
    project.container(service).unwrap()["State"]["StartedAt"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn it_shows_what_runs_and_acts_on_it() {
    let project = up(NOISY);
    let mut terminal = Terminal::start(&dashboard(&project, []), 30, 120);
    let screen = terminal.wait_for("both services", SOON, |s| {
        s.contains("calm") && s.contains("noisy") && s.contains("ready")
    });
    assert!(screen.contains(project.name()), "{screen}");

    let before = started_at(&project, "calm");
    terminal.send("gr");
    terminal.wait_for("the question", SOON, |s| {
        s.contains("restart calm?") && s.contains("restart calm\n") || s.contains("restart calm ")
    });
    terminal.send("n");
    terminal.wait_for("no question", SOON, |s| !s.contains("restart calm?"));
    assert_eq!(started_at(&project, "calm"), before);
    terminal.send("ry");
    wait::until("the restart", SOON, || {
        restarted_since(&project, "calm", &before).then_some(())
    });
    terminal.send("H");
    terminal.wait_for("the history", SOON, |s| {
        s.contains("restart calm") && s.contains("done")
    });
    escape(&mut terminal);

    // Stopped by somebody else: seen, and started again from here.
    project
        .engine()
        .call(
            "POST",
            &format!("/containers/{}-noisy-1/kill", project.name()),
            &serde_json::Value::Null,
        )
        .unwrap();
    terminal.wait_for("the death", SOON, |s| s.contains("exited (137)"));
    terminal.send("GS");
    wait::until("the start", SOON, || {
        project
            .states()
            .contains(&"noisy: running".to_owned())
            .then_some(())
    });

    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    terminal.assert_restored();
}

#[test]
fn a_project_that_docker_compose_started_is_shown_without_its_files() {
    let project = Project::shared();
    project.stack(FIVE);
    let Some(compose) = crate::engine::peer::required() else {
        return;
    };
    let started = project.program(compose.to_str().unwrap()).args(["up", "-d"]);
    started.timeout(Duration::from_secs(120)).run().expect(0);
    let cli = project
        .prepare(Cli::platform().args(["-p", project.name(), "dashboard", "--read-only"]))
        .cwd("/");
    let mut terminal = Terminal::start(&at_home(&project, cli), 24, 80);
    terminal.wait_for("all services", SOON, |s| {
        ["api", "cache", "db", "migrate", "web"]
            .iter()
            .all(|name| s.contains(name))
    });
    let states = project.states();
    terminal.send("*sry");
    terminal.wait_for("the refusal", SOON, |s| s.contains("read-only"));
    terminal.send("\x03");
    assert_eq!(terminal.wait(SOON), 130);
    assert_eq!(project.states(), states);
    terminal.assert_restored();
}

#[test]
fn control_sequences_in_logs_cannot_act_on_the_terminal() {
    let project = up(NOISY);
    let mut terminal = Terminal::start(&dashboard(&project, []), 30, 120);
    terminal.wait_for("rows", SOON, |s| s.contains("noisy"));
    terminal.send("2");
    terminal.wait_for("log lines", SOON, |s| s.contains("of noisy"));
    terminal.send("/json\r");
    terminal.wait_for("the filtered line", SOON, |s| {
        s.contains("it is json") && !s.contains("of noisy")
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid())).unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 64 * 1024, "{peak} KiB of memory at its most");
    escape(&mut terminal);
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    assert!(
        !terminal.raw().contains("\x1b]0;pwned"),
        "a title was set by a log line"
    );
    terminal.assert_restored();
}

#[test]
fn a_shell_gets_the_terminal_and_gives_it_back() {
    let project = up(NOISY);
    let mut terminal = Terminal::start(&dashboard(&project, []), 30, 120);
    terminal.wait_for("the service", SOON, |s| s.contains("calm") && s.contains("ready"));
    terminal.send("ge");
    // What is typed before the shell is there stays in the terminal for it.
    terminal.wait_for("a prompt", SOON, |s| s.contains('#'));
    terminal.send("echo sum-$((40+2))\r");
    terminal.wait_for("the shell's answer", SOON, |s| s.contains("sum-42"));
    terminal.send("exit\r");
    terminal.wait_for("the dashboard", SOON, |s| {
        s.contains("the shell in calm has ended")
    });
    // The first key after it is the dashboard's.
    terminal.send("?");
    terminal.wait_for("help", SOON, |s| s.contains("─ keys ─"));
    escape(&mut terminal);
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    terminal.assert_restored();
}

#[test]
fn a_resize_never_breaks_it_and_a_small_terminal_shows_what_matters() {
    let project = up(NOISY);
    let mut terminal = Terminal::start(&dashboard(&project, []), 5, 20);
    terminal.wait_for("a service", SOON, |s| s.contains("calm"));
    for digit in ["2", "3", "4", "5", "6", "7", "1"] {
        terminal.send(digit);
        for (rows, columns) in [(1, 1), (24, 80), (3, 200), (60, 20), (5, 20), (50, 180)] {
            terminal.resize(rows, columns);
            std::thread::sleep(Duration::from_millis(15));
        }
    }
    terminal.resize(24, 80);
    terminal.wait_for("the whole screen", SOON, |s| {
        s.contains("calm") && s.contains("noisy") && s.contains("1 Stack")
    });
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    terminal.assert_restored();
}

#[test]
fn the_terminal_is_given_back_after_a_signal_and_after_a_panic() {
    let project = up(NOISY);
    let terminal = {
        let mut terminal = Terminal::start(&dashboard(&project, []), 24, 80);
        terminal.wait_for("rows", SOON, |s| s.contains("noisy"));
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.wait(SOON), 143);
        terminal
    };
    terminal.assert_restored();
    let mut terminal = Terminal::start(&dashboard(&project, []), 24, 80);
    terminal.wait_for("rows", SOON, |s| s.contains("noisy"));
    // F17 as crossterm reads it, which builds with debug assertions panic at.
    terminal.send("\x1b[34~");
    assert_eq!(terminal.wait(SOON), 101);
    terminal.assert_restored();
    assert!(
        terminal.text().contains("panic on purpose"),
        "{}",
        terminal.text()
    );
}

#[test]
fn an_engine_that_is_gone_is_told_and_waited_for() {
    if !PrivateEngine::available() {
        return;
    }
    let mut engine = PrivateEngine::start();
    let project = Project::on(&engine.docker()).inside(engine.netns().file());
    project.stack(FIVE);
    project.run(["up", "-d"]).expect(0);
    let mut terminal = Terminal::start(&dashboard(&project, []), 24, 100);
    terminal.wait_for("rows", SOON, |s| s.contains("cache") && s.contains("web"));
    engine.kill();
    let screen = terminal.wait_for("the loss", SOON, |s| s.contains("has not answered for"));
    assert!(
        screen.contains("cache") && screen.contains("web"),
        "services must stay on the screen:\n{screen}"
    );
    engine.restart();
    terminal.wait_for("the engine's return", Duration::from_secs(30), |s| {
        !s.contains("has not answered for")
    });
    engine.freeze();
    terminal.wait_for("the silence", SOON, |s| s.contains("has not answered for"));
    terminal.send("?");
    terminal.wait_for("an answer to a key", SOON, |s| s.contains("─ keys ─"));
    engine.thaw();
    escape(&mut terminal);
    terminal.wait_for("the engine's return", Duration::from_secs(30), |s| {
        !s.contains("has not answered for")
    });
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    terminal.assert_restored();
}

#[test]
fn up_in_the_foreground_is_a_dashboard_from_the_first_step_on() {
    let project = Project::shared();
    project.stack(FIVE);
    let mut terminal = Terminal::start(&at_home(&project, project.platform(["up"])), 30, 120);
    terminal.wait_for("the dashboard", SOON, |s| s.contains("1 Stack"));
    terminal.wait_for("everything up", Duration::from_secs(60), |s| {
        s.contains("5/5 good")
    });
    terminal.send("q");
    terminal.wait_for("the choice", SOON, |s| s.contains("stop the stack and leave"));
    terminal.send("l");
    assert_eq!(terminal.wait(SOON), 0, "{}", terminal.text());
    terminal.assert_restored();
    assert_eq!(project.states(), FIVE_UP);
    let left = terminal.text();
    assert!(
        left.contains("web") && left.contains("ready"),
        "the summary stays in the terminal:\n{left}"
    );

    let mut terminal = Terminal::start(&at_home(&project, project.platform(["up"])), 30, 120);
    // Before its end it would be interrupted, and leave everything as it is.
    terminal.wait_for(
        "the end of a run with nothing to do",
        Duration::from_secs(60),
        |s| s.contains("nothing to do"),
    );
    terminal.send("\x03");
    assert_eq!(terminal.wait(Duration::from_secs(60)), 130, "{}", terminal.text());
    terminal.assert_restored();
    assert!(
        project.states().iter().all(|state| state.ends_with("exited")),
        "{:?}",
        project.states()
    );
}

#[test]
fn up_in_the_foreground_can_be_interrupted_while_it_starts() {
    let project = Project::shared();
    project.stack(crate::stacks::NEVER_READY);
    let mut terminal = Terminal::start(&at_home(&project, project.platform(["up"])), 30, 120);
    terminal.wait_for("the wait", SOON, |s| s.contains("stuck"));
    terminal.send("\x03");
    assert_eq!(terminal.wait(Duration::from_secs(30)), 130, "{}", terminal.text());
    terminal.assert_restored();
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let project = Project::shared();
    project.stack(NOISY);
    dashboard(&project, [])
        .run()
        .expect(2)
        .says("needs a terminal")
        .says("platform ps");
    dashboard(&project, ["--print-settings"])
        .run()
        .expect(0)
        .prints("[keys]");
}

#[test]
fn settings_that_are_wrong_are_told_with_their_lines() {
    let project = up(NOISY);
    let file = project.file(
        "own.toml",
        "theme = \"dark\"\n[keys]\nrestrat = \"x\"\nstop = \"strg-x\"\n",
    );
    let file = file.to_str().unwrap();
    let mut terminal = Terminal::start(&dashboard(&project, ["--settings", file]), 24, 100);
    assert_eq!(terminal.wait(SOON), 2);
    let text = terminal.text();
    assert!(
        text.contains("own.toml:3:") && text.contains("restart") && text.contains("own.toml:4:"),
        "{text}"
    );
    let file = project.file("own.toml", "[keys]\nquit = \"f9\"\n");
    let mut terminal = Terminal::start(
        &dashboard(&project, ["--settings", file.to_str().unwrap()]),
        24,
        100,
    );
    terminal.wait_for("rows", SOON, |s| s.contains("noisy"));
    terminal.send("\x1b[20~");
    assert_eq!(terminal.wait(SOON), 0);
}
