//! What a running Prometheus measures, and how a Grafana dashboard asks for it.
//!
//! [`dashboard`] reads dashboards (pure), [`prometheus`] asks their queries and others.
//!
//! Invariant: what was not answered is an error, never an empty result.

pub mod dashboard;
pub mod prometheus;
