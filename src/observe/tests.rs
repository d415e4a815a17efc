//! Containers, usage and logs against the engine in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use super::testing::{World, list, of_shop};
use crate::engine::fake::{Failure, Op};
use crate::engine::{Engine, EngineErrorKind};
use crate::event::live::{Fact, Kind, Link};
use crate::event::request::Needs;
use crate::model::{ContainerState, Usage};

const SECOND: Duration = Duration::from_secs(1);

fn logs() -> Needs {
    Needs {
        logs: true,
        ..Needs::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_death_is_known_at_once_by_events() {
    let mut world = World::new([of_shop("web", 1), of_shop("db", 1)]);
    let link = world
        .until(|fact| match fact {
            Fact::Engine(link) => Some(link),
            Fact::Containers(_) => panic!("how the engine is reached comes before what it has"),
            _ => None,
        })
        .await
        .0;
    assert!(matches!(link, Link::Up { cpus: 2, .. }), "{link:?}");
    assert_eq!(world.listed().await.len(), 2);
    world.during(SECOND).await;
    world.engine.exit("shop-web-1", 3);
    let (mut happened, mut details) = (None, None);
    let ((), after) = world
        .until(|fact| match fact {
            Fact::Happened(entry) => {
                happened = Some(entry);
                None
            }
            Fact::Details(_, found) => {
                details = Some(found);
                None
            }
            Fact::Containers(list) => list
                .iter()
                .any(|c| {
                    c.state
                        == ContainerState::Exited {
                            code: 3,
                            oom_killed: false,
                        }
                })
                .then_some(()),
            _ => None,
        })
        .await;
    assert!(after < Duration::from_millis(500), "{after:?}");
    let happened = happened.unwrap();
    assert_eq!(
        (happened.kind, happened.text.as_str()),
        (Kind::Died, "exited with code 3")
    );
    assert_eq!(happened.instance.unwrap().to_string(), "web");
    let told = world.during(SECOND).await;
    assert!(details.is_some() || told.iter().any(|f| matches!(f, Fact::Details(..))));
}

#[tokio::test(start_paused = true)]
async fn a_death_that_no_event_tells_is_known_within_ten_seconds() {
    let mut world = World::new([of_shop("web", 1)]);
    world.listed().await;
    world.during(SECOND).await;
    world.engine.mute_events(true);
    world.engine.exit("shop-web-1", 1);
    let ended = |fact| list(fact)?.iter().any(|c| !c.state.is_running()).then_some(());
    let ((), after) = world.until(ended).await;
    assert!(after <= Duration::from_secs(10), "{after:?}");
    // What no event told, the inspection does.
    let (entry, after) = world
        .until(|fact| match fact {
            Fact::Happened(entry) => Some(entry),
            _ => None,
        })
        .await;
    assert!(after < 3 * SECOND, "{after:?}");
    assert_eq!(
        (entry.kind, entry.text.as_str()),
        (Kind::Died, "exited with code 1")
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_is_lost_and_no_container_is() {
    let mut world = World::new([of_shop("web", 1)]);
    world.listed().await;
    world.engine.set_down(true);
    let after = world.lost().await;
    assert!(after < 2 * SECOND, "{after:?}");
    let quiet = world.during(5 * SECOND).await;
    assert!(quiet.is_empty(), "no list, and no second loss: {quiet:?}");
    world.engine.set_down(false);
    let (up, after) = world
        .until(|fact| match fact {
            Fact::Engine(link) => Some(link),
            _ => None,
        })
        .await;
    assert!(matches!(up, Link::Up { .. }), "{up:?}");
    assert!(after <= SECOND * 3 / 2, "{after:?}");
    assert_eq!(world.listed().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_hangs_is_lost_within_two_seconds() {
    let mut world = World::new([of_shop("web", 1)]);
    world.listed().await;
    world.during(3 * SECOND).await;
    for nth in 1..=3 {
        world.engine.fail(Op::Ping, nth, Failure::Hangs);
    }
    let after = world.lost().await;
    assert!(after < 2 * SECOND, "{after:?}");
    world.listed().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_empty_list() {
    let mut world = World::new([of_shop("web", 1)]);
    world.listed().await;
    let refused = EngineErrorKind::Refused {
        status: 500,
        message: "sick".into(),
    };
    for nth in 1..=3 {
        world
            .engine
            .fail(Op::Observe, nth, Failure::Refused(refused.clone()));
    }
    let (reason, _) = world
        .until(|fact| match fact {
            Fact::Engine(Link::Lost { reason, .. }) => Some(reason),
            Fact::Containers(list) => {
                assert_eq!(list.len(), 1);
                None
            }
            _ => None,
        })
        .await;
    assert_eq!(reason, "sick");
    assert_eq!(world.listed().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn usage_flows_for_what_is_looked_at() {
    let mut world = World::new([of_shop("web", 1), of_shop("db", 1)]);
    world.listed().await;
    let used = Usage {
        cpu_percent: 12.5,
        memory: 7,
        ..Usage::default()
    };
    world.engine.set_use("shop-web-1", used);
    let web = world.id("shop-web-1");
    let quiet = world.during(2 * SECOND).await;
    assert!(!quiet.iter().any(|f| matches!(f, Fact::Usage(..))));
    world
        .needs
        .send_modify(|needs| needs.usage = BTreeSet::from([web.clone()]));
    let usage = |fact| match fact {
        Fact::Usage(id, usage) => Some((id, usage)),
        _ => None,
    };
    for _ in 0..3 {
        let ((id, usage), after) = world.until(usage).await;
        assert_eq!((id, usage.cpu_percent, usage.memory), (web.clone(), 12.5, 7));
        assert!(after <= SECOND);
    }
    world.needs.send_modify(|needs| needs.usage.clear());
    tokio::time::sleep(SECOND).await;
    world.during(Duration::from_millis(1)).await;
    let quiet = world.during(3 * SECOND).await;
    assert!(!quiet.iter().any(|f| matches!(f, Fact::Usage(..))), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn logs_are_taken_up_without_loss_or_doubles() {
    let mut world = World::new([of_shop("web", 1), of_shop("db", 1)]);
    for n in 0..600 {
        world.engine.log("shop-web-1", &format!("old {n}"));
    }
    world.listed().await;
    assert_eq!(world.lines(SECOND).await, Vec::<String>::new(), "nobody looks");
    world.needs.send_modify(|needs| needs.logs = true);
    let first = world.lines(SECOND).await;
    assert_eq!((first.len(), first[0].as_str()), (500, "web: old 100"));
    world.engine.log("shop-web-1", "a");
    world.engine.log("shop-db-1", "b");
    assert_eq!(world.lines(SECOND).await, ["web: a", "db: b"]);
    // Not looked at for a while.
    world.needs.send_modify(|needs| needs.logs = false);
    world.during(SECOND).await;
    world.engine.log("shop-web-1", "c");
    world.engine.log("shop-web-1", "d");
    assert_eq!(world.lines(SECOND).await, Vec::<String>::new());
    world.needs.send_modify(|needs| needs.logs = true);
    assert_eq!(world.lines(SECOND).await, ["web: c", "web: d"]);
    // The engine goes and comes back.
    world.engine.set_down(true);
    world.lost().await;
    world.engine.log("shop-web-1", "e");
    world.engine.set_down(false);
    assert_eq!(world.lines(5 * SECOND).await, ["web: e"]);
    world.engine.log("shop-web-1", "f");
    assert_eq!(world.lines(SECOND).await, ["web: f"]);
}

#[tokio::test(start_paused = true)]
async fn logs_go_on_over_a_death_and_begin_for_what_is_new() {
    let mut world = World::with([of_shop("web", 1)], logs(), None);
    world.listed().await;
    world.engine.log("shop-web-1", "last words");
    world.engine.exit("shop-web-1", 1);
    assert_eq!(world.lines(2 * SECOND).await, ["web: last words"]);
    let web = world.id("shop-web-1");
    world.engine.start_container(&web).await.unwrap();
    world.engine.log("shop-web-1", "again");
    assert_eq!(world.lines(3 * SECOND).await, ["web: again"]);
    // Gone before the list is read: what it wrote is in its log.
    world.engine.exit("shop-web-1", 0);
    world.during(2 * SECOND).await;
    world.engine.start_container(&web).await.unwrap();
    world.engine.log("shop-web-1", "short");
    world.engine.exit("shop-web-1", 0);
    assert_eq!(world.lines(3 * SECOND).await, ["web: short"]);
    // One that appears is read from its start.
    world.engine.add_container(of_shop("job", 1));
    for n in 0..510 {
        world.engine.log("shop-job-1", &n.to_string());
    }
    world.observing.look_now();
    assert_eq!(world.lines(3 * SECOND).await.len(), 510);
}
