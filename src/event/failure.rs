//! Why a run did not end as wanted: the facts behind the failure report.
//!
//! Plain data, gathered once where the failure is seen. The views word it: the same facts as
//! text, JSON, JUnit and CI annotations ([`crate::view::failure`]).

use std::time::Duration;

use super::ProbeAttempt;
use crate::base::{ServiceName, Signal, format_duration};
use crate::model::{Condition, SourcePlace};
use crate::plan::Instance;

/// How many of a container's last log lines a report carries.
pub const LOG_LINES: usize = 20;

/// Everything that failed in a run. Empty where nothing did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FailureReport {
    /// Containers that are not as wanted, each with its own cause; those that only wait for
    /// another are named in that one's `blocks`.
    pub services: Vec<FailedService>,
    /// Operations that belong to no container (a network, a volume).
    pub operations: Vec<FailedOperation>,
}

impl FailureReport {
    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.operations.is_empty()
    }
}

/// A container that is not as wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedService {
    /// Which.
    pub instance: Instance,
    /// What is wrong with it.
    pub cause: FailureCause,
    /// From what was asked for towards what failed; empty where it was asked for itself.
    pub chain: Vec<ChainLink>,
    /// How its process ended, where it did.
    pub exit: Option<ContainerExit>,
    /// The last try of its probe.
    pub last_probe: Option<ProbeAttempt>,
    /// How often its probe was tried.
    pub probes: u32,
    /// Its last log lines, oldest first, at most [`LOG_LINES`]; for a build, the build's.
    pub logs: Vec<String>,
    /// Services that were not started because of it.
    pub blocks: Vec<ServiceName>,
    /// What became of the container that ran before, where there was one.
    pub previous: Option<Previous>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where the stack file defines the service.
    pub place: Option<SourcePlace>,
    /// How long it was tried, from the first step for this container to the verdict.
    pub took: Duration,
}

impl FailedService {
    /// A failure of which nothing but the cause is known yet.
    pub fn new(instance: Instance, cause: FailureCause) -> Self {
        Self {
            instance,
            cause,
            chain: Vec::new(),
            exit: None,
            last_probe: None,
            probes: 0,
            logs: Vec::new(),
            blocks: Vec::new(),
            previous: None,
            hint: None,
            place: None,
            took: Duration::ZERO,
        }
    }

    /// What is wrong, in words that fit after the container's name (`exited with code 1`); without
    /// what somebody else said about it ([`Self::said`]).
    pub fn verdict(&self) -> String {
        let ended = || {
            self.exit
                .map_or_else(|| "ended".to_owned(), ContainerExit::to_text)
        };
        match &self.cause {
            FailureCause::NoImage { .. } => "has no image".to_owned(),
            FailureCause::Build { .. } => "could not be built".to_owned(),
            FailureCause::Create { .. } => "could not be created".to_owned(),
            FailureCause::Start { .. } => "could not be started".to_owned(),
            FailureCause::Exited => ended(),
            FailureCause::Restarting { times } => {
                let often = match times {
                    1 => "ended and is started again".to_owned(),
                    n => format!("ended {n} times and is started again and again"),
                };
                match self.exit {
                    Some(exit) => format!("{often}; last it {}", exit.to_text()),
                    None => often,
                }
            }
            FailureCause::NotReady { deadline } => {
                format!("did not get ready within {}", format_duration(*deadline))
            }
            FailureCause::Unhealthy { failures } => {
                format!("is unhealthy: its probe failed {failures} times in a row")
            }
            FailureCause::Removed => "is gone: somebody removed it".to_owned(),
            FailureCause::Other { text } => text.clone(),
        }
    }

    /// What the engine, the builder or the registry said, where somebody said something.
    pub fn said(&self) -> Option<&str> {
        match &self.cause {
            FailureCause::NoImage { reason } => Some(reason),
            FailureCause::Build { error }
            | FailureCause::Create { error }
            | FailureCause::Start { error } => Some(error),
            _ => None,
        }
    }

    /// The verdict with what somebody said about it, in words that fit after the container's name.
    pub fn in_words(&self) -> String {
        match self.said() {
            Some(said) => format!("{}: {said}", self.verdict()),
            None => self.verdict(),
        }
    }

    /// The verdict as a sentence that begins with the container's name.
    pub fn headline(&self) -> String {
        format!("{} {}", self.instance, self.verdict())
    }

    /// What to do about it: the hint given, else what the exit code tells.
    pub fn hint(&self) -> Option<&str> {
        if let Some(hint) = &self.hint {
            return Some(hint);
        }
        let exit = self.exit?;
        match exit.code {
            _ if exit.oom_killed => Some(
                "the kernel killed it for memory: raise its mem_limit \
                 (deploy.resources.limits.memory), or let it use less",
            ),
            126 => Some("its command was found but cannot be executed: is it executable for its user?"),
            127 => Some("its command was not found in the image: see command and entrypoint"),
            132 | 134 | 135 | 139 => Some("it crashed: its own log or a core dump says more"),
            137 => Some("it was killed with SIGKILL, from outside or by a limit of its own"),
            _ => None,
        }
    }
}

impl ContainerExit {
    /// How it ended, in words that fit after the service's name: `exited with code 1`,
    /// `was killed for memory (exit code 137)`.
    pub fn to_text(self) -> String {
        let signal = Signal::of_exit_code(self.code).map(|signal| signal.to_string());
        if self.oom_killed {
            format!("was killed for memory (exit code {})", self.code)
        } else if let Some(signal) = signal {
            format!("exited with code {} ({signal})", self.code)
        } else {
            format!("exited with code {}", self.code)
        }
    }
}

/// What is wrong with a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// Nothing can supply its image.
    NoImage {
        /// What was tried.
        reason: String,
    },
    /// Its image could not be built.
    Build {
        /// What the builder said.
        error: String,
    },
    /// The engine did not create it.
    Create {
        /// What the engine said.
        error: String,
    },
    /// The engine did not start it.
    Start {
        /// What the engine said.
        error: String,
    },
    /// Its process ended; [`FailedService::exit`] says how.
    Exited,
    /// It ends and is started again, over and over.
    Restarting {
        /// How often it was seen to end.
        times: u32,
    },
    /// Its probe did not pass in time.
    NotReady {
        /// The time it had.
        deadline: Duration,
    },
    /// Its probe failed more often in a row than allowed.
    Unhealthy {
        /// How many failures in a row.
        failures: u32,
    },
    /// It is gone: somebody else removed it.
    Removed,
    /// Anything else.
    Other {
        /// In words.
        text: String,
    },
}

impl FailureCause {
    /// The word for it in JSON and JUnit.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoImage { .. } => "no_image",
            Self::Build { .. } => "build",
            Self::Create { .. } => "create",
            Self::Start { .. } => "start",
            Self::Exited => "exited",
            Self::Restarting { .. } => "restarting",
            Self::NotReady { .. } => "not_ready",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Removed => "removed",
            Self::Other { .. } => "other",
        }
    }
}

/// One step of the way from what was asked for to what failed: `service` needs the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// The service that waits.
    pub service: ServiceName,
    /// What it waits for the next one to be.
    pub condition: Condition,
}

/// How a container's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerExit {
    /// The exit code; 128 + n for signal n.
    pub code: i64,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
}

/// What became of the container that ran before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// It runs on, or runs again.
    PutBack,
    /// It could not be put back.
    Lost {
        /// Why.
        error: String,
    },
}

/// An operation that failed and belongs to no container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedOperation {
    /// What was done (`create network devops_devops`).
    pub what: String,
    /// What the engine said.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_one_wording() {
        let exit = |code, oom_killed| Some(ContainerExit { code, oom_killed });
        let cases = [
            (
                FailureCause::NoImage {
                    reason: "no registry".into(),
                },
                None,
            ),
            (
                FailureCause::Build {
                    error: "exit code: 1".into(),
                },
                None,
            ),
            (FailureCause::Create { error: "no".into() }, None),
            (
                FailureCause::Start {
                    error: "port taken".into(),
                },
                None,
            ),
            (FailureCause::Exited, None),
            (FailureCause::Exited, exit(4, false)),
            (FailureCause::Exited, exit(137, true)),
            (FailureCause::Restarting { times: 5 }, exit(139, false)),
            (FailureCause::Restarting { times: 1 }, None),
            (
                FailureCause::NotReady {
                    deadline: Duration::from_secs(90),
                },
                None,
            ),
            (FailureCause::Unhealthy { failures: 3 }, None),
            (FailureCause::Removed, None),
            (
                FailureCause::Other {
                    text: "has no probe".into(),
                },
                None,
            ),
        ];
        let mut said = String::new();
        for (cause, exit) in cases {
            let instance = Instance {
                service: "web".into(),
                number: 2,
            };
            let mut failed = FailedService::new(instance, cause);
            failed.exit = exit;
            assert!(failed.in_words().starts_with(&failed.verdict()));
            assert_eq!(failed.headline(), format!("web-2 {}", failed.verdict()));
            said.push_str(&failed.in_words());
            said.push('\n');
        }
        insta::assert_snapshot!(said, @r"
        has no image: no registry
        could not be built: exit code: 1
        could not be created: no
        could not be started: port taken
        ended
        exited with code 4
        was killed for memory (exit code 137)
        ended 5 times and is started again and again; last it exited with code 139 (SIGSEGV)
        ended and is started again
        did not get ready within 1m30s
        is unhealthy: its probe failed 3 times in a row
        is gone: somebody removed it
        has no probe
        ");
    }
}
