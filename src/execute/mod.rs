//! Plan to effects.
//!
//! The executor walks the plan's graph with bounded concurrency and never decides. Independent
//! branches go on when one fails; what depends on it is blocked and says by what. A lost engine
//! ends the execution; the caller waits for it, observes and plans anew ([`wait_for_engine`]).

pub mod converge;
pub mod executor;
pub mod gate;
pub mod inputs;
pub mod labels;
pub mod late;
pub mod lock;
pub mod oneoff;
pub mod outside;
pub mod ports;
pub mod prove;
pub mod report;
pub mod site;
pub mod state;
pub mod stop;
pub mod worker;

pub use converge::{Converged, converge, verify, wait_for_engine};
pub use executor::{Outcome, announce, execute};
pub use lock::{Holder, LockError, LockRequest, ProjectLock};
pub use outside::{Asked, ask_outside};
pub use site::{ExecuteOptions, Site, Wants};
pub use stop::{Stop, StopLevel, StopSignal, Stopper, stop_pair};
