//! Networks, endpoints and published ports.

use indexmap::IndexMap;
use serde::Serialize;

use super::render::{is_false, is_zero};
use crate::base::ServiceName;

/// A top-level network.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NetworkSpec {
    /// The engine-side name: `project_key` unless the file names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether somebody else makes it.
    #[serde(skip_serializing_if = "is_false")]
    pub external: bool,
    /// Driver; the engine's default (`bridge`) where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Options of the driver.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub driver_opts: IndexMap<String, String>,
    /// Whether without a way out.
    #[serde(skip_serializing_if = "is_false")]
    pub internal: bool,
    /// Whether containers outside the project may join.
    #[serde(skip_serializing_if = "is_false")]
    pub attachable: bool,
    /// Whether IPv4 addresses are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    /// Whether IPv6 addresses are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    /// Address management driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam_driver: Option<String>,
    /// Address pools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ipam: Vec<IpamPool>,
    /// Options of the address management driver.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub ipam_options: IndexMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}

/// An address pool of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct IpamPool {
    /// CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// CIDR that addresses are given from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_range: Option<String>,
    /// Gateway address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Addresses that are taken, by host name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub aux_addresses: IndexMap<String, String>,
}

/// A service's place on a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Further names on this network; the service's own name is always one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Fixed address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<String>,
    /// Fixed address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
    /// Link-local addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub link_local_ips: Vec<String>,
    /// MAC address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// Options of the driver.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub driver_opts: IndexMap<String, String>,
    /// Networks of higher priority are connected first.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// The network of the highest gives the default gateway.
    #[serde(skip_serializing_if = "is_zero")]
    pub gw_priority: i64,
    /// Name of the interface in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
}

/// `network_mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkMode {
    /// No network.
    None,
    /// The host's.
    Host,
    /// That of another service's container.
    Service(ServiceName),
    /// That of a container by name or id.
    Container(String),
    /// Anything else the engine knows (`bridge`, a network's name).
    Other(String),
}

impl Serialize for NetworkMode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Host => serializer.serialize_str("host"),
            Self::Service(name) => serializer.collect_str(&format_args!("service:{name}")),
            Self::Container(name) => serializer.collect_str(&format_args!("container:{name}")),
            Self::Other(name) => serializer.serialize_str(name),
        }
    }
}

/// A published port, one target each (ranges are spread by the loader).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortBinding {
    /// `name`, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address of the host; all addresses where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_ip: Option<String>,
    /// Port in the container.
    pub target: u16,
    /// Port of the host: one, a range `a-b` to choose from, or absent for any free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Protocol.
    pub protocol: Protocol,
    /// `host` or `ingress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Application protocol, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
}

/// Transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// `tcp`, `udp`, `sctp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}
