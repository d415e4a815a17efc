//! `stats`, `events` and `top` against a real engine.

use serde_json::Value;

use crate::support::project::Project;

const TWO: &str = r#"
services:
  web: { image: "@image@", command: [serve, "80"] }
  idle: { image: "@image@" }
"#;

fn up() -> Project {
    let project = Project::shared();
    project.stack(TWO);
    project.run(["up", "-d"]).expect(0);
    project
}

fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn stats_have_the_fields_of_docker() {
    let project = up();
    let json = project
        .run(["stats", "--no-stream", "--format", "json"])
        .expect(0);
    let rows = objects(&json.stdout);
    assert_eq!(rows.len(), 2, "{json}");
    for row in &rows {
        let mut fields: Vec<&String> = row.as_object().unwrap().keys().collect();
        fields.sort();
        let expected = [
            "BlockIO",
            "CPUPerc",
            "Container",
            "ID",
            "MemPerc",
            "MemUsage",
            "Name",
            "NetIO",
            "PIDs",
        ];
        assert_eq!(fields, expected);
        assert_ne!(row["PIDs"], "0", "{row}");
        assert!(row["MemUsage"].as_str().unwrap().contains("iB / "), "{row}");
    }
    let one = project.run(["stats", "--no-stream", "web"]).expect(0);
    assert!(
        one.stdout.contains("-web-1") && !one.stdout.contains("-idle-1"),
        "{one}"
    );
    project
        .run(["stats", "--no-stream", "webb"])
        .expect(2)
        .says("did you mean `web`?");
    project.run(["stop", "-t", "1", "idle"]).expect(0);
    let all = project.run(["stats", "--no-stream", "--all"]).expect(0);
    assert!(all.stdout.contains("-idle-1"), "{all}");
}

#[test]
fn events_are_those_of_the_project() {
    let project = up();
    let other = up();
    let text = project
        .run(["events", "--json", "--since", "5m", "--until", "0s"])
        .expect(0);
    let events = objects(&text.stdout);
    let of = |action: &str, service: &str| {
        events
            .iter()
            .any(|e| e["action"] == action && e["service"] == service && e["type"] == "container")
    };
    assert!(
        of("create", "web") && of("start", "web") && of("start", "idle"),
        "{text}"
    );
    assert!(!text.stdout.contains(other.name()), "{text}");
    let lines = project
        .run(["events", "--since", "5m", "--until", "0s", "idle"])
        .expect(0);
    assert!(
        lines.stdout.contains("container start") && !lines.stdout.contains("-web-1"),
        "{lines}"
    );
}

#[test]
fn top_shows_the_processes_of_what_runs() {
    let project = up();
    let text = project.run(["top"]).expect(0);
    let header = text.stdout.lines().next().unwrap_or_default();
    for title in ["SERVICE", "#", "PID", "CMD"] {
        assert!(header.contains(title), "{text}");
    }
    let served = |line: &&str| line.starts_with("web ") && line.contains("httpd");
    assert_eq!(text.stdout.lines().filter(served).count(), 1, "{text}");
    project.run(["stop", "-t", "1"]).expect(0);
    let none = project.run(["top"]).expect(0);
    assert!(!none.stdout.contains("web "), "{none}");
}
