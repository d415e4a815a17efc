//! Keeps secret values out of events: the one place that all views, reports and records share.

use super::{
    Body, FailedOperation, FailedService, FailureCause, FailureReport, ImageStage, PlannedStep, Previous,
    ProbeAttempt, StepState, TestResult, TestVerdict, Verdict,
};
use crate::base::Masker;

/// `body` with every known secret value masked in whatever text it carries. Names that the stack
/// gives (services, projects) and counts stay as they are.
pub fn masked(body: Body, masker: &Masker) -> Body {
    let text = |text: String| mask(text, masker);
    let some = |text: Option<String>| text.map(|text| mask(text, masker));
    match body {
        Body::RunStarted { .. } | Body::EngineBack { .. } | Body::TestStarted { .. } => body,
        Body::EngineFound {
            description,
            endpoint,
        } => Body::EngineFound {
            description: text(description),
            endpoint: text(endpoint),
        },
        Body::EngineLost { reason } => Body::EngineLost { reason: text(reason) },
        Body::WaitingForLock { holder } => Body::WaitingForLock { holder: text(holder) },
        Body::Image {
            reference,
            services,
            stage,
        } => Body::Image {
            reference,
            services,
            stage: match stage {
                ImageStage::Obtained { line } => ImageStage::Obtained { line: text(line) },
                ImageStage::Unavailable { reason } => ImageStage::Unavailable { reason: text(reason) },
                ImageStage::Failed { reason } => ImageStage::Failed { reason: text(reason) },
                other => other,
            },
        },
        Body::Progress {
            subject,
            text: words,
            amount,
        } => Body::Progress {
            subject,
            text: text(words),
            amount,
        },
        Body::Output { subject, line } => Body::Output {
            subject,
            line: text(line),
        },
        Body::Planned {
            steps,
            kept,
            names,
            unavailable,
        } => Body::Planned {
            steps: steps
                .into_iter()
                .map(|step| PlannedStep {
                    what: text(step.what),
                    cause: text(step.cause),
                    ..step
                })
                .collect(),
            kept,
            names,
            unavailable: unavailable
                .into_iter()
                .map(|(service, reason, optional)| (service, text(reason), optional))
                .collect(),
        },
        Body::Step { id, state } => Body::Step {
            id,
            state: match state {
                StepState::Waiting { reason } => StepState::Waiting { reason: text(reason) },
                StepState::Failed { error } => StepState::Failed { error: text(error) },
                StepState::Blocked { reason } => StepState::Blocked { reason: text(reason) },
                other => other,
            },
        },
        Body::Stage {
            instance,
            stage,
            reason,
        } => Body::Stage {
            instance,
            stage,
            reason: some(reason),
        },
        Body::Probed { instance, attempt } => Body::Probed {
            instance,
            attempt: probe(attempt, masker),
        },
        Body::TestDone(result) => Body::TestDone(test(result, masker)),
        Body::Warning { text: words, hint } => Body::Warning {
            text: text(words),
            hint: some(hint),
        },
        Body::Info { text: words } => Body::Info { text: text(words) },
        Body::Stopping { text: words } => Body::Stopping { text: text(words) },
        Body::Failure(report) => Body::Failure(failure(report, masker)),
        Body::Finished(verdict) => Body::Finished(Verdict {
            text: text(verdict.text),
            ..verdict
        }),
    }
}

fn mask(text: String, masker: &Masker) -> String {
    match masker.mask(&text) {
        std::borrow::Cow::Owned(masked) => masked,
        std::borrow::Cow::Borrowed(_) => text,
    }
}

fn probe(attempt: ProbeAttempt, masker: &Masker) -> ProbeAttempt {
    ProbeAttempt {
        what: mask(attempt.what, masker),
        detail: mask(attempt.detail, masker),
        ..attempt
    }
}

fn test(result: TestResult, masker: &Masker) -> TestResult {
    TestResult {
        verdict: match result.verdict {
            TestVerdict::Passed => TestVerdict::Passed,
            TestVerdict::Failed { reason } => TestVerdict::Failed {
                reason: mask(reason, masker),
            },
            TestVerdict::Skipped { reason } => TestVerdict::Skipped {
                reason: mask(reason, masker),
            },
        },
        evidence: result
            .evidence
            .into_iter()
            .map(|line| mask(line, masker))
            .collect(),
        ..result
    }
}

/// A failure report with every known secret value masked.
pub fn failure(report: FailureReport, masker: &Masker) -> FailureReport {
    FailureReport {
        services: report
            .services
            .into_iter()
            .map(|failed| failed_service(failed, masker))
            .collect(),
        operations: report
            .operations
            .into_iter()
            .map(|failed| FailedOperation {
                what: mask(failed.what, masker),
                error: mask(failed.error, masker),
                hint: failed.hint.map(|hint| mask(hint, masker)),
            })
            .collect(),
    }
}

fn failed_service(failed: FailedService, masker: &Masker) -> FailedService {
    let text = |text: String| mask(text, masker);
    FailedService {
        cause: match failed.cause {
            FailureCause::NoImage { reason } => FailureCause::NoImage { reason: text(reason) },
            FailureCause::Build { error } => FailureCause::Build { error: text(error) },
            FailureCause::Create { error } => FailureCause::Create { error: text(error) },
            FailureCause::Start { error } => FailureCause::Start { error: text(error) },
            FailureCause::Other { text: words } => FailureCause::Other { text: text(words) },
            other => other,
        },
        last_probe: failed.last_probe.map(|attempt| probe(attempt, masker)),
        logs: failed.logs.into_iter().map(text).collect(),
        previous: failed.previous.map(|previous| match previous {
            Previous::Lost { error } => Previous::Lost {
                error: mask(error, masker),
            },
            Previous::PutBack => Previous::PutBack,
        }),
        hint: failed.hint.map(|hint| mask(hint, masker)),
        ..failed
    }
}
