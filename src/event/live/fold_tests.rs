use std::time::Duration;

use super::*;
use crate::event::ProbeAttempt;
use crate::plan::Instance;

fn app() -> Instance {
    Instance {
        service: "app".into(),
        number: 1,
    }
}

fn record(passed: bool, failures: u32) -> ProbeRecord {
    ProbeRecord {
        at: Duration::from_secs(1),
        attempt: ProbeAttempt {
            what: "GET http://172.20.0.2:8000/health/ready".into(),
            passed,
            detail: if passed {
                "200 OK"
            } else {
                "503 Service Unavailable"
            }
            .into(),
            took: Duration::from_millis(3),
        },
        failures,
        allowed: 3,
    }
}

fn kinds(live: &Live) -> Vec<&'static str> {
    live.timeline.entries().iter().map(|e| e.kind.as_str()).collect()
}

#[test]
fn a_lost_engine_keeps_what_was_known_and_its_age() {
    let mut live = Live::new("shop".into(), None);
    let lost = |reason: &str, since| {
        Fact::Engine(Link::Lost {
            since: Duration::from_secs(since),
            reason: reason.into(),
        })
    };
    let up = || {
        Fact::Engine(Link::Up {
            description: "Docker".into(),
            endpoint: "unix:///x".into(),
            cpus: 2,
        })
    };
    live.apply(Duration::from_secs(1), 1, up());
    live.apply(
        Duration::from_secs(1),
        1,
        Fact::Containers(vec![testing::container("app", 1)]),
    );
    live.apply(Duration::from_secs(5), 5, lost("connection refused", 5));
    live.apply(Duration::from_secs(7), 7, lost("no such file", 7));
    assert_eq!(live.rows().len(), 1);
    assert_eq!(
        live.link,
        Link::Lost {
            since: Duration::from_secs(5),
            reason: "no such file".into()
        }
    );
    live.apply(Duration::from_secs(9), 9, up());
    assert_eq!(kinds(&live), ["engine lost", "engine back"]);
}

#[test]
fn probes_flip_the_condition_and_are_told_once() {
    let mut live = Live::new("shop".into(), None);
    live.apply(
        Duration::ZERO,
        0,
        Fact::Containers(vec![testing::container("app", 1)]),
    );
    let word = |live: &Live| live.rows()[0].condition.word.to_string();
    assert_eq!(word(&live), "running");
    for (n, (passed, failures)) in [(true, 0), (false, 1), (false, 2), (false, 3), (true, 0)]
        .into_iter()
        .enumerate()
    {
        live.apply(
            Duration::ZERO,
            n as i64,
            Fact::Probed(app(), record(passed, failures)),
        );
        let expected = ["ready", "failing", "failing", "unhealthy", "ready"][n];
        assert_eq!(word(&live), expected);
    }
    assert_eq!(kinds(&live), ["unhealthy", "healthy"]);
}

#[test]
fn alerts_are_told_when_they_come_and_go_and_stale_ones_stay_marked() {
    let alert = Alert {
        name: "TargetDown".into(),
        severity: "critical".into(),
        state: "active".into(),
        service: Some("app".into()),
        summary: "app cannot be scraped".into(),
        starts_at: "2026-11-21T12:00:00Z".into(),
        fingerprint: "1".into(),
    };
    let fresh = |value| {
        Fact::Alerts(Reading::Fresh {
            value,
            at: Duration::ZERO,
        })
    };
    let mut live = Live::new("shop".into(), None);
    live.apply(Duration::ZERO, 0, fresh(vec![]));
    live.apply(Duration::ZERO, 1, fresh(vec![alert.clone()]));
    live.apply(Duration::ZERO, 2, fresh(vec![alert.clone()]));
    let gone = Reading::Stale {
        last: None,
        why: "connection refused".into(),
    };
    live.apply(Duration::ZERO, 3, Fact::Alerts(gone));
    assert_eq!(live.firing(Some(&"app".into())).count(), 1);
    assert_eq!(live.alerts.trouble(), Some("connection refused"));
    live.apply(Duration::ZERO, 4, fresh(vec![]));
    assert_eq!(kinds(&live), ["alert", "resolved"]);
}

#[test]
fn what_is_asked_for_is_answered() {
    let mut live = Live::new("shop".into(), None);
    let command = "platform -p shop restart app".to_owned();
    live.apply(Duration::ZERO, 0, Fact::Asked(command.clone()));
    assert_eq!(live.asked[0].outcome, None);
    live.apply(Duration::ZERO, 1, Fact::Answered(command, Err("no".into())));
    assert_eq!(live.asked[0].outcome, Some(Err("no".into())));
}
