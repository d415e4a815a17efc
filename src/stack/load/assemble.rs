//! The way from a request to one tree: files found, read and put together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::discover::{StackFile, discover};
use super::files::Files;
use super::request::LoadRequest;
use super::variables::{Collected, shown};
use crate::base::ProjectName;
use crate::stack::decode;
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::interpolate::{Variables, interpolate};
use crate::stack::merge::{self, Merger};
use crate::stack::resolve::{NameSource, project_name};
use crate::stack::scope::{Scope, Scopes, clean};
use crate::stack::source::{FileId, SourceMap, Span};
use crate::stack::tree::{MAX_BYTES, MAX_NODES, Node, Resolved, Value, compose, within_limits};

/// What every step reads with and adds to.
pub(super) struct Loading<'f> {
    pub(super) files: &'f dyn Files,
    pub(super) sources: SourceMap,
    pub(super) findings: Findings,
}

/// A stack in one tree.
pub(super) struct Assembled {
    pub(super) root: Rc<Node>,
    pub(super) scopes: Scopes,
    /// That of the files which were given.
    pub(super) scope: Rc<Scope>,
    pub(super) name: ProjectName,
    pub(super) stack_files: Vec<PathBuf>,
    pub(super) env_files: Vec<PathBuf>,
}

/// Finds and reads the files and puts them together; `known` gets the variables.
pub(super) fn assemble(
    request: &LoadRequest,
    loading: &mut Loading<'_>,
    known: &mut HashMap<String, String>,
) -> Option<Assembled> {
    let Loading {
        files,
        sources,
        findings,
    } = loading;
    let files = *files;
    let mut collected = Collected::new(&request.environment, &request.working_dir);
    let first_folder = match request.files_by_variable && request.project_dir.is_none() {
        true => request.working_dir.clone(),
        false => project_dir(request, &[]),
    };
    if request.files.is_empty() || request.files_by_variable {
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
        base: working_dir,
        variables: Rc::new(variables),
    });
    let mut assembly = Assembly {
        files,
        sources,
        findings,
        scopes: Scopes::new(Rc::clone(&scope), home).with_paths_as_written(request.skip.paths),
        shown_from: request.working_dir.clone(),
        merger: Merger::with_listed_pairs(request.skip.interpolation),
        interpolates: !request.skip.interpolation,
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
    Some(Assembled {
        root,
        scopes,
        scope,
        name,
        stack_files: stack_files.into_iter().map(|f| f.path).collect(),
        env_files,
    })
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
    let node = written.map(|entry| match request.skip.interpolation {
        false => interpolate(&entry.node, variables, sources, &mut silent),
        true => Rc::clone(&entry.node),
    });
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
    /// Whether variables are put in.
    pub(super) interpolates: bool,
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
        let tree = self.interpolated(document, scope);
        let tree = self.extend_all(&tree);
        let tree = self.include_all(&tree);
        *merged = Some(match merged.take() {
            None => merge::without_resets(&tree),
            Some(base) => self.merger.merge(&base, &tree, self.findings),
        });
    }

    /// A document with variables put in, where they are to be.
    pub(super) fn interpolated(&mut self, document: &Rc<Node>, scope: &Scope) -> Rc<Node> {
        if self.interpolates {
            interpolate(document, &scope.variables, self.sources, self.findings)
        } else {
            Rc::clone(document)
        }
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
