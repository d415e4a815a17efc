//! The model's own form → the structure of `docker compose config`.

use serde_json::{Map, Value, json};

use super::{deploy_form, smoke_form};
use crate::model::Project;

/// The project in Compose's structure; a `$` in a text is doubled, as it is to be read again.
pub fn to_value(project: &Project) -> Value {
    let mut value = serde_json::to_value(project).unwrap_or(Value::Null);
    if let Value::Object(top) = &mut value {
        each(top, "services", |_, service| {
            service_form(service);
        });
        each(top, "networks", |_, network| network_form(network));
        for section in ["secrets", "configs"] {
            each(top, section, |_, file| file_form(file));
        }
        if let Some(Value::Object(ext)) = top.get_mut("x-platform")
            && let Some(Value::Array(tests)) = ext.get_mut("smoke")
        {
            *tests = project.ext.smoke.iter().map(smoke_form::smoke_form).collect();
        }
    }
    escape(&mut value);
    value
}

/// The same as docker compose writes it as YAML: without what is empty and means nothing.
pub fn to_yaml_value(project: &Project) -> Value {
    let mut value = to_value(project);
    if let Value::Object(top) = &mut value {
        each(top, "services", |_, service| {
            for key in ["command", "entrypoint"] {
                if service.get(key).is_some_and(Value::is_null) {
                    service.shift_remove(key);
                }
            }
            if let Some(Value::Object(deploy)) = service.get_mut("deploy") {
                drop_empty(deploy, &["placement", "resources"]);
            }
        });
        each(top, "networks", |_, network| drop_empty(network, &["ipam"]));
    }
    value
}

fn drop_empty(table: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        if table
            .get(*key)
            .is_some_and(|value| value.as_object().is_some_and(Map::is_empty))
        {
            table.shift_remove(*key);
        }
    }
}

/// Each table of a section.
fn each(top: &mut Map<String, Value>, section: &str, mut form: impl FnMut(&str, &mut Map<String, Value>)) {
    if let Some(Value::Object(entries)) = top.get_mut(section) {
        for (key, entry) in entries {
            if let Value::Object(entry) = entry {
                form(key, entry);
            }
        }
    }
}

fn service_form(service: &mut Map<String, Value>) {
    for always in ["command", "entrypoint"] {
        service.entry(always).or_insert(Value::Null);
    }
    if let Some(Value::Object(networks)) = service.get_mut("networks") {
        for endpoint in networks.values_mut() {
            if endpoint.as_object().is_some_and(Map::is_empty) {
                *endpoint = Value::Null;
            }
        }
    }
    if let Some(Value::Array(mounts)) = service.get_mut("volumes") {
        mounts
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(mount_form);
    }
    if let Some(Value::Array(mounts)) = service.get_mut("configs") {
        for mount in mounts.iter_mut().filter_map(Value::as_object_mut) {
            let implied = mount
                .get("source")
                .and_then(Value::as_str)
                .map(|source| Value::from(format!("/{source}")));
            if mount.get("target") == implied.as_ref() {
                mount.shift_remove("target");
            }
        }
    }
    if let Some(Value::Object(limits)) = service.get_mut("ulimits") {
        for limit in limits.values_mut() {
            if let (Some(soft), Some(hard)) = (limit.get("soft"), limit.get("hard"))
                && soft == hard
            {
                *limit = soft.clone();
            }
        }
    }
    for bytes in ["memswap_limit", "mem_swappiness"] {
        if let Some(value) = service.get_mut(bytes) {
            *value = Value::from(value.to_string());
        }
    }
    if let Some(Value::Object(deploy)) = service.get_mut("deploy") {
        deploy_form::deploy_form(deploy);
    }
    service.sort_keys();
}

/// What belongs to a kind of mount stands under the kind's own name.
fn mount_form(mount: &mut Map<String, Value>) {
    let (section, keys): (&str, &[&str]) = match mount.get("type").and_then(Value::as_str) {
        Some("bind") => (
            "bind",
            &["create_host_path", "propagation", "selinux", "recursive"],
        ),
        Some("volume") => {
            // docker compose keeps the label of a short form there, whatever is mounted.
            if let Some(label) = mount.shift_remove("selinux") {
                mount.insert("bind".to_owned(), json!({ "selinux": label }));
            }
            ("volume", &["nocopy", "subpath", "labels"])
        }
        Some("image") => ("image", &["subpath"]),
        Some("tmpfs") => ("tmpfs", &["size", "mode"]),
        _ => return,
    };
    let mut own = Map::new();
    for key in keys {
        match mount.shift_remove(*key) {
            None | Some(Value::Bool(false)) => {}
            Some(value) => {
                own.insert((*key).to_owned(), value);
            }
        }
    }
    if let Some(mode) = own.get_mut("mode")
        && let Some(number) = mode.as_str().and_then(|m| u32::from_str_radix(m, 8).ok())
    {
        *mode = Value::from(number);
    }
    // A bind without options would be read as one that makes its folder.
    if !own.is_empty() || !["tmpfs", "image"].contains(&section) {
        mount.insert(section.to_owned(), Value::Object(own));
    }
}

fn network_form(network: &mut Map<String, Value>) {
    let mut ipam = Map::new();
    for (from, to) in [
        ("ipam_driver", "driver"),
        ("ipam", "config"),
        ("ipam_options", "options"),
    ] {
        if let Some(value) = network.shift_remove(from) {
            ipam.insert(to.to_owned(), value);
        }
    }
    network.insert("ipam".to_owned(), Value::Object(ipam));
}

fn file_form(file: &mut Map<String, Value>) {
    if let Some(environment) = file.get_mut("environment")
        && let Some(variable) = environment.get_mut("variable")
    {
        *environment = variable.take();
    }
}

/// Doubles each `$` in a text.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(table) => table.values_mut().for_each(escape),
        _ => {}
    }
}
