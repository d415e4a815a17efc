//! `deploy` in Compose's structure.

use serde_json::{Map, Value, json};

/// Flat fields under `resources` and `restart_policy`.
pub(super) fn deploy_form(deploy: &mut Map<String, Value>) {
    let mut resources = Map::new();
    for (section, fields) in [
        (
            "limits",
            [
                ("limit_cpus", "cpus"),
                ("limit_memory", "memory"),
                ("limit_pids", "pids"),
            ]
            .as_slice(),
        ),
        (
            "reservations",
            [
                ("reserve_cpus", "cpus"),
                ("reserve_memory", "memory"),
                ("reserve_generic", "generic_resources"),
                ("reserve_devices", "devices"),
            ]
            .as_slice(),
        ),
    ] {
        let mut part = Map::new();
        for (from, to) in fields {
            if let Some(mut value) = deploy.shift_remove(*from) {
                if *from == "reserve_generic" {
                    generic(&mut value);
                }
                part.insert((*to).to_owned(), value);
            }
        }
        if !part.is_empty() {
            resources.insert(section.to_owned(), Value::Object(part));
        }
    }
    if !resources.is_empty() {
        deploy.insert("resources".to_owned(), Value::Object(resources));
    }
    let timing = [("restart_delay", "delay"), ("restart_window", "window")];
    let timing = timing.map(|(from, to)| (to, deploy.shift_remove(from)));
    if let Some(policy) = deploy.get_mut("restart_policy")
        && let Some(text) = policy.as_str()
    {
        let (condition, attempts) = match text.split_once(':') {
            Some((condition, attempts)) => (condition, attempts.parse::<u32>().ok()),
            None => (text, None),
        };
        let condition = match condition {
            "no" => "none",
            "always" => "any",
            other => other,
        };
        let mut form = json!({ "condition": condition });
        if let (Some(attempts), Some(form)) = (attempts, form.as_object_mut()) {
            form.insert("max_attempts".to_owned(), Value::from(attempts));
        }
        for (key, value) in timing {
            if let (Some(value), Some(form)) = (value, form.as_object_mut()) {
                form.insert(key.to_owned(), value);
            }
        }
        *policy = form;
    }
    deploy.sort_keys();
}

/// `[kind, number]` pairs as Compose writes generic resources.
fn generic(value: &mut Value) {
    for item in value.as_array_mut().into_iter().flatten() {
        let pair = item.take();
        *item = json!({"discrete_resource_spec": {"kind": pair.get(0), "value": pair.get(1)}});
    }
}
