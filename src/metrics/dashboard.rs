//! The panels and queries of a Grafana dashboard, with its variables filled in. Pure.
//!
//! Read are both forms of a dashboard: the classic JSON model (`panels`, rows that hold panels,
//! the older `rows`) and the v2 schema (`spec.elements`), each bare or as an export wraps it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variables::{Spans, filled, variables};
use crate::model::board::{Board, Panel, Query};

/// How deep rows may hold panels that hold panels.
const DEEPEST: usize = 8;

/// A dashboard.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What its panels ask a Prometheus, over an hour.
    pub queries: Vec<PanelQuery>,
    /// How many queries are for another kind of data source.
    pub other: usize,
    /// Its panels; in their queries variables are not filled in.
    panels: Vec<Panel>,
    variables: BTreeMap<String, String>,
}

/// One query of a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelQuery {
    /// The panel's title and the query's letter: `Requests A`.
    pub place: String,
    /// PromQL, variables filled in.
    pub expression: String,
}

/// Reads a dashboard.
///
/// # Errors
/// Why `text` is none.
pub fn read(text: &str) -> Result<Dashboard, String> {
    let root: Value = serde_json::from_str(text).map_err(|e| format!("no JSON: {e}"))?;
    let root = match root.get("dashboard") {
        Some(inner) if inner.is_object() => inner,
        _ => &root,
    };
    let body = match root.get("spec") {
        Some(spec) if spec.is_object() => spec,
        _ => root,
    };
    let mut dashboard = Dashboard {
        title: string(body, "title").unwrap_or("untitled").to_owned(),
        variables: variables(body),
        ..Dashboard::default()
    };
    if let Some(elements) = body.get("elements").and_then(Value::as_object) {
        let mut order = Vec::new();
        laid_out(body.get("layout").unwrap_or(&Value::Null), &mut order, 0);
        let placed = order.iter().filter_map(|key| elements.get_key_value(*key));
        let rest = elements.iter().filter(|(key, _)| !order.contains(&key.as_str()));
        for (key, element) in placed.chain(rest) {
            dashboard.element(key, element);
        }
    } else if body.get("panels").is_some() || body.get("rows").is_some() {
        for panel in in_place(body, "panels").into_iter().chain(list(body, "rows")) {
            dashboard.panel(panel, 0);
        }
    } else {
        return Err("no dashboard: it has neither panels nor elements".to_owned());
    }
    Ok(dashboard)
}

impl Dashboard {
    /// The dashboard as it can be drawn, its variables filled in; `file` is where it was read from.
    pub fn board(&self, file: &str, spans: &Spans) -> Board {
        let panels = self.panels.iter().map(|panel| Panel {
            title: self.filled(&panel.title, spans),
            text: self.filled(&panel.text, spans),
            queries: panel
                .queries
                .iter()
                .map(|query| self.query_over(query, spans))
                .collect(),
            ..panel.clone()
        });
        Board {
            title: self.title.clone(),
            file: file.to_owned(),
            panels: panels.collect(),
        }
    }

    /// The queries of a panel over other spans; none where there is no such panel.
    pub fn queries_of(&self, panel: usize, spans: &Spans) -> Vec<Query> {
        let queries = self.panels.get(panel).map(|panel| panel.queries.as_slice());
        queries
            .unwrap_or_default()
            .iter()
            .map(|query| self.query_over(query, spans))
            .collect()
    }

    fn query_over(&self, query: &Query, spans: &Spans) -> Query {
        Query {
            expression: self.filled(&query.expression, spans),
            legend: self.filled(&query.legend, spans),
            ..query.clone()
        }
    }

    fn filled(&self, text: &str, spans: &Spans) -> String {
        filled(text, &self.variables, spans)
    }

    fn panel(&mut self, panel: &Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let title = string(panel, "title").filter(|t| !t.is_empty()).map_or_else(
            || format!("panel {}", panel.get("id").unwrap_or(&Value::Null)),
            str::to_owned,
        );
        let mut drawn = Panel {
            description: string(panel, "description").unwrap_or_default().to_owned(),
            kind: string(panel, "type").unwrap_or_default().to_owned(),
            ..Panel::default()
        };
        // In `options`; before those, in the panel itself.
        let options = panel.get("options").unwrap_or(panel);
        let content = string(options, "content").or_else(|| string(panel, "content"));
        drawn.text = content.unwrap_or_default().to_owned();
        let defaults = panel.get("fieldConfig").and_then(|f| f.get("defaults"));
        drawn.take_field_config(defaults.unwrap_or(&Value::Null));
        if drawn.unit.is_empty() {
            // Panels from before field options: a format for the panel or its first axis.
            let axis = panel.get("yaxes").and_then(|a| a.get(0));
            let format = axis
                .and_then(|a| string(a, "format"))
                .or_else(|| string(panel, "format"));
            drawn.unit = format.unwrap_or_default().to_owned();
        }
        for target in list(panel, "targets") {
            let source = source_kind(target).or_else(|| source_kind(panel));
            let found = Found {
                letter: string(target, "refId").unwrap_or("?"),
                source,
                expression: string(target, "expr"),
                legend: string(target, "legendFormat"),
                instant: is_true(target, "instant") && !is_true(target, "range"),
                hidden: is_true(target, "hide"),
            };
            self.query(&title, &mut drawn, &found);
        }
        drawn.title = title;
        let holds_panels = panel.get("panels").is_some() || drawn.kind == "row";
        if !holds_panels && panel.is_object() {
            self.panels.push(drawn);
        }
        for inner in in_place(panel, "panels") {
            self.panel(inner, depth + 1);
        }
    }

    /// A panel of the v2 schema.
    fn element(&mut self, key: &str, element: &Value) {
        let Some(spec) = element.get("spec") else {
            return;
        };
        let title = string(spec, "title").filter(|t| !t.is_empty()).unwrap_or(key);
        let viz = spec.get("vizConfig").unwrap_or(&Value::Null);
        // `kind` named the visualisation at first, `group` does now.
        let kind = string(viz, "group").or_else(|| string(viz, "kind"));
        let mut drawn = Panel {
            title: title.to_owned(),
            description: string(spec, "description").unwrap_or_default().to_owned(),
            kind: kind.unwrap_or_default().to_owned(),
            ..Panel::default()
        };
        let config = viz.get("spec").and_then(|s| s.get("fieldConfig"));
        let options = viz.get("spec").and_then(|s| s.get("options"));
        let content = options.and_then(|options| string(options, "content"));
        drawn.text = content.unwrap_or_default().to_owned();
        drawn.take_field_config(config.and_then(|c| c.get("defaults")).unwrap_or(&Value::Null));
        let queries = spec.get("data").and_then(|d| d.get("spec"));
        for query in queries.iter().flat_map(|q| list(q, "queries")) {
            let Some(query) = query.get("spec") else {
                continue;
            };
            let Some(data) = query.get("query") else {
                continue;
            };
            let asked = data.get("spec").unwrap_or(&Value::Null);
            let found = Found {
                letter: string(query, "refId").unwrap_or("?"),
                // As with the visualisation.
                source: string(data, "group").or_else(|| string(data, "kind")),
                expression: string(asked, "expr"),
                legend: string(asked, "legendFormat"),
                instant: is_true(asked, "instant") && !is_true(asked, "range"),
                hidden: is_true(query, "hidden"),
            };
            self.query(title, &mut drawn, &found);
        }
        self.panels.push(drawn);
    }

    fn query(&mut self, title: &str, panel: &mut Panel, found: &Found<'_>) {
        let is_prometheus = found
            .source
            .is_none_or(|kind| kind == "prometheus" || kind.starts_with('$'));
        match found.expression {
            Some(text) if is_prometheus && !text.trim().is_empty() => {
                self.queries.push(PanelQuery {
                    place: format!("{title} {}", found.letter),
                    expression: self.filled(text, &Spans::default()),
                });
                if !found.hidden {
                    panel.queries.push(Query {
                        letter: found.letter.to_owned(),
                        expression: text.to_owned(),
                        legend: found
                            .legend
                            .filter(|l| *l != "__auto")
                            .unwrap_or_default()
                            .to_owned(),
                        instant: found.instant,
                    });
                }
            }
            _ if is_prometheus => {}
            _ => self.other += 1,
        }
    }
}

/// A query as a dashboard has it.
struct Found<'d> {
    letter: &'d str,
    source: Option<&'d str>,
    expression: Option<&'d str>,
    legend: Option<&'d str>,
    instant: bool,
    hidden: bool,
}

/// What `fieldConfig.defaults` says of values.
trait FieldConfig {
    fn take_field_config(&mut self, defaults: &Value);
}

impl FieldConfig for Panel {
    fn take_field_config(&mut self, defaults: &Value) {
        let number = |key: &str| defaults.get(key).and_then(Value::as_f64);
        self.unit = string(defaults, "unit").unwrap_or_default().to_owned();
        (self.min, self.max) = (number("min"), number("max"));
        let steps = defaults
            .get("thresholds")
            .into_iter()
            .flat_map(|t| list(t, "steps"));
        self.thresholds = steps
            .filter_map(|step| {
                // The first step has no value: it is from below.
                let from = step
                    .get("value")
                    .and_then(Value::as_f64)
                    .unwrap_or(f64::NEG_INFINITY);
                Some((from, string(step, "color")?.to_owned()))
            })
            .collect();
        self.thresholds.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
}

/// The panels of a list in the order in which Grafana lays them out: rows of the grid, left to right.
fn in_place<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    let mut panels: Vec<&Value> = list(value, key).collect();
    let at = |panel: &Value, axis: &str| panel.get("gridPos")?.get(axis)?.as_i64();
    panels.sort_by_key(|panel| (at(panel, "y"), at(panel, "x")));
    panels
}

/// The names of elements in the order of a layout of the v2 schema, whatever its kind.
fn laid_out<'v>(layout: &'v Value, order: &mut Vec<&'v str>, depth: usize) {
    const DEEPEST_LAYOUT: usize = 32;
    if depth > DEEPEST_LAYOUT {
        return;
    }
    match layout {
        Value::Object(fields) => {
            if string(layout, "kind") == Some("ElementReference") {
                order.extend(string(layout, "name"));
            }
            for inner in fields.values() {
                laid_out(inner, order, depth + 1);
            }
        }
        Value::Array(items) => {
            for inner in items {
                laid_out(inner, order, depth + 1);
            }
        }
        _ => {}
    }
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn string<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn source_kind(value: &Value) -> Option<&str> {
    string(value.get("datasource")?, "type")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(dashboard: &Value) -> String {
        match read(&dashboard.to_string()) {
            Err(why) => why,
            Ok(dashboard) => {
                let queries = dashboard
                    .queries
                    .iter()
                    .map(|q| format!("{}: {}", q.place, q.expression));
                std::iter::once(format!("{} ({} other)", dashboard.title, dashboard.other))
                    .chain(queries)
                    .collect::<Vec<_>>()
                    .join("\n")
            }
        }
    }

    fn target(letter: &str, expr: &str) -> Value {
        json!({"refId": letter, "expr": expr})
    }

    #[test]
    fn classic_dashboards_with_rows_and_variables() {
        let dashboard = json!({
            "title": "Overview",
            "templating": {"list": [
                {"name": "datasource", "type": "datasource", "current": {"value": "prometheus"}},
                {"name": "route", "type": "query", "allValue": ".+", "current": {"value": ["$__all"]}},
                {"name": "job", "type": "query", "current": {"value": ["a", "b"]}},
                {"name": "host", "type": "query"},
                {"name": "n", "type": "custom", "query": "five : 5,ten : 10"},
                {"name": "step", "type": "interval", "query": "30s,1m", "current": {"value": "$__auto_interval_step"}},
                {"name": "q", "type": "constant", "query": "0.95"},
            ]},
            "panels": [
                {"title": "Rate", "datasource": {"type": "prometheus", "uid": "${datasource}"}, "targets": [
                    target("A", "rate(x{job=~\"$job\",route=~\"${route:regex}\"}[$__rate_interval])"),
                    target("B", "topk($n, [[host]]_x{a=~\"b$\"} [$step]) + quantile($q, y[${__range}])"),
                    {"refId": "C", "datasource": {"type": "loki"}, "expr": "{app=\"x\"}"},
                    {"refId": "D"},
                ]},
                {"type": "row", "title": "Row", "panels": [
                    {"id": 7, "targets": [target("A", "label_replace(up, \"a\", \"$1\", \"b\", \"$unknown\")")]},
                ]},
                {"title": "Text", "type": "text", "options": {"mode": "markdown", "content": "Read *this*"}},
            ],
        });
        insta::assert_snapshot!(shown(&dashboard), @r#"
        Overview (1 other)
        Rate A: rate(x{job=~"(a|b)",route=~".+"}[5m])
        Rate B: topk(5, .*_x{a=~"b$"} [5m]) + quantile(0.95, y[1h])
        panel 7 A: label_replace(up, "a", "$1", "b", "$unknown")
        "#);
        let panels = read(&dashboard.to_string()).unwrap().panels;
        assert_eq!(panels.last().unwrap().text, "Read *this*");
        assert_eq!(
            shown(&json!({ "dashboard": dashboard })),
            shown(&dashboard),
            "as exported"
        );
        let old = json!({"rows": [{"panels": [{"title": "P", "targets": [target("A", "up")]}]}]});
        assert_eq!(shown(&old), "untitled (0 other)\nP A: up");
    }

    #[test]
    fn second_schema() {
        let query = |kind: &str, group: &str| {
            json!({"kind": "PanelQuery", "spec": {"refId": "A", "query":
                {"kind": kind, "group": group, "spec": {"expr": "up{job=\"$job\"}"}}}})
        };
        let panel = |queries: Value| json!({"kind": "Panel", "spec": {"title": "Up", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}}});
        let dashboard = json!({"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {
            "title": "Second",
            "variables": [{"kind": "QueryVariable", "spec": {"name": "job", "current": {"value": "app"}}}],
            "elements": {
                "panel-1": panel(json!([query("DataQuery", "prometheus"), query("DataQuery", "loki")])),
                "panel-2": {"kind": "LibraryPanel"},
            },
        }});
        assert_eq!(shown(&dashboard), "Second (1 other)\nUp A: up{job=\"app\"}");
    }

    #[test]
    fn what_is_no_dashboard() {
        assert_eq!(
            shown(&json!({"a": 1})),
            "no dashboard: it has neither panels nor elements"
        );
        assert_eq!(
            shown(&json!([])),
            "no dashboard: it has neither panels nor elements"
        );
        assert!(read("{").unwrap_err().starts_with("no JSON: "));
        let odd = json!({"panels": [1, {"targets": 3}, {"targets": [null, {"expr": 5}]}], "templating": 7});
        assert_eq!(shown(&odd), "untitled (0 other)");
    }

    #[test]
    fn the_reference_dashboards_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards");
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let dashboard = read(&text).unwrap();
            assert!(dashboard.queries.len() > 5, "{dashboard:?}");
            assert!(
                dashboard.queries.iter().all(|q| !q.expression.contains('$')),
                "{dashboard:?}"
            );
            let board = dashboard.board("f", &Spans::default());
            assert!(board.panels.len() > 5, "{board:?}");
            let good = |p: &Panel| p.queries.iter().all(|q| !q.expression.contains('$')) && p.kind != "row";
            assert!(board.panels.iter().all(good), "{board:?}");
            assert!(
                board.panels.iter().any(|p| p.unit == "s" || p.unit == "bytes"),
                "{board:?}"
            );
            files += 1;
        }
        assert!(files >= 2);
    }

    #[test]
    fn panels_are_drawn_in_place_with_unit_bounds_and_thresholds() {
        let at = |x: i64, y: i64| json!({"x": x, "y": y, "w": 12, "h": 8});
        let dashboard = json!({
            "title": "Overview",
            "templating": {"list": [{"name": "job", "type": "custom", "query": "app"}]},
            "panels": [
                {"title": "Right", "type": "timeseries", "gridPos": at(12, 1), "description": "said",
                 "fieldConfig": {"defaults": {"unit": "reqps", "min": 0, "max": 10, "thresholds": {"mode": "absolute",
                    "steps": [{"color": "green", "value": null}, {"color": "red", "value": 8}]}}},
                 "targets": [
                    {"refId": "A", "expr": "rate(x{job=\"$job\"}[$__rate_interval])", "legendFormat": "{{route}}"},
                    {"refId": "B", "expr": "up", "legendFormat": "__auto", "instant": true},
                    {"refId": "C", "expr": "hidden", "hide": true}]},
                {"title": "Left $job", "type": "stat", "gridPos": at(0, 1), "format": "s", "targets": [target("A", "y")]},
                {"title": "Row", "type": "row", "gridPos": at(0, 0), "panels": [
                    {"title": "Folded", "type": "text", "gridPos": at(0, 5)}]},
            ],
        });
        let read = read(&dashboard.to_string()).unwrap();
        let spans = Spans::of(
            std::time::Duration::from_secs(900),
            std::time::Duration::from_secs(5),
            std::time::Duration::from_secs(1),
        );
        let board = read.board("overview.json", &spans);
        assert_eq!(
            board
                .panels
                .iter()
                .map(|p| (p.title.as_str(), p.kind.as_str()))
                .collect::<Vec<_>>(),
            [("Folded", "text"), ("Left app", "stat"), ("Right", "timeseries")]
        );
        assert_eq!(
            (board.file.as_str(), board.panels[1].unit.as_str()),
            ("overview.json", "s")
        );
        let right = &board.panels[2];
        assert_eq!(
            (
                right.unit.as_str(),
                right.min,
                right.max,
                right.description.as_str()
            ),
            ("reqps", Some(0.0), Some(10.0), "said")
        );
        assert_eq!(
            right.thresholds,
            [(f64::NEG_INFINITY, "green".to_owned()), (8.0, "red".to_owned())]
        );
        let queries = read.queries_of(2, &spans);
        assert_eq!(queries, right.queries);
        assert_eq!(queries.len(), 2, "what is hidden is not drawn");
        assert_eq!(queries[0].expression, "rate(x{job=\"app\"}[6s])");
        assert_eq!(
            (queries[0].legend.as_str(), queries[0].instant),
            ("{{route}}", false)
        );
        assert_eq!((queries[1].legend.as_str(), queries[1].instant), ("", true));
        assert_eq!(read.queries.len(), 4, "and yet asked by smoke tests");
        assert_eq!(read.queries_of(9, &spans), []);
    }

    #[test]
    fn second_schema_panels() {
        let panel = |title: &str| {
            json!({"kind": "Panel", "spec": {"title": title,
                "data": {"kind": "QueryGroup", "spec": {"queries": [{"kind": "PanelQuery", "spec": {"refId": "A",
                    "query": {"kind": "DataQuery", "group": "prometheus", "spec": {"expr": "up", "legendFormat": "{{job}}"}}}}]}},
                "vizConfig": {"kind": "VizConfig", "group": "gauge", "spec": {"fieldConfig": {"defaults": {"unit": "percent"}}}}}})
        };
        let item = |name: &str| json!({"kind": "GridLayoutItem", "spec": {"x": 0, "element": {"kind": "ElementReference", "name": name}}});
        let dashboard = json!({"kind": "Dashboard", "spec": {"title": "Second",
            "elements": {"panel-1": panel("One"), "panel-2": panel("Two"), "panel-3": panel("Three")},
            "layout": {"kind": "GridLayout", "spec": {"items": [item("panel-2"), item("panel-1")]}}}});
        let board = read(&dashboard.to_string())
            .unwrap()
            .board("f", &Spans::default());
        let titles: Vec<&str> = board.panels.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(titles, ["Two", "One", "Three"]);
        let panel = &board.panels[0];
        assert_eq!((panel.kind.as_str(), panel.unit.as_str()), ("gauge", "percent"));
        assert_eq!(panel.queries[0].legend, "{{job}}");
    }
}
