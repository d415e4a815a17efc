//! Names that say which process owns a thing, so that the things of dead processes can be swept.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// First letters of every name that a test gives to something outside its own process.
pub const PREFIX: &str = "t-";

/// A name that no other test, process or earlier run has: `t-<pid>-<start>-<n>`.
///
/// Valid as a Compose project name, a container name, an image repository and a DNS label.
pub fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let pid = process::id();
    let start = start_time(pid).unwrap_or(0);
    format!("{PREFIX}{pid}-{start:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Whether `name` begins like a name of [`unique`] whose process has ended.
pub fn is_orphan(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let mut parts = rest.splitn(3, '-');
    let (Some(pid), Some(start), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Ok(pid), Ok(start)) = (pid.parse::<u32>(), u64::from_str_radix(start, 16)) else {
        return false;
    };
    start_time(pid) != Some(start)
}

/// When the process started, in clock ticks since boot; `None` when it is gone.
///
/// A process id is used again after a while; the pair of id and start time is not.
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold anything, brackets and spaces included.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Whether the process exists and is not a zombie.
pub fn is_running(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
