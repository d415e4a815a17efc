//! `extends`: a service on top of another, of this file or another one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::assemble::{Assembly, with_entry};
use crate::stack::diagnostic::{Code, Finding, did_you_mean};
use crate::stack::scope::Scope;
use crate::stack::source::Span;
use crate::stack::tree::{Mapping, Node, Resolved, Value};

/// The most services that extend each other in a row.
const LONGEST_CHAIN: usize = 100;

/// What a service extends.
struct Reference {
    service: String,
    service_span: Span,
    file: Option<(PathBuf, Span)>,
}

/// A service being extended: which file (the tree's identity), which service, and where that is said.
struct Step {
    file: *const Node,
    service: String,
    span: Span,
}

impl Assembly<'_> {
    /// The file with every service extended.
    pub(super) fn extend_all(&mut self, tree: &Rc<Node>) -> Rc<Node> {
        let Some(services) = tree.get("services").map(|e| Rc::clone(&e.node)) else {
            return Rc::clone(tree);
        };
        let Value::Mapping(table) = &services.value else {
            return Rc::clone(tree);
        };
        if !table.values().any(|e| e.node.get("extends").is_some()) {
            return Rc::clone(tree);
        }
        let mut done = HashMap::new();
        let mut table = table.clone();
        for (name, entry) in &mut table {
            let mut chain = Vec::new();
            if let Some(service) = self.extended_service(&services, name, &mut chain, &mut done) {
                entry.node = service;
            }
        }
        let services = Rc::new(Node {
            value: Value::Mapping(table),
            span: services.span,
            tag: services.tag,
        });
        with_entry(tree, "services", services)
    }

    /// A service of a table of services, extended; `None` where a finding says why not.
    fn extended_service(
        &mut self,
        services: &Rc<Node>,
        name: &str,
        chain: &mut Vec<Step>,
        done: &mut HashMap<(*const Node, String), Option<Rc<Node>>>,
    ) -> Option<Rc<Node>> {
        let key = (Rc::as_ptr(services), name.to_owned());
        if let Some(known) = done.get(&key) {
            return known.clone();
        }
        let own = Rc::clone(&services.get(name)?.node);
        let Some(extends) = own.get("extends").map(|e| Rc::clone(&e.node)) else {
            return Some(own);
        };
        let result = self.extend_one(services, name, &own, &extends, chain, done);
        done.insert(key, result.clone());
        result
    }

    fn extend_one(
        &mut self,
        services: &Rc<Node>,
        name: &str,
        own: &Rc<Node>,
        extends: &Rc<Node>,
        chain: &mut Vec<Step>,
        done: &mut HashMap<(*const Node, String), Option<Rc<Node>>>,
    ) -> Option<Rc<Node>> {
        let reference = self.read_reference(extends)?;
        let file = Rc::as_ptr(services);
        if let Some(from) = chain.iter().position(|s| s.file == file && s.service == name) {
            let finding = explain_cycle(&chain[from..], name);
            self.findings.push(finding);
            return None;
        }
        if chain.len() >= LONGEST_CHAIN {
            self.findings.push(
                Finding::error(
                    Code::Limit,
                    format!("more than {LONGEST_CHAIN} services extend each other in a row"),
                )
                .at(reference.service_span),
            );
            return None;
        }
        chain.push(Step {
            file,
            service: name.to_owned(),
            span: reference.service_span,
        });
        let base = match &reference.file {
            None => self.base_service(services, &reference, None, chain, done),
            Some((path, span)) => {
                let other = self.extended_file(path, *span)?;
                self.base_service(&other, &reference, Some(path), chain, done)
            }
        };
        chain.pop();
        let base = without_key(&base?, "extends");
        let own = without_key(own, "extends");
        let merged = self.merger.merge_service(&base, &own, self.findings);
        // The place of the whole is that of the service, not of what it extends.
        Some(Rc::new(Node {
            value: merged.value.clone(),
            span: own.span,
            tag: own.tag,
        }))
    }

    fn base_service(
        &mut self,
        services: &Rc<Node>,
        reference: &Reference,
        path: Option<&Path>,
        chain: &mut Vec<Step>,
        done: &mut HashMap<(*const Node, String), Option<Rc<Node>>>,
    ) -> Option<Rc<Node>> {
        if services.get(&reference.service).is_none() {
            let place = path.map(|p| format!(" in {}", p.display())).unwrap_or_default();
            let known: Vec<String> = services
                .mapping()
                .map(|table| table.keys().map(ToString::to_string).collect())
                .unwrap_or_default();
            self.findings.push(
                Finding::error(
                    Code::Undefined,
                    format!("there is no service `{}` to extend{place}", reference.service),
                )
                .at(reference.service_span)
                .help_opt(did_you_mean(&reference.service, known.iter().map(String::as_str))),
            );
            return None;
        }
        self.extended_service(services, &reference.service, chain, done)
    }

    fn read_reference(&mut self, node: &Rc<Node>) -> Option<Reference> {
        let text = |node: &Node| match node.resolved() {
            Some(Resolved::Text(text)) => Some(text.to_owned()),
            _ => None,
        };
        let mut problem = |span: Span, message: &str| {
            self.findings.push(Finding::error(Code::Type, message).at(span));
        };
        let Some(table) = node.mapping() else {
            let Some(service) = text(node) else {
                problem(node.span, "`extends` must be a service's name or a mapping");
                return None;
            };
            return Some(Reference {
                service,
                service_span: node.span,
                file: None,
            });
        };
        for (key, entry) in table {
            if !matches!(&**key, "service" | "file") {
                self.findings.push(
                    Finding::error(Code::UnknownKey, format!("`extends` has no attribute `{key}`"))
                        .at(entry.key_span)
                        .help_opt(did_you_mean(key, ["service", "file"])),
                );
            }
        }
        let mut problem = |span: Span, code: Code, message: &str| {
            self.findings.push(Finding::error(code, message).at(span));
        };
        let Some(service) = table.get("service") else {
            problem(node.span, Code::Missing, "`extends` needs `service`");
            return None;
        };
        let Some(name) = text(&service.node) else {
            problem(service.node.span, Code::Type, "`service` must be a string");
            return None;
        };
        let file = match table.get("file") {
            None => None,
            Some(file) => {
                let Some(written) = text(&file.node) else {
                    problem(file.node.span, Code::Type, "`file` must be a string");
                    return None;
                };
                if written.contains("://") {
                    problem(
                        file.node.span,
                        Code::NotSupported,
                        "extending a service of a remote file is not supported yet",
                    );
                    return None;
                }
                let path = self.scopes.path(file.node.span.file, &written);
                Some((path, file.node.span))
            }
        };
        Some(Reference {
            service: name,
            service_span: service.node.span,
            file,
        })
    }

    /// The services of another file, with variables but not yet extended.
    fn extended_file(&mut self, path: &Path, from: Span) -> Option<Rc<Node>> {
        if let Some(known) = self.extended.get(path) {
            return known.clone();
        }
        let outer = self.scopes.of(from.file);
        let scope = Rc::new(Scope {
            base: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            variables: Rc::clone(&outer.variables),
        });
        let services = self.read_services(path, &scope, from);
        self.extended.insert(path.to_path_buf(), services.clone());
        services
    }

    fn read_services(&mut self, path: &Path, scope: &Rc<Scope>, from: Span) -> Option<Rc<Node>> {
        if self.files.kind(path).is_none() {
            self.findings.push(
                Finding::error(Code::Read, format!("no file {} to extend from", path.display())).at(from),
            );
            return None;
        }
        let (_, documents) = self.read(path, scope)?;
        let mut merged: Option<Rc<Node>> = None;
        for document in documents {
            let tree = self.interpolated(&document, scope);
            merged = Some(match merged {
                None => tree,
                Some(base) => self.merger.merge(&base, &tree, self.findings),
            });
        }
        let services = merged.as_ref().and_then(|m| m.get("services"));
        match services {
            Some(entry) if entry.node.mapping().is_some() => Some(Rc::clone(&entry.node)),
            _ => {
                self.findings.push(
                    Finding::error(Code::Missing, format!("{} has no services", path.display())).at(from),
                );
                None
            }
        }
    }
}

fn without_key(node: &Rc<Node>, key: &str) -> Rc<Node> {
    let Value::Mapping(table) = &node.value else {
        return Rc::clone(node);
    };
    let kept: Mapping = table
        .iter()
        .filter(|(k, _)| &***k != key)
        .map(|(k, entry)| (Rc::clone(k), entry.clone()))
        .collect();
    Rc::new(Node {
        value: Value::Mapping(kept),
        span: node.span,
        tag: node.tag,
    })
}

fn explain_cycle(steps: &[Step], back_to: &str) -> Finding {
    let mut names: Vec<&str> = steps.iter().map(|s| s.service.as_str()).collect();
    names.push(back_to);
    let mut finding = Finding::error(
        Code::Cycle,
        format!("services extend each other in a circle: {}", names.join(" → ")),
    );
    for step in steps {
        finding = finding.label(step.span, format!("`{}` extends this", step.service));
    }
    finding
}
