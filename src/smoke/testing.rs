//! Reports, for tests.

use std::time::Duration;

pub(crate) use crate::probe::testing::{TestProject, observed, project};
use crate::smoke::{Evidence, Kind, Mismatch, Outcome, Report, Seen, TestReport};

/// A report with one of everything; `hunter2` is a secret.
pub(crate) fn report() -> Report {
    let ms = Duration::from_millis;
    let evidence = |tried: &str, took, seen| {
        Some(Evidence {
            tried: tried.into(),
            took: ms(took),
            seen,
        })
    };
    let test = |name: &str, kind, outcome, attempts, took, evidence| TestReport {
        name: name.into(),
        kind,
        outcome,
        attempts,
        took: ms(took),
        evidence,
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let tests = vec![
        test(
            "home",
            Kind::Http,
            Outcome::Passed,
            1,
            12,
            evidence(
                "GET http://127.0.0.1:8080/",
                12,
                Seen::Http {
                    status: 200,
                    phrase: "OK",
                    headers: vec![pair("content-type", "text/html")],
                    body: Some("<p>".into()),
                    bytes: 3,
                },
            ),
        ),
        test(
            "version",
            Kind::Http,
            Outcome::Failed(vec![
                Mismatch::new("status", "200", "500"),
                Mismatch::new("$.version", "\"2\"", "\"1\""),
            ]),
            3,
            541,
            evidence(
                "GET http://127.0.0.1:8080/version?key=hunter2",
                8,
                Seen::Http {
                    status: 500,
                    phrase: "Internal Server Error",
                    headers: vec![pair("content-type", "application/json")],
                    body: Some("{\"version\":\"1\",\n \"key\":\"hunter2\u{7}\"}".into()),
                    bytes: 35,
                },
            ),
        ),
        test(
            "database",
            Kind::Tcp,
            Outcome::Failed(vec![Mismatch::new(
                "connection",
                "a connection",
                "connection refused",
            )]),
            1,
            1,
            evidence("connect to 127.0.0.1:5432", 1, Seen::Nothing),
        ),
        test(
            "routes",
            Kind::Exec,
            Outcome::Failed(vec![Mismatch::new("exit", "exit code 0", "exit code 1")]),
            1,
            110,
            evidence(
                "exec in alertmanager: amtool check-config",
                110,
                Seen::Exec {
                    exit: 1,
                    stdout: None,
                    stderr: Some("bad\nfile".into()),
                },
            ),
        ),
        test(
            "targets",
            Kind::Promql,
            Outcome::Failed(vec![Mismatch::new("up{job=\"b\"}", "== 1", "0")]),
            2,
            1_300,
            evidence(
                "query http://127.0.0.1:9090: up",
                4,
                Seen::Series {
                    count: 3,
                    first: vec![pair("up{job=\"a\"}", "1"), pair("up{job=\"b\"}", "0")],
                },
            ),
        ),
        test(
            "dashboards",
            Kind::Dashboards,
            Outcome::Failed(vec![Mismatch::new(
                "Overview / Errors A",
                "an answer to rate(x)",
                "bad_data: parse error",
            )]),
            1,
            90,
            evidence(
                "queries of the dashboards in /d, asked of http://127.0.0.1:9090",
                90,
                Seen::Panels {
                    dashboards: 2,
                    queries: 20,
                    empty: 3,
                    other: 1,
                    failed: 1,
                },
            ),
        ),
        test(
            "grafana",
            Kind::Http,
            Outcome::Skipped("grafana is unavailable: no image".into()),
            0,
            0,
            None,
        ),
    ];
    Report {
        project: "p".into(),
        tests,
        took: ms(2_034),
    }
}
