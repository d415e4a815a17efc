//! The way from a request to a project.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::discover::{StackFile, discover};
use super::files::Files;
use super::request::{LoadRequest, Loaded};
use super::service_files;
use super::variables::{Collected, shown};
use crate::stack::decode::{self, decode};
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::interpolate::{Variables, interpolate};
use crate::stack::merge::{self, Merger};
use crate::stack::resolve::{self, NameSource, Places, Wanted, project_name};
use crate::stack::scope::{Scope, Scopes, clean};
use crate::stack::source::{FileId, SourceMap, Span};
use crate::stack::tree::{MAX_BYTES, MAX_NODES, Node, Resolved, Value, compose, within_limits};

/// Loads a project.
pub fn load(request: &LoadRequest, files: &dyn Files) -> Loaded {
    let mut findings = Findings::default();
    let mut sources = SourceMap::default();
    let mut known = HashMap::new();
    let project = run(request, files, &mut sources, &mut findings, &mut known);
    Loaded {
        project: project.filter(|_| !findings.has_errors()),
        findings: findings.into_sorted(),
        sources,
        variables: known,
    }
}

fn run(
    request: &LoadRequest,
    files: &dyn Files,
    sources: &mut SourceMap,
    findings: &mut Findings,
    known: &mut HashMap<String, String>,
) -> Option<crate::model::Project> {
    let mut collected = Collected::new(&request.environment, &request.working_dir);
    let first_folder = project_dir(request, &[]);
    if request.files.is_empty() {
        // COMPOSE_FILE may stand in an .env here.
        collected.read(request, &first_folder, files, sources, findings);
    }
    let stack_files = discover(request, &collected.variables, files, findings)?;
    let working_dir = project_dir(request, &stack_files);
    collected.read(request, &working_dir, files, sources, findings);

    let mut texts = Vec::new();
    for file in &stack_files {
        if let Some(id) = read_source(&file.path, &request.working_dir, files, sources, findings) {
            texts.push((id, documents(id, sources, findings)));
        }
    }
    let name = find_name(
        request,
        &collected.variables,
        &texts,
        &working_dir,
        sources,
        findings,
    )?;
    let Collected {
        mut variables,
        files: env_files,
        ..
    } = collected;
    variables
        .entry("COMPOSE_PROJECT_NAME".to_owned())
        .or_insert_with(|| name.as_str().to_owned());
    known.clone_from(&variables);

    let home = request.environment.get("HOME").map(PathBuf::from);
    let scope = Rc::new(Scope {
        base: working_dir.clone(),
        variables: Rc::new(variables),
    });
    let mut assembly = Assembly {
        files,
        sources,
        findings,
        scopes: Scopes::new(Rc::clone(&scope), home),
        shown_from: request.working_dir.clone(),
        merger: Merger::default(),
        extended: HashMap::new(),
        included: HashMap::new(),
        including: stack_files.iter().map(|f| f.path.clone()).collect(),
    };
    let mut merged: Option<Rc<Node>> = None;
    for (id, documents) in texts {
        for document in documents? {
            assembly.add_document(id, &document, &scope, &mut merged);
        }
    }
    let Assembly { scopes, .. } = assembly;
    let Some(root) = merged else {
        if !findings.has_errors() {
            findings.push(Finding::error(Code::Missing, "the stack file is empty"));
        }
        return None;
    };

    if !within_limits(&root) {
        findings.push(
            Finding::error(
                Code::Limit,
                format!("more than {MAX_NODES} values, aliases, `extends` and `include` written out"),
            )
            .at(root.span),
        );
        return None;
    }
    let mut decoded = decode(&root, &scopes, findings);
    let profiles = if request.profiles.is_empty() {
        let listed = scope.variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
        listed
            .split(',')
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect()
    } else {
        request.profiles.clone()
    };
    let wanted = Wanted {
        name,
        working_dir,
        files: stack_files.into_iter().map(|f| f.path).collect(),
        env_files,
        profiles,
        asked: request.services.clone(),
    };
    let service_files = service_files::Wanted::take(&mut decoded);
    let places = Places::new(&root);
    let mut project = resolve::complete(decoded, &wanted, places, findings);
    project.places = places.of_project(&project, sources);
    service_files.read_into(&mut project, &scope.variables, files, sources, findings);
    resolve::check(&mut project, places, findings);
    service_files::digests(&mut project, places, files, findings);
    Some(project)
}

/// The project's folder, as far as it is known before anything is read: `None` where no stack is
/// found.
pub fn folder(request: &LoadRequest, files: &dyn Files) -> Option<PathBuf> {
    let mut silent = Findings::default();
    let found = discover(request, &request.environment, files, &mut silent)?;
    Some(project_dir(request, &found))
}

/// The project's folder: as asked for, else that of the first file, else the one we are in.
fn project_dir(request: &LoadRequest, stack_files: &[StackFile]) -> PathBuf {
    let here = &request.working_dir;
    match &request.project_dir {
        Some(dir) => clean(&here.join(dir)),
        None => stack_files
            .iter()
            .find(|f| !f.is_stdin())
            .and_then(|f| f.path.parent())
            .map_or_else(|| here.clone(), Path::to_path_buf),
    }
}

/// Reads a file into the sources, with its name as people know it.
pub(super) fn read_source(
    path: &Path,
    shown_from: &Path,
    files: &dyn Files,
    sources: &mut SourceMap,
    findings: &mut Findings,
) -> Option<FileId> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin {
        "<stdin>".to_owned()
    } else {
        shown(path, shown_from)
    };
    let content = if is_stdin {
        files.read_stdin()
    } else {
        files.read(path)
    };
    let bytes = match content {
        Ok(bytes) => bytes,
        Err(error) => {
            findings.push(Finding::error(Code::Read, format!("cannot read {name}: {error}")));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Some(sources.add(name, path, text))
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&error.into_bytes()[..at.min(MAX_BYTES)]).into_owned();
            let id = sources.add(name, path, text);
            findings.push(
                Finding::error(Code::Syntax, "the file is not UTF-8 text").at(Span::new(id, at..at + 1)),
            );
            None
        }
    }
}

/// The documents of a file that are not empty.
pub(super) fn documents(id: FileId, sources: &SourceMap, findings: &mut Findings) -> Option<Vec<Rc<Node>>> {
    let text = std::sync::Arc::clone(&sources.file(id)?.text);
    let mut documents = compose(&text, id, findings)?;
    documents.retain(|d| !d.is_null());
    for document in &documents {
        if document.mapping().is_none() {
            findings.push(
                Finding::error(
                    Code::Type,
                    format!("a stack file must be a mapping, found {}", document.describe()),
                )
                .at(document.span),
            );
            return None;
        }
    }
    Some(documents)
}

/// The project's name, from the request, the environment, the last file that says one, or the folder.
fn find_name(
    request: &LoadRequest,
    variables: &Variables,
    texts: &[(FileId, Option<Vec<Rc<Node>>>)],
    working_dir: &Path,
    sources: &SourceMap,
    findings: &mut Findings,
) -> Option<crate::base::ProjectName> {
    let written = texts
        .iter()
        .flat_map(|(_, documents)| documents.iter().flatten())
        .filter_map(|document| document.get("name"))
        .next_back();
    let mut silent = Findings::default();
    let node = written.map(|entry| interpolate(&entry.node, variables, sources, &mut silent));
    let in_file = node.as_ref().and_then(|node| match node.resolved() {
        Some(Resolved::Text(text)) => Some(text.to_owned()),
        _ => None,
    });
    let given = project_name(
        request.project_name.as_deref(),
        variables.get("COMPOSE_PROJECT_NAME").map(String::as_str),
        in_file.as_deref(),
        working_dir,
    );
    match given {
        Ok(name) => Some(name),
        Err((source, text)) => {
            let from = match source {
                NameSource::Argument => "-p",
                NameSource::Environment => "COMPOSE_PROJECT_NAME",
                NameSource::File => "`name`",
                NameSource::Folder => "the project's folder",
            };
            let mut finding = Finding::error(
                Code::ProjectName,
                format!("{from} gives no project name: {text:?}"),
            )
            .help("a name has lower-case letters, digits, `-` and `_`, and begins with a letter or a digit");
            if source == NameSource::File
                && let Some(node) = node
            {
                finding = finding.at(node.span);
            }
            if source == NameSource::Folder {
                finding = finding.help("give one with -p or `name: …`");
            }
            findings.push(finding);
            None
        }
    }
}

/// Files of a project as they are put together.
pub(super) struct Assembly<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) sources: &'a mut SourceMap,
    pub(super) findings: &'a mut Findings,
    pub(super) scopes: Scopes,
    pub(super) shown_from: PathBuf,
    pub(super) merger: Merger,
    /// Files read for `extends`, by path: interpolated, with services not yet extended.
    pub(super) extended: HashMap<PathBuf, Option<Rc<Node>>>,
    /// Results of `include`, by paths and project folder.
    pub(super) included: HashMap<(Vec<PathBuf>, PathBuf), Option<Rc<Node>>>,
    /// The files being included, to find cycles.
    pub(super) including: Vec<PathBuf>,
}

impl Assembly<'_> {
    /// Runs the stages on one document and merges it over what is there.
    pub(super) fn add_document(
        &mut self,
        id: FileId,
        document: &Rc<Node>,
        scope: &Rc<Scope>,
        merged: &mut Option<Rc<Node>>,
    ) {
        self.scopes.set(id, Rc::clone(scope));
        let tree = interpolate(document, &scope.variables, self.sources, self.findings);
        let tree = self.extend_all(&tree);
        let tree = self.include_all(&tree);
        *merged = Some(match merged.take() {
            None => merge::without_resets(&tree),
            Some(base) => self.merger.merge(&base, &tree, self.findings),
        });
    }

    /// Reads a file for `include` or `extends`.
    pub(super) fn read(&mut self, path: &Path, scope: &Rc<Scope>) -> Option<(FileId, Vec<Rc<Node>>)> {
        let id = read_source(path, &self.shown_from, self.files, self.sources, self.findings)?;
        self.scopes.set(id, Rc::clone(scope));
        Some((id, documents(id, self.sources, self.findings)?))
    }
}

/// A table with one entry replaced.
pub(super) fn with_entry(node: &Rc<Node>, key: &str, value: Rc<Node>) -> Rc<Node> {
    let Value::Mapping(table) = &node.value else {
        return Rc::clone(node);
    };
    let mut table = table.clone();
    if let Some(entry) = table.get_mut(key) {
        entry.node = value;
    }
    Rc::new(Node {
        value: Value::Mapping(table),
        span: node.span,
        tag: node.tag,
    })
}

pub(super) type DecodedStack = decode::Decoded;
