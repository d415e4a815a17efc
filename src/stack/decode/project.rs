//! A whole merged tree.

use indexmap::IndexMap;

use super::Decoder;
use super::reader::{is_extension, to_json};
use super::service::DecodedService as Inner;
use crate::base::ServiceName;
use crate::model::{ModelSpec, NetworkSpec, ResourceFile, StackExt, VolumeSpec};
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::scope::Scopes;
use crate::stack::tree::{Entry, Node};

pub use super::service::DecodedService;

/// A stack as decoded: every value of its type, references not yet followed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// `name`, where a file says it.
    pub name: Option<String>,
    /// Services in the order of the file, whatever their profiles.
    pub services: IndexMap<ServiceName, Inner>,
    /// Networks.
    pub networks: IndexMap<String, NetworkSpec>,
    /// Volumes.
    pub volumes: IndexMap<String, VolumeSpec>,
    /// Secrets.
    pub secrets: IndexMap<String, ResourceFile>,
    /// Configs.
    pub configs: IndexMap<String, ResourceFile>,
    /// Models.
    pub models: IndexMap<String, ModelSpec>,
    /// The top-level `x-platform`.
    pub ext: StackExt,
    /// Other `x-…` at the top.
    pub extensions: IndexMap<String, serde_json::Value>,
    /// `x-…` below the top, but for ours: JSON pointer of the table, key and value.
    pub nested_extensions: Vec<(String, String, serde_json::Value)>,
}

/// The most ports of a stack, ranges spread.
const MOST_PORTS: usize = 200_000;
/// The most services, networks and so on.
const MOST_NAMED: usize = 10_000;

const TOP: &[&str] = &[
    "name",
    "services",
    "networks",
    "volumes",
    "configs",
    "secrets",
    "include",
    "version",
    "models",
    "x-platform",
];

/// Decodes a merged tree, with what attributes imply of themselves (`implied`) or without; mistakes become findings.
pub fn decode(root: &Node, scopes: &Scopes, implied: bool, findings: &mut Findings) -> Decoded {
    let mut decoder = Decoder {
        findings,
        scopes,
        implied,
        ports_left: MOST_PORTS,
    };
    decoder.project(root)
}

impl Decoder<'_> {
    fn project(&mut self, root: &Node) -> Decoded {
        let mut out = Decoded::default();
        let Some(table) = self.mapping("the stack", root) else {
            return out;
        };
        nested_extensions(root, &mut out.nested_extensions);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "name" => out.name = self.text("name", value),
                "services" => {
                    out.services =
                        self.section("services", value, |this, name, node| this.service(name, node));
                }
                "networks" => out.networks = self.section("networks", value, Self::network),
                "volumes" => out.volumes = self.section("volumes", value, Self::volume),
                "configs" => {
                    out.configs = self.section("configs", value, |this, name, node| {
                        this.resource_file("configs", name, node)
                    });
                }
                "secrets" => {
                    out.secrets = self.section("secrets", value, |this, name, node| {
                        this.resource_file("secrets", name, node)
                    });
                }
                "models" => out.models = self.section("models", value, Self::model),
                "x-platform" => out.ext = self.stack_ext(value),
                // Done before decoding.
                "include" => {}
                "version" => self.version(entry),
                other if is_extension(other) => {
                    out.extensions.insert(other.to_owned(), to_json(value));
                }
                other => self.unknown(other, entry, "a stack", TOP, &[]),
            }
        }
        out
    }

    fn version(&mut self, entry: &Entry) {
        self.findings.push(
            Finding::warning(
                Code::Obsolete,
                "`version` is obsolete and has no effect; it can be removed",
            )
            .at(entry.key_span),
        );
    }

    /// A top-level table of named things.
    fn section<K: From<String> + std::hash::Hash + Eq, T>(
        &mut self,
        name: &str,
        node: &Node,
        mut decode: impl FnMut(&mut Self, &str, &Node) -> Option<T>,
    ) -> IndexMap<K, T> {
        let mut out = IndexMap::new();
        if node.is_null() && name != "services" {
            return out;
        }
        let Some(table) = self.mapping(name, node) else {
            return out;
        };
        if table.len() > MOST_NAMED {
            let at = table.get_index(MOST_NAMED).map_or(node.span, |(_, e)| e.key_span);
            self.error(Code::Limit, format!("more than {MOST_NAMED} {name}"), at);
            return out;
        }
        for (key, entry) in table {
            if key.starts_with("x-") && entry.node.mapping().is_none() {
                continue;
            }
            if !is_name(key) {
                self.error(
                    Code::Value,
                    format!("{key:?} is no name: letters, digits, `.`, `_` and `-`"),
                    entry.key_span,
                );
                continue;
            }
            if let Some(value) = decode(self, key, &entry.node) {
                out.insert(K::from(key.to_string()), value);
            }
        }
        out
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// The most extensions below the top that are kept.
const MOST_EXTENSIONS: usize = 10_000;
/// Tables that may hold extensions (`*`: any key); in others, keys are the user's own.
const EXTENSIBLE: [&str; 9] = [
    "/services/*",
    "/services/*/build",
    "/services/*/deploy",
    "/services/*/develop",
    "/services/*/healthcheck",
    "/networks/*",
    "/volumes/*",
    "/secrets/*",
    "/configs/*",
];

/// Extensions of the tables below the top, but for ours.
fn nested_extensions(root: &Node, out: &mut Vec<(String, String, serde_json::Value)>) {
    for pattern in EXTENSIBLE {
        let keys: Vec<&str> = pattern.split('/').skip(1).collect();
        within(root, &keys, String::new(), out);
    }
}

fn within(node: &Node, keys: &[&str], path: String, out: &mut Vec<(String, String, serde_json::Value)>) {
    for (key, entry) in node.mapping().into_iter().flatten() {
        match keys {
            [] if is_extension(key) && **key != *"x-platform" && out.len() < MOST_EXTENSIONS => {
                out.push((path.clone(), key.to_string(), to_json(&entry.node)));
            }
            [wanted, rest @ ..] if *wanted == "*" || **wanted == **key => {
                let key = key.replace('~', "~0").replace('/', "~1");
                within(&entry.node, rest, format!("{path}/{key}"), out);
            }
            _ => {}
        }
    }
}
