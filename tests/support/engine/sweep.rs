//! Takes away all that an engine left: processes, mounts, cgroups, files. Only what carries the
//! engine's own folder in its arguments or cgroup is touched.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::owner;

/// Sweeps the engines of test processes that are gone.
pub fn orphans() {
    let Ok(entries) = fs::read_dir("/tmp") else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(owner::is_orphan) && entry.path().is_dir() {
            remove(&entry.path());
        }
    }
}

/// Removes the engine whose folder this is, whatever state it is in.
pub fn remove(dir: &Path) {
    // A shim that is killed leaves its container's processes to init: those are found by their cgroup,
    // which carries the container's id. Killing may race with starting, so look again until all is quiet.
    for _ in 0..50 {
        let found = processes(dir);
        if found.is_empty() {
            break;
        }
        for pid in found {
            kill(pid);
        }
        thread::sleep(Duration::from_millis(10));
    }
    for mount in mounts_below(dir) {
        drop(Command::new("umount").args(["-l", &mount]).output());
    }
    remove_cgroups(dir);
    drop(fs::remove_dir_all(dir));
}

/// Ends a containerd that outlived its dockerd; a new dockerd brings its own.
pub fn stop_containerd(dir: &Path) {
    let config = dir.join("exec/containerd/containerd.toml");
    let config = config.to_string_lossy();
    for _ in 0..50 {
        let found: Vec<u32> = all_processes()
            .filter(|pid| {
                let words = arguments(*pid);
                words
                    .first()
                    .is_some_and(|program| program.ends_with("containerd"))
                    && words.iter().any(|word| *word == config)
            })
            .collect();
        if found.is_empty() {
            return;
        }
        found.into_iter().for_each(kill);
        thread::sleep(Duration::from_millis(10));
    }
}

/// The engine's, its containerd's, its shims' and its containers' processes.
fn processes(dir: &Path) -> Vec<u32> {
    let prefix = format!("{}/", dir.display());
    let containers = container_ids(dir);
    let own = std::process::id();
    all_processes()
        .filter(|pid| *pid != own)
        .filter(|pid| {
            let words = arguments(*pid);
            let program = words
                .first()
                .map(|word| word.rsplit('/').next().unwrap_or(word).to_owned());
            let is_engine = program.is_some_and(|program| {
                ["dockerd", "containerd", "docker-proxy", "runc"].contains(&program.as_str())
                    || program.starts_with("containerd-shim")
            });
            // `--data-root=/tmp/…/data`, `-address /tmp/…/containerd.sock`, `--config /tmp/…`, `--root /tmp/…`.
            let ours = words
                .iter()
                .any(|word| word.starts_with(&prefix) || word.contains(&format!("={prefix}")));
            (is_engine && ours) || in_cgroup_of(*pid, &containers)
        })
        .collect()
}

fn all_processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| owner::is_running(*pid))
}

fn arguments(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    bytes
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// The ids of all containers that the engine knows.
fn container_ids(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("data/containers"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|id| id.len() == 64)
        .collect()
}

fn in_cgroup_of(pid: u32, containers: &[String]) -> bool {
    if containers.is_empty() {
        return false;
    }
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    containers.iter().any(|id| cgroups.contains(id.as_str()))
}

fn kill(pid: u32) {
    if let Some(pid) = Pid::from_raw(pid as i32) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Mount points at or below `dir`, innermost first.
fn mounts_below(dir: &Path) -> Vec<String> {
    let prefix = format!("{}/", dir.display());
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found: Vec<String> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|at| at.starts_with(&prefix))
        .map(str::to_owned)
        .collect();
    found.reverse();
    found
}

/// Removes the cgroups of the engine's containers, which a killed runtime leaves behind.
fn remove_cgroups(dir: &Path) {
    let ids = container_ids(dir);
    let mut hierarchies = vec![Path::new("/sys/fs/cgroup").to_owned()];
    hierarchies.extend(
        fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path()),
    );
    for id in &ids {
        for hierarchy in &hierarchies {
            drop(fs::remove_dir(hierarchy.join("docker").join(id)));
        }
    }
}
