//! What can go wrong at the engine, sorted by what a caller can do about it.

use std::time::Duration;

/// A failed engine call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {kind}")]
pub struct EngineError {
    /// What was asked, for people: `start container devops-app-1`.
    pub operation: String,
    /// What happened.
    pub kind: EngineErrorKind,
}

/// What happened to an engine call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineErrorKind {
    /// No connection could be made: no socket, refused, no such host. Nothing was done.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    /// The socket is there but may not be opened.
    #[error("no permission to use the engine's socket: {0}")]
    PermissionDenied(String),
    /// The connection broke after the request was sent; the engine may or may not have done it.
    /// Observe before deciding.
    #[error("the engine's answer was lost: {0}")]
    OutcomeUnknown(String),
    /// No answer, or a stalled one, for this long. The engine may or may not have done it.
    #[error("the engine did not answer within {0:?}")]
    TimedOut(Duration),
    /// 404.
    #[error("{0}")]
    NotFound(String),
    /// 409: the name or object is in use, or another operation is under way.
    #[error("{0}")]
    Conflict(String),
    /// 304 and the like: it already is as asked.
    #[error("{0}")]
    NotModified(String),
    /// A host port is taken.
    #[error("{message}")]
    PortTaken {
        /// The port, where the message names it.
        port: Option<u16>,
        /// The engine's message.
        message: String,
    },
    /// No space left on the engine's disk.
    #[error("no space left on the engine's disk: {0}")]
    DiskFull(String),
    /// The engine's address pools are used up.
    #[error("no free subnet: {0}")]
    SubnetsExhausted(String),
    /// A volume is there and its folder is not: an engine that was killed while it made the volume
    /// leaves that.
    #[error("{message}")]
    VolumeWithoutFolder {
        /// The volume's name.
        name: String,
        /// The engine's message.
        message: String,
    },
    /// `task … already exists`: a start that a dead engine left half done. Remove and create again.
    #[error("{0}")]
    StaleTask(String),
    /// A registry could not be reached (connection, name, TLS), as opposed to having answered no.
    #[error("the registry cannot be reached: {0}")]
    RegistryUnreachable(String),
    /// The registry answered that the image is not there or not for us.
    #[error("{0}")]
    ImageNotFound(String),
    /// A build or pull reported failure in its stream.
    #[error("{0}")]
    StreamFailed(String),
    /// The engine does not have this feature.
    #[error("{0}")]
    Unsupported(String),
    /// Any other refusal, with its HTTP status.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The engine's message.
        message: String,
    },
    /// An answer that makes no sense.
    #[error("unexpected answer from the engine: {0}")]
    Protocol(String),
}

impl EngineError {
    /// An error of one operation.
    pub fn new(operation: impl Into<String>, kind: EngineErrorKind) -> Self {
        Self {
            operation: operation.into(),
            kind,
        }
    }

    /// Whether the engine itself seems gone or stuck, so that waiting and observing again may help.
    pub fn is_engine_lost(&self) -> bool {
        matches!(
            self.kind,
            EngineErrorKind::Unreachable(_)
                | EngineErrorKind::OutcomeUnknown(_)
                | EngineErrorKind::TimedOut(_)
        )
    }

    /// Whether the object was not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, EngineErrorKind::NotFound(_))
    }
}
