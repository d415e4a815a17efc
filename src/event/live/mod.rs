//! What is known of a living project: [`Fact`]s as they are learned, and [`Live`], their fold.
//!
//! The facts come from whoever observes the project (containers, usage, logs, metrics, alerts,
//! probes) and from runs that change it. A view draws from [`Live`] and asks for more with
//! [`Needs`](super::request::Needs); it never asks the engine.
//!
//! Invariant: [`Live::apply`] is pure; it reads nothing but the fact and the moment given.

pub mod fact;
pub mod logs;
pub mod row;
pub mod timeline;

mod fold;
#[cfg(test)]
mod fold_tests;

pub use fact::since;
pub use fact::{
    Alert, Chart, ChartSeries, ContainerDetails, Fact, Link, PlanLine, PlannedChanges, ProbeRecord, Reading,
    ServiceTraffic, SmokeRecord, UsageHistory,
};
pub use fold::{Asked, Live};
pub use logs::{Level, LogBuffer, LogRecord};
pub use row::{Condition, Row, Shade};
pub use timeline::{Happening, Kind, Timeline};

pub use crate::model::{Usage, board};

#[cfg(test)]
pub(crate) use crate::model::testing;
