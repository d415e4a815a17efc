//! One command: how long it takes and how much memory it needs at most.
//!
//! The command is started by a small process of its own (this program again, with
//! [`HELPER`]), for two reasons: the kernel tells the highest memory of *all* children that
//! a process ever had, and a child counts what its parent held when it was started.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// First argument of the measuring process.
pub const HELPER: &str = "--measure-one";
/// No command of a benchmark takes longer.
const LONGEST: Duration = Duration::from_secs(300);

/// What one run of a command took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    /// From start to end.
    pub wall: Duration,
    /// Processor time, user and system, of the command and its children.
    pub cpu: Duration,
    /// The most memory that it (or one of its children) held, in KiB.
    pub peak_kib: u64,
    /// Exit code; -1 after a signal.
    pub code: i32,
}

/// The measuring process: runs `arguments` and writes a [`Sample`] into the file named first.
pub fn helper(arguments: &[String]) -> i32 {
    let [into, program, rest @ ..] = arguments else {
        return 2;
    };
    let began = Instant::now();
    let status = std::process::Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .status();
    let wall = began.elapsed();
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{program}: {error}");
            return 127;
        }
    };
    use nix::sys::resource::{UsageWho, getrusage};
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return 1;
    };
    let time = |t: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap_or(0))
    };
    let sample = Sample {
        wall,
        cpu: time(usage.user_time()) + time(usage.system_time()),
        peak_kib: u64::try_from(usage.max_rss()).unwrap_or(0),
        code: status.code().unwrap_or(-1),
    };
    let written = serde_json::to_vec(&sample).is_ok_and(|text| std::fs::write(into, text).is_ok());
    i32::from(!written)
}

/// A command line.
#[derive(Debug, Clone)]
pub struct Line {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables beside those of this process.
    pub environment: Vec<(String, String)>,
}

impl Line {
    /// With further arguments.
    pub fn with(&self, more: &[&str]) -> Self {
        let mut line = self.clone();
        line.arguments.extend(more.iter().map(|&a| a.to_owned()));
        line
    }

    /// For messages.
    pub fn text(&self) -> String {
        format!("{} {}", self.program.display(), self.arguments.join(" "))
    }
}

/// Runs a command line, its output into files under `folder`; an error where it does not end with 0.
pub async fn run(line: &Line, folder: &Path) -> Result<Sample, String> {
    let (sample, out, err) = (
        folder.join("sample"),
        folder.join("stdout"),
        folder.join("stderr"),
    );
    let file = |path: &Path| std::fs::File::create(path).map_err(|e| format!("{}: {e}", path.display()));
    let us = std::env::current_exe().map_err(|e| format!("own program: {e}"))?;
    let _ = std::fs::remove_file(&sample);
    let mut child = tokio::process::Command::new(us)
        .arg(HELPER)
        .arg(&sample)
        .arg(&line.program)
        .args(&line.arguments)
        .envs(line.environment.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(file(&out)?)
        .stderr(file(&err)?)
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{}: {e}", line.text()))?;
    let group = Group(child.id());
    let ended = tokio::time::timeout(LONGEST, child.wait()).await;
    let talk = || {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let text = read(&err) + &read(&out);
        let from = text.len().saturating_sub(2000);
        text.get(from..).unwrap_or_default().to_owned()
    };
    match ended {
        Err(_) => {
            return Err(format!(
                "{}: not at its end after {LONGEST:?}\n{}",
                line.text(),
                talk()
            ));
        }
        Ok(Err(error)) => return Err(format!("{}: {error}", line.text())),
        Ok(Ok(_)) => group.forget(),
    }
    let sample: Sample = std::fs::read(&sample)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .ok_or_else(|| format!("{}: nothing was measured\n{}", line.text(), talk()))?;
    if sample.code != 0 {
        return Err(format!("{}: exit code {}\n{}", line.text(), sample.code, talk()));
    }
    Ok(sample)
}

/// Ends a measuring process and its command where the benchmark is left before them.
struct Group(Option<u32>);

impl Group {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}
