//! A variable: the environment, then environment files, then what the stack says for one without a value.

use super::Evidence;
use super::origin::{Explanation, Origin};
use crate::stack::diagnostic::Findings;
use crate::stack::interpolate::expressions;
use crate::stack::source::{FileId, Span};
use crate::stack::tree::{Node, Value, compose};

/// Explains a variable that is set or used.
pub(super) fn explain(name: &str, evidence: Evidence<'_>) -> Option<Explanation> {
    let mut out = said(name, evidence);
    for id in evidence.sources.ids() {
        let Some(file) = evidence.sources.file(id) else {
            continue;
        };
        if is_env_file(id, evidence) {
            continue;
        }
        // What is wrong with the files has been told.
        for document in compose(&file.text, id, &mut Findings::default())
            .into_iter()
            .flatten()
        {
            uses(&document, name, evidence, &mut out.used);
        }
    }
    (out.value.is_some() || !out.used.is_empty()).then_some(out)
}

/// Who sets a variable.
pub(super) fn said(name: &str, evidence: Evidence<'_>) -> Explanation {
    let mut all: Vec<Origin> = Vec::new();
    all.extend(
        evidence
            .environment
            .get(name)
            .map(|value| Origin::environment(value)),
    );
    let mut in_files: Vec<Origin> = Vec::new();
    for id in evidence.sources.ids().filter(|id| is_env_file(*id, evidence)) {
        for origin in lines_of(name, id, evidence) {
            // An included stack of the same folder reads the file again.
            if !in_files.contains(&origin) {
                in_files.push(origin);
            }
        }
    }
    // Of several lines the last one counts.
    in_files.reverse();
    all.extend(in_files);
    let mut all = all.into_iter();
    let value = evidence.variables.get(name).cloned();
    Explanation {
        name: name.to_owned(),
        from: value.is_some().then(|| all.next()).flatten(),
        value,
        lost: all.collect(),
        ..Explanation::default()
    }
}

/// Whether a text that was read is an environment file.
fn is_env_file(id: FileId, evidence: Evidence<'_>) -> bool {
    let path = evidence.sources.path(id);
    evidence.env_files.iter().any(|file| file == path)
}

/// The lines of an environment file that set a variable.
fn lines_of(name: &str, id: FileId, evidence: Evidence<'_>) -> Vec<Origin> {
    let text = evidence.sources.file(id).map_or("", |file| &file.text);
    let mut start = 0;
    let mut out = Vec::new();
    for line in text.split_inclusive('\n') {
        let body = line.trim_start();
        let body = body.strip_prefix("export ").map_or(body, str::trim_start);
        let rest = body.strip_prefix(name).map(str::trim_start);
        if rest.is_some_and(|rest| rest.starts_with(['=', ':'])) {
            let at = start + (line.len() - line.trim_start().len());
            out.push(Origin::at(
                evidence.sources,
                Span::new(id, at..start + line.len()),
            ));
        }
        start += line.len();
    }
    out
}

/// The expressions of a tree that use a variable.
fn uses(node: &Node, name: &str, evidence: Evidence<'_>, out: &mut Vec<Origin>) {
    match &node.value {
        Value::Scalar(_) => {
            let written = evidence.sources.text(node.span);
            for range in expressions(written, name) {
                let start = node.span.start as usize;
                let span = Span::new(node.span.file, start + range.start..start + range.end);
                let origin = Origin::at(evidence.sources, span);
                if !out.contains(&origin) {
                    out.push(origin);
                }
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| uses(item, name, evidence, out)),
        Value::Mapping(table) => table
            .values()
            .for_each(|entry| uses(&entry.node, name, evidence, out)),
    }
}
