//! Whether two trees say the same, wherever they were written.

use std::rc::Rc;

use crate::stack::scope::Scopes;
use crate::stack::tree::{Node, Value};

/// Attributes that hold paths: read with another base folder they mean another thing.
const PATHS: &[&str] = &[
    "build",
    "env_file",
    "label_file",
    "extends",
    "volumes",
    "file",
    "develop",
    "driver_opts",
    "x-platform",
];

/// Equal values, and, where files of two folders are compared, no paths in them.
pub(super) fn says_the_same(a: &Rc<Node>, b: &Rc<Node>, scopes: &Scopes) -> bool {
    let one_base = scopes.of(a.span.file).base == scopes.of(b.span.file).base;
    Rc::ptr_eq(a, b) || same(a, b, one_base)
}

fn same(a: &Rc<Node>, b: &Rc<Node>, one_base: bool) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(_), Value::Scalar(_)) => a.resolved() == b.resolved(),
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, one_base))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, entry)| {
                    (one_base || !PATHS.contains(&&**key))
                        && b.get(key)
                            .is_some_and(|other| same(&entry.node, &other.node, one_base))
                })
        }
        _ => false,
    }
}
