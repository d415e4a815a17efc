//! The top-level `networks`, `volumes`, `configs` and `secrets`.
//!
//! Names are completed (`project_key`) when the project's name is known, see `resolve`.

use indexmap::IndexMap;

use super::Decoder;
use crate::base::Secret;
use crate::model::network::IpamPool;
use crate::model::{FileSource, NetworkSpec, ResourceFile, VolumeSpec};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::source::Span;
use crate::stack::tree::{Mapping, Node};

const NETWORK: &[&str] = &[
    "name",
    "driver",
    "driver_opts",
    "ipam",
    "external",
    "internal",
    "enable_ipv4",
    "enable_ipv6",
    "attachable",
    "labels",
];
const VOLUME: &[&str] = &["name", "driver", "driver_opts", "external", "labels"];
const FILE: &[&str] = &[
    "name",
    "file",
    "environment",
    "content",
    "external",
    "labels",
    "template_driver",
];
const POOL: &[&str] = &["subnet", "ip_range", "gateway", "aux_addresses"];

impl Decoder<'_> {
    pub(super) fn network(&mut self, key: &str, node: &Node) -> Option<NetworkSpec> {
        let mut out = NetworkSpec::default();
        if node.is_null() {
            return Some(out);
        }
        let table = self.mapping(&format!("networks.{key}"), node)?;
        for (attribute, entry) in table {
            let value = &entry.node;
            match &**attribute {
                "name" => out.name = self.text("name", value).unwrap_or_default(),
                "driver" => out.driver = self.text("driver", value).filter(|d| !d.is_empty()),
                "driver_opts" => out.driver_opts = self.texts_by_key("driver_opts", value),
                "ipam" => self.ipam(value, &mut out),
                "external" => out.external = self.external(value, &mut out.name),
                "internal" => out.internal = self.boolean("internal", value).unwrap_or(false),
                "enable_ipv4" => out.enable_ipv4 = self.boolean("enable_ipv4", value),
                "enable_ipv6" => out.enable_ipv6 = self.boolean("enable_ipv6", value),
                "attachable" => out.attachable = self.boolean("attachable", value).unwrap_or(false),
                "labels" => out.labels = self.texts_by_key("labels", value),
                other => self.unknown(other, entry, "a network", NETWORK, &[]),
            }
        }
        self.only_name_when_external(out.external, table, "a network", key, &mut out.name);
        Some(out)
    }

    fn ipam(&mut self, node: &Node, out: &mut NetworkSpec) {
        if node.is_null() {
            return;
        }
        let Some(table) = self.mapping("ipam", node) else {
            return;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "driver" => out.ipam_driver = self.text("driver", value),
                "options" => out.ipam_options = self.texts_by_key("options", value),
                "config" => {
                    let pools = self.list("config", value);
                    out.ipam = pools.iter().filter_map(|pool| self.pool(pool)).collect();
                }
                other => self.unknown(other, entry, "`ipam`", &["driver", "config", "options"], &[]),
            }
        }
    }

    fn pool(&mut self, node: &Node) -> Option<IpamPool> {
        let table = self.mapping("config", node)?;
        let mut out = IpamPool::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "subnet" => out.subnet = self.text("subnet", value),
                "ip_range" => out.ip_range = self.text("ip_range", value),
                "gateway" => out.gateway = self.text("gateway", value),
                "aux_addresses" => out.aux_addresses = self.texts_by_key("aux_addresses", value),
                other => self.unknown(other, entry, "an address pool", POOL, &[]),
            }
        }
        Some(out)
    }

    pub(super) fn volume(&mut self, key: &str, node: &Node) -> Option<VolumeSpec> {
        let mut out = VolumeSpec {
            name: String::new(),
            external: false,
            driver: None,
            driver_opts: Default::default(),
            labels: Default::default(),
        };
        if node.is_null() {
            return Some(out);
        }
        let table = self.mapping(&format!("volumes.{key}"), node)?;
        for (attribute, entry) in table {
            let value = &entry.node;
            match &**attribute {
                "name" => out.name = self.text("name", value).unwrap_or_default(),
                "driver" => out.driver = self.text("driver", value).filter(|d| !d.is_empty()),
                "driver_opts" => out.driver_opts = self.texts_by_key("driver_opts", value),
                "external" => out.external = self.external(value, &mut out.name),
                "labels" => out.labels = self.texts_by_key("labels", value),
                other => self.unknown(other, entry, "a volume", VOLUME, &[]),
            }
        }
        // With these options the local driver mounts a folder of the host.
        if out.driver.as_deref() == Some("local")
            && out.driver_opts.get("o").is_some_and(|o| o == "bind")
            && let Some(device) = out.driver_opts.get_mut("device")
        {
            *device = self
                .scopes
                .host_path(node.span.file, device)
                .to_string_lossy()
                .into_owned();
        }
        self.only_name_when_external(out.external, table, "a volume", key, &mut out.name);
        Some(out)
    }

    /// A config or a secret.
    pub(super) fn resource_file(&mut self, section: &str, key: &str, node: &Node) -> Option<ResourceFile> {
        let what = section.strip_suffix('s').unwrap_or(section);
        let what = format!("a {what}");
        let table = self.mapping(&format!("{section}.{key}"), node)?;
        let mut name = String::new();
        let mut external = false;
        let mut sources: Vec<(Span, FileSource)> = Vec::new();
        let mut swarm = IndexMap::new();
        for (attribute, entry) in table {
            let value = &entry.node;
            match &**attribute {
                "name" => name = self.text("name", value).unwrap_or_default(),
                "external" => external = self.external(value, &mut name),
                "file" => {
                    let path = self.path("file", value)?;
                    sources.push((entry.key_span, FileSource::File(path)));
                }
                "environment" => {
                    let variable = self.text("environment", value)?;
                    let value = self.variables(value).get(&variable).cloned().map(Secret::new);
                    sources.push((entry.key_span, FileSource::Environment { variable, value }));
                }
                "content" if section == "configs" => {
                    let text = self.text("content", value)?;
                    sources.push((entry.key_span, FileSource::Content(text)));
                }
                "labels" | "driver_opts" => {
                    let texts = self.texts_by_key(attribute, value);
                    swarm.insert(attribute.to_string(), serde_json::json!(texts));
                }
                "driver" | "template_driver" => {
                    let text = self.text(attribute, value)?;
                    swarm.insert(attribute.to_string(), text.into());
                }
                other => self.unknown(other, entry, &what, FILE, &[]),
            }
        }
        if external {
            if let Some((span, _)) = sources.first() {
                self.warn(
                    Code::Conflict,
                    format!("{what} that is external takes nothing from here: this has no effect"),
                    *span,
                );
            }
            if name.is_empty() && self.implied {
                name = key.to_owned();
            }
            return Some(ResourceFile {
                name,
                source: FileSource::External(true),
                swarm,
                digest: None,
            });
        }
        let mut sources = sources.into_iter();
        match (sources.next(), sources.next()) {
            (Some((_, source)), None) => Some(ResourceFile {
                name,
                source,
                swarm,
                digest: None,
            }),
            (Some((first, _)), Some((second, _))) => {
                self.findings.push(
                    Finding::error(Code::Conflict, format!("{what} has one source, not two"))
                        .label(second, "and here")
                        .label(first, "here"),
                );
                None
            }
            _ => {
                let wanted = if section == "configs" {
                    "file, environment, content or external"
                } else {
                    "file, environment or external"
                };
                self.error(
                    Code::Missing,
                    format!("{what} needs a source: {wanted}"),
                    node.span,
                );
                None
            }
        }
    }

    /// `external: true`, or the older `external: {name: x}`.
    fn external(&mut self, node: &Node, name: &mut String) -> bool {
        let Some(table) = node.mapping() else {
            return self.boolean("external", node).unwrap_or(false);
        };
        for (key, entry) in table {
            match &**key {
                "name" => {
                    self.warn(
                        Code::Obsolete,
                        "`external.name` is obsolete; write `external: true` and `name` beside it",
                        entry.key_span,
                    );
                    if let Some(text) = self.text("name", &entry.node) {
                        *name = text;
                    }
                }
                other => self.unknown(other, entry, "`external`", &["name"], &[]),
            }
        }
        true
    }

    fn only_name_when_external(
        &mut self,
        external: bool,
        table: &Mapping,
        what: &str,
        key: &str,
        name: &mut String,
    ) {
        if !external {
            return;
        }
        if name.is_empty() && self.implied {
            key.clone_into(name);
        }
        for (attribute, entry) in table {
            if !matches!(&**attribute, "external" | "name") && !super::reader::is_extension(attribute) {
                let message = format!("`{attribute}` of {what} that is external has no effect");
                if what == "a volume" {
                    self.error(Code::Conflict, message, entry.key_span);
                } else {
                    self.warn(Code::Conflict, message, entry.key_span);
                }
            }
        }
    }
}
