//! What happens to containers, as the engine tells it.

use std::collections::HashMap;

use bollard::models::EventMessage;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, future};
use hyper::Method;

use super::api::Result;
use super::convert::found;
use super::docker::Docker;
use super::lines::JsonLines;
use super::raw::{Call, within};
use super::{EngineEvent, EngineEventKind};
use crate::base::{ContainerId, ProjectName, ServiceName};
use crate::model::labels;

impl Docker {
    /// Events of a project's containers; what happens after this has returned is among them. Silence
    /// is no error: nothing may happen for hours, and a caller that must know looks from time to time.
    pub(super) async fn watch(
        &self,
        project: Option<&ProjectName>,
    ) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        const OPERATION: &str = "watch the engine's events";
        let label = match project {
            Some(project) => format!("{}={project}", labels::PROJECT),
            None => labels::PROJECT.to_owned(),
        };
        let filters = serde_json::json!({"type": ["container"], "label": [label]});
        let call = Call::new(OPERATION, Method::GET, "/events").query("filters", filters.to_string());
        let (operation, response) = within(OPERATION, self.short(), self.http.open(call)).await?;
        let messages = JsonLines::<EventMessage>::decode(operation, response.into_body(), None);
        Ok(messages
            .filter_map(|message| future::ready(message.map(event).transpose()))
            .boxed())
    }
}

/// An event of a container; `None` for what is none.
fn event(message: EventMessage) -> Option<EngineEvent> {
    let actor = message.actor?;
    let attributes = actor.attributes.unwrap_or_default();
    let action = message.action?;
    Some(EngineEvent {
        container: ContainerId::from(actor.id?),
        service: attributes
            .get(labels::SERVICE)
            .map(|s| ServiceName::from(s.as_str())),
        project: attributes
            .get(labels::PROJECT)
            .map(|s| ProjectName::from(s.as_str())),
        name: attributes.get("name").cloned().unwrap_or_default(),
        kind: kind(&action, &attributes),
        time: message
            .time_nano
            .unwrap_or_else(|| message.time.unwrap_or_default() * 1_000_000_000),
    })
}

fn kind(action: &str, attributes: &HashMap<String, String>) -> EngineEventKind {
    let code = || {
        attributes
            .get("exitCode")
            .or_else(|| attributes.get("containerExitCode"))
            .and_then(|c| c.parse().ok())
    };
    match action {
        "create" => EngineEventKind::Create,
        "start" => EngineEventKind::Start,
        "die" | "died" => EngineEventKind::Die(code().unwrap_or(-1)),
        "stop" => EngineEventKind::Stop,
        "kill" => EngineEventKind::Kill(attributes.get("signal").cloned().unwrap_or_default()),
        "oom" => EngineEventKind::Oom,
        "destroy" | "remove" => EngineEventKind::Destroy,
        "rename" => EngineEventKind::Rename,
        "pause" => EngineEventKind::Pause,
        "unpause" => EngineEventKind::Unpause,
        // The verdict is part of the action: `health_status: healthy`.
        other => other
            .strip_prefix("health_status")
            .and_then(|rest| found::health(rest.trim_start_matches(':').trim()))
            .map_or_else(
                || EngineEventKind::Other(other.to_owned()),
                EngineEventKind::Health,
            ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EngineHealth;

    #[test]
    fn actions_are_told_apart() {
        let attributes = HashMap::from([
            ("exitCode".to_owned(), "137".to_owned()),
            ("signal".to_owned(), "15".to_owned()),
        ]);
        for (action, expected) in [
            ("die", EngineEventKind::Die(137)),
            ("kill", EngineEventKind::Kill("15".into())),
            (
                "health_status: healthy",
                EngineEventKind::Health(EngineHealth::Healthy),
            ),
            (
                "health_status: unhealthy",
                EngineEventKind::Health(EngineHealth::Unhealthy),
            ),
            (
                "exec_start: /bin/sh -c x",
                EngineEventKind::Other("exec_start: /bin/sh -c x".into()),
            ),
        ] {
            assert_eq!(kind(action, &attributes), expected, "{action}");
        }
    }

    #[test]
    fn an_event_names_its_service_and_project() {
        let message: EventMessage = serde_json::from_str(
            r#"{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{
                "com.docker.compose.project":"p","com.docker.compose.service":"app","name":"p-app-1"}},
                "scope":"local","time":1700000000,"timeNano":1700000000123456789}"#,
        )
        .unwrap();
        let event = event(message).unwrap();
        assert_eq!(
            (event.name.as_str(), event.time),
            ("p-app-1", 1_700_000_000_123_456_789)
        );
        assert_eq!(event.service, Some("app".into()));
        assert_eq!(event.kind, EngineEventKind::Start);
    }
}
