//! Values that flags of several commands take.

use std::time::Duration;

use super::super::env::Environment;
use super::super::exit::ExpectedError;
use crate::base::{ServiceName, parse_duration};

/// Seconds as Compose's flags take them (`30`), or a duration (`1m30s`).
pub(in crate::cli) fn seconds(flag: &str, text: &str) -> Result<Duration, ExpectedError> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    parse_duration(text).map_err(|expected| {
        ExpectedError::usage(format!("{flag} is `{text}`; expected seconds, or {expected}"))
    })
}

/// A time-out from a flag, else a variable, else a default.
pub(in crate::cli) fn timeout(
    flag: &str,
    arg: Option<&str>,
    env: &Environment,
    variable: &str,
    default: Duration,
) -> Result<Duration, ExpectedError> {
    match (arg, env.get(variable)) {
        (Some(text), _) => seconds(flag, text),
        (None, Some(text)) => seconds(variable, text),
        (None, None) => Ok(default),
    }
}

/// Containers are counted from 1.
pub(in crate::cli) fn check_index(index: Option<u32>) -> Result<(), ExpectedError> {
    match index {
        Some(0) => Err(ExpectedError::usage("--index counts from 1")),
        _ => Ok(()),
    }
}

/// Names of services as typed, each once.
pub(in crate::cli) fn service_names(names: Vec<String>) -> Vec<ServiceName> {
    let mut out: Vec<ServiceName> = Vec::with_capacity(names.len());
    for name in names {
        let name = ServiceName::from(name);
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}
