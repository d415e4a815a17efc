//! What a running Prometheus and its Alertmanager tell, and how a Grafana dashboard asks for it.
//!
//! [`dashboard`] reads dashboards (pure), [`folder`] finds them, [`prometheus`] and [`alertmanager`] ask.
//!
//! Invariant: what was not answered is an error, never an empty result.

pub mod alertmanager;
pub mod dashboard;
pub mod folder;
pub mod prometheus;
mod ask;
mod variables;

pub use alertmanager::{FoundAlert, alerts};
pub use variables::Spans;
