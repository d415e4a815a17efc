//! What services take from the host beside their definition: the contents of the configuration
//! files they mount. A changed file changes what is wanted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::base::ServiceName;
use crate::model::render::hex;
use crate::model::{MountKind, Project};

/// A bound file larger than this is data, not configuration.
const LARGEST_FILE: u64 = 1 << 20;
/// A bound folder with more files than this, or more bytes, is data or source code.
const MOST_FILES: usize = 256;
const LARGEST_FOLDER: u64 = 4 << 20;

/// Digests of the configuration that each service binds from the host: single files, and folders
/// that are mounted read-only and are small. What cannot be read is left out; the engine will
/// say why it cannot be mounted.
pub fn bound_files(project: &Project) -> BTreeMap<ServiceName, Vec<(String, String)>> {
    let mut known: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for (name, service) in &project.services {
        let mut files = Vec::new();
        for mount in &service.volumes {
            let MountKind::Bind { source, .. } = &mount.kind else {
                continue;
            };
            let digest = known
                .entry(source.clone())
                .or_insert_with(|| digest(source, mount.read_only))
                .clone();
            if let Some(digest) = digest {
                files.push((mount.target.clone(), digest));
            }
        }
        if !files.is_empty() {
            all.insert(name.clone(), files);
        }
    }
    all
}

fn digest(path: &Path, read_only: bool) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if found.is_file() {
        return (found.len() <= LARGEST_FILE)
            .then(|| fs::read(path).ok())
            .flatten()
            .map(|bytes| hex(&Sha256::digest(bytes)));
    }
    if !found.is_dir() || !read_only {
        return None;
    }
    let mut files = Vec::new();
    let mut bytes = 0;
    walk(path, &mut files, &mut bytes)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).ok()?;
        let name = file
            .strip_prefix(path)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    Some(hex(&hash.finalize()))
}

/// Collects the regular files below a folder, links not followed; `None` past the limits.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, bytes: &mut u64) -> Option<()> {
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            walk(&entry.path(), files, bytes)?;
        } else if kind.is_file() {
            *bytes += entry.metadata().ok()?.len();
            files.push(entry.path());
            if files.len() > MOST_FILES || *bytes > LARGEST_FOLDER {
                return None;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_small_read_only_folder_count_by_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("sub")).unwrap();
        fs::write(path.join("a"), "1").unwrap();
        fs::write(path.join("sub/b"), "2").unwrap();
        let before = digest(path, true);
        assert!(before.is_some());
        assert_eq!(digest(path, true), before);
        assert_eq!(digest(path, false), None);
        fs::write(path.join("sub/b"), "3").unwrap();
        assert_ne!(digest(path, true), before);
        assert!(digest(&path.join("a"), false).is_some());
        assert_eq!(digest(&path.join("missing"), false), None);
    }

    #[test]
    fn what_is_too_large_is_data() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MOST_FILES {
            fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        assert_eq!(digest(folder.path(), true), None);
    }
}
