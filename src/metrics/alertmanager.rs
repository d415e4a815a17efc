//! Alerts of an Alertmanager (its HTTP API v2).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::ask::get;
use crate::probe::place::Place;

/// An alert (API v2, `gettableAlert`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAlert {
    /// All labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// RFC 3339.
    pub starts_at: String,
    /// What tells it from others.
    pub fingerprint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gettable {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    fingerprint: String,
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

/// All alerts, silenced and inhibited ones included, by name and then by their beginning.
///
/// # Errors
/// Where there is no answer, or not that of an Alertmanager, for people.
pub async fn alerts(place: &Place, until: Instant) -> Result<Vec<FoundAlert>, String> {
    let (status, answer) = get(place, "/api/v2/alerts", until).await?;
    if status != 200 {
        let why = answer.as_str().unwrap_or("not as an Alertmanager does");
        return Err(format!("answered {status}: {why}"));
    }
    read(answer)
}

fn read(answer: Value) -> Result<Vec<FoundAlert>, String> {
    let found: Vec<Gettable> =
        serde_json::from_value(answer).map_err(|_| "the answer is not that of an Alertmanager".to_owned())?;
    let mut alerts: Vec<FoundAlert> = found
        .into_iter()
        .map(|alert| FoundAlert {
            labels: alert.labels,
            annotations: alert.annotations,
            state: alert.status.state,
            starts_at: alert.starts_at,
            fingerprint: alert.fingerprint,
        })
        .collect();
    alerts.sort_by(|a, b| {
        let name = |alert: &FoundAlert| alert.labels.get("alertname").cloned();
        (name(a), &a.starts_at, &a.fingerprint).cmp(&(name(b), &b.starts_at, &b.fingerprint))
    });
    Ok(alerts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_an_alertmanager_answers() {
        let alert = |name: &str, state: &str| {
            json!({"annotations": {"summary": "s"}, "endsAt": "2026-11-21T13:21:04.000Z", "fingerprint": name,
                   "receivers": [{"name": "web"}], "startsAt": "2026-11-21T13:17:04.000Z",
                   "status": {"inhibitedBy": [], "silencedBy": [], "state": state},
                   "updatedAt": "2026-11-21T13:17:04.000Z", "generatorURL": "http://x",
                   "labels": {"alertname": name, "severity": "critical"}})
        };
        let found = read(json!([alert("b", "active"), alert("a", "suppressed")])).unwrap();
        let told: Vec<(&str, &str)> = found
            .iter()
            .map(|a| (a.labels["alertname"].as_str(), a.state.as_str()))
            .collect();
        assert_eq!(told, [("a", "suppressed"), ("b", "active")]);
        assert_eq!(read(json!([])).unwrap(), []);
        assert!(read(json!({"status": "success"})).is_err());
        assert!(read(json!([{"labels": {}}])).is_err());
    }
}
