//! What the dashboard shows stays true while the engine, its answers, or the metrics behind it are disturbed.

use std::time::Duration;

use serde_json::Value;

use crate::dashboard::{SOON, at_home, shown};
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};
use crate::support::pty::Terminal;

const COUNTING: &str = r#"
services:
  calm: { image: "@image@" }
  counter:
    image: "@image@"
    command: [sh, -c, "i=0; while true; do i=$$((i+1)); echo \"count $$i.\"; usleep 20000; done"]
"#;

/// A Prometheus and an Alertmanager as far as the dashboard asks them: fixed answers from files.
const WATCHED: &str = r#"
services:
  calm: { image: "@image@" }
  metrics:
    image: "@image@"
    expose: ["9090"]
    command:
      - sh
      - -c
      - |
        mkdir -p /www/api/v1
        echo '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service":"calm"},"value":[1,"0.75"]}]}}' > /www/api/v1/query
        exec serve 9090
  alerts:
    image: "@image@"
    expose: ["9093"]
    command:
      - sh
      - -c
      - |
        mkdir -p /www/api/v2
        echo '[{"labels":{"alertname":"Slow","service":"calm","severity":"warning"},"annotations":{"summary":"calm is slow"},"startsAt":"2026-11-21T12:00:00Z","fingerprint":"1","status":{"state":"active"}}]' > /www/api/v2/alerts
        exec serve 9093
"#;

fn kill(project: &Project, service: &str) {
    act(project, service, "kill");
}

fn start(project: &Project, service: &str) {
    act(project, service, "start");
}

fn act(project: &Project, service: &str, action: &str) {
    let path = format!("/containers/{}-{service}-1/{action}", project.name());
    project.engine().call("POST", &path, &Value::Null).unwrap();
}

fn up(stack: &str) -> Project {
    let project = Project::shared();
    project.stack(stack);
    project.run(["up", "-d"]).expect(0);
    project
}

/// The line of a service on the screen.
fn line<'s>(screen: &'s str, service: &str) -> &'s str {
    let own = |line: &&str| line.split_whitespace().any(|word| word == service);
    screen.lines().find(own).unwrap_or_default()
}

fn through(project: &Project, proxy: &Proxy, rows: u16, columns: u16) -> Terminal {
    let cli = project.platform(["dashboard"]).engine(&proxy.docker());
    Terminal::start(&at_home(project, cli), rows, columns)
}

#[test]
fn a_death_is_seen_at_once_and_without_events_within_ten_seconds() {
    let project = up(COUNTING);
    let dead = |screen: &str| line(screen, "calm").contains("exited (137)");
    let alive = |screen: &str| {
        let line = line(screen, "calm");
        line.contains("running") || line.contains("ready")
    };
    let proxy = Proxy::before(project.engine());
    let terminal = through(&project, &proxy, 24, 100);
    terminal.wait_for("the services", SOON, alive);
    kill(&project, "calm");
    // What a quiet machine takes is measured in benches/dashboard.rs; without events it is eight seconds.
    terminal.wait_for("the death", Duration::from_secs(3), dead);
    start(&project, "calm");
    terminal.wait_for("the start", SOON, alive);
    drop(terminal);

    for fault in [
        Fault::StallAfter(0),
        Fault::Drop,
        Fault::Answer(500, "no events today"),
    ] {
        let proxy = Proxy::before(project.engine());
        proxy.rule("GET", "^/events", Nth::Every, fault);
        let terminal = through(&project, &proxy, 24, 100);
        terminal.wait_for("the services", SOON, alive);
        kill(&project, "calm");
        terminal.wait_for("the death without events", Duration::from_secs(10), dead);
        start(&project, "calm");
        terminal.wait_for("the start without events", Duration::from_secs(10), alive);
    }
}

#[test]
fn an_engine_that_was_cut_off_is_told_and_logs_go_on_without_loss_or_doubles() {
    let project = up(COUNTING);
    let proxy = Proxy::before(project.engine());
    let mut terminal = through(&project, &proxy, 40, 120);
    terminal.wait_for("the services", SOON, |s| s.contains("counter"));
    terminal.send("2");
    terminal.wait_for("log lines", SOON, |s| s.contains("count "));
    for _ in 0..2 {
        proxy.cut_all();
        let screen = terminal.wait_for("the loss", Duration::from_secs(4), |s| {
            s.contains("has not answered for")
        });
        assert!(
            screen.contains("count "),
            "log lines must stay on the screen:\n{screen}"
        );
        proxy.heal();
        terminal.wait_for("the engine's return", SOON, |s| {
            !s.contains("has not answered for")
        });
        std::thread::sleep(Duration::from_secs(1));
    }
    terminal.send("W");
    terminal.wait_for("the saved file", SOON, |s| s.contains("saved"));
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
    let saved = std::fs::read_dir(project.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "log"))
        .expect("a saved file");
    let text = std::fs::read_to_string(saved).unwrap();
    let count = |line: &str| -> Option<u64> {
        let (_, number) = line.rsplit_once("count ")?;
        number.trim_end_matches('.').parse().ok()
    };
    let counts: Vec<u64> = text.lines().filter_map(count).collect();
    let expected: Vec<u64> = (1..=counts.len() as u64).collect();
    assert!(counts.len() > 100, "{} lines", counts.len());
    assert_eq!(counts, expected, "lines are missing, doubled or out of order");
}

#[test]
fn without_prometheus_and_alertmanager_their_columns_say_so_and_the_rest_lives() {
    let project = up(WATCHED);
    let mut terminal = shown(&project, 40, 160);
    terminal.wait_for("rate and alert", SOON, |s| {
        let line = line(s, "calm");
        line.contains("0.75") && line.contains('1') && s.contains("Slow")
    });
    kill(&project, "metrics");
    kill(&project, "alerts");
    terminal.wait_for("old values marked", SOON, |s| line(s, "calm").contains("0.75?"));
    terminal.wait_for("why", SOON, |s| s.contains("metrics is not running"));
    kill(&project, "calm");
    terminal.wait_for("a death beside it", Duration::from_secs(3), |s| {
        line(s, "calm").contains("exited (137)")
    });
    for service in ["metrics", "alerts", "calm"] {
        start(&project, service);
    }
    terminal.wait_for("fresh values", SOON, |s| {
        let line = line(s, "calm");
        line.contains("0.75") && !line.contains('?')
    });
    terminal.send("q");
    assert_eq!(terminal.wait(SOON), 0);
}
