//! A network namespace of its own: interfaces, addresses, packet filter and ports that the rest of the
//! machine does not see.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::disk::run;

/// A network namespace, held by a file; gone when dropped and when no process is in it.
#[derive(Debug)]
pub struct Netns {
    file: PathBuf,
}

impl Netns {
    /// Makes one, held by `file`, with its loopback up. Needs root.
    pub fn create(file: &Path) -> Self {
        File::create(file).unwrap();
        run(
            "unshare",
            &[
                &format!("--net={}", file.display()),
                "ip",
                "link",
                "set",
                "lo",
                "up",
            ],
        );
        Self {
            file: file.to_owned(),
        }
    }

    /// The file that holds it, as `nsenter --net=` takes it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Does something on a thread inside: sockets made there belong to the namespace and stay in it
    /// wherever they are used.
    #[track_caller]
    pub fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(&self.file).unwrap();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                act()
            });
            inside
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.file).output());
    }
}
