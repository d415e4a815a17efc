//! Short forms as they are typed on a command line, read by the rules of the file.

use std::path::PathBuf;

use super::{command, mounts, ports};
use crate::model::{Mount, PortBinding};

/// `[source:]target[:options]`; `host_path` makes a path of the host absolute.
///
/// # Errors
/// What is wrong with it.
pub fn mount(text: &str, host_path: impl FnOnce(&str) -> PathBuf) -> Result<Mount, String> {
    let short = mounts::parse_short(text)?;
    if !short.target.starts_with('/') {
        return Err(format!("{:?} is no absolute path in the container", short.target));
    }
    Ok(short.into_mount(host_path))
}

/// `[[host-ip:]published:]target[/protocol]`, ranges spread.
///
/// # Errors
/// What is wrong with it.
pub fn ports(text: &str) -> Result<Vec<PortBinding>, String> {
    ports::parse_short(text)
}

/// A line split into words as `command` and `entrypoint` are.
///
/// # Errors
/// What is wrong with it.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let split = command::split_words(line)?;
    match split.cut {
        Some(at) => Err(format!("no shell reads `{}`", &line[at..])),
        None => Ok(split.words),
    }
}
