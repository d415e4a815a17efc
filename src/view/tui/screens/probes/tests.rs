use std::time::Duration;

use crate::event::live::{Fact, ProbeRecord, SmokeRecord, testing::container};
use crate::event::request::Request;
use crate::event::{Body, Event, ProbeAttempt, TestResult, TestVerdict, Verdict};
use crate::plan::Instance;
use crate::view::tui::effect::Effect;
use crate::view::tui::testing::Driven;

const STACK: &str = "
name: shop
services:
  app: {image: example/app}
  web: {image: example/web}
x-platform:
  smoke:
    - {name: the shop answers, tcp: 'web:80'}
    - {name: the app answers, tcp: 'app:8000'}
    - {name: 注文, tcp: 'app:8001'}
";

fn instance(service: &str) -> Instance {
    Instance {
        service: service.into(),
        number: 1,
    }
}

fn probed(driven: &mut Driven, service: &str, ms: u64, failures: u32) {
    driven.wait(Duration::from_secs(5));
    let record = ProbeRecord {
        at: driven.app.shared.live.at,
        attempt: ProbeAttempt {
            what: "GET http://172.20.0.2:8000/ready".into(),
            passed: failures == 0,
            detail: if failures == 0 { "200 OK" } else { "503: \x1b[2Jno" }.into(),
            took: Duration::from_millis(ms),
        },
        failures,
        allowed: 3,
    };
    driven.fact(Fact::Probed(instance(service), record));
}

fn tested(driven: &mut Driven, name: &str, verdict: TestVerdict, attempts: u32) {
    let record = SmokeRecord {
        at: driven.app.shared.live.at,
        result: TestResult {
            name: name.into(),
            verdict,
            took: Duration::from_millis(120),
            attempts,
            evidence: vec![
                "connect to 172.20.0.3:80".into(),
                "connection refused, again and again, until the evidence is so long that it has to be wrapped".into(),
            ],
        },
    };
    driven.fact(Fact::Smoke(record));
}

fn tried() -> Driven {
    let mut driven = Driven::of_stack(STACK);
    driven.fact(Fact::Containers(vec![container("app", 1), container("web", 1)]));
    for (ms, failures) in [(3, 0), (4, 0), (900, 1), (2_000, 2)] {
        probed(&mut driven, "app", ms, failures);
    }
    for ms in [1, 2, 1] {
        probed(&mut driven, "web", ms, 0);
    }
    tested(&mut driven, "the shop answers", TestVerdict::Passed, 1);
    let failed = TestVerdict::Failed {
        reason: "connection refused".into(),
    };
    tested(&mut driven, "the shop answers", failed, 3);
    driven.fact(Fact::SmokeStarted("the app answers".into()));
    driven.wait(Duration::from_secs(7));
    driven.keys("6");
    driven
}

#[test]
fn at_several_sizes() {
    let mut driven = tried();
    insta::assert_snapshot!("probes_20x5", driven.screen(20, 5));
    insta::assert_snapshot!("probes_80x24", driven.screen(80, 24));
    driven.keys("down down");
    insta::assert_snapshot!("probes_80x24_test", driven.screen(80, 24));
    insta::assert_snapshot!("probes_160x30", driven.screen(160, 30));
}

#[test]
fn tests_and_probes_run_now() {
    let mut driven = tried();
    driven.keys("down P x down x t");
    assert_eq!(
        driven.effects,
        [
            Effect::Request(Request::Probe(vec![instance("web")])),
            Effect::Request(Request::Probe(vec![instance("web")])),
            Effect::Request(Request::Smoke(vec!["the shop answers".into()])),
            Effect::Request(Request::Smoke(Vec::new())),
        ]
    );
}

#[test]
fn only_what_fails() {
    let mut driven = tried();
    driven.keys("f");
    let screen = driven.screen(80, 24);
    assert!(
        screen.contains("▲ app") && screen.contains("✖ the shop answers"),
        "{screen}"
    );
    assert!(
        !screen.contains("● web") && !screen.contains("not run yet"),
        "{screen}"
    );
    driven.keys("esc");
    assert!(driven.screen(80, 24).contains("not run yet"));
}

#[test]
fn without_probes_and_tests_it_says_so() {
    let mut driven = Driven::new(None);
    assert!(driven.keys("6").screen(80, 24).contains("no probe was tried yet"));
}

#[test]
fn the_tests_of_a_run_here_are_in_the_history() {
    let mut driven = Driven::of_stack(STACK);
    let mut seq = 0;
    let mut run = |driven: &mut Driven, body| {
        seq += 1;
        let at = Duration::from_secs(seq);
        driven.fact(Fact::Run(Box::new(Event { seq, at, body })));
    };
    let begun = |name: &str| Body::TestStarted { name: name.into() };
    run(
        &mut driven,
        Body::RunStarted {
            run: "r1".into(),
            command: "up",
            project: "shop".into(),
        },
    );
    run(&mut driven, begun("the shop answers"));
    run(&mut driven, begun("the app answers"));
    let passed = TestResult {
        name: "the shop answers".into(),
        verdict: TestVerdict::Passed,
        took: Duration::from_millis(12),
        attempts: 1,
        evidence: Vec::new(),
    };
    run(&mut driven, Body::TestDone(passed));
    let live = &driven.app.shared.live;
    assert_eq!(live.testing, ["the app answers"]);
    assert_eq!(live.smoke["the shop answers"].len(), 1);
    let stopped = Verdict {
        code: 130,
        text: "stopped".into(),
        took: Duration::from_secs(4),
    };
    run(&mut driven, Body::Finished(stopped));
    assert!(driven.app.shared.live.testing.is_empty());
    let screen = driven.keys("6").screen(80, 24);
    assert!(screen.contains("12ms"), "{screen}");
}
