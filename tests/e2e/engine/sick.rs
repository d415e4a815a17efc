//! An engine that is full, out of networks, restarted, frozen; a registry that stops.

use futures_util::StreamExt;

use super::*;
use crate::support::engine::{Options, PrivateEngine};
use crate::support::registry::{Behaviour, Registry};

/// A project on an engine of its own.
async fn on(engine: &PrivateEngine) -> World {
    let project = Project::on(&engine.docker());
    let client = engine_at(project.engine(), Deadlines::default()).await;
    let stack = stack(&project);
    World {
        project,
        engine: client,
        stack,
        networks: BTreeMap::new(),
    }
}

#[tokio::test]
async fn used_up_address_pools_have_a_name() {
    if !PrivateEngine::available() {
        return;
    }
    let engine = PrivateEngine::with(Options {
        address_pool: Some("base=10.202.0.0/23,size=24".into()),
        ..Options::default()
    });
    let world = on(&engine).await;
    let mut last = None;
    for n in 0..4 {
        let key = format!("n{n}");
        let spec = NetworkSpec {
            name: format!("{}_{key}", world.stack.name),
            ..NetworkSpec::default()
        };
        last = world
            .engine
            .create_network(&world.stack, &key, &spec, "run-1")
            .await
            .err();
        if last.is_some() {
            break;
        }
    }
    let error = last.unwrap();
    assert!(
        matches!(error.kind, EngineErrorKind::SubnetsExhausted(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_full_disk_has_a_name() {
    if !PrivateEngine::available() {
        return;
    }
    let engine = PrivateEngine::with(Options {
        disk_mb: Some(64),
        ..Options::default()
    });
    let world = on(&engine).await;
    let id = world.start("filler", &world.service("sleep 600")).await;
    let _ = world
        .engine
        .exec(
            &id,
            &sh("dd if=/dev/zero of=/fill bs=65536; dd if=/dev/zero of=/fill2 bs=512"),
        )
        .await;
    let name = ServiceName::from("next");
    let service = world.service("sleep 600");
    let request = world.request(&name, &service).await;
    let error = match world.engine.create_container(&request).await {
        Err(error) => error,
        Ok(id) => world.engine.start_container(&id).await.unwrap_err(),
    };
    assert!(matches!(error.kind, EngineErrorKind::DiskFull(_)), "{error:?}");
    let _ = world.engine.exec(&id, &sh("rm /fill /fill2")).await;
}

#[tokio::test]
async fn a_killed_engine_ends_what_waits_and_is_used_again_when_it_is_back() {
    if !PrivateEngine::available() {
        return;
    }
    let mut engine = PrivateEngine::with(Options {
        live_restore: true,
        ..Options::default()
    });
    let world = on(&engine).await;
    let id = world.start("app", &world.service("sleep 600")).await;
    let mut events = world.engine.events(Some(&world.stack.name)).await.unwrap();
    let waiting = {
        let (engine, id) = (world.engine.clone(), id.clone());
        tokio::spawn(async move { engine.wait_container(&id).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    engine.kill();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(error.is_engine_lost(), "{error:?}");
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while let Some(Ok(_)) = events.next().await {}
    });
    ended.await.unwrap();
    let error = world.engine.inspect(&id).await.unwrap_err();
    assert!(matches!(error.kind, EngineErrorKind::Unreachable(_)), "{error:?}");
    engine.restart();
    assert!(world.engine.inspect(&id).await.unwrap().state.is_running());
    assert_eq!(world.sh(&id, "echo still here").await, "still here");
}

#[tokio::test]
async fn a_frozen_engine_is_found_out_in_time() {
    if !PrivateEngine::available() {
        return;
    }
    let engine = PrivateEngine::start();
    let mut world = on(&engine).await;
    let quick = Deadlines {
        short: Duration::from_millis(600),
        ..Deadlines::default()
    };
    world.engine = engine_at(world.project.engine(), quick).await;
    world.engine.info().await.unwrap();
    engine.freeze();
    let began = Instant::now();
    let error = world.engine.observe(&Wanted::of(&world.stack)).await.unwrap_err();
    let took = began.elapsed();
    engine.thaw();
    assert!(matches!(error.kind, EngineErrorKind::TimedOut(_)), "{error:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_pull_that_stops_in_mid_layer_ends_and_a_good_one_is_told() {
    let world = World::new().await;
    let registry = Registry::open();
    let reference = registry.reference(world.project.name());
    let mut pull = world.engine.pull(&reference, None);
    let mut statuses = Vec::new();
    while let Some(progress) = pull.next().await {
        statuses.push(progress.unwrap().status);
    }
    assert!(
        statuses.iter().any(|s| s.starts_with("Status: Downloaded")),
        "{statuses:?}"
    );
    world.engine.remove_image(&reference).await.unwrap();

    registry.behave(Behaviour::StallInLayer(100));
    let quick = Deadlines {
        pull_idle: Duration::from_secs(1),
        ..Deadlines::default()
    };
    let engine = engine_at(world.project.engine(), quick).await;
    let began = Instant::now();
    let mut pull = engine.pull(&reference, None);
    let mut last = None;
    while let Some(progress) = pull.next().await {
        last = Some(progress);
    }
    let error = last.unwrap().unwrap_err();
    assert!(matches!(error.kind, EngineErrorKind::TimedOut(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(15));
    drop(pull);

    for (behaviour, expected) in [
        (Behaviour::Missing, "ImageNotFound"),
        (Behaviour::Unauthorized, "ImageNotFound"),
        (Behaviour::Silent, "TimedOut"),
    ] {
        registry.behave(behaviour);
        let last = engine.pull(&reference, None).collect::<Vec<_>>().await.pop();
        let kind = format!("{:?}", last.unwrap().unwrap_err().kind);
        assert!(kind.starts_with(expected), "{behaviour:?}: {kind}");
    }
}
