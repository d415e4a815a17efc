//! Queries to a Prometheus (its HTTP API v1).

use serde_json::Value;
use tokio::time::Instant;

use crate::probe::address::connect;
use crate::probe::http::{BodyEnd, Request, send};
use crate::probe::place::Place;

/// How much of an answer is read.
const MOST: usize = 8 * 1024 * 1024;

/// A query's result: each series with its labels and its value.
pub type Series = Vec<(String, f64)>;

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

/// Asks one query, within `until`.
///
/// # Errors
/// Where there is no result, for people.
pub async fn query(place: &Place, expression: &str, until: Instant) -> Result<Series, QueryError> {
    let left = || until.saturating_duration_since(Instant::now());
    let no_answer = |why: String| QueryError::NoAnswer(why);
    let (stream, way) = connect(&place.ways, left())
        .await
        .map_err(|(error, _)| no_answer(error.to_string()))?;
    let prefix = place.path.as_deref().unwrap_or_default().trim_end_matches('/');
    let request = Request {
        method: "GET".into(),
        path: format!("{prefix}/api/v1/query?query={}", encoded(expression)),
        host: Place::host_header(&way),
        headers: vec![("accept".into(), "application/json".into())],
        ..Request::default()
    };
    let response = send(stream, &request, left(), |_| MOST)
        .await
        .map_err(|e| no_answer(e.to_string()))?;
    match response.end {
        BodyEnd::Whole => {}
        BodyEnd::Cut => return Err(no_answer("the answer is too long".into())),
        BodyEnd::TimedOut => return Err(no_answer("the answer did not end in time".into())),
        BodyEnd::Broken(why) => return Err(no_answer(why)),
    }
    let answer: Value = serde_json::from_slice(&response.body)
        .map_err(|_| no_answer(format!("answered {} without JSON", response.status)))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("status") {
        "success" => read(&answer).ok_or_else(|| no_answer("the answer is not that of a Prometheus".into())),
        "error" => Err(QueryError::Refused(format!(
            "{}: {}",
            text("errorType"),
            text("error")
        ))),
        _ => Err(no_answer(format!(
            "answered {}, not as a Prometheus does",
            response.status
        ))),
    }
}

fn read(answer: &Value) -> Option<Series> {
    let data = answer.get("data")?;
    let result = data.get("result")?;
    let value = |pair: &Value| -> Option<f64> {
        let text = pair.get(1)?.as_str()?;
        Some(match text {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            text => text.parse().unwrap_or(f64::NAN),
        })
    };
    match data.get("resultType")?.as_str()? {
        "scalar" => Some(vec![("scalar".to_owned(), value(result)?)]),
        "string" => Some(vec![("string".to_owned(), f64::NAN)]),
        "vector" | "matrix" => result
            .as_array()?
            .iter()
            .map(|series| {
                // A range answers with many samples and a native histogram with none: the last, or no number.
                let last = series
                    .get("value")
                    .or_else(|| series.get("values")?.as_array()?.last());
                Some((
                    labels(series.get("metric")?),
                    last.and_then(value).unwrap_or(f64::NAN),
                ))
            })
            .collect(),
        _ => None,
    }
}

/// A series' labels as PromQL writes them.
fn labels(metric: &Value) -> String {
    let Some(fields) = metric.as_object() else {
        return "{}".to_owned();
    };
    let name = fields.get("__name__").and_then(Value::as_str).unwrap_or_default();
    let rest: Vec<String> = fields
        .iter()
        .filter(|(key, _)| *key != "__name__")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    match rest.is_empty() {
        true if !name.is_empty() => name.to_owned(),
        _ => format!("{name}{{{}}}", rest.join(",")),
    }
}

/// Percent-encoded for a query string (RFC 3986, 2.3: all but the unreserved).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vector(values: &[(&str, &str)]) -> Series {
        let result: Vec<Value> = values
            .iter()
            .map(|(job, value)| json!({"metric": {"__name__": "up", "job": job}, "value": [1.5, value]}))
            .collect();
        read(&json!({"data": {"resultType": "vector", "result": result}})).unwrap()
    }

    #[test]
    fn reads_what_a_prometheus_answers() {
        assert_eq!(
            vector(&[("a", "1"), ("b", "+Inf")]),
            [
                ("up{job=\"a\"}".to_owned(), 1.0),
                ("up{job=\"b\"}".to_owned(), f64::INFINITY)
            ]
        );
        assert!(vector(&[("a", "NaN")])[0].1.is_nan());
        let of = |data: Value| read(&json!({ "data": data }));
        assert_eq!(
            of(json!({"resultType": "scalar", "result": [1, "2.5"]})),
            Some(vec![("scalar".into(), 2.5)])
        );
        let matrix = json!([{"metric": {}, "values": [[1, "1"], [2, "-Inf"]]}]);
        assert_eq!(
            of(json!({"resultType": "matrix", "result": matrix})),
            Some(vec![("{}".into(), f64::NEG_INFINITY)])
        );
        assert_eq!(of(json!({"resultType": "vector", "result": 3})), None);
        assert_eq!(of(json!({})), None);
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(
            encoded("sum(up{a=\"b&c\"}) ä+1"),
            "sum%28up%7Ba%3D%22b%26c%22%7D%29%20%C3%A4%2B1"
        );
    }
}
