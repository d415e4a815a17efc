//! The dashboards of the stack: those whose folders its smoke tests name.

use std::path::PathBuf;
use std::sync::Arc;

use crate::event::live::board::Board;
use crate::metrics::Spans;
use crate::metrics::dashboard::Dashboard;
use crate::metrics::folder::{self, Stamp};
use crate::model::Project;
use crate::model::smoke::{Address, SmokeCheck};

/// A folder of dashboards, and who answers their queries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folder {
    path: PathBuf,
    at: Address,
}

/// A dashboard and who answers its queries.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) dashboard: Dashboard,
    pub(super) at: Address,
}

/// What was read of all folders.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) stamps: Vec<Stamp>,
    pub(super) sources: Vec<Source>,
    pub(super) boards: Result<Arc<Vec<Board>>, String>,
}

/// The folders that a stack names.
///
/// # Errors
/// Why there are none, for people.
pub(super) fn folders(project: Option<&Project>) -> Result<Vec<Folder>, String> {
    let Some(project) = project else {
        return Err("the stack's files are not at hand, which name the dashboards".to_owned());
    };
    let mut folders: Vec<Folder> = Vec::new();
    for test in &project.ext.smoke {
        if let SmokeCheck::Dashboards { folder, at } = &test.check {
            let folder = Folder {
                path: folder.clone(),
                at: at.clone(),
            };
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    if folders.is_empty() {
        return Err("the stack names no dashboards: a smoke test `dashboards` does".to_owned());
    }
    Ok(folders)
}

/// Reads all dashboards. Blocks.
pub(super) fn read(folders: &[Folder]) -> Read {
    let mut read = Read {
        stamps: stamps(folders),
        sources: Vec::new(),
        boards: Ok(Arc::default()),
    };
    let (mut boards, mut wrong) = (Vec::new(), Vec::new());
    for folder in folders {
        match folder::load(&folder.path) {
            Err(why) => wrong.push(why),
            Ok(loaded) => {
                wrong.extend(loaded.broken.iter().map(|(file, why)| format!("{file}: {why}")));
                for (file, dashboard) in loaded.dashboards {
                    boards.push(dashboard.board(&file, &Spans::default()));
                    let at = folder.at.clone();
                    read.sources.push(Source { dashboard, at });
                }
            }
        }
    }
    read.boards = if boards.is_empty() {
        Err(wrong.join("; "))
    } else {
        Ok(Arc::new(boards))
    };
    read
}

/// What tells whether files have changed. Blocks.
pub(super) fn stamps(folders: &[Folder]) -> Vec<Stamp> {
    folders.iter().map(|folder| folder::stamp(&folder.path)).collect()
}
