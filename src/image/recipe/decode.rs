//! `recipe.yaml` → [`Recipe`]. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::Path;

use super::yaml::{Map, Value, read};
use super::{DEFAULT_TIMEOUT, Kind, Need, Recipe, RootFs, VERSION_FILE};
use crate::base::parse_duration;
use crate::model::labels;

/// Where (line, from 1) and what is wrong.
pub(super) type Wrong = (Option<usize>, String);

const COMMON: [&str; 7] = [
    "recipe",
    "kind",
    "provides",
    "title",
    "timeout",
    "version_file",
    "stand_in",
];
const ROOTFS: [&str; 5] = ["run", "environment", "tools", "files", "config"];
const DOCKERFILE: [&str; 2] = ["dockerfile", "context"];
const CONFIG: [&str; 9] = [
    "cmd",
    "entrypoint",
    "env",
    "user",
    "working_dir",
    "expose",
    "volumes",
    "stop_signal",
    "labels",
];

pub(super) fn decode(text: &str, folder: &Path) -> Result<Recipe, Wrong> {
    let map = match read(text)? {
        Value::Map(map) => map,
        other => return Err((None, format!("expected a mapping, found {}", other.describe()))),
    };
    let version = require(&map, "recipe")?.text("recipe")?;
    if version != "1" {
        return Err((
            map.line("recipe"),
            format!("recipe {version} is not known; this program reads recipe 1"),
        ));
    }
    let kind = require(&map, "kind")?.text("kind")?;
    let own: &[&str] = match kind {
        "rootfs" => &ROOTFS,
        "dockerfile" => &DOCKERFILE,
        other => {
            return Err((
                map.line("kind"),
                format!("kind {other:?} is not known; expected `rootfs` or `dockerfile`"),
            ));
        }
    };
    only(
        &map,
        &[&COMMON[..], own].concat(),
        &format!("a recipe of kind {kind}"),
    )?;

    let provides = optional_text(&map, "provides")?;
    let title = optional_text(&map, "title")?;
    let timeout = match optional_text(&map, "timeout")? {
        None => DEFAULT_TIMEOUT,
        Some(text) => parse_duration(&text)
            .map_err(|expected| (map.line("timeout"), format!("timeout: expected {expected}")))?,
    };
    let stand_in = match optional_text(&map, "stand_in")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err((
                map.line("stand_in"),
                "stand_in: expected true or false".to_owned(),
            ));
        }
    };
    let kind = if kind == "rootfs" {
        Kind::RootFs(rootfs(&map)?)
    } else {
        Kind::Dockerfile {
            dockerfile: optional_text(&map, "dockerfile")?.unwrap_or_else(|| "Dockerfile".to_owned()),
            context: optional_text(&map, "context")?,
        }
    };
    Ok(Recipe {
        folder: folder.to_owned(),
        title: title
            .or_else(|| provides.clone())
            .unwrap_or_else(|| folder.display().to_string()),
        provides,
        timeout,
        version_file: optional_text(&map, "version_file")?.unwrap_or_else(|| VERSION_FILE.to_owned()),
        stand_in,
        kind,
    })
}

fn rootfs(map: &Map) -> Result<RootFs, Wrong> {
    let run = texts(map, "run")?;
    if run.is_empty() {
        return Err((
            map.line("run"),
            "run: expected the command that writes the tar".to_owned(),
        ));
    }
    let changes = match map.get("config") {
        None => Vec::new(),
        Some(Value::Map(config)) => changes(config)?,
        Some(other) => {
            return Err((
                map.line("config"),
                format!("config: expected a mapping, found {}", other.describe()),
            ));
        }
    };
    Ok(RootFs {
        run,
        environment: pairs(map, "environment")?,
        tools: needs(map, "tools", "command")?,
        files: needs(map, "files", "path")?,
        changes,
    })
}

/// An image's configuration as Dockerfile instructions, which is how an import takes it.
fn changes(config: &Map) -> Result<Vec<String>, Wrong> {
    only(config, &CONFIG, "config")?;
    let mut changes = Vec::new();
    for (key, instruction) in [("entrypoint", "ENTRYPOINT"), ("cmd", "CMD")] {
        if config.get(key).is_some() {
            changes.push(format!("{instruction} {}", json(&texts(config, key)?)));
        }
    }
    for (name, value) in pairs(config, "env")? {
        changes.push(format!("ENV {name}={}", quoted(&value)));
    }
    for (key, instruction) in [
        ("user", "USER"),
        ("working_dir", "WORKDIR"),
        ("stop_signal", "STOPSIGNAL"),
    ] {
        if let Some(value) = optional_text(config, key)? {
            changes.push(format!("{instruction} {value}"));
        }
    }
    for port in texts(config, "expose")? {
        changes.push(format!("EXPOSE {port}"));
    }
    let volumes = texts(config, "volumes")?;
    if !volumes.is_empty() {
        changes.push(format!("VOLUME {}", json(&volumes)));
    }
    for (name, value) in pairs(config, "labels")? {
        changes.push(label(&name, &value));
    }
    if changes.iter().any(|c| c.contains('\n')) {
        return Err((None, "config: a value spans several lines".to_owned()));
    }
    Ok(changes)
}

/// A `LABEL` instruction.
fn label(name: &str, value: &str) -> String {
    format!("LABEL {name}={}", quoted(value))
}

fn json(list: &[String]) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// A word of a Dockerfile that means exactly `text`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => out.extend(['\\', c]),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn only(map: &Map, known: &[&str], of: &str) -> Result<(), Wrong> {
    match map.entries().find(|(key, _)| !known.contains(key)) {
        None => Ok(()),
        Some((key, line)) => {
            let near = known.iter().min_by_key(|k| strsim::levenshtein(k, key));
            let hint = near
                .filter(|k| strsim::levenshtein(k, key) <= 2)
                .map(|k| format!("; did you mean `{k}`?"))
                .unwrap_or_default();
            Err((line, format!("`{key}` is not a key of {of}{hint}")))
        }
    }
}

fn require<'m>(map: &'m Map, key: &str) -> Result<&'m Value, Wrong> {
    map.get(key).ok_or_else(|| (None, format!("`{key}` is missing")))
}

fn optional_text(map: &Map, key: &str) -> Result<Option<String>, Wrong> {
    map.get(key)
        .map(|value| {
            value
                .text(key)
                .map(str::to_owned)
                .map_err(|(_, m)| (map.line(key), m))
        })
        .transpose()
}

fn texts(map: &Map, key: &str) -> Result<Vec<String>, Wrong> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(Value::List(items)) => items
            .iter()
            .map(|item| {
                item.text(key)
                    .map(str::to_owned)
                    .map_err(|(_, m)| (map.line(key), m))
            })
            .collect(),
        Some(other) => Err((
            map.line(key),
            format!("{key}: expected a list, found {}", other.describe()),
        )),
    }
}

fn pairs(map: &Map, key: &str) -> Result<BTreeMap<String, String>, Wrong> {
    match map.get(key) {
        None => Ok(BTreeMap::new()),
        Some(Value::Map(inner)) => inner
            .entries()
            .map(|(name, line)| {
                let value = inner.get(name).map_or(Ok(""), |v| v.text(key));
                value
                    .map(|v| (name.to_owned(), v.to_owned()))
                    .map_err(|(_, m)| (line, m))
            })
            .collect(),
        Some(other) => Err((
            map.line(key),
            format!("{key}: expected a mapping, found {}", other.describe()),
        )),
    }
}

fn needs(map: &Map, key: &str, name_key: &str) -> Result<Vec<Need>, Wrong> {
    let items = match map.get(key) {
        None => return Ok(Vec::new()),
        Some(Value::List(items)) => items,
        Some(_) => return Err((map.line(key), format!("{key}: expected a list"))),
    };
    items
        .iter()
        .map(|item| {
            let Value::Map(item) = item else {
                return Err((
                    map.line(key),
                    format!("{key}: expected {{{name_key}: …, package: …}}"),
                ));
            };
            only(item, &[name_key, "package"], key)?;
            Ok(Need {
                name: require(item, name_key)?.text(name_key)?.to_owned(),
                package: package(item)?,
            })
        })
        .collect()
}

/// A package's name goes onto a command line, so it must be one.
fn package(item: &Map) -> Result<String, Wrong> {
    let name = require(item, "package")?.text("package")?;
    let valid = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
    if valid {
        Ok(name.to_owned())
    } else {
        Err((
            item.line("package"),
            format!("package: {name:?} is not a package's name"),
        ))
    }
}

/// The `LABEL` instructions of an imported image.
pub(in crate::image) fn provenance_labels(hash: &str, source: &str, version: Option<&str>) -> Vec<String> {
    let mut out = vec![
        label(labels::RECIPE_HASH, hash),
        label(labels::IMAGE_SOURCE, source),
    ];
    out.extend(version.map(version_label));
    out
}

/// The `LABEL` instruction that keeps an image's version.
pub(in crate::image) fn version_label(version: &str) -> String {
    label(labels::IMAGE_VERSION, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let (line, message) = decode(text, Path::new("/r")).unwrap_err();
        format!(
            "{}: {message}",
            line.map_or_else(|| "-".to_owned(), |l| l.to_string())
        )
    }

    #[test]
    fn a_root_file_system_recipe_is_read_in_full() {
        let recipe = decode(
            "recipe: 1\nkind: rootfs\nprovides: debian:trixie-slim\ntitle: Debian\nrun: [sh, build.sh]\n\
             environment: {PLATFORM_SUITE: trixie}\ntools:\n  - {command: mmdebstrap, package: mmdebstrap}\n\
             files:\n  - {path: /k.gpg, package: debian-archive-keyring}\ntimeout: 10m\n\
             config:\n  cmd: [bash, \"a\\\"b\"]\n  env: {PATH: \"/bin:$X\"}\n  expose: [80]\n  volumes: [/data]\n",
            Path::new("/r"),
        )
        .unwrap();
        assert_eq!(recipe.timeout.as_secs(), 600);
        let Kind::RootFs(rootfs) = recipe.kind else {
            panic!("{recipe:?}")
        };
        assert_eq!(rootfs.run, ["sh", "build.sh"]);
        assert_eq!(rootfs.tools[0].package, "mmdebstrap");
        assert_eq!(rootfs.files[0].name, "/k.gpg");
        insta::assert_snapshot!(rootfs.changes.join("\n"), @r#"
        CMD ["bash","a\"b"]
        ENV PATH="/bin:\$X"
        EXPOSE 80
        VOLUME ["/data"]
        "#);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(message("- 1"), "-: expected a mapping, found a list");
        assert_eq!(message("kind: rootfs"), "-: `recipe` is missing");
        assert_eq!(
            message("recipe: 2\nkind: x"),
            "1: recipe 2 is not known; this program reads recipe 1"
        );
        assert_eq!(
            message("recipe: 1\nkind: x"),
            "2: kind \"x\" is not known; expected `rootfs` or `dockerfile`"
        );
        assert_eq!(
            message("recipe: 1\nkind: dockerfile\nrun: [x]"),
            "3: `run` is not a key of a recipe of kind dockerfile"
        );
        assert_eq!(
            message("recipe: 1\nkind: rootfs\nrum: [x]"),
            "3: `rum` is not a key of a recipe of kind rootfs; did you mean `run`?"
        );
        assert_eq!(
            message("recipe: 1\nkind: rootfs\nrun: []"),
            "3: run: expected the command that writes the tar"
        );
        assert_eq!(
            message("recipe: 1\nkind: rootfs\nrun: [x]\ntools: [{command: a, package: \"-o x\"}]"),
            "4: package: \"-o x\" is not a package's name"
        );
        assert_eq!(
            message("recipe: 1\nkind: rootfs\nrun: [x]\ntimeout: soon"),
            "4: timeout: expected a duration such as 1m30s, 10s or 250ms"
        );
        assert!(message("recipe: [").starts_with('1'), "{}", message("recipe: ["));
    }
}
