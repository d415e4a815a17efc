//! The report for machines; documented in docs/smoke.md, which a test keeps to this.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::outcome::{Evidence, Outcome, Report, Seen, TestReport};
use crate::base::Masker;

/// Version of the format; raised when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// The report as one JSON document, ended by a newline.
pub fn json(report: &Report, masker: &Masker) -> String {
    let (passed, failed, skipped) = report.counts();
    let document = json!({
        "v": VERSION,
        "project": masker.mask(&report.project),
        "ok": report.is_good(),
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "ms": ms(report.took),
        "tests": report.tests.iter().map(|t| test(&t.masked(masker))).collect::<Vec<_>>(),
    });
    // Writing a value that was just made cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Milliseconds with one decimal.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn test(test: &TestReport) -> Value {
    let mut fields = Map::new();
    let mut add = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    add("name", json!(test.name));
    add("kind", json!(test.kind.as_str()));
    match &test.outcome {
        Outcome::Passed => add("outcome", json!("passed")),
        Outcome::Skipped(reason) => {
            add("outcome", json!("skipped"));
            add("reason", json!(reason));
        }
        Outcome::Failed(mismatches) => {
            add("outcome", json!("failed"));
            let list: Vec<Value> = mismatches
                .iter()
                .map(|m| json!({"what": m.what, "expected": m.expected, "found": m.found}))
                .collect();
            add("mismatches", Value::Array(list));
        }
    }
    add("attempts", json!(test.attempts));
    add("ms", json!(ms(test.took)));
    if let Some(found) = &test.evidence {
        add("evidence", evidence(found));
    }
    Value::Object(fields)
}

fn evidence(evidence: &Evidence) -> Value {
    let mut fields = Map::new();
    fields.insert("tried".into(), json!(evidence.tried));
    fields.insert("ms".into(), json!(ms(evidence.took)));
    let more = match &evidence.seen {
        Seen::Nothing | Seen::Connection => Value::Null,
        Seen::Http {
            status,
            phrase: _,
            headers,
            body,
            bytes,
        } => json!({
            "status": status,
            // A list: a header may come more than once.
            "headers": headers.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
            "body": body,
            "bytes": bytes,
        }),
        Seen::Exec { exit, stdout, stderr } => json!({"exit": exit, "stdout": stdout, "stderr": stderr}),
        Seen::Series { count, first } => json!({
            "series": count,
            "first": first
                .iter()
                .map(|(labels, value)| json!({"labels": labels, "value": value}))
                .collect::<Vec<_>>(),
        }),
        Seen::Panels {
            dashboards,
            queries,
            empty,
            other,
            failed,
        } => json!({
            "dashboards": dashboards,
            "queries": queries,
            "empty": empty,
            "other": other,
            "failed": failed,
        }),
    };
    if let Value::Object(more) = more {
        fields.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smoke::testing::report;

    #[test]
    fn one_document() {
        let masker = Masker::default();
        masker.add("hunter2");
        insta::assert_snapshot!(json(&report(), &masker), @r#"
        {
          "v": 1,
          "project": "p",
          "ok": false,
          "passed": 1,
          "failed": 5,
          "skipped": 1,
          "ms": 2034.0,
          "tests": [
            {
              "name": "home",
              "kind": "http",
              "outcome": "passed",
              "attempts": 1,
              "ms": 12.0,
              "evidence": {
                "tried": "GET http://127.0.0.1:8080/",
                "ms": 12.0,
                "status": 200,
                "headers": [
                  [
                    "content-type",
                    "text/html"
                  ]
                ],
                "body": "<p>",
                "bytes": 3
              }
            },
            {
              "name": "version",
              "kind": "http",
              "outcome": "failed",
              "mismatches": [
                {
                  "what": "status",
                  "expected": "200",
                  "found": "500"
                },
                {
                  "what": "$.version",
                  "expected": "\"2\"",
                  "found": "\"1\""
                }
              ],
              "attempts": 3,
              "ms": 541.0,
              "evidence": {
                "tried": "GET http://127.0.0.1:8080/version?key=••••••",
                "ms": 8.0,
                "status": 500,
                "headers": [
                  [
                    "content-type",
                    "application/json"
                  ]
                ],
                "body": "{\"version\":\"1\",\n \"key\":\"••••••\u0007\"}",
                "bytes": 35
              }
            },
            {
              "name": "database",
              "kind": "tcp",
              "outcome": "failed",
              "mismatches": [
                {
                  "what": "connection",
                  "expected": "a connection",
                  "found": "connection refused"
                }
              ],
              "attempts": 1,
              "ms": 1.0,
              "evidence": {
                "tried": "connect to 127.0.0.1:5432",
                "ms": 1.0
              }
            },
            {
              "name": "routes",
              "kind": "exec",
              "outcome": "failed",
              "mismatches": [
                {
                  "what": "exit",
                  "expected": "exit code 0",
                  "found": "exit code 1"
                }
              ],
              "attempts": 1,
              "ms": 110.0,
              "evidence": {
                "tried": "exec in alertmanager: amtool check-config",
                "ms": 110.0,
                "exit": 1,
                "stderr": "bad\nfile"
              }
            },
            {
              "name": "targets",
              "kind": "promql",
              "outcome": "failed",
              "mismatches": [
                {
                  "what": "up{job=\"b\"}",
                  "expected": "== 1",
                  "found": "0"
                }
              ],
              "attempts": 2,
              "ms": 1300.0,
              "evidence": {
                "tried": "query http://127.0.0.1:9090: up",
                "ms": 4.0,
                "series": 3,
                "first": [
                  {
                    "labels": "up{job=\"a\"}",
                    "value": "1"
                  },
                  {
                    "labels": "up{job=\"b\"}",
                    "value": "0"
                  }
                ]
              }
            },
            {
              "name": "dashboards",
              "kind": "dashboards",
              "outcome": "failed",
              "mismatches": [
                {
                  "what": "Overview / Errors A",
                  "expected": "an answer to rate(x)",
                  "found": "bad_data: parse error"
                }
              ],
              "attempts": 1,
              "ms": 90.0,
              "evidence": {
                "tried": "queries of the dashboards in /d, asked of http://127.0.0.1:9090",
                "ms": 90.0,
                "dashboards": 2,
                "queries": 20,
                "empty": 3,
                "other": 1,
                "failed": 1
              }
            },
            {
              "name": "grafana",
              "kind": "http",
              "outcome": "skipped",
              "reason": "grafana is unavailable: no image",
              "attempts": 0,
              "ms": 0.0
            }
          ]
        }
        "#);
    }

    #[test]
    fn every_field_is_documented() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/smoke.md");
        let page = std::fs::read_to_string(path).unwrap();
        fn keys(value: &Value, into: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    for (key, value) in fields {
                        into.push(key.clone());
                        keys(value, into);
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
                _ => {}
            }
        }
        let mut all = Vec::new();
        let document: Value = serde_json::from_str(&json(&report(), &Masker::default())).unwrap();
        keys(&document, &mut all);
        assert!(all.len() > 40);
        for key in all {
            assert!(
                page.contains(&format!("`{key}`")),
                "docs/smoke.md does not name `{key}`"
            );
        }
    }
}
