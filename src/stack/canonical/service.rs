//! The attributes of a service in their long forms.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::tree::{Writer, entries, items};
use crate::stack::decode::{is_remote_context, short_mount, short_ports, to_json};
use crate::stack::tree::{Node, Value};

impl Writer<'_> {
    pub(super) fn service(&self, node: &Node) -> Json {
        entries(node, |key, node| self.attribute(key, node))
    }

    fn attribute(&self, key: &str, node: &Node) -> Json {
        match key {
            "build" => self.build(node),
            "depends_on" => depends_on(node),
            "deploy" => deploy(to_json(node)),
            "develop" => self.develop(node),
            "devices" => unique(items(node, |item| device(to_json(item))), |item| {
                text_at(item, "target")
            }),
            "env_file" => unique(self.env_files(node), |item| text_at(item, "path")),
            "label_file" => listed(node, |item| self.path(item)),
            "gpus" => gpus(to_json(node)),
            "networks" | "models" => names(node),
            "volumes" => unique(items(node, |item| self.mount(item)), |item| {
                text_at(item, "target")
            }),
            "ports" => ports(node),
            "secrets" => {
                let mounts = items(node, |item| secret(file_mount(to_json(item))));
                unique(mounts, |item| text_at(item, "target"))
            }
            "configs" => unique(items(node, |item| file_mount(to_json(item))), |item| {
                text_at(item, "target").or_else(|| Some(format!("/{}", text_at(item, "source")?)))
            }),
            "dns" => unique(listed(node, to_json), key_of),
            "cap_add" | "cap_drop" | "dns_opt" | "dns_search" | "expose" | "links" | "profiles" | "tmpfs"
            | "environment" | "labels" | "annotations" | "sysctls" => unique(to_json(node), key_of),
            _ => to_json(node),
        }
    }

    fn build(&self, node: &Node) -> Json {
        let Some(table) = node.mapping() else {
            return json!({ "context": self.context(node, &to_json(node)) });
        };
        let mut build = entries(node, |key, value| match key {
            "context" => self.context(value, &to_json(value)),
            "additional_contexts" => self.additional_contexts(value),
            "ssh" => ssh(value),
            "secrets" => items(value, |item| file_mount(to_json(item))),
            "provenance" | "sbom" => match to_json(value) {
                Json::Bool(wanted) => json!(wanted.to_string()),
                other => other,
            },
            "args" | "labels" | "tags" => unique(to_json(value), key_of),
            _ => to_json(value),
        });
        if !table.contains_key("context") {
            build["context"] = self.context(node, &json!("."));
        }
        build
    }

    fn context(&self, node: &Node, written: &Json) -> Json {
        match written.as_str() {
            Some(text) if is_remote_context(text) => written.clone(),
            _ => self.path_text(node, written),
        }
    }

    /// `[name=place]` as a table, where every item is one.
    fn additional_contexts(&self, node: &Node) -> Json {
        let Value::Sequence(list) = &node.value else {
            return entries(node, |_, value| self.context(value, &to_json(value)));
        };
        let pairs: Option<Map<String, Json>> = list
            .iter()
            .map(|item| {
                let text = to_json(item);
                let (name, place) = text.as_str()?.split_once('=')?;
                Some((name.to_owned(), self.context(item, &json!(place))))
            })
            .collect();
        pairs.map_or_else(|| to_json(node), Json::Object)
    }

    fn develop(&self, node: &Node) -> Json {
        entries(node, |key, value| match key {
            "watch" => items(value, |rule| {
                entries(rule, |key, value| match key {
                    "path" => self.path(value),
                    "ignore" | "include" => listed(value, to_json),
                    _ => to_json(value),
                })
            }),
            _ => to_json(value),
        })
    }

    fn env_files(&self, node: &Node) -> Json {
        listed(node, |item| {
            let mut file = match item.mapping() {
                Some(_) => entries(item, |key, value| match key {
                    "path" => self.path(value),
                    _ => to_json(value),
                }),
                None => json!({ "path": self.path(item) }),
            };
            default(&mut file, "required", || json!(true));
            file
        })
    }

    /// A mount; a short form that cannot be read before variables are put in stays.
    fn mount(&self, node: &Node) -> Json {
        let written = to_json(node);
        let Some(text) = written.as_str() else {
            let is_bind = written.get("type").is_some_and(|kind| kind == "bind");
            return entries(node, |key, value| match key {
                "source" if is_bind => self.path(value),
                _ => to_json(value),
            });
        };
        match short_mount(text, |source| self.scopes.host_path(node.span.file, source)) {
            Some(mount) => crate::model::compose::mount_value(&mount),
            None => written,
        }
    }
}

/// A list of what is written for each item; a single value is a list of one.
fn listed(node: &Node, mut write: impl FnMut(&Node) -> Json) -> Json {
    match &node.value {
        Value::Sequence(list) => list.iter().map(|item| write(item)).collect(),
        _ => json!([write(node)]),
    }
}

/// `[a]` as `{a: null}`.
fn names(node: &Node) -> Json {
    let Value::Sequence(list) = &node.value else {
        return to_json(node);
    };
    let names = list
        .iter()
        .filter_map(|item| to_json(item).as_str().map(str::to_owned));
    Json::Object(names.map(|name| (name, Json::Null)).collect())
}

fn depends_on(node: &Node) -> Json {
    let mut table = names(node);
    for dependency in table.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if dependency.is_null() {
            *dependency = json!({});
        }
        default(dependency, "condition", || json!("service_started"));
        default(dependency, "required", || json!(true));
    }
    table
}

fn deploy(mut deploy: Json) -> Json {
    let devices = deploy.pointer_mut("/resources/reservations/devices");
    device_requests(devices);
    deploy
}

fn gpus(written: Json) -> Json {
    let mut list = match written {
        Json::String(_) => json!([{}]),
        other => other,
    };
    device_requests(Some(&mut list));
    list
}

/// A request that says neither how many nor which asks for all.
fn device_requests(list: Option<&mut Json>) {
    for request in list.and_then(Json::as_array_mut).into_iter().flatten() {
        if request.get("device_ids").is_none() {
            default(request, "count", || json!("all"));
        }
    }
}

/// `source[:target[:permissions]]`.
fn device(written: Json) -> Json {
    let Some(text) = written.as_str() else {
        return written;
    };
    let mut parts = text.split(':');
    let source = parts.next().unwrap_or_default();
    let target = parts.next().filter(|target| !target.is_empty()).unwrap_or(source);
    let permissions = parts.next().unwrap_or("rwm");
    json!({ "source": source, "target": target, "permissions": permissions })
}

fn file_mount(written: Json) -> Json {
    match written {
        Json::String(source) => json!({ "source": source }),
        other => other,
    }
}

fn secret(mut mount: Json) -> Json {
    if let Some(source) = text_at(&mount, "source") {
        default(&mut mount, "target", || json!(format!("/run/secrets/{source}")));
    }
    mount
}

/// `[id=path, default]` as a table.
fn ssh(node: &Node) -> Json {
    let Value::Sequence(list) = &node.value else {
        return to_json(node);
    };
    let keys = list.iter().filter_map(|item| {
        let text = to_json(item).as_str()?.to_owned();
        Some(match text.split_once('=') {
            Some((id, path)) => (id.to_owned(), json!(path)),
            None => (text, Json::Null),
        })
    });
    Json::Object(keys.collect())
}

/// Ports one by one; where one cannot be read before variables are put in, all stay as they are written.
fn ports(node: &Node) -> Json {
    let written = to_json(node);
    let Some(list) = written.as_array() else {
        return written;
    };
    let mut ports = Vec::new();
    for item in list {
        let text = match item {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            long => {
                let mut long = long.clone();
                default(&mut long, "protocol", || json!("tcp"));
                default(&mut long, "mode", || json!("ingress"));
                ports.push(long);
                continue;
            }
        };
        match short_ports(&text) {
            Ok(short) => ports.extend(short.iter().map(|port| json!(port))),
            Err(_) => return with_port_defaults(written),
        }
    }
    unique(Json::Array(ports), |port| {
        let field = |key: &str, implied: &str| port.get(key).map_or(implied.to_owned(), Json::to_string);
        Some(format!(
            "{}:{}:{}/{}",
            field("host_ip", "0.0.0.0"),
            field("published", ""),
            port.get("target")?,
            field("protocol", "tcp")
        ))
    })
}

/// The long forms among ports of which some are short.
fn with_port_defaults(mut list: Json) -> Json {
    for port in list.as_array_mut().into_iter().flatten() {
        default(port, "protocol", || json!("tcp"));
        default(port, "mode", || json!("ingress"));
    }
    list
}

/// An attribute of a table that does not have it.
fn default(table: &mut Json, key: &str, value: impl FnOnce() -> Json) {
    if let Some(table) = table.as_object_mut() {
        table.entry(key).or_insert_with(value);
    }
}

fn text_at(table: &Json, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

/// `KEY=value` and `KEY` by their key.
fn key_of(item: &Json) -> Option<String> {
    match item {
        Json::String(text) => Some(text.split('=').next().unwrap_or_default().to_owned()),
        other => Some(other.to_string()),
    }
}

/// A list in which of several items of one key the last stands, in the place of the first.
fn unique(list: Json, key: impl Fn(&Json) -> Option<String>) -> Json {
    let Json::Array(items) = list else {
        return list;
    };
    let mut kept: IndexMap<String, Json> = IndexMap::new();
    for (index, item) in items.into_iter().enumerate() {
        // What has no key is nobody's equal.
        let key = key(&item).unwrap_or_else(|| format!("\0{index}"));
        kept.insert(key, item);
    }
    kept.into_values().collect()
}
