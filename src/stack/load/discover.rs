//! Which files make the stack.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::files::{Files, PathKind};
use super::request::LoadRequest;
use crate::stack::diagnostic::{Code, Finding, Findings, did_you_mean};
use crate::stack::scope::clean;

/// The names of a stack file, the preferred one first.
pub const DEFAULT_NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
/// The names of the file that is merged over it.
pub const OVERRIDE_NAMES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
/// The folder of stacks with names.
const STACKS: &str = "stacks";

/// A stack file that was found or given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StackFile {
    /// Absolute; `-` for standard input.
    pub(super) path: PathBuf,
}

impl StackFile {
    pub(super) fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

/// The files to read, in the order of merging; `None` with a finding where there are none.
pub(super) fn discover(
    request: &LoadRequest,
    variables: &HashMap<String, String>,
    files: &dyn Files,
    findings: &mut Findings,
) -> Option<Vec<StackFile>> {
    let here = &request.working_dir;
    if !request.files.is_empty() {
        return given(here, request.files.iter().map(String::as_str), files, findings);
    }
    if let Some(name) = &request.stack {
        return named_stack(here, name, files, findings);
    }
    if let Some(list) = variables.get("COMPOSE_FILE").filter(|l| !l.is_empty()) {
        let separator = variables
            .get("COMPOSE_PATH_SEPARATOR")
            .filter(|s| !s.is_empty())
            .map_or(":", String::as_str);
        return given(here, list.split(separator), files, findings);
    }
    let start = request
        .project_dir
        .as_ref()
        .map_or_else(|| here.clone(), |dir| clean(&here.join(dir)));
    if let Some(found) = by_default_name(&start, files, findings) {
        return Some(found);
    }
    in_stacks(&start, files, findings)
}

fn given<'a>(
    here: &Path,
    names: impl Iterator<Item = &'a str>,
    files: &dyn Files,
    findings: &mut Findings,
) -> Option<Vec<StackFile>> {
    let mut out = Vec::new();
    let mut complete = true;
    for name in names {
        if name == "-" {
            out.push(StackFile { path: "-".into() });
            continue;
        }
        let path = clean(&here.join(name));
        match files.kind(&path) {
            Some(PathKind::File) => out.push(StackFile { path }),
            Some(PathKind::Folder) => {
                complete = false;
                findings.push(Finding::error(
                    Code::NotFound,
                    format!("{} is a folder, not a stack file", path.display()),
                ));
            }
            None => {
                complete = false;
                let beside = path.parent().map(|folder| files.list(folder)).unwrap_or_default();
                let wanted = path
                    .file_name()
                    .map(|n| n.to_string_lossy().into_owned())
                    .unwrap_or_default();
                findings.push(
                    Finding::error(Code::NotFound, format!("no stack file {}", path.display()))
                        .help_opt(did_you_mean(&wanted, beside.iter().map(String::as_str))),
                );
            }
        }
    }
    complete.then_some(out)
}

/// A folder and those above it.
fn upwards(start: &Path) -> impl Iterator<Item = &Path> {
    start.ancestors()
}

fn by_default_name(start: &Path, files: &dyn Files, findings: &mut Findings) -> Option<Vec<StackFile>> {
    let here = |folder: &Path, names: &[&str]| -> Vec<PathBuf> {
        names
            .iter()
            .map(|name| folder.join(name))
            .filter(|path| files.kind(path) == Some(PathKind::File))
            .collect()
    };
    for folder in upwards(start) {
        let found = here(folder, &DEFAULT_NAMES);
        let Some(first) = found.first() else {
            continue;
        };
        let overrides = here(folder, &OVERRIDE_NAMES);
        for (candidates, what) in [(&found, "stack"), (&overrides, "override")] {
            if let [used, ignored @ ..] = candidates.as_slice()
                && !ignored.is_empty()
            {
                let ignored: Vec<_> = ignored.iter().map(|p| p.display().to_string()).collect();
                findings.push(Finding::warning(
                    Code::Suspicious,
                    format!(
                        "several {what} files: {} is used, {} is not",
                        used.display(),
                        ignored.join(", ")
                    ),
                ));
            }
        }
        let all = std::iter::once(first).chain(overrides.first());
        return Some(all.map(|path| StackFile { path: path.clone() }).collect());
    }
    None
}

/// The stacks in a folder: name and path.
fn stacks(folder: &Path, files: &dyn Files) -> Vec<(String, PathBuf)> {
    files
        .list(folder)
        .into_iter()
        .filter_map(|file| {
            let name = file
                .strip_suffix(".yaml")
                .or_else(|| file.strip_suffix(".yml"))?
                .to_owned();
            let path = folder.join(&file);
            (files.kind(&path) == Some(PathKind::File)).then_some((name, path))
        })
        .collect()
}

fn stacks_folder(start: &Path, files: &dyn Files) -> Option<(PathBuf, Vec<(String, PathBuf)>)> {
    upwards(start).find_map(|folder| {
        let folder = folder.join(STACKS);
        let found = stacks(&folder, files);
        (!found.is_empty()).then_some((folder, found))
    })
}

fn named_stack(
    here: &Path,
    name: &str,
    files: &dyn Files,
    findings: &mut Findings,
) -> Option<Vec<StackFile>> {
    let Some((folder, found)) = stacks_folder(here, files) else {
        findings.push(Finding::error(
            Code::NotFound,
            format!(
                "no stack `{name}`: there is no folder `{STACKS}` with stacks in {} or above",
                here.display()
            ),
        ));
        return None;
    };
    if let Some((_, path)) = found.iter().find(|(n, _)| n == name) {
        return Some(vec![StackFile { path: path.clone() }]);
    }
    let names: Vec<&str> = found.iter().map(|(n, _)| n.as_str()).collect();
    findings.push(
        Finding::error(
            Code::NotFound,
            format!("no stack `{name}` in {}", folder.display()),
        )
        .help_opt(did_you_mean(name, names.iter().copied()))
        .help(format!("there is: {}", names.join(", "))),
    );
    None
}

fn in_stacks(start: &Path, files: &dyn Files, findings: &mut Findings) -> Option<Vec<StackFile>> {
    let found = stacks_folder(start, files);
    match found.as_ref().map(|(folder, found)| (folder, found.as_slice())) {
        Some((_, [(_, only)])) => Some(vec![StackFile { path: only.clone() }]),
        Some((folder, several)) => {
            let names: Vec<&str> = several.iter().map(|(n, _)| n.as_str()).collect();
            findings.push(
                Finding::error(
                    Code::NotFound,
                    format!("{} holds several stacks: {}", folder.display(), names.join(", ")),
                )
                .help(format!(
                    "choose one: --stack {}",
                    names.first().copied().unwrap_or_default()
                )),
            );
            None
        }
        None => {
            findings.push(
                Finding::error(
                    Code::NotFound,
                    format!("no stack file in {} or above", start.display()),
                )
                .help(format!(
                    "looked for {}, then for one stack in {STACKS}/*.yaml",
                    DEFAULT_NAMES.join(", ")
                ))
                .help("name one with -f, or write the reference platform here: platform init"),
            );
            None
        }
    }
}
