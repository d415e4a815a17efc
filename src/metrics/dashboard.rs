//! The queries in a Grafana dashboard, with its variables filled in. Pure.
//!
//! Read are both forms of a dashboard: the classic JSON model (`panels`, rows that hold panels,
//! the older `rows`) and the v2 schema (`spec.elements`), each bare or as an export wraps it.

use std::collections::BTreeMap;

use serde_json::Value;

/// How deep rows may hold panels that hold panels.
const DEEPEST: usize = 8;

/// A dashboard's queries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What its panels ask a Prometheus.
    pub queries: Vec<PanelQuery>,
    /// How many queries are for another kind of data source.
    pub other: usize,
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
        ..Dashboard::default()
    };
    let variables = variables(body);
    if let Some(elements) = body.get("elements").and_then(Value::as_object) {
        for (key, element) in elements {
            dashboard.element(key, element, &variables);
        }
    } else if body.get("panels").is_some() || body.get("rows").is_some() {
        for panel in list(body, "panels").chain(list(body, "rows")) {
            dashboard.panel(panel, &variables, 0);
        }
    } else {
        return Err("no dashboard: it has neither panels nor elements".to_owned());
    }
    Ok(dashboard)
}

impl Dashboard {
    fn panel(&mut self, panel: &Value, variables: &BTreeMap<String, String>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let title = string(panel, "title").filter(|t| !t.is_empty()).map_or_else(
            || format!("panel {}", panel.get("id").unwrap_or(&Value::Null)),
            str::to_owned,
        );
        for target in list(panel, "targets") {
            let source = source_kind(target).or_else(|| source_kind(panel));
            let letter = string(target, "refId").unwrap_or("?");
            self.query(&title, letter, source, string(target, "expr"), variables);
        }
        for inner in list(panel, "panels") {
            self.panel(inner, variables, depth + 1);
        }
    }

    /// A panel of the v2 schema.
    fn element(&mut self, key: &str, element: &Value, variables: &BTreeMap<String, String>) {
        let Some(spec) = element.get("spec") else {
            return;
        };
        let title = string(spec, "title").filter(|t| !t.is_empty()).unwrap_or(key);
        let queries = spec.get("data").and_then(|d| d.get("spec"));
        for query in queries.iter().flat_map(|q| list(q, "queries")) {
            let Some(query) = query.get("spec") else {
                continue;
            };
            let letter = string(query, "refId").unwrap_or("?");
            let Some(data) = query.get("query") else {
                continue;
            };
            // `kind` named the data source at first, `group` does now.
            let source = string(data, "group").or_else(|| string(data, "kind"));
            let expression = data.get("spec").and_then(|s| string(s, "expr"));
            self.query(title, letter, source, expression, variables);
        }
    }

    fn query(
        &mut self,
        title: &str,
        letter: &str,
        source: Option<&str>,
        expression: Option<&str>,
        variables: &BTreeMap<String, String>,
    ) {
        let is_prometheus = source.is_none_or(|kind| kind == "prometheus" || kind.starts_with('$'));
        match expression {
            Some(text) if is_prometheus && !text.trim().is_empty() => self.queries.push(PanelQuery {
                place: format!("{title} {letter}"),
                expression: filled(text, variables),
            }),
            _ if is_prometheus => {}
            _ => self.other += 1,
        }
    }
}

fn string<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn source_kind(value: &Value) -> Option<&str> {
    string(value.get("datasource")?, "type")
}

/// What a dashboard's variables stand for, Grafana's own included.
fn variables(body: &Value) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> = [
        ("__interval", "1m"),
        ("__interval_ms", "60000"),
        ("__rate_interval", "5m"),
        ("__range", "1h"),
        ("__range_s", "3600"),
        ("__range_ms", "3600000"),
        ("__from", "0"),
        ("__to", "0"),
        ("__org", "1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let classic = body
        .get("templating")
        .into_iter()
        .flat_map(|t| list(t, "list"))
        .map(|variable| (variable, string(variable, "type").unwrap_or_default()));
    let second = list(body, "variables").filter_map(|variable| {
        Some((
            variable.get("spec")?,
            string(variable, "kind").unwrap_or_default(),
        ))
    });
    for (variable, kind) in classic.chain(second) {
        if let Some(name) = string(variable, "name") {
            values.insert(name.to_owned(), variable_value(variable, kind));
        }
    }
    values
}

fn variable_value(variable: &Value, kind: &str) -> String {
    let all = || match string(variable, "allValue") {
        Some(value) if !value.is_empty() => value.to_owned(),
        _ => ".*".to_owned(),
    };
    let kind = kind.to_ascii_lowercase();
    match variable.get("current").and_then(|c| c.get("value")) {
        Some(Value::String(value)) if value == "$__all" => return all(),
        Some(Value::String(value)) if value.starts_with("$__auto") => return "5m".to_owned(),
        Some(Value::String(value)) if !value.is_empty() => return value.clone(),
        Some(Value::Array(values)) if !values.is_empty() => {
            let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            return match texts.as_slice() {
                texts if texts.contains(&"$__all") => all(),
                [one] => (*one).to_owned(),
                several => format!("({})", several.join("|")),
            };
        }
        _ => {}
    }
    let written = string(variable, "query").unwrap_or_default();
    let first = written.split(',').next().unwrap_or_default().trim();
    if kind.starts_with("interval") {
        if first.is_empty() || first == "auto" {
            "5m"
        } else {
            first
        }
        .to_owned()
    } else if kind.starts_with("custom") && !first.is_empty() {
        // `label : value`
        first.rsplit(" : ").next().unwrap_or(first).to_owned()
    } else if kind.starts_with("constant") || kind.starts_with("text") {
        written.to_owned()
    } else {
        all()
    }
}

/// `text` with `$name`, `${name}`, `${name:format}`, `[[name]]` and `[[name:format]]` replaced.
/// What names no variable stays: `$` also ends regular expressions.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '[']) {
        let (before, here) = rest.split_at(at);
        out.push_str(before);
        let found = delimited(here, "${", "}")
            .or_else(|| delimited(here, "[[", "]]"))
            .or_else(|| bare(here));
        let value = found.and_then(|(name, after)| {
            let name = name.split(':').next().unwrap_or_default();
            Some((variables.get(name)?, after))
        });
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push_str(&here[..1]);
                rest = &here[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn delimited<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(open)?.split_once(close)
}

fn bare(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix('$')?;
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(name.len());
    Some(name.split_at(end))
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
                {"title": "Text", "type": "text"},
            ],
        });
        insta::assert_snapshot!(shown(&dashboard), @r#"
        Overview (1 other)
        Rate A: rate(x{job=~"(a|b)",route=~".+"}[5m])
        Rate B: topk(5, .*_x{a=~"b$"} [5m]) + quantile(0.95, y[1h])
        panel 7 A: label_replace(up, "a", "$1", "b", "$unknown")
        "#);
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
            files += 1;
        }
        assert!(files >= 2);
    }
}
