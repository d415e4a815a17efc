//! The events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::FailureReport;
use crate::base::{Moment, ProjectName, ServiceName};
use crate::plan::text::{self, Deed};
use crate::plan::{Instance, Step, StepId};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the run's order, from 1.
    pub seq: u64,
    /// When, since the run began.
    pub at: Moment,
    /// What.
    pub body: Body,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A run began.
    RunStarted {
        /// Its id, also on what it creates.
        run: String,
        /// The command (`up`, `down`).
        command: &'static str,
        /// The project.
        project: ProjectName,
    },
    /// The engine answered.
    EngineFound {
        /// `Docker Engine 20.10.24 (API 1.41)`.
        description: String,
        /// Where it is reached.
        endpoint: String,
    },
    /// The engine stopped answering; the run waits for it.
    EngineLost {
        /// What was seen.
        reason: String,
    },
    /// The engine answers again; the run observes and plans anew.
    EngineBack {
        /// How long it was away.
        after: Duration,
    },
    /// Another run holds the project; this one waits for it.
    WaitingForLock {
        /// Who holds it, in words.
        holder: String,
    },
    /// An image's state changed.
    Image {
        /// Its reference.
        reference: String,
        /// The services that use it.
        services: Vec<ServiceName>,
        /// Its state.
        stage: ImageStage,
    },
    /// Long work goes on. Only the newest of each subject matters.
    Progress {
        /// The image or step it belongs to.
        subject: String,
        /// In words (`[3/5] RUN apt-get …`, `layer 4 of 7`).
        text: String,
        /// Done so far and in all, where that is known (bytes or items).
        amount: Option<(u64, u64)>,
    },
    /// A line that a build or tool wrote.
    Output {
        /// The image or step it belongs to.
        subject: String,
        /// The line.
        line: String,
    },
    /// A plan was made.
    Planned {
        /// Its steps.
        steps: Vec<PlannedStep>,
        /// What is already as wanted.
        kept: Vec<Instance>,
        /// The names of containers that are kept, at the engine.
        names: BTreeMap<Instance, String>,
        /// Services that are left out: service, reason, whether optional.
        unavailable: Vec<(ServiceName, String, bool)>,
    },
    /// A step's state changed.
    Step {
        /// Which.
        id: StepId,
        /// Its state.
        state: StepState,
    },
    /// A container's stage changed.
    Stage {
        /// Which.
        instance: Instance,
        /// The stage.
        stage: Stage,
        /// Why, for whatever is not plainly good.
        reason: Option<String>,
    },
    /// A probe was tried.
    Probed {
        /// Which.
        instance: Instance,
        /// How it went.
        attempt: ProbeAttempt,
    },
    /// A smoke test began.
    TestStarted {
        /// Its name.
        name: String,
    },
    /// A smoke test ended.
    TestDone(TestResult),
    /// Something worth saying.
    Warning {
        /// In words.
        text: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Something to know.
    Info {
        /// In words.
        text: String,
    },
    /// Somebody asked the run to stop.
    Stopping {
        /// In words (`Ctrl-C: stopping; once more kills`).
        text: String,
    },
    /// What failed and why; published once, before the end of a run that is not good.
    Failure(FailureReport),
    /// The run ended.
    Finished(Verdict),
}

/// How an image is coming along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageStage {
    /// The engine has it; nothing to do.
    Present,
    /// It is being pulled.
    Pulling,
    /// It is being built.
    Building,
    /// A base image is being made from distribution packages.
    Bootstrapping,
    /// It was obtained.
    Obtained {
        /// Where it came from and which version it has, in one line.
        line: String,
    },
    /// Nothing can supply it, and the service is optional.
    Unavailable {
        /// What was tried and how to supply it.
        reason: String,
    },
    /// Nothing can supply it.
    Failed {
        /// What was tried and how to supply it.
        reason: String,
    },
}

/// A step as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Its id.
    pub id: StepId,
    /// What is done (`create container devops-app-1`).
    pub what: String,
    /// Why.
    pub cause: String,
    /// The service it concerns.
    pub service: Option<ServiceName>,
    /// The parts of `what`.
    pub deed: Deed,
}

impl PlannedStep {
    /// A step as it is announced.
    pub fn of(step: &Step) -> Self {
        Self {
            id: step.id,
            what: text::action(&step.action),
            cause: text::cause(&step.cause),
            service: step.action.service().cloned(),
            deed: text::deed(&step.action),
        }
    }
}

/// A step's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// It waits at a gate.
    Waiting {
        /// For what.
        reason: String,
    },
    /// It is under way.
    Started,
    /// It is done.
    Done {
        /// How long it took.
        took: Duration,
    },
    /// It failed.
    Failed {
        /// Why.
        error: String,
    },
    /// It is not done because of another.
    Blocked {
        /// Because of what.
        reason: String,
    },
}

/// A container's stage on its way to ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not there yet.
    Pending,
    /// Created.
    Created,
    /// Its process runs.
    Running,
    /// The engine starts it again after an exit.
    Restarting,
    /// Its probe has passed, or it runs and nothing probes it.
    Ready,
    /// A one-shot that ended with exit code 0.
    Completed,
    /// Stopped because somebody asked.
    Stopped,
    /// Gone.
    Removed,
    /// Not started because of another.
    Blocked,
    /// No image, and optional.
    Unavailable,
    /// It ended, never got ready, or could not be started.
    Failed,
}

impl Stage {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Created => "created",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Removed => "removed",
            Self::Blocked => "blocked",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}

/// One try of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeAttempt {
    /// What was tried (`GET http://172.18.0.3:8000/health/ready`).
    pub what: String,
    /// Whether it passed.
    pub passed: bool,
    /// What came back (`503 Service Unavailable: {"status":"starting"}`).
    pub detail: String,
    /// How long it took.
    pub took: Duration,
}

/// A smoke test's result.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// Its name.
    pub name: String,
    /// The verdict.
    pub verdict: TestVerdict,
    /// How long it took, retries included.
    pub took: Duration,
    /// How often it was tried.
    pub attempts: u32,
    /// What was done and seen, line by line.
    pub evidence: Vec<String>,
}

/// A smoke test's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestVerdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed {
        /// What was expected and found.
        reason: String,
    },
    /// Not run.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The exit code.
    pub code: u8,
    /// In one line.
    pub text: String,
    /// How long the run took.
    pub took: Duration,
}
