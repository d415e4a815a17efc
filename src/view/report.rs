//! The report of a whole run in a file: text, JSON or JUnit.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::style::Style;
use super::{failure, junit};
use crate::event::{Snapshot, TestVerdict, wire};

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For CI.
    Junit,
}

impl Form {
    /// By a file's ending: `.json`, `.xml`, anything else is text.
    pub fn of(path: &std::path::Path) -> Self {
        match path.extension().and_then(|e| e.to_str()) {
            Some("json") => Self::Json,
            Some("xml") => Self::Junit,
            _ => Self::Text,
        }
    }
}

/// The report of a run that has ended.
///
/// # Errors
/// Where XML cannot be written, in words.
pub fn render(form: Form, snapshot: &Snapshot) -> Result<String, String> {
    match form {
        Form::Text => Ok(text(snapshot)),
        Form::Json => Ok(format!("{:#}\n", to_json(snapshot))),
        Form::Junit => junit::document(snapshot, [junit::services(snapshot), tests(snapshot)]),
    }
}

fn text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for (instance, view) in &snapshot.instances {
        let reason = view
            .reason
            .as_deref()
            .map(|r| format!(": {r}"))
            .unwrap_or_default();
        out.push_str(&format!("{instance} {}{reason}\n", view.stage.as_str()));
    }
    for (name, view) in &snapshot.tests {
        let verdict = match &view.verdict {
            Some(TestVerdict::Passed) => "passed".to_owned(),
            Some(TestVerdict::Failed { reason }) => format!("failed: {reason}"),
            Some(TestVerdict::Skipped { reason }) => format!("skipped: {reason}"),
            None => "not ended".to_owned(),
        };
        out.push_str(&format!("smoke test {name}: {verdict}\n"));
    }
    if let Some(report) = &snapshot.failure {
        out.push_str(&failure::text(report, None, &Style::PLAIN));
    }
    if let Some(verdict) = &snapshot.verdict {
        out.push_str(&format!("{} (exit code {})\n", verdict.text, verdict.code));
    }
    out
}

fn to_json(snapshot: &Snapshot) -> Value {
    json!({
        "v": wire::VERSION,
        "project": snapshot.project,
        "command": snapshot.command,
        "code": snapshot.verdict.as_ref().map(|v| v.code),
        "text": snapshot.verdict.as_ref().map(|v| v.text.as_str()),
        "took_ms": snapshot.verdict.as_ref().map(|v| v.took.as_millis() as u64),
        "services": snapshot.instances.iter().map(|(instance, view)| json!({
            "service": instance.service, "number": instance.number,
            "stage": view.stage, "reason": view.reason,
        })).collect::<Vec<_>>(),
        "tests": snapshot.tests.iter().map(|(name, view)| {
            let (verdict, reason) = match &view.verdict {
                Some(TestVerdict::Passed) => ("passed", None),
                Some(TestVerdict::Failed { reason }) => ("failed", Some(reason)),
                Some(TestVerdict::Skipped { reason }) => ("skipped", Some(reason)),
                None => ("unfinished", None),
            };
            json!({"name": name, "verdict": verdict, "reason": reason})
        }).collect::<Vec<_>>(),
        "failure": snapshot.failure.as_ref().map(failure::json),
    })
}

fn tests(snapshot: &Snapshot) -> TestSuite {
    let mut suite = TestSuite::new("smoke");
    for (name, view) in &snapshot.tests {
        let status = match &view.verdict {
            Some(TestVerdict::Passed) => TestCaseStatus::success(),
            Some(TestVerdict::Skipped { reason }) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(reason.as_str());
                status
            }
            Some(TestVerdict::Failed { reason }) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(reason.as_str());
                status
            }
            None => TestCaseStatus::non_success(NonSuccessKind::Error),
        };
        suite.add_test_case(TestCase::new(name.as_str(), status));
    }
    suite
}

#[cfg(test)]
mod tests_of_forms {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::event::{Body, Event, TestResult, Verdict};

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let done = TestResult {
            name: "health".into(),
            verdict: TestVerdict::Failed {
                reason: "status: expected 200, found 503".into(),
            },
            took: Duration::from_millis(3),
            attempts: 1,
            evidence: vec![],
        };
        let verdict = Verdict {
            code: 1,
            text: "1 of 1 smoke tests failed".into(),
            took: Duration::from_secs(1),
        };
        for (seq, body) in [(1, Body::TestDone(done)), (2, Body::Finished(verdict))] {
            snapshot.apply(&Event {
                seq,
                at: Duration::ZERO,
                body,
            });
        }
        snapshot
    }

    #[test]
    fn the_ending_chooses_the_form_and_each_tells_the_failure() {
        for (path, form, part) in [
            ("r.json", Form::Json, "\"verdict\": \"failed\""),
            ("r.xml", Form::Junit, "status: expected 200, found 503"),
            (
                "r.txt",
                Form::Text,
                "smoke test health: failed: status: expected 200, found 503",
            ),
        ] {
            assert_eq!(Form::of(Path::new(path)), form);
            let text = render(form, &snapshot()).unwrap();
            assert!(text.contains(part), "{text}");
        }
    }
}
