//! Tests against local servers and a told engine.

use std::sync::atomic::{AtomicUsize, Ordering};

use indexmap::IndexMap;

use super::*;
use crate::model::smoke::{Compare, CompareOp, HttpExpect, HttpRequest};
use crate::model::{Container, ServiceExt};
use crate::probe::testing::{
    Answer, OneContainer, TokioClock, closed_port, container, published, serve, serve_each, serve_with,
};
use crate::smoke::testing::{TestProject, observed, project};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// For what ends by itself: no machine is so busy that it takes as long.
const PATIENT: Duration = Duration::from_secs(60);
/// For what ends by its timeout alone, after the little that comes before.
const BRIEF: Duration = Duration::from_secs(2);

fn smoke(name: &str, check: SmokeCheck) -> SmokeTest {
    SmokeTest {
        name: name.into(),
        check,
        attempts: 1,
        interval: Some(ms(20)),
        timeout: Some(PATIENT),
        needs: Vec::new(),
    }
}

fn at(port: u16) -> Address {
    Address::Service {
        service: "web".into(),
        port: Some(port),
    }
}

fn http(path: &str, expect: HttpExpect) -> SmokeCheck {
    SmokeCheck::Http {
        request: HttpRequest {
            method: "GET".into(),
            at: at(80),
            path: path.into(),
            headers: IndexMap::new(),
            body: None,
        },
        expect,
    }
}

/// A container `web` whose port 80 is published on this port.
fn web(port: u16) -> Container {
    let mut web = container(&[]);
    web.ports = vec![published(80, "0.0.0.0", port)];
    web
}

struct World {
    project: TestProject,
    observed: Observed,
    engine: OneContainer,
    unavailable: BTreeMap<ServiceName, String>,
    concurrency: usize,
}

impl World {
    fn new(port: u16) -> Self {
        Self {
            project: project(&["web", "grafana"]),
            observed: observed(vec![web(port)]),
            engine: OneContainer::new(web(port)),
            unavailable: BTreeMap::new(),
            concurrency: 4,
        }
    }

    async fn run(&self, tests: &[SmokeTest]) -> (Report, Vec<String>) {
        let masker = Masker::default();
        masker.add("hunter2");
        let clock = TokioClock::start();
        let setting = Setting {
            project: &self.project,
            observed: &self.observed,
            host: &EngineHost::Local,
            engine: &self.engine,
            clock: &clock,
            masker: &masker,
            unavailable: &self.unavailable,
            concurrency: self.concurrency,
        };
        let tests: Vec<&SmokeTest> = tests.iter().collect();
        let mut notices = Vec::new();
        let report = run(&setting, &tests, |notice| {
            notices.push(match notice {
                Notice::Started(name) => format!("{name}?"),
                Notice::Done(report) => format!("{}!", report.name),
            });
        })
        .await;
        (report, notices)
    }

    /// One test's mismatches and evidence.
    async fn one(&self, check: SmokeCheck) -> String {
        self.one_within(PATIENT, check).await
    }

    async fn one_within(&self, timeout: Duration, check: SmokeCheck) -> String {
        let mut test = smoke("t", check);
        test.timeout = Some(timeout);
        let (report, _) = self.run(&[test]).await;
        shown(&report.tests[0])
    }
}

fn shown(test: &TestReport) -> String {
    let mut lines = match &test.outcome {
        Outcome::Passed => vec!["passed".to_owned()],
        Outcome::Skipped(why) => vec![format!("skipped: {why}")],
        Outcome::Failed(mismatches) => mismatches.iter().map(ToString::to_string).collect(),
    };
    lines.extend(test.evidence.iter().flat_map(Evidence::lines));
    lines.join("\n")
}

/// With what differs from run to run taken out.
fn steady(text: &str, ports: &[u16]) -> String {
    let text = ports.iter().fold(text.to_owned(), |text, port| {
        text.replace(&port.to_string(), "PORT")
    });
    regex::Regex::new(r"\b\d+(\.\d+)? (ms|s)\b")
        .unwrap()
        .replace_all(&text, "TIME")
        .into_owned()
}

#[tokio::test]
async fn everything_wrong_with_a_response_is_told() {
    let port = serve_with(|_| {
        let body = r#"{"version": "1", "list": [1], "secret": "hunter2"}"#;
        format!(
            "HTTP/1.1 500 x\r\nContent-Type: application/json\r\nX-Frame-Options: DENY\r\nX-Other: 1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    })
    .await;
    let world = World::new(port);
    let json = |pairs: &[(&str, serde_json::Value)]| {
        pairs
            .iter()
            .map(|(path, value)| ((*path).to_owned(), value.clone()))
            .collect()
    };
    let expect = HttpExpect {
        status: vec![200, 204],
        headers: [
            ("content-type", "^text/"),
            ("X-Frame-Options", "DENY"),
            ("x-missing", "."),
            ("x-other", "("),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: Some("hello".into()),
        matches: Some("^x$".into()),
        json: json(&[
            ("$.version", "2".into()),
            ("$.list[0]", 1.into()),
            ("$.list[1]", 1.into()),
            ("version", 1.into()),
        ]),
        within: Some(Duration::ZERO),
    };
    let text = world.one(http("/version?a=1", expect)).await;
    insta::assert_snapshot!(steady(&text, &[port]), @r#"
        status: expected 200 or 204, found 500
        header content-type: expected a match of /^text//, found application/json
        header x-missing: expected a match of /./, found no such header
        header x-other: expected a regular expression, found /(/, which is none
        body: expected "hello" in it, found nothing of the kind in 50 bytes
        body: expected a match of /^x$/, found nothing of the kind in 50 bytes
        $.version: expected "2", found "1"
        $.list[1]: expected 1, found nothing ($.list is a list of 1)
        version: expected a path such as $.a.b[0]['c d'], found no path
        time: expected within 0s, found TIME
        GET http://127.0.0.1:PORT/version?a=1
        500 Internal Server Error in TIME, 50 bytes
          content-type: application/json
          x-frame-options: DENY
          x-other: 1
          {"version": "1", "list": [1], "secret": "••••••"}
        "#);
    let expect = HttpExpect {
        status: vec![500],
        headers: [("content-type".to_owned(), "json".to_owned())].into(),
        body: Some("hunter2".into()),
        matches: Some(r#""list": \[\d\]"#.into()),
        json: json(&[("$.version", "1".into())]),
        within: Some(ms(5_000)),
    };
    let text = world.one(http("/", expect)).await;
    assert!(text.starts_with("passed\n"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn servers_that_behave_badly() {
    let answers = [
        (BRIEF, Answer::Never),
        (PATIENT, Answer::Close),
        (PATIENT, Answer::Reset),
        (PATIENT, Answer::Text("220 smtp\r\n")),
        (
            BRIEF,
            Answer::Stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        ),
        (
            PATIENT,
            Answer::Text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        ),
        (PATIENT, Answer::Endless),
        (BRIEF, Answer::Drip),
        (PATIENT, Answer::EndlessHead),
    ];
    let asked = answers.map(|(timeout, answer)| async move {
        let port = serve(answer).await;
        let expect = HttpExpect {
            json: [("$.a".to_owned(), 1.into())].into(),
            ..HttpExpect::default()
        };
        let text = World::new(port).one_within(timeout, http("/", expect)).await;
        let first = text
            .lines()
            .take_while(|l| !l.starts_with("GET"))
            .collect::<Vec<_>>();
        format!("{answer:?}: {}", first.join("; "))
    });
    let lines = futures_util::future::join_all(asked).await;
    // What of the time is left after connecting, and what of an endless body has come by then.
    let text = regex::Regex::new(r"after \d+ bytes|within \S+ m?s\b")
        .unwrap()
        .replace_all(&lines.join("\n"), |found: &regex::Captures<'_>| {
            match found[0].starts_with("after") {
                true => "after N bytes",
                false => "within TIME",
            }
        })
        .into_owned();
    insta::assert_snapshot!(text, @r#"
        Never: response: expected one, found no answer within TIME
        Close: response: expected one, found the connection was closed without an answer
        Reset: response: expected one, found the connection was closed without an answer
        Text("220 smtp\r\n"): response: expected one, found the answer is no HTTP: invalid HTTP version parsed
        Stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"): body: expected all of it, found no end after N bytes
        Text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"): body: expected all of it, found the connection was closed without an answer after N bytes
        Endless: body: expected JSON, found more than 4.0 MiB
        Drip: body: expected all of it, found no end after N bytes
        EndlessHead: response: expected one, found the answer is no HTTP: message head is too large
        "#);
}

#[tokio::test]
async fn nowhere_to_go() {
    let port = closed_port().await;
    let world = World::new(port);
    let text = world.one(http("/x", HttpExpect::default())).await;
    insta::assert_snapshot!(steady(&text, &[port]), @r"
        connection: expected a connection, found connection refused
        GET http://127.0.0.1:PORT/x
        ended after TIME
        ");
    let grafana = Address::Service {
        service: "grafana".into(),
        port: None,
    };
    assert_eq!(
        world.one(SmokeCheck::Tcp(grafana)).await.lines().next(),
        Some("address: expected a running service, found grafana has no container")
    );
}

#[tokio::test]
async fn a_published_port_that_only_its_proxy_accepts_fails() {
    let closes = World::new(serve(Answer::Close).await);
    let text = closes.one(SmokeCheck::Tcp(at(80))).await;
    assert!(
        text.starts_with("connection: expected a connection, found the published port"),
        "{text}"
    );
    let stays = World::new(serve(Answer::Never).await);
    let text = stays.one(SmokeCheck::Tcp(at(80))).await;
    assert!(text.starts_with("passed\nconnect to 127.0.0.1:"), "{text}");
}

#[tokio::test]
async fn tries_again_until_it_passes_or_its_attempts_are_used_up() {
    let answers = |n| match n {
        0 | 1 => Answer::Text("HTTP/1.1 503 x\r\n\r\n"),
        _ => Answer::Text("HTTP/1.1 200 OK\r\n\r\n"),
    };
    for (attempts, passes, tried) in [(2, false, 2), (3, true, 3), (9, true, 3)] {
        let world = World::new(serve_each(answers).await);
        let mut test = smoke("t", http("/", HttpExpect::default()));
        test.attempts = attempts;
        let (report, _) = world.run(&[test]).await;
        let test = &report.tests[0];
        assert_eq!((report.is_good(), test.attempts), (passes, tried), "{test:?}");
        assert!(test.took >= ms(20) * (tried - 1), "waits between tries");
    }
}

#[tokio::test]
async fn what_needs_an_unavailable_service_is_skipped() {
    let mut world = World::new(serve(Answer::Echo).await);
    world.unavailable.insert(
        "grafana".into(),
        "the engine does not have grafana/grafana:1".into(),
    );
    let mut needs = smoke("needs", http("/", HttpExpect::default()));
    needs.needs = vec!["web".into(), "grafana".into()];
    let addressed = smoke(
        "addressed",
        SmokeCheck::Tcp(Address::Service {
            service: "grafana".into(),
            port: Some(3000),
        }),
    );
    let (report, _) = world
        .run(&[needs, addressed, smoke("other", http("/", HttpExpect::default()))])
        .await;
    assert_eq!(report.counts(), (1, 0, 2));
    let why = "skipped: grafana is unavailable: the engine does not have grafana/grafana:1";
    assert_eq!([shown(&report.tests[0]), shown(&report.tests[1])], [why, why]);
    assert!(report.is_good());
}

#[test]
fn an_optional_service_without_image_is_unavailable() {
    let mut project = project(&["web", "grafana", "there", "built"]);
    for name in ["grafana", "there", "built"] {
        project[name].ext = ServiceExt {
            optional: true,
            ..ServiceExt::default()
        };
        project[name].image = (name != "built").then(|| format!("{name}:1"));
    }
    let mut there = container(&[]);
    there.service = "there".into();
    let mut observed = observed(vec![there]);
    observed
        .images
        .insert("p-built".into(), crate::model::Image::default());
    assert_eq!(
        unavailable(&project, &observed),
        [(
            ServiceName::from("grafana"),
            "the engine does not have grafana:1".to_owned()
        )]
        .into(),
        "one with an image and no container has failed, it is not unavailable"
    );
}

#[tokio::test]
async fn runs_a_few_at_once_and_tells_in_order() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for n in 0u64.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                MOST.fetch_max(LIVE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                // The first takes longest.
                tokio::time::sleep(ms(120 - 10 * n.min(10))).await;
                LIVE.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            });
        }
    });
    let mut world = World::new(port);
    world.concurrency = 3;
    let tests: Vec<SmokeTest> = (0..7)
        .map(|n| smoke(&n.to_string(), http("/", HttpExpect::default())))
        .collect();
    let (report, notices) = world.run(&tests).await;
    assert_eq!(report.counts(), (7, 0, 0));
    assert_eq!(MOST.load(Ordering::SeqCst), 3);
    let done: Vec<&String> = notices.iter().filter(|n| n.ends_with('!')).collect();
    assert_eq!(done, ["0!", "1!", "2!", "3!", "4!", "5!", "6!"]);
    assert_eq!(notices[..3], ["0?", "1?", "2?"]);
}

#[tokio::test]
async fn commands() {
    let exec = |exit, stdout: Option<&str>, matches: Option<&str>| SmokeCheck::Exec {
        service: "web".into(),
        command: vec!["amtool".into(), "routes test".into()],
        exit,
        stdout: stdout.map(str::to_owned),
        matches: matches.map(str::to_owned),
    };
    let world = |after, code| {
        let mut world = World::new(1);
        world.engine = OneContainer::new(web(1)).exec_does(after, code, "pagerduty,slack hunter2\n");
        world
    };
    let good = world(1, 3)
        .one(exec(3, Some("pagerduty,slack"), Some("(?m)^pager")))
        .await;
    assert!(
        good.starts_with("passed\nexec in web: amtool 'routes test'\n"),
        "{good}"
    );
    let texts = [
        world(1, 1).one(exec(0, Some("email"), Some("^slack"))).await,
        world(600_000, 0).one_within(ms(100), exec(0, None, None)).await,
        world(1, 0).one(exec(0, None, Some("("))).await,
    ];
    insta::assert_snapshot!(steady(&texts.join("\n---\n"), &[]), @r#"
        exit: expected exit code 0, found exit code 1
        stdout: expected "email" in it, found nothing of the kind in 24 bytes
        stdout: expected a match of /^slack/, found nothing of the kind in 24 bytes
        exec in web: amtool 'routes test'
        exit code 1 in TIME
        stdout:
          pagerduty,slack ••••••
        ---
        exit: expected an exit code, found no end within 100ms
        exec in web: amtool 'routes test'
        ended after TIME
        ---
        stdout: expected a regular expression, found /(/, which is none
        exec in web: amtool 'routes test'
        exit code 0 in TIME
        stdout:
          pagerduty,slack ••••••
        "#);
}

/// Answers as a Prometheus: `bad(` is refused, `empty` has no series, anything else has two.
async fn prometheus() -> u16 {
    serve_with(|request| {
        let line = request.lines().next().unwrap();
        assert!(line.starts_with("GET /api/v1/query?query="), "{line}");
        let (status, body) = if line.contains("bad%28") {
            ("400 Bad Request", r#"{"status":"error","errorType":"bad_data","error":"parse error at char 4"}"#)
        } else if line.contains("empty") {
            ("200 OK", r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
        } else {
            (
                "200 OK",
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1,"1"]},{"metric":{"__name__":"up","job":"b"},"value":[1,"0"]}]}}"#,
            )
        };
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    })
    .await
}

#[tokio::test]
async fn queries() {
    let port = prometheus().await;
    let world = World::new(port);
    let promql = |query: &str, op, value, all, series| SmokeCheck::Promql {
        at: at(80),
        query: query.into(),
        compare: Compare { op, value, all },
        series,
    };
    let good = world
        .one(promql("up{job=~\"a|b\"}", CompareOp::Ge, 0.0, true, 2))
        .await;
    assert!(good.starts_with("passed\n"), "{good}");
    let mut texts = vec![
        world.one(promql("up", CompareOp::Eq, 1.0, true, 3)).await,
        world.one(promql("bad(", CompareOp::Eq, 1.0, true, 1)).await,
        world.one(promql("empty", CompareOp::Eq, 1.0, true, 1)).await,
    ];
    let echo = serve(Answer::Echo).await;
    texts.push(
        World::new(echo)
            .one(promql("up", CompareOp::Eq, 1.0, true, 1))
            .await,
    );
    insta::assert_snapshot!(steady(&texts.join("\n---\n"), &[port, echo]), @r#"
        series: expected at least 3, found 2
        up{job="b"}: expected == 1, found 0
        query http://127.0.0.1:PORT: up
        2 series in TIME
          up{job="a"} 1
          up{job="b"} 0
        ---
        query: expected a result, found bad_data: parse error at char 4
        query http://127.0.0.1:PORT: bad(
        ended after TIME
        ---
        series: expected at least 1, found 0
        query http://127.0.0.1:PORT: empty
        0 series in TIME
        ---
        query: expected a result, found answered 200 without JSON
        query http://127.0.0.1:PORT: up
        ended after TIME
        "#);
}

#[tokio::test]
async fn dashboards() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let check = || SmokeCheck::Dashboards {
        folder: folder.path().to_owned(),
        at: at(80),
    };
    let path = folder.path().display().to_string();
    let port = prometheus().await;
    let world = World::new(port);
    let mut texts = vec![world.one(check()).await];
    std::fs::create_dir(folder.path().join("more")).unwrap();
    let panel = |title: &str, expr: &str| {
        format!(r#"{{"title": "{title}", "targets": [{{"refId": "A", "expr": "{expr}"}}]}}"#)
    };
    write(
        "a.json",
        &format!(
            r#"{{"title": "A", "panels": [{}, {}]}}"#,
            panel("Up", "up"),
            panel("None", "empty")
        ),
    );
    write("notes.txt", "no dashboard");
    texts.push(world.one(check()).await);
    write(
        "more/b.json",
        &format!(
            r#"{{"title": "B", "panels": [{{"type": "row", "panels": [{}]}}]}}"#,
            panel("Rate", "bad(")
        ),
    );
    write("c.json", "{}");
    texts.push(world.one(check()).await);
    let closed = closed_port().await;
    texts.push(World::new(closed).one(check()).await);
    insta::assert_snapshot!(steady(&texts.join("\n---\n"), &[port, closed]).replace(&path, "FOLDER"), @r"
        folder: expected dashboards, found FOLDER has no .json file
        ---
        passed
        queries of the dashboards in FOLDER, asked of http://127.0.0.1:PORT
        2 queries of 1 dashboard in TIME: 1 with data, 1 empty, 0 failed
        ---
        c.json: expected a dashboard, found no dashboard: it has neither panels nor elements
        B / Rate A: expected an answer to bad(, found bad_data: parse error at char 4
        queries of the dashboards in FOLDER, asked of http://127.0.0.1:PORT
        3 queries of 2 dashboards in TIME: 1 with data, 1 empty, 1 failed
        ---
        Prometheus: expected an answer, found connection refused
        queries of the dashboards in FOLDER, asked of http://127.0.0.1:PORT
        3 queries of 2 dashboards in TIME: 0 with data, 0 empty, 3 failed
        ");
}

#[test]
fn tests_are_picked_by_name_or_part_of_it() {
    let mut project = project(&[]).0;
    project.ext.smoke = ["health", "nginx health", "Version"]
        .map(|name| smoke(name, http("/", HttpExpect::default())))
        .into();
    let of = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        match select(&project, &words) {
            Ok(tests) => tests
                .iter()
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            Err(unknown) => format!("{unknown}, similar {:?}", unknown.similar),
        }
    };
    assert_eq!(of(&[]), "health, nginx health, Version");
    assert_eq!(of(&["health"]), "health", "a whole name is meant as such");
    assert_eq!(of(&["ver", "HEALTH"]), "health, nginx health, Version");
    assert_eq!(
        of(&["health", "versoin"]),
        "no smoke test is named `versoin`, similar Some(\"Version\")"
    );
}
