//! `build`.

use super::Decoder;
use crate::model::{Build, BuildSecret};
use crate::stack::diagnostic::Code;
use crate::stack::tree::{Entry, Node, Resolved, Value};

const BUILD: &[&str] = &[
    "context",
    "dockerfile",
    "dockerfile_inline",
    "args",
    "target",
    "labels",
    "tags",
    "additional_contexts",
    "cache_from",
    "cache_to",
    "network",
    "no_cache",
    "pull",
    "platforms",
    "privileged",
    "extra_hosts",
    "shm_size",
    "secrets",
    "ssh",
    "entitlements",
    "isolation",
    "ulimits",
    "provenance",
    "sbom",
    "no_cache_filter",
];

impl Decoder<'_> {
    pub(super) fn build(&mut self, node: &Node) -> Option<Build> {
        let mut out = Build::default();
        let Some(table) = node.mapping() else {
            let context = self.text("build", node)?;
            out.context = self.context(node, &context);
            out.dockerfile = self.implied.then(|| "Dockerfile".to_owned());
            return Some(out);
        };
        out.context = match table.get("context") {
            Some(entry) => {
                let written = self.text("context", &entry.node)?;
                self.context(&entry.node, &written)
            }
            None => self.context(node, "."),
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "context" => {}
                "dockerfile" => out.dockerfile = self.non_empty_text("dockerfile", value),
                "dockerfile_inline" => {
                    out.dockerfile_inline = self.non_empty_text("dockerfile_inline", value)
                }
                "args" => {
                    for (name, arg) in self.environment("args", value) {
                        match arg {
                            Some(arg) => {
                                out.args.insert(name, arg);
                            }
                            None if !self.implied => out.unset_args.push(name),
                            None => {}
                        }
                    }
                }
                "target" => out.target = self.non_empty_text("target", value),
                "labels" => out.labels = self.texts_by_key("labels", value),
                "tags" => out.tags = self.unique_texts("tags", value),
                "additional_contexts" => {
                    for (name, context) in self.texts_by_key("additional_contexts", value) {
                        let place = self.context(value, &context);
                        out.additional_contexts.insert(name, place);
                    }
                }
                "cache_from" => out.cache_from = self.texts("cache_from", value),
                "cache_to" => out.cache_to = self.texts("cache_to", value),
                "network" => out.network = self.non_empty_text("network", value),
                "no_cache" => out.no_cache = self.boolean("no_cache", value).unwrap_or(false),
                "pull" => out.pull = self.boolean("pull", value).unwrap_or(false),
                "platforms" => out.platforms = self.unique_texts("platforms", value),
                "privileged" => out.privileged = self.boolean("privileged", value).unwrap_or(false),
                "extra_hosts" => out.extra_hosts = self.extra_hosts("extra_hosts", value),
                "shm_size" => out.shm_size = self.bytes("shm_size", value),
                "secrets" => out.secrets = self.build_secrets(value),
                "ssh" => out.ssh = self.ssh(value),
                "ulimits" => out.ulimits = self.ulimits(value),
                "isolation" => out.isolation = self.non_empty_text("isolation", value),
                "entitlements" => out.entitlements = self.texts("entitlements", value),
                "no_cache_filter" => out.no_cache_filter = self.texts("no_cache_filter", value),
                "provenance" => out.provenance = self.attestation(key, entry),
                "sbom" => out.sbom = self.attestation(key, entry),
                other => self.unknown(other, entry, "`build`", BUILD, &[]),
            }
        }
        if out.dockerfile_inline.is_none() && out.dockerfile.is_none() {
            out.dockerfile = self.implied.then(|| "Dockerfile".to_owned());
        } else if out.dockerfile_inline.is_some() && out.dockerfile.is_some() {
            self.error(
                Code::Conflict,
                "`dockerfile` and `dockerfile_inline` exclude each other",
                node.span,
            );
        }
        Some(out)
    }

    /// A boolean, or parameters as a text.
    fn attestation(&mut self, key: &str, entry: &Entry) -> Option<String> {
        match entry.node.resolved() {
            Some(Resolved::Bool(wanted)) => Some(wanted.to_string()),
            _ => self.text(key, &entry.node),
        }
    }

    /// A folder made absolute; URLs and references of other kinds stay.
    fn context(&self, node: &Node, written: &str) -> String {
        if is_remote(written) {
            return written.to_owned();
        }
        self.scopes
            .host_path(node.span.file, written)
            .to_string_lossy()
            .into_owned()
    }

    fn build_secrets(&mut self, node: &Node) -> Vec<BuildSecret> {
        let items = self.list("secrets", node);
        let mut out = Vec::new();
        for item in items {
            let Some(table) = item.mapping() else {
                if let Some(source) = self.text("secrets", item) {
                    out.push(BuildSecret {
                        source,
                        ..BuildSecret::default()
                    });
                }
                continue;
            };
            let (mut source, mut secret) = (None, BuildSecret::default());
            for (key, entry) in table {
                match &**key {
                    "source" => source = self.text("source", &entry.node),
                    "target" => secret.target = self.text("target", &entry.node),
                    // A step's own mount says who owns it; these are shown and no more.
                    "uid" => secret.uid = self.text("uid", &entry.node),
                    "gid" => secret.gid = self.text("gid", &entry.node),
                    "mode" => secret.mode = self.mode("mode", &entry.node),
                    other => self.unknown(
                        other,
                        entry,
                        "a build secret",
                        &["source", "target", "uid", "gid", "mode"],
                        &[],
                    ),
                }
            }
            match source {
                Some(source) => out.push(BuildSecret { source, ..secret }),
                None => self.missing("source", "a build secret", item.span),
            }
        }
        out
    }

    fn ssh(&mut self, node: &Node) -> Vec<String> {
        match &node.value {
            Value::Scalar(_) => {
                self.expected("ssh", "a mapping or a list of id=path", node);
                Vec::new()
            }
            _ => self
                .pairs("ssh", node)
                .into_iter()
                .map(|(id, path)| match path {
                    Some(path) if !path.is_empty() => format!("{id}={path}"),
                    _ => id,
                })
                .collect(),
        }
    }
}

/// Whether the place of a context is no folder: a URL, another service, or another kind of reference.
pub(in crate::stack) fn is_remote(written: &str) -> bool {
    written.contains("://")
        || written.starts_with("git@")
        || written.starts_with("github.com/")
        || written.starts_with("service:")
}
