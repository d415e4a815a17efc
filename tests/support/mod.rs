//! What the end-to-end tests stand on: the real binary, engines and registries that a test may
//! break, and guards that put everything back.
//!
//! Nothing here is global: every test owns what it makes, under a name that carries its process
//! ([`owner`]), so that tests run in parallel and what a killed run left behind is swept by the next.
//! What belongs to anyone else on the machine is never touched.

pub mod owner;
pub mod wait;
pub mod docker;
pub mod images;
pub mod running;
pub mod cli;
pub mod kill;
pub mod pty;
pub mod redact;
pub mod ports;
pub mod disk;
pub mod netns;
pub mod engine;
pub mod proxy;
pub mod registry;
pub mod foreign;
pub mod project;
