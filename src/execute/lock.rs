//! One run at a time of one project on one engine.
//!
//! An advisory lock (`flock`) on a small file: the kernel gives it back when the holder ends,
//! however it ends, so that no lock is ever stale. The file is never removed; what is written in
//! it only tells people who the holder is.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::stop::{Stop, StopLevel};
use crate::base::{Clock, ProjectName};
use crate::model::render::hex;

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// How long a holder may take to write its name before it is announced without one.
const NAMELESS: Duration = Duration::from_millis(500);
/// A holder's description is not longer than this.
const LONGEST: u64 = 4096;

/// What is locked, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct LockRequest<'a> {
    /// The folder of the lock files; see [`folder`].
    pub folder: &'a Path,
    /// What tells the engine from others, where it has such a thing: two addresses of it are one then.
    pub identity: Option<&'a str>,
    /// The engine's address, which counts where there is no identity.
    pub endpoint: &'a str,
    /// The project.
    pub project: &'a ProjectName,
    /// What the run is, for those who wait (`platform up -d`).
    pub command: &'a str,
}

/// A held lock; given back when dropped.
#[derive(Debug)]
pub struct ProjectLock {
    // Closing the file gives the lock back.
    _file: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: i32,
    /// What it runs.
    pub command: String,
    /// Since when, local time, for people.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` (process {}, since {})",
            self.command, self.pid, self.since
        )
    }
}

/// Why a lock was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody held it for as long as we were willing to wait.
    #[error("held by {}", .holder.as_ref().map_or_else(|| "another run".to_owned(), Holder::to_string))]
    Held {
        /// Who, where that could be read.
        holder: Option<Holder>,
    },
    /// The run was asked to end while it waited.
    #[error("stopped while waiting for the lock")]
    Stopped,
    /// The folder cannot be used.
    #[error("cannot use {path} for locks")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be used.
    #[error("cannot lock {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The folder of a user's lock files: in the runtime folder, which is the user's own and empties
/// at boot, else one in `/tmp` that only the user may enter.
pub fn folder(runtime_dir: Option<&str>, uid: u32) -> PathBuf {
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    match runtime_dir.map(PathBuf::from).filter(|dir| dir.is_absolute()) {
        Some(dir) if dir.is_dir() => dir.join("platform"),
        _ if usual.is_dir() => usual.join("platform"),
        _ => PathBuf::from(format!("/tmp/platform-{uid}")),
    }
}

/// Takes the lock. Where somebody holds it, tells `on_wait` who (at once, and again when the
/// holder changes) and waits up to `timeout`.
///
/// # Errors
/// See [`LockError`].
pub async fn acquire(
    request: LockRequest<'_>,
    timeout: Duration,
    clock: &dyn Clock,
    stop: &Stop,
    mut on_wait: impl FnMut(Option<&Holder>),
) -> Result<ProjectLock, LockError> {
    prepare_folder(request.folder).map_err(|source| LockError::Folder {
        path: request.folder.to_owned(),
        source,
    })?;
    let path = request.folder.join(file_name(&request));
    let failed = |source| LockError::File {
        path: path.clone(),
        source,
    };
    let began = clock.now();
    let mut announced: Option<Option<Holder>> = None;
    loop {
        let mut file = open(&path).map_err(failed)?;
        if try_lock(&file).map_err(failed)? {
            // Somebody who tidies /tmp may have removed the file between the two calls; a lock
            // on a file that nobody else can find protects nothing.
            if is_same_file(&file, &path) {
                write_holder(&mut file, request.command).map_err(failed)?;
                return Ok(ProjectLock { _file: file });
            }
            continue;
        }
        let waited = clock.now().saturating_sub(began);
        let holder = read_holder(&mut file);
        let is_news = announced
            .as_ref()
            .is_none_or(|last| holder.is_some() && *last != holder);
        if is_news && (holder.is_some() || waited >= NAMELESS) {
            on_wait(holder.as_ref());
            announced = Some(holder.clone());
        }
        // Who will not wait is still told the name, which a holder writes a moment after it locks.
        if waited >= timeout && (holder.is_some() || waited >= NAMELESS) {
            return Err(LockError::Held { holder });
        }
        let left = timeout.saturating_sub(waited);
        tokio::select! {
            () = tokio::time::sleep(if left.is_zero() { RETRY } else { RETRY.min(left) }) => {}
            () = stop.reached(StopLevel::Ask) => return Err(LockError::Stopped),
        }
    }
}

/// The project's name keeps the file recognisable, the digest keeps engines apart.
fn file_name(request: &LockRequest<'_>) -> String {
    let engine = match (request.identity, request.endpoint.strip_prefix("unix://")) {
        (Some(identity), _) => format!("id {identity}"),
        // One socket under two names (/run, /var/run) is one engine.
        (None, Some(path)) => fs::canonicalize(path).map_or_else(
            |_| request.endpoint.to_owned(),
            |path| format!("unix://{}", path.display()),
        ),
        (None, None) => request.endpoint.to_owned(),
    };
    let digest = Sha256::digest(format!("{engine}\0{}", request.project).as_bytes());
    format!("{}-{}.lock", request.project, hex(&digest[..6]))
}

/// Makes the folder, and refuses one that others could tamper with.
fn prepare_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to somebody else, or others may write to it",
        ));
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

fn try_lock(file: &File) -> io::Result<bool> {
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(false),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

fn write_holder(file: &mut File, command: &str) -> io::Result<()> {
    let holder = Holder {
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        command: command.to_owned(),
        since: jiff::Zoned::now().strftime("%H:%M:%S").to_string(),
    };
    let text = serde_json::to_vec(&holder)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)
}

/// Who holds the lock; `None` while the holder has not written its name over that of the last one.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    let holder: Holder = serde_json::from_slice(&text).ok()?;
    let pid = rustix::process::Pid::from_raw(holder.pid)?;
    // ESRCH only: a process of somebody else is alive too.
    (rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)).then_some(holder)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::stop::stop_pair;
    use super::*;
    use crate::base::MonotonicClock;

    fn request<'a>(folder: &'a Path, project: &'a ProjectName) -> LockRequest<'a> {
        LockRequest {
            folder,
            identity: None,
            endpoint: "unix:///nonexistent.sock",
            project,
            command: "platform up -d",
        }
    }

    async fn take(folder: &Path, project: &str, timeout: Duration) -> Result<ProjectLock, LockError> {
        let clock = MonotonicClock::start();
        acquire(
            request(folder, &project.into()),
            timeout,
            &clock,
            &Stop::never(),
            |_| {},
        )
        .await
    }

    #[tokio::test]
    async fn one_holds_and_the_other_learns_who() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("locks");
        let lock = take(&folder, "p", Duration::ZERO).await.unwrap();
        let other = take(&folder, "q", Duration::ZERO).await.unwrap();
        let error = take(&folder, "p", Duration::ZERO).await.unwrap_err();
        let LockError::Held { holder: Some(holder) } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(holder.command, "platform up -d");
        assert_eq!(holder.pid, std::process::id().cast_signed());
        assert!(
            error
                .to_string()
                .starts_with("held by `platform up -d` (process "),
            "{error}"
        );
        drop((lock, other));
        take(&folder, "p", Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn waiting_is_announced_and_ends_when_the_holder_does() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("locks");
        let lock = take(&folder, "p", Duration::ZERO).await.unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let waiter = tokio::spawn({
            let (folder, told) = (folder.clone(), told.clone());
            async move {
                let clock = MonotonicClock::start();
                let project = ProjectName::from("p");
                let on_wait = |holder: Option<&Holder>| told.lock().unwrap().push(holder.cloned());
                acquire(
                    request(&folder, &project),
                    Duration::from_secs(30),
                    &clock,
                    &Stop::never(),
                    on_wait,
                )
                .await
                .map(|_| ())
            }
        });
        while told.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(lock);
        waiter.await.unwrap().unwrap();
        assert_eq!(told.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn waiting_can_be_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("locks");
        let _lock = take(&folder, "p", Duration::ZERO).await.unwrap();
        let (stopper, stop) = stop_pair();
        let project = ProjectName::from("p");
        let clock = MonotonicClock::start();
        let waiting = acquire(
            request(&folder, &project),
            Duration::from_secs(30),
            &clock,
            &stop,
            |_| {
                stopper.raise();
            },
        );
        assert!(matches!(waiting.await, Err(LockError::Stopped)));
    }

    #[tokio::test]
    async fn a_removed_file_and_a_dead_holders_name_do_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("locks");
        let lock = take(&folder, "p", Duration::ZERO).await.unwrap();
        let path = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&path).unwrap();
        // The removed file's lock protects nothing any more; a new one is made and can be taken.
        let second = take(&folder, "p", Duration::ZERO).await.unwrap();
        drop(lock);
        assert!(take(&folder, "p", Duration::ZERO).await.is_err());
        fs::write(&path, r#"{"pid":2147483000,"command":"x","since":"y"}"#).unwrap();
        assert!(matches!(
            take(&folder, "p", Duration::ZERO).await,
            Err(LockError::Held { holder: None })
        ));
        drop(second);
        take(&folder, "p", Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn a_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("locks");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            take(&folder, "p", Duration::ZERO).await,
            Err(LockError::Folder { .. })
        ));
        let elsewhere = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &elsewhere).unwrap();
        assert!(matches!(
            take(&elsewhere, "p", Duration::ZERO).await,
            Err(LockError::Folder { .. })
        ));
    }

    #[test]
    fn the_folder_is_the_users_own() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = dir.path().to_str().unwrap();
        assert_eq!(folder(Some(runtime), 1), dir.path().join("platform"));
        assert_eq!(
            folder(Some("/nonexistent"), 4_000_000),
            PathBuf::from("/tmp/platform-4000000")
        );
        assert_eq!(
            folder(Some("relative"), 4_000_000),
            PathBuf::from("/tmp/platform-4000000")
        );
    }

    #[test]
    fn one_socket_under_two_names_is_one_engine() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        fs::write(&socket, "").unwrap();
        let link = dir.path().join("l");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let project = ProjectName::from("p");
        let name = |path: &Path| {
            let endpoint = format!("unix://{}", path.display());
            file_name(&LockRequest {
                endpoint: &endpoint,
                ..request(dir.path(), &project)
            })
        };
        assert_eq!(name(&socket), name(&link));
        assert_ne!(name(&socket), name(dir.path()));
    }

    #[test]
    fn one_engine_at_two_addresses_is_one_where_it_has_an_identity() {
        let project = ProjectName::from("p");
        let name = |identity, endpoint| {
            file_name(&LockRequest {
                identity,
                endpoint,
                ..request(Path::new("/"), &project)
            })
        };
        let (socket, port) = ("unix:///run/docker.sock", "tcp://localhost:2375");
        assert_eq!(name(Some("A /data"), socket), name(Some("A /data"), port));
        assert_ne!(name(Some("A /data"), socket), name(Some("A /other"), socket));
        assert_ne!(name(None, socket), name(None, port));
    }
}
