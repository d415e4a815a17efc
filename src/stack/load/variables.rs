//! The variables of a project: the environment, then environment files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::files::{Files, PathKind};
use super::request::LoadRequest;
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::dotenv;
use crate::stack::scope::clean;
use crate::stack::source::{SourceMap, Span};

/// Variables as they come together; what is set first stays.
pub(super) struct Collected {
    shown_from: PathBuf,
    pub(super) variables: HashMap<String, String>,
    /// The files that were read, absolute.
    pub(super) files: Vec<PathBuf>,
}

impl Collected {
    pub(super) fn new(environment: &HashMap<String, String>, shown_from: &Path) -> Self {
        Self {
            shown_from: shown_from.to_path_buf(),
            variables: environment.clone(),
            files: Vec::new(),
        }
    }

    /// Reads the files that were asked for, or else `.env` in `folder` where there is one.
    pub(super) fn read(
        &mut self,
        request: &LoadRequest,
        folder: &Path,
        files: &dyn Files,
        sources: &mut SourceMap,
        findings: &mut Findings,
    ) {
        let asked = asked_for(request);
        let paths = if asked.is_empty() {
            let default = folder.join(".env");
            let wanted = !is_disabled(request, findings)
                && files.kind(&default) == Some(PathKind::File)
                && !self.files.contains(&default);
            wanted.then_some(default).into_iter().collect()
        } else {
            asked
                .into_iter()
                .filter(|path| !self.files.contains(path))
                .collect()
        };
        self.add(paths, files, sources, findings);
    }

    /// Adds files: later ones win over earlier ones, and what is set already over all.
    pub(super) fn add(
        &mut self,
        paths: Vec<PathBuf>,
        files: &dyn Files,
        sources: &mut SourceMap,
        findings: &mut Findings,
    ) {
        let mut found: HashMap<String, String> = HashMap::new();
        for path in paths {
            let Some(text) = read_text(&path, files, findings) else {
                continue;
            };
            let id = sources.add(shown(&path, &self.shown_from), &path, text.clone());
            let known = |name: &str| self.variables.get(name).or_else(|| found.get(name)).cloned();
            match dotenv::parse(&text, &known) {
                Ok(file) => {
                    for (key, value) in file.variables {
                        found.insert(key, value);
                    }
                }
                Err(error) => findings.push(
                    Finding::error(Code::EnvFile, error.message).at(Span::new(id, error.at..error.at + 1)),
                ),
            }
            self.files.push(path);
        }
        for (key, value) in found {
            self.variables.entry(key).or_insert(value);
        }
    }
}

/// `--env-file`, else `COMPOSE_ENV_FILES`; absolute.
fn asked_for(request: &LoadRequest) -> Vec<PathBuf> {
    let absolute = |path: &Path| clean(&request.working_dir.join(path));
    if !request.env_files.is_empty() {
        return request.env_files.iter().map(|p| absolute(p)).collect();
    }
    match request.environment.get("COMPOSE_ENV_FILES") {
        Some(list) if !list.is_empty() => list.split(',').map(|p| absolute(Path::new(p.trim()))).collect(),
        _ => Vec::new(),
    }
}

fn is_disabled(request: &LoadRequest, findings: &mut Findings) -> bool {
    match request
        .environment
        .get("COMPOSE_DISABLE_ENV_FILE")
        .map(String::as_str)
    {
        None | Some("") => false,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
        Some(other) => {
            findings.push(Finding::error(
                Code::Value,
                format!("COMPOSE_DISABLE_ENV_FILE must be true or false, found {other:?}"),
            ));
            false
        }
    }
}

/// A path as it is named to people who are in a folder.
pub(super) fn shown(path: &Path, from: &Path) -> String {
    path.strip_prefix(from).unwrap_or(path).display().to_string()
}

/// An environment file as text.
pub(super) fn read_text(path: &Path, files: &dyn Files, findings: &mut Findings) -> Option<String> {
    let shown = path.display();
    let problem = match files.kind(path) {
        None => format!("no environment file {shown}"),
        Some(PathKind::Folder) => format!("{shown} is a folder, not an environment file"),
        Some(PathKind::File) => match files.read(path) {
            Err(error) => format!("cannot read {shown}: {error}"),
            Ok(bytes) if bytes.len() > crate::stack::tree::MAX_BYTES => format!("{shown} is too long"),
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return Some(text),
                Err(_) => format!("{shown} is not UTF-8 text"),
            },
        },
    };
    findings.push(Finding::error(Code::Read, problem));
    None
}
