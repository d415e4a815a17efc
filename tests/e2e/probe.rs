//! Probes against real containers.

use std::time::Duration;

use platform::base::{Clock, ContainerId, Masker, MonotonicClock};
use platform::engine::{Deadlines, Docker, Engine, EngineEnv, Exit};
use platform::probe::target::HttpUrl;
use platform::probe::{
    Attempt, Context, EngineHost, ExecLimit, NotReady, Outcome, Pace, Probe, ProbeKind, ProbeSource,
    Readiness, until_ready,
};
use regex::Regex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::docker::PROJECT;
use crate::support::project::Project;
use crate::support::{ports, wait};

/// How late a readiness may be noticed on a busy machine; some 20 ms on an idle one.
const LATE: Duration = Duration::from_millis(150);

struct World {
    project: Project,
    engine: Docker,
    clock: MonotonicClock,
}

struct Waited {
    end: Readiness,
    attempts: Vec<Attempt>,
    /// From the start of the container to the end.
    took: Duration,
}

impl World {
    async fn new() -> Self {
        let project = Project::shared();
        let host = ("DOCKER_HOST".to_owned(), project.engine().host());
        let engine = Docker::find(EngineEnv::new([host]), Deadlines::default())
            .await
            .unwrap();
        Self {
            project,
            engine,
            clock: MonotonicClock::start(),
        }
    }

    /// A container on a network of the project's own that runs this line.
    fn start(&self, line: &str, more: Value) -> ContainerId {
        let docker = self.project.engine();
        let name = format!("{}-c", self.project.name());
        let network = json!({"Name": name, "Labels": {PROJECT: self.project.name()}});
        docker.call("POST", "/networks/create", &network).unwrap();
        let mut body = json!({"HostConfig": {"NetworkMode": name, "Init": true}});
        crate::support::docker::merge(&mut body, more);
        let command = ["sh", "-c", line];
        docker
            .run(self.project.name(), &name, &self.project.image(), &command, body)
            .into()
    }

    async fn wait(&self, id: &ContainerId, probe: &Probe, host: EngineHost) -> Waited {
        let started_at = self.clock.now();
        let context = Context {
            engine: &self.engine,
            clock: &self.clock,
            container: id.clone(),
            network_of: None,
            started_at,
            host: &host,
            execs: &ExecLimit::default(),
            masker: &Masker::default(),
            stop: CancellationToken::new(),
        };
        let exited = async { self.engine.wait_container(id).await.unwrap() };
        let mut attempts = Vec::new();
        let end = until_ready(&context, probe, exited, |a| attempts.push(a.clone())).await;
        Waited {
            end,
            attempts,
            took: self.clock.now() - started_at,
        }
    }
}

fn probe(kind: ProbeKind) -> Probe {
    Probe {
        kind,
        pace: Pace {
            deadline: Some(Duration::from_secs(10)),
            ..Pace::default()
        },
        source: ProbeSource::Platform,
    }
}

fn exec(line: &str) -> Probe {
    probe(ProbeKind::Exec(vec!["/bin/sh".into(), "-c".into(), line.into()]))
}

fn log(pattern: &str, deadline: Duration) -> Probe {
    let mut probe = probe(ProbeKind::Log(Regex::new(pattern).unwrap()));
    probe.pace.timeout = deadline;
    probe.pace.deadline = Some(deadline);
    probe
}

fn is_ready(waited: &Waited) -> bool {
    matches!(waited.end, Readiness::Ready { .. })
}

/// When a line of the log was written, after the container's start.
fn logged_at(world: &World, id: &ContainerId, text: &str) -> Duration {
    let docker = world.project.engine();
    let log = docker
        .raw(
            "GET",
            &format!("/containers/{}/logs?stdout=1&timestamps=1", id.as_str()),
            "",
            &[],
        )
        .unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    let line = log.lines().find(|line| line.contains(text)).unwrap();
    // Behind the frame's header of eight bytes.
    let at: jiff::Timestamp = line[line.find("20").unwrap()..]
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let inspected = docker.inspect(id.as_str()).unwrap();
    let started: jiff::Timestamp = inspected["State"]["StartedAt"].as_str().unwrap().parse().unwrap();
    Duration::try_from(at.duration_since(started)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_passes_and_tells_what_it_said_before() {
    let world = World::new().await;
    let id = world.start("sleep .6; touch /tmp/ready; exec pause", json!({}));
    let waited = world
        .wait(
            &id,
            &exec("test -f /tmp/ready || { echo not yet; exit 3; }"),
            EngineHost::Local,
        )
        .await;
    assert!(is_ready(&waited), "{:?}", waited.end);
    assert_eq!(
        waited.attempts[0].outcome,
        Outcome::Fail {
            what: "exit code 3".into(),
            status: None,
            excerpt: Some("not yet".into())
        }
    );
    let costs: Vec<Duration> = waited.attempts.iter().map(|a| a.took).collect();
    assert!(
        waited.took < Duration::from_secs(3),
        "{:?} {costs:?}",
        waited.took
    );
    eprintln!("exec: ready after {:?}, tries cost {costs:?}", waited.took);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_is_ended_and_leaves_no_process() {
    let world = World::new().await;
    let id = world.start("exec pause", json!({}));
    let mut probe = exec("sleep 1234 & sleep 1234");
    probe.pace.timeout = Duration::from_millis(300);
    probe.pace.deadline = Some(Duration::from_millis(1500));
    let waited = world.wait(&id, &probe, EngineHost::Local).await;
    let Readiness::Failed {
        reason: NotReady::GaveUp(_),
        last: Some(last),
        ..
    } = &waited.end
    else {
        panic!("{:?}", waited.end)
    };
    assert!(
        matches!(&last.outcome, Outcome::Fail { what, .. } if what.starts_with("did not end within")),
        "{last:?}"
    );
    assert!(waited.took < Duration::from_secs(3), "{:?}", waited.took);
    let path = format!("/containers/{}/top", id.as_str());
    wait::until("the probe's processes to be gone", Duration::from_secs(5), || {
        let processes = world.project.engine().get(&path).to_string();
        (!processes.contains("1234")).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_commands_leave_no_process() {
    let world = World::new().await;
    let id = world.start("exec pause", json!({}));
    let probe = exec("sleep 4321");
    let waits = (0..24).map(|_| world.wait(&id, &probe, EngineHost::Local));
    let all = futures_util::future::join_all(waits);
    assert!(
        tokio::time::timeout(Duration::from_millis(1500), all)
            .await
            .is_err()
    );
    let path = format!("/containers/{}/top", id.as_str());
    wait::until("the commands to be gone", Duration::from_secs(5), || {
        let processes = world.project.engine().get(&path).to_string();
        (!processes.contains("4321")).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_about_a_port_runs_when_the_port_opens() {
    let world = World::new().await;
    let id = world.start(
        "sleep .7; httpd -p 8000 -h /www; echo serving; exec pause",
        json!({}),
    );
    let check = exec("wget -q -O /dev/null http://localhost:8000/index.html");
    let waited = world.wait(&id, &check, EngineHost::Local).await;
    assert!(is_ready(&waited), "{:?}", waited.end);
    let late = waited.took.saturating_sub(logged_at(&world, &id, "serving"));
    let last = waited.attempts.last().unwrap().took;
    eprintln!("exec: {late:?} after it served, of which the command took {last:?}");
    assert!(late < LATE + last * 2, "{late:?} {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_of_this_start_passes_and_one_of_an_earlier_start_does_not() {
    let world = World::new().await;
    let line = "test -f /tmp/ran || { sleep .4; echo Ready; }; touch /tmp/ran; echo going on; exec pause";
    let id = world.start(line, json!({}));
    let waited = world
        .wait(&id, &log("^Ready$", Duration::from_secs(5)), EngineHost::Local)
        .await;
    assert!(is_ready(&waited), "{:?}", waited.end);
    let late = waited.took.saturating_sub(logged_at(&world, &id, "Ready"));
    assert!(late < LATE, "{late:?} late");
    let restart = format!("/containers/{}/restart?t=1", id.as_str());
    world
        .project
        .engine()
        .call("POST", &restart, &Value::Null)
        .unwrap();
    let waited = world
        .wait(
            &id,
            &log("^Ready$", Duration::from_millis(700)),
            EngineHost::Local,
        )
        .await;
    let Readiness::Failed { last: Some(last), .. } = &waited.end else {
        panic!("{:?}", waited.end)
    };
    assert_eq!(
        last.outcome,
        Outcome::Fail {
            what: "the only line does not match so far".into(),
            status: None,
            excerpt: Some("going on".into())
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn network_probes_reach_the_container_and_notice_at_once() {
    let world = World::new().await;
    let id = world.start(
        "sleep .5; httpd -p 8000 -h /www; echo serving; exec pause",
        json!({}),
    );
    let url = HttpUrl::parse("http://:8000/index.html").unwrap();
    let waited = world
        .wait(&id, &probe(ProbeKind::Http(url)), EngineHost::Local)
        .await;
    assert!(is_ready(&waited), "{:?} {:?}", waited.end, waited.attempts.last());
    let late = waited.took.saturating_sub(logged_at(&world, &id, "serving"));
    assert!(late < LATE, "{late:?} late");
    eprintln!("http: {late:?} after it served, {} tries", waited.attempts.len());
    let missing = HttpUrl::parse("http://:8000/missing").unwrap();
    let mut missing = probe(ProbeKind::Http(missing));
    missing.pace.deadline = Some(Duration::from_millis(100));
    let waited = world.wait(&id, &missing, EngineHost::Local).await;
    assert!(
        matches!(
            &waited.attempts[0].outcome,
            Outcome::Fail {
                status: Some(404),
                ..
            }
        ),
        "{:?}",
        waited.attempts
    );
    assert!(is_ready(
        &world
            .wait(&id, &probe(ProbeKind::Tcp(8000)), EngineHost::Local)
            .await
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_port_is_open_only_when_the_container_listens() {
    let world = World::new().await;
    let port = ports::free();
    let id = world.start(
        "sleep .7; httpd -p 8000 -h /www; echo serving; exec pause",
        json!({
            "ExposedPorts": {"8000/tcp": {}},
            "HostConfig": {"PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}},
        }),
    );
    // As with an engine elsewhere, whose container addresses mean nothing here.
    let elsewhere = EngineHost::Remote("127.0.0.1".into());
    let waited = world.wait(&id, &probe(ProbeKind::Tcp(8000)), elsewhere).await;
    assert!(is_ready(&waited), "{:?}", waited.end);
    let served = logged_at(&world, &id, "serving");
    assert!(
        waited.took + Duration::from_millis(100) > served && waited.took < served + LATE,
        "ready after {:?}, served after {served:?}: {:?}",
        waited.took,
        waited.attempts
    );
    assert!(
        waited.attempts[0].tried.ends_with(&port.to_string()),
        "{:?}",
        waited.attempts[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_ends_the_wait_at_once() {
    let world = World::new().await;
    let id = world.start("sleep .5; exit 3", json!({"HostConfig": {"NetworkMode": "none"}}));
    let waited = world
        .wait(&id, &probe(ProbeKind::Tcp(1)), EngineHost::Local)
        .await;
    let Readiness::Failed {
        reason: NotReady::Exited(exit),
        last: Some(_),
        ..
    } = waited.end
    else {
        panic!("{:?}", waited.end)
    };
    assert_eq!(
        exit,
        Exit {
            code: 3,
            oom_killed: false
        }
    );
    assert!(waited.took < Duration::from_secs(2), "{:?}", waited.took);
}
