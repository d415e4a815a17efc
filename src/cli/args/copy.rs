//! Arguments of `cp`, `export` and `commit`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `cp`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    override_usage = "platform cp [OPTIONS] <SERVICE:PATH> <PATH|->\n       platform cp [OPTIONS] <PATH|-> <SERVICE:PATH>"
)]
pub struct CpArgs {
    /// What is copied: a path, SERVICE:PATH, or `-` for a tar on standard input
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Where to: a path, SERVICE:PATH, or `-` for a tar on standard output
    #[arg(value_name = "TO")]
    pub to: String,
    /// Keep owners
    #[arg(short, long)]
    pub archive: bool,
    /// Copy what a symbolic link leads to
    #[arg(short = 'L', long)]
    pub follow_link: bool,
    /// Number of the container where a service has several; all of them, or the first to copy from
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// Containers of `run` as well
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `export`.
#[derive(Debug, Clone, Default, Args)]
pub struct ExportArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Number of the container where a service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
}

/// Arguments of `commit`.
#[derive(Debug, Clone, Default, Args)]
pub struct CommitArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The image's name; none where absent
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub reference: Option<String>,
    /// Who made it (`Name <address>`)
    #[arg(
        short,
        long,
        value_name = "WHO",
        default_value = "",
        hide_default_value = true
    )]
    pub author: String,
    /// What is said about it
    #[arg(
        short,
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub message: String,
    /// Apply an instruction of a Dockerfile
    #[arg(short, long, value_name = "INSTRUCTION")]
    pub change: Vec<String>,
    /// Freeze the container meanwhile; the default
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          require_equals = true, hide_possible_values = true)]
    pub pause: Option<bool>,
    /// Number of the container where a service has several
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
}
