//! The harness of this room's tests: files in, text out.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use super::diagnostic::{RenderStyle, render_all};
use super::load::{Files, LoadRequest, Loaded, PathKind, Skip, load, load_undecoded};
use super::render;

/// Files in memory; every folder above a file is there.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        self.read(Path::new("-"))
    }

    fn kind(&self, path: &Path) -> Option<PathKind> {
        if self.files.contains_key(path) {
            return Some(PathKind::File);
        }
        let is_folder = self.files.keys().any(|file| file.starts_with(path));
        is_folder.then_some(PathKind::Folder)
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        self.files
            .keys()
            .filter(|file| file.parent() == Some(folder))
            .filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()))
            .collect()
    }
}

/// A load to be tried: files under `/p`, where it also runs.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) files: Memory,
    pub(crate) request: LoadRequest,
}

impl Case {
    /// With one stack file.
    pub(crate) fn new(stack: impl AsRef<[u8]>) -> Self {
        Self::empty().file("compose.yaml", stack)
    }

    /// Without files.
    pub(crate) fn empty() -> Self {
        Self {
            files: Memory::default(),
            request: LoadRequest {
                working_dir: "/p".into(),
                environment: HashMap::from([("HOME".to_owned(), "/home/u".to_owned())]),
                ..LoadRequest::default()
            },
        }
    }

    /// One more file; `-` is standard input.
    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = if path == "-" {
            PathBuf::from(path)
        } else {
            Path::new("/p").join(path)
        };
        self.files.files.insert(path, content.as_ref().to_vec());
        self
    }

    /// One more variable of the environment.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.request.environment.insert(key.to_owned(), value.to_owned());
        self
    }

    /// One more `-f`.
    pub(crate) fn arg(mut self, file: &str) -> Self {
        self.request.files.push(file.to_owned());
        self
    }

    /// One more `--profile`.
    pub(crate) fn profile(mut self, profile: &str) -> Self {
        self.request.profiles.push(profile.to_owned());
        self
    }

    /// What the load gives.
    pub(crate) fn load(&self) -> Loaded {
        load(&self.request, &self.files)
    }

    /// With these steps left out.
    pub(crate) fn skip(mut self, skip: Skip) -> Self {
        self.request.skip = skip;
        self
    }

    /// The stack with its variables in place as YAML, or the findings where there is none.
    pub(crate) fn undecoded(mut self) -> String {
        self.request.skip.interpolation = true;
        let loaded = load_undecoded(&self.request, &self.files);
        match loaded.project {
            Some(model) => render::to_yaml(&model),
            None => render_all(&loaded.findings, &loaded.sources, RenderStyle::default()),
        }
    }

    /// The findings as text.
    pub(crate) fn findings(&self) -> String {
        let loaded = self.load();
        assert_eq!(loaded.project.is_some(), loaded.errors().next().is_none());
        render_all(&loaded.findings, &loaded.sources, RenderStyle::default())
    }

    /// The project as YAML, or the findings where there is none.
    pub(crate) fn yaml(&self) -> String {
        match self.load().project {
            Some(project) => render::project_yaml(&project),
            None => self.findings(),
        }
    }

    /// A part of the project as JSON in one line, by its path, for example `/services/a/ports`.
    pub(crate) fn part(&self, pointer: &str) -> String {
        match self.load().project {
            Some(project) => render::to_value(&project)
                .pointer(pointer)
                .map_or_else(|| "nothing".to_owned(), ToString::to_string),
            None => self.findings(),
        }
    }
}
