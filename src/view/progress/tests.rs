use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;

use super::*;
use crate::base::{Clock, Moment};
use crate::event::{Body, Event, Hub};
use crate::view::style::Style;
use crate::view::testing::{self, ms};
use crate::view::text::width;

fn plain(style: Style, verbose: bool) -> String {
    let mut plain = Plain::new(style, verbose);
    testing::up().iter().map(|event| plain.take(event)).collect()
}

#[test]
fn plain_says_each_change_once() {
    assert_snapshot!(plain(Style::PLAIN, false), @r#"
     0.000s  devops      up         run r1
     0.004s  engine      found      Docker Engine 20.10.24 (API 1.41) at unix:///var/run/docker.sock
     0.021s  nginx:1.26.3        bootstrapping
     0.022s  grafana/grafana:12  pulling
     0.030s  grafana/grafana:12  progress   layer 2 of 7  12.0 MiB/48.0 MiB
     0.300s  grafana/grafana:12  unavailable  no registry answers; docker load it, or name a mirror
     1.200s  nginx:1.26.3        progress   [3/5] unpack  3/5
     9.100s  nginx:1.26.3        ←          built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB
     9.110s  plan                made       5 steps; as wanted already: prometheus
     9.115s  prometheus          ready
     9.150s  project             done       create network devops_devops (30ms)
     9.200s  app                 created
     9.201s  nginx               created
     9.203s  nginx               waiting    for app to be ready
     9.400s  app                 running
     9.812s  project             warning    port 8080 is published on all addresses
     9.812s  project             hint       write 127.0.0.1:8080:80
     9.850s  app                 ready      450ms after its start
    10.050s  nginx               running
    10.150s  nginx               ready      100ms after its start
    10.200s  smoke               passed     front page (40ms)
    10.900s  smoke               failed     version: expected "1.2" at $.version, found "1.1" (739ms, 3 tries)
    10.900s  smoke               evidence   GET http://127.0.0.1:8080/version
    10.900s  smoke               evidence   200 {"version":"1.1"}
    10.901s  project             failed     1 of 2 smoke tests failed (10.9s)
    "#);
}

#[test]
fn plain_says_all_where_asked() {
    assert_snapshot!(plain(Style::ASCII, true), @r#"
     0.000s  devops      up         run r1
     0.004s  engine      found      Docker Engine 20.10.24 (API 1.41) at unix:///var/run/docker.sock
     0.020s  prom/prometheus:v3  present
     0.021s  nginx:1.26.3        bootstrapping
     0.022s  grafana/grafana:12  pulling
     0.030s  grafana/grafana:12  progress   layer 2 of 7  12.0 MiB/48.0 MiB
     0.300s  grafana/grafana:12  unavailable  no registry answers; docker load it, or name a mirror
     0.900s  nginx:1.26.3        output     Setting up nginx \x1b[2J(1.26.3-3)
     1.200s  nginx:1.26.3        progress   [3/5] unpack  3/5
     9.100s  nginx:1.26.3        <-         built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB
     9.110s  plan                made       5 steps; as wanted already: prometheus
     9.110s  plan                planned    #0 create network devops_devops (it is wanted and not there)
     9.110s  app                 planned    #1 create container devops-app-1 (it is wanted and not there)
     9.110s  app                 planned    #2 start container devops-app-1 (it is wanted and not there)
     9.110s  nginx               planned    #3 create container devops-nginx-1 (it is wanted and not there)
     9.110s  nginx               planned    #4 start container devops-nginx-1 (it is wanted and not there)
     9.115s  prometheus          ready
     9.120s  project             started    create network devops_devops
     9.150s  project             done       create network devops_devops (30ms)
     9.151s  app                 started    create container devops-app-1
     9.152s  nginx               started    create container devops-nginx-1
     9.200s  app                 created
     9.200s  app                 done       create container devops-app-1 (49ms)
     9.201s  nginx               created
     9.201s  nginx               done       create container devops-nginx-1 (49ms)
     9.202s  app                 started    start container devops-app-1
     9.203s  nginx               waiting    for app to be ready
     9.400s  app                 running
     9.400s  app                 done       start container devops-app-1 (198ms)
     9.420s  app                 probe      GET http://172.18.0.3:8000/health/ready -> 503 Service Unavailable: {"status":"starting"} (2ms)
     9.812s  project             warning    port 8080 is published on all addresses
     9.812s  project             hint       write 127.0.0.1:8080:80
     9.850s  app                 ready      450ms after its start
     9.851s  nginx               started    start container devops-nginx-1
    10.050s  nginx               running
    10.051s  nginx               done       start container devops-nginx-1 (200ms)
    10.150s  nginx               ready      100ms after its start
    10.160s  smoke               started    front page
    10.161s  smoke               started    version
    10.200s  smoke               passed     front page (40ms)
    10.900s  smoke               failed     version: expected "1.2" at $.version, found "1.1" (739ms, 3 tries)
    10.900s  smoke               evidence   GET http://127.0.0.1:8080/version
    10.900s  smoke               evidence   200 {"version":"1.1"}
    10.901s  project             failed     1 of 2 smoke tests failed (10.9s)
    "#);
}

#[test]
fn plain_says_progress_now_and_then() {
    let mut plain = Plain::new(Style::PLAIN, false);
    let lines: String = (0..100u64)
        .map(|n| {
            plain.take(&Event {
                seq: n,
                at: ms(n * 200),
                body: Body::Progress {
                    subject: "nginx:1".into(),
                    text: "layer 1 of 3".into(),
                    amount: Some((n << 20, 100 << 20)),
                },
            })
        })
        .collect();
    assert_snapshot!(lines, @r"
     0.000s  nginx:1     progress   layer 1 of 3  0 B/100.0 MiB
     5.000s  nginx:1     progress   layer 1 of 3  25.0 MiB/100.0 MiB
    10.000s  nginx:1     progress   layer 1 of 3  50.0 MiB/100.0 MiB
    15.000s  nginx:1     progress   layer 1 of 3  75.0 MiB/100.0 MiB
    ");
}

fn tree(at: u64, columns: usize, rows: Option<usize>, style: Style) -> String {
    let snapshot = testing::snapshot_at(&testing::up(), at);
    let view = Frame {
        now: ms(at),
        columns,
        rows,
        tick: 3,
        style,
    };
    let lines = frame(&snapshot, &view);
    assert!(
        rows.is_none_or(|rows| lines.len() < rows),
        "{} of {rows:?}",
        lines.len()
    );
    let mut out = String::new();
    for line in lines {
        let line = line.render(columns, &style);
        out.push_str(&line);
        out.push('\n');
    }
    if !style.colour {
        assert!(out.lines().all(|line| width(line) <= columns), "{out}");
    }
    out
}

#[test]
fn tree_while_images_come() {
    assert_snapshot!(tree(2000, 80, Some(24), Style::PLAIN), @r"
    devops up  2.0s
    images 1/2
    ⠸ nginx:1.26.3        bootstrapping 1.9s ━━━━━━──── 60% [3/5] unpack
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or n…
    ");
    assert_snapshot!(tree(2000, 20, Some(24), Style::PLAIN), @r"
    devops up  2.0s
    images 1/2
    ⠸ nginx:1… bootstra…
    – grafana… unavaila…
    ");
    assert_snapshot!(tree(100, 160, Some(24), Style::ASCII), @r"
    devops up  0.1s
    images 0/2
    \ nginx:1.26.3        bootstrapping 0.0s
    \ grafana/grafana:12  pulling   0.0s  #####............... 25% layer 2 of 7
    ");
}

#[test]
fn tree_while_services_start() {
    assert_snapshot!(tree(9500, 80, Some(24), Style::PLAIN), @r"
    devops up  9.5s
    images 2/2
    ✔ nginx:1.26.3        obtained        built from images/nginx: nginx 1.26.3-3 (…
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or n…
    services 2/4
    ⠸ app         running   0.1s  GET http://172.18.0.3:8000/health/ready → 503 Ser…
    ○ nginx       waiting         for app to be ready
    ✔ prometheus  ready           as it was
    – grafana     unavailable     no image
    ");
    assert_snapshot!(tree(9500, 160, Some(24), Style::PLAIN), @r#"
    devops up  9.5s
    images 2/2
    ✔ nginx:1.26.3        obtained        built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or name a mirror
    services 2/4
    ⠸ app         running   0.1s  GET http://172.18.0.3:8000/health/ready → 503 Service Unavailable: {"status":"starting"}
    ○ nginx       waiting         for app to be ready
    ✔ prometheus  ready           as it was
    – grafana     unavailable     no image
    "#);
    assert_snapshot!(tree(9500, 20, Some(24), Style::ASCII), @r"
    devops up  9.5s
    images 2/2
    + nginx:1~ obtained~
    - grafana~ unavaila~
    services 2/4
    \ app running 0.1s ~
    . nginx waiting for~
    + prometh~ ready as~
    - grafana unavailab~
    ");
}

#[test]
fn tree_in_few_rows_keeps_what_matters() {
    assert_snapshot!(tree(9500, 80, Some(8), Style::PLAIN), @r"
    devops up  9.5s
    ✔ nginx:1.26.3        obtained        built from images/nginx: nginx 1.26.3-3 (…
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or n…
    ⠸ app         running   0.1s  GET http://172.18.0.3:8000/health/ready → 503 Ser…
    ○ nginx       waiting         for app to be ready
    ✔ prometheus  ready           as it was
    … 1 done
    ");
    assert_snapshot!(tree(9500, 80, Some(5), Style::PLAIN), @r"
    devops up  9.5s
    ⠸ app         running   0.1s  GET http://172.18.0.3:8000/health/ready → 503 Ser…
    ○ nginx       waiting         for app to be ready
    … 4 done
    ");
    assert_snapshot!(tree(10_170, 80, Some(3), Style::PLAIN), @r"
    devops up  10.1s
    … 2 under way, 6 done
    ");
    for rows in 2..30 {
        for at in (0..11_000).step_by(500) {
            tree(at, 80, Some(rows), Style::PLAIN);
        }
    }
}

#[test]
fn tree_at_the_end() {
    assert_snapshot!(tree(20_000, 80, None, Style::PLAIN), @r#"
    devops up  10.9s
    images 2/2
    ✔ nginx:1.26.3        obtained        built from images/nginx: nginx 1.26.3-3 (…
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or n…
    services 4/4
    ✔ app         ready     0.4s
    ✔ nginx       ready     0.1s
    ✔ prometheus  ready           as it was
    – grafana     unavailable     no image
    smoke 1/2
    ✘ version     failed          expected "1.2" at $.version, found "1.1"
    "#);
    assert_snapshot!(tree(20_000, 80, None, Style::COLOUR).replace('\x1b', "␛"), @r#"
    ␛[1mdevops␛[0m up  ␛[2m10.9s␛[0m
    ␛[1mimages␛[0m␛[2m 2/2␛[0m
    ␛[32m✔␛[0m nginx:1.26.3        ␛[32mobtained␛[0m        ␛[2mbuilt from images/nginx: nginx 1.26.3-3 (␛[0m…
    ␛[33m–␛[0m grafana/grafana:12  ␛[33munavailable␛[0m     ␛[2mno registry answers; docker load it, or n␛[0m…
    ␛[1mservices␛[0m␛[2m 4/4␛[0m
    ␛[32m✔␛[0m ␛[92mapp␛[0m         ␛[32mready␛[0m     ␛[2m0.4s␛[0m
    ␛[32m✔␛[0m ␛[94mnginx␛[0m       ␛[32mready␛[0m     ␛[2m0.1s␛[0m
    ␛[32m✔␛[0m ␛[36mprometheus␛[0m  ␛[32mready␛[0m           ␛[2mas it was␛[0m
    ␛[33m–␛[0m ␛[32mgrafana␛[0m     ␛[33munavailable␛[0m     ␛[2mno image␛[0m
    ␛[1msmoke␛[0m␛[2m 1/2␛[0m
    ␛[31m✘␛[0m version     ␛[31mfailed␛[0m          ␛[31mexpected "1.2" at $.version, found "1.1"␛[0m
    "#);
}

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        ms(9500)
    }
}

/// A writer that keeps what is written, and breaks after so many bytes.
#[derive(Clone)]
struct Pipe {
    kept: Arc<Mutex<Vec<u8>>>,
    breaks_at: usize,
}

impl Pipe {
    fn new(breaks_at: usize) -> Self {
        Self {
            kept: Arc::default(),
            breaks_at,
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.kept.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.kept.lock().unwrap();
        if kept.len() >= self.breaks_at {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options(mode: ProgressMode) -> Options {
    Options {
        mode,
        capable: true,
        style: Style::PLAIN,
        verbose: false,
        last: Final::Tree,
        size: Arc::new(|| Some((80, 24))),
        clock: Arc::new(Still),
    }
}

async fn shown(mode: ProgressMode, pipe: &Pipe) {
    let hub = Hub::new(Arc::new(Still));
    let subscription = hub.subscribe();
    for event in testing::up() {
        hub.publish(event.body);
    }
    hub.publish(Body::Failure(testing::report()));
    hub.close();
    show(subscription, &mut pipe.clone(), &options(mode)).await;
}

#[tokio::test]
async fn every_form_ends_with_the_hub_and_tells_the_failure() {
    for mode in [
        ProgressMode::Auto,
        ProgressMode::Tty,
        ProgressMode::Plain,
        ProgressMode::Quiet,
    ] {
        let pipe = Pipe::new(usize::MAX);
        shown(mode, &pipe).await;
        assert!(
            pipe.text().contains("db did not get ready within 30s"),
            "{mode:?}: {}",
            pipe.text()
        );
        assert!(pipe.text().contains("$.version"), "{mode:?}: {}", pipe.text());
    }
}

#[tokio::test]
async fn the_live_tree_leaves_the_end_of_the_run_on_the_terminal() {
    let pipe = Pipe::new(usize::MAX);
    shown(ProgressMode::Tty, &pipe).await;
    let mut terminal = vt100::Parser::new(60.try_into().unwrap(), 80.try_into().unwrap(), 0);
    terminal.process(pipe.text().as_bytes());
    assert_snapshot!(terminal.screen().contents(), @r#"
    ▲ port 8080 is published on all addresses
      write 127.0.0.1:8080:80
    devops up  9.5s
    images 2/2
    ✔ nginx:1.26.3        obtained        built from images/nginx: nginx 1.26.3-3 (Debian trixie), 38 MB
    – grafana/grafana:12  unavailable     no registry answers; docker load it, or name a mirror
    services 4/4
    ✔ app         ready     0.0s
    ✔ nginx       ready     0.0s
    ✔ prometheus  ready           as it was
    – grafana     unavailable     no image
    smoke 1/2
    ✘ version     failed          expected "1.2" at $.version, found "1.1"
    ✘ db did not get ready within 30s
      needed by    nginx → app → db (app needs it healthy)
      last probe   GET http://172.18.0.3:8000/health/ready → 503 Service
                   Unavailable: {"status":"starting"} (2ms; 41 tries)
      before       the container that ran before runs again
      not started  nginx, prometheus
      defined in   stacks/devops.yaml:12
      log          last 2 lines
        | connecting to \x1b[31mpostgres\x1b[0m
        | still connecting
      hint         its database does not answer: is DATABASE_URL right?
    ✘ worker was killed for memory (exit code 137)
      hint         the kernel killed it for memory: raise its mem_limit
                   (deploy.resources.limits.memory), or let it use less
    ✘ web could not be started
      because      driver failed programming external connectivity: Bind for
                   0.0.0.0:80 failed: port is already allocated
    ✘ could not create network devops_devops
      because      could not find an available address pool
      hint         remove networks that nothing uses
    ✘ 1 of 2 smoke tests failed (10.9s)
    "#);
    assert!(!terminal.screen().hide_cursor());
}

#[tokio::test]
async fn json_is_an_object_a_line() {
    let pipe = Pipe::new(usize::MAX);
    shown(ProgressMode::Json, &pipe).await;
    let mut last = 0;
    for line in pipe.text().lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let seq = value["seq"].as_u64().unwrap();
        assert!(seq > last && value["v"] == 1, "{line}");
        last = seq;
    }
    assert_eq!(last, testing::up().len() as u64 + 1);
}

#[tokio::test]
async fn quiet_says_failures_only() {
    let pipe = Pipe::new(usize::MAX);
    shown(ProgressMode::Quiet, &pipe).await;
    let text = pipe.text();
    assert!(
        !text.contains("running") && !text.contains("published on all"),
        "{text}"
    );
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_stop_the_run() {
    for mode in [
        ProgressMode::Tty,
        ProgressMode::Plain,
        ProgressMode::Json,
        ProgressMode::Quiet,
    ] {
        let pipe = Pipe::new(1);
        shown(mode, &pipe).await;
        assert!(pipe.kept.lock().unwrap().len() < 10_000, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_live_tree_gives_the_cursor_back_when_it_is_cancelled() {
    let hub = Hub::new(Arc::new(Still));
    let subscription = hub.subscribe();
    for event in testing::up().into_iter().take(20) {
        hub.publish(event.body);
    }
    let pipe = Pipe::new(usize::MAX);
    let mut writer = pipe.clone();
    let options = options(ProgressMode::Tty);
    let showing = show(subscription, &mut writer, &options);
    let cancelled = tokio::time::timeout(ms(1000), showing).await;
    assert!(cancelled.is_err(), "the hub is still open");
    let text = pipe.text();
    assert!(text.contains("\x1b[?25l"), "it was hidden");
    assert!(text.ends_with("\x1b[?25h"), "and is shown again");
}

#[tokio::test(start_paused = true)]
async fn the_live_tree_draws_ten_times_a_second_at_most() {
    let hub = Hub::new(Arc::new(Still));
    let subscription = hub.subscribe();
    let pipe = Pipe::new(usize::MAX);
    let mut writer = pipe.clone();
    let options = options(ProgressMode::Tty);
    let publish = async {
        for event in testing::up().into_iter().take(8) {
            hub.publish(event.body);
        }
        for n in 0..1000u64 {
            hub.publish(Body::Progress {
                subject: "nginx:1.26.3".into(),
                text: format!("line {n}"),
                amount: None,
            });
            tokio::time::sleep(ms(1)).await;
        }
        hub.close();
    };
    tokio::join!(publish, show(subscription, &mut writer, &options));
    let draws = pipe.text().matches("\x1b[?2026h").count();
    assert!((5..=11).contains(&draws), "{draws} {:?}", pipe.text());
}

#[tokio::test]
async fn a_thread_of_its_own_ends_with_the_hub() {
    let hub = Hub::new(Arc::new(Still));
    let pipe = Pipe::new(usize::MAX);
    let show = start(
        hub.subscribe(),
        Box::new(pipe.clone()),
        options(ProgressMode::Plain),
    );
    hub.publish(Body::Info { text: "hello".into() });
    hub.close();
    show.finish(ms(5000)).await;
    assert!(pipe.text().contains("hello"));
}

/// Events whose every text from elsewhere is `text`.
fn hostile(text: &str) -> Vec<Event> {
    use crate::event::{FailedService, FailureCause, FailureReport, ImageStage, ProbeAttempt, Stage};
    let text = || text.to_owned();
    let bodies = vec![
        Body::RunStarted {
            run: text(),
            command: "up",
            project: "p".into(),
        },
        Body::EngineFound {
            description: text(),
            endpoint: text(),
        },
        Body::Image {
            reference: text(),
            services: vec![],
            stage: ImageStage::Building,
        },
        Body::Output {
            subject: text(),
            line: text(),
        },
        Body::Progress {
            subject: text(),
            text: text(),
            amount: None,
        },
        Body::Image {
            reference: "a:1".into(),
            services: vec![],
            stage: ImageStage::Failed { reason: text() },
        },
        Body::Stage {
            instance: testing::instance("app"),
            stage: Stage::Running,
            reason: None,
        },
        Body::Probed {
            instance: testing::instance("app"),
            attempt: ProbeAttempt {
                what: text(),
                passed: false,
                detail: text(),
                took: ms(1),
            },
        },
        Body::Stage {
            instance: testing::instance("db"),
            stage: Stage::Failed,
            reason: Some(text()),
        },
        Body::Warning {
            text: text(),
            hint: Some(text()),
        },
        Body::EngineLost { reason: text() },
        Body::Failure(FailureReport {
            services: vec![FailedService {
                logs: vec![text()],
                hint: Some(text()),
                ..FailedService::new(testing::instance("db"), FailureCause::Start { error: text() })
            }],
            operations: vec![],
        }),
    ];
    bodies
        .into_iter()
        .zip(1..)
        .map(|(body, seq)| Event {
            seq,
            at: ms(seq),
            body,
        })
        .collect()
}

fn is_tame(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\n')
}

proptest::proptest! {
    #[test]
    fn no_text_from_elsewhere_commands_the_terminal(text in "(\\PC|\\x1b\\[2J|\\r|\\n|\\t|\u{9b}|[\\x00-\\x1f]){0,20}") {
        let events = hostile(&text);
        let mut plain = Plain::new(Style::PLAIN, true);
        let lines: String = events.iter().map(|event| plain.take(event)).collect();
        proptest::prop_assert!(is_tame(&lines), "{:?}", lines);
        let snapshot = testing::snapshot_at(&events, 1000);
        let view = Frame { now: ms(1000), columns: 80, rows: Some(24), tick: 0, style: Style::PLAIN };
        for line in frame(&snapshot, &view) {
            let line = line.render(80, &Style::PLAIN);
            proptest::prop_assert!(is_tame(&line) && !line.contains('\n') && width(&line) <= 80, "{:?}", line);
        }
        let report = snapshot.failure.unwrap_or_default();
        for columns in [None, Some(30), Some(80)] {
            let text = crate::view::failure::text(&report, columns, &Style::PLAIN);
            proptest::prop_assert!(is_tame(&text), "{:?}", text);
        }
        let annotations = crate::view::annotate::failures(&report, &Default::default());
        proptest::prop_assert!(annotations.lines().count() == 1 && is_tame(&annotations), "{:?}", annotations);
    }
}
