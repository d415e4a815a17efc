//! Text → [`crate::model::Project`], with every place kept until the last check is over.
//!
//! The stages, each a type of its own:
//!
//! ```text
//! files ─ load ─► source (texts, places) ─► tree (YAML as shared, spanned nodes)
//!   ─► interpolate (variables in) ─► extends, include ─► merge (many files, one tree)
//!   ─► decode (values of the model) ─► resolve (profiles, implied things, names, checks)
//!   ─► model::Project ─► render (back to YAML and JSON)
//! ```
//!
//! Where variables are to stay, `canonical` stands in the place of decode and resolve.
//!
//! Nothing stops at the first mistake: each stage adds [`diagnostic::Finding`]s and goes on with
//! what can be used. Only `load` reads files, through [`load::Files`]; the environment is a value
//! in its request. There is no clock and nothing asynchronous here.

pub mod source;
pub mod diagnostic;
pub mod tree;
pub mod interpolate;
pub mod dotenv;
pub mod scope;
pub mod merge;
pub mod decode;
pub mod resolve;
pub mod explain;
pub mod load;
pub mod canonical;
pub mod render;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod testing;

pub use diagnostic::{Finding, Severity};
pub use load::{Disk, Files, LoadRequest, Loaded, load};
