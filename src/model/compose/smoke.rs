//! Smoke tests as they are written under `x-platform`.

use serde_json::{Map, Value, json};

use crate::base::format_duration;
use crate::model::SmokeTest;
use crate::model::smoke::{HttpExpect, SmokeCheck};

/// A test as it is written.
pub(super) fn smoke_form(test: &SmokeTest) -> Value {
    let mut out = Map::new();
    out.insert("name".into(), json!(test.name));
    let (kind, mut what, expect) = match &test.check {
        SmokeCheck::Http { request, expect } => ("http", json!(request), http_expect(expect)),
        SmokeCheck::Tcp(at) => ("tcp", json!(at), Value::Null),
        SmokeCheck::Exec {
            service,
            command,
            exit,
            stdout,
            matches,
        } => (
            "exec",
            json!({"service": service, "command": command}),
            json!({"exit": exit, "stdout": stdout, "matches": matches}),
        ),
        SmokeCheck::Promql {
            at,
            query,
            compare,
            series,
        } => {
            let mut what = json!(at);
            if let Value::Object(what) = &mut what {
                what.insert("query".into(), json!(query));
            }
            let expect =
                json!({"op": compare.op, "value": compare.value, "all": compare.all, "series": series});
            ("promql", what, expect)
        }
        SmokeCheck::Dashboards { folder, at } => {
            let mut what = json!(at);
            if let Value::Object(what) = &mut what {
                what.insert("folder".into(), json!(folder));
            }
            ("dashboards", what, Value::Null)
        }
    };
    if let Value::Object(what) = &mut what {
        what.retain(|_, value| !value.is_null());
    }
    out.insert(kind.into(), what);
    let mut expect = expect;
    if let Value::Object(expect) = &mut expect {
        expect.retain(|_, value| !value.is_null());
    }
    if expect.as_object().is_some_and(|e| !e.is_empty()) {
        out.insert("expect".into(), expect);
    }
    let mut retry = Map::new();
    if test.attempts != 1 {
        retry.insert("attempts".into(), json!(test.attempts));
    }
    if let Some(interval) = test.interval {
        retry.insert("interval".into(), json!(format_duration(interval)));
    }
    if !retry.is_empty() {
        out.insert("retry".into(), Value::Object(retry));
    }
    if let Some(timeout) = test.timeout {
        out.insert("timeout".into(), json!(format_duration(timeout)));
    }
    if !test.needs.is_empty() {
        out.insert("needs".into(), json!(test.needs));
    }
    Value::Object(out)
}

fn http_expect(expect: &HttpExpect) -> Value {
    serde_json::to_value(expect).unwrap_or(Value::Null)
}
