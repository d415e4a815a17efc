//! A container's places on its networks.

use serde_json::{Map, Value, json};

use super::container::{Fields, network_mode};
use crate::engine::{CreateContainer, OneOff};
use crate::model::{Endpoint, render};

/// How a container is connected.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// `HostConfig.NetworkMode`.
    pub(super) mode: String,
    /// `NetworkingConfig.EndpointsConfig`, by network name; none without plain networks.
    pub(super) config: Option<Value>,
    /// Networks to connect after creation: id and endpoint.
    pub(super) connect: Vec<(String, Value)>,
    /// The container-wide MAC address, for engines that know no other.
    pub(super) mac_address: Option<String>,
}

/// The first engine that takes more than one network in the create body.
const MANY_AT_ONCE: (u16, u16) = (1, 44);

/// Connects a container as docker compose does: the network of the highest priority first.
///
/// Networks are named, for people and other tools, and addressed by their id beside the name,
/// so that a second network of the same name does no harm.
pub(super) fn endpoints(request: &CreateContainer<'_>, api: (u16, u16)) -> Endpoints {
    let service = request.service;
    let plain = |mode: String| Endpoints {
        mode,
        config: None,
        connect: Vec::new(),
        mac_address: (api < MANY_AT_ONCE)
            .then(|| service.mac_address.clone())
            .flatten(),
    };
    if let Some(mode) = &service.network_mode {
        return plain(network_mode(request, mode));
    }
    let mut networks: Vec<(&String, &Endpoint)> = service.networks.iter().collect();
    networks.sort_by(|(a, x), (b, y)| y.priority.cmp(&x.priority).then_with(|| a.cmp(b)));
    let mut known = networks.into_iter().filter_map(|(key, endpoint)| {
        let spec = request.project.networks.get(key)?;
        let id = request.networks.get(key)?;
        Some((spec.name.clone(), id.to_string(), endpoint))
    });
    let Some((mode, first_id, first)) = known.next() else {
        return plain("none".to_owned());
    };
    let mut mac_address = None;
    let mut config = Map::new();
    let mut first = settings(request, first, &first_id, api);
    if let (Some(address), Value::Object(fields)) = (&service.mac_address, &mut first)
        && !fields.contains_key("MacAddress")
    {
        if api < MANY_AT_ONCE {
            mac_address = Some(address.clone());
        } else {
            fields.insert("MacAddress".into(), json!(address));
        }
    }
    config.insert(mode.clone(), first);
    let mut connect = Vec::new();
    for (name, id, endpoint) in known {
        let settings = settings(request, endpoint, &id, api);
        if api >= MANY_AT_ONCE {
            config.insert(name, settings);
        } else {
            connect.push((id, settings));
        }
    }
    Endpoints {
        mode,
        config: Some(Value::Object(config)),
        connect,
        mac_address,
    }
}

fn settings(request: &CreateContainer<'_>, endpoint: &Endpoint, id: &str, api: (u16, u16)) -> Value {
    let mut address = Fields::default();
    address
        .some("IPv4Address", endpoint.ipv4_address.as_ref())
        .some("IPv6Address", endpoint.ipv6_address.as_ref())
        .list("LinkLocalIPs", &endpoint.link_local_ips);
    let mut options = endpoint.driver_opts.clone();
    if let Some(name) = &endpoint.interface_name {
        options.insert("com.docker.network.endpoint.ifname".into(), name.clone());
    }
    let mut fields = Fields::default();
    fields
        .some("NetworkID", Some(id))
        .list("Aliases", &aliases(request, endpoint))
        .list("Links", &links(request))
        .map("IPAMConfig", address.done())
        .map("DriverOpts", json!(options))
        .some("MacAddress", endpoint.mac_address.as_ref());
    if api >= (1, 48) && endpoint.gw_priority != 0 {
        fields.some("GwPriority", Some(endpoint.gw_priority));
    }
    fields.done()
}

/// The container's final name, the service's name and the aliases of the file; a container that
/// `run` made answers to its own name only, unless asked otherwise.
fn aliases(request: &CreateContainer<'_>, endpoint: &Endpoint) -> Vec<String> {
    let own = match request.oneoff {
        Some(OneOff {
            use_aliases: false, ..
        }) => return vec![request.name.clone()],
        Some(_) => request.name.clone(),
        None => render::container_name(
            request.project,
            request.service_name,
            request.service,
            request.number,
        ),
    };
    let mut all = vec![own, request.service_name.to_string()];
    for alias in &endpoint.aliases {
        if !all.contains(alias) {
            all.push(alias.clone());
        }
    }
    all
}

fn links(request: &CreateContainer<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for link in &request.service.links {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        let Some((name, service)) = request.project.services.get_key_value(target) else {
            continue;
        };
        for number in 1..=service.replicas() {
            let container = render::container_name(request.project, name, service, number);
            all.push(format!("{container}:{alias}"));
            all.push(format!("{container}:{target}-{number}"));
            all.push(format!("{container}:{}-{target}-{number}", request.project.name));
        }
    }
    for link in &request.service.external_links {
        let (container, alias) = link.split_once(':').unwrap_or((link, link));
        all.push(format!("{container}:{alias}"));
    }
    all
}
