//! Queries to a Prometheus (its HTTP API v1).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::ask::{encoded, get};
use crate::base::parse_duration;
use crate::probe::place::Place;

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    /// Nobody answered, or not as a Prometheus does.
    NoAnswer(String),
    /// The Prometheus refused the query.
    Refused(String),
}

impl QueryError {
    /// In words.
    pub fn text(&self) -> &str {
        match self {
            Self::NoAnswer(text) | Self::Refused(text) => text,
        }
    }
}

/// A series: labels, and points in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Its labels, the metric's name under `__name__`.
    pub labels: BTreeMap<String, String>,
    /// Seconds since 1970 and value, which may be no number; empty for a native histogram.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// The newest value; no number where there is none.
    pub fn value(&self) -> f64 {
        self.points.last().map_or(f64::NAN, |(_, value)| *value)
    }

    /// The labels as PromQL writes them: `up{job="app"}`.
    pub fn name(&self) -> String {
        let name = self
            .labels
            .get("__name__")
            .map(String::as_str)
            .unwrap_or_default();
        let rest: Vec<String> = self
            .labels
            .iter()
            .filter(|(key, _)| *key != "__name__")
            .map(|(key, value)| format!("{key}={value:?}"))
            .collect();
        match rest.is_empty() {
            true if !name.is_empty() => name.to_owned(),
            _ => format!("{name}{{{}}}", rest.join(",")),
        }
    }
}

/// What a range is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Seconds since 1970 of the first point.
    pub from: f64,
    /// Of the last one.
    pub to: f64,
    /// Seconds between two points.
    pub step: f64,
}

/// Asks an instant query, within `until`.
///
/// # Errors
/// Where there is no result, for people.
pub async fn query(place: &Place, expression: &str, until: Instant) -> Result<Vec<Series>, QueryError> {
    let path = format!("/api/v1/query?query={}", encoded(expression));
    read(&data(place, &path, until).await?).ok_or_else(foreign)
}

/// Asks a query over a range of time, within `until`.
///
/// # Errors
/// Where there is no result, for people.
pub async fn query_range(
    place: &Place,
    expression: &str,
    range: Range,
    until: Instant,
) -> Result<Vec<Series>, QueryError> {
    let Range { from, to, step } = range;
    let path = format!(
        "/api/v1/query_range?query={}&start={from:.3}&end={to:.3}&step={step:.3}",
        encoded(expression)
    );
    read(&data(place, &path, until).await?).ok_or_else(foreign)
}

/// How often the Prometheus scrapes where a job does not say (`global.scrape_interval` of its
/// configuration); a minute is its own default.
///
/// # Errors
/// Where it does not tell, for people.
pub async fn scrape_interval(place: &Place, until: Instant) -> Result<Duration, QueryError> {
    const DEFAULT: Duration = Duration::from_secs(60);
    let data = data(place, "/api/v1/status/config", until).await?;
    let yaml = data.get("yaml").and_then(Value::as_str).ok_or_else(foreign)?;
    let mut in_global = false;
    for line in yaml.lines() {
        if !line.starts_with([' ', '#']) {
            in_global = line.trim_end() == "global:";
        }
        if in_global && let Some(text) = line.trim().strip_prefix("scrape_interval:") {
            return Ok(parse_duration(text.trim()).unwrap_or(DEFAULT));
        }
    }
    Ok(DEFAULT)
}

/// The `data` of an answer.
async fn data(place: &Place, path: &str, until: Instant) -> Result<Value, QueryError> {
    let (status, mut answer) = get(place, path, until).await.map_err(QueryError::NoAnswer)?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("status") {
        "success" => answer.get_mut("data").map(Value::take).ok_or_else(foreign),
        "error" => Err(QueryError::Refused(format!(
            "{}: {}",
            text("errorType"),
            text("error")
        ))),
        _ => Err(QueryError::NoAnswer(format!(
            "answered {status}, not as a Prometheus does"
        ))),
    }
}

fn foreign() -> QueryError {
    QueryError::NoAnswer("the answer is not that of a Prometheus".into())
}

fn read(data: &Value) -> Option<Vec<Series>> {
    let result = data.get("result")?;
    let alone = |name: &str, point| {
        vec![Series {
            labels: BTreeMap::from([("__name__".to_owned(), name.to_owned())]),
            points: vec![point],
        }]
    };
    match data.get("resultType")?.as_str()? {
        "scalar" => Some(alone("scalar", point(result)?)),
        "string" => Some(alone("string", (result.get(0)?.as_f64()?, f64::NAN))),
        "vector" | "matrix" => result.as_array()?.iter().map(series).collect(),
        _ => None,
    }
}

fn series(series: &Value) -> Option<Series> {
    let labels = series
        .get("metric")?
        .as_object()?
        .iter()
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect::<Option<_>>()?;
    // An instant query answers with one sample, a range with many, a native histogram with neither.
    let points = match (series.get("value"), series.get("values")) {
        (Some(value), _) => vec![point(value)?],
        (None, Some(values)) => values.as_array()?.iter().map(point).collect::<Option<_>>()?,
        (None, None) => Vec::new(),
    };
    Some(Series { labels, points })
}

fn point(pair: &Value) -> Option<(f64, f64)> {
    let value = match pair.get(1)?.as_str()? {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    };
    Some((pair.get(0)?.as_f64()?, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(data: Value) -> Option<Vec<(String, f64)>> {
        Some(read(&data)?.iter().map(|s| (s.name(), s.value())).collect())
    }

    #[test]
    fn reads_what_a_prometheus_answers() {
        let of =
            |job: &str, value: &str| json!({"metric": {"__name__": "up", "job": job}, "value": [1.5, value]});
        let vector = json!({"resultType": "vector", "result": [of("a", "1"), of("b", "+Inf")]});
        assert_eq!(
            shown(vector),
            Some(vec![
                ("up{job=\"a\"}".to_owned(), 1.0),
                ("up{job=\"b\"}".to_owned(), f64::INFINITY)
            ])
        );
        let nan = json!({"resultType": "vector", "result": [of("a", "NaN")]});
        assert!(read(&nan).unwrap()[0].value().is_nan());
        assert_eq!(
            shown(json!({"resultType": "scalar", "result": [1, "2.5"]})),
            Some(vec![("scalar".into(), 2.5)])
        );
        let matrix = json!([{"metric": {}, "values": [[1, "1"], [2, "-Inf"]]}]);
        let matrix = json!({"resultType": "matrix", "result": matrix});
        assert_eq!(
            shown(matrix.clone()),
            Some(vec![("{}".into(), f64::NEG_INFINITY)])
        );
        assert_eq!(read(&matrix).unwrap()[0].points.len(), 2);
        let histogram =
            json!({"resultType": "vector", "result": [{"metric": {"__name__": "h"}, "histogram": []}]});
        assert!(read(&histogram).unwrap()[0].value().is_nan());
        assert_eq!(read(&json!({"resultType": "vector", "result": 3})), None);
        assert_eq!(read(&json!({})), None);
    }
}
