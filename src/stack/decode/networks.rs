//! `networks` and `network_mode` of a service.

use indexmap::IndexMap;

use super::Decoder;
use crate::base::ServiceName;
use crate::model::{Endpoint, NetworkMode};
use crate::stack::diagnostic::Code;
use crate::stack::tree::{Node, Value};

/// The most networks of a service.
const MOST_NETWORKS: usize = 10_000;

const ENDPOINT: &[&str] = &[
    "aliases",
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "mac_address",
    "driver_opts",
    "priority",
    "gw_priority",
    "interface_name",
];

impl Decoder<'_> {
    pub(super) fn endpoints(&mut self, node: &Node) -> IndexMap<String, Endpoint> {
        let mut out = IndexMap::new();
        let count = node
            .mapping()
            .map_or(0, IndexMap::len)
            .max(node.sequence().map_or(0, <[_]>::len));
        if count > MOST_NETWORKS {
            self.error(
                Code::Limit,
                format!("more than {MOST_NETWORKS} networks"),
                node.span,
            );
            return out;
        }
        match &node.value {
            Value::Sequence(_) => {
                for name in self.texts("networks", node) {
                    out.insert(name, Endpoint::default());
                }
            }
            Value::Mapping(table) => {
                for (name, entry) in table {
                    if let Some(endpoint) = self.endpoint(&entry.node) {
                        out.insert(name.to_string(), endpoint);
                    }
                }
            }
            Value::Scalar(_) => self.expected("networks", "a list of networks or a mapping", node),
        }
        out
    }

    fn endpoint(&mut self, node: &Node) -> Option<Endpoint> {
        let mut out = Endpoint::default();
        if node.is_null() {
            return Some(out);
        }
        let table = self.mapping("networks", node)?;
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "aliases" => out.aliases = self.unique_texts("aliases", value),
                "ipv4_address" => out.ipv4_address = self.text("ipv4_address", value),
                "ipv6_address" => out.ipv6_address = self.text("ipv6_address", value),
                "link_local_ips" => out.link_local_ips = self.unique_texts("link_local_ips", value),
                "mac_address" => out.mac_address = self.text("mac_address", value),
                "driver_opts" => out.driver_opts = self.texts_by_key("driver_opts", value),
                "priority" => out.priority = self.integer("priority", value).unwrap_or(0),
                "gw_priority" => out.gw_priority = self.integer("gw_priority", value).unwrap_or(0),
                "interface_name" => out.interface_name = self.text("interface_name", value),
                other => self.unknown(other, entry, "a service's network", ENDPOINT, &[]),
            }
        }
        Some(out)
    }

    pub(super) fn network_mode(&mut self, node: &Node) -> Option<NetworkMode> {
        let text = self.text("network_mode", node)?;
        Some(match text.as_str() {
            "" => return None,
            "none" => NetworkMode::None,
            "host" => NetworkMode::Host,
            other => match other.split_once(':') {
                Some(("service", name)) => NetworkMode::Service(ServiceName::from(name)),
                Some(("container", name)) => NetworkMode::Container(name.to_owned()),
                _ => NetworkMode::Other(text),
            },
        })
    }
}
