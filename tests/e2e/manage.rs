//! Commands that manage what is there, beside docker compose's own on the same project.

use std::time::Duration;

use serde_json::Value;

use crate::support::cli::Cli;
use crate::support::project::Project;
use crate::support::pty::Terminal;
use crate::support::running::Outcome;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(30);

/// A service that is published, one that has ended with 3, and two of a kind.
const STACK: &str = r#"
services:
  web: { image: "@image@", ports: ["127.0.0.1::80", "127.0.0.1::53/udp"], expose: ["90"] }
  job: { image: "@image@", command: [sh, -c, "exit 3"], restart: "no" }
  two: { image: "@image@", scale: 2, volumes: ["/anonymous"] }
"#;

fn up() -> Project {
    let project = Project::shared();
    project.stack(STACK);
    // Not everything gets ready: the job fails.
    project.run(["up", "-d", "--no-wait"]);
    wait::until("the job's end", LIMIT, || {
        project.states().contains(&"job: exited".into()).then_some(())
    });
    project
}

/// docker compose on the same project; `None` where it is missing.
fn theirs(project: &Project, args: &[&str]) -> Option<Cli> {
    let Some(compose) = crate::engine::peer::compose() else {
        assert!(
            std::env::var_os("PLATFORM_TEST_STRICT").is_none(),
            "docker compose is missing: ci/get-compose.sh"
        );
        eprintln!("not compared: docker compose is missing");
        return None;
    };
    Some(project.program(compose.to_str().unwrap()).args(args))
}

/// Both write the same to standard output, and end alike.
#[track_caller]
fn same(project: &Project, args: &[&str]) -> String {
    let ours = project.run(args.iter().copied());
    if let Some(theirs) = theirs(project, args).map(|cli| cli.run()) {
        assert_eq!(ours.code(), theirs.code(), "{ours}\n{theirs}");
        assert_eq!(ours.stdout, theirs.stdout, "{ours}\n{theirs}");
    }
    ours.stdout
}

#[test]
fn containers_are_paused_sent_signals_and_killed() {
    let project = up();
    project.run(["pause", "web", "job"]).expect(0);
    assert_eq!(
        project.states(),
        ["job: exited", "two: running", "two: running", "web: paused"]
    );
    project.run(["pause", "web"]).expect(0).says("nothing to do");
    project.run(["unpause", "web"]).expect(0);
    project.run(["pause", "two"]).expect(0);
    let by_name = project.prepare(Cli::platform().args(["-p", project.name(), "unpause"]));
    by_name.cwd("/").run().expect(0);
    assert_eq!(
        project.states(),
        ["job: exited", "two: running", "two: running", "web: running"]
    );
    project
        .run(["pause", "wbe"])
        .expect(2)
        .says("did you mean `web`?");

    // The image's own process ends with 0 when it is asked to.
    project.run(["kill", "-s", "term", "web"]).expect(0);
    wait::until("the end of web", LIMIT, || {
        project.states().contains(&"web: exited".into()).then_some(())
    });
    assert_eq!(project.container("web").unwrap()["State"]["ExitCode"], 0);
    project
        .run(["kill", "--signal", "SIGTREM"])
        .expect(2)
        .says("did you mean `TERM`?");
    project
        .run(["--dry-run", "kill"])
        .expect(0)
        .prints("send SIGKILL to container");
    project.run(["kill"]).expect(0);
    assert_eq!(
        project.states(),
        ["job: exited", "two: exited", "two: exited", "web: exited"]
    );
    project.run(["kill"]).expect(0).says("no container to kill");
}

#[test]
fn signals_reach_containers_of_run_and_orphans_where_asked() {
    let project = Project::shared();
    project.stack("services:\n  web: { image: \"@image@\" }\n  old: { image: \"@image@\" }\n");
    project.run(["up", "-d"]).expect(0);
    let Some(oneoff) = theirs(&project, &["run", "-d", "web", "pause"]) else {
        return;
    };
    oneoff.run().expect(0);
    project.stack("services:\n  web: { image: \"@image@\" }\n");
    project.run(["kill"]).expect(0);
    assert_eq!(project.states(), ["old: running", "web: exited", "web: exited"]);
    project.run(["kill", "--remove-orphans"]).expect(0);
    assert_eq!(project.states(), ["old: exited", "web: exited", "web: exited"]);
    // An orphan and a container of `run` are not what `rm` is asked for, as in docker compose.
    project.run(["rm", "-f"]).expect(0);
    assert_eq!(project.states(), ["old: exited", "web: exited"]);
}

/// How many of these volumes the engine has.
fn still_there(project: &Project, names: &[String]) -> usize {
    let answer = project.engine().call("GET", "/volumes", &Value::Null).unwrap();
    let volumes = answer["Volumes"].as_array().cloned().unwrap_or_default();
    names
        .iter()
        .filter(|name| volumes.iter().any(|volume| volume["Name"] == name.as_str()))
        .count()
}

#[test]
fn what_does_not_run_is_removed_once_somebody_agrees() {
    let project = up();
    project
        .run(["rm"])
        .expect(2)
        .says("standard input is no terminal")
        .says("rm -f");
    let answered = |answer: &str| {
        let mut terminal = Terminal::start(&project.platform(["rm"]), 30, 100);
        terminal.wait_for("the question", LIMIT, |text| text.contains("Go on? [y/N]"));
        terminal.send(answer);
        terminal
    };
    let mut refusing = answered("\n");
    assert_eq!(refusing.wait(LIMIT), 0, "{}", refusing.text());
    assert_eq!(project.states().len(), 4);
    let mut breaking_off = answered("\x03");
    assert_eq!(breaking_off.wait(LIMIT), 130, "{}", breaking_off.text());
    assert_eq!(project.states().len(), 4);
    let mut agreeing = answered("y\n");
    assert_eq!(agreeing.wait(LIMIT), 0, "{}", agreeing.text());
    assert_eq!(project.states(), ["two: running", "two: running", "web: running"]);

    project.run(["rm", "-f"]).expect(0).says("No stopped containers");
    project
        .run(["rm", "-f", "tow"])
        .expect(2)
        .says("did you mean `two`?");
    let volumes: Vec<String> = project
        .containers()
        .iter()
        .flat_map(|container| container["Mounts"].as_array().cloned().unwrap_or_default())
        .filter_map(|mount| mount["Name"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(volumes.len(), 2);
    assert_eq!(still_there(&project, &volumes), 2);
    project.run(["rm", "-f", "-s", "-v", "two"]).expect(0);
    assert_eq!(project.states(), ["web: running"]);
    assert_eq!(still_there(&project, &volumes), 0);
    assert_eq!(project.networks().len(), 1, "networks stay");
}

#[test]
fn ports_are_told_as_docker_compose_tells_them() {
    let project = up();
    let address = same(&project, &["port", "web", "80"]);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    same(&project, &["port", "--protocol", "udp", "web", "53"]);
    for args in [
        ["port", "web", "81"].as_slice(),
        &["port", "job", "80"],
        &["port", "--index", "2", "web", "80"],
    ] {
        assert_eq!(same(&project, args), "");
    }
    // docker compose prints `:0`, which is no address.
    project
        .run(["port", "web", "90"])
        .expect(1)
        .says("is not published")
        .says("127.0.0.1:");
    project
        .run(["port", "wbe", "80"])
        .expect(2)
        .says("did you mean `web`?");
}

#[test]
fn the_end_of_containers_is_waited_for() {
    let project = up();
    let both: Vec<_> = [
        Some(project.platform(["wait", "two"])),
        theirs(&project, &["wait", "two"]),
    ]
    .into_iter()
    .flatten()
    .map(|cli| cli.start())
    .collect();
    // Whoever waits hears of both ends.
    std::thread::sleep(Duration::from_secs(1));
    let name = |number: u32| format!("{}-two-{number}", project.name());
    let signal = |signal: &str, name: &str| {
        let path = format!("/containers/{name}/kill?signal={signal}");
        project.engine().call("POST", &path, &Value::Null).unwrap();
    };
    signal("TERM", &name(1));
    wait::until("the first end", LIMIT, || {
        (both[0].stdout().lines().count() == 1).then_some(())
    });
    signal("KILL", &name(2));
    let ends: Vec<Outcome> = both.into_iter().map(|running| running.wait()).collect();
    assert_eq!(ends[0].code(), Some(137), "{}", ends[0]);
    for end in &ends {
        assert_eq!((&end.stdout, end.code()), (&ends[0].stdout, Some(137)));
    }

    // What has ended already is told at once.
    let job = project.container("job").unwrap();
    project.run(["wait", "job"]).expect(3).prints(&format!(
        "container \"{}\" exited with status code 3\n",
        job["Id"].as_str().unwrap()
    ));
    project.run(["wait", "jbo"]).expect(2).says("did you mean `job`?");
    let waiting = project.platform(["wait", "--down-project", "web"]).start();
    std::thread::sleep(Duration::from_millis(500));
    signal("KILL", &format!("{}-web-1", project.name()));
    assert_eq!(waiting.wait().code(), Some(137));
    assert!(project.states().is_empty(), "{:?}", project.states());
}
