//! Temporary folders that never outlive their use for long: removed when dropped, and those of
//! killed runs swept by the next one. Removal never crosses into another file system, so that a
//! mount somebody left below cannot be emptied.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "platform-image-";

/// A folder of our own, readable by us only.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a folder below `parent`, and removes those of processes that no longer live.
    ///
    /// # Errors
    /// Of the file system.
    pub fn new(parent: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(parent);
        let pid = std::process::id();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{pid}-{number}"));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes folders whose process is gone and that belong to us.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let user = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|n| n.strip_prefix(PREFIX))
            .and_then(|n| n.split_once('-'))
            .and_then(|(pid, _)| pid.parse::<i32>().ok())
            .and_then(rustix::process::Pid::from_raw);
        let Some(pid) = pid else { continue };
        let gone = rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        let ours = entry
            .path()
            .symlink_metadata()
            .is_ok_and(|m| m.is_dir() && m.uid() == user);
        if gone && ours {
            remove(&entry.path());
        }
    }
}

/// Removes a tree as far as it lies on one file system; what cannot be removed stays.
fn remove(path: &Path) {
    let Ok(meta) = path.symlink_metadata() else { return };
    remove_below(path, meta.dev());
    if let Err(error) = fs::remove_dir(path) {
        tracing::warn!(path = %path.display(), %error, "temporary folder was not removed");
    }
}

fn remove_below(folder: &Path, device: u64) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        if meta.dev() != device {
            continue;
        }
        if meta.is_dir() {
            remove_below(&path, device);
            fs::remove_dir(&path).ok();
        } else {
            fs::remove_file(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_go_with_their_value_and_with_their_process() {
        let parent = tempfile::tempdir().unwrap();
        // A process id above the kernel's limit: nobody's.
        let dead = parent.path().join(format!("{PREFIX}2147483646-0"));
        fs::create_dir_all(dead.join("a/b")).unwrap();
        fs::write(dead.join("a/file"), "x").unwrap();
        let other = parent.path().join("platform-image-mine");
        fs::create_dir(&other).unwrap();

        let scratch = Scratch::new(parent.path()).unwrap();
        assert!(!dead.exists() && other.exists());
        assert_eq!(
            fs::metadata(scratch.path()).unwrap().mode() & 0o777,
            0o700,
            "readable by us only"
        );
        let second = Scratch::new(parent.path()).unwrap();
        assert_ne!(scratch.path(), second.path());
        let path = scratch.path().to_owned();
        fs::create_dir(path.join("d")).unwrap();
        std::os::unix::fs::symlink("/etc", path.join("d/link")).unwrap();
        drop(scratch);
        assert!(!path.exists() && Path::new("/etc/passwd").exists());
    }
}
