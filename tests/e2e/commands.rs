//! `logs -f` over what happens to containers, `exec` on a terminal, `init`, `doctor`.

use std::net::TcpListener;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::cli::Cli;
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};
use crate::support::pty::Terminal;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(30);

/// A service that counts, and one that ended.
fn counting() -> Project {
    let project = Project::shared();
    project.stack(
        "services:\n  \
           count:\n    image: \"@image@\"\n    init: true\n    stop_grace_period: 1s\n    \
             command: [sh, -c, \"echo begin; i=0; while sleep 0.2; do i=$$((i+1)); echo count $$i; done\"]\n  \
           job: { image: \"@image@\", command: [printf, last words] }\n",
    );
    project.run(["up", "-d"]).expect(0);
    project
}

#[test]
fn followed_logs_survive_a_restart_and_a_replacement() {
    let project = counting();
    let following = project.platform(["logs", "-f", "count"]).start();
    let seen = |text: &str, times: usize, following: &crate::support::running::Running| {
        wait::until("lines of the log", LIMIT, || {
            (following.stdout().matches(text).count() >= times).then_some(())
        });
    };
    seen("count 2\n", 1, &following);
    let id = project.ids().first().cloned().unwrap();
    assert!(!id.is_empty());
    project.run(["up", "-d", "--force-recreate", "count"]).expect(0);
    seen("begin\n", 2, &following);
    seen("count 2\n", 2, &following);
    let container = project.container("count").unwrap();
    let name = container["Name"]
        .as_str()
        .unwrap()
        .trim_start_matches('/')
        .to_owned();
    project
        .program("docker")
        .args(["restart", "-t", "1", &name])
        .run()
        .expect(0);
    seen("begin\n", 3, &following);
    seen("count 2\n", 3, &following);
    let text = following.stdout();
    assert_eq!(text.matches("begin\n").count(), 3, "a line came twice:\n{text}");

    project
        .program("docker")
        .args(["stop", "-t", "1", &name])
        .run()
        .expect(0);
    let outcome = following.wait();
    assert_eq!(
        outcome.code(),
        Some(0),
        "following ends when nothing runs: {outcome}"
    );
}

#[test]
fn history_is_merged_and_keeps_an_unfinished_last_line() {
    let project = counting();
    let text = project.run(["logs", "--no-color"]).expect(0).stdout;
    assert!(text.contains("job-1    | last words\n"), "{text}");
    let times = project.run(["logs", "-t", "--no-log-prefix"]).expect(0).stdout;
    let times: Vec<&str> = times.lines().filter_map(|line| line.split(' ').next()).collect();
    let key = |time: &&str| format!("{:0<30}", time.trim_end_matches('Z'));
    assert!(times.is_sorted_by_key(key), "{times:?}");
    assert_eq!(
        project
            .run(["logs", "-n", "1", "count"])
            .expect(0)
            .stdout
            .lines()
            .count(),
        1
    );
    project
        .run(["logs", "nothing"])
        .expect(2)
        .says("no service `nothing`");
}

#[test]
fn logs_are_searched_in_history_from_the_end_and_as_they_are_written() {
    let project = Project::shared();
    project.stack(
        "services:\n  \
           app:\n    image: \"@image@\"\n    init: true\n    stop_grace_period: 1s\n    \
             command: [sh, -c, \"printf 'Error one\\\\n\\\\377 error two\\\\nfine\\\\nerror three\\\\nfine\\\\n'; \
               i=0; while sleep 0.2; do i=$$((i+1)); echo count $$i; done\"]\n  \
           job: { image: \"@image@\", command: [printf, 'an error\\nlast words'] }\n",
    );
    project.run(["up", "-d"]).expect(0);
    let lines = |args: &[&str]| {
        let args = ["logs", "--no-log-prefix", "--no-color"]
            .into_iter()
            .chain(args.iter().copied());
        let mut lines: Vec<String> = project
            .run(args)
            .expect(0)
            .stdout
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&["--grep", "error$|words"]), ["an error", "last words"]);
    assert_eq!(
        lines(&["app", "-i", "--grep=^error"]),
        ["Error one", "error three"]
    );
    assert_eq!(lines(&["app", "--grep=error", "-n1"]), ["error three"]);
    assert_eq!(
        lines(&["app", "--grep=error t", "-n5"]),
        ["error three", "\u{fffd} error two"]
    );
    assert_eq!(
        lines(&["app", "--grep=(?i)error|count", "--invert-match"]),
        ["fine", "fine"]
    );
    assert!(lines(&["--grep=nothing of this kind", "-n", "3"]).is_empty());
    project
        .run(["logs", "--grep", "(x"])
        .expect(2)
        .says("--grep is `(x`; expected a regular expression: unclosed group");

    let following = project
        .platform([
            "logs",
            "-f",
            "-n1",
            "--no-log-prefix",
            "--grep",
            "three|count .*[05]$",
            "app",
        ])
        .start();
    wait::until("lines that match", LIMIT, || {
        following.stdout().contains("count 10\n").then_some(())
    });
    let text = following.stdout();
    let shown: Vec<&str> = text.lines().collect();
    let tens: Vec<&&str> = shown.iter().filter(|line| **line == "count 10").collect();
    assert_eq!(tens.len(), 1, "{text}");
    assert!(
        shown
            .iter()
            .all(|line| line.ends_with(['0', '5']) || *line == "error three"),
        "{text}"
    );
    following.signal(Signal::INT);
    following.wait();
}

#[test]
fn exec_gives_the_commands_code_and_keeps_its_streams_apart() {
    let project = counting();
    let outcome = project
        .platform(["exec", "-T", "count", "sh", "-c", "cat; echo talk >&2; exit 7"])
        .stdin("data\n")
        .run()
        .expect(7);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("data\n", "talk\n")
    );
    project
        .run(["exec", "-T", "job", "true"])
        .expect(1)
        .says("service \"job\" is not running");
    project
        .run(["exec", "-T", "--index", "9", "count", "true"])
        .expect(1)
        .says("is not running container #9");
}

#[test]
fn exec_has_a_terminal_of_this_ones_size_and_gives_it_back() {
    let project = counting();
    let mut terminal = Terminal::start(&project.platform(["exec", "count", "sh"]), 31, 97);
    terminal.wait_for("a prompt", LIMIT, |text| text.contains('#') || text.contains('$'));
    terminal.send("stty size\n");
    terminal.wait_for("the size", LIMIT, |text| text.contains("31 97"));
    terminal.assert_shell_to_its_end(LIMIT);
}

#[test]
fn doctor_names_who_holds_a_port() {
    let project = Project::shared();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    project.stack(&format!(
        "services:\n  web: {{ image: \"@image@\", ports: [\"127.0.0.1:{port}:80\"] }}\n"
    ));
    let text = project.run(["doctor"]).expect(1).stdout;
    let holder = format!(
        "port {port}/tcp of service web is held by process {}",
        std::process::id()
    );
    assert!(text.contains(&holder), "{text}");
    drop(listener);
    let json = project.run(["doctor", "--format", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let checks: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["check"].as_str())
        .collect();
    for check in [
        "engine",
        "engine-version",
        "clock",
        "disk",
        "registry",
        "ports",
        "stack",
    ] {
        assert!(checks.contains(&check), "{check} is missing: {checks:?}");
    }
}

#[test]
fn doctor_does_not_wait_for_an_engine_that_adds_up_its_disk() {
    let project = Project::shared();
    let proxy = Proxy::before(project.engine());
    proxy.rule("GET", "^/system/df", Nth::Every, Fault::StallAfter(0));
    let text = project.platform(["doctor"]).engine(&proxy.docker()).run().stdout;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("the engine did not tell within 2s what takes up room"),
        "{text}"
    );
}

#[test]
fn init_writes_a_platform_that_is_understood() {
    let dir = tempfile::tempdir().unwrap();
    let in_dir = |args: &[&str]| Cli::platform().args(args).cwd(dir.path()).run();
    in_dir(&["config"]).expect(3).says("platform init");
    in_dir(&["init"]).expect(0).says("platform up -d");
    let services = in_dir(&["config", "--services"]).expect(0).stdout;
    assert_eq!(services, "app\nnginx\nprometheus\nalertmanager\ngrafana\n");
    std::fs::write(dir.path().join("nginx/nginx.conf"), "mine").unwrap();
    in_dir(&["init"]).expect(2).says("nginx/nginx.conf");
    assert_eq!(
        std::fs::read_to_string(dir.path().join("nginx/nginx.conf")).unwrap(),
        "mine"
    );
}
