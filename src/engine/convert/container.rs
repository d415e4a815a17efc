//! A service as the body of `POST /containers/create`, as docker compose v2 forms it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::endpoint::{self, Endpoints};
use super::mounts::{self, Mounts};
use crate::engine::CreateContainer;
use crate::model::{
    BlkioConfig, DeviceRate, DeviceRequest, Healthcheck, HealthcheckTest, NetworkMode, PortBinding,
    RestartPolicy, Service,
};

/// What the body depends on beside the request: what was looked up or prepared for it.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Prepared {
    /// The image as the container shall name it: its reference where that means the same image.
    pub(in crate::engine) image: String,
    /// The API version.
    pub(in crate::engine) api: (u16, u16),
    /// Mounts of configs and secrets: host path and target.
    pub(in crate::engine) files: Vec<(String, String)>,
    /// Anonymous volumes to take over: target and volume name.
    pub(in crate::engine) inherited: BTreeMap<String, String>,
    /// Security options with profiles read in.
    pub(in crate::engine) security_opt: Vec<String>,
}

/// JSON fields, of which those without a value are left out.
#[derive(Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Adds a field if there is a value.
    pub(super) fn some<T: Serialize>(&mut self, name: &str, value: Option<T>) -> &mut Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), json!(value));
        }
        self
    }

    /// Adds a flag if it is set.
    pub(super) fn flag(&mut self, name: &str, on: bool) -> &mut Self {
        self.some(name, on.then_some(true))
    }

    /// Adds a list if it is not empty.
    pub(super) fn list<T: Serialize>(&mut self, name: &str, items: &[T]) -> &mut Self {
        self.some(name, (!items.is_empty()).then_some(items))
    }

    /// Adds an object if it is not empty.
    pub(super) fn map(&mut self, name: &str, value: Value) -> &mut Self {
        let empty = value.as_object().is_some_and(Map::is_empty);
        self.some(name, (!empty).then_some(value))
    }

    /// The fields as an object.
    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A create body, and the networks to connect afterwards.
#[derive(Debug, Clone)]
pub(in crate::engine) struct CreateBody {
    /// The body.
    pub(in crate::engine) body: Value,
    /// Networks (by id) that this API version cannot take in the body, with their endpoints.
    pub(in crate::engine) connect: Vec<(String, Value)>,
}

/// The body for a service's container.
pub(in crate::engine) fn create_container(request: &CreateContainer<'_>, prepared: &Prepared) -> CreateBody {
    let service = request.service;
    let Endpoints {
        mode,
        config,
        connect,
        mac_address,
    } = endpoint::endpoints(request, prepared.api);
    let mut body = Fields::default();
    body.some("Hostname", service.hostname.as_ref())
        .some("Domainname", service.domainname.as_ref())
        .some("User", service.user.as_ref())
        .flag("AttachStdin", request.oneoff.is_some_and(|o| o.stdin))
        .flag("AttachStdout", true)
        .flag("AttachStderr", true)
        .map("ExposedPorts", exposed_ports(service))
        .flag("Tty", service.tty)
        .flag("OpenStdin", service.stdin_open)
        .flag(
            "StdinOnce",
            request.oneoff.is_some_and(|o| o.stdin) && service.stdin_open,
        )
        .list("Env", &environment(service))
        .some("Cmd", service.command.as_ref())
        .some(
            "Healthcheck",
            service.healthcheck.as_ref().map(|h| healthcheck(h, prepared.api)),
        )
        .some("Image", Some(&prepared.image))
        .some("WorkingDir", service.working_dir.as_ref())
        .some("Entrypoint", service.entrypoint.as_ref())
        .some("MacAddress", mac_address)
        .map("Labels", json!(all_labels(request)))
        .some("StopSignal", service.stop_signal.as_ref())
        .some("StopTimeout", service.stop_grace_period.map(whole_seconds));
    body.some("HostConfig", Some(host_config(request, prepared, mode)))
        .some(
            "NetworkingConfig",
            config.map(|c| json!({ "EndpointsConfig": c })),
        );
    CreateBody {
        body: body.done(),
        connect,
    }
}

fn all_labels(request: &CreateContainer<'_>) -> BTreeMap<String, String> {
    request
        .service
        .labels
        .iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .chain(request.labels.clone())
        .collect()
}

fn environment(service: &Service) -> Vec<String> {
    service
        .environment
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            // A name alone removes the image's variable.
            None => name.clone(),
        })
        .collect()
}

fn exposed_ports(service: &Service) -> Value {
    let mut ports = Map::new();
    for text in &service.expose {
        let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        if let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) {
            for port in first..=last {
                ports.insert(format!("{port}/{protocol}"), json!({}));
            }
        }
    }
    for port in &service.ports {
        ports.insert(port_key(port), json!({}));
    }
    Value::Object(ports)
}

fn port_key(port: &PortBinding) -> String {
    format!("{}/{}", port.target, port.protocol.as_str())
}

fn port_bindings(service: &Service) -> Value {
    let mut bindings: Map<String, Value> = Map::new();
    for port in &service.ports {
        let binding = json!({
            "HostIp": port.host_ip.as_deref().unwrap_or(""),
            "HostPort": port.published.as_deref().unwrap_or(""),
        });
        if let Value::Array(list) = bindings
            .entry(port_key(port))
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            list.push(binding);
        }
    }
    Value::Object(bindings)
}

/// The engine counts in whole seconds; a part of one is one.
pub(in crate::engine) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn healthcheck(check: &Healthcheck, api: (u16, u16)) -> Value {
    let nanos = |d: Option<Duration>| d.and_then(|d| i64::try_from(d.as_nanos()).ok());
    let test = if check.disable {
        Some(HealthcheckTest::None)
    } else {
        check.test.clone()
    };
    let mut fields = Fields::default();
    fields
        .some("Test", test.map(|t| t.to_engine()))
        .some("Interval", nanos(check.interval))
        .some("Timeout", nanos(check.timeout))
        .some("Retries", check.retries)
        .some("StartPeriod", nanos(check.start_period));
    // Older engines do not know it; our own probes keep to it anyway.
    if api >= (1, 44) {
        fields.some("StartInterval", nanos(check.start_interval));
    }
    fields.done()
}

/// `credential_spec` as the engine takes it.
fn credential_options(service: &Service) -> impl Iterator<Item = String> {
    let spec = service.credential_spec.iter();
    spec.flat_map(|spec| {
        [
            ("file", &spec.file),
            ("registry", &spec.registry),
            ("config", &spec.config),
        ]
    })
    .filter_map(|(scheme, place)| Some(format!("credentialspec={scheme}://{}", place.as_ref()?)))
}

fn host_config(request: &CreateContainer<'_>, prepared: &Prepared, network_mode: String) -> Value {
    let service = request.service;
    let Mounts { binds, mounts } = mounts::mounts(request, prepared);
    let unconfined = |option: &&String| option.as_str() == "systempaths=unconfined";
    let own = prepared.security_opt.iter().filter(|o| !unconfined(o)).cloned();
    let security: Vec<String> = own.chain(credential_options(service)).collect();
    let mut host = Fields::default();
    host.list("Binds", &binds)
        .list("Mounts", &mounts)
        .map("Tmpfs", mounts::tmpfs(service))
        .list("VolumesFrom", &mounts::volumes_from(request))
        .some("NetworkMode", Some(network_mode))
        .map("PortBindings", port_bindings(service))
        .some("RestartPolicy", restart_policy(request))
        .flag("AutoRemove", request.oneoff.is_some_and(|o| o.auto_remove))
        .list("CapAdd", &service.cap_add)
        .list("CapDrop", &service.cap_drop)
        .list("SecurityOpt", &security)
        .flag("Privileged", service.privileged)
        .flag("ReadonlyRootfs", service.read_only)
        .some("Init", service.init)
        .list("Dns", &service.dns)
        .list("DnsOptions", &service.dns_opt)
        .list("DnsSearch", &service.dns_search)
        .list("ExtraHosts", &extra_hosts(service))
        .list("GroupAdd", &service.group_add)
        .some("IpcMode", shared_mode(request, service.ipc.as_deref()))
        .some("PidMode", shared_mode(request, service.pid.as_deref()))
        .some("UTSMode", service.uts.as_ref())
        .some("UsernsMode", service.userns_mode.as_ref())
        .some("CgroupnsMode", service.cgroup.as_ref())
        .some("Isolation", service.isolation.as_ref())
        .some("Runtime", service.runtime.as_ref())
        .some("ShmSize", service.shm_size)
        .map("Sysctls", json!(service.sysctls))
        .map("StorageOpt", json!(service.storage_opt))
        .some("LogConfig", service.logging.as_ref().map(log_config));
    if service.oom_score_adj != 0 {
        host.some("OomScoreAdj", Some(service.oom_score_adj));
    }
    if prepared.api >= (1, 43) {
        host.map("Annotations", json!(service.annotations));
    }
    if prepared.security_opt.iter().any(|o| unconfined(&o)) {
        let none: [&str; 0] = [];
        host.some("MaskedPaths", Some(none))
            .some("ReadonlyPaths", Some(none));
    }
    resources(service, &mut host);
    host.done()
}

/// `service:NAME` becomes the container of that service.
pub(super) fn shared_mode(request: &CreateContainer<'_>, mode: Option<&str>) -> Option<String> {
    let mode = mode?;
    let Some(service) = mode.strip_prefix("service:") else {
        return Some(mode.to_owned());
    };
    Some(match request.containers.get(service) {
        Some(id) => format!("container:{id}"),
        None => mode.to_owned(),
    })
}

/// The mode of a service that is not on plain networks.
pub(super) fn network_mode(request: &CreateContainer<'_>, mode: &NetworkMode) -> String {
    match mode {
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::Container(name) => format!("container:{name}"),
        NetworkMode::Other(name) => name.clone(),
        NetworkMode::Service(name) => match request.containers.get(name) {
            Some(id) => format!("container:{id}"),
            None => format!("service:{name}"),
        },
    }
}

fn restart_policy(request: &CreateContainer<'_>) -> Option<Value> {
    if request.oneoff.is_some() {
        return None;
    }
    let deploy = request.service.deploy.as_ref();
    let policy = deploy
        .and_then(|d| d.restart_policy)
        .or(request.service.restart)?;
    Some(match policy {
        RestartPolicy::No => json!({"Name": "no"}),
        RestartPolicy::Always => json!({"Name": "always"}),
        RestartPolicy::UnlessStopped => json!({"Name": "unless-stopped"}),
        RestartPolicy::OnFailure(times) => {
            json!({"Name": "on-failure", "MaximumRetryCount": times.unwrap_or(0)})
        }
    })
}

/// `host=address` in the engine's form `host:address`.
fn extra_hosts(service: &Service) -> Vec<String> {
    service
        .extra_hosts
        .iter()
        .map(|line| match line.split_once('=') {
            Some((host, address)) => format!("{host}:{}", address.trim_matches(['[', ']'])),
            None => line.clone(),
        })
        .collect()
}

fn log_config(logging: &crate::model::Logging) -> Value {
    json!({
        "Type": logging.driver.as_deref().unwrap_or(""),
        "Config": logging.options,
    })
}

fn nano_cpus(cores: f64) -> i64 {
    (cores * 1e9).round() as i64
}

fn resources(service: &Service, host: &mut Fields) {
    let deploy = service.deploy.clone().unwrap_or_default();
    let pids = deploy
        .limit_pids
        .filter(|n| *n > 0)
        .or(service.pids_limit.filter(|n| *n != 0));
    let devices: Vec<Value> = service
        .devices
        .iter()
        .map(|d| {
            json!({
                "PathOnHost": d.source,
                "PathInContainer": d.target,
                "CgroupPermissions": d.permissions,
            })
        })
        .collect();
    let ulimits: Vec<Value> = service
        .ulimits
        .iter()
        .map(|(name, limit)| json!({"Name": name, "Soft": limit.soft, "Hard": limit.hard}))
        .collect();
    let requests: Vec<Value> = service
        .gpus
        .iter()
        .map(|gpu| device_request(gpu, Some("gpu")))
        .chain(
            deploy
                .reserve_devices
                .iter()
                .map(|device| device_request(device, None)),
        )
        .collect();
    if let Some(blkio) = &service.blkio_config {
        block_devices(blkio, host);
    }
    host.some("Memory", deploy.limit_memory.or(service.mem_limit))
        .some(
            "MemoryReservation",
            deploy.reserve_memory.or(service.mem_reservation),
        )
        .some("MemorySwap", service.memswap_limit)
        .some("MemorySwappiness", service.mem_swappiness)
        .flag("OomKillDisable", service.oom_kill_disable)
        .some("PidsLimit", pids)
        .some("NanoCpus", deploy.limit_cpus.or(service.cpus).map(nano_cpus))
        .some("CpuShares", service.cpu_shares)
        .some("CpuQuota", service.cpu_quota)
        .some("CpuPeriod", service.cpu_period)
        .some("CpuRealtimeRuntime", service.cpu_rt_runtime)
        .some("CpuRealtimePeriod", service.cpu_rt_period)
        .some("CpusetCpus", service.cpuset.as_ref())
        .some("CgroupParent", service.cgroup_parent.as_ref())
        .some("CpuCount", service.cpu_count)
        .some(
            "CpuPercent",
            service.cpu_percent.map(|percent| percent.round() as i64),
        )
        .list("Devices", &devices)
        .list("DeviceRequests", &requests)
        .list("DeviceCgroupRules", &service.device_cgroup_rules)
        .list("Ulimits", &ulimits);
}

fn device_request(device: &DeviceRequest, implied: Option<&str>) -> Value {
    let mut capabilities: Vec<&str> = device.capabilities.iter().map(String::as_str).collect();
    capabilities.extend(implied.filter(|i| !device.capabilities.iter().any(|c| c == i)));
    let mut fields = Fields::default();
    fields
        .some("Driver", device.driver.as_ref())
        .some("Count", device.count)
        .list("DeviceIDs", &device.device_ids)
        .some("Capabilities", Some([capabilities]))
        .some("Options", Some(&device.options).filter(|o| !o.is_empty()));
    fields.done()
}

fn block_devices(blkio: &BlkioConfig, host: &mut Fields) {
    let weights: Vec<Value> = blkio
        .weight_device
        .iter()
        .map(|d| json!({"Path": d.path, "Weight": d.weight}))
        .collect();
    let rates = |devices: &[DeviceRate]| -> Vec<Value> {
        devices
            .iter()
            .map(|d| json!({"Path": d.path, "Rate": d.rate.unwrap_or(0)}))
            .collect()
    };
    host.some("BlkioWeight", blkio.weight)
        .list("BlkioWeightDevice", &weights)
        .list("BlkioDeviceReadBps", &rates(&blkio.device_read_bps))
        .list("BlkioDeviceReadIOps", &rates(&blkio.device_read_iops))
        .list("BlkioDeviceWriteBps", &rates(&blkio.device_write_bps))
        .list("BlkioDeviceWriteIOps", &rates(&blkio.device_write_iops));
}
