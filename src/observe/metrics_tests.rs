//! Traffic, alerts, charts and probes against the engine in memory and servers on this machine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::testing::{World, of_shop, serve};
use crate::event::live::{Fact, Reading};
use crate::event::request::{ChartNeed, Needs};
use crate::model::smoke::{Address, SmokeCheck};
use crate::model::{Container, ProbeSpec, ProbeTarget, Project, SmokeTest};
use crate::probe::testing::{project, published};

fn vector(series: &[(&str, &str)]) -> Value {
    let result: Vec<Value> = series
        .iter()
        .map(|(service, value)| json!({"metric": {"service": service}, "value": [1.0, value]}))
        .collect();
    json!({"status": "success", "data": {"resultType": "vector", "result": result}})
}

fn prometheus(port: u16) -> Container {
    let mut container = of_shop("metrics", 1);
    container.image_ref = "prom/prometheus:v3".into();
    container.ports = vec![published(9090, "127.0.0.1", port)];
    container
}

#[tokio::test]
async fn traffic_is_read_marked_and_read_again() {
    let away = Arc::new(AtomicBool::new(false));
    let gone = away.clone();
    let port = serve(move |path| {
        if gone.load(Ordering::SeqCst) {
            return None;
        }
        Some(match path {
            p if p.contains("histogram_quantile") => vector(&[("app", "0.2")]),
            p if p.contains("5..") => vector(&[("app", "1")]),
            _ => vector(&[("app", "4")]),
        })
    })
    .await;
    let needs = Needs {
        traffic: true,
        ..Needs::default()
    };
    let mut world = World::with([prometheus(port)], needs, None);
    let traffic = |fact| match fact {
        Fact::Traffic(reading) => Some(reading),
        _ => None,
    };
    let (reading, after) = world.until(traffic).await;
    let app = reading.value().unwrap()["app"];
    assert_eq!(
        (app.rate, app.errors, app.p95),
        (Some(4.0), Some(0.25), Some(0.2))
    );
    assert!(after < Duration::from_secs(2), "{after:?}");
    away.store(true, Ordering::SeqCst);
    let (reading, _) = world.until(traffic).await;
    assert_eq!(
        reading.trouble(),
        Some("the connection was closed without an answer")
    );
    away.store(false, Ordering::SeqCst);
    let (reading, _) = world.until(traffic).await;
    assert!(matches!(reading, Reading::Fresh { .. }), "{reading:?}");
}

#[tokio::test]
async fn alerts_are_read_at_once_and_nobody_is_nobody() {
    let port = serve(|path| {
        assert_eq!(path, "/api/v2/alerts");
        Some(json!([{
            "labels": {"alertname": "Down", "severity": "critical", "job": "app"},
            "annotations": {"description": "app is down"}, "fingerprint": "f",
            "startsAt": "2026-11-21T13:17:04Z", "status": {"state": "active"}}]))
    })
    .await;
    let mut container = of_shop("pager", 1);
    container.ports = vec![published(9093, "127.0.0.1", port)];
    let mut world = World::new([container]);
    world.listed().await;
    let alerts = |fact| match fact {
        Fact::Alerts(reading) => Some(reading),
        _ => None,
    };
    world
        .needs
        .send_modify(|needs| (needs.alerts, needs.traffic) = (true, true));
    let (mut nobody, mut found) = (None, None);
    while nobody.is_none() || found.is_none() {
        let fact = world.until(Some).await.0;
        if let Fact::Traffic(reading) = &fact {
            nobody = Some(reading.clone());
        }
        found = found.or_else(|| alerts(fact));
    }
    assert!(matches!(nobody, Some(Reading::Nobody(_))), "{nobody:?}");
    let found = found.unwrap();
    let alert = &found.value().unwrap()[0];
    assert_eq!(
        (alert.name.as_str(), alert.summary.as_str()),
        ("Down", "app is down")
    );
    assert_eq!(
        (alert.service.clone(), alert.state.as_str()),
        (Some("app".into()), "active")
    );
}

/// A project with the dashboards of a folder.
fn with_dashboards(folder: &std::path::Path) -> Project {
    let mut project = project(&["metrics"]).0;
    project.ext.smoke = vec![SmokeTest {
        name: "dashboards".into(),
        check: SmokeCheck::Dashboards {
            folder: folder.to_owned(),
            at: Address::Service {
                service: "metrics".into(),
                port: Some(9090),
            },
        },
        attempts: 1,
        interval: None,
        timeout: None,
        needs: Vec::new(),
    }];
    project
}

#[tokio::test]
async fn charts_of_what_is_shown_and_boards_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let write = |title: &str| {
        let target = json!({"refId": "A", "expr": "rate(x[$__rate_interval])", "legendFormat": "{{route}}"});
        let now = json!({"refId": "A", "expr": "up", "instant": true});
        let board = json!({"title": title, "panels": [
            {"title": "Rate", "type": "timeseries", "targets": [target]},
            {"title": "Up", "type": "stat", "targets": [now]},
            {"title": "Broken", "type": "stat", "targets": [{"refId": "A", "expr": "bad("}]}]});
        std::fs::write(folder.path().join("a.json"), board.to_string()).unwrap();
    };
    write("First");
    let port = serve(|path| {
        Some(if path.contains("status/config") {
            json!({"status": "success", "data": {"yaml": "global:\n  scrape_interval: 2s\nscrape_configs: []\n"}})
        } else if path.contains("bad") {
            json!({"status": "error", "errorType": "bad_data", "error": "parse error"})
        } else if path.contains("/query_range?") {
            assert!(path.contains("rate%28x%5B8s%5D%29") && path.contains("step=2.000"), "{path}");
            let values = json!([[10, "1"], [12, "NaN"], [14, "3"]]);
            json!({"status": "success", "data": {"resultType": "matrix",
                "result": [{"metric": {"route": "/x"}, "values": values}]}})
        } else {
            vector(&[("app", "1")])
        })
    })
    .await;
    let mut world = World::with(
        [prometheus(port)],
        Needs::default(),
        Some(with_dashboards(folder.path())),
    );
    let boards = |fact| match fact {
        Fact::Boards(boards) => Some(boards),
        _ => None,
    };
    let read = world.until(boards).await.0.unwrap();
    assert_eq!(
        (read.len(), read[0].title.as_str(), read[0].panels.len()),
        (1, "First", 3)
    );
    world.during(Duration::from_millis(200)).await;
    let need = ChartNeed {
        board: 0,
        panels: BTreeSet::from([0, 1, 2]),
        span: Duration::from_secs(60),
    };
    world.needs.send_modify(|needs| needs.charts = Some(need));
    let mut charts = std::collections::BTreeMap::new();
    while charts.len() < 3 {
        if let Fact::Chart(chart) = world.until(Some).await.0 {
            charts.insert(chart.panel, chart);
        }
    }
    let rate = charts[&0].series.as_ref().unwrap();
    assert_eq!(
        (rate[0].name.as_str(), &rate[0].points),
        ("/x", &vec![(10.0, 1.0), (14.0, 3.0)])
    );
    assert_eq!(charts[&0].to - charts[&0].from, 60.0);
    assert_eq!(charts[&1].series.as_ref().unwrap()[0].points.len(), 1);
    assert_eq!(charts[&2].series, Err("bad_data: parse error".into()));
    write("Second edition");
    let (read, after) = world.until(boards).await;
    assert_eq!(read.unwrap()[0].title, "Second edition");
    assert!(after < Duration::from_secs(9), "{after:?}");
}

#[tokio::test]
async fn probes_are_tried_counted_and_asked_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut stack = project(&["web", "quiet", "metrics"]);
    stack["web"].ext.probe = Some(ProbeSpec {
        target: ProbeTarget::Tcp(port),
        timeout: None,
        deadline: None,
    });
    let mut web = of_shop("web", 1);
    web.ports = vec![published(port, "127.0.0.1", port)];
    let mut world = World::with([web, of_shop("quiet", 1)], Needs::default(), Some(stack.0));
    let probed = |fact| match fact {
        Fact::Probed(instance, record) => {
            assert_eq!(instance.service.as_str(), "web");
            Some(record)
        }
        _ => None,
    };
    let (record, after) = world.until(probed).await;
    assert!(record.attempt.passed && record.failures == 0, "{record:?}");
    assert!(after < Duration::from_secs(1), "{after:?}");
    // Asked for, it does not wait.
    let web = crate::plan::Instance {
        service: "web".into(),
        number: 1,
    };
    world.observing.probe_now(vec![web]);
    let (_, after) = world.until(probed).await;
    assert!(after < Duration::from_secs(1), "{after:?}");
    drop(listener);
    let (mut failures, mut first) = (Vec::new(), None);
    while failures.len() < 2 {
        let record = world.until(probed).await.0;
        if !record.attempt.passed {
            failures.push((record.failures, record.allowed));
            first.get_or_insert(record.attempt.detail);
        }
    }
    assert_eq!(failures, [(1, 3), (2, 3)]);
    assert_eq!(first.as_deref(), Some("connection refused"));
}
