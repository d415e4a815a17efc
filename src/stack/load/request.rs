//! What is asked for, and what comes back.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::model::Project;
use crate::stack::diagnostic::{Code, Finding, Severity};
use crate::stack::source::SourceMap;

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// The folder that the command runs in, absolute.
    pub working_dir: PathBuf,
    /// `-f`, in order; `-` is standard input.
    pub files: Vec<String>,
    /// Whether `files` come from `COMPOSE_FILE`: `.env` in `working_dir` is then read before the one beside them.
    pub files_by_variable: bool,
    /// `--stack`: a name under `stacks/`.
    pub stack: Option<String>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--project-directory`.
    pub project_dir: Option<PathBuf>,
    /// `--profile`; `*` is all.
    pub profiles: Vec<String>,
    /// `--env-file`, in order.
    pub env_files: Vec<PathBuf>,
    /// The process environment. `COMPOSE_FILE`, `COMPOSE_PATH_SEPARATOR`, `COMPOSE_PROFILES`,
    /// `COMPOSE_PROJECT_NAME`, `COMPOSE_ENV_FILES`, `COMPOSE_DISABLE_ENV_FILE` and `HOME` have
    /// their own meaning.
    pub environment: HashMap<String, String>,
    /// Services named on the command line: they take part whatever their profiles.
    pub services: Vec<String>,
    /// Whether networks, volumes, configs and secrets take part that no active service uses.
    pub all_resources: bool,
    /// Steps to leave out.
    pub skip: Skip,
}

/// Steps of loading that may be left out, as the `--no-…` options of `config` ask for it. What is then loaded is
/// for looking at, not for running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skip {
    /// Variables stay as they are written.
    pub interpolation: bool,
    /// What is implied is not written out: the default network, full names, dependencies by links, the name of
    /// the Dockerfile.
    pub normalization: bool,
    /// Relative paths stay as they are written; those of other folders are relative to the project's.
    pub paths: bool,
    /// Environment files of services are named, not read.
    pub env_files: bool,
    /// The parts are not checked against each other.
    pub consistency: bool,
}

/// What a load gives: always findings and sources, and a project where nothing was wrong.
#[derive(Debug, Clone)]
pub struct Loaded<T = Project> {
    /// The project, in the form that was asked for; `None` where there is an error among the findings.
    pub project: Option<T>,
    /// What was found, errors first.
    pub findings: Vec<Finding>,
    /// The texts that findings point into.
    pub sources: SourceMap,
    /// What variables in the stack are replaced with: the environment, and environment files.
    pub variables: HashMap<String, String>,
}

impl<T> Loaded<T> {
    /// Whether there simply is no stack here, as opposed to one that is wrong.
    pub fn is_not_found(&self) -> bool {
        self.findings.iter().any(|f| f.code == Code::NotFound)
    }

    /// The findings of errors.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Error)
    }

    /// The findings of warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Warning)
    }
}
