//! What happens to containers and other objects, as the engine tells it.

use std::collections::BTreeMap;

use bollard::models::EventMessage;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, future};
use hyper::Method;

use super::api::Result;
use super::convert::found;
use super::docker::Docker;
use super::lines::JsonLines;
use super::logs::engine_time;
use super::raw::{Call, within};
use super::{EngineEvent, EngineEventKind};
use crate::base::{ContainerId, ProjectName, ServiceName};
use crate::model::labels;

/// Which events are asked for (Engine API, `SystemEvents`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only of objects that carry this project's label; the engine puts labels on events of
    /// containers only. Of all where absent.
    pub project: Option<ProjectName>,
    /// Kinds of objects in the engine's words (`container`, `network`, `volume`, `image`, …); all where empty.
    pub kinds: Vec<String>,
    /// Further filters of the engine, name and value (`event`, `die`).
    pub filters: Vec<(String, String)>,
    /// Also past events from here on, as far as the engine remembers them: RFC 3339, or seconds since
    /// 1970 with a fraction.
    pub since: Option<String>,
    /// Ends the stream there.
    pub until: Option<String>,
}

/// Something that happened to an object of any kind, in the engine's words (Engine API, `EventMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// The kind of object: `container`, `network`, …
    pub object: String,
    /// What happened: `start`, `health_status: healthy`, `exec_start: sh -c true`, …
    pub action: String,
    /// The object's id, or its name where its kind has none.
    pub id: String,
    /// What the engine tells beside: labels, `name`, `exitCode`, `signal`, …
    pub attributes: BTreeMap<String, String>,
    /// The engine's time, nanoseconds since 1970.
    pub time: i64,
}

impl ObjectEvent {
    /// What happened to a container; for other objects it means nothing.
    pub fn kind(&self) -> EngineEventKind {
        kind(&self.action, |name| self.attributes.get(name).map(String::as_str))
    }
}

impl Docker {
    /// Events of any objects.
    pub(super) async fn watch_objects(
        &self,
        query: &EventQuery,
    ) -> Result<BoxStream<'static, Result<ObjectEvent>>> {
        const OPERATION: &str = "watch the engine's events";
        let mut filters: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        if let Some(project) = &query.project {
            filters
                .entry("label")
                .or_default()
                .push(format!("{}={project}", labels::PROJECT));
        }
        if !query.kinds.is_empty() {
            filters.insert("type", query.kinds.clone());
        }
        for (name, value) in &query.filters {
            filters.entry(name).or_default().push(value.clone());
        }
        let filters = serde_json::json!(filters);
        let mut call = Call::new(OPERATION, Method::GET, "/events").query("filters", filters.to_string());
        for (name, time) in [("since", &query.since), ("until", &query.until)] {
            if let Some(time) = time {
                call = call.query(name, engine_time(time));
            }
        }
        let (operation, response) = within(OPERATION, self.short(), self.http.open(call)).await?;
        let messages = JsonLines::<EventMessage>::decode(operation, response.into_body(), None);
        Ok(messages
            .filter_map(|message| future::ready(message.map(object_event).transpose()))
            .boxed())
    }

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

/// An event of any object; `None` for what is none.
fn object_event(message: EventMessage) -> Option<ObjectEvent> {
    let actor = message.actor?;
    Some(ObjectEvent {
        object: message.typ.map(|t| t.to_string()).unwrap_or_default(),
        action: message.action?,
        id: actor.id?,
        attributes: actor.attributes.unwrap_or_default().into_iter().collect(),
        time: message
            .time_nano
            .unwrap_or_else(|| message.time.unwrap_or_default() * 1_000_000_000),
    })
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
        kind: kind(&action, |name| attributes.get(name).map(String::as_str)),
        time: message
            .time_nano
            .unwrap_or_else(|| message.time.unwrap_or_default() * 1_000_000_000),
    })
}

fn kind<'a>(action: &str, attribute: impl Fn(&str) -> Option<&'a str>) -> EngineEventKind {
    let code = || {
        attribute("exitCode")
            .or_else(|| attribute("containerExitCode"))
            .and_then(|c| c.parse().ok())
    };
    match action {
        "create" => EngineEventKind::Create,
        "start" => EngineEventKind::Start,
        "die" | "died" => EngineEventKind::Die(code().unwrap_or(-1)),
        "stop" => EngineEventKind::Stop,
        "kill" => EngineEventKind::Kill(attribute("signal").unwrap_or_default().to_owned()),
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
        let attributes = BTreeMap::from([
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
            let attribute = |name: &str| attributes.get(name).map(String::as_str);
            assert_eq!(kind(action, attribute), expected, "{action}");
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
