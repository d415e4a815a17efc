//! Settings of the commands that watch what runs.

use crate::base::ServiceName;
use crate::view::stats::StatsFormat;

use super::super::args::watch::{EventsArgs, StatsArgs, TopArgs};
use super::super::exit::ExpectedError;
use super::service_names;

/// What `stats` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether stopped containers are shown.
    pub all: bool,
    /// How readings are written.
    pub format: StatsFormat,
    /// Whether it goes on.
    pub stream: bool,
    /// Whether long values are shown in full.
    pub full: bool,
}

impl StatsSettings {
    /// Resolves the arguments of `stats`.
    ///
    /// # Errors
    /// A template with what is no field.
    pub fn resolve(args: StatsArgs) -> Result<Self, ExpectedError> {
        Ok(Self {
            services: service_names(args.services),
            all: args.all,
            format: StatsFormat::parse(&args.format)
                .map_err(|why| ExpectedError::usage(format!("--format: {why}")))?,
            stream: !args.no_stream,
            full: args.no_trunc,
        })
    }
}

/// What `events` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether each is a JSON object.
    pub json: bool,
    /// From this time on, as typed.
    pub since: Option<String>,
    /// Up to this time, as typed.
    pub until: Option<String>,
}

impl EventsSettings {
    /// Resolves the arguments of `events`.
    pub fn resolve(args: EventsArgs) -> Self {
        Self {
            services: service_names(args.services),
            json: args.json,
            since: args.since,
            until: args.until,
        }
    }
}

/// What `top` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
}

impl TopSettings {
    /// Resolves the arguments of `top`.
    pub fn resolve(args: TopArgs) -> Self {
        Self {
            services: service_names(args.services),
        }
    }
}
