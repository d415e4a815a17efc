//! The dashboards of a folder.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::dashboard::{self, Dashboard};
use crate::probe::address::plain;

/// Bounds on what is read from a folder.
const MOST_FILES: usize = 500;
const LARGEST_FILE: u64 = 8 * 1024 * 1024;
const DEEPEST: usize = 8;

/// The dashboards of a folder, and the files that are none.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Each with its file's path within the folder, in the order of the paths.
    pub dashboards: Vec<(String, Dashboard)>,
    /// Files that are no dashboards, and why.
    pub broken: Vec<(String, String)>,
}

/// What tells whether a folder's files have changed: path, size and time of the last change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

/// Reads every `.json` file under a folder. Blocks.
///
/// # Errors
/// A folder that cannot be read or has no such file, for people.
pub fn load(folder: &Path) -> Result<Loaded, String> {
    let files = files(folder)?;
    if files.is_empty() {
        return Err(format!("{} has no .json file", folder.display()));
    }
    let mut loaded = Loaded::default();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        let too_large = std::fs::metadata(&file).is_ok_and(|m| m.len() > LARGEST_FILE);
        let read = if too_large {
            Err("the file is too large".to_owned())
        } else {
            std::fs::read_to_string(&file)
                .map_err(|e| plain(&e))
                .and_then(|text| dashboard::read(&text))
        };
        match read {
            Ok(dashboard) => loaded.dashboards.push((name, dashboard)),
            Err(why) => loaded.broken.push((name, why)),
        }
    }
    Ok(loaded)
}

/// The stamp of a folder; empty where it cannot be read. Blocks.
pub fn stamp(folder: &Path) -> Stamp {
    let of = |path: PathBuf| {
        let found = std::fs::metadata(&path).ok();
        let size = found.as_ref().map_or(0, std::fs::Metadata::len);
        let changed = found.and_then(|m| m.modified().ok());
        (path, size, changed)
    };
    Stamp(files(folder).unwrap_or_default().into_iter().map(of).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    gather(folder, 0, &mut files)?;
    files.sort();
    Ok(files)
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |e: std::io::Error| format!("{}: {}", folder.display(), plain(&e));
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() && depth < DEEPEST {
            gather(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|e| e == "json") {
            if files.len() == MOST_FILES {
                return Err(format!(
                    "{} has more than {MOST_FILES} dashboards",
                    folder.display()
                ));
            }
            files.push(path);
        }
    }
    Ok(())
}
