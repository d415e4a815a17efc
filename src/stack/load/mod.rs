//! From what the user asked for to a [`Project`](crate::model::Project): finds the files, reads
//! them and runs the stages. The only part of the room that reads files, and that only through
//! [`Files`]; environment variables are a value in the request.

mod assemble;
mod compare;
mod discover;
mod extends;
mod files;
mod finish;
mod include;
mod request;
mod service_files;
mod variables;

#[cfg(test)]
mod tests;

pub use assemble::folder;
pub use discover::{DEFAULT_NAMES, OVERRIDE_NAMES};
pub use files::{Disk, Files, PathKind};
pub use finish::{load, load_explanation, load_undecoded};
pub use request::{LoadRequest, Loaded, Skip};
