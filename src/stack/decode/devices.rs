//! `gpus`, `deploy.resources.reservations.devices` and `blkio_config`.

use super::Decoder;
use crate::model::{BlkioConfig, DeviceRate, DeviceRequest, DeviceWeight};
use crate::stack::diagnostic::Code;
use crate::stack::tree::{Node, Resolved};

const REQUEST: &[&str] = &["capabilities", "driver", "count", "device_ids", "options"];
const BLKIO: &[&str] = &[
    "weight",
    "weight_device",
    "device_read_bps",
    "device_read_iops",
    "device_write_bps",
    "device_write_iops",
];

impl Decoder<'_> {
    /// `all`, or a list of requests.
    pub(super) fn gpus(&mut self, node: &Node) -> Vec<DeviceRequest> {
        if node.resolved() == Some(Resolved::Text("all")) {
            return vec![DeviceRequest {
                count: Some(-1),
                ..DeviceRequest::default()
            }];
        }
        if node.sequence().is_none() {
            self.expected("gpus", "`all` or a list of devices", node);
            return Vec::new();
        }
        self.device_requests("gpus", node, false)
    }

    pub(super) fn device_requests(
        &mut self,
        name: &str,
        node: &Node,
        needs_capabilities: bool,
    ) -> Vec<DeviceRequest> {
        let items = self.list(name, node);
        items
            .iter()
            .filter_map(|item| self.device_request(name, item, needs_capabilities))
            .collect()
    }

    fn device_request(&mut self, name: &str, node: &Node, needs_capabilities: bool) -> Option<DeviceRequest> {
        let table = self.mapping(name, node)?;
        let mut out = DeviceRequest::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "capabilities" => {
                    self.distinct(key, value);
                    out.capabilities = self.texts(key, value);
                }
                "driver" => out.driver = self.text("driver", value).filter(|d| !d.is_empty()),
                "count" if value.resolved() == Some(Resolved::Text("all")) => out.count = Some(-1),
                "count" => out.count = self.within("count", value, -1, i64::MAX),
                "device_ids" => {
                    self.distinct(key, value);
                    out.device_ids = self.texts(key, value);
                }
                "options" => out.options = self.texts_by_key("options", value),
                other => self.unknown(other, entry, "a device", REQUEST, &[]),
            }
        }
        if needs_capabilities && !table.contains_key("capabilities") {
            self.missing("capabilities", "a device", node.span);
        }
        if out.count.is_some() && !out.device_ids.is_empty() {
            self.error(
                Code::Conflict,
                "a device has a `count` or `device_ids`, not both",
                node.span,
            );
        }
        if out.count.is_none() && out.device_ids.is_empty() {
            out.count = Some(-1);
        }
        Some(out)
    }

    pub(super) fn blkio_config(&mut self, node: &Node) -> Option<BlkioConfig> {
        let table = self.mapping("blkio_config", node)?;
        let mut out = BlkioConfig::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "weight" => out.weight = self.unsigned("weight", value),
                "weight_device" => {
                    let items = self.list(key, value);
                    out.weight_device = items
                        .iter()
                        .filter_map(|item| {
                            let (path, weight) = self.device_limit(key, item, "weight")?;
                            Some(DeviceWeight {
                                path,
                                weight: u32::try_from(weight).ok()?,
                            })
                        })
                        .collect();
                }
                "device_read_bps" => out.device_read_bps = self.device_rates(key, value),
                "device_read_iops" => out.device_read_iops = self.device_rates(key, value),
                "device_write_bps" => out.device_write_bps = self.device_rates(key, value),
                "device_write_iops" => out.device_write_iops = self.device_rates(key, value),
                other => self.unknown(other, entry, "`blkio_config`", BLKIO, &[]),
            }
        }
        Some(out)
    }

    fn device_rates(&mut self, name: &str, node: &Node) -> Vec<DeviceRate> {
        let items = self.list(name, node);
        items
            .iter()
            .filter_map(|item| {
                let (path, rate) = self.device_limit(name, item, "rate")?;
                Some(DeviceRate {
                    path,
                    rate: Some(rate),
                })
            })
            .collect()
    }

    /// `{path, weight}` or `{path, rate}`.
    fn device_limit(&mut self, name: &str, node: &Node, limit: &str) -> Option<(String, u64)> {
        let table = self.mapping(name, node)?;
        let (mut path, mut amount) = (None, None);
        for (key, entry) in table {
            match &**key {
                "path" => path = self.text("path", &entry.node),
                key if key == limit => amount = self.bytes(limit, &entry.node),
                other => self.unknown(other, entry, &format!("`{name}`"), &["path", limit], &[]),
            }
        }
        for key in ["path", limit] {
            if !table.contains_key(key) {
                self.missing(key, &format!("`{name}`"), node.span);
            }
        }
        Some((path?, amount?))
    }
}
