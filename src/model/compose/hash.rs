//! docker compose's own hash of a service, by which it tells whether a container is still what is wanted
//! (`pkg/compose/hash.go` of docker compose 2.40): SHA-256 of the service as Go's `encoding/json` writes
//! it. With it on our containers, docker compose run after us leaves them as they are.

use serde_json::{Map, Value, json};

use super::super::render::hex;
use super::{Service, service_value};
use sha2::{Digest, Sha256};

/// Attributes that change no container: not part of the hash.
const LEFT_OUT: &[&str] = &[
    "build",
    "pull_policy",
    "scale",
    "depends_on",
    "profiles",
    "x-platform",
];

/// Attributes in the order of compose-go's types, `a b` below their parent; whatever has no order here is a
/// map to Go, which writes those by key. `*` stands for any key, list items have none.
const ORDER: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "annotations",
            "attach",
            "develop",
            "blkio_config",
            "cap_add",
            "cap_drop",
            "cgroup_parent",
            "cgroup",
            "cpu_count",
            "cpu_percent",
            "cpu_period",
            "cpu_quota",
            "cpu_rt_period",
            "cpu_rt_runtime",
            "cpus",
            "cpuset",
            "cpu_shares",
            "command",
            "configs",
            "container_name",
            "credential_spec",
            "deploy",
            "device_cgroup_rules",
            "devices",
            "dns",
            "dns_opt",
            "dns_search",
            "domainname",
            "entrypoint",
            "provider",
            "environment",
            "env_file",
            "expose",
            "extends",
            "external_links",
            "extra_hosts",
            "group_add",
            "gpus",
            "hostname",
            "healthcheck",
            "image",
            "init",
            "ipc",
            "isolation",
            "labels",
            "label_file",
            "links",
            "logging",
            "mem_limit",
            "mem_reservation",
            "memswap_limit",
            "mem_swappiness",
            "mac_address",
            "models",
            "network_mode",
            "networks",
            "oom_kill_disable",
            "oom_score_adj",
            "pid",
            "pids_limit",
            "platform",
            "ports",
            "privileged",
            "read_only",
            "restart",
            "runtime",
            "secrets",
            "security_opt",
            "shm_size",
            "stdin_open",
            "stop_grace_period",
            "stop_signal",
            "storage_opt",
            "sysctls",
            "tmpfs",
            "tty",
            "ulimits",
            "use_api_socket",
            "user",
            "userns_mode",
            "uts",
            "volume_driver",
            "volumes",
            "volumes_from",
            "working_dir",
            "post_start",
            "pre_stop",
        ],
    ),
    (
        "develop watch",
        &[
            "path",
            "action",
            "target",
            "exec",
            "include",
            "ignore",
            "initial_sync",
        ],
    ),
    ("develop watch exec", HOOK),
    ("post_start", HOOK),
    ("pre_stop", HOOK),
    (
        "blkio_config",
        &[
            "weight",
            "weight_device",
            "device_read_bps",
            "device_read_iops",
            "device_write_bps",
            "device_write_iops",
        ],
    ),
    ("blkio_config *", &["path", "weight", "rate"]),
    ("configs", FILE),
    ("secrets", FILE),
    (
        "deploy",
        &[
            "mode",
            "labels",
            "update_config",
            "rollback_config",
            "resources",
            "restart_policy",
            "placement",
            "endpoint_mode",
        ],
    ),
    ("deploy update_config", UPDATE),
    ("deploy rollback_config", UPDATE),
    ("deploy resources", &["limits", "reservations"]),
    ("deploy resources *", LIMITS),
    ("deploy resources reservations devices", DEVICE),
    (
        "deploy resources reservations generic_resources discrete_resource_spec",
        &["kind", "value"],
    ),
    (
        "deploy restart_policy",
        &["condition", "delay", "max_attempts", "window"],
    ),
    (
        "deploy placement",
        &["constraints", "preferences", "max_replicas_per_node"],
    ),
    ("devices", &["source", "target", "permissions"]),
    ("gpus", DEVICE),
    (
        "healthcheck",
        &[
            "test",
            "timeout",
            "interval",
            "retries",
            "start_period",
            "start_interval",
            "disable",
        ],
    ),
    ("logging", &["driver", "options"]),
    ("provider", &["type", "options"]),
    ("models *", &["endpoint_var", "model_var"]),
    (
        "networks *",
        &[
            "aliases",
            "driver_opts",
            "gw_priority",
            "interface_name",
            "ipv4_address",
            "ipv6_address",
            "link_local_ips",
            "mac_address",
            "priority",
        ],
    ),
    (
        "ports",
        &[
            "name",
            "mode",
            "host_ip",
            "target",
            "published",
            "protocol",
            "app_protocol",
        ],
    ),
    ("ulimits *", &["single", "soft", "hard"]),
    (
        "volumes",
        &[
            "type",
            "source",
            "target",
            "read_only",
            "consistency",
            "bind",
            "volume",
            "tmpfs",
            "image",
        ],
    ),
    (
        "volumes bind",
        &["selinux", "propagation", "create_host_path", "recursive"],
    ),
    ("volumes volume", &["labels", "nocopy", "subpath"]),
    ("volumes tmpfs", &["size", "mode"]),
    ("credential_spec", &["config", "file", "registry"]),
];
const HOOK: &[&str] = &["command", "user", "privileged", "working_dir", "environment"];
const FILE: &[&str] = &["source", "target", "uid", "gid", "mode"];
const UPDATE: &[&str] = &[
    "parallelism",
    "delay",
    "failure_action",
    "monitor",
    "max_failure_ratio",
    "order",
];
const LIMITS: &[&str] = &["cpus", "memory", "pids", "devices", "generic_resources"];
const DEVICE: &[&str] = &["capabilities", "driver", "count", "device_ids", "options"];

/// The hash of a service, in hexadecimal: what `docker compose config --hash` prints.
pub fn service_hash(service: &Service) -> String {
    hashed(service_value(service))
}

/// The hash that docker compose puts on a service's containers. It knows the files that labels come from,
/// which `config` has forgotten.
pub fn container_hash(service: &Service) -> String {
    let mut fields = service_value(service);
    if !service.label_files.is_empty() {
        fields.insert("label_file".to_owned(), json!(service.label_files));
    }
    hashed(fields)
}

fn hashed(mut fields: Map<String, Value>) -> String {
    for key in LEFT_OUT {
        fields.shift_remove(*key);
    }
    if let Some(Value::Object(deploy)) = fields.get_mut("deploy") {
        deploy.shift_remove("replicas");
    }
    let text = ordered("", &Value::Object(fields)).to_string();
    hex(&Sha256::digest(escaped(&text).as_bytes()))
}

/// A value with its keys in the order in which Go writes them.
fn ordered(path: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| ordered(path, item)).collect(),
        Value::Object(table) => {
            let order = order_of(path);
            let mut keys: Vec<&String> = table.keys().collect();
            match order {
                Some(order) => keys.sort_by_key(|key| {
                    let place = order.iter().position(|known| known == key);
                    (place.unwrap_or(order.len()), key.as_str())
                }),
                None => keys.sort(),
            }
            let entry = |key: &String| {
                let below = format!("{path} {key}");
                Some((key.clone(), ordered(below.trim_start(), table.get(key)?)))
            };
            Value::Object(keys.into_iter().filter_map(entry).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn order_of(path: &str) -> Option<&'static [&'static str]> {
    let fits = |pattern: &str| {
        let (mut wanted, mut found) = (pattern.split(' '), path.split(' '));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some(wanted), Some(found)) if wanted == "*" || wanted == found => {}
                _ => return false,
            }
        }
    };
    ORDER
        .iter()
        .find(|(pattern, _)| *pattern == path || fits(pattern))
        .map(|(_, order)| *order)
}

/// What `encoding/json` writes as escapes so that the text can stand in HTML.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}
