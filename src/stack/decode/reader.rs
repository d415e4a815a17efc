//! Reading single values, with clear words about what was expected.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};

use crate::base::{parse_bytes, parse_duration};
use crate::stack::diagnostic::{Code, Finding, Findings, did_you_mean};
use crate::stack::interpolate::Variables;
use crate::stack::scope::Scopes;
use crate::stack::source::Span;
use crate::stack::tree::{Entry, Mapping, Node, Resolved, Value};

/// What all element decoders share.
pub(super) struct Decoder<'a> {
    pub(super) findings: &'a mut Findings,
    pub(super) scopes: &'a Scopes,
    /// Whether what an attribute implies is written out.
    pub(super) implied: bool,
    /// Ports that the whole stack may still have, ranges spread: a few bytes can name thousands.
    pub(super) ports_left: usize,
}

/// The longest list: nothing that an engine could do needs a longer one.
const MOST_ITEMS: usize = 50_000;

/// Whether an unknown key is an extension, which is nobody's mistake.
pub(super) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// A value as JSON.
pub(in crate::stack) fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Sequence(items) => items.iter().map(|item| to_json(item)).collect(),
        Value::Mapping(table) => Json::Object(
            table
                .iter()
                .map(|(key, entry)| (key.to_string(), to_json(&entry.node)))
                .collect(),
        ),
        Value::Scalar(_) => match node.resolved() {
            None | Some(Resolved::Null) => Json::Null,
            Some(Resolved::Bool(value)) => Json::Bool(value),
            Some(Resolved::Int(value)) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => Json::from(value),
                (_, Ok(value)) => Json::from(value),
                _ => Json::from(value as f64),
            },
            Some(Resolved::Float(value)) => Json::from(value),
            Some(Resolved::Text(text) | Resolved::Timestamp(text)) => Json::from(text),
        },
    }
}

impl Decoder<'_> {
    pub(super) fn error(&mut self, code: Code, message: impl Into<String>, span: Span) {
        self.findings.push(Finding::error(code, message).at(span));
    }

    pub(super) fn warn(&mut self, code: Code, message: impl Into<String>, span: Span) {
        self.findings.push(Finding::warning(code, message).at(span));
    }

    /// "`name` must be …, found …"
    pub(super) fn expected(&mut self, name: &str, wanted: &str, node: &Node) {
        let mut finding = Finding::error(
            Code::Type,
            format!("`{name}` must be {wanted}, found {}", node.describe()),
        )
        .at(node.span);
        let unquoted = match node.resolved() {
            Some(Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float(_) | Resolved::Timestamp(_)) => {
                matches!(&node.value, Value::Scalar(_)) && wanted.contains("string")
            }
            _ => false,
        };
        if unquoted && let Value::Scalar(scalar) = &node.value {
            finding = finding.help(format!("quote it: \"{}\"", scalar.text()));
        }
        self.findings.push(finding);
    }

    /// An attribute that is not one of `known`.
    pub(super) fn unknown(
        &mut self,
        key: &str,
        entry: &Entry,
        what: &str,
        known: &[&str],
        unsupported: &[&str],
    ) {
        if is_extension(key) {
            return;
        }
        if self.findings.is_full() {
            self.error(Code::UnknownKey, String::new(), entry.key_span);
            return;
        }
        let finding = if unsupported.contains(&key) {
            Finding::error(
                Code::NotSupported,
                format!("`{key}` of {what} is not supported yet"),
            )
        } else {
            let names = known.iter().chain(unsupported).copied();
            Finding::error(Code::UnknownKey, format!("{what} has no attribute `{key}`"))
                .help_opt(did_you_mean(key, names))
        };
        self.findings.push(finding.at(entry.key_span));
    }

    pub(super) fn missing(&mut self, key: &str, what: &str, span: Span) {
        self.error(Code::Missing, format!("{what} needs `{key}`"), span);
    }

    pub(super) fn mapping<'n>(&mut self, name: &str, node: &'n Node) -> Option<&'n Mapping> {
        if node.mapping().is_none() {
            self.expected(name, "a mapping", node);
        }
        node.mapping()
    }

    pub(super) fn list<'n>(&mut self, name: &str, node: &'n Node) -> &'n [Rc<Node>] {
        match node.sequence() {
            Some(items) if items.len() > MOST_ITEMS => {
                self.error(
                    Code::Limit,
                    format!("`{name}` has more than {MOST_ITEMS} items"),
                    node.span,
                );
                &[]
            }
            Some(items) => items,
            None => {
                self.expected(name, "a list", node);
                &[]
            }
        }
    }

    /// A string; numbers and booleans have to be quoted.
    pub(super) fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        match node.resolved() {
            Some(Resolved::Text(text)) => Some(text.to_owned()),
            _ => {
                self.expected(name, "a string", node);
                None
            }
        }
    }

    /// A string; an empty one is as good as none.
    pub(super) fn non_empty_text(&mut self, name: &str, node: &Node) -> Option<String> {
        self.text(name, node).filter(|text| !text.is_empty())
    }

    /// A string that is one of a few.
    pub(super) fn one_of(&mut self, name: &str, node: &Node, allowed: &[&str]) -> Option<String> {
        let text = self.text(name, node)?;
        if allowed.contains(&text.as_str()) {
            return Some(text);
        }
        self.findings.push(
            Finding::error(
                Code::Value,
                format!("`{name}` must be one of {}, found {text:?}", allowed.join(", ")),
            )
            .at(node.span)
            .help_opt(did_you_mean(&text, allowed.iter().copied())),
        );
        None
    }

    /// Any scalar, as text; `None` for null, which is no mistake here.
    pub(super) fn scalar(&mut self, name: &str, node: &Node) -> Option<String> {
        match node.resolved() {
            Some(Resolved::Null) => None,
            Some(Resolved::Timestamp(_)) | None => {
                self.expected(name, "a string, a number or a boolean", node);
                None
            }
            Some(value) => Some(value.to_string()),
        }
    }

    /// A string or a number, as text.
    pub(super) fn text_or_number(&mut self, name: &str, node: &Node) -> Option<String> {
        match node.resolved() {
            Some(value @ (Resolved::Text(_) | Resolved::Int(_) | Resolved::Float(_))) => {
                Some(value.to_string())
            }
            _ => {
                self.expected(name, "a string or a number", node);
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str, node: &Node) -> Option<bool> {
        let found = match node.resolved() {
            Some(Resolved::Bool(value)) => Some(value),
            Some(Resolved::Text(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "t" => Some(true),
                "false" | "0" | "f" => Some(false),
                old @ ("y" | "yes" | "on" | "n" | "no" | "off") => {
                    let value = matches!(old, "y" | "yes" | "on");
                    self.warn(
                        Code::Obsolete,
                        format!("`{text}` is no boolean in YAML 1.2; write `{value}`"),
                        node.span,
                    );
                    Some(value)
                }
                _ => None,
            },
            _ => None,
        };
        if found.is_none() {
            self.expected(name, "true or false", node);
        }
        found
    }

    pub(super) fn integer(&mut self, name: &str, node: &Node) -> Option<i64> {
        let found = match node.resolved() {
            Some(Resolved::Int(value)) => i64::try_from(value).ok(),
            Some(Resolved::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            Some(Resolved::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        if found.is_none() {
            self.expected(name, "a whole number", node);
        }
        found
    }

    /// A whole number within bounds, both included.
    pub(super) fn within(&mut self, name: &str, node: &Node, least: i64, most: i64) -> Option<i64> {
        let value = self.integer(name, node)?;
        if (least..=most).contains(&value) {
            return Some(value);
        }
        let wanted = if most == i64::MAX {
            format!("at least {least}")
        } else {
            format!("between {least} and {most}")
        };
        self.error(
            Code::Value,
            format!("`{name}` must be {wanted}, found {value}"),
            node.span,
        );
        None
    }

    pub(super) fn unsigned(&mut self, name: &str, node: &Node) -> Option<u32> {
        self.within(name, node, 0, i64::from(u32::MAX))
            .and_then(|n| u32::try_from(n).ok())
    }

    pub(super) fn float(&mut self, name: &str, node: &Node) -> Option<f64> {
        let found = match node.resolved() {
            Some(Resolved::Int(value)) => Some(value as f64),
            Some(Resolved::Float(value)) => Some(value),
            Some(Resolved::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let found = found.filter(|value| value.is_finite());
        if found.is_none() {
            self.expected(name, "a number", node);
        }
        found
    }

    pub(super) fn duration(&mut self, name: &str, node: &Node) -> Option<Duration> {
        match node.resolved() {
            Some(Resolved::Text(text)) => match parse_duration(text) {
                Ok(value) => return Some(value),
                Err(wanted) => self.expected(name, wanted, node),
            },
            Some(Resolved::Int(0)) => return Some(Duration::ZERO),
            _ => self.expected(name, "a duration such as 1m30s, 10s or 250ms", node),
        }
        None
    }

    pub(super) fn bytes(&mut self, name: &str, node: &Node) -> Option<u64> {
        let found = match node.resolved() {
            Some(Resolved::Int(value)) => u64::try_from(value).ok().filter(|v| i64::try_from(*v).is_ok()),
            Some(Resolved::Float(value)) if (0.0..9e18).contains(&value) => Some(value as u64),
            Some(Resolved::Text(text)) => parse_bytes(text).ok(),
            _ => None,
        };
        if found.is_none() {
            self.expected(name, "a size such as 512k, 64m or 1gb", node);
        }
        found
    }

    /// A file mode: octal where written as a number or a string.
    pub(super) fn mode(&mut self, name: &str, node: &Node) -> Option<u32> {
        let found = match node.resolved() {
            Some(Resolved::Int(value)) => u32::try_from(value).ok(),
            Some(Resolved::Text(text)) => {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                u32::from_str_radix(digits, 8).ok()
            }
            _ => None,
        };
        let found = found.filter(|mode| *mode <= 0o7777);
        if found.is_none() {
            self.expected(name, "a file mode such as 0440", node);
        }
        found
    }

    /// A list of strings.
    pub(super) fn texts(&mut self, name: &str, node: &Node) -> Vec<String> {
        let items = self.list(name, node);
        items.iter().filter_map(|item| self.text(name, item)).collect()
    }

    /// A list must not say the same twice.
    pub(super) fn distinct(&mut self, name: &str, node: &Node) {
        let mut seen: HashMap<String, Span> = HashMap::new();
        for item in node.sequence().into_iter().flatten() {
            let Some(value) = item.resolved() else { continue };
            if let Some(first) = seen.insert(value.describe(), item.span) {
                self.findings.push(
                    Finding::error(
                        Code::Duplicate,
                        format!("`{name}` has {} twice", value.describe()),
                    )
                    .label(item.span, "here")
                    .label(first, "and here"),
                );
            }
        }
    }

    /// A list of strings, each once.
    pub(super) fn unique_texts(&mut self, name: &str, node: &Node) -> Vec<String> {
        unique(self.texts(name, node))
    }

    /// A string, or a list of strings.
    pub(super) fn text_or_texts(&mut self, name: &str, node: &Node) -> Vec<String> {
        match node.resolved() {
            Some(Resolved::Text(text)) => vec![text.to_owned()],
            Some(_) => {
                self.expected(name, "a string or a list of strings", node);
                Vec::new()
            }
            None => unique(self.texts(name, node)),
        }
    }

    /// `{key: value}` or `[key=value, key]`; values as text, `None` where there is none.
    pub(super) fn pairs(&mut self, name: &str, node: &Node) -> IndexMap<String, Option<String>> {
        let mut out = IndexMap::new();
        match &node.value {
            Value::Mapping(table) => {
                for (key, entry) in table {
                    let value = self.scalar(&format!("{name}.{key}"), &entry.node);
                    out.insert(key.to_string(), value);
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    if let Some(text) = self.text(name, item) {
                        match text.split_once('=') {
                            Some((key, value)) => out.insert(key.to_owned(), Some(value.to_owned())),
                            None => out.insert(text, None),
                        };
                    }
                }
            }
            Value::Scalar(_) => self.expected(name, "a mapping or a list of KEY=value", node),
        }
        out
    }

    /// As [`Self::pairs`]; a key without a value has an empty one.
    pub(super) fn texts_by_key(&mut self, name: &str, node: &Node) -> IndexMap<String, String> {
        self.pairs(name, node)
            .into_iter()
            .map(|(key, value)| (key, value.unwrap_or_default()))
            .collect()
    }

    /// A path, made absolute.
    pub(super) fn path(&mut self, name: &str, node: &Node) -> Option<PathBuf> {
        let text = self.text(name, node)?;
        if text.is_empty() {
            self.expected(name, "a path", node);
            return None;
        }
        Some(self.scopes.host_path(node.span.file, &text))
    }

    /// The variables of the file that a node stands in.
    pub(super) fn variables(&self, node: &Node) -> &Variables {
        &self.scopes.of(node.span.file).variables
    }
}

/// Each text once, at its first place.
pub(super) fn unique(items: Vec<String>) -> Vec<String> {
    IndexSet::<String>::from_iter(items).into_iter().collect()
}

/// The last item of each key, at the place of the first.
pub(super) fn last_of_each<K: std::hash::Hash + Eq, T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut out: IndexMap<K, T> = IndexMap::new();
    for item in items {
        out.insert(key(&item), item);
    }
    out.into_values().collect()
}
