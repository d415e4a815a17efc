//! Arguments of the commands that list projects, images and volumes.

use clap::{Args, ValueEnum};

/// Arguments of `ls`.
#[derive(Debug, Clone, Default, Args)]
pub struct LsArgs {
    /// Show projects of which nothing runs too
    #[arg(short, long)]
    pub all: bool,
    /// Show names only
    #[arg(short, long)]
    pub quiet: bool,
    /// How they are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormatArg,
    /// Only projects with this property: `name=REGEX`
    #[arg(long, value_name = "KEY=VALUE")]
    pub filter: Vec<String>,
}

/// Arguments of `images`.
#[derive(Debug, Clone, Default, Args)]
pub struct ImagesArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// How they are written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormatArg,
    /// Show ids only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `volumes`.
#[derive(Debug, Clone, Default, Args)]
pub struct VolumesArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// `table`, `json`, or a template of fields such as `{{.Name}} {{.Driver}}`, `table ` before it for titles
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,
    /// Show names only
    #[arg(short, long)]
    pub quiet: bool,
}

/// `ls --format` and `images --format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormatArg {
    /// Columns
    #[default]
    Table,
    /// One array of objects
    Json,
}
