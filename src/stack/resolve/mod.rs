//! From decoded values to a project with nothing left to look up: profiles, implicit
//! dependencies and networks, names; and the checks that need the whole of it.
//!
//! Pure: files are read by `load`, before and after.

mod complete;
mod consistency;
mod cycles;
mod name;
mod places;
mod profiles;
mod service_checks;

pub use complete::{Wanted, complete};
pub use consistency::{check, forget_unused};
pub use name::{NameSource, project_name};
pub use places::Places;

#[cfg(test)]
mod tests;
