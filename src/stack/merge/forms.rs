//! Short forms written out, as far as merging needs it.

use std::rc::Rc;

use crate::stack::tree::{Entry, Mapping, Node, Scalar, Value};

/// `[A=1, B]` as `{A: 1, B: null}`; a table stays. `None` where it is neither.
pub(super) fn key_values(node: &Rc<Node>) -> Option<Rc<Node>> {
    as_table(node, |item| match item.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (item.to_owned(), None),
    })
}

/// `{B: null, A: 1}` as `[A=1, B]`; a list stays. `None` where it is neither.
pub(super) fn pairs(node: &Rc<Node>) -> Option<Rc<Node>> {
    let Value::Mapping(table) = &node.value else {
        return node.sequence().map(|_| Rc::clone(node));
    };
    let mut pairs = Vec::new();
    for (key, entry) in table {
        let text = match &entry.node.value {
            _ if entry.node.is_null() => key.to_string(),
            Value::Scalar(scalar) => format!("{key}={}", scalar.text()),
            _ => return None,
        };
        pairs.push((text, entry.node.span));
    }
    pairs.sort();
    let items = pairs.into_iter().map(|(text, span)| Node::text(text, span));
    Some(Rc::new(Node::new(Value::Sequence(items.collect()), node.span)))
}

/// `[a, b]` as `{a: null, b: null}`; a table stays.
pub(super) fn names(node: &Rc<Node>) -> Option<Rc<Node>> {
    as_table(node, |item| (item.to_owned(), None))
}

fn as_table(node: &Rc<Node>, split: impl Fn(&str) -> (String, Option<String>)) -> Option<Rc<Node>> {
    match &node.value {
        Value::Mapping(_) => Some(Rc::clone(node)),
        Value::Sequence(items) => {
            let mut table = Mapping::default();
            for item in items {
                let Value::Scalar(scalar) = &item.value else {
                    return None;
                };
                let (key, value) = split(scalar.text());
                let node = match value {
                    Some(value) => {
                        let text = value.into_boxed_str();
                        let scalar = match scalar {
                            Scalar::Interpolated(_) => Scalar::Interpolated(text),
                            _ => Scalar::Quoted(text),
                        };
                        Rc::new(Node::new(Value::Scalar(scalar), item.span))
                    }
                    None => Node::null(item.span),
                };
                table.insert(
                    key.into(),
                    Entry {
                        key_span: item.span,
                        node,
                    },
                );
            }
            Some(Rc::new(Node::new(Value::Mapping(table), node.span)))
        }
        Value::Scalar(_) => None,
    }
}

/// `[db]` as `{db: {condition: service_started, required: true}}`; a table stays.
pub(super) fn depends_on(node: &Rc<Node>) -> Option<Rc<Node>> {
    let Value::Sequence(_) = &node.value else {
        return node.mapping().map(|_| Rc::clone(node));
    };
    let named = names(node)?;
    let table = named
        .mapping()?
        .iter()
        .map(|(key, entry)| {
            let mut condition = Mapping::default();
            condition.insert(
                "condition".into(),
                Entry {
                    key_span: entry.key_span,
                    node: Node::text("service_started", entry.key_span),
                },
            );
            let node = Rc::new(Node::new(Value::Mapping(condition), entry.key_span));
            (
                Rc::clone(key),
                Entry {
                    key_span: entry.key_span,
                    node,
                },
            )
        })
        .collect();
    Some(Rc::new(Node::new(Value::Mapping(table), node.span)))
}

/// A single value as a list of one; a list stays.
pub(super) fn list(node: &Rc<Node>) -> Rc<Node> {
    match &node.value {
        Value::Sequence(_) => Rc::clone(node),
        _ => Rc::new(Node::new(Value::Sequence(vec![Rc::clone(node)]), node.span)),
    }
}

/// `{a: 1.1.1.1, b: [2.2.2.2, 3.3.3.3]}` as `[a=1.1.1.1, b=2.2.2.2, b=3.3.3.3]`; a list stays.
pub(super) fn hosts(node: &Rc<Node>) -> Option<Rc<Node>> {
    let Value::Mapping(table) = &node.value else {
        return node.sequence().map(|_| Rc::clone(node));
    };
    let mut items = Vec::new();
    for (host, entry) in table {
        let mut add = |address: &Rc<Node>| {
            if let Value::Scalar(scalar) = &address.value {
                items.push(Node::text(format!("{host}={}", scalar.text()), address.span));
            }
        };
        match &entry.node.value {
            Value::Sequence(addresses) => addresses.iter().for_each(&mut add),
            _ => add(&entry.node),
        }
    }
    Some(Rc::new(Node::new(Value::Sequence(items), node.span)))
}

/// A text as a table with one key; a table stays.
pub(super) fn wrapped(node: &Rc<Node>, key: &str) -> Option<Rc<Node>> {
    match &node.value {
        Value::Mapping(_) => Some(Rc::clone(node)),
        Value::Scalar(_) if !node.is_null() => {
            let entry = Entry {
                key_span: node.span,
                node: Rc::clone(node),
            };
            let table = Mapping::from_iter([(Rc::from(key), entry)]);
            Some(Rc::new(Node::new(Value::Mapping(table), node.span)))
        }
        _ => None,
    }
}
