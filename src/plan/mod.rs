//! What to do: a pure function of what is wanted, what is there and the options.
//!
//! [`plan_up`] and [`plan_down`] leave the executor no choices: each [`Step`] is one engine
//! operation with its payload, what it comes after, the gates it waits at, and its cause. What
//! is *not* done stands beside the steps with its reason.
//!
//! Invariants: synchronous; no clock, no I/O, no environment. Planning again after success
//! gives an empty plan.

pub mod step;
pub mod compare;
pub mod planner;
pub mod down;
pub mod lifecycle;
pub mod lint;
pub mod text;

pub use compare::{Difference, differences};
pub use down::{DownOptions, Reach, plan_down};
pub use lifecycle::{Change, Which, plan_change};
pub use planner::{ImageState, Orphans, Outside, Recreate, UpOptions, plan_outside, plan_up};
pub use step::{
    Action, Cause, Gate, Instance, Kept, Lack, Note, Plan, Refusal, Step, StepId, Target, Unavailable, Undo,
};
