//! `include`: another stack's services and resources, read with its own folder and variables.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::assemble::Assembly;
use super::compare::says_the_same;
use super::files::PathKind;
use super::variables::Collected;
use crate::stack::diagnostic::{Code, Finding, did_you_mean};
use crate::stack::scope::Scope;
use crate::stack::source::Span;
use crate::stack::tree::{Entry, Mapping, Node, Resolved, Value};

/// What is taken from an included stack.
const SECTIONS: [&str; 6] = ["services", "networks", "volumes", "configs", "secrets", "models"];

/// One item of `include`.
struct Item {
    paths: Vec<PathBuf>,
    project_dir: Option<PathBuf>,
    env_files: Vec<PathBuf>,
    span: Span,
}

impl Assembly<'_> {
    /// The file with what it includes.
    pub(super) fn include_all(&mut self, tree: &Rc<Node>) -> Rc<Node> {
        let Some(include) = tree.get("include").map(|e| Rc::clone(&e.node)) else {
            return Rc::clone(tree);
        };
        if include.is_null() {
            return Rc::clone(tree);
        }
        let Some(items) = include.sequence() else {
            self.findings.push(
                Finding::error(
                    Code::Type,
                    format!("`include` must be a list, found {}", include.describe()),
                )
                .at(include.span),
            );
            return Rc::clone(tree);
        };
        let mut result = Rc::clone(tree);
        for item in items {
            let Some(item) = self.read_item(item) else {
                continue;
            };
            if let Some(included) = self.included_stack(&item) {
                result = self.import(&result, &included, item.span);
            }
        }
        result
    }

    fn read_item(&mut self, node: &Rc<Node>) -> Option<Item> {
        let mut item = Item {
            paths: Vec::new(),
            project_dir: None,
            env_files: Vec::new(),
            span: node.span,
        };
        let Some(table) = node.mapping() else {
            item.paths = self.paths(node)?;
            return Some(item);
        };
        for (key, entry) in table {
            match &**key {
                "path" => item.paths = self.paths(&entry.node)?,
                "project_directory" => item.project_dir = self.paths(&entry.node)?.into_iter().next(),
                "env_file" => item.env_files = self.paths(&entry.node)?,
                other => self.findings.push(
                    Finding::error(Code::UnknownKey, format!("an include has no attribute `{other}`"))
                        .at(entry.key_span)
                        .help_opt(did_you_mean(other, ["path", "project_directory", "env_file"])),
                ),
            }
        }
        if item.paths.is_empty() {
            self.findings
                .push(Finding::error(Code::Missing, "an include needs `path`").at(node.span));
            return None;
        }
        Some(item)
    }

    /// A path or several, made absolute.
    fn paths(&mut self, node: &Rc<Node>) -> Option<Vec<PathBuf>> {
        let nodes: Vec<Rc<Node>> = match &node.value {
            Value::Sequence(items) => items.clone(),
            _ => vec![Rc::clone(node)],
        };
        nodes
            .iter()
            .map(|node| {
                let problem = match node.resolved() {
                    Some(Resolved::Text(text)) if is_remote(text) => Finding::error(
                        Code::NotSupported,
                        "including a stack from a registry or a repository is not supported yet",
                    ),
                    Some(Resolved::Text(text)) if !text.is_empty() => {
                        return Some(self.scopes.path(node.span.file, text));
                    }
                    _ => Finding::error(
                        Code::Type,
                        format!("a path must be a string, found {}", node.describe()),
                    ),
                };
                self.findings.push(problem.at(node.span));
                None
            })
            .collect()
    }

    fn included_stack(&mut self, item: &Item) -> Option<Rc<Node>> {
        let first = item.paths.first()?;
        let base = item
            .project_dir
            .clone()
            .or_else(|| first.parent().map(Path::to_path_buf))?;
        let key = (item.paths.clone(), base.clone());
        if item.env_files.is_empty()
            && let Some(known) = self.included.get(&key)
        {
            return known.clone();
        }
        if let Some(path) = item.paths.iter().find(|p| self.including.contains(p)) {
            let mut chain: Vec<String> = self.including.iter().map(|p| p.display().to_string()).collect();
            chain.push(path.display().to_string());
            self.findings.push(
                Finding::error(
                    Code::Cycle,
                    format!("stacks include each other in a circle: {}", chain.join(" → ")),
                )
                .at(item.span),
            );
            return None;
        }
        let scope = self.included_scope(item, base);
        let depth = self.including.len();
        self.including.extend(item.paths.iter().cloned());
        let mut merged = None;
        let mut complete = true;
        for path in &item.paths {
            if self.files.kind(path) != Some(PathKind::File) {
                self.findings.push(
                    Finding::error(Code::Read, format!("no file {} to include", path.display()))
                        .at(item.span),
                );
                complete = false;
                continue;
            }
            match self.read(path, &scope) {
                Some((id, documents)) => {
                    for document in documents {
                        self.add_document(id, &document, &scope, &mut merged);
                    }
                }
                None => complete = false,
            }
        }
        self.including.truncate(depth);
        let result = merged.filter(|_| complete);
        if item.env_files.is_empty() {
            self.included.insert(key, result.clone());
        }
        result
    }

    /// The variables here, then those of the environment files of the included stack.
    fn included_scope(&mut self, item: &Item, base: PathBuf) -> Rc<Scope> {
        let outer = Rc::clone(&self.scopes.of(item.span.file).variables);
        let mut collected = Collected::new(&outer, &self.shown_from);
        let default = base.join(".env");
        let env_files = if item.env_files.is_empty() {
            let there = self.files.kind(&default) == Some(PathKind::File);
            there.then_some(default).into_iter().collect()
        } else {
            item.env_files.clone()
        };
        if env_files.is_empty() {
            return Rc::new(Scope {
                base,
                variables: outer,
            });
        }
        collected.add(env_files, self.files, self.sources, self.findings);
        Rc::new(Scope {
            base,
            variables: Rc::new(collected.variables),
        })
    }

    /// What the included stack defines, beside what is defined here.
    fn import(&mut self, into: &Rc<Node>, included: &Rc<Node>, span: Span) -> Rc<Node> {
        let Value::Mapping(table) = &into.value else {
            return Rc::clone(into);
        };
        let mut table = table.clone();
        for section in SECTIONS {
            let Some(from) = included.get(section) else {
                continue;
            };
            let Some(additions) = from.node.mapping() else {
                continue;
            };
            let existing = table.get(section).and_then(|e| e.node.mapping()).cloned();
            let mut names: Mapping = existing.unwrap_or_default();
            for (name, entry) in additions {
                match names.get(name) {
                    Some(own) if says_the_same(&own.node, &entry.node, &self.scopes) => {}
                    Some(own) => {
                        let what = section.strip_suffix('s').unwrap_or(section);
                        self.findings.push(
                            Finding::error(
                                Code::Conflict,
                                format!("the {what} `{name}` is defined here and in an included stack"),
                            )
                            .label(own.key_span, "here")
                            .label(entry.key_span, "in the included stack")
                            .label(span, "included here")
                            .help("change the included one in a file of its own: include: [{path: [stack.yaml, override.yaml]}]"),
                        );
                    }
                    None => {
                        names.insert(Rc::clone(name), entry.clone());
                    }
                }
            }
            let (key_span, at) = table
                .get(section)
                .map_or((from.key_span, from.node.span), |e| (e.key_span, e.node.span));
            let node = Rc::new(Node::new(Value::Mapping(names), at));
            table.insert(section.into(), Entry { key_span, node });
        }
        Rc::new(Node {
            value: Value::Mapping(table),
            span: into.span,
            tag: into.tag,
        })
    }
}

fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("oci:")
}
