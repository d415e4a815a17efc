use ratatui::style::Color;

use super::*;
use crate::view::tui::command;
use crate::view::tui::screens::REGISTRY;

fn findings(text: &str) -> String {
    Settings::parse(text, "d.toml").unwrap_err().join("\n")
}

#[test]
fn a_file_is_read() {
    let text = r##"
theme = "light"
mouse = true
[keys]
restart = "f5"
help = ["?", "ctrl-h"]
shell = []
stack.faults = "F"
[colors]
good = "#00ff00"
bad = "light-red"
dim = 244
[columns]
stack = ["name", "memory"]
"##;
    let settings = Settings::parse(text, "d.toml").unwrap();
    assert_eq!(settings.palette, Some(Palette::Light));
    assert!(settings.mouse);
    let keys = |id: &str| {
        let spec = command::all().find(|spec| spec.id.0 == id).unwrap();
        let keys = settings.keys.get(&spec.id).unwrap();
        keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        ["restart", "help", "shell", "stack.faults"].map(keys),
        ["f5", "? ctrl-h", "", "F"]
    );
    let colors = [
        (Role::Dim, Color::Indexed(244)),
        (Role::Good, Color::Rgb(0, 255, 0)),
        (Role::Bad, Color::LightRed),
    ];
    assert_eq!(settings.colors, colors);
    assert_eq!(settings.columns.get("stack"), Some(&vec!["name", "memory"]));
    assert_eq!(Settings::parse("", "d.toml"), Ok(Settings::default()));
}

#[test]
fn all_findings_come_at_once_with_their_places() {
    let text = r##"themes = "dark"
theme = "drak"
mouse = 1
[keys]
restrat = "f5"
stop = "strg-x"
start = ["ctrl-x", 3, "7"]
stack.fautls = "F"
[colors]
god = "red"
bad = "gren"
dim = 256
good = []
[columns]
stak = []
stack = ["nmae", "cpu", "cpu", 5]
"##;
    insta::assert_snapshot!("findings", findings(text));
}

#[test]
fn one_key_for_two_commands_is_found() {
    insta::assert_snapshot!(
        "collisions",
        findings(
            "[keys]\nstart = \"x\"\nstop = [\"ctrl-x\", \"x\"]\n\"stack.faults\" = \"x\"\nshell = \"C\"\n"
        )
    );
    // A usual key of another command may be taken: it then has it no more.
    assert!(Settings::parse("[keys]\nrestart = \"s\"\n", "d.toml").is_ok());
    // Two screens never listen at once; and what gave its key away does not collide.
    assert!(Settings::parse("[keys]\nshell = \"Q\"\n\"stack.sort.rate\" = []\n", "d.toml").is_ok());
}

#[test]
fn what_is_no_toml_is_found_with_its_place_and_the_rest_too() {
    let found = findings("theme = \nmouse = 3\n[keys\n");
    assert!(found.contains("d.toml:1:"), "{found}");
    assert!(found.contains("d.toml:2:9: `mouse` is true or false"), "{found}");
    assert!(found.contains("this is no TOML"), "{found}");
    // Columns are characters, not bytes.
    let found = findings("mouse = \"日本\" x\n");
    assert!(found.starts_with("d.toml:1:14: "), "{found}");
}

#[test]
fn the_printed_settings_are_the_defaults() {
    let text = default_settings();
    assert_eq!(Settings::parse(&text, "d.toml"), Ok(Settings::default()));
    // With every line in force, it is the same again.
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let settings = Settings::parse(&all, "d.toml").unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!((settings.palette, settings.mouse), (Some(Palette::Dark), false));
    for spec in command::all() {
        let keys = settings.keys.get(&spec.id).unwrap();
        let usual: Vec<Key> = spec.keys.iter().map(|key| Key::parse(key).unwrap()).collect();
        assert_eq!(*keys, usual, "{}", spec.id.0);
    }
    for entry in REGISTRY.iter().filter(|e| !e.columns.is_empty()) {
        let names: Vec<&str> = entry.columns.iter().map(|c| c.name).collect();
        assert_eq!(settings.columns.get(entry.name), Some(&names));
    }
    assert_eq!(settings.colors.len(), Role::ALL.len());
}
