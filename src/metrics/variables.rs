//! Variables in the queries of a dashboard: its own, and Grafana's. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::dashboard::{list, string};

/// The times that Grafana's own variables stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// `$__interval`: between two points.
    pub interval: Duration,
    /// `$__rate_interval`: long enough for a rate.
    pub rate_interval: Duration,
    /// `$__range`: all that is shown.
    pub range: Duration,
}

impl Default for Spans {
    /// Of an hour, seen at no certain resolution.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            rate_interval: Duration::from_secs(300),
            range: Duration::from_secs(3600),
        }
    }
}

impl Spans {
    /// For a span of time at a step, from a Prometheus that scrapes so often; the rate's interval as
    /// Grafana computes it (its documentation, "Prometheus template variables", `$__rate_interval`).
    pub fn of(range: Duration, step: Duration, scrape: Duration) -> Self {
        Self {
            interval: step,
            rate_interval: (step + scrape).max(scrape * 4),
            range,
        }
    }

    /// The value of one of Grafana's variables.
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "__interval" => promql(self.interval),
            "__interval_ms" => self.interval.as_millis().to_string(),
            "__rate_interval" => promql(self.rate_interval),
            "__rate_interval_ms" => self.rate_interval.as_millis().to_string(),
            "__range" => promql(self.range),
            "__range_s" => self.range.as_secs().to_string(),
            "__range_ms" => self.range.as_millis().to_string(),
            "__from" | "__to" => "0".to_owned(),
            "__org" => "1".to_owned(),
            _ => return None,
        })
    }
}

/// A duration as PromQL writes it, in one unit.
fn promql(duration: Duration) -> String {
    let ms = duration.as_millis().max(1);
    match ms {
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

/// What a dashboard's own variables stand for.
pub(super) fn variables(body: &Value) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let classic = body
        .get("templating")
        .into_iter()
        .flat_map(|t| list(t, "list"))
        .map(|variable| (variable, string(variable, "type").unwrap_or_default()));
    let second = list(body, "variables").filter_map(|variable| {
        Some((
            variable.get("spec")?,
            string(variable, "kind").unwrap_or_default(),
        ))
    });
    for (variable, kind) in classic.chain(second) {
        if let Some(name) = string(variable, "name") {
            values.insert(name.to_owned(), variable_value(variable, kind));
        }
    }
    values
}

fn variable_value(variable: &Value, kind: &str) -> String {
    let all = || match string(variable, "allValue") {
        Some(value) if !value.is_empty() => value.to_owned(),
        _ => ".*".to_owned(),
    };
    let kind = kind.to_ascii_lowercase();
    match variable.get("current").and_then(|c| c.get("value")) {
        Some(Value::String(value)) if value == "$__all" => return all(),
        Some(Value::String(value)) if value.starts_with("$__auto") => return "5m".to_owned(),
        Some(Value::String(value)) if !value.is_empty() => return value.clone(),
        Some(Value::Array(values)) if !values.is_empty() => {
            let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            return match texts.as_slice() {
                texts if texts.contains(&"$__all") => all(),
                [one] => (*one).to_owned(),
                several => format!("({})", several.join("|")),
            };
        }
        _ => {}
    }
    let written = string(variable, "query").unwrap_or_default();
    let first = written.split(',').next().unwrap_or_default().trim();
    if kind.starts_with("interval") {
        if first.is_empty() || first == "auto" {
            "5m"
        } else {
            first
        }
        .to_owned()
    } else if kind.starts_with("custom") && !first.is_empty() {
        // `label : value`
        first.rsplit(" : ").next().unwrap_or(first).to_owned()
    } else if kind.starts_with("constant") || kind.starts_with("text") {
        written.to_owned()
    } else {
        all()
    }
}

/// `text` with `$name`, `${name}`, `${name:format}`, `[[name]]` and `[[name:format]]` replaced.
/// What names no variable stays: `$` also ends regular expressions.
pub(super) fn filled(text: &str, variables: &BTreeMap<String, String>, spans: &Spans) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '[']) {
        let (before, here) = rest.split_at(at);
        out.push_str(before);
        let found = delimited(here, "${", "}")
            .or_else(|| delimited(here, "[[", "]]"))
            .or_else(|| bare(here));
        let value = found.and_then(|(name, after)| {
            let name = name.split(':').next().unwrap_or_default();
            let value = variables.get(name).cloned().or_else(|| spans.value(name))?;
            Some((value, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(&value);
                rest = after;
            }
            None => {
                out.push_str(&here[..1]);
                rest = &here[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn delimited<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(open)?.split_once(close)
}

fn bare(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix('$')?;
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    Some(name.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_grafana_computes_them() {
        let of = |range, step, scrape| {
            let spans = Spans::of(
                Duration::from_secs(range),
                Duration::from_millis(step),
                Duration::from_secs(scrape),
            );
            filled(
                "$__interval ${__rate_interval} $__range $__range_s",
                &BTreeMap::new(),
                &spans,
            )
        };
        assert_eq!(of(900, 4500, 1), "4500ms 5500ms 15m 900");
        assert_eq!(of(3600, 18_000, 15), "18s 1m 1h 3600");
        assert_eq!(of(10, 1000, 15), "1s 1m 10s 10");
    }
}
