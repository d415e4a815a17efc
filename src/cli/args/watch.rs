//! Arguments of the commands that watch what runs.

use clap::Args;

/// Arguments of `stats`.
#[derive(Debug, Clone, Default, Args)]
pub struct StatsArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Show stopped containers too
    #[arg(short, long)]
    pub all: bool,
    /// `table`, `json`, or a template of fields such as `{{.Name}} {{.CPUPerc}}`, `table ` before it for titles
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: String,
    /// Read once and end
    #[arg(long)]
    pub no_stream: bool,
    /// Show long values in full
    #[arg(long)]
    pub no_trunc: bool,
}

/// Arguments of `events`.
#[derive(Debug, Clone, Default, Args)]
pub struct EventsArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Also past events from this time on: a timestamp, or an age such as 42m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End at this time: a timestamp, or an age such as 42m
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// Arguments of `top`.
#[derive(Debug, Clone, Default, Args)]
pub struct TopArgs {
    /// Services; all where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}
