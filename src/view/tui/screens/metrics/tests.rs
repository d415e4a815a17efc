use std::sync::Arc;
use std::time::Duration;

use crate::event::live::board::{Board, Panel, Query};
use crate::event::live::{Chart, ChartSeries, Fact};
use crate::view::tui::effect::Effect;
use crate::view::tui::testing::{Driven, NOON};

fn panel(title: &str, kind: &str, unit: &str) -> Panel {
    Panel {
        text: String::new(),
        title: title.into(),
        description: format!("What {title} means, in a sentence."),
        kind: kind.into(),
        unit: unit.into(),
        queries: vec![Query {
            letter: "A".into(),
            expression: "sum by (service) (rate(http_requests_total[1m]))".into(),
            ..Query::default()
        }],
        min: None,
        max: (kind == "gauge").then_some(1.0),
        thresholds: vec![(0.0, "green".into()), (0.8, "red".into())],
    }
}

fn series(name: &str, value: impl Fn(f64) -> f64) -> ChartSeries {
    let start = super::panel::seconds(NOON) - 300.0;
    let points = (0..=60).map(|i| (start + f64::from(i) * 5.0, value(f64::from(i) / 60.0)));
    ChartSeries {
        name: name.into(),
        points: points.collect(),
    }
}

fn chart(panel: usize, series: Result<Vec<ChartSeries>, String>) -> Fact {
    let to = super::panel::seconds(NOON);
    Fact::Chart(Chart {
        board: 0,
        panel,
        from: to - 300.0,
        to,
        series,
    })
}

fn some() -> Driven {
    let mut driven = Driven::of_stack("services: {app: {image: i}}");
    let boards = vec![
        Board {
            title: "Overview".into(),
            file: "overview.json".into(),
            panels: vec![
                panel("Request rate", "timeseries", "reqps"),
                panel("Error ratio", "stat", "percentunit"),
                panel("Memory", "gauge", "percentunit"),
                panel("Targets", "table", "short"),
                panel("p95", "timeseries", "s"),
                panel("Notes", "text", ""),
            ],
        },
        Board {
            title: "Monitoring".into(),
            file: "monitoring.json".into(),
            panels: vec![panel("Scrapes", "timeseries", "short")],
        },
    ];
    driven.fact(Fact::Boards(Ok(Arc::new(boards))));
    let waves = vec![
        series("app", |t| 50.0 + 40.0 * (t * 12.0).sin()),
        series("nginx", |t| 20.0 + 60.0 * t),
    ];
    driven.fact(chart(0, Ok(waves)));
    driven.fact(chart(1, Ok(vec![series("", |t| 0.02 * t)])));
    driven.fact(chart(2, Ok(vec![series("app", |t| 0.5 + 0.4 * t)])));
    driven.fact(chart(
        3,
        Ok(vec![series("app:8000", |_| 1.0), series("nginx:9113", |_| 0.0)]),
    ));
    driven.fact(chart(
        4,
        Err("Prometheus does not answer: connection refused".into()),
    ));
    driven.keys("5");
    driven
}

#[test]
fn panels_of_every_kind() {
    let mut driven = some();
    insta::assert_snapshot!(driven.screen(120, 40));
    insta::assert_snapshot!(driven.screen(80, 24));
    insta::assert_snapshot!(driven.screen(20, 5));
}

#[test]
fn without_characters_beyond_ascii() {
    let mut driven = some();
    let palette = crate::view::tui::theme::Palette::Plain;
    driven.app.shared.theme = crate::view::tui::theme::Theme::new(palette, Vec::new(), false);
    let screen = driven.screen(120, 40);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!(driven.screen(60, 16));
}

#[test]
fn only_what_is_in_sight_is_asked_for() {
    let mut driven = some();
    driven.screen(120, 40);
    let need = |driven: &Driven| driven.app.needs().charts.unwrap();
    assert_eq!((need(&driven).board, need(&driven).panels.len()), (0, 6));
    driven.screen(70, 12);
    assert_eq!(need(&driven).panels, [0].into());
    driven.keys("down down");
    assert_eq!(need(&driven).panels, [2].into());
    driven.keys("> T T");
    assert_eq!(
        (need(&driven).board, need(&driven).span),
        (1, Duration::from_secs(3_600))
    );
    driven.keys(">");
    assert_eq!(need(&driven).board, 0);
    driven.keys("c");
    assert!(matches!(driven.effects.last(), Some(Effect::Copy(text)) if text.starts_with("sum by")));
    let remembered = driven.app.remember();
    let mut next = some();
    next.app.recall(&remembered);
    assert_eq!(next.app.needs().charts.unwrap().span, Duration::from_secs(3_600));
}

#[test]
fn a_panel_alone_with_values_at_a_cursor() {
    let mut driven = some();
    driven.keys("enter left left left left left left left left left left");
    insta::assert_snapshot!(driven.screen(100, 30));
    driven.keys("esc esc");
    assert!(driven.screen(120, 40).contains("Error ratio"));
}

#[test]
fn what_is_missing_is_told_in_its_place() {
    let mut driven = some();
    driven.wait(Duration::from_secs(200));
    let screen = driven.screen(120, 40);
    assert!(
        screen.contains("connection refused") && screen.contains("3m old"),
        "{screen}"
    );
    driven.fact(Fact::Boards(Err(
        "no Prometheus in this project: no service runs it".into(),
    )));
    assert!(driven.screen(80, 24).contains("no Prometheus in this project"));
    assert_eq!(driven.app.needs().charts, None);
    driven.fact(Fact::Boards(Ok(Arc::new(Vec::new()))));
    assert!(driven.screen(80, 24).contains("nothing to draw"));
    driven.keys("enter down right > T left");
    for (columns, rows) in [(1, 1), (2, 3), (20, 5), (300, 80)] {
        driven.screen(columns, rows);
        some().screen(columns, rows);
    }
}
