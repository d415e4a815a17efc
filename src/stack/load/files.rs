//! The door to the file system.

use std::io::{self, Read};
use std::path::Path;

use crate::stack::tree::MAX_BYTES;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A file, or something that is read like one (a pipe).
    File,
    /// A folder.
    Folder,
}

/// Reads files. Nothing is written, and nothing but what a stack names is read.
pub trait Files {
    /// The content of a file, at most a little more than [`MAX_BYTES`].
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Standard input to its end, at most a little more than [`MAX_BYTES`].
    ///
    /// # Errors
    /// As the system says.
    fn read_stdin(&self) -> io::Result<Vec<u8>>;

    /// What stands at a path, links followed; `None` for nothing.
    fn kind(&self, path: &Path) -> Option<PathKind>;

    /// The names in a folder, sorted; none where it cannot be read.
    fn list(&self, folder: &Path) -> Vec<String>;
}

/// The machine's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// One byte more than allowed tells that it is too long.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        bounded(std::fs::File::open(path)?)
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        bounded(io::stdin().lock())
    }

    fn kind(&self, path: &Path) -> Option<PathKind> {
        let about = std::fs::metadata(path).ok()?;
        Some(if about.is_dir() {
            PathKind::Folder
        } else {
            PathKind::File
        })
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .map(|entries| {
                entries
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }
}
