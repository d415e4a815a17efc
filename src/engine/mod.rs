//! The door to the container engine. The only room that knows bollard.
//!
//! [`Engine`] is the narrow trait everything else sees; `docker` is the real one and `fake`
//! an in-memory engine for tests of planning and executing.
//!
//! Invariants: every call has a deadline that covers the body too; every stream has an idle
//! watchdog; a failure of the engine is an error, never an empty answer.

pub mod api;
pub mod error;

pub use api::{
    BuildProgress, BuildRequest, CreateContainer, Engine, EngineEvent, EngineEventKind, EngineInfo,
    ExecOutcome, ExecSpec, Exit, Inspected, LogLine, LogOptions, LogStream, PullProgress, Wanted,
};
pub use error::{EngineError, EngineErrorKind};
