//! A value of the stack: the place that won, the places of other files that it won over, the variables in it.

use std::rc::Rc;

use super::origin::{Explanation, Origin};
use super::{Evidence, variable};
use crate::stack::diagnostic::Findings;
use crate::stack::interpolate::names_in;
use crate::stack::source::Span;
use crate::stack::tree::{Node, Scalar, Value, compose};

/// The most values of a list or table that are explained.
const MOST_PARTS: usize = 500;

/// Explains the value at a path of keys with dots between them.
pub(super) fn explain(path: &str, evidence: Evidence<'_>) -> Option<Explanation> {
    let node = find(evidence.root, path)?;
    let mut documents = Vec::new();
    for id in evidence.sources.ids() {
        let text = evidence.sources.file(id).map_or("", |file| &file.text);
        // What is wrong with the files has been told; an environment file is no table.
        let read = compose(text, id, &mut Findings::default()).unwrap_or_default();
        documents.extend(read.into_iter().filter(|document| document.mapping().is_some()));
    }
    let mut parts_left = MOST_PARTS;
    Some(one(path, node, &documents, evidence, &mut parts_left))
}

fn one(
    path: &str,
    node: &Node,
    documents: &[Rc<Node>],
    evidence: Evidence<'_>,
    parts_left: &mut usize,
) -> Explanation {
    let mut out = Explanation {
        name: path.to_owned(),
        ..Explanation::default()
    };
    match &node.value {
        Value::Scalar(scalar) => {
            out.value = Some(scalar.text().to_owned());
            out.from = Some(Origin::at(evidence.sources, node.span));
            out.lost = others(path, node.span, documents, evidence);
            let mut names = names_in(evidence.sources.text(node.span));
            if !matches!(scalar, Scalar::Interpolated(_)) {
                // A `$` that nothing was put in for.
                names.clear();
            }
            out.variables = names.iter().map(|name| variable::said(name, evidence)).collect();
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate().take(*parts_left) {
                *parts_left = parts_left.saturating_sub(1);
                out.parts
                    .push(one(&format!("{path}.{index}"), item, &[], evidence, parts_left));
            }
        }
        Value::Mapping(table) => {
            for (key, entry) in table {
                if *parts_left == 0 {
                    break;
                }
                *parts_left -= 1;
                out.parts.push(one(
                    &format!("{path}.{key}"),
                    &entry.node,
                    documents,
                    evidence,
                    parts_left,
                ));
            }
        }
    }
    out
}

/// Where other files, or other services that this one extends, say the same path, later ones first.
fn others(path: &str, winner: Span, documents: &[Rc<Node>], evidence: Evidence<'_>) -> Vec<Origin> {
    let mut paths = vec![path.to_owned()];
    let mut at = 0;
    // `extends` brings in what stands at the same place of another service.
    while let Some(path) = paths.get(at).cloned() {
        at += 1;
        let mut keys = path.splitn(3, '.');
        let (Some("services"), Some(service), Some(rest)) = (keys.next(), keys.next(), keys.next()) else {
            continue;
        };
        for document in documents {
            let extends = find(document, &format!("services.{service}.extends"));
            let base = extends.map(|node| node.get("service").map_or(node, |entry| &*entry.node));
            if let Some(Value::Scalar(base)) = base.map(|node| &node.value) {
                let path = format!("services.{}.{rest}", base.text());
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
    let mut out: Vec<Origin> = Vec::new();
    for path in &paths {
        for document in documents.iter().rev() {
            let Some(node) = find(document, path).filter(|node| node.span != winner) else {
                continue;
            };
            let origin = Origin::at(evidence.sources, node.span);
            if matches!(node.value, Value::Scalar(_)) && !out.contains(&origin) {
                out.push(origin);
            }
        }
    }
    out
}

/// The node at a path. Keys may have dots in them; items of lists have numbers, `KEY=value` also their key.
fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(table) => {
            if let Some(entry) = table.get(path) {
                return Some(&entry.node);
            }
            let dots = path.match_indices('.').map(|(at, _)| at);
            dots.filter_map(|at| {
                let entry = table.get(&path[..at])?;
                find(&entry.node, &path[at + 1..])
            })
            .next()
        }
        Value::Sequence(items) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(item) = first.parse().ok().and_then(|index: usize| items.get(index)) {
                return if rest.is_empty() {
                    Some(item)
                } else {
                    find(item, rest)
                };
            }
            let has_key = |item: &&Rc<Node>| match &item.value {
                Value::Scalar(scalar) => scalar
                    .text()
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('=')),
                _ => false,
            };
            items.iter().rfind(has_key).map(|item| &**item)
        }
        Value::Scalar(_) => None,
    }
}
