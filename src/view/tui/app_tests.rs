use std::time::Duration;

use super::effect::{Effect, Quit};
use super::testing::Driven;
use crate::event::live::{Fact, Link, testing::container};
use crate::event::request::Request;

const STACK: &str = "
services:
  app: {image: example/app}
  web:
    image: example/web
    depends_on: [app]
";

fn two() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    driven.fact(Fact::Containers(vec![container("app", 1), container("web", 1)]));
    driven
}

#[test]
fn what_interrupts_something_is_asked_for_first_with_its_command_line() {
    let mut driven = two();
    driven.keys("r");
    let screen = driven.screen(80, 24);
    assert!(screen.contains("restart app?"), "{screen}");
    assert!(screen.contains("platform -p shop restart app"), "{screen}");
    driven.keys("n");
    assert_eq!(driven.effects, []);
    driven.keys("* r y");
    let Some(Effect::Request(Request::Restart(instances))) = driven.effects.last() else {
        panic!("{:?}", driven.effects);
    };
    assert_eq!(instances.len(), 2);
}

#[test]
fn read_only_changes_nothing() {
    let mut driven = two();
    driven.app.shared.read_only = true;
    driven.keys("r s R B A S e +");
    assert_eq!(driven.effects, []);
    assert!(driven.screen(80, 24).contains("read-only"));
    driven.keys("t");
    assert_eq!(driven.effects, [Effect::Request(Request::Smoke(vec![]))]);
}

#[test]
fn scaling_asks_for_a_number() {
    let mut driven = two();
    driven.keys("+ backspace 3 enter y");
    assert_eq!(driven.effects, [Effect::Request(Request::Scale("app".into(), 3))]);
    driven.keys("+ backspace x enter");
    assert!(driven.screen(80, 24).contains("`x` is no number of containers"));
}

#[test]
fn leaving() {
    let mut driven = two();
    driven.keys("q");
    assert_eq!(driven.effects, [Effect::Quit(Quit::Leave)]);
    let mut driven = two();
    driven.app.shared.foreground = true;
    driven.keys("q esc q s");
    assert_eq!(driven.effects, [Effect::Quit(Quit::Stop)]);
}

#[test]
fn the_palette_finds_commands_and_runs_them() {
    let mut driven = two();
    driven.keys(": r e s t");
    let screen = driven.screen(80, 24);
    assert!(screen.contains("restart"), "{screen}");
    driven.keys("enter y");
    assert!(matches!(
        driven.effects.as_slice(),
        [Effect::Request(Request::Restart(_))]
    ));
}

#[test]
fn a_lost_engine_is_told_with_its_age_and_never_as_no_services() {
    let mut driven = two();
    driven.fact(Fact::Engine(Link::Lost {
        since: Duration::ZERO,
        reason: "connection refused".into(),
    }));
    driven.wait(Duration::from_secs(12));
    let screen = driven.screen(100, 24);
    assert!(screen.contains("has not answered for 12s"), "{screen}");
    assert!(screen.contains("2/2 good"), "{screen}");
}

#[test]
fn it_can_be_drawn_at_any_size() {
    let mut driven = two();
    for digit in 1..=7 {
        driven.keys(&digit.to_string());
        for overlay in ["", "?", ":", "H", "r", "+"] {
            driven.keys(overlay);
            for (columns, rows) in [(20, 5), (1, 1), (3, 2), (80, 24), (250, 70), (40, 3), (7, 40)] {
                driven.screen(columns, rows);
            }
            driven.keys("esc");
        }
    }
}

#[test]
fn what_is_remembered_comes_back() {
    let mut driven = two();
    driven.keys("ctrl-t 3");
    let remembered = driven.app.remember();
    let mut next = two();
    next.app.recall(&remembered);
    assert_eq!(next.app.screen(), "timeline");
}
