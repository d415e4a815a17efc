//! What a tree would weigh with everything that is shared written out.

use std::collections::HashMap;
use std::rc::Rc;

use super::MAX_NODES;
use super::node::{Node, Value};

/// Whether a tree has at most [`MAX_NODES`] nodes, shared ones counted as often as they are used.
pub fn within_limits(root: &Rc<Node>) -> bool {
    weigh(root, &mut HashMap::new()) <= MAX_NODES
}

fn weigh(node: &Rc<Node>, known: &mut HashMap<*const Node, u64>) -> u64 {
    let shared = Rc::strong_count(node) > 1 && !matches!(node.value, Value::Scalar(_));
    if shared && let Some(weight) = known.get(&Rc::as_ptr(node)) {
        return *weight;
    }
    let mut weight = 1u64;
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for item in items {
                weight = weight.saturating_add(weigh(item, known));
            }
        }
        Value::Mapping(table) => {
            for entry in table.values() {
                weight = weight.saturating_add(1).saturating_add(weigh(&entry.node, known));
            }
        }
    }
    if shared {
        known.insert(Rc::as_ptr(node), weight);
    }
    weight
}
