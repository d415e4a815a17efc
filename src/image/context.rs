//! A build context as a tar file: what `.dockerignore` leaves, in a stable order, owned by root.
//!
//! Files are streamed, never held; symbolic links stay links and are never followed, so that
//! nothing outside the context gets in.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::ImageError;
use super::ignore::Ignore;
use crate::base::Secret;

/// What to pack.
#[derive(Debug)]
pub struct Context {
    /// The folder.
    pub root: PathBuf,
    /// What stays behind.
    pub ignore: Ignore,
    /// Files that are put in beside or in the place of the folder's: path within the context, content.
    pub files: Vec<(String, Secret<Vec<u8>>)>,
    /// Other folders that are put in.
    pub folders: Vec<Folder>,
}

/// Another folder in a context.
#[derive(Debug)]
pub struct Folder {
    /// What it is called in the context.
    pub name: String,
    /// Where it is.
    pub root: PathBuf,
    /// What stays behind.
    pub ignore: Ignore,
}

/// Something of a folder that is not ignored.
struct Found<'a> {
    /// Path within the folder.
    relative: &'a Path,
    path: PathBuf,
    meta: &'a Metadata,
}

/// After so many bytes progress is told and a wish to stop is noticed.
const REPORT_EVERY: u64 = 4 << 20;

impl Context {
    /// Reads the ignore file that holds for a build: `<Dockerfile>.dockerignore` beside the
    /// Dockerfile, else `.dockerignore` in the context.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn ignore_for(root: &Path, dockerfile: Option<&Path>) -> Result<Ignore, ImageError> {
        let specific = dockerfile.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        for path in specific.into_iter().chain([root.join(".dockerignore")]) {
            match fs::read(&path) {
                Ok(bytes) => {
                    return Ignore::parse(&String::from_utf8_lossy(&bytes))
                        .map_err(|source| ImageError::Ignore { path, source });
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(ImageError::io("reading", &path, e)),
            }
        }
        Ok(Ignore::default())
    }

    /// Writes the tar file; `progress` is given the bytes so far. Blocking; ends early, with an
    /// error, when `stop` is set.
    ///
    /// # Errors
    /// A file that cannot be read, or a full disk.
    pub fn pack(&self, out: &Path, stop: &AtomicBool, progress: &dyn Fn(u64)) -> Result<u64, ImageError> {
        let file = File::create(out).map_err(|e| ImageError::io("creating", out, e))?;
        let writer = Counting {
            inner: BufWriter::with_capacity(128 << 10, file),
            bytes: 0,
            told: 0,
            stop,
            progress,
        };
        let mut tar = tar::Builder::new(writer);
        for (name, content) in &self.files {
            let mut header = header(EntryType::Regular, 0o644, 0);
            header.set_size(content.expose().len() as u64);
            tar.append_data(&mut header, name, content.expose().as_slice())
                .map_err(|e| ImageError::io("writing", out, e))?;
        }
        walk(&self.root, &self.ignore, &mut |found| {
            let replaced = self
                .files
                .iter()
                .any(|(name, _)| Path::new(name) == found.relative);
            if replaced {
                return Ok(());
            }
            append(&mut tar, found).map_err(|e| ImageError::io("packing", &found.path, e))
        })?;
        for folder in &self.folders {
            let mut own = header(EntryType::Directory, 0o755, 0);
            tar.append_data(&mut own, &folder.name, io::empty())
                .map_err(|e| ImageError::io("writing", out, e))?;
            walk(&folder.root, &folder.ignore, &mut |found| {
                let inside = Found {
                    relative: &Path::new(&folder.name).join(found.relative),
                    path: found.path.clone(),
                    meta: found.meta,
                };
                append(&mut tar, &inside).map_err(|e| ImageError::io("packing", &found.path, e))
            })?;
        }
        let done = tar
            .into_inner()
            .and_then(|mut writer| writer.flush().map(|()| writer.bytes))
            .map_err(|e| ImageError::io("writing", out, e))?;
        Ok(done)
    }
}

/// A hash of everything in a folder that is not ignored: paths, kinds, execute bits, contents.
///
/// # Errors
/// A file that cannot be read.
pub fn hash_folder(root: &Path, ignore: &Ignore, into: &mut Sha256) -> Result<(), ImageError> {
    use std::os::unix::ffi::OsStrExt;
    let mut field = |bytes: &[u8]| {
        into.update((bytes.len() as u64).to_le_bytes());
        into.update(bytes);
    };
    walk(root, ignore, &mut |found| {
        let failed = |e| ImageError::io("reading", &found.path, e);
        field(found.relative.as_os_str().as_bytes());
        let kind = found.meta.file_type();
        if kind.is_symlink() {
            field(b"link");
            field(fs::read_link(&found.path).map_err(failed)?.as_os_str().as_bytes());
        } else if kind.is_dir() {
            field(b"dir");
        } else {
            field(if found.meta.mode() & 0o111 == 0 {
                b"file"
            } else {
                b"exec"
            });
            let mut content = Sha256::new();
            let mut reader = open(&found.path).map_err(failed)?;
            let mut buffer = vec![0; 64 << 10];
            loop {
                let n = reader.read(&mut buffer).map_err(failed)?;
                if n == 0 {
                    break;
                }
                content.update(buffer.get(..n).unwrap_or_default());
            }
            field(&content.finalize());
        }
        Ok(())
    })
}

type Visit<'v> = &'v mut dyn FnMut(&Found<'_>) -> Result<(), ImageError>;

fn walk(root: &Path, ignore: &Ignore, visit: Visit<'_>) -> Result<(), ImageError> {
    let mut held = Vec::new();
    walk_folder(root, Path::new(""), ignore, &mut held, visit)
}

/// `held`: ignored folders above, told only when something in them is not ignored.
fn walk_folder(
    root: &Path,
    folder: &Path,
    ignore: &Ignore,
    held: &mut Vec<(PathBuf, Metadata)>,
    visit: Visit<'_>,
) -> Result<(), ImageError> {
    let path = root.join(folder);
    let failed = |e| ImageError::io("reading", &path, e);
    let mut names = fs::read_dir(&path)
        .map_err(failed)?
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(failed)?;
    names.sort();
    for name in names {
        let relative = folder.join(&name);
        let path = root.join(&relative);
        let meta = match path.symlink_metadata() {
            Ok(meta) => meta,
            // Gone since the folder was read: an editor's temporary file.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(ImageError::io("reading", &path, e)),
        };
        let kind = meta.file_type();
        if kind.is_socket() || kind.is_fifo() || kind.is_block_device() || kind.is_char_device() {
            continue;
        }
        let text = relative.to_string_lossy();
        if !ignore.is_empty() && ignore.excludes(&text) {
            if kind.is_dir() && ignore.may_bring_back_below(&text) {
                let depth = held.len();
                held.push((relative.clone(), meta));
                walk_folder(root, &relative, ignore, held, visit)?;
                held.truncate(depth);
            }
            continue;
        }
        for (folder, meta) in held.drain(..) {
            visit(&Found {
                path: root.join(&folder),
                relative: &folder,
                meta: &meta,
            })?;
        }
        visit(&Found {
            relative: &relative,
            path,
            meta: &meta,
        })?;
        if kind.is_dir() {
            walk_folder(root, &relative, ignore, held, visit)?;
        }
    }
    Ok(())
}

fn append<W: Write>(tar: &mut tar::Builder<W>, found: &Found<'_>) -> io::Result<()> {
    let meta = found.meta;
    let kind = meta.file_type();
    let mode = meta.mode() & 0o7777;
    if kind.is_symlink() {
        let mut header = header(EntryType::Symlink, 0o777, meta.mtime());
        return tar.append_link(&mut header, found.relative, fs::read_link(&found.path)?);
    }
    if kind.is_dir() {
        let mut header = header(EntryType::Directory, mode, meta.mtime());
        return tar.append_data(&mut header, found.relative, io::empty());
    }
    let mut header = header(EntryType::Regular, mode, meta.mtime());
    header.set_size(meta.len());
    let mut reader = Exactly {
        inner: open(&found.path)?,
        left: meta.len(),
    };
    tar.append_data(&mut header, found.relative, &mut reader)
}

fn header(kind: EntryType, mode: u32, mtime: i64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(mtime).unwrap_or(0));
    header.set_size(0);
    header
}

fn open(path: &Path) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(no_follow.bits() as i32)
        .open(path)
}

/// Gives as many bytes as the header says: one that grows is cut, one that shrinks is an error,
/// since the archive could not be read any further.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|b| !b.is_empty()) else {
            return Ok(0);
        };
        let n = self.inner.read(buffer)?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it became shorter while it was read",
            ));
        }
        self.left -= n as u64;
        Ok(n)
    }
}

struct Counting<'a, W> {
    inner: W,
    bytes: u64,
    told: u64,
    stop: &'a AtomicBool,
    progress: &'a dyn Fn(u64),
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buffer)?;
        self.bytes += n as u64;
        if self.bytes - self.told >= REPORT_EVERY {
            self.told = self.bytes;
            (self.progress)(self.bytes);
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("stopped"));
            }
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    fn listing(context: &Context) -> String {
        let out = tempfile::NamedTempFile::new().unwrap();
        let bytes = context
            .pack(out.path(), &AtomicBool::new(false), &|_| {})
            .unwrap();
        assert_eq!(bytes, out.path().metadata().unwrap().len());
        let mut lines = String::new();
        let mut archive = tar::Archive::new(File::open(out.path()).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            let mode = header.mode().unwrap();
            let kind = header.entry_type();
            let path = entry.path().unwrap().display().to_string();
            let link = entry.link_name().unwrap().map(|l| l.display().to_string());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            lines.push_str(&format!(
                "{kind:?} {mode:o} {path} {}\n",
                link.unwrap_or(content).trim()
            ));
        }
        lines
    }

    #[test]
    fn packs_what_is_not_ignored_in_a_stable_order() {
        let dir = tree(&[
            (".dockerignore", "*\n!src\n!a/keep/*.txt\nsrc/gen\n!platform_*"),
            ("Dockerfile", "FROM original"),
            ("src/main.rs", "main"),
            ("src/gen/x", "x"),
            ("a/keep/one.txt", "1"),
            ("a/keep/two.bin", "2"),
            ("a/other/three.txt", "3"),
            ("node_modules/x/y", "y"),
        ]);
        fs::set_permissions(dir.path().join("src/main.rs"), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["src", "a", "a/keep"] {
            fs::set_permissions(dir.path().join(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(
            dir.path().join("a/keep/one.txt"),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        symlink("../../outside", dir.path().join("src/link")).unwrap();
        symlink("/etc", dir.path().join("src/dirlink")).unwrap();
        let context = Context {
            root: dir.path().to_owned(),
            ignore: Context::ignore_for(dir.path(), None).unwrap(),
            files: vec![("Dockerfile".to_owned(), Secret::new(b"FROM rewritten".to_vec()))],
            folders: Vec::new(),
        };
        insta::assert_snapshot!(listing(&context), @r"
        Regular 644 Dockerfile FROM rewritten
        Directory 755 a 
        Directory 755 a/keep 
        Regular 644 a/keep/one.txt 1
        Directory 755 src 
        Symlink 777 src/dirlink /etc
        Symlink 777 src/link ../../outside
        Regular 755 src/main.rs main
        ");
    }

    #[test]
    fn long_names_and_links_survive() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
        let dir = tree(&[(&long, "deep")]);
        symlink("t".repeat(150), dir.path().join("z")).unwrap();
        let context = Context {
            root: dir.path().to_owned(),
            ignore: Ignore::default(),
            files: Vec::new(),
            folders: Vec::new(),
        };
        let listing = listing(&context);
        assert!(listing.contains(&format!("{long} deep")), "{listing}");
        assert!(listing.contains(&"t".repeat(150)), "{listing}");
    }

    #[test]
    fn a_file_for_one_dockerfile_comes_before_the_folders_own() {
        let dir = tree(&[
            (".dockerignore", "a"),
            ("docker/X.dockerignore", "b"),
            ("bad/X.dockerignore", "["),
        ]);
        let of = |file: Option<&str>| {
            Context::ignore_for(dir.path(), file.map(|f| dir.path().join(f)).as_deref())
                .map(|i| i.excludes("a"))
        };
        assert!(of(None).unwrap());
        assert!(of(Some("docker/Y")).unwrap());
        assert!(!of(Some("docker/X")).unwrap());
        assert!(of(Some("bad/X")).is_err());
    }

    #[test]
    fn packing_stops_when_told() {
        let dir = tree(&[("big", "")]);
        File::create(dir.path().join("big"))
            .unwrap()
            .set_len(64 << 20)
            .unwrap();
        let context = Context {
            root: dir.path().to_owned(),
            ignore: Ignore::default(),
            files: Vec::new(),
            folders: Vec::new(),
        };
        let out = tempfile::NamedTempFile::new().unwrap();
        let stop = AtomicBool::new(false);
        let result = context.pack(out.path(), &stop, &|_| stop.store(true, Ordering::Relaxed));
        assert!(result.is_err());
        assert!(out.path().metadata().unwrap().len() < 16 << 20);
    }

    #[test]
    fn hashes_see_content_names_and_execute_bits_only() {
        let hash = |dir: &Path| {
            let mut hasher = Sha256::new();
            hash_folder(dir, &Ignore::default(), &mut hasher).unwrap();
            hasher.finalize()
        };
        let (one, two) = (tree(&[("a", "x"), ("b", "")]), tree(&[("a", "x"), ("b", "")]));
        assert_eq!(hash(one.path()), hash(two.path()));
        fs::set_permissions(two.path().join("b"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(hash(one.path()), hash(two.path()));
        assert_ne!(hash(one.path()), hash(tree(&[("a", ""), ("b", "x")]).path()));
        assert_ne!(hash(tree(&[("ab", "")]).path()), hash(tree(&[("a", "b")]).path()));
    }
}
