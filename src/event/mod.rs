//! What happened, and its fold.
//!
//! [`Event`]s are plain data, published once through the [`Hub`] in one order. The [`Snapshot`]
//! is their fold: every view renders from events and snapshot, never from the engine. State
//! changes always arrive; progress ([`Body::Progress`]) may be coalesced.

pub mod body;
pub mod failure;
pub mod hub;
pub mod live;
pub mod mask;
pub mod request;
pub mod snapshot;
pub mod wire;

pub use body::{
    Body, Event, ImageStage, PlannedStep, ProbeAttempt, Stage, StepState, TestResult, TestVerdict, Verdict,
};
pub use failure::{
    ChainLink, ContainerExit, FailedOperation, FailedService, FailureCause, FailureReport, Previous,
};
pub use hub::{Hub, Subscription};
pub use snapshot::{ImageView, InstanceView, ProgressView, Snapshot, StepView, TestView};
