//! `environment`, `env_file`, `label_file`.

use indexmap::IndexMap;

use super::Decoder;
use crate::model::EnvFile;
use crate::stack::diagnostic::Code;
use crate::stack::source::Span;
use crate::stack::tree::Node;

/// An environment or label file of a service, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFileRef {
    /// The file.
    pub file: EnvFile,
    /// Where it was written.
    pub span: Span,
}

const ENV_FILE: &[&str] = &["path", "required", "format"];

impl Decoder<'_> {
    /// Values that are only named come from the variables of the file; `None` where there are none.
    pub(super) fn environment(&mut self, name: &str, node: &Node) -> IndexMap<String, Option<String>> {
        let mut pairs = self.pairs(name, node);
        for (key, value) in &mut pairs {
            if key.ends_with(char::is_whitespace) {
                self.error(
                    Code::Value,
                    format!("the variable {key:?} has a space before its `=`"),
                    node.span,
                );
            }
            if value.is_none() {
                *value = self.variables(node).get(key).cloned();
            }
        }
        pairs
    }

    pub(super) fn env_files(&mut self, node: &Node) -> Vec<EnvFileRef> {
        match node.sequence() {
            Some(items) => items.iter().filter_map(|item| self.env_file(item)).collect(),
            None => self.env_file(node).into_iter().collect(),
        }
    }

    fn env_file(&mut self, node: &Node) -> Option<EnvFileRef> {
        let Some(table) = node.mapping() else {
            return self.plain_file("env_file", node);
        };
        let (mut path, mut required, mut raw) = (None, true, false);
        for (key, entry) in table {
            match &**key {
                "path" => path = self.path("path", &entry.node),
                "required" => required = self.boolean("required", &entry.node).unwrap_or(true),
                "format" => raw = self.one_of("format", &entry.node, &["raw"]).is_some(),
                other => self.unknown(other, entry, "an environment file", ENV_FILE, &[]),
            }
        }
        if !table.contains_key("path") {
            self.missing("path", "an environment file", node.span);
        }
        Some(EnvFileRef {
            file: EnvFile {
                path: path?,
                required,
                raw,
            },
            span: node.span,
        })
    }

    fn plain_file(&mut self, name: &str, node: &Node) -> Option<EnvFileRef> {
        Some(EnvFileRef {
            file: EnvFile {
                path: self.path(name, node)?,
                required: true,
                raw: false,
            },
            span: node.span,
        })
    }

    pub(super) fn label_files(&mut self, node: &Node) -> Vec<EnvFileRef> {
        let items = match node.sequence() {
            Some(items) => items.iter().map(|item| &**item).collect(),
            None => vec![node],
        };
        items
            .into_iter()
            .filter_map(|item| self.plain_file("label_file", item))
            .collect()
    }
}
