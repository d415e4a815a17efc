//! Tests that ask a Prometheus.

use std::time::Duration;

use tokio::time::Instant;

use super::outcome::{Evidence, Mismatch, Seen};
use super::runner::{Setting, Tried};
use crate::metrics::prometheus::query;
use crate::model::smoke::{Address, Compare};
use crate::probe::place::locate;

/// How many series are kept as evidence.
const FIRST: usize = 10;

/// A query's result: each series with its labels and its value.
type Series = Vec<(String, f64)>;

/// One try of a `promql` test.
pub(super) async fn check(
    setting: &Setting<'_>,
    at: &Address,
    expression: &str,
    compare: Compare,
    least: usize,
    timeout: Duration,
) -> Tried {
    let began = setting.clock.now();
    let place = match locate(at, setting.project, setting.observed, setting.host) {
        Ok(place) => place,
        Err(why) => return Tried::nowhere(why),
    };
    let tried = format!("query {}: {expression}", place.shown());
    let result = query(&place, expression, Instant::now() + timeout).await;
    let took = setting.clock.now().saturating_sub(began);
    match result {
        Err(error) => Tried::unanswered(tried, took, "query", "a result", error.text().to_owned()),
        Ok(series) => {
            let series: Series = series.iter().map(|s| (s.name(), s.value())).collect();
            Tried {
                mismatches: judge(&series, compare, least),
                evidence: Some(Evidence {
                    tried,
                    took,
                    seen: Seen::Series {
                        count: series.len(),
                        first: series
                            .iter()
                            .take(FIRST)
                            .map(|(labels, value)| (labels.clone(), value.to_string()))
                            .collect(),
                    },
                }),
            }
        }
    }
}

fn judge(series: &Series, compare: Compare, least: usize) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if series.len() < least {
        mismatches.push(Mismatch::new(
            "series",
            format!("at least {least}"),
            series.len().to_string(),
        ));
    }
    let holds = |value: f64| compare.op.holds(value, compare.value);
    let wanted = format!("{} {}", compare.op.as_str(), compare.value);
    if compare.all {
        let wrong: Vec<&(String, f64)> = series.iter().filter(|(_, value)| !holds(*value)).collect();
        for (labels, value) in wrong.iter().take(FIRST) {
            mismatches.push(Mismatch::new(labels.clone(), wanted.clone(), value.to_string()));
        }
        if wrong.len() > FIRST {
            let more = wrong.len() - FIRST;
            mismatches.push(Mismatch::new(
                format!("{more} more series"),
                wanted,
                "something else",
            ));
        }
    } else if !series.iter().any(|(_, value)| holds(*value)) && (least > 0 || !series.is_empty()) {
        let found = match series.len() {
            0 => "no series".to_owned(),
            n => format!("none of {n}"),
        };
        mismatches.push(Mismatch::new("value", format!("one series {wanted}"), found));
    }
    mismatches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::smoke::CompareOp;

    fn vector(values: &[(&str, &str)]) -> Series {
        let of = |(job, value): &(&str, &str)| (format!("up{{job={job:?}}}"), value.parse().unwrap());
        values.iter().map(of).collect()
    }

    #[test]
    fn judges_series() {
        let compare = |op, value, all| Compare { op, value, all };
        let of = |series: &[(&str, &str)], compare, least| {
            judge(&vector(series), compare, least)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        };
        let is_one = compare(CompareOp::Eq, 1.0, true);
        assert_eq!(of(&[("a", "1"), ("b", "1")], is_one, 2), "");
        insta::assert_snapshot!(
            [
                of(&[("a", "1"), ("b", "0")], is_one, 3),
                of(&[("a", "NaN")], is_one, 1),
                of(&[("a", "0.5")], compare(CompareOp::Gt, 1.0, false), 1),
                of(&[], compare(CompareOp::Gt, 1.0, false), 1),
            ]
            .join("\n"),
            @r#"
        series: expected at least 3, found 2; up{job="b"}: expected == 1, found 0
        up{job="a"}: expected == 1, found NaN
        value: expected one series > 1, found none of 1
        series: expected at least 1, found 0; value: expected one series > 1, found no series
        "#
        );
        assert_eq!(
            of(&[("a", "0"), ("b", "2")], compare(CompareOp::Gt, 1.0, false), 1),
            ""
        );
        assert_eq!(
            of(&[], compare(CompareOp::Gt, 1.0, false), 0),
            "",
            "none is asked for"
        );
        let many: Vec<(&str, &str)> = (0..12).map(|_| ("a", "0")).collect();
        assert_eq!(judge(&vector(&many), is_one, 1).len(), 11);
    }
}
