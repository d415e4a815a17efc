//! A merged tree → the values of [`crate::model`], one file an element.
//!
//! Decoding never stops at the first mistake: each one becomes a finding with the place and what
//! was expected, and decoding goes on without that value. Attributes are those of the Compose
//! Specification in shared/compose-spec; one that does not exist is an error with the nearest
//! known one, and one that this version cannot do is an error that says so.

pub mod arguments;
mod build;
mod command;
mod depends;
mod deploy;
mod develop;
mod devices;
mod environment;
mod ext;
mod foreign;
mod health;
mod hooks;
mod limits;
mod mounts;
mod networks;
mod ports;
mod project;
mod reader;
mod resources;
mod service;
mod smoke;

pub(super) use build::is_remote as is_remote_context;
pub(super) use mounts::{clean_target, short_mount};
pub(super) use ports::parse_short as short_ports;
pub(super) use reader::to_json;

pub use environment::EnvFileRef;
pub use project::{Decoded, DecodedService, decode};

use reader::Decoder;

#[cfg(test)]
mod ext_tests;
#[cfg(test)]
mod tests;
