//! The model's own form → the structure of `docker compose config`, and what docker compose computes
//! from it.

use serde_json::{Map, Value, json};

use super::{Mount, Project, Service};

mod deploy;
mod hash;
mod smoke;

pub use hash::{container_hash, service_hash};

/// The project in the structure of docker compose's JSON; a `$` in a text is doubled, as it is to be read
/// again.
pub fn to_value(project: &Project) -> Value {
    let mut value = form(project);
    if let Value::Object(top) = &mut value {
        each(top, "services", |_, service| json_form(service));
        // docker compose's JSON has none of them.
        top.shift_remove("models");
        each(top, "networks", |_, network| {
            network.entry("ipam").or_insert_with(|| json!({}));
        });
    }
    escape(&mut value);
    value
}

/// The same as docker compose writes it as YAML: with the extensions of every level.
pub fn to_yaml_value(project: &Project) -> Value {
    let mut value = form(project);
    for (path, key, extension) in &project.nested_extensions {
        if let Some(Value::Object(table)) = value.pointer_mut(path) {
            table.insert(key.clone(), extension.clone());
        }
    }
    escape(&mut value);
    value
}

fn form(project: &Project) -> Value {
    let mut value = serde_json::to_value(project).unwrap_or(Value::Null);
    whole_numbers(&mut value);
    if let Value::Object(top) = &mut value {
        each(top, "services", |_, service| {
            service_form(service);
            for mount in tables(service.get_mut("configs")) {
                let implied = mount.get("source").and_then(Value::as_str);
                let implied = implied.map(|source| Value::from(format!("/{source}")));
                if mount.get("target") == implied.as_ref() {
                    mount.shift_remove("target");
                }
            }
        });
        each(top, "networks", |_, network| network_form(network));
        for section in ["secrets", "configs"] {
            each(top, section, |_, file| file_form(file));
        }
        if let Some(Value::Object(ext)) = top.get_mut("x-platform")
            && let Some(Value::Array(tests)) = ext.get_mut("smoke")
        {
            *tests = project.ext.smoke.iter().map(smoke::smoke_form).collect();
        }
    }
    value
}

/// A service in Compose's structure; texts as they are.
fn service_value(service: &Service) -> Map<String, Value> {
    let mut value = serde_json::to_value(service).unwrap_or(Value::Null);
    whole_numbers(&mut value);
    let Value::Object(mut fields) = value else {
        return Map::new();
    };
    service_form(&mut fields);
    json_form(&mut fields);
    fields
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

/// What docker compose's JSON has and its YAML has not: fields that are always written, and names without
/// a tag of their own.
fn json_form(service: &mut Map<String, Value>) {
    for always in ["command", "entrypoint"] {
        service.entry(always).or_insert(Value::Null);
    }
    let rules = service.get_mut("develop").and_then(|d| d.get_mut("watch"));
    for rule in tables(rules) {
        rule.entry("exec").or_insert_with(|| json!({ "command": null }));
    }
    if let Some(Value::Object(blkio)) = service.get_mut("blkio_config") {
        for device in blkio.values_mut().flat_map(|list| tables(Some(list))) {
            for (tag, name) in [("path", "Path"), ("weight", "Weight"), ("rate", "Rate")] {
                if let Some(value) = device.shift_remove(tag) {
                    device.insert(name.to_owned(), value);
                }
            }
        }
    }
    if let Some(Value::Object(deploy)) = service.get_mut("deploy") {
        for always in ["resources", "placement"] {
            deploy.entry(always).or_insert_with(|| json!({}));
        }
        deploy.sort_keys();
    }
    service.sort_keys();
}

/// A mount in Compose's structure; texts as they are.
pub fn mount_value(mount: &Mount) -> Value {
    let mut value = serde_json::to_value(mount).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        mount_form(fields);
    }
    value
}

/// The tables of a list.
fn tables(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let items = list.and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut)
}

fn service_form(service: &mut Map<String, Value>) {
    if let Some(Value::Object(networks)) = service.get_mut("networks") {
        for endpoint in networks.values_mut() {
            if endpoint.as_object().is_some_and(Map::is_empty) {
                *endpoint = Value::Null;
            }
        }
    }
    tables(service.get_mut("volumes")).for_each(mount_form);
    for section in ["configs", "secrets"] {
        for mount in tables(service.get_mut(section)) {
            match mount.shift_remove("written_target") {
                Some(written) => {
                    mount.insert("target".to_owned(), written);
                }
                // A config stands at `/<source>`, and that is not written.
                None if section == "configs" => {
                    mount.shift_remove("target");
                }
                None => {}
            }
        }
    }
    shared_form(service);
    if let Some(Value::Object(build)) = service.get_mut("build") {
        shared_form(build);
        unset_args(build);
    }
    for bytes in ["memswap_limit", "mem_swappiness"] {
        if let Some(value) = service.get_mut(bytes) {
            *value = Value::from(value.to_string());
        }
    }
    if let Some(Value::Object(deploy)) = service.get_mut("deploy") {
        deploy::deploy_form(deploy);
    }
    service.sort_keys();
}

/// Arguments without a value stand among the others.
fn unset_args(build: &mut Map<String, Value>) {
    let Some(Value::Array(names)) = build.shift_remove("unset_args") else {
        return;
    };
    if let Value::Object(args) = build.entry("args").or_insert_with(|| json!({})) {
        let names = names.iter().filter_map(Value::as_str);
        args.extend(names.map(|name| (name.to_owned(), Value::Null)));
    }
}

/// What services and builds have alike: hosts, Go's map of which is written as a sorted list, and limits, one
/// number where both are the same.
fn shared_form(table: &mut Map<String, Value>) {
    if let Some(Value::Array(hosts)) = table.get_mut("extra_hosts") {
        hosts.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
    if let Some(Value::Object(limits)) = table.get_mut("ulimits") {
        for limit in limits.values_mut() {
            if let (Some(soft), Some(hard)) = (limit.get("soft"), limit.get("hard"))
                && soft == hard
            {
                *limit = soft.clone();
            }
        }
    }
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
    if !ipam.is_empty() {
        network.insert("ipam".to_owned(), Value::Object(ipam));
    }
}

fn file_form(file: &mut Map<String, Value>) {
    if let Some(environment) = file.get_mut("environment")
        && let Some(variable) = environment.get_mut("variable")
    {
        *environment = variable.take();
    }
}

/// Go writes `2` where a float is whole.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|f| number.is_f64() && f.fract() == 0.0)
                && float.abs() < 1e15
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
                let whole = float as i64;
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(table) => table.values_mut().for_each(whole_numbers),
        _ => {}
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
