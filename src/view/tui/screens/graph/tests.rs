use super::waterfall::tests::{STACK, events};
use crate::event::live::{Fact, ProbeRecord, testing::container};
use crate::event::{Body, Event, ProbeAttempt, Verdict};
use crate::plan::Instance;
use crate::view::tui::testing::Driven;

fn failing() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    let mut app = container("app", 1);
    app.state = crate::model::ContainerState::Created;
    driven.fact(Fact::Containers(vec![
        container("db", 1),
        container("cache", 1),
        app,
    ]));
    let record = ProbeRecord {
        at: driven.app.shared.live.at,
        attempt: ProbeAttempt {
            what: "exec pg_isready".into(),
            passed: false,
            detail: "no response".into(),
            took: std::time::Duration::from_millis(12),
        },
        failures: 3,
        allowed: 3,
    };
    let db = Instance {
        service: "db".into(),
        number: 1,
    };
    driven.fact(Fact::Probed(db, record));
    driven.keys("4");
    driven
}

#[test]
fn dependencies_and_what_holds_them_up() {
    let mut driven = failing();
    insta::assert_snapshot!(driven.screen(120, 12));
    insta::assert_snapshot!(driven.screen(80, 12));
    insta::assert_snapshot!(driven.screen(20, 5));
    driven.keys("down");
    assert_eq!(
        driven.app.shared.selected.as_ref().map(|i| i.service.as_str()),
        Some("db")
    );
    driven.keys("w");
    assert!(driven.screen(80, 24).contains("there is no waterfall"));
    driven.keys("enter");
    assert_eq!(driven.app.screen(), "stack");
}

#[test]
fn the_waterfall_of_a_start() {
    let mut driven = Driven::of_stack(STACK);
    let running = vec![container("db", 1), container("cache", 1), container("app", 1)];
    driven.fact(Fact::Containers(running));
    for event in events() {
        driven.fact(Fact::Run(Box::new(event)));
    }
    let verdict = Verdict {
        code: 0,
        text: "up".into(),
        took: std::time::Duration::from_secs(3),
    };
    driven.fact(Fact::Run(Box::new(Event {
        seq: 99,
        at: std::time::Duration::from_secs(4),
        body: Body::Finished(verdict),
    })));
    driven.keys("4");
    insta::assert_snapshot!(driven.screen(100, 20));
    driven.keys("w");
    insta::assert_snapshot!(driven.screen(80, 12));
    for (columns, rows) in [(1, 1), (20, 5), (9, 30)] {
        driven.screen(columns, rows);
    }
}

#[test]
fn without_the_files() {
    let mut driven = Driven::new(None);
    driven.fact(Fact::Containers(vec![container("db", 1), container("app", 1)]));
    driven.keys("4");
    let screen = driven.screen(80, 12);
    assert!(
        screen.contains("db") && screen.contains("in the order of their starts"),
        "{screen}"
    );
}
