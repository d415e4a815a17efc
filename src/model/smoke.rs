//! Smoke tests as written under `x-platform.smoke`.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use super::render::as_duration;
use crate::base::ServiceName;

/// One smoke test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SmokeTest {
    /// Unique in the stack.
    pub name: String,
    /// What is done and expected.
    #[serde(flatten)]
    pub check: SmokeCheck,
    /// How often it is tried before it fails; default 1.
    pub attempts: u32,
    /// Between two tries; default 250 ms.
    #[serde(serialize_with = "as_duration")]
    pub interval: Option<Duration>,
    /// For one try; default 10 s.
    #[serde(serialize_with = "as_duration")]
    pub timeout: Option<Duration>,
    /// Services that must be up; the test is skipped, and says so, where an optional one is unavailable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ServiceName>,
}

/// What a smoke test does and expects.
#[expect(clippy::large_enum_variant, reason = "a handful of values a run")]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmokeCheck {
    /// A request.
    Http {
        /// The request.
        request: HttpRequest,
        /// What must come back.
        expect: HttpExpect,
    },
    /// A connection that is accepted.
    Tcp(Address),
    /// A command in a container.
    Exec {
        /// The service it runs in (its first container).
        service: ServiceName,
        /// The command.
        command: Vec<String>,
        /// The exit code that passes; default 0.
        exit: i64,
        /// Text that standard output must contain.
        #[serde(skip_serializing_if = "Option::is_none")]
        stdout: Option<String>,
        /// Regular expression that standard output must match.
        #[serde(skip_serializing_if = "Option::is_none")]
        matches: Option<String>,
    },
    /// An instant query to a Prometheus.
    Promql {
        /// Where it is.
        at: Address,
        /// The expression.
        query: String,
        /// How each series' value compares.
        compare: Compare,
        /// How many series there must be at least.
        series: usize,
    },
    /// Every panel's queries of the Grafana dashboards in a folder answer.
    Dashboards {
        /// The folder, absolute.
        folder: PathBuf,
        /// The Prometheus.
        at: Address,
    },
}

/// Where a test connects to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Address {
    /// A port of a service: its published port where it has one, else the container's address.
    Service {
        /// The service.
        service: ServiceName,
        /// The port in the container; its only port where absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// A URL as it is.
    Url {
        /// `http://…` or `host:port`.
        url: String,
    },
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    /// Method; default GET.
    pub method: String,
    /// Where to.
    #[serde(flatten)]
    pub at: Address,
    /// Path and query on a service; default `/`.
    pub path: String,
    /// Headers.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What a response must be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct HttpExpect {
    /// Status codes that pass; any 2xx where empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Regular expression for each header that must be there.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Text that the body must contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Regular expression that the body must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// JSON paths (`$.a.b[0]`) and the values that must stand there.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub json: IndexMap<String, serde_json::Value>,
    /// The longest time to the end of the body.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub within: Option<Duration>,
}

/// A comparison with a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compare {
    /// The operator.
    pub op: CompareOp,
    /// The right-hand side.
    pub value: f64,
    /// Whether every series must hold (`true`), or one is enough.
    pub all: bool,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CompareOp {
    /// `==`
    #[serde(rename = "==")]
    Eq,
    /// `!=`
    #[serde(rename = "!=")]
    Ne,
    /// `<`
    #[serde(rename = "<")]
    Lt,
    /// `<=`
    #[serde(rename = "<=")]
    Le,
    /// `>`
    #[serde(rename = ">")]
    Gt,
    /// `>=`
    #[serde(rename = ">=")]
    Ge,
}

impl CompareOp {
    /// Whether `left op right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}
