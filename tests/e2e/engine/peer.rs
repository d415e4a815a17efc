//! The same file through docker compose and through us gives the same container.

use platform::stack::{Disk, LoadRequest, load};
use serde_json::{Map, Value};

use super::*;

const STACK: &str = r#"
services:
  app:
    image: @image@
    command: ["sleep", "60"]
    environment: {A: "1", B: "x=y", EMPTY: ""}
    labels: {own.label: "z"}
    user: "1000:1000"
    working_dir: /tmp
    hostname: box
    domainname: example.org
    expose: ["9000"]
    ports: ["127.0.0.1::80", "53/udp"]
    networks:
      front: {aliases: [web], priority: 5}
      back: {}
    volumes:
      - data:/data
      - ./host:/host:ro
      - type: bind
        source: ./file.txt
        target: /file.txt
        bind: {create_host_path: false, propagation: rslave}
      - type: tmpfs
        target: /scratch
        tmpfs: {size: 65536, mode: 0700}
      - /anonymous
      - type: volume
        source: data
        target: /other
        volume: {nocopy: true}
    tmpfs: ["/run:size=1m"]
    configs:
      - source: text
        target: /etc/text
    secrets: [key]
    healthcheck: {test: ["CMD", "true"], interval: 30s, timeout: 2s, retries: 2, start_period: 1s}
    restart: unless-stopped
    stop_signal: SIGINT
    stop_grace_period: 3s
    init: true
    read_only: true
    cap_drop: [ALL]
    cap_add: [CHOWN]
    security_opt: ["no-new-privileges:true"]
    ulimits: {nofile: {soft: 100, hard: 200}, nproc: 50}
    sysctls: {net.ipv4.ip_unprivileged_port_start: "0"}
    dns: [1.1.1.1]
    dns_search: [example.com]
    dns_opt: ["ndots:2"]
    extra_hosts: ["db:10.0.0.1"]
    group_add: ["7"]
    mem_limit: 64m
    mem_reservation: 32m
    pids_limit: 50
    cpus: 0.5
    cpu_shares: 256
    shm_size: 1m
    oom_score_adj: 100
    logging: {driver: json-file, options: {max-size: 1m}}
    devices: ["/dev/null:/dev/mine:r"]
    pid: host
    ipc: private
  limited:
    image: @image@
    entrypoint: ["sh", "-c"]
    command: ["sleep 60"]
    network_mode: none
    tty: true
    stdin_open: true
    deploy:
      resources: {limits: {cpus: "0.25", memory: 32m, pids: 9}, reservations: {memory: 16m}}
      restart_policy: {condition: on-failure, max_attempts: 3}
networks: {front: {}, back: {}}
volumes: {data: {}}
configs: {text: {file: ./file.txt}}
secrets: {key: {file: ./file.txt}}
"#;

/// What two containers of one definition may differ in, or what no definition decides.
pub fn essence(mut container: Value) -> Value {
    let name = container["Id"].as_str().unwrap()[..12].to_owned();
    let mut config = container["Config"].take();
    for random in ["Labels", "Image"] {
        config.as_object_mut().unwrap().remove(random);
    }
    if config["Hostname"] == name.as_str() {
        config["Hostname"] = Value::Null;
    }
    let mut host = container["HostConfig"].take();
    for key in ["Binds", "Mounts", "CapAdd", "CapDrop", "Ulimits"] {
        if let Some(list) = host.get_mut(key).and_then(Value::as_array_mut) {
            list.sort_by_key(ToString::to_string);
            for item in list {
                if let Some(fields) = item.as_object_mut() {
                    fields.retain(|_, value| value.as_object().is_none_or(|o| !o.is_empty()));
                }
                // Both spellings are one capability.
                if let Some(bare) = item.as_str().and_then(|name| name.strip_prefix("CAP_")) {
                    *item = bare.into();
                }
            }
        }
    }
    config["Env"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(ToString::to_string);
    let mut networks = Map::new();
    for (key, network) in container["NetworkSettings"]["Networks"].as_object().unwrap() {
        let mut network = network.clone();
        let fields = network.as_object_mut().unwrap();
        fields.remove("EndpointID");
        // The engine fills it in at the start; until then only we say it.
        fields.remove("NetworkID");
        if let Some(aliases) = fields.get_mut("Aliases").and_then(Value::as_array_mut) {
            aliases.retain(|alias| alias != name.as_str());
            aliases.sort_by_key(ToString::to_string);
        }
        networks.insert(key.clone(), network);
    }
    let mut mounts = container["Mounts"].take();
    for mount in mounts.as_array_mut().unwrap() {
        if mount["Name"].as_str().is_some_and(|n| n.len() == 64) {
            mount["Name"] = "anonymous".into();
            mount["Source"] = Value::Null;
        }
    }
    mounts.as_array_mut().unwrap().sort_by_key(ToString::to_string);
    serde_json::json!({"config": config, "host": host, "networks": networks, "mounts": mounts})
}

/// Differing leaves, one a line.
pub fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<String>) {
    // Absent, empty and zero mean the same to the engine.
    let nothing = |v: &Value| match v {
        Value::Null | Value::Bool(false) => true,
        Value::String(s) => s.is_empty(),
        Value::Number(n) => n.as_i64() == Some(0),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        Value::Bool(true) => false,
    };
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let get = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differences(&format!("{path}.{key}"), &get(a), &get(b), out);
            }
        }
        (a, b) if a == b || (nothing(a) && nothing(b)) => {}
        (a, b) => out.push(format!("{path}: ours {a}, theirs {b}")),
    }
}

/// docker compose's plugin, run by itself.
fn compose() -> Option<std::path::PathBuf> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from)?;
    let folders = [
        home.join(".docker/cli-plugins"),
        "/usr/libexec/docker/cli-plugins".into(),
        "/usr/lib/docker/cli-plugins".into(),
    ];
    let places = folders.map(|folder| folder.join("docker-compose"));
    places.into_iter().find(|place| place.exists())
}

/// The same, where it is there; a test that needs it is skipped only where that is allowed.
pub fn required() -> Option<std::path::PathBuf> {
    let found = compose();
    if found.is_none() {
        assert!(
            std::env::var_os("PLATFORM_TEST_STRICT").is_none(),
            "docker compose is missing: ci/get-compose.sh"
        );
        eprintln!("skipped: docker compose is missing");
    }
    found
}

#[tokio::test]
async fn our_containers_are_those_that_docker_compose_makes() {
    let mut world = World::new().await;
    world.project.stack(STACK);
    world.project.file("file.txt", "text");
    std::fs::create_dir(world.project.dir().join("host")).unwrap();
    let Some(compose) = required() else { return };
    let created = world.project.program(compose.to_str().unwrap()).args(["create"]);
    created.run().expect(0);
    let raw = world.project.engine().clone();
    let project = world.stack.name.clone();
    let full = |name: &str| raw.inspect(&format!("{project}-{name}-1")).unwrap();
    let theirs: Vec<Value> = ["app", "limited"].map(|s| essence(full(s))).into();
    for name in ["app", "limited"] {
        raw.remove(&format!("{project}-{name}-1"));
    }

    let loaded = load(
        &LoadRequest {
            working_dir: world.project.dir().to_owned(),
            project_name: Some(world.stack.name.to_string()),
            ..LoadRequest::default()
        },
        &Disk,
    );
    let findings: Vec<String> = loaded.errors().map(|f| format!("{f:?}")).collect();
    world.stack = loaded.project.unwrap_or_else(|| panic!("{findings:?}"));
    for (key, spec) in &world.stack.networks {
        // Compose made them; ours finds the same by name and labels.
        let found = world
            .engine
            .create_network(&world.stack, key, spec, "run-1")
            .await
            .unwrap();
        world.networks.insert(key.clone(), found);
    }
    let mut different = Vec::new();
    for (at, name) in ["app", "limited"].into_iter().enumerate() {
        let service = world.stack.services[name].clone();
        world.create(name, &service).await;
        let ours = essence(full(name));
        differences(name, &ours, &theirs[at], &mut different);
    }
    insta::assert_snapshot!(different.join("\n"), @"");
}
