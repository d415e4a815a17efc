//! `deploy`.

use indexmap::IndexMap;

use super::Decoder;
use crate::model::{Deploy, Placement, RestartPolicy, Spread, UpdateConfig};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::{Entry, Node};

const DEPLOY: &[&str] = &[
    "replicas",
    "labels",
    "resources",
    "restart_policy",
    "mode",
    "endpoint_mode",
    "update_config",
    "rollback_config",
    "placement",
];
const UPDATE: &[&str] = &[
    "parallelism",
    "delay",
    "failure_action",
    "monitor",
    "max_failure_ratio",
    "order",
];
const CONDITIONS: &[&str] = &["none", "no", "on-failure", "any", "always", "unless-stopped"];

impl Decoder<'_> {
    pub(super) fn deploy(&mut self, node: &Node) -> Option<Deploy> {
        if node.is_null() {
            return None;
        }
        let table = self.mapping("deploy", node)?;
        let mut out = Deploy::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "replicas" => out.replicas = self.unsigned("replicas", value),
                "labels" => out.labels = self.texts_by_key("labels", value),
                "resources" => self.resources(value, &mut out),
                "restart_policy" => self.restart_policy(value, &mut out),
                "mode" => out.mode = self.deploy_mode(value),
                "endpoint_mode" => out.endpoint_mode = self.text(key, value),
                "update_config" => out.update_config = self.update_config(key, value),
                "rollback_config" => out.rollback_config = self.update_config(key, value),
                "placement" if value.mapping().is_some_and(IndexMap::is_empty) => {}
                "placement" => {
                    out.placement = self.placement(value);
                    self.ignored(key, entry);
                }
                other => self.unknown(other, entry, "`deploy`", DEPLOY, &[]),
            }
        }
        Some(out)
    }

    /// Other modes than these two exist, and mean nothing outside of a swarm.
    fn deploy_mode(&mut self, node: &Node) -> Option<String> {
        let mode = self.non_empty_text("mode", node)?;
        if !["replicated", "global"].contains(&mode.as_str()) {
            self.warn(
                Code::NotSupported,
                format!("`deploy.mode: {mode}` has no effect: it is neither `replicated` nor `global`"),
                node.span,
            );
        }
        Some(mode)
    }

    /// What docker compose takes and does nothing with either.
    fn ignored(&mut self, key: &str, entry: &Entry) {
        self.findings.push(
            Finding::warning(
                Code::NotSupported,
                format!("`deploy.{key}` has no effect on a single engine yet"),
            )
            .at(entry.key_span),
        );
    }

    fn placement(&mut self, node: &Node) -> Option<Placement> {
        let table = self.mapping("placement", node)?;
        let mut out = Placement::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "constraints" => out.constraints = self.texts(key, value),
                "max_replicas_per_node" => out.max_replicas_per_node = self.unsigned(key, value),
                "preferences" => {
                    for item in self.list(key, value) {
                        let spread = self.mapping("a preference", item).and_then(|t| t.get("spread"));
                        if let Some(spread) = spread.and_then(|entry| self.text("spread", &entry.node)) {
                            out.preferences.push(Spread { spread });
                        }
                    }
                }
                other => self.unknown(
                    other,
                    entry,
                    "`placement`",
                    &["constraints", "preferences", "max_replicas_per_node"],
                    &[],
                ),
            }
        }
        Some(out)
    }

    /// `generic_resources`: kind and number of each.
    fn generic_resources(&mut self, node: &Node) -> Vec<(String, i64)> {
        let mut out = Vec::new();
        for item in self.list("generic_resources", node) {
            let spec = self
                .mapping("a generic resource", item)
                .and_then(|table| table.get("discrete_resource_spec"))
                .and_then(|entry| entry.node.mapping());
            let (Some(kind), Some(value)) = (
                spec.and_then(|spec| spec.get("kind")),
                spec.and_then(|spec| spec.get("value")),
            ) else {
                self.missing(
                    "discrete_resource_spec` with `kind` and `value",
                    "a generic resource",
                    item.span,
                );
                continue;
            };
            if let (Some(kind), Some(value)) = (
                self.text("kind", &kind.node),
                self.within("value", &value.node, 0, i64::MAX),
            ) {
                out.push((kind, value));
            }
        }
        out
    }

    /// Kept for what rolls out; docker compose takes it and does nothing with it.
    fn update_config(&mut self, name: &str, node: &Node) -> Option<UpdateConfig> {
        let table = self.mapping(name, node)?;
        let mut out = UpdateConfig::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "parallelism" => out.parallelism = self.unsigned(key, value),
                "delay" => out.delay = self.duration(key, value),
                "failure_action" => out.failure_action = self.text(key, value),
                "monitor" => out.monitor = self.duration(key, value),
                "max_failure_ratio" => out.max_failure_ratio = self.float(key, value),
                "order" => out.order = self.one_of(key, value, &["start-first", "stop-first"]),
                other => self.unknown(other, entry, &format!("`{name}`"), UPDATE, &[]),
            }
        }
        Some(out)
    }

    fn resources(&mut self, node: &Node, out: &mut Deploy) {
        let Some(table) = self.mapping("resources", node) else {
            return;
        };
        for (key, entry) in table {
            match &**key {
                "limits" => {
                    let Some(limits) = self.mapping("limits", &entry.node) else {
                        continue;
                    };
                    for (key, entry) in limits {
                        let value = &entry.node;
                        match &**key {
                            "cpus" => out.limit_cpus = self.float("cpus", value),
                            "memory" => out.limit_memory = self.bytes("memory", value),
                            "pids" => out.limit_pids = self.within("pids", value, -1, i64::MAX),
                            other => self.unknown(other, entry, "`limits`", &["cpus", "memory", "pids"], &[]),
                        }
                    }
                }
                "reservations" => {
                    let Some(reservations) = self.mapping("reservations", &entry.node) else {
                        continue;
                    };
                    for (key, entry) in reservations {
                        let value = &entry.node;
                        match &**key {
                            "cpus" => out.reserve_cpus = self.float("cpus", value),
                            "memory" => out.reserve_memory = self.bytes("memory", value),
                            "generic_resources" => {
                                out.reserve_generic = self.generic_resources(value);
                                self.ignored("resources.reservations.generic_resources", entry);
                            }
                            "devices" => out.reserve_devices = self.device_requests("devices", value, true),
                            other => self.unknown(
                                other,
                                entry,
                                "`reservations`",
                                &["cpus", "memory", "devices", "generic_resources"],
                                &[],
                            ),
                        }
                    }
                }
                other => self.unknown(other, entry, "`resources`", &["limits", "reservations"], &[]),
            }
        }
    }

    fn restart_policy(&mut self, node: &Node, out: &mut Deploy) {
        let Some(table) = self.mapping("restart_policy", node) else {
            return;
        };
        let (mut condition, mut attempts) = (None, None);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "condition" => condition = self.one_of("condition", value, CONDITIONS),
                "max_attempts" => attempts = self.unsigned("max_attempts", value),
                "delay" => out.restart_delay = self.duration(key, value),
                "window" => out.restart_window = self.duration(key, value),
                other => self.unknown(
                    other,
                    entry,
                    "`restart_policy`",
                    &["condition", "delay", "max_attempts", "window"],
                    &[],
                ),
            }
        }
        out.restart_policy = condition.map(|condition| match condition.as_str() {
            "on-failure" => RestartPolicy::OnFailure(attempts),
            "any" | "always" => RestartPolicy::Always,
            "unless-stopped" => RestartPolicy::UnlessStopped,
            _ => RestartPolicy::No,
        });
    }
}
