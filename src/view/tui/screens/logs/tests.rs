use std::time::Duration;

use crate::event::live::{Fact, Happening, Kind, Level, Link, LogRecord, testing::container};
use crate::plan::Instance;
use crate::view::tui::effect::{Effect, Focus};
use crate::view::tui::testing::{Driven, NOON};

const STACK: &str = "
services:
  app: {image: example/app}
  nginx:
    image: example/nginx
    depends_on: [app]
  prometheus: {image: example/prometheus}
";

const SECOND: i64 = 1_000_000_000;

fn instance(service: &str) -> Instance {
    Instance {
        service: service.into(),
        number: 1,
    }
}

fn record(service: &str, container: &str, at: i64, text: &str) -> LogRecord {
    LogRecord {
        instance: instance(service),
        container: container.into(),
        stderr: false,
        time: NOON + at,
        text: text.into(),
        level: Level::of_line(text),
    }
}

/// A running stack whose services have written a few lines.
fn some() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    driven.fact(Fact::Engine(Link::Up {
        description: "Docker Engine 20.10.24 (API 1.41)".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        cpus: 4,
    }));
    driven.fact(Fact::Containers(vec![
        container("app", 1),
        container("nginx", 1),
        container("prometheus", 1),
    ]));
    let line = |service: &str, ms: i64, text: &str| {
        record(
            service,
            &container(service, 1).id.to_string(),
            ms * 1_000_000,
            text,
        )
    };
    driven.fact(Fact::Logs(vec![
        line("app", 0, "\x1b[32mINFO\x1b[0m:     Application startup complete."),
        line("prometheus", 120, r#"ts=2026-11-21T12:00:00.120Z caller=main.go:1 level=info msg="Server is ready to receive web requests." addr=:9090"#),
        line("nginx", 900, r#"172.18.0.1 - - "GET / HTTP/1.1" 200 17"#),
        line("app", 1_000, r#"{"time":"2026-11-21T12:00:01Z","level":"warning","msg":"slow query","ms":1200,"query":{"table":"users","limit":10}}"#),
        line("app", 1_500, "ERROR: Exception in ASGI application"),
        line("app", 1_501, "  File \"/srv/app/main.py\", line 12, in index"),
        line("nginx", 1_502, r#"172.18.0.1 - - "GET /boom HTTP/1.1" 500 21"#),
    ]));
    driven.keys("2");
    driven
}

#[test]
fn all_services_merged() {
    let mut driven = some();
    insta::assert_snapshot!(driven.screen(120, 40));
    insta::assert_snapshot!(driven.screen(80, 24));
    insta::assert_snapshot!(driven.screen(20, 5));
}

#[test]
fn filters_by_text_expression_level_and_turned_around() {
    let mut driven = some();
    driven.keys("/ s t a t u s");
    assert!(driven.screen(80, 24).contains("none of 7 lines is shown"));
    driven.keys("ctrl-u m s = 1 2 0 0 enter");
    insta::assert_snapshot!(driven.screen(80, 14));
    driven.keys("esc / / ( / enter");
    let screen = driven.screen(80, 24);
    assert!(
        screen.contains("unclosed group") && screen.contains("Server is ready"),
        "{screen}"
    );
    driven.keys("/ ctrl-u G E T enter !");
    let screen = driven.screen(80, 24);
    assert!(
        !screen.contains("GET /boom") && screen.contains("slow query"),
        "{screen}"
    );
    driven.keys("esc L L L");
    insta::assert_snapshot!(driven.screen(80, 14));
    driven.keys("L");
    assert!(
        driven.screen(80, 24).contains("2 of 7 lines"),
        "a line that goes on an error is one"
    );
}

#[test]
fn what_was_typed_is_given_up_with_escape() {
    let mut driven = some();
    driven.keys("/ b o o m enter");
    assert!(driven.screen(80, 24).contains("1 of 7 lines"));
    driven.keys("/ x x x");
    assert!(driven.screen(80, 24).contains("none of 7"));
    driven.keys("esc");
    assert!(driven.screen(80, 24).contains("1 of 7 lines"));
}

#[test]
fn finding_goes_from_one_to_the_next_and_hides_nothing() {
    let mut driven = some();
    driven.keys("g f a p p l i c a t i o n enter n");
    insta::assert_snapshot!(driven.screen(80, 14));
    driven.keys("N");
    assert!(driven.screen(80, 24).contains("paused at 1,"));
    driven.keys("N");
    assert!(driven.screen(80, 24).contains("no earlier line contains it"));
    assert_eq!(driven.app.shared.selected, Some(instance("app")));
}

#[test]
fn services_are_toggled_one_by_one_and_isolated() {
    let mut driven = some();
    driven.keys("tab down space");
    insta::assert_snapshot!(driven.screen(120, 12));
    insta::assert_snapshot!(driven.screen(80, 12));
    driven.keys("up i tab");
    let screen = driven.screen(120, 24);
    assert!(
        screen.contains("only app") && screen.contains("4 of 7 lines"),
        "{screen}"
    );
    driven.keys("a");
    assert!(driven.screen(120, 24).contains("following, 7 lines"));
    driven.keys("up up x");
    assert!(driven.screen(120, 24).contains("1 hidden"));
}

#[test]
fn following_pauses_when_one_goes_up_and_resumes_at_the_end() {
    let mut driven = some();
    driven.keys("up");
    driven.fact(Fact::Logs(vec![record("app", "c", 9 * SECOND, "newest")]));
    assert!(driven.screen(80, 24).contains("paused at 6"));
    // What keys act on is the instance of the selected line.
    assert_eq!(driven.app.shared.selected, Some(instance("app")));
    driven.keys("end");
    assert!(driven.screen(80, 24).contains("following"));
    driven.keys("F");
    assert!(driven.screen(80, 24).contains("paused at 8"));
    driven.keys("down");
    assert!(driven.screen(80, 24).contains("following"));
}

#[test]
fn a_line_in_full() {
    let mut driven = some();
    driven.keys("g down down down enter");
    insta::assert_snapshot!(driven.screen(80, 24));
    driven.keys("c");
    let Some(Effect::Copy(text)) = driven.effects.last() else {
        panic!("{:?}", driven.effects)
    };
    assert!(text.starts_with("{\"time\""));
    driven.keys("right");
    assert!(driven.screen(80, 24).contains("ERROR: Exception in ASGI"));
    driven.keys("esc");
    assert!(driven.screen(80, 24).contains("paused at 5"));
}

#[test]
fn previous_containers_are_told_apart() {
    let mut driven = Driven::of_stack(STACK);
    driven.fact(Fact::Containers(vec![container("app", 1)]));
    let now = container("app", 1).id.to_string();
    driven.fact(Fact::Logs(vec![
        record("app", "3f2a1b0c9d8e7f", 0, "old 1"),
        record("app", "3f2a1b0c9d8e7f", SECOND, "old 2"),
        record("app", &now, 3 * SECOND, "new 1"),
    ]));
    driven.fact(Fact::Happened(Happening {
        time: NOON + 2 * SECOND,
        kind: Kind::Died,
        instance: Some(instance("app")),
        service: Some("app".into()),
        container: Some("3f2a1b0c9d8e7f".into()),
        text: "exited with code 1".into(),
    }));
    driven.keys("2");
    insta::assert_snapshot!(driven.screen(80, 12));
    driven.keys("p");
    let screen = driven.screen(80, 12);
    assert!(screen.contains("new 1") && !screen.contains("old 1"), "{screen}");
    driven.keys("p");
    let screen = driven.screen(80, 12);
    assert!(!screen.contains("new 1") && screen.contains("old 1"), "{screen}");
    // The container of now becomes a previous one.
    driven.fact(Fact::Containers(vec![]));
    assert!(driven.screen(80, 12).contains("new 1"));
}

#[test]
fn from_a_moment_to_the_lines_around_it() {
    let mut driven = some();
    let many = (0..200).map(|n| record("app", "c", (10 + n) * SECOND, &format!("line {n}")));
    driven.fact(Fact::Logs(many.collect()));
    let focus = Focus {
        instance: Some(instance("nginx")),
        time: Some(NOON + 60 * SECOND),
    };
    let effects = driven.app.screens[1].command(&mut driven.app.shared, crate::view::tui::command::BACK);
    assert_eq!(effects, None, "nothing to clear");
    driven.app.screens[1].focus(&mut driven.app.shared, &focus);
    let screen = driven.screen(80, 24);
    assert!(
        screen.contains("line 50") && screen.contains("line 45"),
        "{screen}"
    );
    assert!(screen.contains("paused at 58"), "{screen}");
    assert_eq!(driven.app.shared.selected, Some(instance("nginx")));
}

#[test]
fn odd_lines_do_not_break_the_screen() {
    let mut driven = some();
    let texts = [
        "日本語のログ ｗｉｄｅ".repeat(8),
        "combining: e\u{301}e\u{301}e\u{301} and \u{200d} \u{202e}turned".into(),
        "cursor\x1b[2J\x1b[10;10Hmoves \x1b]0;title\x07 \x1b[1;31mred\x1b[0m \u{9b}5n \x08\x08".into(),
        "x".repeat(LogRecord::LONGEST),
        String::new(),
        "tab\tand\rreturn".into(),
    ];
    let lines = (3..)
        .zip(&texts)
        .map(|(at, text)| record("app", "c", at * SECOND, text));
    driven.fact(Fact::Logs(lines.collect()));
    insta::assert_snapshot!(driven.screen(80, 18));
    driven.keys("right");
    insta::assert_snapshot!(driven.screen(80, 18));
    driven.keys("w");
    insta::assert_snapshot!(driven.screen(80, 12));
    driven.keys("up up enter end w T J g");
    for (columns, rows) in [(1, 1), (3, 2), (20, 5), (7, 40), (250, 70)] {
        driven.screen(columns, rows);
    }
}

#[test]
fn switches_are_remembered() {
    let mut driven = some();
    driven.keys("T w J E / b o o m enter L tab space");
    let remembered = driven.app.remember();
    let mut next = some();
    next.app.recall(&remembered);
    next.wait(Duration::ZERO);
    assert_eq!(next.app.remember(), remembered);
    let screen = next.screen(100, 20);
    assert!(
        screen.contains("filter boom") && screen.contains("debug and above"),
        "{screen}"
    );
    assert!(screen.contains("12:00:01.502"), "{screen}");
}

#[test]
fn what_is_shown_is_saved_and_marks_are_copied_together() {
    let mut driven = some();
    driven.keys("/ G E T enter ctrl-s");
    let Some(Effect::Save { name, text, .. }) = driven.effects.last() else {
        panic!("{:?}", driven.effects)
    };
    assert_eq!(name, "logs-shop");
    insta::assert_snapshot!(text, @r#"
    2026-11-21T12:00:00.900000000Z nginx 172.18.0.1 - - "GET / HTTP/1.1" 200 17
    2026-11-21T12:00:01.502000000Z nginx 172.18.0.1 - - "GET /boom HTTP/1.1" 500 21
    "#);
    driven.keys("esc g m down down m y");
    let Some(Effect::Copy(text)) = driven.effects.last() else {
        panic!("{:?}", driven.effects)
    };
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("INFO:     Application"), "{text}");
    driven.keys("g '");
    assert!(driven.screen(80, 24).contains("paused at 3"));
    driven.keys("C");
    assert!(driven.screen(80, 24).contains("none of 7 lines"));
    driven.keys("U");
    assert!(driven.screen(80, 24).contains("7 lines"));
}

#[test]
fn dropped_lines_are_counted_and_the_selection_survives_late_ones() {
    let mut driven = some();
    driven.keys("up up");
    let late = record("app", "c", 1_250_000_000, "late");
    driven.fact(Fact::Logs(vec![late]));
    assert!(
        driven.screen(80, 24).contains("paused at 6"),
        "the same line, one further"
    );
    let long = "x".repeat(10_000);
    let flood = (0..2_000).map(|n| record("app", "c", (10 + n) * SECOND, &long));
    driven.fact(Fact::Logs(flood.collect()));
    driven.keys("g");
    let screen = driven.screen(80, 24);
    assert!(
        screen.contains("older lines dropped: 3") && screen.contains("older dropped"),
        "{screen}"
    );
}

#[test]
fn a_small_terminal_tells_that_not_all_is_shown() {
    let mut driven = some();
    driven.keys("2");
    let first = |screen: String| screen.lines().next().unwrap_or_default().to_owned();
    assert!(first(driven.screen(30, 5)).starts_with("shop Logs · 3/3"));
    driven.keys("/ r e a d y enter L L L");
    let screen = first(driven.screen(30, 5));
    assert!(screen.starts_with("shop Logs /ready warn+"), "{screen}");
}
