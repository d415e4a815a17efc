//! Picking tests and running them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::command::{ExecExpect, exec, tcp};
use super::outcome::{Evidence, Kind, Mismatch, Outcome, Report, Seen, TestReport};
use super::{http, panels, prometheus};
use crate::base::{Clock, Masker, ServiceName};
use crate::engine::Engine;
use crate::model::smoke::{Address, SmokeCheck};
use crate::model::{Observed, Project, SmokeTest};
use crate::probe::EngineHost;

/// Between two tries, where the test does not say.
const INTERVAL: Duration = Duration::from_millis(250);
/// For one try, where the test does not say.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than its timeout a try may take before it is dropped.
const OVERTIME: Duration = Duration::from_millis(500);

/// What tests run against.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The project.
    pub project: &'a Project,
    /// What is there.
    pub observed: &'a Observed,
    /// Where published ports are.
    pub host: &'a EngineHost,
    /// The engine.
    pub engine: &'a dyn Engine,
    /// A clock.
    pub clock: &'a dyn Clock,
    /// Hides secrets in evidence.
    pub masker: &'a Masker,
    /// Optional services that could not be had, and why (see [`unavailable`]).
    pub unavailable: &'a BTreeMap<ServiceName, String>,
    /// How many tests run at one time; four is usual.
    pub concurrency: usize,
}

/// Told while tests run.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A test begins.
    Started(&'a str),
    /// A test has ended; told in the stack's order.
    Done(&'a TestReport),
}

/// What one try came to.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) evidence: Option<Evidence>,
}

impl Tried {
    /// It could not be tried at all: nothing was asked of anybody.
    pub(super) fn untried(what: &str, expected: &str, why: String) -> Self {
        Self {
            mismatches: vec![Mismatch::new(what, expected, why)],
            evidence: None,
        }
    }

    /// There is nowhere to try it.
    pub(super) fn nowhere(why: String) -> Self {
        Self::untried("address", "a running service", why)
    }

    /// Nothing came back.
    pub(super) fn unanswered(
        tried: String,
        took: Duration,
        what: &str,
        expected: &str,
        found: String,
    ) -> Self {
        Self {
            mismatches: vec![Mismatch::new(what, expected, found)],
            evidence: Some(Evidence {
                tried,
                took,
                seen: Seen::Nothing,
            }),
        }
    }
}

/// A name that no test has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no smoke test is named `{name}`")]
pub struct UnknownTest {
    /// As asked for.
    pub name: String,
    /// The nearest name there is.
    pub similar: Option<String>,
    /// All names there are.
    pub names: Vec<String>,
}

/// The tests that `filter` asks for, in the stack's order; all where it is empty. Each word is
/// a test's name, or part of some tests' names, in any case.
///
/// # Errors
/// A word that fits no test.
pub fn select<'p>(project: &'p Project, filter: &[String]) -> Result<Vec<&'p SmokeTest>, UnknownTest> {
    let tests = &project.ext.smoke;
    let fits = |test: &SmokeTest, word: &str| {
        if tests.iter().any(|t| t.name == word) {
            test.name == word
        } else {
            test.name.to_lowercase().contains(&word.to_lowercase())
        }
    };
    for word in filter {
        if !tests.iter().any(|test| fits(test, word)) {
            let names: Vec<String> = tests.iter().map(|t| t.name.clone()).collect();
            let similar = names
                .iter()
                .map(|name| (strsim::jaro_winkler(name, word), name))
                .filter(|(score, _)| *score > 0.7)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, name)| name.clone());
            return Err(UnknownTest {
                name: word.clone(),
                similar,
                names,
            });
        }
    }
    Ok(tests
        .iter()
        .filter(|test| filter.is_empty() || filter.iter().any(|word| fits(test, word)))
        .collect())
}

/// Optional services that have no container because the engine does not have their image, and
/// why: what [`Setting::unavailable`] is where no run has just found it out.
pub fn unavailable(project: &Project, observed: &Observed) -> BTreeMap<ServiceName, String> {
    project
        .services
        .iter()
        .filter(|(name, service)| {
            let there = observed.containers.iter().any(|c| c.service == **name);
            service.ext.optional && !there
        })
        .filter_map(|(name, service)| {
            let image = service.image_reference(project.name.as_str(), name.as_str());
            let missing = !observed.images.contains_key(&image);
            missing.then(|| (name.clone(), format!("the engine does not have {image}")))
        })
        .collect()
}

/// Runs `tests`, a few at one time, and reports them in their order.
///
/// Each is tried until it passes or its attempts are used up. Dropping the future ends all of
/// them and leaves nothing behind.
pub async fn run(setting: &Setting<'_>, tests: &[&SmokeTest], on_notice: impl FnMut(Notice<'_>)) -> Report {
    let began = setting.clock.now();
    // Told from several tests at once, but never at the same time: all run in this one future.
    let on_notice = std::cell::RefCell::new(on_notice);
    let mut reports = Vec::with_capacity(tests.len());
    let mut running = stream::iter(tests)
        .map(|test| async {
            on_notice.borrow_mut()(Notice::Started(&test.name));
            one(setting, test).await
        })
        .buffered(setting.concurrency.max(1));
    while let Some(report) = running.next().await {
        on_notice.borrow_mut()(Notice::Done(&report));
        reports.push(report);
    }
    Report {
        project: setting.project.name.to_string(),
        tests: reports,
        took: setting.clock.now().saturating_sub(began),
    }
}

async fn one(setting: &Setting<'_>, test: &SmokeTest) -> TestReport {
    let began = setting.clock.now();
    let mut report = TestReport {
        name: test.name.clone(),
        kind: Kind::from(&test.check),
        outcome: Outcome::Passed,
        attempts: 0,
        took: Duration::ZERO,
        evidence: None,
    };
    let missing = needed(test).find_map(|name| setting.unavailable.get_key_value(name));
    if let Some((name, why)) = missing {
        report.outcome = Outcome::Skipped(format!("{name} is unavailable: {why}"));
        return report;
    }
    loop {
        report.attempts += 1;
        let tried = attempt(setting, test).await;
        report.evidence = tried.evidence;
        report.outcome = match tried.mismatches {
            none if none.is_empty() => Outcome::Passed,
            some => Outcome::Failed(some),
        };
        if report.outcome == Outcome::Passed || report.attempts >= test.attempts.max(1) {
            report.took = setting.clock.now().saturating_sub(began);
            return report;
        }
        tokio::time::sleep(test.interval.unwrap_or(INTERVAL)).await;
    }
}

/// The services that a test needs: those it names, and those it addresses.
fn needed(test: &SmokeTest) -> impl Iterator<Item = &ServiceName> {
    let addressed = match &test.check {
        SmokeCheck::Exec { service, .. } => Some(service),
        SmokeCheck::Http { request, .. } => of_address(&request.at),
        SmokeCheck::Tcp(at) | SmokeCheck::Promql { at, .. } | SmokeCheck::Dashboards { at, .. } => {
            of_address(at)
        }
    };
    test.needs.iter().chain(addressed)
}

fn of_address(address: &Address) -> Option<&ServiceName> {
    match address {
        Address::Service { service, .. } => Some(service),
        Address::Url { .. } => None,
    }
}

async fn attempt(setting: &Setting<'_>, test: &SmokeTest) -> Tried {
    let timeout = test.timeout.filter(|t| !t.is_zero()).unwrap_or(TIMEOUT);
    let trying = async {
        match &test.check {
            SmokeCheck::Http { request, expect } => http::check(setting, request, expect, timeout).await,
            SmokeCheck::Tcp(address) => tcp(setting, address, timeout).await,
            SmokeCheck::Exec {
                service,
                command,
                exit,
                stdout,
                matches,
            } => {
                let expect = ExecExpect {
                    exit: *exit,
                    stdout: stdout.as_deref(),
                    matches: matches.as_deref(),
                };
                exec(setting, service, command, expect, timeout).await
            }
            SmokeCheck::Promql {
                at,
                query,
                compare,
                series,
            } => prometheus::check(setting, at, query, *compare, *series, timeout).await,
            SmokeCheck::Dashboards { folder, at } => panels::check(setting, folder, at, timeout).await,
        }
    };
    // Each kind keeps its own time and tells what it saw by then; this is for an engine that does not.
    match tokio::time::timeout(timeout + OVERTIME, trying).await {
        Ok(tried) => tried,
        Err(_) => {
            let found = format!("no end within {}", crate::base::format_duration(timeout));
            Tried::untried(Kind::from(&test.check).as_str(), "an answer", found)
        }
    }
}

#[cfg(test)]
mod tests;
