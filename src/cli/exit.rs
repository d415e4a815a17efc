//! How a run ends: exit codes, and every error that a command may end with.

use std::fmt;
use std::io;

use crate::engine::{EngineError, EngineErrorKind};
use crate::execute::stop::StopSignal;

/// How a run ended. The numbers are stable and documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything is as wanted.
    AsWanted,
    /// 1: something wanted is not so: a service failed, a smoke test failed.
    NotAsWanted,
    /// 2: the command was used wrongly.
    Usage,
    /// 3: the stack file is wrong, or there is none.
    Stack,
    /// 4: the engine cannot be reached, or refused.
    Engine,
    /// 5: another run holds the project.
    Locked,
    /// 130 or 143: somebody stopped the run.
    Interrupted(StopSignal),
    /// The exit code of a container or of a command in one (`exec`, `up --exit-code-from`).
    Command(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::AsWanted => 0,
            Self::NotAsWanted => 1,
            Self::Usage => 2,
            Self::Stack => 3,
            Self::Engine => 4,
            Self::Locked => 5,
            Self::Interrupted(StopSignal::Interrupt) => 130,
            Self::Interrupted(StopSignal::Terminate) => 143,
            Self::Command(code) => code,
        }
    }

    /// An engine-side exit code as this process's own; what does not fit counts as failed.
    pub fn of_command(code: i64) -> Self {
        u8::try_from(code).map_or(Self::NotAsWanted, Self::Command)
    }
}

/// The exit codes and what they mean, for help and manual.
pub const EXIT_CODES: [(&str, &str); 7] = [
    ("0", "as wanted"),
    ("1", "something wanted is not so"),
    ("2", "wrong usage"),
    ("3", "the stack file is wrong"),
    ("4", "the engine cannot be reached or refused"),
    ("5", "another run holds the project"),
    ("130/143", "interrupted"),
];

/// [`EXIT_CODES`] in one sentence.
pub fn exit_codes_text() -> String {
    let codes = EXIT_CODES.map(|(codes, meaning)| format!("{codes} {meaning}"));
    format!("Exit codes: {}", codes.join(" · "))
}

/// Result of a command.
pub type Outcome = Result<Exit, ExpectedError>;

/// Every error that a command may end with; each variant has its exit code.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedError {
    /// Flags or arguments that make no sense together.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Something that does not exist was named: a service, a smoke test.
    #[error("{message}")]
    NoSuchThing {
        /// What is wrong.
        message: String,
        /// What there is.
        hint: Option<String>,
    },
    /// The stack file is wrong; the findings are rendered already.
    #[error("{rendered}")]
    Stack {
        /// The findings, with file, line and column.
        rendered: String,
    },
    /// The engine cannot be reached, or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Another run holds the project.
    #[error("another run holds the project {project}: {holder}")]
    Locked {
        /// The project.
        project: String,
        /// Who holds it, in words.
        holder: String,
    },
    /// Somebody stopped the run.
    #[error("stopped by {}", signal_name(*.0))]
    Interrupted(StopSignal),
    /// Something wanted is not so.
    #[error("{message}")]
    NotAsWanted {
        /// What.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Something wanted is not so, and a view has said all of it.
    #[error("the run failed")]
    Reported,
    /// A file of ours could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Standard output could not be written.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    /// The reader of standard output went away.
    #[error("standard output was closed")]
    OutputClosed,
    /// The run-time system could not be set up.
    #[error("cannot set up the run")]
    Setup(#[source] io::Error),
}

impl ExpectedError {
    /// A wrong use, without a hint.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    /// A flag that docker compose has and this program does not have yet.
    pub fn not_supported(flag: &str, hint: &str) -> Self {
        Self::Usage {
            message: format!("{flag} is not supported"),
            hint: Some(hint.to_owned()),
        }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::NoSuchThing { .. } => Exit::Usage,
            Self::Stack { .. } => Exit::Stack,
            Self::Engine(_) => Exit::Engine,
            Self::Locked { .. } => Exit::Locked,
            Self::Interrupted(signal) => Exit::Interrupted(*signal),
            Self::NotAsWanted { .. }
            | Self::Reported
            | Self::File { .. }
            | Self::Output(_)
            | Self::Setup(_) => Exit::NotAsWanted,
            Self::OutputClosed => Exit::AsWanted,
        }
    }

    /// What to do about it, where something can be done.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::NoSuchThing { hint, .. } | Self::NotAsWanted { hint, .. } => {
                hint.clone()
            }
            Self::Locked { .. } => Some("wait for it, or wait longer with --lock-timeout".into()),
            Self::Engine(error) => engine_hint(&error.kind),
            Self::Stack { .. }
            | Self::Interrupted(_)
            | Self::Reported
            | Self::File { .. }
            | Self::Output(_)
            | Self::OutputClosed
            | Self::Setup(_) => None,
        }
    }

    /// Whether something is to be printed.
    fn is_silent(&self) -> bool {
        matches!(self, Self::Reported | Self::OutputClosed)
    }

    /// The message for standard error: the error, its causes, its hint. Empty where nothing is to be said.
    pub fn to_text(&self) -> String {
        use fmt::Write as _;

        if self.is_silent() {
            return String::new();
        }
        if let Self::Stack { rendered } = self {
            return with_newline(rendered.clone());
        }
        if let Self::Interrupted(_) = self {
            return format!("{self}\n");
        }
        let mut out = format!("error: {self}");
        let mut cause = std::error::Error::source(self);
        // Formatting into a String cannot fail.
        while let Some(error) = cause {
            let _ = write!(out, ": {error}");
            cause = error.source();
        }
        out.push('\n');
        if let Some(hint) = self.hint() {
            let _ = writeln!(out, "\nhint: {hint}");
        }
        out
    }
}

fn signal_name(signal: StopSignal) -> &'static str {
    match signal {
        StopSignal::Interrupt => "Ctrl-C",
        StopSignal::Terminate => "SIGTERM",
    }
}

fn with_newline(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// What a person can do about an engine's failure.
fn engine_hint(kind: &EngineErrorKind) -> Option<String> {
    let hint = match kind {
        EngineErrorKind::Unreachable(_) => {
            "start the engine (`systemctl start docker`), or name another with DOCKER_HOST or `docker context use`; \
             `platform doctor` tells what was tried"
        }
        EngineErrorKind::PermissionDenied(_) => {
            "add yourself to the engine's group (`sudo usermod -aG docker $USER`, then log in again), run with sudo, \
             or use a rootless engine"
        }
        EngineErrorKind::OutcomeUnknown(_) | EngineErrorKind::TimedOut(_) => {
            "the engine may be restarting or overloaded; the same command again goes on from what is there"
        }
        EngineErrorKind::PortTaken { .. } => "stop what holds the port, or publish another one",
        EngineErrorKind::DiskFull(_) => {
            "make room on the engine's disk; `platform doctor` tells what can be freed"
        }
        EngineErrorKind::SubnetsExhausted(_) => {
            "remove networks of projects that are no longer used (`docker network ls`), or widen the engine's \
             default-address-pools"
        }
        EngineErrorKind::RegistryUnreachable(_) => {
            "check the network or the proxy, or supply the image with `docker load`"
        }
        EngineErrorKind::NotFound(_)
        | EngineErrorKind::Conflict(_)
        | EngineErrorKind::NotModified(_)
        | EngineErrorKind::StaleTask(_)
        | EngineErrorKind::VolumeWithoutFolder { .. }
        | EngineErrorKind::ImageNotFound(_)
        | EngineErrorKind::StreamFailed(_)
        | EngineErrorKind::Unsupported(_)
        | EngineErrorKind::Refused { .. }
        | EngineErrorKind::Protocol(_) => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(kind: EngineErrorKind) -> ExpectedError {
        EngineError::new("list containers", kind).into()
    }

    #[test]
    fn each_error_has_its_exit_code() {
        let cases = [
            (ExpectedError::usage("x"), 2),
            (
                ExpectedError::NoSuchThing {
                    message: "no service x".into(),
                    hint: None,
                },
                2,
            ),
            (ExpectedError::Stack { rendered: "x".into() }, 3),
            (engine(EngineErrorKind::Unreachable("x".into())), 4),
            (
                ExpectedError::Locked {
                    project: "p".into(),
                    holder: "h".into(),
                },
                5,
            ),
            (ExpectedError::Interrupted(StopSignal::Interrupt), 130),
            (ExpectedError::Interrupted(StopSignal::Terminate), 143),
            (ExpectedError::Reported, 1),
            (
                ExpectedError::NotAsWanted {
                    message: "x".into(),
                    hint: None,
                },
                1,
            ),
            (
                ExpectedError::Output(io::Error::from(io::ErrorKind::StorageFull)),
                1,
            ),
            (ExpectedError::OutputClosed, 0),
        ];
        for (error, code) in cases {
            assert_eq!(error.exit().code(), code, "{error:?}");
        }
        assert_eq!(Exit::of_command(137).code(), 137);
        assert_eq!(Exit::of_command(-1).code(), 1);
        assert_eq!(Exit::of_command(256).code(), 1);
    }

    #[test]
    fn messages_show_causes_and_hints() {
        insta::assert_snapshot!(
            ExpectedError::File {
                action: "write",
                path: "/x".into(),
                source: io::Error::from_raw_os_error(28),
            }.to_text(),
            @"error: cannot write /x: No space left on device (os error 28)");
        insta::assert_snapshot!(
            engine(EngineErrorKind::DiskFull("write /var: no space left on device".into())).to_text(),
            @r"
        error: list containers: no space left on the engine's disk: write /var: no space left on device

        hint: make room on the engine's disk; `platform doctor` tells what can be freed
        ");
        assert_eq!(ExpectedError::Reported.to_text(), "");
        assert_eq!(ExpectedError::OutputClosed.to_text(), "");
    }
}
