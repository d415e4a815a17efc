//! Merging two trees.

use std::rc::Rc;

use super::forms;
use super::rules::{Rule, rule};
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::tree::{Entry, Mapping, Node, Tag, Value};

/// The most entries that all merges of a load may copy: a small file can extend a large service
/// very often.
const MOST_COPIED: usize = 2_000_000;

/// Merges trees, within bounds.
#[derive(Debug, Default)]
pub struct Merger {
    copied: usize,
    listed: bool,
}

impl Merger {
    /// One that makes lists, not tables, of `KEY=value` pairs that both files have, as docker compose shows them
    /// where nothing is decoded.
    pub fn with_listed_pairs(listed: bool) -> Self {
        Self { copied: 0, listed }
    }

    /// `over` on top of `base`, both whole files.
    pub fn merge(&mut self, base: &Rc<Node>, over: &Rc<Node>, findings: &mut Findings) -> Rc<Node> {
        self.run(base, over, &[], findings)
    }

    /// `over` on top of `base`, both services (`extends`).
    pub fn merge_service(&mut self, base: &Rc<Node>, over: &Rc<Node>, findings: &mut Findings) -> Rc<Node> {
        self.run(base, over, &["services", "*"], findings)
    }

    fn run(&mut self, base: &Rc<Node>, over: &Rc<Node>, path: &[&str], findings: &mut Findings) -> Rc<Node> {
        if self.copied > MOST_COPIED {
            return Rc::clone(base);
        }
        let mut merge = Merge {
            findings,
            copied: self.copied,
            listed: self.listed,
        };
        let merged = merge.node(base, over, path);
        self.copied = merge.copied;
        if self.copied > MOST_COPIED {
            findings.push(Finding::error(Code::Limit, "there is too much to merge").at(over.span));
        }
        merged
    }
}

/// The tree without what `!reset` takes away; the first file of all has nothing to reset.
pub fn without_resets(node: &Rc<Node>) -> Rc<Node> {
    match &node.value {
        Value::Mapping(table) if table.values().any(|e| changes(&e.node)) => {
            let kept = table
                .iter()
                .filter(|(_, entry)| entry.node.tag != Tag::Reset)
                .map(|(key, entry)| {
                    let entry = Entry {
                        key_span: entry.key_span,
                        node: without_resets(&entry.node),
                    };
                    (Rc::clone(key), entry)
                })
                .collect();
            with_value(node, Value::Mapping(kept))
        }
        Value::Sequence(items) if items.iter().any(changes) => {
            let kept = items
                .iter()
                .filter(|item| item.tag != Tag::Reset)
                .map(without_resets)
                .collect();
            with_value(node, Value::Sequence(kept))
        }
        _ => Rc::clone(node),
    }
}

/// Whether there is a `!reset` at or in a node.
fn changes(node: &Rc<Node>) -> bool {
    node.tag == Tag::Reset
        || match &node.value {
            Value::Mapping(table) => table.values().any(|e| changes(&e.node)),
            Value::Sequence(items) => items.iter().any(changes),
            Value::Scalar(_) => false,
        }
}

fn with_value(node: &Rc<Node>, value: Value) -> Rc<Node> {
    Rc::new(Node {
        value,
        span: node.span,
        tag: node.tag,
    })
}

struct Merge<'f> {
    findings: &'f mut Findings,
    copied: usize,
    listed: bool,
}

impl Merge<'_> {
    fn node(&mut self, base: &Rc<Node>, over: &Rc<Node>, path: &[&str]) -> Rc<Node> {
        if over.tag == Tag::Override {
            return without_resets(over);
        }
        let rule = rule(path);
        if rule == Rule::Replace || base.is_null() {
            return without_resets(over);
        }
        if over.is_null() {
            return Rc::clone(base);
        }
        match rule {
            Rule::Replace => Rc::clone(over),
            Rule::Deep => self.deep(base, over, path),
            Rule::KeyValues if self.listed => self.converted(base, over, path, forms::pairs),
            Rule::KeyValues => self.converted(base, over, path, forms::key_values),
            Rule::Names => self.converted(base, over, path, forms::names),
            Rule::DependsOn => self.converted(base, over, path, forms::depends_on),
            Rule::Hosts => self.hosts(base, over, path),
            Rule::List => self.converted(base, over, path, |node| Some(forms::list(node))),
            Rule::Wrapped(key) => self.converted(base, over, path, |node| forms::wrapped(node, key)),
            Rule::Logging => {
                let driver = |node: &Node| node.get("driver").map(|e| e.node.describe());
                match (driver(base), driver(over)) {
                    (Some(a), Some(b)) if a != b => without_resets(over),
                    _ => self.deep(base, over, path),
                }
            }
            Rule::IpamPools => self.pools(base, over, path),
        }
    }

    fn converted(
        &mut self,
        base: &Rc<Node>,
        over: &Rc<Node>,
        path: &[&str],
        convert: impl Fn(&Rc<Node>) -> Option<Rc<Node>>,
    ) -> Rc<Node> {
        match (convert(base), convert(over)) {
            (Some(base), Some(over)) => self.deep(&base, &over, path),
            // Of the wrong type: the decoder says so of the one that stays.
            (Some(_), None) => Rc::clone(over),
            _ => Rc::clone(base),
        }
    }

    /// A host that both files have with one address is there once.
    fn hosts(&mut self, base: &Rc<Node>, over: &Rc<Node>, path: &[&str]) -> Rc<Node> {
        let new = |over: Rc<Node>| {
            let known = forms::hosts(base)?;
            let known: Vec<_> = known.sequence()?.iter().map(|item| item.resolved()).collect();
            let items = over.sequence()?.iter();
            let items = items.filter(|item| !known.contains(&item.resolved())).cloned();
            Some(with_value(&over, Value::Sequence(items.collect())))
        };
        let over = forms::hosts(over)
            .and_then(new)
            .unwrap_or_else(|| Rc::clone(over));
        self.converted(base, &over, path, forms::hosts)
    }

    fn deep(&mut self, base: &Rc<Node>, over: &Rc<Node>, path: &[&str]) -> Rc<Node> {
        match (&base.value, &over.value) {
            (Value::Mapping(a), Value::Mapping(b)) => {
                let merged = self.tables(a, b, path);
                with_value(base, Value::Mapping(merged))
            }
            (Value::Sequence(a), Value::Sequence(b)) => {
                self.copied += a.len() + b.len();
                let mut items: Vec<_> = a.clone();
                for item in b.iter().filter(|item| item.tag != Tag::Reset) {
                    items.push(without_resets(item));
                }
                with_value(base, Value::Sequence(items))
            }
            (Value::Scalar(_), Value::Scalar(_)) => Rc::clone(over),
            (Value::Scalar(_), _) => without_resets(over),
            _ => {
                self.findings.push(
                    Finding::error(
                        Code::Type,
                        format!(
                            "`{}` cannot be overridden: {} there, {} here",
                            path.join("."),
                            base.describe(),
                            over.describe()
                        ),
                    )
                    .label(over.span, "here")
                    .label(base.span, "there"),
                );
                Rc::clone(base)
            }
        }
    }

    fn tables(&mut self, base: &Mapping, over: &Mapping, path: &[&str]) -> Mapping {
        self.copied += base.len() + over.len();
        let mut merged = base.clone();
        for (key, entry) in over {
            if entry.node.tag == Tag::Reset {
                merged.shift_remove(key);
                continue;
            }
            let node = match base.get(key) {
                Some(old) => {
                    let mut inner: Vec<&str> = path.to_vec();
                    inner.push(key);
                    self.node(&old.node, &entry.node, &inner)
                }
                None => without_resets(&entry.node),
            };
            merged.insert(
                Rc::clone(key),
                Entry {
                    key_span: entry.key_span,
                    node,
                },
            );
        }
        merged
    }

    fn pools(&mut self, base: &Rc<Node>, over: &Rc<Node>, path: &[&str]) -> Rc<Node> {
        let (Value::Sequence(a), Value::Sequence(b)) = (&base.value, &over.value) else {
            return self.deep(base, over, path);
        };
        let subnet = |pool: &Rc<Node>| pool.get("subnet").map(|e| e.node.describe());
        let mut pools = a.clone();
        for pool in b {
            match pools.iter_mut().find(|p| subnet(p) == subnet(pool)) {
                Some(same) => *same = self.deep(same, pool, path),
                None => pools.push(Rc::clone(pool)),
            }
        }
        with_value(base, Value::Sequence(pools))
    }
}
