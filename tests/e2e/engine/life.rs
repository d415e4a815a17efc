//! What is made, how it lives, and that it goes away.

use futures_util::StreamExt;
use platform::engine::{EngineEventKind, Exit};
use platform::model::{ContainerState, Mount, MountKind, PortBinding, Protocol};

use super::*;

#[tokio::test]
async fn a_container_lives_as_asked() {
    let mut world = World::new().await;
    world.network().await;
    let spec = world.stack.volumes["data"].clone();
    world
        .engine
        .create_volume(&world.stack, "data", &spec, "run-1")
        .await
        .unwrap();
    let mut events = world.engine.events(Some(&world.stack.name)).await.unwrap();
    let mut service = world.service("trap 'exit 3' TERM; while :; do sleep 0.05; done");
    service.networks = [(
        "net".to_owned(),
        Endpoint {
            aliases: vec!["other".into()],
            ..Endpoint::default()
        },
    )]
    .into();
    service.volumes = vec![Mount {
        kind: MountKind::Volume {
            source: Some("data".into()),
            nocopy: false,
            subpath: None,
            labels: Default::default(),
            selinux: None,
        },
        target: "/data".into(),
        read_only: false,
        consistency: None,
    }];
    service.environment = [("GREETING".to_owned(), Some("hi there".to_owned()))].into();
    service.hostname = Some("box".into());
    service.mem_limit = Some(64 << 20);
    let id = world.start("app", &service).await;

    assert_eq!(
        world.sh(&id, "hostname; echo $GREETING; touch /data/x").await,
        "box\nhi there"
    );
    assert_eq!(
        world
            .sh(
                &id,
                "ping -c1 -W1 other >/dev/null 2>&1; nslookup other >/dev/null 2>&1; echo ok"
            )
            .await,
        "ok"
    );
    let inspected = world.engine.inspect(&id).await.unwrap();
    assert_eq!(inspected.state, ContainerState::Running);
    assert!(inspected.pid > 0 && !inspected.started_at.is_empty());
    let observed = world.engine.observe(&Wanted::of(&world.stack)).await.unwrap();
    assert_eq!(observed.containers.len(), 1);
    let container = &observed.containers[0];
    assert_eq!(container.image_ref, world.project.image());
    let place = &container.addresses[&format!("{}_net", world.stack.name)];
    assert_eq!(place.network, world.networks["net"]);
    assert!(place.ip.is_some());
    assert_eq!((observed.networks.len(), observed.volumes.len()), (1, 1));

    world
        .engine
        .stop_container(&id, None, Duration::from_secs(5))
        .await
        .unwrap();
    let exit = world.engine.wait_container(&id).await.unwrap();
    assert_eq!((exit.code, exit.oom_killed), (3, false));
    world.engine.start_container(&id).await.unwrap();
    world.engine.start_container(&id).await.unwrap();
    world.engine.kill_container(&id, "KILL").await.unwrap();
    let exit = world.engine.wait_container(&id).await.unwrap();
    assert_eq!((exit.code, exit.oom_killed), (137, false));
    world.engine.remove_container(&id, true, true).await.unwrap();
    world.engine.remove_container(&id, true, true).await.unwrap();

    let mut kinds = Vec::new();
    while kinds.last() != Some(&EngineEventKind::Destroy) {
        let event = tokio::time::timeout(Duration::from_secs(5), events.next())
            .await
            .unwrap();
        let event = event.unwrap().unwrap();
        assert_eq!(event.project.as_ref(), Some(&world.stack.name));
        if !matches!(event.kind, EngineEventKind::Other(_)) {
            kinds.push(event.kind);
        }
    }
    for kind in [
        EngineEventKind::Create,
        EngineEventKind::Start,
        EngineEventKind::Die(3),
        EngineEventKind::Die(137),
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    world.engine.remove_volume(&spec.name).await.unwrap();
    world.engine.remove_volume(&spec.name).await.unwrap();
    world.engine.remove_network(&world.networks["net"]).await.unwrap();
    world.engine.remove_network(&world.networks["net"]).await.unwrap();
}

#[tokio::test]
async fn memory_and_exit_codes_are_told_apart() {
    let world = World::new().await;
    let mut hungry = world.service("tail /dev/zero");
    hungry.mem_limit = Some(16 << 20);
    let id = world.start("hungry", &hungry).await;
    let exit = world.engine.wait_container(&id).await.unwrap();
    assert_eq!(
        exit,
        Exit {
            code: 137,
            oom_killed: true
        }
    );
    let id = world.start("done", &world.service("exit 7")).await;
    let exit = world.engine.wait_container(&id).await.unwrap();
    assert_eq!(exit.code, 7);
    let listed = world
        .engine
        .list_containers(Some(&world.stack.name))
        .await
        .unwrap();
    let done = listed.iter().find(|c| c.id == id).unwrap();
    assert_eq!(
        done.state,
        ContainerState::Exited {
            code: 7,
            oom_killed: false
        }
    );
}

fn file(source: &str, target: &str, mode: Option<u32>, uid: Option<&str>) -> FileMount {
    FileMount {
        written_target: None,
        source: source.into(),
        target: target.into(),
        uid: uid.map(str::to_owned),
        gid: uid.map(str::to_owned),
        mode,
    }
}

#[tokio::test]
async fn secrets_have_their_content_owner_and_mode_in_any_container() {
    let mut world = World::new().await;
    let resource = |source| ResourceFile {
        name: "x".into(),
        source,
        swarm: Default::default(),
        digest: None,
    };
    let on_host = world.project.file("secret.txt", "from a file");
    world
        .stack
        .secrets
        .insert("file".into(), resource(FileSource::File(on_host)));
    world.stack.secrets.insert(
        "token".into(),
        resource(FileSource::Environment {
            variable: "TOKEN".into(),
            value: Some(Secret::new("hunter2-canary".into())),
        }),
    );
    world
        .stack
        .configs
        .insert("text".into(), resource(FileSource::Content("inline".into())));
    for (name, read_only, tmpfs) in [
        ("plain", false, vec![]),
        ("readonly", true, vec!["/tmp".to_owned()]),
        ("tmpfs", false, vec!["/run:size=64k".to_owned()]),
    ] {
        let mut service = world.service("sleep 60");
        service.read_only = read_only;
        service.tmpfs = tmpfs;
        service.user = Some("1000:1000".into());
        service.secrets = vec![
            file("file", "/run/secrets/file", None, None),
            file("token", "/run/secrets/token", Some(0o400), Some("1000")),
        ];
        service.configs = vec![file("text", "/etc/deep/er/text", None, None)];
        let id = world.start(name, &service).await;
        assert_eq!(
            world
                .sh(&id, "cat /run/secrets/file /run/secrets/token /etc/deep/er/text")
                .await,
            "from a filehunter2-canaryinline",
            "{name}"
        );
        assert_eq!(
            world
                .sh(&id, "stat -c '%a %u:%g' /run/secrets/token /etc/deep/er/text")
                .await,
            "400 1000:1000\n444 0:0",
            "{name}"
        );
        let listed = world.engine.inspect(&id).await.unwrap();
        assert_eq!(listed.container.name, format!("{}-{name}-1", world.stack.name));
        assert!(listed.container.labels.contains_key(labels::SPEC));
    }
    for container in world.engine.list_projects().await.unwrap() {
        if container.labels.get(labels::PROJECT).map(String::as_str) == Some(world.stack.name.as_str()) {
            world
                .engine
                .remove_container(&container.id, true, true)
                .await
                .unwrap();
        }
    }
    world.engine.remove_files(&world.stack.name).await.unwrap();
    for base in [
        "/run/platform",
        &format!("/dev/shm/platform-{}", rustix::process::getuid().as_raw()),
    ] {
        assert!(
            !std::path::Path::new(base)
                .join(world.stack.name.as_str())
                .exists()
        );
    }
}

#[tokio::test]
async fn commands_are_captured_and_ended() {
    let world = World::new().await;
    let id = world.start("app", &world.service("sleep 600")).await;
    let outcome = world
        .engine
        .exec(&id, &sh("echo out; echo err >&2; exit 9"))
        .await
        .unwrap();
    assert_eq!(outcome.code, 9);
    assert_eq!(
        (outcome.stdout.as_slice(), outcome.stderr.as_slice()),
        (&b"out\n"[..], &b"err\n"[..])
    );

    let mut echo = sh("cat; echo $EXTRA; id -u; pwd");
    echo.stdin = Some(b"given\n".to_vec());
    echo.env = vec!["EXTRA=more".into()];
    echo.user = Some("1234".into());
    echo.working_dir = Some("/bin".into());
    let outcome = world.engine.exec(&id, &echo).await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&outcome.stdout),
        "given\nmore\n1234\n/bin\n"
    );

    let flood = world
        .engine
        .exec(&id, &sh("yes | head -c 1000000"))
        .await
        .unwrap();
    assert_eq!(flood.stdout.len(), 64 * 1024);

    let processes = || async { world.sh(&id, "ps | grep -c '[s]leep 4321' || true").await };
    let mut slow = sh("sleep 4321; true");
    slow.timeout = Some(Duration::from_millis(300));
    let began = Instant::now();
    let error = world.engine.exec(&id, &slow).await.unwrap_err();
    assert!(matches!(error.kind, EngineErrorKind::TimedOut(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3));
    slow.timeout = None;
    // As anybody but root, the command is found from inside the container.
    let mut env = EngineEnv::new([("DOCKER_HOST".to_owned(), world.project.engine().host())]);
    env.uid = 1000;
    let anybody = Docker::find(env, Deadlines::default()).await.unwrap();
    for n in 0..10 {
        let engine = if n % 2 == 0 { &world.engine } else { &anybody };
        let dropped = tokio::time::timeout(Duration::from_millis(100), engine.exec(&id, &slow)).await;
        assert!(dropped.is_err());
    }
    let began = Instant::now();
    while processes().await != "0" {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{} left",
            processes().await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let missing = ExecSpec {
        command: vec!["/no/such".into()],
        ..ExecSpec::default()
    };
    match world.engine.exec(&id, &missing).await {
        Ok(outcome) => assert!(matches!(outcome.code, 126 | 127), "{outcome:?}"),
        Err(error) => assert!(matches!(error.kind, EngineErrorKind::Refused { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_terminal_is_attached_sized_and_read() {
    use tokio::io::AsyncWriteExt;
    let world = World::new().await;
    let id = world.start("app", &world.service("sleep 600")).await;
    let spec = ExecSpec {
        command: vec!["sh".into()],
        ..ExecSpec::default()
    };
    let mut session = world.engine.exec_attach(&id, &spec, true).await.unwrap();
    session.control.resize(133, 40).await.unwrap();
    session
        .input
        .write_all(b"printf '\\001\\002end'; exit 5\n")
        .await
        .unwrap();
    let mut written = Vec::new();
    while let Some(item) = session.output.next().await {
        written.extend_from_slice(&item.unwrap().1);
    }
    assert!(written.windows(5).any(|w| w == b"\x01\x02end"), "{written:?}");
    assert_eq!(session.control.exit_code().await.unwrap(), 5);
}

#[tokio::test]
async fn a_taken_port_a_missing_image_and_a_dead_registry_have_names() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut service = world.service("sleep 60");
    service.network_mode = Some(platform::model::NetworkMode::Other("bridge".into()));
    service.ports = vec![PortBinding {
        name: None,
        host_ip: None,
        target: 80,
        published: Some(port.to_string()),
        protocol: Protocol::Tcp,
        mode: None,
        app_protocol: None,
    }];
    let id = world.create("app", &service).await;
    let error = world.engine.start_container(&id).await.unwrap_err();
    assert!(
        matches!(error.kind, EngineErrorKind::PortTaken { port: Some(p), .. } if p == port),
        "{error:?}"
    );

    assert_eq!(world.engine.image("t-no-such:image").await.unwrap(), None);
    let mut pull = world.engine.pull("127.0.0.1:1/no/such:1", None);
    let mut last = None;
    while let Some(item) = pull.next().await {
        last = Some(item);
    }
    let error = last.unwrap().unwrap_err();
    assert!(
        matches!(error.kind, EngineErrorKind::RegistryUnreachable(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn images_are_tagged_read_and_removed() {
    let world = World::new().await;
    let id = world.image().await;
    let reference = format!("{}:tagged", world.stack.name);
    world.engine.tag_image(&id, &reference).await.unwrap();
    assert_eq!(
        world.engine.image(&reference).await.unwrap().unwrap().id,
        Some(id.clone())
    );
    let tar = world.project.dir().join("root.tar");
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    header.set_mode(0o644);
    archive
        .append_data(&mut header, "etc/release", &b"one 2"[..])
        .unwrap();
    std::fs::write(&tar, archive.into_inner().unwrap()).unwrap();
    let own = format!("{}:own", world.stack.name);
    let imported = world
        .engine
        .import_image(&tar, &own, &["LABEL a.b=\"c d\"".into(), "EXPOSE 80".into()])
        .await
        .unwrap();
    let found = world.engine.image(&own).await.unwrap().unwrap();
    assert_eq!(found.id.as_ref(), Some(&imported));
    assert_eq!(found.labels["a.b"], "c d");
    assert_eq!(found.exposed, ["80/tcp"]);
    let before = world.engine.list_containers(None).await.unwrap().len();
    let read = |path| world.engine.read_image_file(&imported, path);
    assert_eq!(read("/etc/release").await.unwrap(), Some(b"one 2".to_vec()));
    assert_eq!(read("/etc/none").await.unwrap(), None);
    assert_eq!(read("/etc").await.unwrap(), None);
    assert!(world.engine.list_containers(None).await.unwrap().len() <= before + 2);
    for reference in [&reference, &own, &own] {
        world.engine.remove_image(reference).await.unwrap();
    }
    assert_eq!(world.engine.image(&own).await.unwrap(), None);
}

#[tokio::test]
async fn an_engine_behind_tcp_does_the_same() {
    let mut world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let socket = world.project.engine().socket().to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut engine = tokio::net::UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
            });
        }
    });
    let env = EngineEnv::new([("DOCKER_HOST".to_owned(), address.clone())]);
    world.engine = Docker::find(env, Deadlines::default()).await.unwrap();
    assert_eq!(world.engine.info().await.unwrap().endpoint, address);
    let id = world.start("app", &world.service("sleep 60")).await;
    assert_eq!(world.sh(&id, "echo $((6 * 7))").await, "42");
    let mut session = world.engine.exec_attach(&id, &sh("cat"), false).await.unwrap();
    use tokio::io::AsyncWriteExt;
    session.input.write_all(b"through").await.unwrap();
    session.input.shutdown().await.unwrap();
    assert_eq!(session.output.next().await.unwrap().unwrap().1, "through");
    assert!(session.output.next().await.is_none());
}
