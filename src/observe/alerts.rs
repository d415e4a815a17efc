//! Alerts, from the project's own Alertmanager.

use super::Shared;
use super::find::{ALERTMANAGER, ask_again_and_again};
use crate::base::ServiceName;
use crate::event::live::{Alert, Fact};
use crate::metrics::{FoundAlert, alerts};

/// Asks while alerts are shown.
pub(super) async fn run(shared: Shared) {
    ask_again_and_again(
        shared,
        ALERTMANAGER,
        |needs| needs.alerts,
        |place, until| async move {
            let found = alerts(&place, until).await?;
            Ok(found.into_iter().map(alert).collect())
        },
        Fact::Alerts,
    )
    .await;
}

fn alert(found: FoundAlert) -> Alert {
    let label = |name: &str| found.labels.get(name).filter(|v| !v.is_empty());
    let note = |name: &str| found.annotations.get(name).filter(|v| !v.is_empty());
    Alert {
        name: label("alertname").cloned().unwrap_or_default(),
        severity: label("severity").cloned().unwrap_or_default(),
        service: label("service")
            .or_else(|| label("job"))
            .map(|name| ServiceName::from(name.as_str())),
        summary: note("summary")
            .or_else(|| note("description"))
            .cloned()
            .unwrap_or_default(),
        state: found.state,
        starts_at: found.starts_at,
        fingerprint: found.fingerprint,
    }
}
