//! Lost answers, stalls, an engine that is away.

use super::*;
use crate::support::proxy::{Fault, Nth, Proxy};

fn quick() -> Deadlines {
    Deadlines {
        short: Duration::from_millis(700),
        start: Duration::from_millis(1500),
        stop: Duration::from_millis(500),
        pull_idle: Duration::from_millis(700),
        build_idle: Duration::from_millis(700),
    }
}

struct Faulty {
    world: World,
    proxy: Proxy,
}

impl Faulty {
    async fn new() -> Self {
        let mut world = World::new().await;
        let proxy = Proxy::before(world.project.engine());
        world.engine = engine_at(&proxy.docker(), quick()).await;
        Self { world, proxy }
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_again_once() {
    for fault in [Fault::LoseAnswer, Fault::CutAfter(40), Fault::StallAfter(0)] {
        let Faulty { mut world, proxy } = Faulty::new().await;
        proxy.rule("POST", "^/networks/create", Nth::Only(1), fault);
        proxy.rule("POST", "^/containers/create", Nth::Only(1), fault);
        world.network().await;
        let id = world.create("app", &world.service("sleep 60")).await;
        assert_eq!(world.project.containers().len(), 1, "{fault:?}");
        assert_eq!(world.project.containers()[0]["Id"], id.as_str());
        let networks = world
            .engine
            .observe(&Wanted::of(&world.stack))
            .await
            .unwrap()
            .networks;
        assert_eq!(networks.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_never_arrived_is_made_on_the_second_try() {
    let Faulty { world, proxy } = Faulty::new().await;
    proxy.rule("POST", "^/containers/create", Nth::Only(1), Fault::Drop);
    world.create("app", &world.service("sleep 60")).await;
    assert_eq!(world.project.containers().len(), 1);
}

#[tokio::test]
async fn a_half_made_container_is_replaced_and_never_shown_as_wanted() {
    let Faulty { mut world, proxy } = Faulty::new().await;
    world.stack.secrets.insert(
        "token".into(),
        ResourceFile {
            name: "token".into(),
            source: FileSource::Environment {
                variable: "T".into(),
                value: Some(Secret::new("abcdef".into())),
            },
            swarm: Default::default(),
            digest: None,
        },
    );
    let mut service = world.service("sleep 60");
    service.secrets = vec![FileMount {
        written_target: None,
        source: "token".into(),
        target: "/run/secrets/token".into(),
        uid: None,
        gid: None,
        mode: None,
    }];
    // Our own process dies between the two calls: neither the copy nor the removal is done.
    proxy.rule("PUT", "/archive", Nth::Only(1), Fault::Drop);
    proxy.rule("DELETE", "^/containers/", Nth::Only(1), Fault::Drop);
    let name = ServiceName::from("app");
    let mut request = world.request(&name, &service).await;
    assert!(world.engine.create_container(&request).await.is_err());
    let seen = world.engine.observe(&Wanted::of(&world.stack)).await.unwrap();
    assert_eq!(seen.containers.len(), 1);
    assert!(!seen.containers[0].labels.contains_key(labels::SPEC));
    request.labels.insert(labels::RUN.to_owned(), "run-2".to_owned());
    let id = world.engine.create_container(&request).await.unwrap();
    let seen = world.engine.observe(&Wanted::of(&world.stack)).await.unwrap();
    assert_eq!(seen.containers.len(), 1);
    assert_eq!(seen.containers[0].id, id);
    assert!(seen.containers[0].labels.contains_key(labels::SPEC));
}

#[tokio::test]
async fn a_name_held_by_another_run_is_a_conflict() {
    let world = World::new().await;
    let name = ServiceName::from("app");
    let service = world.service("sleep 60");
    let mut request = world.request(&name, &service).await;
    world.engine.create_container(&request).await.unwrap();
    request.labels.insert(labels::RUN.to_owned(), "run-2".to_owned());
    let error = world.engine.create_container(&request).await.unwrap_err();
    assert!(matches!(error.kind, EngineErrorKind::Conflict(_)), "{error:?}");
}

#[tokio::test]
async fn a_stalled_answer_ends_at_its_deadline_wherever_it_stalls() {
    let Faulty { world, proxy } = Faulty::new().await;
    let id = world.start("app", &world.service("sleep 60")).await;
    for bytes in [0, 1, 60, 400] {
        proxy.rule(
            "*",
            "^/(containers|networks|volumes|images)",
            Nth::Every,
            Fault::StallAfter(bytes),
        );
        let began = Instant::now();
        let error = world.engine.inspect(&id).await.unwrap_err();
        assert!(
            matches!(error.kind, EngineErrorKind::TimedOut(_)),
            "{bytes}: {error:?}"
        );
        let error = world.engine.observe(&Wanted::of(&world.stack)).await.unwrap_err();
        assert!(
            matches!(error.kind, EngineErrorKind::TimedOut(_)),
            "{bytes}: {error:?}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{bytes}: {:?}",
            began.elapsed()
        );
        proxy.heal();
    }
    world.engine.inspect(&id).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_is_away_is_unreachable_and_a_cut_is_not() {
    let Faulty { world, proxy } = Faulty::new().await;
    let id = world.create("app", &world.service("sleep 60")).await;
    proxy.rule("POST", "/start$", Nth::Only(1), Fault::LoseAnswer);
    let error = world.engine.start_container(&id).await.unwrap_err();
    assert!(
        matches!(error.kind, EngineErrorKind::OutcomeUnknown(_)),
        "{error:?}"
    );
    assert!(world.engine.inspect(&id).await.unwrap().state.is_running());
    drop(proxy);
    let error = world.engine.inspect(&id).await.unwrap_err();
    assert!(matches!(error.kind, EngineErrorKind::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn two_creators_of_a_network_agree_on_one() {
    let world = World::new().await;
    let spec = world.stack.networks["net"].clone();
    let make = |run: &'static str| world.engine.create_network(&world.stack, "net", &spec, run);
    let made = futures_util::future::join_all(["a", "b", "c", "d", "e", "f"].map(make)).await;
    let mut ids: Vec<NetworkId> = made.into_iter().map(|id| id.unwrap()).collect();
    ids.sort();
    let left = world
        .engine
        .observe(&Wanted::of(&world.stack))
        .await
        .unwrap()
        .networks;
    assert_eq!(left.len(), 1);
    assert!(ids.contains(&left[0].id));
}
