//! Merge keys: `<<: *anchor` and `<<: [*a, *b]`.

use std::rc::Rc;

use super::node::{Entry, Mapping, Node, Value};

/// Why a merge key cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMapping;

/// Puts the entries of the merged tables into `own`; what `own` has already stays, and of
/// several merged tables the earlier ones win.
pub(super) fn apply(own: &mut Mapping, merged: &Rc<Node>) -> Result<(), NotAMapping> {
    match &merged.value {
        Value::Mapping(table) => add(own, table),
        Value::Sequence(items) => {
            for item in items {
                add(own, item.mapping().ok_or(NotAMapping)?);
            }
        }
        Value::Scalar(_) if merged.is_null() => {}
        Value::Scalar(_) => return Err(NotAMapping),
    }
    Ok(())
}

fn add(own: &mut Mapping, table: &Mapping) {
    for (key, entry) in table {
        if !own.contains_key(key) {
            own.insert(
                Rc::clone(key),
                Entry {
                    key_span: entry.key_span,
                    node: Rc::clone(&entry.node),
                },
            );
        }
    }
}
