//! What a stack implies, written out in a tree that was not decoded (compose-go's `loader/normalize.go`).

use serde_json::{Map, Value as Json, json};

use crate::stack::interpolate::Variables;

/// Writes out the project's name, the default network, full names, dependencies by links and shared namespaces,
/// the place of Dockerfiles, and the values of variables that are only named.
pub fn write_implied(model: &mut Map<String, Json>, project: &str, variables: &Variables) {
    model.insert("name".to_owned(), json!(project));
    default_network(model);
    for service in tables(model.get_mut("services")) {
        if service
            .get("pull_policy")
            .is_some_and(|policy| policy == "if_not_present")
        {
            service.insert("pull_policy".to_owned(), json!("missing"));
        }
        if let Some(Json::Object(build)) = service.get_mut("build") {
            if !build.contains_key("dockerfile") && !build.contains_key("dockerfile_inline") {
                build.insert("dockerfile".to_owned(), json!("Dockerfile"));
            }
            if let Some(args) = build.get_mut("args") {
                look_up(args, variables, false);
            }
        }
        if let Some(environment) = service.get_mut("environment") {
            look_up(environment, variables, true);
        }
        for mount in service
            .get_mut("volumes")
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(target) = mount.get("target").and_then(Json::as_str) {
                let clean = crate::stack::decode::clean_target(target);
                mount["target"] = json!(clean);
            }
        }
        implied_dependencies(service);
    }
    for section in ["networks", "volumes", "configs", "secrets"] {
        full_names(model, section, project);
    }
}

/// The tables in a table.
fn tables(section: Option<&mut Json>) -> impl Iterator<Item = &mut Map<String, Json>> {
    let entries = section.and_then(Json::as_object_mut);
    entries
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Json::as_object_mut)
}

/// A service that says nothing of networks is on the default one.
fn default_network(model: &mut Map<String, Json>) {
    let mut used = false;
    for service in tables(model.get_mut("services")) {
        if service.contains_key("provider") || service.contains_key("network_mode") {
            continue;
        }
        let networks = service.entry("networks").or_insert_with(|| json!({}));
        let Some(networks) = networks.as_object_mut() else {
            continue;
        };
        if networks.is_empty() {
            networks.insert("default".to_owned(), Json::Null);
        }
        used |= networks.contains_key("default");
    }
    if used
        && let Some(networks) = model
            .entry("networks")
            .or_insert_with(|| json!({}))
            .as_object_mut()
    {
        networks.entry("default").or_insert(Json::Null);
    }
}

/// Gives `KEY` and `KEY: null` the variable's value; without one they are kept or not.
fn look_up(pairs: &mut Json, variables: &Variables, keep: bool) {
    match pairs {
        Json::Array(items) => items.retain_mut(|item| match item.as_str() {
            Some(name) if !name.contains('=') => match variables.get(name) {
                Some(value) => {
                    *item = json!(format!("{name}={value}"));
                    true
                }
                None => keep,
            },
            _ => true,
        }),
        Json::Object(table) => table.retain(|name, value| {
            if value.is_null()
                && let Some(found) = variables.get(name)
            {
                *value = json!(found);
            }
            keep || !value.is_null()
        }),
        _ => {}
    }
}

fn implied_dependencies(service: &mut Map<String, Json>) {
    let mut implied: Vec<(String, bool)> = Vec::new();
    let texts = |key: &str| -> Vec<&str> {
        let list = service.get(key).and_then(Json::as_array);
        list.into_iter().flatten().filter_map(Json::as_str).collect()
    };
    for link in texts("links") {
        implied.push((first_part(link), true));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let shared = service.get(namespace).and_then(Json::as_str);
        if let Some(name) = shared.and_then(|text| text.strip_prefix("service:")) {
            implied.push((name.to_owned(), true));
        }
    }
    for source in texts("volumes_from") {
        if !source.starts_with("container:") {
            implied.push((first_part(source), false));
        }
    }
    if implied.is_empty() {
        return;
    }
    let dependencies = service.entry("depends_on").or_insert_with(|| json!({}));
    if let Some(dependencies) = dependencies.as_object_mut() {
        for (name, restart) in implied {
            dependencies.entry(name).or_insert_with(
                || json!({ "condition": "service_started", "restart": restart, "required": true }),
            );
        }
    }
}

fn first_part(text: &str) -> String {
    text.split(':').next().unwrap_or_default().to_owned()
}

/// What has no name is called by its key: alone where it is somebody else's, after the project's name otherwise.
fn full_names(model: &mut Map<String, Json>, section: &str, project: &str) {
    let entries = model.get_mut(section).and_then(Json::as_object_mut);
    for (key, resource) in entries.into_iter().flatten() {
        if resource.is_null() {
            *resource = json!({});
        }
        let Some(resource) = resource.as_object_mut() else {
            continue;
        };
        let external = resource
            .get("external")
            .is_some_and(|external| *external == true || external == "true");
        resource.entry("name").or_insert_with(|| {
            if external {
                json!(key)
            } else {
                json!(format!("{project}_{key}"))
            }
        });
    }
}
