//! Environment files that settle how the program behaves, before any stack is read.

use std::path::{Path, PathBuf};

use super::super::args::GlobalArgs;
use super::super::env::{self, Environment};
use super::{StackSource, comma_list, stack_source};
use crate::stack::{self, LoadRequest};

/// The environment with what the project's environment files say about how the program behaves: the
/// files that were named, else `.env` in the project's folder and in the one that the command runs in.
#[must_use]
pub fn with_env_files(args: &GlobalArgs, env: Environment) -> Environment {
    // Which files are read is settled by now.
    const SETTLED: [&str; 4] = [
        env::COMPOSE_ENV_FILES,
        env::COMPOSE_DISABLE_ENV_FILE,
        env::COMPOSE_FILE,
        env::COMPOSE_PATH_SEPARATOR,
    ];
    let named: Vec<PathBuf> = match env.get(env::COMPOSE_ENV_FILES) {
        Some(list) if args.env_files.is_empty() => comma_list(list).into_iter().map(PathBuf::from).collect(),
        _ => args.env_files.clone(),
    };
    if !named.is_empty() {
        let files: Vec<PathBuf> = named.iter().map(|file| env.absolute(file)).collect();
        return env.with_files(&files, &SETTLED[..2]);
    }
    if env.is_true(env::COMPOSE_DISABLE_ENV_FILE) {
        return env;
    }
    let beside = args.files.first().filter(|file| **file != Path::new("-"));
    let (folder, is_known) = match (
        args.project_directory.as_deref(),
        beside.and_then(|file| file.parent()),
    ) {
        (Some(folder), _) | (None, Some(folder)) => (env.absolute(folder), true),
        (None, None) => (env.absolute(Path::new("")), false),
    };
    let env = env.with_files(&[folder.join(".env")], &SETTLED[..2]);
    if is_known {
        return env;
    }
    match folder_of_stack(args, &env).filter(|found| *found != folder) {
        Some(found) => env.with_files(&[found.join(".env")], &SETTLED),
        None => env,
    }
}

/// The folder of the stack that is used where none is named by an argument.
fn folder_of_stack(args: &GlobalArgs, env: &Environment) -> Option<PathBuf> {
    let (files, stack) = match stack_source(args, env).ok()? {
        StackSource::Files(files) => (files, None),
        StackSource::Named(name) => (Vec::new(), Some(name)),
        StackSource::Search => (Vec::new(), None),
    };
    let request = LoadRequest {
        working_dir: env.absolute(Path::new("")),
        files: files.iter().map(|f| f.to_string_lossy().into_owned()).collect(),
        stack,
        ..LoadRequest::default()
    };
    stack::load::folder(&request, &stack::Disk)
}
