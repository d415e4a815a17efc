//! Networks and volumes as the engine wants to be asked for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{NetworkSpec, Project, VolumeSpec, labels};

/// What stands in Compose's version label of what we make.
pub(in crate::engine) const VERSION: &str = concat!("platform ", env!("CARGO_PKG_VERSION"));

/// Body of `POST /networks/create`, as docker compose forms it, with our run's label beside.
pub(in crate::engine) fn create_network(
    project: &Project,
    key: &str,
    spec: &NetworkSpec,
    run: &str,
) -> Value {
    let mut all = own_labels(project, run);
    all.insert(labels::NETWORK.to_owned(), key.to_owned());
    if let Ok(text) = serde_json::to_string(spec) {
        all.insert(labels::SPEC.to_owned(), text);
    }
    let all: BTreeMap<String, String> = spec.labels.clone().into_iter().chain(all).collect();
    let mut body = Map::new();
    body.insert("Name".into(), json!(spec.name));
    // Engines before API 1.44 make a second network of the same name unless asked not to.
    body.insert("CheckDuplicate".into(), json!(true));
    body.insert("Driver".into(), json!(spec.driver.as_deref().unwrap_or("bridge")));
    body.insert("Internal".into(), json!(spec.internal));
    body.insert("Attachable".into(), json!(spec.attachable));
    if let Some(on) = spec.enable_ipv4 {
        body.insert("EnableIPv4".into(), json!(on));
    }
    if let Some(on) = spec.enable_ipv6 {
        body.insert("EnableIPv6".into(), json!(on));
    }
    if spec.ipam_driver.is_some() || !spec.ipam.is_empty() || !spec.ipam_options.is_empty() {
        body.insert("IPAM".into(), ipam(spec));
    }
    body.insert("Options".into(), json!(spec.driver_opts));
    body.insert("Labels".into(), json!(all));
    Value::Object(body)
}

fn ipam(spec: &NetworkSpec) -> Value {
    let pools: Vec<Value> = spec
        .ipam
        .iter()
        .map(|pool| {
            let mut fields = Map::new();
            for (name, value) in [
                ("Subnet", &pool.subnet),
                ("IPRange", &pool.ip_range),
                ("Gateway", &pool.gateway),
            ] {
                if let Some(value) = value {
                    fields.insert(name.into(), json!(value));
                }
            }
            if !pool.aux_addresses.is_empty() {
                fields.insert("AuxiliaryAddresses".into(), json!(pool.aux_addresses));
            }
            Value::Object(fields)
        })
        .collect();
    json!({
        "Driver": spec.ipam_driver.as_deref().unwrap_or("default"),
        "Config": pools,
        "Options": spec.ipam_options,
    })
}

/// Body of `POST /volumes/create`.
pub(in crate::engine) fn create_volume(project: &Project, key: &str, spec: &VolumeSpec, run: &str) -> Value {
    let mut all = own_labels(project, run);
    all.insert(labels::VOLUME.to_owned(), key.to_owned());
    let all: BTreeMap<String, String> = spec.labels.clone().into_iter().chain(all).collect();
    json!({
        "Name": spec.name,
        "Driver": spec.driver.as_deref().unwrap_or("local"),
        "DriverOpts": spec.driver_opts,
        "Labels": all,
    })
}

fn own_labels(project: &Project, run: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (labels::PROJECT.to_owned(), project.name.to_string()),
        (labels::VERSION.to_owned(), VERSION.to_owned()),
        (labels::RUN.to_owned(), run.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::convert::tests_support::project;
    use crate::model::IpamPool;

    #[test]
    fn a_network_body_is_composes_with_our_run() {
        let spec = NetworkSpec {
            name: "p_net".into(),
            internal: true,
            driver_opts: [("com.docker.network.bridge.name".to_owned(), "br7".to_owned())].into(),
            ipam: vec![IpamPool {
                subnet: Some("10.9.0.0/24".into()),
                ..IpamPool::default()
            }],
            ..NetworkSpec::default()
        };
        let body = create_network(&project(), "net", &spec, "r1");
        insta::assert_snapshot!(
            serde_json::to_string(&body).unwrap().replace(VERSION, "VERSION"),
            @r#"{"Name":"p_net","CheckDuplicate":true,"Driver":"bridge","Internal":true,"Attachable":false,"IPAM":{"Driver":"default","Config":[{"Subnet":"10.9.0.0/24"}],"Options":{}},"Options":{"com.docker.network.bridge.name":"br7"},"Labels":{"com.docker.compose.network":"net","com.docker.compose.project":"p","com.docker.compose.version":"VERSION","dev.platform.run":"r1","dev.platform.spec":"{\"name\":\"p_net\",\"driver_opts\":{\"com.docker.network.bridge.name\":\"br7\"},\"internal\":true,\"ipam\":[{\"subnet\":\"10.9.0.0/24\"}]}"}}"#
        );
    }
}
