//! Files of this machine as a tar for a container, and a container's tar as files here.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::engine::{ByteStream, TarStream};

/// So many pieces are under way between the two sides.
const PIECES: usize = 16;
/// So large is a piece at most.
const PIECE: usize = 64 << 10;

/// What is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its last name.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Whether what is in it is meant, not itself (`folder/.`).
    pub contents: bool,
}

/// Where something is copied to: a folder, and the name in it; without a name the source's contents go
/// straight into the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder, which is there.
    pub folder: String,
    /// The name in it.
    pub name: Option<String>,
}

/// Where a source goes by docker's rules. `there` tells what is at `to`: whether it is a folder, `None` for
/// nothing.
///
/// # Errors
/// Why it cannot go there.
pub fn place(source: &Source, to: &str, there: Option<bool>) -> Result<Place, String> {
    let trimmed = to.trim_end_matches('/');
    let beside = || {
        let path = Path::new(if trimmed.is_empty() { "/" } else { trimmed });
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => Ok(Place {
                folder: folder.to_string_lossy().into_owned(),
                name: Some(name.to_string_lossy().into_owned()),
            }),
            _ => Err(format!("{to} is no name for a copy")),
        }
    };
    match there {
        Some(true) => Ok(Place {
            folder: to.to_owned(),
            name: (!source.contents).then(|| source.name.clone()),
        }),
        Some(false) if source.is_dir => Err(format!("{to} is a file, and {} a folder", source.name)),
        Some(false) if to.ends_with('/') => Err(format!("{to} is no folder")),
        None if !source.is_dir && to.ends_with('/') => Err(format!("there is no folder {to}")),
        Some(false) | None => beside(),
    }
}

/// Looks at a path of this machine; with `follow` a link is what it leads to.
///
/// # Errors
/// Where there is nothing.
pub fn look(path: &str, follow: bool) -> io::Result<Source> {
    let contents = path.ends_with("/.") || path == ".";
    // What ends like a folder's path is meant as one.
    let found = if follow || contents || path.ends_with('/') {
        fs::metadata(path)?
    } else {
        fs::symlink_metadata(path)?
    };
    let name = match Path::new(path).file_name() {
        Some(name) if !contents => name.to_owned(),
        _ => fs::canonicalize(path)?
            .file_name()
            .map_or_else(|| OsString::from("."), OsString::from),
    };
    Ok(Source {
        name: name.to_string_lossy().into_owned(),
        is_dir: found.is_dir(),
        contents,
    })
}

/// A path of this machine as a tar, under `name`; without one its contents.
pub fn pack(path: PathBuf, follow: bool, name: Option<String>) -> TarStream {
    written(move |pieces| {
        pack_into(pieces, &path, follow, name.as_deref())
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    })
}

/// What somebody writes, on a thread of its own, as a stream.
pub fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> TarStream {
    let (sender, mut receiver) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let failed = sender.clone();
        if let Err(error) = write(&mut Pieces { sender }) {
            // Whoever reads may be gone; then nobody wants to know.
            let _ = failed.blocking_send(Err(error));
        }
    });
    futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
}

fn pack_into(pieces: &mut dyn Write, path: &Path, follow: bool, name: Option<&str>) -> io::Result<()> {
    let mut tar = tar::Builder::new(io::BufWriter::with_capacity(PIECE, pieces));
    tar.follow_symlinks(false);
    tar.sparse(false);
    let path = if follow {
        fs::canonicalize(path)?
    } else {
        path.to_owned()
    };
    let is_dir = match name {
        Some(_) if !path.to_string_lossy().ends_with('/') => fs::symlink_metadata(&path)?.is_dir(),
        _ => fs::metadata(&path)?.is_dir(),
    };
    let name = name.unwrap_or(".");
    if is_dir {
        tar.append_dir_all(name, &path)?;
    } else {
        tar.append_path_with_name(&path, name)?;
    }
    tar.into_inner()?.flush()
}

/// The writing end of a tar, piece by piece.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        self.sender
            .blocking_send(Ok(Bytes::copy_from_slice(piece)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a container's tar as files; each entry's first name is the copied path's own.
///
/// # Errors
/// The engine's, as one of reading; what cannot be written, or leads out of the place.
pub async fn unpack(mut tar: ByteStream, to: Place, owners: bool) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel(PIECES);
    let writing = tokio::task::spawn_blocking(move || {
        let mut bytes = Received {
            receiver,
            left: Bytes::new(),
        };
        let unpacked = unpack_from(&mut bytes, &to, owners);
        // The padding at the end is read too, else the sender would find nobody.
        io::copy(&mut bytes, &mut io::sink())?;
        unpacked
    });
    while let Some(piece) = tar.next().await {
        let piece = piece.map_err(io::Error::other);
        let broken = piece.is_err();
        if sender.send(piece).await.is_err() || broken {
            break;
        }
    }
    drop(sender);
    writing.await.map_err(io::Error::other)?
}

/// The reading end of a tar.
struct Received {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    left: Bytes,
}

impl Read for Received {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.left = piece?,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.left.len());
        self.left.copy_to_slice(into.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

fn unpack_from(tar: impl Read, to: &Place, owners: bool) -> io::Result<()> {
    let folder = Path::new(&to.folder);
    let base = to
        .name
        .as_ref()
        .map_or_else(|| folder.to_owned(), |name| folder.join(name));
    let mut archive = tar::Archive::new(tar);
    archive.set_preserve_ownerships(owners);
    let mut folders: Vec<(PathBuf, u32, u64)> = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = below(&base, &entry.path()?)?;
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        no_links_between(&base, &path).map_err(named)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            match fs::create_dir(&path) {
                // A folder that is there is filled; a link to one is somewhere else.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && (path == base || is_folder(&path)) => {
                }
                other => other.map_err(named)?,
            }
            // Set at the end: it may forbid what is still to be written.
            folders.push((path, entry.header().mode()?, entry.header().mtime()?));
        } else if kind.is_hard_link() {
            let link = entry
                .link_name()?
                .ok_or_else(|| io::Error::other("a hard link to nothing"))?;
            let original = below(&base, &link)?;
            no_links_between(&base, &original).map_err(named)?;
            if fs::symlink_metadata(&path).is_ok() {
                fs::remove_file(&path).map_err(named)?;
            }
            fs::hard_link(original, &path).map_err(named)?;
        } else if kind.is_file() || kind.is_symlink() || kind.is_contiguous() || kind.is_gnu_sparse() {
            if kind.is_symlink() && fs::symlink_metadata(&path).is_ok() {
                fs::remove_file(&path).map_err(named)?;
            }
            entry.unpack(&path).map(drop).map_err(named)?;
        }
        // Devices and pipes are left out: they are of no use here.
    }
    for (path, mode, modified) in folders.into_iter().rev() {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o777))?;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        // Its time is a courtesy.
        let _ = fs::File::open(&path).and_then(|folder| folder.set_modified(modified));
    }
    Ok(())
}

/// An entry's place: its first name stands for `base`.
fn below(base: &Path, entry: &Path) -> io::Result<PathBuf> {
    let mut out = base.to_owned();
    let names = entry.components().filter(|part| *part != Component::CurDir);
    for part in names.skip(1) {
        match part {
            Component::Normal(name) => out.push(name),
            _ => {
                let text = format!("{} leads out of the archive", entry.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
    }
    Ok(out)
}

/// No folder between the two may be a link, which would lead elsewhere.
fn no_links_between(base: &Path, path: &Path) -> io::Result<()> {
    let within = |folder: &&Path| folder.starts_with(base) && *folder != base;
    for folder in path.ancestors().skip(1).take_while(within) {
        if !is_folder(folder) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a link on its way leads elsewhere",
            ));
        }
    }
    Ok(())
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(is_dir: bool, contents: bool) -> Source {
        Source {
            name: "src".into(),
            is_dir,
            contents,
        }
    }

    #[test]
    fn copies_go_where_docker_puts_them() {
        let check = |source: Source, to, there| match place(&source, to, there) {
            Ok(Place { folder, name }) => format!("{folder} {}", name.as_deref().unwrap_or("-")),
            Err(why) => why,
        };
        assert_eq!(check(source(false, false), "/tmp", Some(true)), "/tmp src");
        assert_eq!(check(source(true, true), "/tmp", Some(true)), "/tmp -");
        assert_eq!(check(source(true, true), "/new", None), "/ new");
        assert_eq!(check(source(true, false), "/a/new/", None), "/a new");
        assert_eq!(check(source(false, false), "/a/file", Some(false)), "/a file");
        assert_eq!(
            check(source(false, false), "/a/none/", None),
            "there is no folder /a/none/"
        );
        assert_eq!(
            check(source(true, false), "/a/file", Some(false)),
            "/a/file is a file, and src a folder"
        );
    }

    #[tokio::test]
    async fn a_folder_comes_out_as_it_went_in() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("src");
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/file"), "x".repeat(200_000)).unwrap();
        fs::set_permissions(from.join("sub/file"), fs::Permissions::from_mode(0o750)).unwrap();
        fs::set_permissions(from.join("sub"), fs::Permissions::from_mode(0o555)).unwrap();
        std::os::unix::fs::symlink("sub/file", from.join("link")).unwrap();
        let tar = pack(from, false, Some("src".into()));
        let tar = tar.map(|piece| Ok(piece.unwrap())).boxed();
        let to = Place {
            folder: dir.path().display().to_string(),
            name: Some("copy".into()),
        };
        unpack(tar, to, false).await.unwrap();
        let copy = dir.path().join("copy");
        assert_eq!(fs::read(copy.join("sub/file")).unwrap().len(), 200_000);
        assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("sub/file"));
        let mode = |path: &str| fs::metadata(copy.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("sub"), mode("sub/file")), (0o555, 0o750));
        for folder in ["src/sub", "copy/sub"] {
            fs::set_permissions(dir.path().join(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        let dir = tempfile::tempdir().unwrap();
        let to = Place {
            folder: dir.path().join("in").display().to_string(),
            name: None,
        };
        fs::create_dir(dir.path().join("in")).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        let mut evil = tar::Builder::new(Vec::new());
        header.set_entry_type(tar::EntryType::Symlink);
        evil.append_link(&mut header, "root/away", dir.path()).unwrap();
        header.set_entry_type(tar::EntryType::Regular);
        evil.append_data(&mut header, "root/away/file", io::empty())
            .unwrap();
        let error = unpack_from(&*evil.into_inner().unwrap(), &to, false).unwrap_err();
        assert!(error.to_string().contains("leads elsewhere"), "{error}");
        assert!(!dir.path().join("file").exists());
        assert!(below(Path::new("/x"), Path::new("root/../y")).is_err());
    }
}
