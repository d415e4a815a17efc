//! The rules of ARCHITECTURE.md, read from the sources.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms in reading order, each with the rooms it may name.
const ROOMS: [(&str, &[&str]); 16] = [
    ("base", &[]),
    ("model", &["base"]),
    ("stack", &["base", "model"]),
    ("plan", &["base", "model"]),
    ("event", &["base", "model", "plan"]),
    ("engine", &["base", "model"]),
    ("image", &["base", "model", "engine", "stack", "event"]),
    ("probe", &["base", "model", "engine", "event"]),
    ("metrics", &["base", "model", "probe"]),
    ("provide", &["base", "model"]),
    ("watch", &["base", "model", "image"]),
    (
        "execute",
        &[
            "base", "model", "plan", "event", "engine", "image", "probe", "provide",
        ],
    ),
    ("smoke", &["base", "model", "event", "engine", "probe", "metrics"]),
    (
        "observe",
        &["base", "model", "plan", "event", "engine", "probe", "metrics"],
    ),
    ("view", &["base", "model", "event", "plan", "engine", "smoke"]),
    (
        "cli",
        &[
            "base", "model", "stack", "plan", "event", "engine", "image", "probe", "metrics", "provide",
            "watch", "execute", "smoke", "observe", "view",
        ],
    ),
];

/// Crates and the only places that may name them.
const CRATES: [(&str, &[&str]); 9] = [
    ("bollard", &["src/engine/"]),
    ("granit_parser", &["src/stack/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("crossterm", &["src/view/", "src/cli/"]),
    ("ratatui", &["src/view/tui/"]),
    ("notify", &["src/watch/"]),
    ("quick_junit", &["src/view/", "src/smoke/"]),
];

/// Where nothing waits, asks the time or reads the environment.
const PURE: [&str; 8] = [
    "src/base/",
    "src/model/",
    "src/plan/",
    "src/event/snapshot.rs",
    "src/event/live/",
    "src/event/request.rs",
    "src/execute/gate.rs",
    "src/execute/state.rs",
];

struct Source {
    path: String,
    /// Without comments and without the tests at its end.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                let is_test =
                    name.ends_with("tests.rs") || name.contains("/tests/") || name.contains("testing");
                let code = without_tests(&text)
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .collect::<Vec<_>>()
                    .join("\n");
                let code = if is_test { String::new() } else { code };
                found.push(Source {
                    path: name,
                    code,
                    lines: text.lines().count(),
                });
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// A source without its test module, which stands at its end.
fn without_tests(text: &str) -> &str {
    let is_module = |rest: &str| {
        let line = rest.lines().next().unwrap_or_default();
        let name = line.trim_start_matches(|c: char| c != 'm');
        (line.starts_with("mod ") || (line.starts_with("pub") && name.starts_with("mod ")))
            && line.ends_with('{')
    };
    let mark = "#[cfg(test)]\n";
    let end = text
        .match_indices(mark)
        .find(|(at, _)| is_module(&text[at + mark.len()..]))
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Words after each `crate::`, those in braces included.
fn named_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            for word in list.split(',') {
                rooms.insert(word.trim().split("::").next().unwrap_or_default().to_owned());
            }
        } else {
            let word: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            rooms.insert(word);
        }
    }
    rooms
}

fn check(found: Vec<String>) {
    assert!(found.is_empty(), "ARCHITECTURE.md forbids:\n{}", found.join("\n"));
}

#[test]
fn a_room_names_only_the_rooms_it_may() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(room) = source
            .path
            .strip_prefix("src/")
            .and_then(|p| p.split_once('/'))
            .map(|(r, _)| r)
        else {
            continue;
        };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{}: {room} is no room of the map", source.path));
            continue;
        };
        for named in named_rooms(&source.code) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == named);
            if is_room && named != room && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{}: {room} names {named}", source.path));
            }
        }
    }
    check(wrong);
}

#[test]
fn the_map_goes_one_way() {
    for (at, (room, allowed)) in ROOMS.iter().enumerate() {
        for name in *allowed {
            let below = ROOMS.iter().position(|(other, _)| other == name).unwrap();
            assert!(below < at, "{room} names {name}, which comes later");
        }
    }
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, places) in CRATES {
            let names_it =
                source.code.contains(&format!("{name}::")) || source.code.contains(&format!("use {name}"));
            if names_it && !places.iter().any(|place| source.path.starts_with(place)) {
                wrong.push(format!("{}: names {name}", source.path));
            }
        }
    }
    check(wrong);
}

#[test]
fn pure_code_neither_waits_nor_asks() {
    let mut wrong = Vec::new();
    for source in sources() {
        let pure = PURE.iter().any(|p| source.path.starts_with(p))
            || (source.path.starts_with("src/stack/") && !source.path.starts_with("src/stack/load"));
        if !pure || source.path == "src/base/clock.rs" {
            continue;
        }
        for word in [
            "async fn",
            "async move",
            ".await",
            "std::env::",
            "Instant::now",
            "std::fs::",
            "SystemTime::now",
        ] {
            if source.code.contains(word) {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    check(wrong);
}

#[test]
fn only_cli_and_view_print() {
    let mut wrong = Vec::new();
    for source in sources() {
        let may = source.path.starts_with("src/cli/") || source.path.starts_with("src/view/");
        for word in ["println!", "eprintln!", "print!(", "io::stdout()", "io::stderr()"] {
            if !may && source.code.contains(word) {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    check(wrong);
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|s| s.lines > 600)
        .map(|s| format!("{}: {} lines", s.path, s.lines))
        .collect();
    check(long);
}
