//! Files that change while somebody develops (Compose Specification, `develop.watch`): what changed, in
//! batches, and what that means for which service.
//!
//! The decisions ([`Rules`]) are pure but for a look at what is on the disk; [`Files`] is the ear; [`pack`]
//! makes the tar that goes into containers.

mod files;
mod pack;
mod rules;

pub use files::{Files, WatchError};
pub use pack::pack;
pub use rules::{Command, Mapping, NotWatched, Rules, Work};
