//! Where an image comes from: local, pull, build, bootstrap.

pub mod bake;
mod base;
mod bootstrap;
mod build;
pub mod buildx;
pub mod context;
pub mod decide;
pub mod dockerfile;
pub mod error;
pub mod host;
pub mod ignore;
mod named;
pub mod progress;
mod pull;
pub mod push;
pub mod recipe;
pub mod reference;
mod registry;
pub mod request;
mod run;
pub mod scratch;
mod secrets;
mod siblings;
pub mod supply;
mod version;

pub use decide::{Attempt, Decision, Facts, Local, decide};
pub use error::{ImageError, Tried};
pub use host::HostEnv;
pub use progress::{Activity, ImageProgress, ProgressSink};
pub use reference::Reference;
pub use request::{BuildxOptions, ImageRequest, Known, RequestOptions};
pub use supply::{Options, Source, Supplied, Supply};

#[cfg(test)]
mod siblings_tests;
#[cfg(test)]
mod supply_tests;
