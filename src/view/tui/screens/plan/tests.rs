use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::event::live::{Fact, PlanLine, PlannedChanges};
use crate::event::request::Request;
use crate::event::{Body, Event, StepState, Verdict};
use crate::plan::StepId;
use crate::view::testing;
use crate::view::tui::effect::Effect;
use crate::view::tui::testing::Driven;

fn change(what: &str, cause: &str, differences: &[(&str, &str, &str)]) -> PlanLine {
    let own = |(path, was, will): &(&str, &str, &str)| (path.to_string(), was.to_string(), will.to_string());
    PlanLine {
        what: what.into(),
        cause: cause.into(),
        service: None,
        differences: differences.iter().map(own).collect(),
    }
}

fn planned(lines: Vec<PlanLine>, notes: &[&str], refused: bool) -> Fact {
    Fact::Plan(Ok(Arc::new(PlannedChanges {
        at: Duration::ZERO,
        lines,
        notes: notes.iter().map(ToString::to_string).collect(),
        refused,
    })))
}

fn two_steps() -> Fact {
    planned(
        vec![
            change("create network shop_default", "it is missing", &[]),
            change(
                "replace container shop-web-1",
                "its configuration changed",
                &[
                    ("image", "nginx:1.26.3", "nginx:1.27.0"),
                    ("environment.GREETING", "", "日本語 \x1b[31mred"),
                ],
            ),
        ],
        &["container shop-cache-1 belongs to no service; it stays"],
        false,
    )
}

#[test]
fn what_differs_is_told_field_by_field() {
    let mut driven = Driven::new(None);
    assert!(driven.keys("7").screen(80, 12).contains("is being compared"));
    driven.fact(two_steps()).wait(Duration::from_secs(8)).keys("down");
    insta::assert_snapshot!("80x12", driven.screen(80, 12));
    insta::assert_snapshot!("30x12", driven.screen(30, 12));
    driven.screen(20, 5);
    driven.keys("enter");
    assert!(
        !driven.screen(80, 12).contains("nginx:1.27.0"),
        "the entry is closed"
    );
    driven.keys("x");
    assert!(!driven.screen(80, 12).contains("nginx:1.27.0"), "all are closed");
    driven.keys("enter");
    assert!(driven.screen(80, 12).contains("nginx:1.27.0"));
}

#[test]
fn it_is_applied_and_compared_again_by_keys() {
    let mut driven = Driven::new(None);
    driven.fact(two_steps()).keys("7 u A y");
    assert_eq!(
        driven.effects,
        [Effect::Request(Request::Plan), Effect::Request(Request::Apply)]
    );
    assert!(driven.app.needs().plan);
    // Nothing to do, and what may not be done, is not asked for.
    let mut driven = Driven::new(None);
    driven.fact(planned(Vec::new(), &[], false)).keys("7");
    assert!(
        driven
            .screen(80, 12)
            .contains("nothing to do: all is as the files say · compared 0s ago")
    );
    driven.keys("A");
    driven
        .fact(planned(Vec::new(), &["shop-web-1 is not ours"], true))
        .keys("A");
    assert!(driven.screen(80, 12).contains("this plan may not be done"));
    assert_eq!(driven.effects, []);
}

#[test]
fn why_it_cannot_be_told_is_told() {
    let mut driven = Driven::new(None);
    driven
        .fact(Fact::Plan(Err("compose.yaml:3:1: unknown key".into())))
        .keys("7");
    assert!(
        driven
            .screen(80, 12)
            .contains("cannot be told: compose.yaml:3:1: unknown key")
    );
}

#[test]
fn a_runs_steps_are_shown_as_they_go() {
    let mut driven = Driven::new(None);
    driven.fact(two_steps());
    let mut seq = 0;
    let mut run = |driven: &mut Driven, at, body| {
        seq += 1;
        let at = Duration::from_secs(at);
        driven.fact(Fact::Run(Box::new(Event { seq, at, body })));
    };
    run(
        &mut driven,
        0,
        Body::RunStarted {
            run: "r1".into(),
            command: "up",
            project: "shop".into(),
        },
    );
    let whats = [
        "create network shop_default",
        "replace container shop-web-1",
        "start container shop-app-1",
        "start container shop-db-1",
        "start container shop-cache-1",
    ];
    let steps = whats
        .iter()
        .zip(0..)
        .map(|(what, id)| testing::step(id, None, what));
    run(
        &mut driven,
        0,
        Body::Planned {
            steps: steps.collect(),
            kept: Vec::new(),
            names: BTreeMap::new(),
            unavailable: Vec::new(),
        },
    );
    let states = [
        StepState::Done {
            took: Duration::from_millis(31),
        },
        StepState::Started,
        StepState::Waiting {
            reason: "db is not ready yet".into(),
        },
        StepState::Failed {
            error: "port 5432 is taken".into(),
        },
    ];
    for (state, id) in states.into_iter().zip(0..) {
        run(
            &mut driven,
            1,
            Body::Step {
                id: StepId(id),
                state,
            },
        );
    }
    run(&mut driven, 4, Body::Info { text: "x".into() });
    driven.keys("7");
    insta::assert_snapshot!("run", driven.screen(80, 20));
    let verdict = Verdict {
        code: 1,
        text: "1 of 5 services failed".into(),
        took: Duration::from_secs(5),
    };
    run(&mut driven, 5, Body::Finished(verdict));
    insta::assert_snapshot!("run_ended", driven.screen(80, 24));
}
