//! A service, resolved (Compose Specification, 05-services).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;
use serde::ser::SerializeMap;

use super::render::{as_bytes, as_duration, is_false, is_zero};
use super::{
    BlkioConfig, Build, CredentialSpec, Develop, DeviceRequest, Endpoint, FileMount, Healthcheck, ModelUse,
    Mount, NetworkMode, PortBinding, Provider, ServiceExt, UpdateConfig,
};
use crate::base::ServiceName;

/// One service. Field names are the specification's.
///
/// `None` means that the file does not say, so that the image's or the engine's own default holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Service {
    /// The image's reference as written; `None` for a service that is only built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How to build the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// When to pull.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
    /// `os/arch[/variant]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,

    /// The command; `Some(vec![])` clears the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The entry point; `Some(vec![])` clears the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Environment, `env_file` merged in; a `None` value removes the image's variable.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, Option<String>>,
    /// Working folder in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// `user[:group]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Additional groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_add: Vec<String>,

    /// The container's name, where the file fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Host name in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Domain name in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Labels on the container.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Environment files that were not read; of a project to be run there are none.
    #[serde(rename = "env_file", skip_serializing_if = "Vec::is_empty")]
    pub env_files: Vec<EnvFile>,
    /// The files that some of the labels were read from, absolute.
    #[serde(skip)]
    pub label_files: Vec<PathBuf>,
    /// Annotations on the container.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub annotations: IndexMap<String, String>,

    /// What must hold before this service starts, `links`, `volumes_from` and
    /// `network_mode: service:` included.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub depends_on: IndexMap<ServiceName, Dependency>,
    /// `links`: service and alias.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// `external_links`: container and alias.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_links: Vec<String>,
    /// Profiles that enable the service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,

    /// Mode, where it is not plain networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<NetworkMode>,
    /// Networks by key, in the order of connection.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub networks: IndexMap<String, Endpoint>,
    /// Published ports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortBinding>,
    /// Exposed ports, `8080` or `8080/udp`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<String>,
    /// Extra lines of the hosts file, `host=address`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<String>,
    /// Name servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Resolver options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_opt: Vec<String>,
    /// Search domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// MAC address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,

    /// Mounts: binds, named and anonymous volumes, `type: tmpfs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Mount>,
    /// Containers or services whose volumes to take over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes_from: Vec<String>,
    /// `tmpfs`: target and options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<String>,
    /// Configs to mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<FileMount>,
    /// Secrets to mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<FileMount>,
    /// Whether the root file system is read-only.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Options of the storage driver.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub storage_opt: IndexMap<String, String>,
    /// Size of `/dev/shm` in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub shm_size: Option<u64>,

    /// Health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// What the engine does when the container exits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartPolicy>,
    /// The signal that asks the container to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// How long it may take before it is killed; the engine's default is 10 s.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub stop_grace_period: Option<Duration>,
    /// Whether to run an init as process 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// Whether to keep standard input open.
    #[serde(skip_serializing_if = "is_false")]
    pub stdin_open: bool,
    /// Whether to allocate a terminal.
    #[serde(skip_serializing_if = "is_false")]
    pub tty: bool,
    /// Whether `up` shows its logs; `None` is yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<bool>,
    /// Hooks that run in the container after its start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_start: Vec<Hook>,
    /// Hooks that run in the container before its stop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_stop: Vec<Hook>,

    /// Capabilities to add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// Capabilities to drop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// Whether all privileges are given.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    /// Security options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_opt: Vec<String>,
    /// User namespace mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userns_mode: Option<String>,
    /// PID namespace mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<String>,
    /// IPC mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc: Option<String>,
    /// UTS mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uts: Option<String>,
    /// Cgroup namespace mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
    /// Parent cgroup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_parent: Option<String>,
    /// Isolation technology.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// OCI runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Kernel parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub sysctls: IndexMap<String, String>,
    /// Limits by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// GPUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<DeviceRequest>,
    /// Limits on block devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blkio_config: Option<BlkioConfig>,
    /// Device cgroup rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_cgroup_rules: Vec<String>,

    /// Memory limit in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub mem_limit: Option<u64>,
    /// Memory reservation in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub mem_reservation: Option<u64>,
    /// Memory and swap in bytes; -1 is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memswap_limit: Option<i64>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_swappiness: Option<i64>,
    /// Whether the kernel's out-of-memory killer is off.
    #[serde(skip_serializing_if = "is_false")]
    pub oom_kill_disable: bool,
    /// -1000 to 1000.
    #[serde(skip_serializing_if = "is_zero")]
    pub oom_score_adj: i64,
    /// Number of processes; -1 is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<i64>,
    /// Cores, fractions allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Relative weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<i64>,
    /// CFS quota in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    /// CFS period in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_period: Option<i64>,
    /// Real-time runtime in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_runtime: Option<i64>,
    /// Real-time period in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_period: Option<i64>,
    /// Number of usable cores (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_count: Option<i64>,
    /// Share of usable cores in percent (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// `0-2,4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// Deployment: replicas, resources, update policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Deploy>,
    /// What happens while developing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub develop: Option<Develop>,
    /// Number of containers, where `scale` or `--scale` says; see [`Service::replicas`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// Log driver and options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,

    /// The program that brings it up in the engine's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The models that it is told of.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub models: IndexMap<String, Option<ModelUse>>,
    /// Whether it gets the engine's socket and credentials.
    #[serde(skip_serializing_if = "is_false")]
    pub use_api_socket: bool,
    /// Credentials of a Windows container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_spec: Option<CredentialSpec>,
    /// The service's `x-platform`.
    #[serde(rename = "x-platform", skip_serializing_if = "ServiceExt::is_empty")]
    pub ext: ServiceExt,
}

impl Service {
    /// How many containers are wanted.
    pub fn replicas(&self) -> u32 {
        self.scale
            .or_else(|| self.deploy.as_ref().and_then(|d| d.replicas))
            .unwrap_or(1)
    }

    /// Whether the service is meant to end: no restart and nothing that proves it ready for long.
    pub fn is_one_shot(&self) -> bool {
        matches!(self.restart, None | Some(RestartPolicy::No))
    }

    /// The reference that its containers are made from; services without `image` are named by Compose's rule.
    pub fn image_reference(&self, project: &str, service: &str) -> String {
        self.image
            .clone()
            .unwrap_or_else(|| format!("{project}-{service}"))
    }
}

/// An environment file of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// Where it is, absolute where paths are resolved.
    pub path: PathBuf,
    /// Whether it must be there.
    pub required: bool,
    /// Whether values are taken as they are.
    pub raw: bool,
}

impl Serialize for EnvFile {
    /// As docker compose writes it: one that must be there is its path alone.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.required {
            return self.path.serialize(serializer);
        }
        let mut table = serializer.serialize_map(None)?;
        table.serialize_entry("path", &self.path)?;
        table.serialize_entry("required", &false)?;
        if self.raw {
            table.serialize_entry("format", "raw")?;
        }
        table.end()
    }
}

/// A requirement on another service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// What must hold.
    pub condition: Condition,
    /// Whether this service restarts when the other does.
    #[serde(skip_serializing_if = "is_false")]
    pub restart: bool,
    /// Whether its absence or failure is an error.
    pub required: bool,
}

/// What a dependent waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The container was started.
    ServiceStarted,
    /// Its probe passed.
    ServiceHealthy,
    /// It ran to the end with exit code 0.
    ServiceCompletedSuccessfully,
}

/// When an image is pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// On each `up`.
    Always,
    /// Never.
    Never,
    /// When the engine does not have it.
    Missing,
    /// Built, not pulled.
    Build,
    /// When the last pull is older than a day, a week, or a given time.
    #[serde(untagged)]
    Every(String),
}

/// What the engine does when a container exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Nothing.
    No,
    /// Starts it again, also after the engine's own restart.
    Always,
    /// Starts it again after a non-zero exit, at most so often.
    OnFailure(Option<u32>),
    /// As `Always`, unless somebody stopped it.
    UnlessStopped,
}

impl Serialize for RestartPolicy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_str("no"),
            Self::Always => serializer.serialize_str("always"),
            Self::UnlessStopped => serializer.serialize_str("unless-stopped"),
            Self::OnFailure(None) => serializer.serialize_str("on-failure"),
            Self::OnFailure(Some(n)) => serializer.collect_str(&format_args!("on-failure:{n}")),
        }
    }
}

/// `deploy` (Compose Specification, 08-deploy), as far as one engine can do it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Deploy {
    /// Number of containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Labels on the service, not on its containers.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// `resources.limits.cpus`, in cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_cpus: Option<f64>,
    /// `resources.limits.memory`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub limit_memory: Option<u64>,
    /// `resources.limits.pids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_pids: Option<i64>,
    /// `resources.reservations.cpus`, in cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_cpus: Option<f64>,
    /// `resources.reservations.memory`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_bytes")]
    pub reserve_memory: Option<u64>,
    /// `resources.reservations.devices`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserve_devices: Vec<DeviceRequest>,
    /// `vip` or `dnsrr`; one engine has no use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_mode: Option<String>,
    /// How an update rolls out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_config: Option<UpdateConfig>,
    /// How an update is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_config: Option<UpdateConfig>,
    /// `replicated` or `global`: on one engine, one container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Where containers may run; one engine has no choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// `resources.reservations.generic_resources`: kind and number; Swarm's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserve_generic: Vec<(String, i64)>,
    /// `restart_policy.delay`; the engine has its own pace.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub restart_delay: Option<Duration>,
    /// `restart_policy.window`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    pub restart_window: Option<Duration>,
    /// `restart_policy.condition` as a restart policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
}

/// Where containers of a service may run (`deploy.placement`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// Conditions on nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// What containers are spread over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferences: Vec<Spread>,
    /// The most containers on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas_per_node: Option<u32>,
}

/// A preference of a placement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The label over whose values containers are spread.
    pub spread: String,
}

/// A command run in a container at a point of its life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// The command.
    pub command: Vec<String>,
    /// The user it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether with all privileges.
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    /// The folder it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Additional environment.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, Option<String>>,
}

/// Log driver and its options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Logging {
    /// Driver; the engine's default where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Options.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, String>,
}

/// A soft and a hard limit; -1 is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    /// What processes start with.
    pub soft: i64,
    /// What they may raise it to.
    pub hard: i64,
}

/// A device of the host in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// On the host.
    pub source: PathBuf,
    /// In the container.
    pub target: String,
    /// Of `r`, `w`, `m`.
    pub permissions: String,
}
