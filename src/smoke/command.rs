//! A connection that is accepted, and a command in a container.

use std::time::Duration;

use regex::Regex;

use super::http::wrong_pattern;
use super::outcome::{EXCERPT, Evidence, Mismatch, Seen};
use super::runner::{Setting, Tried};
use crate::base::{ServiceName, format_duration};
use crate::engine::{EngineErrorKind, ExecSpec};
use crate::model::smoke::Address;
use crate::probe::address::{Via, connect};
use crate::probe::attempt::tail;
use crate::probe::place::{locate, running};
use crate::probe::{closed_at_once, exit_code, shown};

/// One try of a connection.
pub(super) async fn tcp(setting: &Setting<'_>, address: &Address, timeout: Duration) -> Tried {
    let began = setting.clock.now();
    let place = match locate(address, setting.project, setting.observed, setting.host) {
        Ok(place) => place,
        Err(why) => return Tried::nowhere(why),
    };
    let connected = connect(&place.ways, timeout).await;
    let took = setting.clock.now().saturating_sub(began);
    match connected {
        Err((error, way)) => {
            let tried = format!("connect to {}", way.map_or(place.name, |w| w.to_string()));
            Tried::unanswered(tried, took, "connection", "a connection", error.to_string())
        }
        Ok((stream, way)) => {
            let tried = format!("connect to {way}");
            if way.via == Via::Published && closed_at_once(stream).await {
                let found = "the published port accepted and closed at once";
                return Tried::unanswered(tried, took, "connection", "a connection", found.to_owned());
            }
            Tried {
                mismatches: Vec::new(),
                evidence: Some(Evidence {
                    tried,
                    took,
                    seen: Seen::Connection,
                }),
            }
        }
    }
}

/// What a command must do.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExecExpect<'a> {
    pub(super) exit: i64,
    pub(super) stdout: Option<&'a str>,
    pub(super) matches: Option<&'a str>,
}

/// One try of a command.
pub(super) async fn exec(
    setting: &Setting<'_>,
    service: &ServiceName,
    command: &[String],
    expect: ExecExpect<'_>,
    timeout: Duration,
) -> Tried {
    let began = setting.clock.now();
    let tried = format!("exec in {service}: {}", shown(command));
    let container = match running(service, setting.observed) {
        Ok(container) => container,
        Err(why) => return Tried::nowhere(why),
    };
    let spec = ExecSpec {
        command: command.to_vec(),
        timeout: Some(timeout),
        ..ExecSpec::default()
    };
    let done = setting.engine.exec(&container.id, &spec).await;
    let took = setting.clock.now().saturating_sub(began);
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            let found = match error.kind {
                EngineErrorKind::TimedOut(after) if after >= timeout => {
                    format!("no end within {}", format_duration(timeout))
                }
                kind => kind.to_string(),
            };
            return Tried::unanswered(tried, took, "exit", "an exit code", found);
        }
    };
    let mut mismatches = Vec::new();
    if done.code != expect.exit {
        mismatches.push(Mismatch::new(
            "exit",
            exit_code(expect.exit),
            exit_code(done.code),
        ));
    }
    let stdout = String::from_utf8_lossy(&done.stdout);
    let found = || format!("nothing of the kind in {} bytes", done.stdout.len());
    if let Some(wanted) = expect.stdout
        && !stdout.contains(wanted)
    {
        mismatches.push(Mismatch::new("stdout", format!("{wanted:?} in it"), found()));
    }
    if let Some(pattern) = expect.matches {
        match Regex::new(pattern) {
            Err(_) => mismatches.push(wrong_pattern("stdout", pattern)),
            Ok(regex) if regex.is_match(&stdout) => {}
            Ok(_) => mismatches.push(Mismatch::new(
                "stdout",
                format!("a match of /{pattern}/"),
                found(),
            )),
        }
    }
    Tried {
        mismatches,
        evidence: Some(Evidence {
            tried,
            took,
            seen: Seen::Exec {
                exit: done.code,
                stdout: tail(&done.stdout, setting.masker, EXCERPT),
                stderr: tail(&done.stderr, setting.masker, EXCERPT),
            },
        }),
    }
}
