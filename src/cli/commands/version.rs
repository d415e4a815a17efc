//! `platform version`.

use serde_json::json;

use super::super::exit::{Exit, Outcome};
use super::super::output;
use super::super::persona::Persona;
use super::super::settings::{VersionFormat, VersionSettings};

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The Git revision that the program was built from; `None` for builds outside a clone, and for
/// debug builds, which would otherwise be rebuilt with every commit.
pub const REVISION: Option<&str> = option_env!("PLATFORM_REVISION");

/// Shows the version.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(persona: Persona, settings: VersionSettings) -> Outcome {
    let text = match persona {
        Persona::Platform => text(settings.format),
        Persona::Compose(_) => as_compose(settings.format),
    };
    output::data(&text)?;
    Ok(Exit::AsWanted)
}

/// The docker compose whose behaviour this program has.
const COMPOSE: &str = "2.40.3";

/// The version as docker compose tells it: the one whose place is taken, and our own.
fn as_compose(format: VersionFormat) -> String {
    let version = format!("{COMPOSE}-platform.{VERSION}");
    match format {
        VersionFormat::Short => format!("{version}\n"),
        VersionFormat::Pretty => format!("Docker Compose version v{version}\n"),
        VersionFormat::Json => format!("{}\n", json!({"version": format!("v{version}")})),
    }
}

fn text(format: VersionFormat) -> String {
    match (format, REVISION) {
        (VersionFormat::Short, _) => format!("{VERSION}\n"),
        (VersionFormat::Pretty, Some(revision)) => format!("platform version {VERSION} ({revision})\n"),
        (VersionFormat::Pretty, None) => format!("platform version {VERSION}\n"),
        (VersionFormat::Json, revision) => format!("{}\n", json!({"version": VERSION, "revision": revision})),
    }
}
