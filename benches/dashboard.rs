//! What the dashboard costs: its own use of the processor and memory on a real terminal against a real
//! engine, and how soon it answers a key.
//!
//! `cargo bench --bench dashboard`; method and results: docs/benchmarks.md. It measures and does not judge.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reads the clock, prints what it saw and ends with a panic where it cannot"
)]
#![expect(dead_code, reason = "of the tests' support it uses a part")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::project::Project;
use support::proxy::{Fault, Nth, Proxy};
use support::pty::Terminal;

/// How long each use of the processor is measured.
const SPAN: Duration = Duration::from_secs(15);
/// How long the dashboard may take to settle after a change of what it shows.
const SETTLE: Duration = Duration::from_secs(6);
/// Five services that write nothing.
const FIVE_QUIET: &str = r#"
services:
  s1: {image: "@image@"}
  s2: {image: "@image@"}
  s3: {image: "@image@"}
  s4: {image: "@image@"}
  s5: {image: "@image@"}
"#;
/// How often a key is timed.
const KEYS: usize = 60;

fn main() {
    // `cargo test --benches` asks for nothing more than that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "| What is shown | CPU, % of one core | memory, MiB (peak) | a key answered after, ms: median (most) |"
    );
    println!("|---|---:|---:|---:|");
    quiet();
    flood();
    println!();
    println!("| What happens | on the screen after, ms: median (most) |");
    println!("|---|---:|");
    faults();
}

/// A container dies; the engine is gone; the engine hangs.
fn faults() {
    let project = Project::shared();
    let proxy = Proxy::before(project.engine());
    let terminal = shown(&project, FIVE_QUIET, Some(&proxy));
    let container = |action: &str| {
        let path = format!("/containers/{}-s1-1/{action}", project.name());
        project
            .engine()
            .call("POST", &path, &serde_json::Value::Null)
            .unwrap();
    };
    let dead = |screen: &str| screen.contains("exited (137)");
    told("a container is killed", 10, || {
        container("kill");
        let took = until(&terminal, dead);
        container("start");
        until(&terminal, |screen| !dead(screen));
        took
    });
    let lost = |screen: &str| screen.contains("has not answered for");
    let healed = |break_it: &dyn Fn()| {
        break_it();
        let took = until(&terminal, lost);
        proxy.heal();
        until(&terminal, |screen| !lost(screen));
        sleep(Duration::from_secs(2));
        took
    };
    told("the engine's socket closes", 5, || healed(&|| proxy.cut_all()));
    told("the engine answers nothing any more", 5, || {
        healed(&|| proxy.rule("*", ".", Nth::Every, Fault::StallAfter(0)))
    });
}

fn told(what: &str, rounds: usize, mut once: impl FnMut() -> f64) {
    let mut took: Vec<f64> = (0..rounds).map(|_| once()).collect();
    took.sort_by(f64::total_cmp);
    println!("| {what} | {:.0} ({:.0}) |", took[rounds / 2], took[rounds - 1]);
}

/// Milliseconds until the screen is as wanted.
fn until(terminal: &Terminal, wanted: impl Fn(&str) -> bool) -> f64 {
    let begin = Instant::now();
    terminal.wait_for("what was done", Duration::from_secs(30), wanted);
    begin.elapsed().as_secs_f64() * 1e3
}

/// Five services that write nothing.
fn quiet() {
    let project = Project::shared();
    let mut terminal = shown(&project, FIVE_QUIET, None);
    row("5 services, nothing happens: Stack", &mut terminal);
    terminal.send("2");
    row("5 services, nothing happens: Logs", &mut terminal);
}

/// Fifty services that write two thousand lines a second together.
fn flood() {
    let project = Project::shared();
    let mut stack = String::from("services:\n");
    for n in 1..=50 {
        // Forty lines a second each, four at a time.
        let _ = writeln!(
            stack,
            "  s{n}:\n    image: \"@image@\"\n    command:\n      - sh\n      - -c\n      - >-\n        while true; do for i in 1 2 3 4; do echo \
             '{{\"level\":\"info\",\"msg\":\"request served\",\"path\":\"/items\",\"status\":200,\"ms\":3}}'; done; sleep 0.1; done"
        );
    }
    let mut terminal = shown(&project, &stack, None);
    row("50 services, 2,000 lines a second: Stack", &mut terminal);
    terminal.send("2");
    row(
        "50 services, 2,000 lines a second: Logs, following",
        &mut terminal,
    );
    terminal.send("/served\r");
    row("50 services, 2,000 lines a second: Logs, filtered", &mut terminal);
    terminal.send("\x1b");
    sleep(Duration::from_millis(200));
    terminal.send("3");
    row("50 services, 2,000 lines a second: Timeline", &mut terminal);
}

/// The dashboard of a stack that is up; `proxy` stands between it and the engine.
fn shown(project: &Project, stack: &str, proxy: Option<&Proxy>) -> Terminal {
    project.stack(stack);
    let up = project
        .platform(["up", "-d"])
        .timeout(Duration::from_secs(180))
        .run();
    assert_eq!(up.code(), Some(0), "{up}");
    let cli = project
        .platform(["dashboard"])
        .env("HOME", project.dir())
        .env("LANG", "C.UTF-8");
    let cli = match proxy {
        Some(proxy) => cli.engine(&proxy.docker()),
        None => cli,
    };
    let terminal = Terminal::start(&cli, 50, 160);
    terminal.wait_for("the services", Duration::from_secs(30), |s| {
        s.contains("s1 ") && s.contains("s5 ")
    });
    terminal
}

fn row(what: &str, terminal: &mut Terminal) {
    sleep(SETTLE);
    let pid = terminal.pid();
    let (before, begin) = (ticks(pid), Instant::now());
    sleep(SPAN);
    let used = (ticks(pid) - before) / begin.elapsed().as_secs_f64() * 100.0;
    let mut answers: Vec<f64> = (0..KEYS).map(|_| answered(terminal)).collect();
    answers.sort_by(f64::total_cmp);
    println!(
        "| {what} | {used:.2} | {:.1} ({:.1}) | {:.0} ({:.0}) |",
        memory(pid, "VmRSS:"),
        memory(pid, "VmHWM:"),
        answers[KEYS / 2],
        answers[KEYS - 1]
    );
}

/// Milliseconds from a key to the help that it opens being on the screen.
fn answered(terminal: &mut Terminal) -> f64 {
    let help = |text: &str| text.contains("─ keys ─");
    let begin = Instant::now();
    terminal.send("?");
    while !help(&terminal.text()) {
        sleep(Duration::from_millis(1));
    }
    let took = begin.elapsed().as_secs_f64() * 1e3;
    terminal.send("?");
    while help(&terminal.text()) {
        sleep(Duration::from_millis(1));
    }
    // Keys come at any time between two frames.
    sleep(Duration::from_millis(37));
    took
}

/// Seconds of processor time that a process has used, user and system (`proc(5)`, fields 14 and 15 of `stat`).
fn ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let field = |n: usize| fields[n - 3].parse::<f64>().unwrap();
    // The kernel counts a hundredth of a second (USER_HZ) on every architecture that we run on.
    (field(14) + field(15)) / 100.0
}

/// MiB of a line of `/proc/PID/status`.
fn memory(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    found.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
