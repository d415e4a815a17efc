//! Small disks that can be full.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of its own in memory; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
}

impl Disk {
    /// Mounts `megabytes` at `dir`, which is made if need be. Needs root.
    pub fn mount(dir: &Path, megabytes: u32) -> Self {
        fs::create_dir_all(dir).unwrap();
        let options = format!("size={megabytes}m,mode=0755");
        run(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                &options,
                "platform-test",
                &dir.to_string_lossy(),
            ],
        );
        Self { dir: dir.to_owned() }
    }

    /// Where it is mounted.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes all space that is left but `leave` bytes.
    pub fn fill(&self, leave: u64) {
        let mut file = File::create(self.ballast()).unwrap();
        let block = vec![0; 1 << 16];
        let mut written = 0;
        // Ends with "no space left on device".
        while let Ok(count @ 1..) = file.write(&block) {
            written += count as u64;
        }
        file.set_len(written.saturating_sub(leave)).unwrap();
    }

    /// Gives the space back.
    pub fn free(&self) {
        drop(fs::remove_file(self.ballast()));
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join(".ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may still hold a file.
        drop(Command::new("umount").arg("-l").arg(&self.dir).output());
    }
}

/// Runs a system command that must succeed.
#[track_caller]
pub fn run(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
