//! Containers for tests of what shows them.

use std::collections::BTreeMap;

use super::{Container, ContainerState};

/// A running container without health check.
pub(crate) fn container(service: &str, number: u32) -> Container {
    Container {
        id: format!("{service}{number}0123456789abcdef").as_str().into(),
        name: format!("shop-{service}-{number}"),
        service: service.into(),
        number,
        oneoff: false,
        state: ContainerState::Running,
        health: None,
        image: "sha256:0123".into(),
        image_ref: format!("example/{service}:1.2"),
        labels: BTreeMap::new(),
        addresses: BTreeMap::new(),
        ports: Vec::new(),
        volumes: Vec::new(),
        command: String::new(),
        created: 0,
        status: "Up 3 seconds".into(),
    }
}
