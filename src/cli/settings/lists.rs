//! Settings of the commands that list projects, images and volumes.

use regex::Regex;

use crate::base::ServiceName;
use crate::view::lists::VolumesFormat;

use super::super::args::lists::{ImagesArgs, ListFormatArg, LsArgs, VolumesArgs};
use super::super::exit::ExpectedError;
use super::service_names;

/// What is written of each thing in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListShape {
    /// What it is known by.
    Names,
    /// Columns.
    Table,
    /// One array of objects.
    Json,
}

impl ListShape {
    fn of(quiet: bool, format: ListFormatArg) -> Self {
        match (quiet, format) {
            (true, _) => Self::Names,
            (false, ListFormatArg::Table) => Self::Table,
            (false, ListFormatArg::Json) => Self::Json,
        }
    }
}

/// What `ls` shows.
#[derive(Debug, Clone)]
pub struct LsSettings {
    /// Whether projects of which nothing runs are shown.
    pub all: bool,
    /// How they are written.
    pub shape: ListShape,
    /// What a name must match one of; all are shown where empty.
    pub names: Vec<Regex>,
}

impl PartialEq for LsSettings {
    fn eq(&self, other: &Self) -> bool {
        let names = |settings: &Self| settings.names.iter().map(Regex::to_string).collect::<Vec<_>>();
        (self.all, self.shape, names(self)) == (other.all, other.shape, names(other))
    }
}

impl LsSettings {
    /// Resolves the arguments of `ls`.
    ///
    /// # Errors
    /// A filter that is none.
    pub fn resolve(args: &LsArgs) -> Result<Self, ExpectedError> {
        let names = args.filter.iter().map(|filter| {
            let pattern = filter.strip_prefix("name=").ok_or_else(|| {
                ExpectedError::usage(format!("--filter is `{filter}`; expected name=REGEX"))
            })?;
            Regex::new(pattern).map_err(|why| ExpectedError::usage(format!("--filter {filter}: {why}")))
        });
        Ok(Self {
            all: args.all,
            shape: ListShape::of(args.quiet, args.format),
            names: names.collect::<Result<_, _>>()?,
        })
    }
}

/// What `images` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagesSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// How they are written.
    pub shape: ListShape,
}

impl ImagesSettings {
    /// Resolves the arguments of `images`.
    pub fn resolve(args: ImagesArgs) -> Self {
        Self {
            services: service_names(args.services),
            shape: ListShape::of(args.quiet, args.format),
        }
    }
}

/// What `volumes` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumesSettings {
    /// Services that were named; all where empty.
    pub services: Vec<ServiceName>,
    /// How they are written; names only where absent.
    pub format: Option<VolumesFormat>,
}

impl VolumesSettings {
    /// Resolves the arguments of `volumes`.
    ///
    /// # Errors
    /// A template with what is no field.
    pub fn resolve(args: VolumesArgs) -> Result<Self, ExpectedError> {
        let format = VolumesFormat::parse(&args.format)
            .map_err(|why| ExpectedError::usage(format!("--format: {why}")))?;
        Ok(Self {
            services: service_names(args.services),
            format: (!args.quiet).then_some(format),
        })
    }
}
