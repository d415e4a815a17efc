//! `provider`, `models` and `credential_spec`.

use indexmap::IndexMap;

use super::Decoder;
use crate::model::{CredentialSpec, ModelSpec, ModelUse, Provider};
use crate::stack::tree::Node;

impl Decoder<'_> {
    pub(super) fn provider(&mut self, node: &Node) -> Option<Provider> {
        let table = self.mapping("provider", node)?;
        let mut out = Provider::default();
        for (key, entry) in table {
            match &**key {
                "type" => out.kind = self.text("type", &entry.node)?,
                "options" => {
                    for (name, option) in self.mapping("options", &entry.node)? {
                        let values = match option.node.sequence() {
                            Some(items) => items
                                .iter()
                                .filter_map(|item| self.text_or_number_or_flag(name, item))
                                .collect(),
                            None => self
                                .text_or_number_or_flag(name, &option.node)
                                .into_iter()
                                .collect(),
                        };
                        out.options.insert(name.to_string(), values);
                    }
                }
                other => self.unknown(other, entry, "`provider`", &["type", "options"], &[]),
            }
        }
        if out.kind.is_empty() {
            self.missing("type", "`provider`", node.span);
            return None;
        }
        out.options.sort_keys();
        Some(out)
    }

    fn text_or_number_or_flag(&mut self, name: &str, node: &Node) -> Option<String> {
        match node.resolved() {
            Some(crate::stack::tree::Resolved::Bool(flag)) => Some(flag.to_string()),
            _ => self.text_or_number(name, node),
        }
    }

    /// `models` of a service: names, or names with what their variables are called.
    pub(super) fn model_uses(&mut self, node: &Node) -> IndexMap<String, Option<ModelUse>> {
        let mut out = IndexMap::new();
        let Some(table) = node.mapping() else {
            out.extend(self.texts("models", node).into_iter().map(|name| (name, None)));
            return out;
        };
        for (name, entry) in table {
            if entry.node.is_null() {
                out.insert(name.to_string(), None);
                continue;
            }
            let Some(fields) = self.mapping("a model", &entry.node) else {
                continue;
            };
            let mut used = ModelUse::default();
            for (key, entry) in fields {
                match &**key {
                    "endpoint_var" => used.endpoint_variable = self.text(key, &entry.node),
                    "model_var" => used.model_variable = self.text(key, &entry.node),
                    other => self.unknown(
                        other,
                        entry,
                        "a service's model",
                        &["endpoint_var", "model_var"],
                        &[],
                    ),
                }
            }
            out.insert(name.to_string(), Some(used));
        }
        out
    }

    /// A top-level model.
    pub(super) fn model(&mut self, key: &str, node: &Node) -> Option<ModelSpec> {
        const MODEL: &[&str] = &["name", "model", "context_size", "runtime_flags"];
        let table = self.mapping(&format!("models.{key}"), node)?;
        let mut out = ModelSpec::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "name" => out.name = self.text("name", value),
                "model" => out.model = self.text("model", value)?,
                "context_size" => out.context_size = self.within("context_size", value, 0, i64::MAX),
                "runtime_flags" => out.runtime_flags = self.texts("runtime_flags", value),
                other => self.unknown(other, entry, "a model", MODEL, &[]),
            }
        }
        if out.model.is_empty() {
            self.missing("model", "a model", node.span);
        }
        Some(out)
    }

    pub(super) fn credential_spec(&mut self, node: &Node) -> Option<CredentialSpec> {
        let table = self.mapping("credential_spec", node)?;
        let mut out = CredentialSpec::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "config" => out.config = self.text("config", value),
                "file" => out.file = self.text("file", value),
                "registry" => out.registry = self.text("registry", value),
                other => self.unknown(
                    other,
                    entry,
                    "`credential_spec`",
                    &["config", "file", "registry"],
                    &[],
                ),
            }
        }
        Some(out)
    }
}
