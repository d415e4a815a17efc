//! Whether two trees say the same, wherever they were written.

use std::path::PathBuf;
use std::rc::Rc;

use crate::stack::scope::Scopes;
use crate::stack::tree::{Node, Value};

/// Equal values, read with the same base folder.
pub(super) fn says_the_same(a: &Rc<Node>, b: &Rc<Node>, scopes: &Scopes) -> bool {
    let base = |node: &Node| -> PathBuf { scopes.of(node.span.file).base.clone() };
    Rc::ptr_eq(a, b) || (base(a) == base(b) && same(a, b))
}

fn same(a: &Rc<Node>, b: &Rc<Node>) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(_), Value::Scalar(_)) => a.resolved() == b.resolved(),
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, entry)| b.get(key).is_some_and(|other| same(&entry.node, &other.node)))
        }
        _ => false,
    }
}
