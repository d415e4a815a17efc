//! Request rate, errors and latency by service, from the project's own Prometheus.
//!
//! The definitions are those of `monitoring/prometheus/rules`, over the last minute. Where series carry no
//! label `service`, their `job` stands for it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::Shared;
use super::find::{PROMETHEUS, ask_again_and_again};
use crate::base::ServiceName;
use crate::event::live::{Fact, ServiceTraffic};
use crate::metrics::prometheus::{Series, query};
use crate::probe::place::Place;

type Traffic = BTreeMap<ServiceName, ServiceTraffic>;

/// Asks while request rates are shown.
pub(super) async fn run(shared: Shared) {
    ask_again_and_again(shared, PROMETHEUS, |needs| needs.traffic, ask, Fact::Traffic).await;
}

async fn ask(place: Place, until: Instant) -> Result<Traffic, String> {
    let (rate, errors, p95) = (
        by_service(|of, by| format!("sum by ({by}) (rate(http_requests_total{{{of}}}[1m]))")),
        by_service(|of, by| format!("sum by ({by}) (rate(http_requests_total{{status=~\"5..\",{of}}}[1m]))")),
        by_service(|of, by| {
            format!(
                "histogram_quantile(0.95, sum by ({by}, le) (rate(http_request_duration_seconds_bucket{{{of}}}[1m])))"
            )
        }),
    );
    let asked = |expression| {
        let place = &place;
        async move {
            let answer = query(place, expression, until).await;
            answer.map_err(|error| error.text().to_owned())
        }
    };
    let (rate, errors, p95) = futures_util::try_join!(asked(&rate), asked(&errors), asked(&p95))?;
    Ok(gathered(&rate, &errors, &p95))
}

/// The same of series with a service and, by their job, of those without.
fn by_service(expression: impl Fn(&str, &str) -> String) -> String {
    format!(
        "{} or {}",
        expression("service!=\"\"", "service"),
        expression("service=\"\"", "job")
    )
}

fn gathered(rate: &[Series], errors: &[Series], p95: &[Series]) -> Traffic {
    let mut traffic = Traffic::new();
    let name = |series: &Series| {
        let label = series.labels.get("service").or_else(|| series.labels.get("job"));
        label.map(|name| ServiceName::from(name.as_str()))
    };
    let number = |series: &Series| Some(series.value()).filter(|v| v.is_finite());
    for series in rate {
        if let Some(name) = name(series) {
            traffic.entry(name).or_default().rate = number(series);
        }
    }
    for (name, service) in &mut traffic {
        // No series of failures is no failure, once there are requests.
        let Some(rate) = service.rate.filter(|rate| *rate > 0.0) else {
            continue;
        };
        let own = errors.iter().find(|series| self::name_is(series, name));
        service.errors = Some(own.and_then(number).unwrap_or(0.0) / rate);
    }
    for series in p95 {
        if let Some(name) = name(series) {
            traffic.entry(name).or_default().p95 = number(series);
        }
    }
    traffic
}

fn name_is(series: &Series, name: &ServiceName) -> bool {
    let label = series.labels.get("service").or_else(|| series.labels.get("job"));
    label.is_some_and(|label| label == name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(label: &str, name: &str, value: f64) -> Series {
        Series {
            labels: BTreeMap::from([(label.to_owned(), name.to_owned())]),
            points: vec![(1.0, value)],
        }
    }

    #[test]
    fn ratios_and_what_there_is_nothing_to_compute_from() {
        let traffic = gathered(
            &[
                series("service", "app", 4.0),
                series("job", "old", 2.0),
                series("service", "idle", 0.0),
            ],
            &[series("service", "app", 1.0)],
            &[
                series("service", "app", 0.25),
                series("service", "idle", f64::NAN),
                series("job", "old", f64::INFINITY),
            ],
        );
        let of = |name: &str| traffic[name];
        let told = |rate, errors, p95| ServiceTraffic { rate, errors, p95 };
        assert_eq!(of("app"), told(Some(4.0), Some(0.25), Some(0.25)));
        assert_eq!(of("old"), told(Some(2.0), Some(0.0), None));
        assert_eq!(of("idle"), told(Some(0.0), None, None));
    }

    #[test]
    fn one_question_for_series_with_and_without_a_service() {
        insta::assert_snapshot!(
            by_service(|of, by| format!("sum by ({by}) (rate(http_requests_total{{{of}}}[1m]))")),
            @r#"sum by (service) (rate(http_requests_total{service!=""}[1m])) or sum by (job) (rate(http_requests_total{service=""}[1m]))"#
        );
    }
}
