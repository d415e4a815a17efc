//! What a file is read with: the folder that its relative paths start from and the variables
//! that its values may take. An included file has its own.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::stack::interpolate::Variables;
use crate::stack::source::FileId;

/// What one file is read with.
#[derive(Debug)]
pub struct Scope {
    /// Folder of relative paths, absolute.
    pub base: PathBuf,
    /// Variables.
    pub variables: Rc<Variables>,
}

/// The scopes of all files.
#[derive(Debug)]
pub struct Scopes {
    main: Rc<Scope>,
    by_file: HashMap<FileId, Rc<Scope>>,
    home: Option<PathBuf>,
    as_written: bool,
}

impl Scopes {
    /// Scopes of which `main` is the one of files that no other was said for.
    pub fn new(main: Rc<Scope>, home: Option<PathBuf>) -> Self {
        Self {
            main,
            by_file: HashMap::new(),
            home,
            as_written: false,
        }
    }

    /// The same, where [`Scopes::host_path`] leaves paths as they are written.
    pub fn with_paths_as_written(mut self, as_written: bool) -> Self {
        self.as_written = as_written;
        self
    }

    /// Says the scope of a file.
    pub fn set(&mut self, file: FileId, scope: Rc<Scope>) {
        self.by_file.insert(file, scope);
    }

    /// The scope of a file.
    pub fn of(&self, file: FileId) -> &Scope {
        self.by_file.get(&file).unwrap_or(&self.main)
    }

    /// A path as written in a file, made absolute: `~` is the home folder, relative ones start
    /// from the file's base. Absolute ones stay as they are.
    pub fn path(&self, file: FileId, written: &str) -> PathBuf {
        absolute(&self.of(file).base, self.home.as_deref(), written)
    }

    /// A path as written in a file, where a path of Windows stays as it is. Where paths are not to be resolved,
    /// one of the project's folder stays as it is too, and one of another folder is relative to the project's.
    pub fn host_path(&self, file: FileId, written: &str) -> PathBuf {
        if is_windows_absolute(written) {
            return PathBuf::from(written);
        }
        if !self.as_written {
            return self.path(file, written);
        }
        if self.of(file).base == self.main.base {
            return PathBuf::from(written);
        }
        let path = self.path(file, written);
        if written.starts_with(['/', '~']) {
            return path;
        }
        relative(&path, &self.main.base)
    }
}

/// A written path made absolute.
pub fn absolute(base: &Path, home: Option<&Path>, written: &str) -> PathBuf {
    let written = match (written.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_path_buf(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(written),
    };
    if written.is_absolute() {
        return written;
    }
    clean(&base.join(written))
}

/// A path without `.` and `..`, by its text alone: symbolic links are not followed.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A path as seen from a folder, both absolute.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let shared = path
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let seen: PathBuf = up.chain(path.components().skip(shared)).collect();
    if seen.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    seen
}

/// `C:\…`, `C:/…` or `\\…`.
fn is_windows_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with(r"\\") || matches!(bytes, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute_by_their_text() {
        let at = |written: &str| {
            absolute(Path::new("/p/q"), Some(Path::new("/home/u")), written)
                .display()
                .to_string()
        };
        assert_eq!(at("a"), "/p/q/a");
        assert_eq!(at("./a/../b/"), "/p/q/b");
        assert_eq!(at("../../../../x"), "/x");
        assert_eq!(at("."), "/p/q");
        assert_eq!(at("~"), "/home/u");
        assert_eq!(at("~/x"), "/home/u/x");
        assert_eq!(at("~user/x"), "/p/q/~user/x");
        assert_eq!(at("/a/../b"), "/a/../b");
        assert!(is_windows_absolute(r"C:\x"));
        assert!(!is_windows_absolute("c:x"));
    }
}
