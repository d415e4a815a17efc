//! Proving readiness: what to try for a service, when to try it, and what each try saw.
//!
//! [`probe_of`] says what is tried, [`Schedule`] when (pure, over moments), [`until_ready`]
//! drives the two against an engine. Network probes go to the container's address or a
//! published port and cost no process in the container; a `healthcheck` is run by engine
//! exec exactly as written.
//!
//! Invariants: never two tries of one probe at once; dropping a try leaves no connection
//! behind; a failure of the engine is never taken for a failure of the service.

pub mod schedule;
pub mod steady;
pub mod attempt;
pub mod target;
pub mod address;
pub mod place;
pub mod http;
mod tries;
mod hint;
pub mod port_holder;
pub mod run;
#[cfg(test)]
pub(crate) mod testing;

pub use address::{Candidate, EngineHost, Prefer, Via};
pub use attempt::{Attempt, Outcome};
pub use port_holder::{PortHolder, holder};
pub use run::{Context, ExecLimit, NotReady, Readiness, until_ready};
pub use schedule::{GaveUp, Next, Pace, Patience, Schedule, Verdict};
pub use steady::{Steady, SteadyHealth};
pub use target::{Probe, ProbeKind, ProbeSource, TargetError, merged_healthcheck, probe_of};
pub(crate) use tries::closed_at_once;
pub use tries::{Prober, exit_code, shown};
