//! The variables that texts use, and what is said for where they have no value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::template::{closing_brace, name_length};
use crate::stack::diagnostic::Findings;
use crate::stack::source::SourceMap;
use crate::stack::tree::{Node, Value, compose};

/// How a stack uses a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableUse {
    /// Whether it must have a value (`?`).
    pub required: bool,
    /// What stands for it where it has none (`-`), as written.
    pub default: String,
    /// What stands for it where it has one (`+`), as written.
    pub alternate: String,
}

/// The variables of all stack files among the sources, by name; of each the first use that says something.
pub fn used_variables(sources: &SourceMap) -> BTreeMap<String, VariableUse> {
    let mut out = BTreeMap::new();
    for (id, file) in sources.ids().zip(sources.files()) {
        // What is wrong with the files has been told.
        let documents = compose(&file.text, id, &mut Findings::default());
        for document in documents.into_iter().flatten() {
            if document.mapping().is_some() {
                of_node(&document, &mut out);
            }
        }
    }
    out
}

fn of_node(node: &Rc<Node>, out: &mut BTreeMap<String, VariableUse>) {
    match &node.value {
        Value::Scalar(scalar) => of_text(scalar.text(), out),
        Value::Sequence(items) => items.iter().for_each(|item| of_node(item, out)),
        Value::Mapping(table) => table.values().for_each(|entry| of_node(&entry.node, out)),
    }
}

fn of_text(text: &str, out: &mut BTreeMap<String, VariableUse>) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let expression = rest.get(at..).unwrap_or_default();
        let after = expression.get(1..).unwrap_or_default();
        if let Some(next) = after.strip_prefix('$') {
            rest = next;
        } else if after.starts_with('{') {
            let Some(end) = closing_brace(expression) else {
                return;
            };
            braced(expression.get(2..end).unwrap_or_default(), out);
            rest = expression.get(end + 1..).unwrap_or_default();
        } else {
            let (name, next) = after.split_at(name_length(after));
            if !name.is_empty() {
                out.entry(name.to_owned()).or_default();
            }
            rest = next;
        }
    }
}

/// What stands between `${` and `}`.
fn braced(inner: &str, out: &mut BTreeMap<String, VariableUse>) {
    let (name, rest) = inner.split_at(name_length(inner));
    if name.is_empty() {
        return;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let mut chars = rest.chars();
    let operator = chars.next();
    let word = chars.as_str();
    let own = out.entry(name.to_owned()).or_default();
    match operator {
        Some('?') => own.required = true,
        Some('-') if own.default.is_empty() => own.default = word.to_owned(),
        Some('+') if own.alternate.is_empty() => own.alternate = word.to_owned(),
        _ => {}
    }
    of_text(word, out);
}

/// The variables of one text, by name.
pub fn names_in(text: &str) -> Vec<String> {
    let mut uses = BTreeMap::new();
    of_text(text, &mut uses);
    uses.into_keys().collect()
}

/// Where a text has expressions of a variable: `$NAME` and `${NAME…}`, also in each other; bytes.
pub fn expressions(text: &str, name: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + found;
        let after = text.get(start + 1..).unwrap_or_default();
        if after.starts_with('$') {
            at = start + 2;
            continue;
        }
        at = start + 1;
        let (braced, from) = match after.strip_prefix('{') {
            Some(inner) => (true, inner),
            None => (false, after),
        };
        if from.get(..name_length(from)) == Some(name) && !name.is_empty() {
            let length = match braced {
                true => text.get(start..).and_then(closing_brace).map(|end| end + 1),
                false => Some(1 + name.len()),
            };
            out.extend(length.map(|length| start..start + length));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_use() {
        let mut uses = BTreeMap::new();
        of_text(
            "$A ${B:-def} ${C?say so} ${D+alt} $$E ${F-${G:-g}} ${A-late} ${",
            &mut uses,
        );
        let told: Vec<String> = uses
            .iter()
            .map(|(name, u)| format!("{name} {} {:?} {:?}", u.required, u.default, u.alternate))
            .collect();
        assert_eq!(
            told,
            [
                r#"A false "late" """#,
                r#"B false "def" """#,
                r#"C true "" """#,
                r#"D false "" "alt""#,
                r#"F false "${G:-g}" """#,
                r#"G false "g" """#,
            ]
        );
    }
}
