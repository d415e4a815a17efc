//! A whole tree: every value, no keys.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Variables;
use super::template::{TemplateError, substitute};
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::source::{SourceMap, Span};
use crate::stack::tree::{Entry, Node, Scalar, Value};

/// All values that interpolation may make of one file together, in bytes.
const MAX_TOTAL: usize = 64 << 20;

/// The tree with values in the places of variables. What has no variable in it stays shared.
pub fn interpolate(
    root: &Rc<Node>,
    variables: &Variables,
    sources: &SourceMap,
    findings: &mut Findings,
) -> Rc<Node> {
    let mut walk = Walk {
        variables,
        sources,
        findings,
        seen: HashMap::new(),
        total: 0,
        warned: HashSet::new(),
    };
    walk.node(root)
}

struct Walk<'a> {
    variables: &'a Variables,
    sources: &'a SourceMap,
    findings: &'a mut Findings,
    /// Nodes that several aliases share are done once.
    seen: HashMap<*const Node, Rc<Node>>,
    total: usize,
    /// Variables that were reported as unset.
    warned: HashSet<String>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Rc<Node>) -> Rc<Node> {
        let shared = Rc::strong_count(node) > 1;
        if shared && let Some(done) = self.seen.get(&Rc::as_ptr(node)) {
            return Rc::clone(done);
        }
        let done = match self.changed(node) {
            Some(value) => Rc::new(Node {
                value,
                span: node.span,
                tag: node.tag,
            }),
            None => Rc::clone(node),
        };
        if shared {
            self.seen.insert(Rc::as_ptr(node), Rc::clone(&done));
        }
        done
    }

    /// The new value; `None` where nothing changes.
    fn changed(&mut self, node: &Rc<Node>) -> Option<Value> {
        match &node.value {
            Value::Scalar(scalar) => {
                let text = scalar.text();
                text.contains('$')
                    .then(|| Value::Scalar(Scalar::Interpolated(self.text(text, node.span).into())))
            }
            Value::Sequence(items) => {
                let new: Vec<_> = items.iter().map(|item| self.node(item)).collect();
                let same = new.iter().zip(items).all(|(a, b)| Rc::ptr_eq(a, b));
                (!same).then_some(Value::Sequence(new))
            }
            Value::Mapping(entries) => {
                let new: Vec<_> = entries.values().map(|entry| self.node(&entry.node)).collect();
                let same = new
                    .iter()
                    .zip(entries.values())
                    .all(|(a, b)| Rc::ptr_eq(a, &b.node));
                (!same).then(|| {
                    Value::Mapping(
                        entries
                            .iter()
                            .zip(new)
                            .map(|((key, entry), node)| {
                                let entry = Entry {
                                    key_span: entry.key_span,
                                    node,
                                };
                                (Rc::clone(key), entry)
                            })
                            .collect(),
                    )
                })
            }
        }
    }

    fn text(&mut self, text: &str, span: Span) -> String {
        let mut unset = Vec::new();
        let variables = self.variables;
        let lookup = |name: &str| variables.get(name).map(String::as_str);
        let result = substitute(text, &lookup, &mut unset);
        for name in unset {
            // One word about each variable is enough.
            if !self.warned.insert(name.clone()) {
                continue;
            }
            self.findings.push(
                Finding::warning(
                    Code::UnsetVariable,
                    format!("the variable `{name}` is not set and taken as empty"),
                )
                .at(self.place(span, &name))
                .help(format!(
                    "give it a default: ${{{name}:-value}}, or write $${name} for the text itself"
                )),
            );
        }
        match result {
            Ok(value) => {
                self.total += value.len();
                if self.total > MAX_TOTAL {
                    self.findings.push(
                        Finding::error(Code::Limit, "the values of variables are too long together").at(span),
                    );
                    return String::new();
                }
                value
            }
            Err(error) => {
                let finding = self.explain(&error, span);
                self.findings.push(finding);
                String::new()
            }
        }
    }

    fn explain(&self, error: &TemplateError, span: Span) -> Finding {
        match error {
            TemplateError::Invalid(from) => {
                let shown: String = from.chars().take(40).collect();
                Finding::error(Code::Interpolation, format!("`{shown}` is no valid variable expression"))
                    .at(self.place(span, from))
                    .help("forms: ${VAR} ${VAR:-default} ${VAR:?message} ${VAR:+replacement}; write $$ for a $ itself")
            }
            TemplateError::Required { name, message } => {
                let mut text = format!("the required variable `{name}` has no value");
                if !message.is_empty() {
                    text.push_str(": ");
                    text.push_str(message);
                }
                Finding::error(Code::RequiredVariable, text)
                    .at(self.place(span, name))
                    .help(format!("set it in the environment, or in an .env file: {name}=…"))
            }
            TemplateError::TooDeep => {
                Finding::error(Code::Interpolation, "variable expressions are nested too deep").at(span)
            }
            TemplateError::TooLong => Finding::error(Code::Limit, "the value is too long").at(span),
        }
    }

    /// Where `part` stands in the source of a scalar, else the whole scalar.
    fn place(&self, span: Span, part: &str) -> Span {
        match self.sources.text(span).find(part) {
            Some(at) => {
                let start = span.start as usize + at;
                Span::new(span.file, start..start + part.len())
            }
            None => span,
        }
    }
}
