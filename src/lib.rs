//! `platform` brings a whole platform up on a container engine, proves every service
//! ready, and shows it. See ARCHITECTURE.md for the map.
//!
//! Modules in reading order; each names only modules above it.

pub mod base;
pub mod model;
pub mod stack;
pub mod plan;
pub mod event;
pub mod engine;
pub mod image;
pub mod probe;
pub mod metrics;
pub mod provide;
pub mod watch;
pub mod execute;
pub mod smoke;
pub mod observe;
pub mod view;
pub mod cli;
