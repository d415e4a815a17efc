//! What a smoke test did, saw and concluded.

use std::time::Duration;

use crate::base::Masker;
use crate::event;
use crate::model::smoke::SmokeCheck;

/// How much of a body or an output is kept as evidence, in bytes.
pub const EXCERPT: usize = 2048;

/// A run of smoke tests, in the stack's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The project.
    pub project: String,
    /// The tests.
    pub tests: Vec<TestReport>,
    /// How long all of it took.
    pub took: Duration,
}

/// How one test ended.
#[derive(Debug, Clone, PartialEq)]
pub struct TestReport {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// How often it was tried.
    pub attempts: u32,
    /// From the first try to the last one's end.
    pub took: Duration,
    /// What the last try did and saw; absent where there was none.
    pub evidence: Option<Evidence>,
}

/// What a test does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Http,
    /// A connection.
    Tcp,
    /// A command in a container.
    Exec,
    /// An instant query.
    Promql,
    /// The queries of Grafana dashboards.
    Dashboards,
}

impl Kind {
    /// The word for it in stack files and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Exec => "exec",
            Self::Promql => "promql",
            Self::Dashboards => "dashboards",
        }
    }
}

impl From<&SmokeCheck> for Kind {
    fn from(check: &SmokeCheck) -> Self {
        match check {
            SmokeCheck::Http { .. } => Self::Http,
            SmokeCheck::Tcp(_) => Self::Tcp,
            SmokeCheck::Exec { .. } => Self::Exec,
            SmokeCheck::Promql { .. } => Self::Promql,
            SmokeCheck::Dashboards { .. } => Self::Dashboards,
        }
    }
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected, in at least one respect.
    Failed(Vec<Mismatch>),
    /// Not tried, and why.
    Skipped(String),
}

/// One expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was looked at: `status`, `header content-type`, `$.version`, `connection`.
    pub what: String,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl Mismatch {
    /// One expectation that did not hold.
    pub fn new(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: expected {}, found {}",
            self.what, self.expected, self.found
        )
    }
}

/// What one try did and saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The request line with its full address, the command, the query.
    pub tried: String,
    /// How long this try took.
    pub took: Duration,
    /// What came back.
    pub seen: Seen,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// A connection, which is all that was asked for.
    Connection,
    /// A response.
    Http {
        /// Status code.
        status: u16,
        /// Its standard phrase.
        phrase: &'static str,
        /// Headers of interest, in the response's order.
        headers: Vec<(String, String)>,
        /// The beginning of the body, at most [`EXCERPT`] bytes, masked.
        body: Option<String>,
        /// How many bytes of body were read.
        bytes: usize,
    },
    /// A command's end.
    Exec {
        /// Its exit code.
        exit: i64,
        /// The end of standard output, at most [`EXCERPT`] bytes, masked.
        stdout: Option<String>,
        /// The end of standard error, likewise.
        stderr: Option<String>,
    },
    /// A query's result.
    Series {
        /// How many series there were.
        count: usize,
        /// The first of them: labels and value.
        first: Vec<(String, String)>,
    },
    /// The queries of dashboards.
    Panels {
        /// How many dashboards.
        dashboards: usize,
        /// How many queries of panels were asked.
        queries: usize,
        /// How many answered without any series, which is legitimate.
        empty: usize,
        /// How many are for another kind of data source and were not asked.
        other: usize,
        /// How many failed.
        failed: usize,
    },
}

impl Report {
    /// How many passed, failed and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |of: fn(&Outcome) -> bool| self.tests.iter().filter(|t| of(&t.outcome)).count();
        (
            count(|o| matches!(o, Outcome::Passed)),
            count(|o| matches!(o, Outcome::Failed(_))),
            count(|o| matches!(o, Outcome::Skipped(_))),
        )
    }

    /// Whether no test failed.
    pub fn is_good(&self) -> bool {
        self.counts().1 == 0
    }
}

impl TestReport {
    /// With every secret that `masker` knows replaced, wherever it stands.
    pub fn masked(&self, masker: &Masker) -> Self {
        let mask = |text: &str| masker.mask(text).into_owned();
        let maybe = |text: &Option<String>| text.as_deref().map(mask);
        let pairs = |pairs: &[(String, String)]| -> Vec<(String, String)> {
            pairs.iter().map(|(k, v)| (mask(k), mask(v))).collect()
        };
        Self {
            name: mask(&self.name),
            outcome: match &self.outcome {
                Outcome::Passed => Outcome::Passed,
                Outcome::Skipped(reason) => Outcome::Skipped(mask(reason)),
                Outcome::Failed(mismatches) => Outcome::Failed(
                    mismatches
                        .iter()
                        .map(|m| Mismatch::new(mask(&m.what), mask(&m.expected), mask(&m.found)))
                        .collect(),
                ),
            },
            evidence: self.evidence.as_ref().map(|evidence| Evidence {
                tried: mask(&evidence.tried),
                took: evidence.took,
                seen: match &evidence.seen {
                    Seen::Http {
                        status,
                        phrase,
                        headers,
                        body,
                        bytes,
                    } => Seen::Http {
                        status: *status,
                        phrase,
                        headers: pairs(headers),
                        body: maybe(body),
                        bytes: *bytes,
                    },
                    Seen::Exec { exit, stdout, stderr } => Seen::Exec {
                        exit: *exit,
                        stdout: maybe(stdout),
                        stderr: maybe(stderr),
                    },
                    Seen::Series { count, first } => Seen::Series {
                        count: *count,
                        first: pairs(first),
                    },
                    other => other.clone(),
                },
            }),
            ..self.clone()
        }
    }

    /// As the event that tells of it: the evidence in lines.
    pub fn to_event(&self, masker: &Masker) -> event::TestResult {
        let masked = self.masked(masker);
        event::TestResult {
            verdict: match &masked.outcome {
                Outcome::Passed => event::TestVerdict::Passed,
                Outcome::Skipped(reason) => event::TestVerdict::Skipped {
                    reason: reason.clone(),
                },
                Outcome::Failed(mismatches) => event::TestVerdict::Failed {
                    reason: mismatches
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("; "),
                },
            },
            took: masked.took,
            attempts: masked.attempts,
            evidence: masked.evidence.as_ref().map(Evidence::lines).unwrap_or_default(),
            name: masked.name,
        }
    }
}

impl Evidence {
    /// What was done and seen, line by line.
    pub fn lines(&self) -> Vec<String> {
        let ms = crate::probe::attempt::millis(self.took);
        let mut lines = vec![self.tried.clone()];
        match &self.seen {
            Seen::Nothing => lines.push(format!("ended after {ms}")),
            Seen::Connection => lines.push(format!("connected in {ms}")),
            Seen::Http {
                status,
                phrase,
                headers,
                body,
                bytes,
            } => {
                let status = format!("{status} {phrase}");
                let head = format!("{} in {ms}, {bytes} bytes", status.trim_end());
                lines.push(head);
                lines.extend(headers.iter().map(|(name, value)| format!("  {name}: {value}")));
                if let Some(body) = body {
                    lines.extend(body.lines().map(|line| format!("  {line}")));
                }
            }
            Seen::Exec { exit, stdout, stderr } => {
                lines.push(format!("{} in {ms}", crate::probe::exit_code(*exit)));
                for (label, text) in [("stdout", stdout), ("stderr", stderr)] {
                    if let Some(text) = text {
                        lines.push(format!("{label}:"));
                        lines.extend(text.lines().map(|line| format!("  {line}")));
                    }
                }
            }
            Seen::Series { count, first } => {
                lines.push(format!("{count} series in {ms}"));
                lines.extend(first.iter().map(|(labels, value)| format!("  {labels} {value}")));
                if *count > first.len() {
                    lines.push(format!("  and {} more", count - first.len()));
                }
            }
            Seen::Panels {
                dashboards,
                queries,
                empty,
                other,
                failed,
            } => {
                let mut line = format!(
                    "{} of {} in {ms}: {} with data, {empty} empty, {failed} failed",
                    counted(*queries, "query", "queries"),
                    counted(*dashboards, "dashboard", "dashboards"),
                    queries.saturating_sub(empty + failed),
                );
                if *other > 0 {
                    line.push_str(&format!("; {other} for other data sources not asked"));
                }
                lines.push(line);
            }
        }
        lines
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
