//! The wire form of events: one JSON object a line, versioned, documented in docs/progress-json.md.
//!
//! Inner types are not serialisable by themselves, so that changing them cannot change the
//! format unseen.

use serde_json::{Map, Value, json};

use super::{
    Body, Event, FailedService, FailureCause, FailureReport, ImageStage, Previous, StepState, TestVerdict,
};
use crate::plan::Instance;

/// Version of the format; raised when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// One event as a JSON object.
pub fn to_json(event: &Event) -> Value {
    let mut object = Map::new();
    object.insert("v".into(), json!(VERSION));
    object.insert("seq".into(), json!(event.seq));
    object.insert("ms".into(), json!(event.at.as_millis() as u64));
    let (kind, fields) = body(&event.body);
    object.insert("type".into(), json!(kind));
    if let Value::Object(fields) = fields {
        object.extend(fields.into_iter().filter(|(_, v)| !v.is_null()));
    }
    Value::Object(object)
}

fn container(instance: &Instance) -> Value {
    json!({"service": instance.service, "number": instance.number})
}

fn body(body: &Body) -> (&'static str, Value) {
    match body {
        Body::RunStarted {
            run,
            command,
            project,
        } => (
            "run_started",
            json!({"run": run, "command": command, "project": project}),
        ),
        Body::EngineFound {
            description,
            endpoint,
        } => (
            "engine_found",
            json!({"engine": description, "endpoint": endpoint}),
        ),
        Body::EngineLost { reason } => ("engine_lost", json!({"reason": reason})),
        Body::EngineBack { after } => ("engine_back", json!({"after_ms": after.as_millis() as u64})),
        Body::WaitingForLock { holder } => ("waiting_for_lock", json!({"holder": holder})),
        Body::Image {
            reference,
            services,
            stage,
        } => {
            let (state, text) = match stage {
                ImageStage::Present => ("present", None),
                ImageStage::Pulling => ("pulling", None),
                ImageStage::Building => ("building", None),
                ImageStage::Bootstrapping => ("bootstrapping", None),
                ImageStage::Obtained { line } => ("obtained", Some(line)),
                ImageStage::Unavailable { reason } => ("unavailable", Some(reason)),
                ImageStage::Failed { reason } => ("failed", Some(reason)),
            };
            (
                "image",
                json!({"image": reference, "services": services, "state": state, "text": text}),
            )
        }
        Body::Progress {
            subject,
            text,
            amount,
        } => (
            "progress",
            json!({"subject": subject, "text": text, "done": amount.map(|a| a.0), "total": amount.map(|a| a.1)}),
        ),
        Body::Output { subject, line } => ("output", json!({"subject": subject, "line": line})),
        Body::Planned {
            steps,
            kept,
            names: _,
            unavailable,
        } => (
            "planned",
            json!({
                "steps": steps.iter().map(|s| json!({
                    "id": s.id, "what": s.what, "cause": s.cause, "service": s.service,
                })).collect::<Vec<_>>(),
                "kept": kept.iter().map(container).collect::<Vec<_>>(),
                "unavailable": unavailable.iter().map(|(service, reason, optional)| json!({
                    "service": service, "reason": reason, "optional": optional,
                })).collect::<Vec<_>>(),
            }),
        ),
        Body::Step { id, state } => {
            let (word, text, took) = match state {
                StepState::Waiting { reason } => ("waiting", Some(reason), None),
                StepState::Started => ("started", None, None),
                StepState::Done { took } => ("done", None, Some(took.as_millis() as u64)),
                StepState::Failed { error } => ("failed", Some(error), None),
                StepState::Blocked { reason } => ("blocked", Some(reason), None),
            };
            (
                "step",
                json!({"id": id, "state": word, "text": text, "took_ms": took}),
            )
        }
        Body::Stage {
            instance,
            stage,
            reason,
        } => (
            "stage",
            json!({
                "service": instance.service, "number": instance.number,
                "stage": stage, "reason": reason,
            }),
        ),
        Body::Probed { instance, attempt } => (
            "probe",
            json!({
                "service": instance.service, "number": instance.number, "what": attempt.what,
                "passed": attempt.passed, "detail": attempt.detail,
                "took_ms": attempt.took.as_secs_f64() * 1e3,
            }),
        ),
        Body::TestStarted { name } => ("test_started", json!({"name": name})),
        Body::TestDone(result) => {
            let (word, reason) = match &result.verdict {
                TestVerdict::Passed => ("passed", None),
                TestVerdict::Failed { reason } => ("failed", Some(reason)),
                TestVerdict::Skipped { reason } => ("skipped", Some(reason)),
            };
            (
                "test_done",
                json!({
                    "name": result.name, "verdict": word, "reason": reason,
                    "took_ms": result.took.as_millis() as u64, "attempts": result.attempts,
                    "evidence": result.evidence,
                }),
            )
        }
        Body::Warning { text, hint } => ("warning", json!({"text": text, "hint": hint})),
        Body::Info { text } => ("info", json!({"text": text})),
        Body::Stopping { text } => ("stopping", json!({"text": text})),
        Body::Failure(report) => ("failure", failure(report)),
        Body::Finished(verdict) => (
            "finished",
            json!({
                "code": verdict.code, "text": verdict.text,
                "took_ms": verdict.took.as_millis() as u64,
            }),
        ),
    }
}

/// A failure report, as it stands in the `failure` event and in `--format json`.
pub fn failure(report: &FailureReport) -> Value {
    json!({
        "services": report.services.iter().map(failed_service).collect::<Vec<_>>(),
        "operations": report.operations.iter().map(|o| without_nulls(json!({
            "what": o.what, "error": o.error, "hint": o.hint,
        }))).collect::<Vec<_>>(),
    })
}

fn failed_service(failed: &FailedService) -> Value {
    let text = match &failed.cause {
        FailureCause::NoImage { reason } => Some(reason),
        FailureCause::Build { error } | FailureCause::Create { error } | FailureCause::Start { error } => {
            Some(error)
        }
        FailureCause::Other { text } => Some(text),
        _ => None,
    };
    let count = match failed.cause {
        FailureCause::Restarting { times } => Some(times),
        FailureCause::Unhealthy { failures } => Some(failures),
        _ => None,
    };
    let deadline = match failed.cause {
        FailureCause::NotReady { deadline } => Some(deadline.as_millis() as u64),
        _ => None,
    };
    without_nulls(json!({
        "service": failed.instance.service,
        "number": failed.instance.number,
        "cause": failed.cause.kind(),
        "text": text,
        "count": count,
        "deadline_ms": deadline,
        "chain": failed.chain.iter().map(|link| json!({
            "service": link.service, "condition": link.condition,
        })).collect::<Vec<_>>(),
        "exit_code": failed.exit.map(|e| e.code),
        "oom_killed": failed.exit.map(|e| e.oom_killed),
        "last_probe": failed.last_probe.as_ref().map(|p| json!({
            "what": p.what, "passed": p.passed, "detail": p.detail,
            "took_ms": p.took.as_secs_f64() * 1e3,
        })),
        "probes": failed.probes,
        "logs": failed.logs,
        "blocks": failed.blocks,
        "previous": failed.previous.as_ref().map(|p| match p {
            Previous::PutBack => "put_back",
            Previous::Lost { .. } => "lost",
        }),
        "previous_error": failed.previous.as_ref().and_then(|p| match p {
            Previous::PutBack => None,
            Previous::Lost { error } => Some(error),
        }),
        "hint": failed.hint(),
        "file": failed.place.as_ref().map(|p| p.file.display().to_string()),
        "line": failed.place.as_ref().map(|p| p.line),
        "took_ms": failed.took.as_millis() as u64,
    }))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, v)| !v.is_null()).collect()),
        other => other,
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
