//! The top of a stack: sections, and the resources other than services.

use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use crate::stack::decode::to_json;
use crate::stack::scope::Scopes;
use crate::stack::tree::{Node, Value};

/// A merged tree as JSON in long forms. Paths are those of `scopes`.
pub fn canonical(root: &Node, scopes: &Scopes) -> Map<String, Json> {
    let writer = Writer { scopes };
    let mut out = Map::new();
    for (key, entry) in root.mapping().into_iter().flatten() {
        let node = &entry.node;
        let value = match &**key {
            // Done before; without effect.
            "include" | "version" => continue,
            "services" => entries(node, |_, node| writer.service(node)),
            "networks" => entries(node, |_, node| with_external(to_json(node))),
            "volumes" => entries(node, |_, node| writer.volume(node)),
            "configs" | "secrets" => entries(node, |_, node| writer.file(node)),
            _ => to_json(node),
        };
        out.insert(key.to_string(), value);
    }
    out
}

pub(super) struct Writer<'a> {
    pub(super) scopes: &'a Scopes,
}

impl Writer<'_> {
    /// A text that is a path of the host; anything else stays.
    pub(super) fn path(&self, node: &Node) -> Json {
        self.path_text(node, &to_json(node))
    }

    /// The same of a text that stands in a node.
    pub(super) fn path_text(&self, node: &Node, value: &Json) -> Json {
        match value {
            Json::String(text) if !text.is_empty() => {
                json!(self.scopes.host_path(node.span.file, text))
            }
            other => other.clone(),
        }
    }

    /// A volume of the local driver that binds a folder names it by a path.
    fn volume(&self, node: &Node) -> Json {
        let mut volume = with_external(to_json(node));
        let option = |name: &str| node.get("driver_opts")?.node.get(name).map(|entry| &entry.node);
        let is = |node: Option<&Rc<Node>>, text: &str| node.is_some_and(|node| to_json(node) == text);
        if is(node.get("driver").map(|entry| &entry.node), "local")
            && is(option("o"), "bind")
            && let Some(device) = option("device")
        {
            volume["driver_opts"]["device"] = self.path(device);
        }
        volume
    }

    /// A config or a secret.
    fn file(&self, node: &Node) -> Json {
        let mut file = with_external(to_json(node));
        if let Some(path) = node.get("file") {
            file["file"] = self.path(&path.node);
        }
        file
    }
}

/// Each entry of a table; what is no table stays.
pub(super) fn entries(node: &Node, mut write: impl FnMut(&str, &Node) -> Json) -> Json {
    let Some(table) = node.mapping() else {
        return to_json(node);
    };
    let entries = table
        .iter()
        .map(|(key, entry)| (key.to_string(), write(key, &entry.node)));
    Json::Object(entries.collect())
}

/// Each item of a list; what is no list stays.
pub(super) fn items(node: &Node, write: impl FnMut(&Rc<Node>) -> Json) -> Json {
    match &node.value {
        Value::Sequence(items) => items.iter().map(write).collect(),
        _ => to_json(node),
    }
}

/// The older `external: {name: x}` as `external: true` and a name.
fn with_external(mut resource: Json) -> Json {
    if let Some(table) = resource.as_object_mut()
        && let Some(Json::Object(external)) = table.get("external")
    {
        let name = external.get("name").cloned();
        table.insert("external".to_owned(), Json::Bool(true));
        if let Some(name) = name {
            table.entry("name").or_insert(name);
        }
    }
    resource
}
