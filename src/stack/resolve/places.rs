//! Where things were written, found again in the merged tree once a finding needs it.

use std::rc::Rc;

use crate::base::ServiceName;
use crate::model::{Project, Service, SourcePlace, SourcePlaces};
use crate::stack::source::{SourceMap, Span};
use crate::stack::tree::{Node, Value};

/// The merged tree, to be asked for places.
#[derive(Debug, Clone, Copy)]
pub struct Places<'n> {
    root: &'n Node,
}

impl<'n> Places<'n> {
    /// Places in a tree.
    pub fn new(root: &'n Node) -> Self {
        Self { root }
    }

    /// The key at the end of a path of keys; of what is missing, the last key that is there.
    pub fn key(&self, path: &[&str]) -> Span {
        let mut node = self.root;
        let mut span = self.root.span;
        for key in path {
            let Some(entry) = node.get(key) else {
                break;
            };
            span = entry.key_span;
            node = &entry.node;
        }
        span
    }

    /// Whether there is something at the end of a path of keys.
    pub fn has(&self, path: &[&str]) -> bool {
        self.node(path).is_some()
    }

    /// The keys of the table at the end of a path of keys.
    pub fn keys(&self, path: &[&str]) -> impl Iterator<Item = &'n str> {
        let table = self.node(path).and_then(Node::mapping);
        table.into_iter().flat_map(|table| table.keys().map(|key| &**key))
    }

    /// The value at the end of a path of keys.
    pub fn value(&self, path: &[&str]) -> Span {
        self.node(path).map_or_else(|| self.key(path), |node| node.span)
    }

    /// Of the list or table at a path, the item or key with a text, or the item whose attribute
    /// `source` or whose beginning up to `:` or `=` has it; else the path's key.
    pub fn item(&self, path: &[&str], text: &str) -> Span {
        let found = self.node(path).and_then(|node| match &node.value {
            Value::Mapping(table) => table.get(text).map(|e| e.key_span),
            Value::Sequence(items) => items.iter().find(|item| names(item, text)).map(|item| item.span),
            Value::Scalar(_) => None,
        });
        found.unwrap_or_else(|| self.key(path))
    }

    /// The items of a list of mounts, short or long, that mount something at a target.
    pub fn mounts_at(&self, path: &[&str], target: &str) -> Vec<Span> {
        let same = |text: &str| text.trim_end_matches('/') == target.trim_end_matches('/');
        let mounts = |item: &&Rc<Node>| match item.get("target") {
            Some(long) => text_of(&long.node).is_some_and(same),
            None => text_of(item).is_some_and(|text| text.split(':').any(same)),
        };
        let items = match self.node(path).map(|node| &node.value) {
            Some(Value::Sequence(items)) => items.iter().collect(),
            _ => Vec::new(),
        };
        items.into_iter().filter(mounts).map(|item| item.span).collect()
    }

    /// Where a service says that it needs another: in `depends_on`, or in what implies it.
    pub fn dependency(&self, name: &ServiceName, service: &Service, other: &ServiceName) -> Span {
        let at = |attribute| self.item(&["services", name.as_str(), attribute], other.as_str());
        let names_other = |item: &String| item.split(':').next() == Some(other.as_str());
        if self.has(&["services", name.as_str(), "depends_on"]) {
            let path = ["services", name.as_str(), "depends_on"];
            let place = self.item(&path, other.as_str());
            if place != self.key(&path) {
                return place;
            }
        }
        if service.links.iter().any(names_other) {
            at("links")
        } else if service.volumes_from.iter().any(names_other) {
            at("volumes_from")
        } else {
            let reference = format!("service:{other}");
            ["network_mode", "ipc", "pid", "uts", "cgroup"]
                .into_iter()
                .map(|attribute| ["services", name.as_str(), attribute])
                .find(|path| {
                    self.node(path)
                        .is_some_and(|node| text_of(node) == Some(&reference))
                })
                .map_or_else(|| at("depends_on"), |path| self.value(&path))
        }
    }

    /// Under a path, the first value of `service` or `needs` that is this text; else the path's key.
    pub fn mention(&self, path: &[&str], text: &str) -> Span {
        self.node(path)
            .and_then(|node| mention(node, text, false))
            .unwrap_or_else(|| self.key(path))
    }

    /// Where services and smoke tests are defined.
    pub fn of_project(&self, project: &Project, sources: &SourceMap) -> SourcePlaces {
        let place = |span: Span| SourcePlace {
            file: sources.name(span.file).into(),
            line: sources.position(span).line,
        };
        let tests = self.node(&["x-platform", "smoke"]).and_then(Node::sequence);
        let named = |item: &Rc<Node>| {
            let name = text_of(&item.get("name")?.node)?.to_owned();
            Some((name, place(item.span)))
        };
        SourcePlaces {
            services: project
                .services
                .keys()
                .map(|name| (name.clone(), place(self.key(&["services", name.as_str()]))))
                .collect(),
            smoke: tests.into_iter().flatten().filter_map(named).collect(),
        }
    }

    fn node(&self, path: &[&str]) -> Option<&'n Node> {
        let mut node = self.root;
        for key in path {
            node = &node.get(key)?.node;
        }
        Some(node)
    }
}

fn text_of(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar.text()),
        _ => None,
    }
}

fn mention(node: &Node, text: &str, counts: bool) -> Option<Span> {
    match &node.value {
        Value::Scalar(scalar) => (counts && scalar.text() == text).then_some(node.span),
        Value::Sequence(items) => items.iter().find_map(|item| mention(item, text, counts)),
        Value::Mapping(table) => table
            .iter()
            .find_map(|(key, entry)| mention(&entry.node, text, matches!(&**key, "service" | "needs"))),
    }
}

fn names(item: &Rc<Node>, text: &str) -> bool {
    let written = text_of(item).or_else(|| text_of(&item.get("source")?.node));
    written.is_some_and(|written| {
        written
            .strip_prefix(text)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '=']))
    })
}
