//! `run` and `attach` against a real engine, and side by side with docker compose.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::engine::peer;
use crate::support::docker::Docker;
use crate::support::project::Project;
use crate::support::pty::Terminal;
use crate::support::{ports, wait};

const LIMIT: Duration = Duration::from_secs(20);

/// A service with everything that `run` treats in its own way, and one that it needs.
const STACK: &str = r#"
services:
  db:
    image: "@image@"
    command: [serve]
    healthcheck: { test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1/"], interval: 1s }
  app:
    image: "@image@"
    container_name: "@name@-fixed"
    hostname: apphost
    depends_on: { db: { condition: service_healthy } }
    environment: { A: one, B: two }
    ports: ["127.0.0.1:PORT:80"]
    volumes: ["data:/data", "/anonymous", "./files:/files:ro"]
    restart: always
    labels: { colour: blue }
    networks: { default: { aliases: [other] } }
    cap_add: [NET_ADMIN]
    cap_drop: [CHOWN]
    stop_grace_period: 2s
    mem_limit: 64m
  failing: { image: "@image@", command: ["false"], restart: "no" }
  needy:
    image: "@image@"
    depends_on: { failing: { condition: service_completed_successfully } }
  easy:
    image: "@image@"
    depends_on: { failing: { condition: service_completed_successfully, required: false } }
  alone: { image: "@image@" }
volumes: { data: }
"#;

fn stack() -> Project {
    let project = Project::shared();
    project.file("files/one", "one\n");
    project.stack(&STACK.replace("PORT", &ports::free().to_string()));
    project
}

/// The containers of `run`, in full.
fn oneoffs(project: &Project) -> Vec<Value> {
    let is_oneoff = |c: &&Value| c["Labels"]["com.docker.compose.oneoff"] == "True";
    let all = project.containers();
    let ids = all.iter().filter(is_oneoff).filter_map(|c| c["Id"].as_str());
    ids.filter_map(|id| project.engine().inspect(id)).collect()
}

#[track_caller]
fn assert_no_oneoff(project: &Project) {
    let left: Vec<String> = oneoffs(project).iter().map(|c| c["Name"].to_string()).collect();
    assert!(left.is_empty(), "left: {left:?}");
}

#[test]
fn a_command_runs_once_what_its_service_needs_is_ready() {
    let project = stack();
    let script = "cat; echo talk >&2; wget -q -O - http://db/; echo $A $C; pwd; id -u; exit 7";
    let outcome = project
        .platform([
            "run", "--rm", "-T", "-e", "C=three", "-w", "/tmp", "-u", "1000", "app", "sh", "-c", script,
        ])
        .stdin("data\n")
        .run()
        .expect(7);
    assert_eq!(outcome.stdout, "data\nhello\none three\n/tmp\n1000\n");
    assert!(outcome.stderr.ends_with("talk\n"), "{outcome}");
    assert_eq!(project.states(), ["db: running"]);
    // Its anonymous volumes went with it; the named one, the dependency and the network stay.
    let volumes = project.volumes();
    assert_eq!(volumes.len(), 1, "{volumes:?}");
    assert_eq!(project.networks().len(), 1);

    // What it needs is not brought up where it is not wanted, and a failure of it is told.
    project.run(["stop", "db"]).expect(0);
    project.run(["run", "--rm", "--no-deps", "app", "true"]).expect(0);
    assert_eq!(project.states(), ["db: exited"]);
    project
        .run(["run", "--rm", "needy", "echo", "never"])
        .expect(1)
        .says("exited with code 1")
        .never_says("never\n");
    project
        .run(["run", "nothing", "true"])
        .expect(2)
        .says("no service `nothing`");
    project
        .run(["run", "--rm", "alone", "no-such-command"])
        .expect(127)
        .says("executable file not found");
    project
        .run(["run", "alone", "/data"])
        .expect(126)
        .says("permission denied");
    assert_no_oneoff(&project);
}

#[test]
fn a_pipe_passes_every_byte() {
    let project = stack();
    let bytes: String = (0..400_000).map(|n| format!("{n}\n")).collect();
    let outcome = project
        .platform(["run", "--rm", "-T", "alone", "cat"])
        .stdin(bytes.clone())
        .run()
        .expect(0);
    assert_eq!(outcome.stdout.len(), bytes.len());
    assert!(outcome.stdout == bytes, "the bytes differ");
    let closed = project
        .platform(["run", "--rm", "--interactive=false", "alone", "cat"])
        .stdin("nobody reads this\n");
    assert_eq!(closed.run().expect(0).stdout, "");
    // Nobody reads the output: as in any pipeline, that ends it.
    project
        .platform(["run", "--rm", "alone", "yes"])
        .stdout_closed()
        .run()
        .expect(0);
    assert_no_oneoff(&project);
}

#[test]
fn signals_reach_the_command_and_nothing_is_left_of_it() {
    let project = stack();
    let trap = "trap 'echo int; exit 3' INT; trap 'echo term; exit 4' TERM; trap 'echo usr; exit 5' USR1; \
                echo ready; while :; do sleep 0.1; done";
    for (signal, word, code) in [
        (Signal::INT, "int", 3),
        (Signal::TERM, "term", 4),
        (Signal::USR1, "usr", 5),
    ] {
        let mut running = project
            .platform(["run", "--rm", "-T", "alone", "sh", "-c", trap])
            .start();
        running.line(LIMIT, |line| line == "ready").unwrap();
        running.signal(signal);
        let outcome = running.wait().expect(code);
        assert_eq!(outcome.stdout, format!("ready\n{word}\n"));
        assert_no_oneoff(&project);
    }
    // One that does not listen is killed by the second.
    let deaf = "trap '' INT; echo ready; while :; do sleep 0.1; done";
    let mut running = project
        .platform(["run", "--rm", "-T", "alone", "sh", "-c", deaf])
        .start();
    running.line(LIMIT, |line| line == "ready").unwrap();
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!running.ended());
    running.signal(Signal::INT);
    running.wait().expect(137);
    assert_no_oneoff(&project);
}

#[test]
fn an_interrupt_before_the_start_leaves_no_container() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  slow:
    image: "@image@"
    healthcheck: { test: ["CMD", "false"], interval: 1s, start_period: 60s }
  app: { image: "@image@", depends_on: { slow: { condition: service_healthy } } }
"#,
    );
    let mut running = project.platform(["run", "--rm", "app", "true"]).start();
    running
        .line(LIMIT, |line| line.contains("slow") && line.contains("running"))
        .unwrap();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration < LIMIT, "{outcome}");
    assert_no_oneoff(&project);
}

#[test]
fn a_killed_run_leaves_nothing_to_remove_once_the_command_has_ended() {
    let project = stack();
    let mut running = project
        .platform(["run", "--rm", "-T", "alone", "sh", "-c", "echo ready; sleep 1"])
        .start();
    running.line(LIMIT, |line| line == "ready").unwrap();
    running.signal(Signal::KILL);
    wait::until("the engine removes it", LIMIT, || {
        oneoffs(&project).is_empty().then_some(())
    });
}

#[test]
fn others_are_not_kept_waiting_by_a_command_and_do_not_see_it() {
    let project = stack();
    let mut running = project
        .platform(["run", "--rm", "alone", "sh", "-c", "echo ready; sleep 1000"])
        .start();
    running.line(LIMIT, |line| line == "ready").unwrap();
    project
        .run(["up", "-d", "alone", "--lock-timeout", "5"])
        .expect(0);
    assert_eq!(oneoffs(&project).len(), 1);
    let ps = project.run(["ps"]).expect(0);
    assert!(!ps.stdout.contains("-run-"), "{ps}");
    project.run(["ps", "-a"]).expect(0).prints("-alone-run-");
    let logs = project.run(["logs"]).expect(0);
    assert!(!logs.stdout.contains("ready"), "{logs}");
    project.run(["plan", "alone"]).expect(0).prints("nothing to do");
    project.run(["down"]).expect(0);
    assert_eq!(running.wait().expect(137).stdout, "ready\n");
    assert_eq!(project.ids().len(), 0);
}

#[test]
fn a_terminal_is_the_commands_own_and_given_back() {
    let project = stack();
    let mut terminal = Terminal::start(&project.platform(["run", "--rm", "alone", "sh"]), 31, 97);
    terminal.wait_for("a prompt", LIMIT, |text| text.ends_with("#"));
    wait::until("the size", LIMIT, || {
        terminal.send("stty size\n");
        std::thread::sleep(Duration::from_millis(200));
        terminal.text().contains("31 97").then_some(())
    });
    terminal.assert_shell_to_its_end(LIMIT);
    assert_no_oneoff(&project);
}

#[test]
fn keys_detach_and_signals_end_a_command_on_a_terminal() {
    let project = stack();
    let mut terminal = Terminal::start(
        &project.platform(["run", "--name", &named(&project), "alone", "sh"]),
        30,
        90,
    );
    terminal.wait_for("a prompt", LIMIT, |text| text.ends_with("#"));
    // Half the sequence is passed on when it does not go on.
    terminal.send("\x10echo on-$((40+2))\n");
    terminal.wait_for("its answer", LIMIT, |text| text.contains("on-42"));
    terminal.send("\x10\x11");
    assert_eq!(terminal.wait(LIMIT), 0, "{}", terminal.text());
    assert!(terminal.text().contains("runs on"), "{}", terminal.text());
    terminal.assert_restored();
    assert_eq!(oneoffs(&project)[0]["State"]["Running"], true);

    // SIGTERM from outside: a shell on a terminal does not listen, so the second kills.
    let mut terminal = Terminal::start(&project.platform(["run", "--rm", "alone", "sh"]), 30, 90);
    terminal.wait_for("a prompt", LIMIT, |text| text.ends_with("#"));
    terminal.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait(LIMIT), 137, "{}", terminal.text());
    terminal.assert_restored();
    assert_eq!(oneoffs(&project).len(), 1, "only the one that was left");
}

fn named(project: &Project) -> String {
    format!("{}-named", project.name())
}

#[test]
fn attach_is_at_a_services_own_process() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  echo: { image: "@image@", command: [sh, -c, "while read line; do echo got $$line; done; exit 6"], stdin_open: true }
  shell: { image: "@image@", command: [sh], stdin_open: true, tty: true }
  trap:
    image: "@image@"
    command: [sh, -c, "trap 'exit 9' INT; trap 'echo usr' USR1; while :; do sleep 0.1; done"]
"#,
    );
    project.run(["up", "-d"]).expect(0);
    let outcome = project
        .platform(["attach", "echo"])
        .stdin("one\ntwo\n")
        .timeout(LIMIT)
        .start();
    wait::until("the answers", LIMIT, || {
        outcome.stdout().contains("got two").then_some(())
    });
    drop(outcome);

    let mut terminal = Terminal::start(
        &project.platform(["attach", "--detach-keys", "ctrl-x,x", "shell"]),
        25,
        80,
    );
    terminal.send("echo me-$((40+2))\n");
    terminal.wait_for("its answer", LIMIT, |text| text.contains("me-42"));
    terminal.send("\x18x");
    assert_eq!(terminal.wait(LIMIT), 0);
    terminal.assert_restored();
    assert!(project.states().contains(&"shell: running".to_owned()));

    // Left at the first signal, or with the service's own end.
    let mut running = project
        .platform(["attach", "--no-stdin", "--sig-proxy=false", "trap"])
        .start();
    std::thread::sleep(Duration::from_millis(700));
    assert!(!running.ended());
    running.signal(Signal::INT);
    running.wait().expect(130);
    assert!(project.states().contains(&"trap: running".to_owned()));
    let mut running = project.platform(["attach", "--no-stdin", "trap"]).start();
    std::thread::sleep(Duration::from_millis(700));
    running.signal(Signal::USR1);
    running.line(LIMIT, |line| line == "usr").unwrap();
    running.signal(Signal::INT);
    running.wait().expect(9);
    project
        .run(["attach", "trap"])
        .expect(1)
        .says("service \"trap\" is not running");
    project
        .run(["attach", "--index", "4", "shell"])
        .expect(1)
        .says("is not running container #4");
}

#[test]
fn the_container_is_as_docker_composes() {
    let Some(compose) = peer::required() else { return };
    let project = stack();
    project.file(".env", "ONLY_THERE=${A:-nothing}-there\n");
    project.file("vars", "FROM_FILE=$A-file\nA=not-this\n");
    let port = ports::free().to_string();
    let publish = format!("{port}:80");
    let cases: [&[&str]; 3] = [
        &["app", "pause"],
        &[
            "-e",
            "A=1",
            "-e",
            "NOT_SET_HERE",
            "-e",
            "ONLY_THERE",
            "--env-from-file",
            "vars",
            "-l",
            "more=yes",
            "-v",
            "./files:/more",
            "-v",
            "data:/again:ro",
            "-v",
            "/fresh",
            "-p",
            &publish,
            "-u",
            "1000:1000",
            "-w",
            "/tmp",
            "--cap-add",
            "CHOWN",
            "--cap-drop",
            "NET_ADMIN",
            "--use-aliases",
            "--rm",
            "--entrypoint",
            "pause x",
            "app",
            "a",
            "b",
        ],
        &["-P", "--no-deps", "--interactive=false", "-T", "app", "pause"],
    ];
    for case in cases {
        let words = || ["run", "-d"].into_iter().chain(case.iter().copied());
        project
            .program(compose.to_str().unwrap())
            .args(words())
            .run()
            .expect(0);
        let theirs = only_oneoff(&project);
        project.run(words()).expect(0);
        let ours = only_oneoff(&project);
        let mut out = Vec::new();
        peer::differences("", &normal(&ours), &normal(&theirs), &mut out);
        assert!(out.is_empty(), "{case:?}\n{}", out.join("\n"));
    }
}

/// The one container of `run` there is, which is removed.
fn only_oneoff(project: &Project) -> Value {
    let [one] = oneoffs(project)
        .try_into()
        .unwrap_or_else(|all| panic!("not one: {all:?}"));
    let engine: &Docker = project.engine();
    engine.remove(one["Id"].as_str().unwrap());
    wait::until("it is gone", LIMIT, || oneoffs(project).is_empty().then_some(()));
    one
}

/// What a container is, without what is another for each.
fn normal(container: &Value) -> Value {
    let name = container["Name"].as_str().unwrap().trim_start_matches('/');
    let mut container: Value = serde_json::from_str(&container.to_string().replace(name, "NAME")).unwrap();
    let mut labels = container["Config"]["Labels"].take();
    let labels_map = labels.as_object_mut().unwrap();
    labels_map.retain(|key, _| !key.starts_with("dev.platform."));
    // docker compose leaves the default `.env` out of it.
    labels_map.remove("com.docker.compose.project.environment_file");
    for own in ["config-hash", "slug", "version"] {
        let there = labels_map.remove(&format!("com.docker.compose.{own}"));
        assert!(there.is_some(), "no label {own}");
    }
    for (_, endpoint) in container["NetworkSettings"]["Networks"].as_object_mut().unwrap() {
        for own in ["IPAddress", "MacAddress"] {
            endpoint[own] = Value::Null;
        }
    }
    let image = container["Config"]["Image"].clone();
    json!({"labels": labels, "image": image, "rest": peer::essence(container)})
}
