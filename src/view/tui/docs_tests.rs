//! docs/dashboard.md and the tables it is made from are one.

use std::fmt::Write as _;
use std::path::Path;

use super::command::{self, Spec};
use super::screens::REGISTRY;

fn cells(text: &str) -> String {
    text.replace('|', "\\|")
}

fn keys(out: &mut String, heading: &str, specs: &[Spec]) {
    if specs.is_empty() {
        return;
    }
    writeln!(
        out,
        "\n### {heading}\n\n| key | command | what it does |\n|---|---|---|"
    )
    .unwrap();
    for spec in specs {
        let keys: Vec<String> = spec
            .keys
            .iter()
            .map(|key| {
                if *key == "`" {
                    "`` ` ``".to_owned()
                } else {
                    format!("`{}`", cells(key))
                }
            })
            .collect();
        let change = if spec.changes { " ·" } else { "" };
        writeln!(
            out,
            "| {} | `{}` | {}{change} |",
            keys.join(" "),
            spec.id.0,
            cells(spec.help)
        )
        .unwrap();
    }
}

/// Everything between the two marks of the page.
fn generated() -> String {
    let mut out = String::new();
    keys(&mut out, "Everywhere", command::GLOBAL);
    for entry in REGISTRY {
        keys(&mut out, &format!("Screen {}", entry.title), entry.commands);
    }
    for entry in REGISTRY.iter().filter(|entry| !entry.columns.is_empty()) {
        writeln!(
            out,
            "\n### Columns of the screen {}\n\n| name | heading | what it tells |\n|---|---|---|",
            entry.title
        )
        .unwrap();
        for column in entry.columns {
            writeln!(
                out,
                "| `{}` | {} | {} |",
                column.name,
                column.title,
                cells(column.help)
            )
            .unwrap();
        }
    }
    out
}

/// `UPDATE_DOCS=1 cargo test --lib docs_tests` writes the page anew.
#[test]
fn the_page_has_the_tables_of_keys_and_columns() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dashboard.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- generated: begin -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- generated: end -->").unwrap();
    let wanted = generated();
    if found != wanted && std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{before}<!-- generated: begin -->\n{wanted}<!-- generated: end -->{after}");
        std::fs::write(&path, new).unwrap();
        return;
    }
    assert!(
        found == wanted,
        "docs/dashboard.md is stale: UPDATE_DOCS=1 cargo test --lib docs_tests"
    );
}
