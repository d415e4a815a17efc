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
    let compose = crate::engine::peer::required()?;
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

/// The objects of `ls` or `images`, by this key, sorted.
fn array(outcome: &Outcome, key: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|why| panic!("{why}\n{outcome}"));
    let mut all = all.as_array().cloned().unwrap();
    all.sort_by_key(|object| object[key].to_string());
    all
}

#[test]
fn projects_are_listed_wherever_one_is() {
    let project = up();
    let only = format!("name=^{}$", project.name());
    let ls = |args: &[&str]| -> Vec<String> {
        ["ls", "--filter", &only]
            .iter()
            .chain(args)
            .map(|arg| (*arg).to_owned())
            .collect()
    };
    for more in [&[][..], &["-a"], &["-a", "-q"], &["-a", "--format", "json"]] {
        let args = ls(more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let text = same(&project, &args);
        assert!(text.contains(project.name()), "{text}");
    }
    // Without a stack file, and of a project of which nothing runs.
    project.run(["kill"]).expect(0);
    let elsewhere = |args: &[&str]| {
        let cli = project.prepare(Cli::platform().args(ls(args))).cwd("/");
        cli.run().expect(0).stdout
    };
    assert_eq!(elsewhere(&["-q"]), "");
    assert_eq!(elsewhere(&["-a", "-q"]), format!("{}\n", project.name()));
    assert!(elsewhere(&["-a"]).contains("exited(4)"));
    project
        .run(["ls", "--filter", "status=up"])
        .expect(2)
        .says("name=REGEX");
}

#[test]
fn images_are_those_of_the_containers() {
    let project = up();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let ours = project.run(["images"]).expect(0);
    let json = project.run(["images", "--format", "json"]).expect(0);
    let rows = array(&json, "ContainerName");
    assert_eq!(rows.len(), 4, "{json}");
    let id = rows[0]["ID"].as_str().unwrap().to_owned();
    assert_eq!(
        project.run(["images", "-q"]).expect(0).stdout,
        format!("{}\n", id.trim_start_matches("sha256:"))
    );
    if let Some(theirs) = theirs(&project, &["images", "--format", "json"]) {
        assert_eq!(array(&theirs.run().expect(0), "ContainerName"), rows);
    }
    if let Some(theirs) = theirs(&project, &["images", "two"]) {
        let two = project.run(["images", "two"]).expect(0);
        // All but the age, which may have changed meanwhile.
        let without_age = |text: &str| -> Vec<Vec<String>> {
            text.lines()
                .map(|line| words(line).into_iter().take(6).collect())
                .collect()
        };
        assert_eq!(
            without_age(&two.stdout),
            without_age(&theirs.run().expect(0).stdout)
        );
    }
    project
        .engine()
        .call(
            "DELETE",
            &format!("/images/{}?force=1", project.image()),
            &Value::Null,
        )
        .unwrap();
    let untagged = project.run(["images"]).expect(0);
    assert_eq!(untagged.stdout.lines().count(), ours.stdout.lines().count());
    project
        .run(["images", "tow"])
        .expect(2)
        .says("did you mean `two`?");
}

#[test]
fn volumes_are_those_of_the_project() {
    let project = Project::shared();
    project.stack(
        "services:\n  \
           web: { image: \"@image@\", volumes: [\"data:/data\", \"/anonymous\"] }\n  \
           db: { image: \"@image@\", volumes: [\"rows:/rows:ro\"] }\n\
         volumes: { data: { labels: { kind: blob } }, rows: {} }\n",
    );
    // docker compose tells the volumes of services from what runs.
    project.run(["up", "-d"]).expect(0);
    same(&project, &["volumes", "-q", "web"]);
    same(&project, &["volumes", "db"]);
    same(
        &project,
        &["volumes", "web", "--format", "{{.Name}} {{.Scope}} {{.Size}}"],
    );
    same(
        &project,
        &["volumes", "web", "--format", "table {{.Name}}\\t{{.Mountpoint}}"],
    );
    let objects = |outcome: Outcome| -> Vec<Value> {
        let mut all: Vec<Value> = outcome
            .expect(0)
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for object in &mut all {
            // docker compose writes them in no order.
            let mut labels: Vec<&str> = object["Labels"].as_str().unwrap().split(',').collect();
            labels.sort_unstable();
            object["Labels"] = labels.join(",").into();
        }
        all.sort_by_key(|object| object["Name"].to_string());
        all
    };
    let ours = objects(project.run(["volumes", "--format", "json"]));
    assert_eq!(ours.len(), 2);
    if let Some(theirs) = theirs(&project, &["volumes", "--format", "json"]) {
        assert_eq!(objects(theirs.run()), ours);
    }
    let by_name = project.prepare(Cli::platform().args(["-p", project.name(), "volumes", "-q", "db"]));
    let by_name = by_name.cwd("/").run().expect(0);
    assert_eq!(by_name.stdout, format!("{}_rows\n", project.name()));
    project
        .run(["volumes", "wbe"])
        .expect(2)
        .says("did you mean `web`?");
    project
        .run(["volumes", "--format", "{{.Nome}}"])
        .expect(2)
        .says(".Name");
}

#[test]
fn containers_are_created_and_none_is_started() {
    let project = Project::shared();
    let stack = |image: &str| {
        project.stack(&format!(
            "services:\n  \
               db: {{ image: \"@image@\", healthcheck: {{ test: [CMD, \"true\"], interval: 1s }} }}\n  \
               web: {{ image: \"{image}\", depends_on: {{ db: {{ condition: service_healthy }} }} }}\n"
        ));
    };
    stack("@image@");
    project.run(["create", "web"]).expect(0).says("created");
    assert_eq!(project.states(), ["db: created", "web: created"]);
    let ids = project.ids();
    let again = project.run(["create"]).expect(0).says("nothing to do");
    assert!(!again.stderr.contains("running"), "{again}");
    assert_eq!(project.ids(), ids);
    project.run(["create", "--scale", "db=2"]).expect(0);
    assert_eq!(project.states(), ["db: created", "db: created", "web: created"]);
    project.run(["create", "--scale", "db=1"]).expect(0);

    // What runs and is as wanted goes on; what is replaced is not started, whatever it depends on.
    project.run(["up", "-d"]).expect(0);
    project.run(["create"]).expect(0);
    assert_eq!(project.states(), ["db: running", "web: running"]);
    project.run(["stop", "db"]).expect(0);
    project
        .run(["create", "--force-recreate", "--no-build", "web"])
        .expect(0);
    assert_eq!(project.states(), ["db: created", "web: created"]);
    project
        .run(["create", "--no-recreate"])
        .expect(0)
        .says("nothing to do");
    project.run(["up", "-d"]).expect(0);
    project.assert_converged();
    project
        .run(["create", "wbe"])
        .expect(2)
        .says("did you mean `web`?");
    project.run(["create", "--pull", "sometimes"]).expect(2);
}

#[test]
fn services_are_scaled() {
    let project = Project::shared();
    project.stack(
        "services:\n  \
           db: { image: \"@image@\" }\n  \
           web: { image: \"@image@\", depends_on: [db] }\n  \
           other: { image: \"@image@\" }\n",
    );
    project.run(["scale", "--no-deps", "web=2"]).expect(0);
    assert_eq!(project.states(), ["web: running", "web: running"]);
    project.run(["scale", "web=3"]).expect(0);
    assert_eq!(
        project.states(),
        ["db: running", "web: running", "web: running", "web: running"]
    );
    project.run(["scale", "web=1", "other=2"]).expect(0);
    assert_eq!(
        project.states(),
        ["db: running", "other: running", "other: running", "web: running"]
    );
    project
        .run(["--dry-run", "scale", "web=0"])
        .expect(0)
        .prints("remove container");
    project.run(["scale", "web=0"]).expect(0);
    assert_eq!(
        project.states(),
        ["db: running", "other: running", "other: running"]
    );
    for wrong in ["web", "web=", "web=-1", "=1"] {
        project.run(["scale", wrong]).expect(2).says("expected SERVICE=N");
    }
    project
        .run(["scale", "wbe=1"])
        .expect(2)
        .says("did you mean `web`?");
}

#[test]
fn what_was_wanted_is_counted_as_done() {
    let project = up();
    let shown = |args: &[&str]| {
        let mut terminal = Terminal::start(&project.platform(args.iter().copied()), 30, 100);
        assert_eq!(terminal.wait(LIMIT), 0, "{}", terminal.text());
        terminal.text()
    };
    let paused = shown(&["pause", "two"]);
    assert!(paused.contains("services 2/2"), "{paused}");
    let killed = shown(&["kill", "two", "web"]);
    assert!(killed.contains("services 3/3"), "{killed}");
    project.run(["start", "web"]).expect(0);
    let replaced = shown(&["create", "--force-recreate", "web"]);
    assert!(
        replaced.contains("created") && !replaced.contains("removed"),
        "{replaced}"
    );
}
