//! Plan to effects.
//!
//! The executor walks the plan's graph with bounded concurrency and never decides. Independent
//! branches go on when one fails; what depends on it is blocked and says by what. A lost engine
//! ends the execution; [`converge`] waits for it, observes and plans anew.

pub mod gate;
pub mod labels;
pub mod state;
pub mod stop;
