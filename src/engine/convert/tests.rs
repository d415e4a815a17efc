//! Services in, request bodies out; compared with what docker compose sends for the same files.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::container::{Prepared, create_container};
use super::tests_support::project;
use crate::base::{ContainerId, NetworkId, ServiceName};
use crate::engine::{CreateContainer, OneOff};
use crate::model::{
    BlkioConfig, Deploy, Device, DeviceRate, DeviceRequest, DeviceWeight, Endpoint, Healthcheck,
    HealthcheckTest, Logging, Mount, MountKind, NetworkMode, NetworkSpec, PortBinding, Project, Protocol,
    RestartPolicy, Service, Ulimit, VolumeSpec,
};

const OLD: (u16, u16) = (1, 41);
const NEW: (u16, u16) = (1, 47);

struct Given {
    project: Project,
    networks: BTreeMap<String, NetworkId>,
    containers: BTreeMap<ServiceName, ContainerId>,
    labels: BTreeMap<String, String>,
    prepared: Prepared,
    oneoff: Option<OneOff>,
}

impl Given {
    fn new(api: (u16, u16)) -> Self {
        let mut project = project();
        let mut networks = BTreeMap::new();
        for key in ["back", "front"] {
            let name = format!("p_{key}");
            let spec = NetworkSpec {
                name,
                ..NetworkSpec::default()
            };
            project.networks.insert(key.into(), spec);
            networks.insert(key.to_owned(), NetworkId::from(format!("id-{key}")));
        }
        project.volumes.insert(
            "data".into(),
            VolumeSpec {
                name: "p_data".into(),
                external: false,
                driver: None,
                driver_opts: Default::default(),
                labels: Default::default(),
            },
        );
        project.services.insert("db".into(), Service::default());
        Self {
            project,
            networks,
            containers: BTreeMap::from([("db".into(), "c-db".into())]),
            labels: BTreeMap::new(),
            prepared: Prepared {
                image: "app:1".into(),
                api,
                ..Prepared::default()
            },
            oneoff: None,
        }
    }

    /// The body, one field a line, and the networks to connect later.
    fn body(&self, service: &Service) -> String {
        let name = ServiceName::from("app");
        let made = create_container(
            &CreateContainer {
                project: &self.project,
                service_name: &name,
                service,
                name: "p-app-2.new".into(),
                number: 2,
                image: "sha256:1".into(),
                networks: &self.networks,
                containers: self.containers.clone(),
                labels: self.labels.clone(),
                inherit_volumes_from: None,
                oneoff: self.oneoff,
            },
            &self.prepared,
        );
        let mut lines = Vec::new();
        let mut add = |before: &str, value: &Value| {
            for (key, value) in value.as_object().unwrap() {
                if key != "HostConfig" {
                    lines.push(format!("{before}{key}: {value}"));
                }
            }
        };
        add("", &made.body);
        add("Host.", &made.body["HostConfig"]);
        lines.extend(
            made.connect
                .iter()
                .map(|(id, endpoint)| format!("then {id}: {endpoint}")),
        );
        lines.join("\n")
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[test]
fn a_plain_service() {
    let mut given = Given::new(OLD);
    given
        .labels
        .insert("com.docker.compose.project".into(), "p".into());
    let service = Service {
        command: Some(strings(&["serve", "--port", "80"])),
        entrypoint: Some(strings(&["/entry"])),
        environment: [
            ("A".to_owned(), Some("1=2".to_owned())),
            ("GONE".to_owned(), None),
        ]
        .into(),
        labels: [("own".to_owned(), "x".to_owned())].into(),
        working_dir: Some("/srv".into()),
        user: Some("1000:1000".into()),
        group_add: strings(&["5"]),
        hostname: Some("h".into()),
        domainname: Some("d".into()),
        networks: [("front".to_owned(), Endpoint::default())].into(),
        ports: vec![
            PortBinding {
                name: None,
                host_ip: Some("127.0.0.1".into()),
                target: 80,
                published: Some("8080".into()),
                protocol: Protocol::Tcp,
                mode: None,
                app_protocol: None,
            },
            PortBinding {
                name: None,
                host_ip: None,
                target: 53,
                published: None,
                protocol: Protocol::Udp,
                mode: None,
                app_protocol: None,
            },
        ],
        expose: strings(&["9000-9001", "7/udp"]),
        stop_signal: Some("SIGINT".into()),
        stop_grace_period: Some(Duration::from_millis(1500)),
        tty: true,
        stdin_open: true,
        init: Some(true),
        restart: Some(RestartPolicy::OnFailure(Some(3))),
        healthcheck: Some(Healthcheck {
            test: Some(HealthcheckTest::Shell("true".into())),
            interval: Some(Duration::from_secs(1)),
            timeout: Some(Duration::from_millis(500)),
            retries: Some(4),
            start_period: Some(Duration::from_secs(2)),
            start_interval: Some(Duration::from_millis(100)),
            disable: false,
        }),
        ..Service::default()
    };
    insta::assert_snapshot!(given.body(&service), @r#"
        Hostname: "h"
        Domainname: "d"
        User: "1000:1000"
        AttachStdout: true
        AttachStderr: true
        ExposedPorts: {"9000/tcp":{},"9001/tcp":{},"7/udp":{},"80/tcp":{},"53/udp":{}}
        Tty: true
        OpenStdin: true
        Env: ["A=1=2","GONE"]
        Cmd: ["serve","--port","80"]
        Healthcheck: {"Test":["CMD-SHELL","true"],"Interval":1000000000,"Timeout":500000000,"Retries":4,"StartPeriod":2000000000}
        Image: "app:1"
        WorkingDir: "/srv"
        Entrypoint: ["/entry"]
        Labels: {"com.docker.compose.project":"p","own":"x"}
        StopSignal: "SIGINT"
        StopTimeout: 2
        NetworkingConfig: {"EndpointsConfig":{"p_front":{"NetworkID":"id-front","Aliases":["p-app-2","app"]}}}
        Host.NetworkMode: "p_front"
        Host.PortBindings: {"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}],"53/udp":[{"HostIp":"","HostPort":""}]}
        Host.RestartPolicy: {"Name":"on-failure","MaximumRetryCount":3}
        Host.Init: true
        Host.GroupAdd: ["5"]
        "#);
    let new = Given::new(NEW).body(&service);
    assert!(new.contains(r#""StartInterval":100000000"#), "{new}");
    given.oneoff = Some(OneOff::default());
    let oneoff = given.body(&service);
    assert!(
        !oneoff.contains("RestartPolicy") && oneoff.contains(r#""Aliases":["p-app-2.new"]"#),
        "{oneoff}"
    );
}

#[test]
fn networks_by_priority_at_once_or_one_after_the_other() {
    let service = Service {
        networks: [
            (
                "back".to_owned(),
                Endpoint {
                    aliases: strings(&["app", "api"]),
                    ipv4_address: Some("10.0.0.9".into()),
                    ..Endpoint::default()
                },
            ),
            (
                "front".to_owned(),
                Endpoint {
                    priority: 10,
                    mac_address: Some("02:00:00:00:00:01".into()),
                    driver_opts: [("o".to_owned(), "1".to_owned())].into(),
                    ..Endpoint::default()
                },
            ),
        ]
        .into(),
        links: strings(&["db:database"]),
        external_links: strings(&["other"]),
        mac_address: Some("02:00:00:00:00:02".into()),
        ..Service::default()
    };
    insta::assert_snapshot!(Given::new(OLD).body(&service), @r#"
        AttachStdout: true
        AttachStderr: true
        Image: "app:1"
        NetworkingConfig: {"EndpointsConfig":{"p_front":{"NetworkID":"id-front","Aliases":["p-app-2","app"],"Links":["p-db-1:database","p-db-1:db-1","p-db-1:p-db-1","other:other"],"DriverOpts":{"o":"1"},"MacAddress":"02:00:00:00:00:01"}}}
        Host.NetworkMode: "p_front"
        then id-back: {"NetworkID":"id-back","Aliases":["p-app-2","app","api"],"Links":["p-db-1:database","p-db-1:db-1","p-db-1:p-db-1","other:other"],"IPAMConfig":{"IPv4Address":"10.0.0.9"}}
        "#);
    insta::assert_snapshot!(Given::new(NEW).body(&service), @r#"
        AttachStdout: true
        AttachStderr: true
        Image: "app:1"
        NetworkingConfig: {"EndpointsConfig":{"p_front":{"NetworkID":"id-front","Aliases":["p-app-2","app"],"Links":["p-db-1:database","p-db-1:db-1","p-db-1:p-db-1","other:other"],"DriverOpts":{"o":"1"},"MacAddress":"02:00:00:00:00:01"},"p_back":{"NetworkID":"id-back","Aliases":["p-app-2","app","api"],"Links":["p-db-1:database","p-db-1:db-1","p-db-1:p-db-1","other:other"],"IPAMConfig":{"IPv4Address":"10.0.0.9"}}}}
        Host.NetworkMode: "p_front"
        "#);
}

#[test]
fn network_modes_and_shared_namespaces() {
    let of = |mode| Service {
        network_mode: Some(mode),
        ipc: Some("service:db".into()),
        pid: Some("host".into()),
        uts: Some("host".into()),
        ..Service::default()
    };
    let given = Given::new(OLD);
    let modes = [
        NetworkMode::None,
        NetworkMode::Host,
        NetworkMode::Service("db".into()),
        NetworkMode::Container("x".into()),
        NetworkMode::Other("bridge".into()),
    ];
    let lines: Vec<String> = modes
        .into_iter()
        .map(|mode| {
            let body = given.body(&of(mode));
            body.lines()
                .filter(|l| l.contains("Mode") || l.contains("Networking"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
        Host.NetworkMode: "none" Host.IpcMode: "container:c-db" Host.PidMode: "host" Host.UTSMode: "host"
        Host.NetworkMode: "host" Host.IpcMode: "container:c-db" Host.PidMode: "host" Host.UTSMode: "host"
        Host.NetworkMode: "container:c-db" Host.IpcMode: "container:c-db" Host.PidMode: "host" Host.UTSMode: "host"
        Host.NetworkMode: "container:x" Host.IpcMode: "container:c-db" Host.PidMode: "host" Host.UTSMode: "host"
        Host.NetworkMode: "bridge" Host.IpcMode: "container:c-db" Host.PidMode: "host" Host.UTSMode: "host"
        "#);
    assert!(given.body(&Service::default()).contains(r#"NetworkMode: "none""#));
}

#[test]
fn mounts_take_the_form_that_compose_gives_them() {
    let mount = |kind, target: &str, read_only| Mount {
        kind,
        target: target.into(),
        read_only,
        consistency: None,
    };
    let bind =
        |source: &str, create_host_path, propagation: Option<&str>, selinux: Option<&str>| MountKind::Bind {
            source: source.into(),
            create_host_path,
            propagation: propagation.map(str::to_owned),
            selinux: selinux.map(str::to_owned),
            recursive: None,
        };
    let volume = |source: Option<&str>, nocopy, subpath: Option<&str>| MountKind::Volume {
        source: source.map(str::to_owned),
        nocopy,
        subpath: subpath.map(str::to_owned),
        labels: Default::default(),
        selinux: None,
    };
    let mut given = Given::new(OLD);
    given.prepared.inherited = BTreeMap::from([
        ("/anonymous".to_owned(), "old-volume".to_owned()),
        ("/of-the-image".to_owned(), "older-volume".to_owned()),
    ]);
    given.prepared.files = vec![("/host/secret".into(), "/run/secrets/s".into())];
    let service = Service {
        volumes: vec![
            mount(bind("/src", true, None, None), "/a", false),
            mount(bind("/src", true, Some("rslave"), Some("z")), "/b", true),
            mount(bind("/src", false, Some("rshared"), None), "/c", true),
            mount(bind("/with:colon", true, None, None), "/d", false),
            mount(volume(Some("data"), false, None), "/e", false),
            mount(volume(Some("data"), true, None), "/f", true),
            mount(volume(Some("data"), false, Some("sub")), "/g", false),
            mount(volume(None, false, None), "/anonymous", false),
            mount(volume(None, false, None), "/new", false),
            mount(
                MountKind::Tmpfs {
                    size: Some(1024),
                    mode: Some(0o1777),
                },
                "/h",
                false,
            ),
        ],
        tmpfs: strings(&["/run:size=1m,mode=755", "/tmp"]),
        volumes_from: strings(&["db:ro", "container:x:rw", "db"]),
        ..Service::default()
    };
    let lines: Vec<String> = given
        .body(&service)
        .lines()
        .filter(|l| {
            ["Binds", "Mounts", "Tmpfs", "VolumesFrom"]
                .iter()
                .any(|k| l.contains(k))
        })
        .map(|l| l.replace("},{", "},\n  {").replace("\",\"", "\",\n  \""))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
        Host.Binds: ["/src:/a:rw",
          "/src:/b:ro,rslave,z",
          "p_data:/e:rw",
          "old-volume:/anonymous:rw"]
        Host.Mounts: [{"Type":"bind",
          "Source":"/src",
          "Target":"/c",
          "ReadOnly":true,"BindOptions":{"Propagation":"rshared"}},
          {"Type":"bind",
          "Source":"/with:colon",
          "Target":"/d",
          "BindOptions":{"CreateMountpoint":true}},
          {"Type":"volume",
          "Source":"p_data",
          "Target":"/f",
          "ReadOnly":true,"VolumeOptions":{"NoCopy":true}},
          {"Type":"volume",
          "Source":"p_data",
          "Target":"/g",
          "VolumeOptions":{"Subpath":"sub"}},
          {"Type":"volume",
          "Target":"/new"},
          {"Type":"tmpfs",
          "Target":"/h",
          "TmpfsOptions":{"SizeBytes":1024,"Mode":1023}},
          {"Type":"volume",
          "Source":"older-volume",
          "Target":"/of-the-image"},
          {"Type":"bind",
          "Source":"/host/secret",
          "Target":"/run/secrets/s",
          "ReadOnly":true}]
        Host.Tmpfs: {"/run":"size=1m,mode=755",
          "/tmp":""}
        Host.VolumesFrom: ["c-db:ro",
          "x:rw",
          "c-db"]
        "#);
}

#[test]
fn limits_rights_and_the_rest_of_the_host() {
    let service = Service {
        cap_add: strings(&["NET_BIND_SERVICE"]),
        cap_drop: strings(&["ALL"]),
        privileged: true,
        read_only: true,
        userns_mode: Some("host".into()),
        cgroup: Some("private".into()),
        cgroup_parent: Some("/p".into()),
        runtime: Some("runc".into()),
        isolation: Some("default".into()),
        shm_size: Some(1 << 20),
        sysctls: [("net.core.somaxconn".to_owned(), "1".to_owned())].into(),
        storage_opt: [("size".to_owned(), "1G".to_owned())].into(),
        ulimits: BTreeMap::from([("nofile".to_owned(), Ulimit { soft: 10, hard: 20 })]),
        devices: vec![Device {
            source: "/dev/null".into(),
            target: "/dev/x".into(),
            permissions: "rwm".into(),
        }],
        device_cgroup_rules: strings(&["c 1:3 mr"]),
        gpus: vec![DeviceRequest {
            count: Some(-1),
            ..DeviceRequest::default()
        }],
        blkio_config: Some(BlkioConfig {
            weight: Some(300),
            weight_device: vec![DeviceWeight {
                path: "/dev/sda".into(),
                weight: 400,
            }],
            device_read_bps: vec![DeviceRate {
                path: "/dev/sdb".into(),
                rate: Some(1 << 20),
            }],
            ..BlkioConfig::default()
        }),
        dns: strings(&["1.1.1.1"]),
        dns_opt: strings(&["use-vc"]),
        dns_search: strings(&["example.com"]),
        extra_hosts: strings(&["db=10.0.0.1", "six=[::1]", "gw=host-gateway"]),
        oom_score_adj: -5,
        oom_kill_disable: true,
        mem_limit: Some(64 << 20),
        mem_reservation: Some(32 << 20),
        memswap_limit: Some(-1),
        mem_swappiness: Some(10),
        pids_limit: Some(100),
        cpus: Some(0.5),
        cpu_shares: Some(512),
        cpuset: Some("0-1".into()),
        annotations: [("note".to_owned(), "1".to_owned())].into(),
        logging: Some(Logging {
            driver: Some("json-file".into()),
            options: [("max-size".to_owned(), "1m".to_owned())].into(),
        }),
        restart: Some(RestartPolicy::Always),
        ..Service::default()
    };
    let mut given = Given::new(OLD);
    given.prepared.security_opt = strings(&["no-new-privileges:true", "systempaths=unconfined"]);
    insta::assert_snapshot!(given.body(&service), @r#"
        AttachStdout: true
        AttachStderr: true
        Image: "app:1"
        Host.NetworkMode: "none"
        Host.RestartPolicy: {"Name":"always"}
        Host.CapAdd: ["NET_BIND_SERVICE"]
        Host.CapDrop: ["ALL"]
        Host.SecurityOpt: ["no-new-privileges:true"]
        Host.Privileged: true
        Host.ReadonlyRootfs: true
        Host.Dns: ["1.1.1.1"]
        Host.DnsOptions: ["use-vc"]
        Host.DnsSearch: ["example.com"]
        Host.ExtraHosts: ["db:10.0.0.1","six:::1","gw:host-gateway"]
        Host.UsernsMode: "host"
        Host.CgroupnsMode: "private"
        Host.Isolation: "default"
        Host.Runtime: "runc"
        Host.ShmSize: 1048576
        Host.Sysctls: {"net.core.somaxconn":"1"}
        Host.StorageOpt: {"size":"1G"}
        Host.LogConfig: {"Type":"json-file","Config":{"max-size":"1m"}}
        Host.OomScoreAdj: -5
        Host.MaskedPaths: []
        Host.ReadonlyPaths: []
        Host.BlkioWeight: 300
        Host.BlkioWeightDevice: [{"Path":"/dev/sda","Weight":400}]
        Host.BlkioDeviceReadBps: [{"Path":"/dev/sdb","Rate":1048576}]
        Host.Memory: 67108864
        Host.MemoryReservation: 33554432
        Host.MemorySwap: -1
        Host.MemorySwappiness: 10
        Host.OomKillDisable: true
        Host.PidsLimit: 100
        Host.NanoCpus: 500000000
        Host.CpuShares: 512
        Host.CpusetCpus: "0-1"
        Host.CgroupParent: "/p"
        Host.Devices: [{"PathOnHost":"/dev/null","PathInContainer":"/dev/x","CgroupPermissions":"rwm"}]
        Host.DeviceRequests: [{"Count":-1,"Capabilities":[["gpu"]]}]
        Host.DeviceCgroupRules: ["c 1:3 mr"]
        Host.Ulimits: [{"Name":"nofile","Soft":10,"Hard":20}]
        "#);

    // `deploy` has the last word, and older engines are not told of annotations.
    let deployed = Service {
        deploy: Some(Deploy {
            limit_cpus: Some(2.0),
            limit_memory: Some(1 << 30),
            limit_pids: Some(7),
            reserve_memory: Some(1 << 29),
            restart_policy: Some(RestartPolicy::OnFailure(None)),
            ..Deploy::default()
        }),
        ..service
    };
    let lines: Vec<String> = Given::new(NEW)
        .body(&deployed)
        .lines()
        .filter(|l| {
            [
                "Memory:",
                "MemoryReservation",
                "NanoCpus",
                "PidsLimit",
                "RestartPolicy",
                "Annotations",
            ]
            .iter()
            .any(|k| l.contains(k))
        })
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
        Host.RestartPolicy: {"Name":"on-failure","MaximumRetryCount":0}
        Host.Annotations: {"note":"1"}
        Host.Memory: 1073741824
        Host.MemoryReservation: 536870912
        Host.PidsLimit: 7
        Host.NanoCpus: 2000000000
        "#);
}

#[test]
fn a_switched_off_check_and_an_empty_command_are_said() {
    let service = Service {
        command: Some(Vec::new()),
        entrypoint: Some(Vec::new()),
        healthcheck: Some(Healthcheck {
            disable: true,
            ..Healthcheck::default()
        }),
        ..Service::default()
    };
    insta::assert_snapshot!(Given::new(OLD).body(&service), @r#"
        AttachStdout: true
        AttachStderr: true
        Cmd: []
        Healthcheck: {"Test":["NONE"]}
        Image: "app:1"
        Entrypoint: []
        Host.NetworkMode: "none"
        "#);
}
