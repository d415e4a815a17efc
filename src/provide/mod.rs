//! Programs beside the engine that bring up what containers need: providers of services, by Compose's extension
//! protocol, and `docker model` for models.
//!
//! A provider is asked anew on every run and knows itself what is there already. What it and the runner of
//! models answer are variables for the services that depend on them ([`Answers`]); so all of them are asked
//! before anything is compared with what is there.

mod answers;
mod error;
mod find;
mod models;
mod process;
mod protocol;
mod provider;

pub use answers::Answers;
pub use error::ProvideError;
pub use find::Programs;
pub use models::{ModelRunner, find_runner, prepare_model};
pub use protocol::Said;
pub use provider::{Order, ask};
