//! A recipe's YAML as plain values, read by the composer of stack files (same limits, same scalars).

use std::path::PathBuf;

use crate::stack::diagnostic::Findings;
use crate::stack::source::{SourceMap, Span};
use crate::stack::tree::{self, Node};

use super::decode::Wrong;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Any scalar, as written.
    Text(String),
    List(Vec<Value>),
    Map(Map),
}

/// A table: key, line of the key (from 1) and value, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Map(Vec<(String, usize, Value)>);

impl Map {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, ..)| k == key).map(|(_, _, value)| value)
    }

    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.0.iter().find(|(k, ..)| k == key).map(|(_, line, _)| *line)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.0.iter().map(|(key, line, _)| (key.as_str(), Some(*line)))
    }
}

impl Value {
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self, key: &str) -> Result<&str, Wrong> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err((
                None,
                format!("{key}: expected a text, found {}", other.describe()),
            )),
        }
    }
}

/// Reads a text of one document.
pub(super) fn read(text: &str) -> Result<Value, Wrong> {
    let mut sources = SourceMap::default();
    let file = sources.add("recipe.yaml", PathBuf::from("recipe.yaml"), text);
    let mut findings = Findings::default();
    let documents = tree::compose(text, file, &mut findings);
    let line = |span: Span| sources.position(span).line;
    if let Some(finding) = findings.into_sorted().into_iter().next() {
        return Err((finding.labels.first().map(|l| line(l.span)), finding.message));
    }
    match documents.as_deref() {
        Some([node]) => Ok(value(node, &line)),
        Some([]) | None => Err((None, "the file is empty".to_owned())),
        Some(_) => Err((None, "the file holds more than one document".to_owned())),
    }
}

/// The composer bounds depth and size, aliases written out, so that this may recurse.
fn value(node: &Node, line: &dyn Fn(Span) -> usize) -> Value {
    match &node.value {
        tree::Value::Scalar(scalar) => Value::Text(scalar.text().to_owned()),
        tree::Value::Sequence(items) => Value::List(items.iter().map(|item| value(item, line)).collect()),
        tree::Value::Mapping(entries) => Value::Map(Map(entries
            .iter()
            .map(|(key, entry)| (key.to_string(), line(entry.key_span), value(&entry.node, line)))
            .collect())),
    }
}
