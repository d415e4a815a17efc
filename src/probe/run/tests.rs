//! Waits against local servers and a told engine.

use std::sync::atomic::Ordering;

use regex::Regex;

use super::*;
use crate::engine::{EngineError, EngineErrorKind};
use crate::probe::target::HttpUrl;
use crate::probe::testing::{
    Answer, OneContainer, TokioClock, closed_port, container, published, serve, serve_each,
};
use crate::probe::{Pace, Patience, ProbeSource};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn probe(kind: ProbeKind) -> Probe {
    Probe {
        kind,
        pace: Pace {
            deadline: Some(ms(3_000)),
            ..Pace::default()
        },
        source: ProbeSource::Platform,
    }
}

fn http(port: u16) -> Probe {
    probe(ProbeKind::Http(HttpUrl {
        host: None,
        port,
        path: "/health".into(),
    }))
}

fn exec() -> Probe {
    probe(ProbeKind::Exec(vec!["check".into()]))
}

fn log(pattern: &str) -> Probe {
    let mut probe = probe(ProbeKind::Log(Regex::new(pattern).unwrap()));
    probe.pace.timeout = ms(3_000);
    probe
}

/// Waits and gives the end and a line for each try.
async fn wait(
    engine: &OneContainer,
    probe: &Probe,
    exited: impl Future<Output = Exit>,
) -> (Readiness, Vec<String>) {
    let clock = TokioClock::start();
    let mut lines = Vec::new();
    let masker = Masker::default();
    masker.add("hunter2");
    let context = Context {
        engine,
        clock: &clock,
        container: "c0ffee".into(),
        network_of: None,
        started_at: Duration::ZERO,
        host: &EngineHost::Local,
        execs: &ExecLimit::default(),
        masker: &masker,
        stop: CancellationToken::new(),
    };
    let end = until_ready(&context, probe, exited, |a| {
        let outcome = match &a.outcome {
            Outcome::Pass => "pass".to_owned(),
            Outcome::Fail { what, excerpt, .. } => {
                format!("{what}; {}", excerpt.as_deref().unwrap_or("-"))
            }
            Outcome::Unknown { what } => format!("unknown: {what}"),
        };
        lines.push(format!("{} {}: {outcome}", a.number, a.tried));
    })
    .await;
    (end, lines)
}

fn local() -> OneContainer {
    OneContainer::new(container(&["127.0.0.1"]))
}

#[tokio::test]
async fn http_passes_on_the_first_good_answer() {
    let port = serve_each(|n| match n {
        0 => Answer::Text("HTTP/1.1 503 x\r\nContent-Length: 16\r\n\r\nno hunter2 yet!\n"),
        1 => Answer::Close,
        _ => Answer::Text("HTTP/1.1 301 x\r\nLocation: /\r\n\r\n"),
    })
    .await;
    let (end, lines) = wait(&local(), &http(port), std::future::pending()).await;
    assert!(
        matches!(end, Readiness::Ready { attempts: 3, took } if took < ms(200)),
        "{end:?}"
    );
    insta::assert_snapshot!(lines.join("\n").replace(&port.to_string(), "PORT"), @r"
    1 GET http://127.0.0.1:PORT/health: answered 503 Service Unavailable; no •••••• yet!
    2 GET http://127.0.0.1:PORT/health: the connection was closed without an answer; -
    3 GET http://127.0.0.1:PORT/health: pass
    ");
}

#[tokio::test]
async fn an_answer_that_streams_for_ever_passes_by_its_status() {
    let port = serve(Answer::Drip).await;
    let (end, _) = wait(&local(), &http(port), std::future::pending()).await;
    assert!(
        matches!(end, Readiness::Ready { attempts: 1, took } if took < ms(100)),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_refused_port_is_tried_until_the_deadline_and_noticed_within_30_ms() {
    let port = closed_port().await;
    let mut never = http(port);
    never.pace.deadline = Some(ms(150));
    let (end, lines) = wait(&local(), &never, std::future::pending()).await;
    let Readiness::Failed { reason, last, .. } = end else {
        panic!()
    };
    assert_eq!(reason, NotReady::GaveUp(GaveUp::Deadline(ms(150))));
    assert_eq!(last.unwrap().outcome, Outcome::fail("connection refused"));
    assert!((5..10).contains(&lines.len()), "{lines:?}");

    let tcp = probe(ProbeKind::Tcp(port));
    let opens = async {
        tokio::time::sleep(ms(200)).await;
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap()
    };
    let engine = local();
    let (listener, (end, _)) = tokio::join!(opens, wait(&engine, &tcp, std::future::pending()));
    assert!(
        matches!(end, Readiness::Ready { took, .. } if took < ms(240)),
        "{end:?}"
    );
    drop(listener);
    assert_eq!(
        engine.inspects.load(Ordering::SeqCst),
        1,
        "asked once in half a second"
    );
}

#[tokio::test]
async fn a_published_port_that_only_its_proxy_accepts_is_not_open() {
    let port = serve_each(|n| if n < 2 { Answer::Close } else { Answer::Never }).await;
    let mut container = container(&[]);
    container.ports = vec![published(5432, "0.0.0.0", port)];
    let engine = OneContainer::new(container);
    let (end, _) = wait(&engine, &probe(ProbeKind::Tcp(5432)), std::future::pending()).await;
    assert!(matches!(end, Readiness::Ready { attempts: 3, .. }), "{end:?}");
}

#[tokio::test]
async fn a_network_that_cannot_be_reached_leads_to_the_published_port() {
    let port = serve_each(|n| match n {
        0 => Answer::Text("HTTP/1.1 503 x\r\n\r\n"),
        _ => Answer::Text("HTTP/1.1 204 x\r\n\r\n"),
    })
    .await;
    // The kernel itself refuses to connect to a broadcast address.
    let mut container = container(&["255.255.255.255"]);
    container.ports = vec![published(8000, "0.0.0.0", port)];
    let engine = OneContainer::new(container);
    let (end, lines) = wait(&engine, &http(8000), std::future::pending()).await;
    assert!(
        matches!(end, Readiness::Ready { attempts: 2, .. }),
        "{end:?} {lines:?}"
    );
    assert!(
        lines[1].starts_with(&format!("2 GET http://127.0.0.1:{port}/health")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn without_an_address_it_says_so() {
    let mut probe = probe(ProbeKind::Tcp(1));
    probe.pace.deadline = Some(ms(50));
    let engine = OneContainer::new(container(&[]));
    let (_, lines) = wait(&engine, &probe, std::future::pending()).await;
    insta::assert_snapshot!(lines[0], @"1 connect to port 1: no address: the container is on no network that can be reached from here and does not publish the port; -");
}

#[tokio::test(start_paused = true)]
async fn a_command_passes_with_0() {
    let engine = local()
        .exec_does(80, 1, "not hunter2\n")
        .exec_does(80, 127, "")
        .exec_gives(
            80,
            Err(EngineError::new(
                "exec",
                EngineErrorKind::Conflict("container is paused".into()),
            )),
        )
        .exec_gives(
            80,
            Err(EngineError::new(
                "exec",
                EngineErrorKind::Unreachable("no socket".into()),
            )),
        )
        .exec_does(10_000, 0, "")
        .exec_does(80, 0, "");
    let mut probe = exec();
    probe.pace.timeout = ms(1_000);
    let (end, lines) = wait(&engine, &probe, std::future::pending()).await;
    assert!(matches!(end, Readiness::Ready { attempts: 6, .. }), "{end:?}");
    assert_eq!(engine.most.load(Ordering::SeqCst), 1);
    insta::assert_snapshot!(lines.join("\n"), @r"
    1 exec check: exit code 1; not ••••••
    2 exec check: exit code 127 (command not found); -
    3 exec check: container is paused; -
    4 exec check: unknown: the engine cannot be reached: no socket
    5 exec check: did not end within 1s; -
    6 exec check: pass
    ");
}

#[tokio::test(start_paused = true)]
async fn an_exit_ends_the_wait_at_once_and_the_try_with_it() {
    let engine = local().exec_does(0, 1, "first").exec_does(60_000, 0, "");
    let mut probe = exec();
    probe.pace.timeout = ms(60_000);
    probe.pace.deadline = None;
    let exit = Exit {
        code: 137,
        oom_killed: true,
    };
    let (end, lines) = wait(&engine, &probe, async {
        tokio::time::sleep(ms(500)).await;
        exit
    })
    .await;
    let Readiness::Failed {
        reason,
        last: Some(last),
        attempts: 1,
        took,
    } = end
    else {
        panic!("{end:?}")
    };
    assert_eq!(reason.to_string(), "exited with code 137 (out of memory)");
    assert_eq!((took, last.number, lines.len()), (ms(500), 1, 1));
    assert_eq!(engine.live.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_fails_no_sooner_than_the_engine_would() {
    let engine = local().exec_does(50, 1, "");
    let mut probe = exec();
    probe.pace = Pace {
        patience: Some(Patience {
            retries: 3,
            interval: ms(5_000),
        }),
        start_period: ms(10_000),
        deadline: None,
        ..Pace::default()
    };
    let (end, _) = wait(&engine, &probe, std::future::pending()).await;
    let Readiness::Failed { reason, took, .. } = end else {
        panic!("{end:?}")
    };
    assert!(matches!(
        reason,
        NotReady::GaveUp(GaveUp::Retries { failures: 3, .. })
    ));
    assert!((ms(25_000)..ms(27_000)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_command_runs_as_soon_as_its_port_opens() {
    let port = closed_port().await;
    let engine = OneContainer::new(container(&["127.0.0.1"]))
        .exec_does(400, 1, "")
        .exec_does(1, 0, "");
    let probe = probe(ProbeKind::Exec(vec![
        "curl".into(),
        format!("http://localhost:{port}/"),
    ]));
    let opens = async {
        tokio::time::sleep(ms(430)).await;
        tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap()
    };
    let (_listener, (end, _)) = tokio::join!(opens, wait(&engine, &probe, std::future::pending()));
    // Without the hint it would be tried again 200 ms after the failure at 400 ms.
    assert!(
        matches!(end, Readiness::Ready { took, .. } if took < ms(500)),
        "{end:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_line_passes() {
    let mut engine = local();
    engine.log = vec![
        (ms(5), "starting, password hunter2"),
        (ms(700), "\u{1b}[32mReady\u{1b}[0m in 3"),
    ];
    let (end, lines) = wait(&engine, &log("^Ready in"), std::future::pending()).await;
    assert_eq!(
        end,
        Readiness::Ready {
            took: ms(705),
            attempts: 1
        }
    );
    assert_eq!(lines, ["1 log line that matches /^Ready in/: pass"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_match_is_evidence() {
    let mut engine = local();
    engine.log = vec![(ms(5), "starting, password hunter2"), (ms(5), "still")];
    let (end, lines) = wait(&engine, &log("^Ready"), std::future::pending()).await;
    assert!(
        matches!(end, Readiness::Failed { took, .. } if took == ms(3_000)),
        "{end:?}"
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    1 log line that matches /^Ready/: none of 2 lines matches so far; starting, password ••••••
    still
    ");
    engine.log_ends = true;
    let (_, lines) = wait(&engine, &log("^Ready"), std::future::pending()).await;
    assert!(lines.len() > 20, "opened again and again: {}", lines.len());
    assert!(lines[0].contains("none of 2 lines matches and the log has ended"));
}

#[tokio::test]
async fn stops_when_told_and_leaves_nothing() {
    let clock = TokioClock::start();
    let engine = local().exec_does(60_000, 0, "");
    let stop = CancellationToken::new();
    let execs = ExecLimit::new(1);
    let context = Context {
        engine: &engine,
        clock: &clock,
        container: "c0ffee".into(),
        network_of: None,
        started_at: Duration::ZERO,
        host: &EngineHost::Local,
        execs: &execs,
        masker: &Masker::default(),
        stop: stop.clone(),
    };
    let stopping = async {
        tokio::time::sleep(ms(50)).await;
        stop.cancel();
    };
    let probe = exec();
    let (end, ()) = tokio::join!(
        until_ready(&context, &probe, std::future::pending(), |_| {}),
        stopping
    );
    assert!(
        matches!(end, Readiness::Failed { reason: NotReady::Stopped, took, .. } if took < ms(100)),
        "{end:?}"
    );
    assert_eq!(engine.live.load(Ordering::SeqCst), 0);
    assert!(execs.hold().await.is_some(), "its place is free again");
}

#[tokio::test(start_paused = true)]
async fn commands_of_many_services_share_a_bound() {
    let engine = local().exec_does(100, 0, "");
    let clock = TokioClock::start();
    let execs = ExecLimit::new(2);
    let masker = Masker::default();
    let context = Context {
        engine: &engine,
        clock: &clock,
        container: "c0ffee".into(),
        network_of: None,
        started_at: Duration::ZERO,
        host: &EngineHost::Local,
        execs: &execs,
        masker: &masker,
        stop: CancellationToken::new(),
    };
    let probe = exec();
    let waits = (0..6).map(|_| until_ready(&context, &probe, std::future::pending(), |_| {}));
    let ends = futures_util::future::join_all(waits).await;
    assert!(
        ends.iter()
            .all(|e| matches!(e, Readiness::Ready { attempts: 1, .. }))
    );
    assert_eq!(engine.most.load(Ordering::SeqCst), 2);
    assert_eq!(clock.now(), ms(300));
}
