//! `events`: docker compose's lines and JSON fields.

use serde_json::json;

use super::text::one_line;
use crate::engine::ObjectEvent;
use crate::model::labels;

/// Labels of Compose's own, which it leaves out.
const OWN: &str = "com.docker.compose.";

/// An event as a line, and an empty one after it, as docker compose has it.
pub fn line(event: &ObjectEvent) -> String {
    let time = zoned(event.time).map_or_else(String::new, |time| {
        time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
    });
    let attributes: Vec<String> = attributes(event)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = format!(
        "{time} container {} {} ({})",
        event.action,
        event.id,
        attributes.join(", ")
    );
    format!("{}\n\n", one_line(&text))
}

/// An event as a JSON object on one line.
pub fn json(event: &ObjectEvent) -> String {
    let attributes: serde_json::Map<String, serde_json::Value> = attributes(event)
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    let time = zoned(event.time).map_or_else(String::new, |time| {
        let zone = if time.offset().is_zero() { "Z" } else { "%:z" };
        time.strftime(&format!("%Y-%m-%dT%H:%M:%S%.f{zone}")).to_string()
    });
    let event = json!({
        "action": event.action,
        "attributes": attributes,
        "id": event.id,
        "service": event.attributes.get(labels::SERVICE).map(String::as_str).unwrap_or_default(),
        "time": time,
        "type": "container",
    });
    format!("{event}\n")
}

/// All but Compose's own and our long definition label.
fn attributes(event: &ObjectEvent) -> impl Iterator<Item = (&String, &String)> {
    let shown = |name: &String| !name.starts_with(OWN) && name != labels::SPEC;
    event.attributes.iter().filter(move |(name, _)| shown(name))
}

/// The moment in the user's own time zone.
fn zoned(nanos: i64) -> Option<jiff::Zoned> {
    let time = jiff::Timestamp::from_nanosecond(nanos.into()).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::system()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_docker_compose_writes_them() {
        let event = ObjectEvent {
            object: "container".into(),
            action: "start".into(),
            id: "abc".into(),
            attributes: [
                ("name", "p-a-1"),
                ("image", "app:1\u{1b}[2J"),
                (labels::SERVICE, "a"),
                (labels::SPEC, "{}"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
            time: 1_795_267_024_123_450_000,
        };
        let text = line(&event);
        assert!(
            text.ends_with(" container start abc (image=app:1\\x1b[2J, name=p-a-1)\n\n"),
            "{text}"
        );
        let told: serde_json::Value = serde_json::from_str(&json(&event)).unwrap();
        assert_eq!(
            (&told["service"], &told["type"]),
            (&"a".into(), &"container".into())
        );
        let time: jiff::Timestamp = told["time"].as_str().unwrap().parse().unwrap();
        assert_eq!(time.as_nanosecond(), 1_795_267_024_123_450_000);
    }
}
