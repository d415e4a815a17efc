//! What the fuzz targets do with an input. `tests/fuzz.rs` of the main package replays the corpus
//! and every input that was once a finding through the same functions.
//!
//! They use what the library shows to everyone, and panic where it breaks a promise.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use platform::stack::diagnostic::{RenderStyle, render_all};
use platform::stack::load::{PathKind, load_undecoded};
use platform::stack::{Files, LoadRequest, dotenv as env_file, interpolate, load, render};

/// The folder that stacks are in.
const FOLDER: &str = "/p";

/// What begins a file in an input of [`stack`]: a line of this and the file's path. What comes
/// before the first is `compose.yaml`.
const FILE: &str = "#== ";

/// Files in memory; every folder above a file is there.
#[derive(Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    /// The files of an input.
    fn of(data: &[u8]) -> Self {
        let mut files = BTreeMap::new();
        let mut path = Path::new(FOLDER).join("compose.yaml");
        let mut content = Vec::new();
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            if let Some(name) = line.strip_prefix(FILE.as_bytes()) {
                let name = String::from_utf8_lossy(name);
                let next = Path::new(FOLDER).join(name.trim());
                files.insert(std::mem::replace(&mut path, next), std::mem::take(&mut content));
            } else {
                content.extend_from_slice(line);
            }
        }
        files.insert(path, content);
        Self(files)
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn kind(&self, path: &Path) -> Option<PathKind> {
        if self.0.contains_key(path) {
            return Some(PathKind::File);
        }
        let is_folder = self.0.keys().any(|file| file.starts_with(path));
        is_folder.then_some(PathKind::Folder)
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let inside = self.0.keys().filter(|file| file.parent() == Some(folder));
        inside
            .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
            .collect()
    }
}

fn request() -> LoadRequest {
    LoadRequest {
        working_dir: FOLDER.into(),
        environment: HashMap::from([("HOME".to_owned(), "/home/u".to_owned())]),
        profiles: vec!["*".to_owned()],
        ..LoadRequest::default()
    }
}

/// Loads files, decoded and with variables in place; findings have to be printable, and a project
/// is there exactly where nothing is wrong.
fn loaded(files: &Memory) {
    let request = request();
    let loaded = load(&request, files);
    assert_eq!(loaded.project.is_some(), loaded.errors().next().is_none());
    let _ = render_all(&loaded.findings, &loaded.sources, RenderStyle::default());
    if let Some(project) = &loaded.project {
        let _ = render::project_json(project);
        read_again(&render::project_yaml(project));
    }
    let mut undecoded = request;
    undecoded.skip.interpolation = true;
    let loaded = load_undecoded(&undecoded, files);
    let _ = render_all(&loaded.findings, &loaded.sources, RenderStyle::default());
    if let Some(model) = &loaded.project {
        let _ = render::to_yaml(model);
    }
}

/// What `config` prints is a stack, and the same one.
fn read_again(yaml: &str) {
    let mut files = Memory::default();
    files
        .0
        .insert(Path::new(FOLDER).join("compose.yaml"), yaml.into());
    let loaded = load(&request(), &files);
    let findings = render_all(&loaded.findings, &loaded.sources, RenderStyle::default());
    let again = loaded.project.as_ref().map(render::project_yaml);
    assert_eq!(again.as_deref(), Some(yaml), "{findings}");
}

/// A stack of one or more files.
pub fn stack(data: &[u8]) {
    loaded(&Memory::of(data));
}

/// An environment file in both its formats.
pub fn dotenv(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let environment = |name: &str| (name == "HOME").then(|| "/home/u".to_owned());
    for parsed in [
        env_file::parse(text, &environment),
        env_file::parse_raw(text, &environment),
    ] {
        match parsed {
            Ok(file) => assert!(file.variables.iter().all(|(name, _)| !name.is_empty())),
            Err(error) => assert!(error.at <= text.len(), "{error:?}"),
        }
    }
}

/// A text with variables.
pub fn interpolation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lookup = |name: &str| match name {
        "A" => Some("value"),
        "B" => Some(""),
        _ => None,
    };
    let mut unset = Vec::new();
    let value = interpolate::substitute(text, &lookup, &mut unset);
    if !text.contains('$') {
        assert_eq!(value.as_deref(), Ok(text));
    }
    for name in interpolate::names_in(text) {
        for range in interpolate::expressions(text, &name) {
            assert!(
                text.get(range.clone()).is_some_and(|part| part.starts_with('$')),
                "{range:?}"
            );
        }
    }
}

/// Where short forms stand in a stack, `@` for each, and examples of them, behind tabs. `seed.sh`
/// makes seeds of it.
const SHORT_FORMS: &str = include_str!("short_forms.tsv");

/// A value in a short form: the first byte says which, the rest is the value.
pub fn short_forms(data: &[u8]) {
    let Some((first, value)) = data.split_first() else {
        return;
    };
    let Ok(value) = std::str::from_utf8(value) else {
        return;
    };
    let places: Vec<&str> = SHORT_FORMS
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let place = places[usize::from(first.wrapping_sub(b' ')) % places.len()];
    let stack = format!(
        "{{services: {{s: {{image: i, {}}}}}}}",
        place.replace('@', &quoted(value))
    );
    loaded(&Memory::of(stack.as_bytes()));
}

/// A text as a YAML scalar in double quotes, which no line break ends.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
