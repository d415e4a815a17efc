//! Changes of files, in batches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// A batch ends when nothing more has changed for so long, as in docker compose.
const QUIET: Duration = Duration::from_millis(500);
/// It ends after this in any case: what is written without end must not hold up the rest.
const LONGEST: Duration = Duration::from_secs(3);

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {path}: {source}{}", hint(.source))]
pub struct WatchError {
    path: String,
    source: notify::Error,
}

fn hint(error: &notify::Error) -> &'static str {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => "; raise the limit: sysctl fs.inotify.max_user_watches=524288",
        _ => "",
    }
}

/// An ear on files and folders.
pub struct Files {
    events: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    /// Told when events were lost: then anything may have changed.
    roots: Vec<PathBuf>,
    _watcher: RecommendedWatcher,
}

impl Files {
    /// Begins to listen. What is not there yet is waited for in the folder where it would be.
    ///
    /// # Errors
    /// Why the system does not watch a path.
    pub fn watch<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<Self, WatchError> {
        let (sender, events) = mpsc::unbounded_channel();
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| WatchError { path, source }
        };
        let mut watcher = notify::recommended_watcher(move |event| {
            // Whoever listened may be gone.
            let _ = sender.send(event);
        })
        .map_err(failed(Path::new("files")))?;
        let roots: Vec<PathBuf> = paths.into_iter().map(Path::to_owned).collect();
        for (path, mode) in places(&roots) {
            watcher.watch(&path, mode).map_err(failed(&path))?;
        }
        Ok(Self {
            events,
            roots,
            _watcher: watcher,
        })
    }

    /// The next batch of changed paths. May be dropped at any time without losing a change that another
    /// call would tell.
    pub async fn changed(&mut self, batch: &mut BTreeSet<PathBuf>) {
        let mut last: Option<(Instant, Instant)> = None;
        loop {
            let event = match last {
                None if batch.is_empty() => self.events.recv().await,
                _ => {
                    let (end, quiet) = *last.get_or_insert_with(|| {
                        let now = Instant::now();
                        (now + LONGEST, now + QUIET)
                    });
                    match timeout_at(end.min(quiet), self.events.recv()).await {
                        Ok(event) => event,
                        Err(_) => return,
                    }
                }
            };
            let Some(event) = event else {
                // The watcher lives as long as this; it never ends by itself.
                return std::future::pending().await;
            };
            let before = batch.len();
            self.take(event, batch);
            if batch.len() > before
                && let Some((_, quiet)) = &mut last
            {
                *quiet = Instant::now() + QUIET;
            }
        }
    }

    fn take(&self, event: notify::Result<notify::Event>, batch: &mut BTreeSet<PathBuf>) {
        match event {
            Ok(event) if event.need_rescan() => batch.extend(self.roots.iter().cloned()),
            Ok(event) if is_change(event.kind) => batch.extend(event.paths),
            Ok(_) => {}
            Err(_) => batch.extend(self.roots.iter().cloned()),
        }
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)) => false,
        EventKind::Modify(_) => true,
        // Reading changes nothing, and we read ourselves.
        EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
    }
}

/// Where to listen for these paths: in folders with all that is below them, and for a file in its folder,
/// because editors put another in its place.
fn places(paths: &[PathBuf]) -> Vec<(PathBuf, RecursiveMode)> {
    let mut deep: BTreeSet<PathBuf> = BTreeSet::new();
    let mut flat: BTreeSet<PathBuf> = BTreeSet::new();
    for path in paths {
        let Some(there) = path.ancestors().find(|place| place.exists()) else {
            continue;
        };
        match there.parent() {
            Some(folder) if !there.is_dir() => flat.insert(folder.to_owned()),
            _ => deep.insert(there.to_owned()),
        };
    }
    let covered = |path: &Path| path.ancestors().skip(1).any(|above| deep.contains(above));
    let mut out: Vec<(PathBuf, RecursiveMode)> = deep
        .iter()
        .filter(|path| !covered(path))
        .map(|path| (path.clone(), RecursiveMode::Recursive))
        .collect();
    out.extend(
        flat.iter()
            .filter(|path| !deep.contains(*path) && !covered(path))
            .map(|path| (path.clone(), RecursiveMode::NonRecursive)),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_missing_is_listened_for_where_it_would_be() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::create_dir_all(at("src/sub")).unwrap();
        fs::write(at("file"), "").unwrap();
        let found = places(&[at("src"), at("src/sub"), at("src/none/deep"), at("file")]);
        assert_eq!(
            found,
            [
                (at("src"), RecursiveMode::Recursive),
                (dir.path().to_owned(), RecursiveMode::NonRecursive)
            ]
        );
        let found = places(&[at("none"), at("src"), at("file")]);
        assert_eq!(found, [(dir.path().to_owned(), RecursiveMode::Recursive)]);
    }

    #[tokio::test]
    async fn what_changes_together_comes_together_and_reading_is_no_change() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        fs::write(at("old"), "1").unwrap();
        let mut files = Files::watch([dir.path()]).unwrap();
        fs::read(at("old")).unwrap();
        fs::create_dir(at("new")).unwrap();
        fs::write(at("a"), "1").unwrap();
        fs::rename(at("old"), at("moved")).unwrap();
        let mut batch = BTreeSet::new();
        files.changed(&mut batch).await;
        let expected = ["a", "moved", "new", "old"].map(at);
        assert_eq!(batch, expected.into());
        fs::write(at("new/below"), "1").unwrap();
        let mut batch = BTreeSet::new();
        files.changed(&mut batch).await;
        assert!(batch.contains(&at("new/below")), "{batch:?}");
        let nothing = async {
            fs::read(at("a")).unwrap();
            files.changed(&mut BTreeSet::new()).await;
        };
        let waited = tokio::time::timeout(Duration::from_secs(1), nothing).await;
        assert!(waited.is_err(), "reading counts as a change");
    }
}
