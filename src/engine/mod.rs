//! The door to the container engine. The only room that knows bollard.
//!
//! [`Engine`] is the narrow trait everything else sees; `docker` is the real one and `fake`
//! an in-memory engine for tests of planning and executing.
//!
//! Invariants: every call has a deadline that covers the body too; every stream has an idle
//! watchdog; a failure of the engine is an error, never an empty answer. A question whose answer is
//! lost is asked again a few times; an act never is.

pub mod api;
mod archive;
mod attach;
pub mod connect;
mod build;
mod containers;
mod convert;
mod disk;
mod distribution;
pub mod docker;
pub mod error;
mod events;
mod exec;
pub mod fake;
mod files;
mod frames;
mod images;
mod lines;
mod logs;
mod networks;
mod observe;
mod process;
mod raw;
mod registry;
mod retry;
mod session;
mod sort;
mod usage;

pub use api::{
    BuildProgress, BuildRequest, CreateContainer, DiskUsage, Engine, EngineEvent, EngineEventKind,
    EngineInfo, Exit, Inspected, LogLine, LogOptions, LogStream, OneOff, PullProgress, SharedEngine, Wanted,
};
pub use archive::{ByteStream, CommitSpec, PathStat, TarStream};
pub use connect::{Endpoint, EngineEnv, Found, Looked, NotFound, Outcome};
pub use docker::{Deadlines, Docker};
pub use error::{EngineError, EngineErrorKind};
pub use events::{EventQuery, ObjectEvent};
pub use frames::decode_log;
pub use process::{AttachSpec, ExecControl, ExecOutcome, ExecSession, ExecSpec, Until};
pub use registry::portable_settings;
pub use usage::Processes;
