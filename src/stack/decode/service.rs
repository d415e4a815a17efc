//! A service.

use super::Decoder;
use super::environment::EnvFileRef;
use crate::model::Service;
use crate::stack::diagnostic::Code;
use crate::stack::tree::Node;

/// Attributes that are decoded, for suggestions.
const SERVICE: &[&str] = &[
    "annotations",
    "attach",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "depends_on",
    "deploy",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_stop",
    "privileged",
    "profiles",
    "pull_policy",
    "read_only",
    "restart",
    "runtime",
    "scale",
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
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
    "x-platform",
    "blkio_config",
    "cpu_count",
    "cpu_percent",
    "develop",
    "gpus",
    "credential_spec",
    "models",
    "provider",
    "use_api_socket",
];
/// Lists that must not have an item twice; of other lists, the last of several items counts.
const DISTINCT: &[&str] = &[
    "depends_on",
    "device_cgroup_rules",
    "external_links",
    "extra_hosts",
    "group_add",
    "models",
    "networks",
    "security_opt",
    "volumes_from",
];
/// Attributes of the specification that are not decoded yet.
const UNSUPPORTED: &[&str] = &["pre_start", "pull_refresh_after"];

/// A service as decoded, with what has to be read from files before it is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedService {
    /// What is known without reading files.
    pub service: Service,
    /// Environment files, later ones first served.
    pub env_files: Vec<EnvFileRef>,
    /// Label files.
    pub label_files: Vec<EnvFileRef>,
}

impl Decoder<'_> {
    pub(super) fn service(&mut self, name: &str, node: &Node) -> Option<DecodedService> {
        let table = self.mapping(&format!("services.{name}"), node)?;
        let mut s = Service::default();
        let mut env_files = Vec::new();
        let mut label_files = Vec::new();
        for (key, entry) in table {
            let value = &entry.node;
            if DISTINCT.contains(&&**key) {
                self.distinct(key, value);
            }
            match &**key {
                "annotations" => s.annotations = self.texts_by_key(key, value),
                "attach" => s.attach = self.boolean(key, value),
                "build" => s.build = self.build(value),
                "cap_add" => s.cap_add = self.unique_texts(key, value),
                "cap_drop" => s.cap_drop = self.unique_texts(key, value),
                "cgroup" => s.cgroup = self.one_of(key, value, &["host", "private"]),
                "cgroup_parent" => s.cgroup_parent = self.non_empty_text(key, value),
                "command" => s.command = self.command(key, value),
                "configs" => s.configs = self.file_mounts(key, value, ""),
                "container_name" => s.container_name = self.container_name(value),
                "cpu_period" => s.cpu_period = self.integer(key, value),
                "cpu_quota" => s.cpu_quota = self.integer(key, value),
                "cpu_rt_period" => s.cpu_rt_period = self.integer(key, value),
                "cpu_rt_runtime" => s.cpu_rt_runtime = self.integer(key, value),
                "cpu_shares" => s.cpu_shares = self.integer(key, value),
                "cpus" => s.cpus = self.float(key, value),
                "cpuset" => s.cpuset = self.non_empty_text(key, value),
                "credential_spec" => s.credential_spec = self.credential_spec(value),
                "models" => s.models = self.model_uses(value),
                "provider" => s.provider = self.provider(value),
                "use_api_socket" => s.use_api_socket = self.boolean(key, value).unwrap_or(false),
                "depends_on" => s.depends_on = self.depends_on(value),
                "deploy" => s.deploy = self.deploy(value),
                "develop" => s.develop = self.develop(value),
                "gpus" => s.gpus = self.gpus(value),
                "blkio_config" => s.blkio_config = self.blkio_config(value),
                "cpu_count" => s.cpu_count = self.within(key, value, 0, 100_000),
                "cpu_percent" => s.cpu_percent = self.float(key, value),
                "device_cgroup_rules" => s.device_cgroup_rules = self.unique_texts(key, value),
                "devices" => s.devices = self.devices(value),
                "dns" => s.dns = self.non_empty(key, value),
                "dns_opt" => s.dns_opt = self.unique_texts(key, value),
                "dns_search" => s.dns_search = self.non_empty(key, value),
                "domainname" => s.domainname = self.non_empty_text(key, value),
                "entrypoint" => s.entrypoint = self.command(key, value),
                "env_file" => env_files = self.env_files(value),
                "environment" => s.environment = self.environment(key, value),
                "expose" => s.expose = self.expose(value),
                // Done before decoding.
                "extends" => {}
                "external_links" => s.external_links = self.unique_texts(key, value),
                "extra_hosts" => s.extra_hosts = self.extra_hosts(key, value),
                "group_add" => {
                    let items = self.list(key, value);
                    s.group_add = items.iter().filter_map(|i| self.text_or_number(key, i)).collect();
                }
                "healthcheck" => s.healthcheck = self.healthcheck(value),
                "hostname" => s.hostname = self.non_empty_text(key, value),
                "image" => s.image = self.non_empty_text(key, value),
                "init" => s.init = self.boolean(key, value),
                "ipc" => s.ipc = self.non_empty_text(key, value),
                "isolation" => s.isolation = self.non_empty_text(key, value),
                "label_file" => label_files = self.label_files(value),
                "labels" => s.labels = self.texts_by_key(key, value),
                "links" => s.links = self.unique_texts(key, value),
                "logging" => s.logging = self.logging(value),
                "mac_address" => s.mac_address = self.non_empty_text(key, value),
                "mem_limit" => s.mem_limit = self.bytes(key, value),
                "mem_reservation" => s.mem_reservation = self.bytes(key, value),
                "mem_swappiness" => s.mem_swappiness = self.within(key, value, 0, 100),
                "memswap_limit" => s.memswap_limit = self.swap(value),
                "network_mode" => s.network_mode = self.network_mode(value),
                "networks" => s.networks = self.endpoints(value),
                "oom_kill_disable" => s.oom_kill_disable = self.boolean(key, value).unwrap_or(false),
                "oom_score_adj" => s.oom_score_adj = self.within(key, value, -1000, 1000).unwrap_or(0),
                "pid" if value.is_null() => {}
                "pid" => s.pid = self.non_empty_text(key, value),
                "pids_limit" => s.pids_limit = self.within(key, value, -1, i64::MAX),
                "platform" => s.platform = self.non_empty_text(key, value),
                "ports" => s.ports = self.ports(value),
                "post_start" => s.post_start = self.hooks(key, value),
                "pre_stop" => s.pre_stop = self.hooks(key, value),
                "privileged" => s.privileged = self.boolean(key, value).unwrap_or(false),
                "profiles" => s.profiles = self.unique_texts(key, value),
                "pull_policy" => s.pull_policy = self.pull_policy(value),
                "read_only" => s.read_only = self.boolean(key, value).unwrap_or(false),
                "restart" => s.restart = self.restart(value),
                "runtime" => s.runtime = self.non_empty_text(key, value),
                "scale" => s.scale = self.unsigned(key, value),
                "secrets" => s.secrets = self.file_mounts(key, value, "/run/secrets"),
                "security_opt" => s.security_opt = self.unique_texts(key, value),
                "shm_size" => s.shm_size = self.bytes(key, value),
                "stdin_open" => s.stdin_open = self.boolean(key, value).unwrap_or(false),
                "stop_grace_period" => s.stop_grace_period = self.duration(key, value),
                "stop_signal" => s.stop_signal = self.non_empty_text(key, value),
                "storage_opt" => s.storage_opt = self.texts_by_key(key, value),
                "sysctls" => s.sysctls = self.texts_by_key(key, value),
                "tmpfs" => s.tmpfs = self.text_or_texts(key, value),
                "tty" => s.tty = self.boolean(key, value).unwrap_or(false),
                "ulimits" => s.ulimits = self.ulimits(value),
                "user" => s.user = self.non_empty_text(key, value),
                "userns_mode" => s.userns_mode = self.non_empty_text(key, value),
                "uts" => s.uts = self.non_empty_text(key, value),
                "volumes" => s.volumes = self.mounts(value),
                "volumes_from" => s.volumes_from = self.unique_texts(key, value),
                "working_dir" => s.working_dir = self.non_empty_text(key, value),
                "x-platform" => s.ext = self.service_ext(value),
                other => self.unknown(other, entry, &format!("service `{name}`"), SERVICE, UNSUPPORTED),
            }
        }
        Some(DecodedService {
            service: s,
            env_files,
            label_files,
        })
    }

    /// A string or strings without the empty ones: `dns: ${DNS:-}` means none.
    fn non_empty(&mut self, key: &str, node: &Node) -> Vec<String> {
        let mut items = self.text_or_texts(key, node);
        items.retain(|item| !item.is_empty());
        items
    }

    fn swap(&mut self, node: &Node) -> Option<i64> {
        let text = self.text_or_number("memswap_limit", node)?;
        if text == "-1" {
            return Some(-1);
        }
        self.bytes("memswap_limit", node)
            .and_then(|n| i64::try_from(n).ok())
    }

    fn container_name(&mut self, node: &Node) -> Option<String> {
        let name = self.text("container_name", node)?;
        let mut chars = name.chars();
        let valid = name.len() > 1
            && chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
            && chars.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !valid {
            self.error(
                Code::Value,
                format!("{name:?} is no container name: letters, digits, `_`, `.` and `-`, two at least"),
                node.span,
            );
            return None;
        }
        Some(name)
    }
}
