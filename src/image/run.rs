//! Child processes of recipes: in a group of their own, with bounded time, and never left behind.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// How many lines of output are kept for an error.
pub(super) const KEPT_LINES: usize = 20;
/// A longer line is cut: output of strangers must not fill the memory.
const LONGEST_LINE: usize = 4 << 10;

/// A command to run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) command: Vec<String>,
    pub(super) folder: PathBuf,
    /// The whole environment.
    pub(super) env: BTreeMap<String, String>,
    pub(super) timeout: Duration,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `None` when it did not end in time and was killed.
    pub(super) status: Option<ExitStatus>,
    /// The last lines of standard output and error.
    pub(super) lines: Vec<String>,
}

impl Ended {
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|s| s.success())
    }

    /// In words that follow "the command".
    pub(super) fn describe(&self, timeout: Duration) -> String {
        match self.status {
            None => format!("did not end within {}", crate::base::format_duration(timeout)),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exited with {code}"),
                (None, Some(signal)) => format!("was killed by signal {signal}"),
                (None, None) => "ended abnormally".to_owned(),
            },
        }
    }
}

/// Kills the whole group when it goes out of use before the command has ended.
struct Group(Option<Pid>);

impl Group {
    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command to its end; each line of output goes to `on_line`. When the future is dropped
/// the command and its children are killed.
pub(super) async fn run(job: &Job, on_line: &(dyn Fn(&str) + Send + Sync)) -> io::Result<Ended> {
    let (program, args) = job
        .command
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
    let mut child = Command::new(program)
        .args(args)
        .current_dir(&job.folder)
        .env_clear()
        .envs(&job.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let kept = std::sync::Mutex::new(VecDeque::with_capacity(KEPT_LINES));
    let keep = |line: &str| {
        on_line(line);
        let mut kept = kept.lock().unwrap_or_else(|e| e.into_inner());
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line.to_owned());
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let reading = async { tokio::join!(read_lines(stdout, &keep), read_lines(stderr, &keep)) };
        tokio::pin!(reading);
        let (status, all_read) = tokio::select! {
            status = child.wait() => (status, false),
            _ = &mut reading => (child.wait().await, true),
        };
        if !all_read {
            // What is still in the pipes; a child that outlives its parent and holds them is not waited for.
            tokio::time::timeout(Duration::from_secs(1), reading).await.ok();
        }
        status
    };
    let status = match tokio::time::timeout(job.timeout, work).await {
        Ok(status) => Some(status?),
        Err(_) => None,
    };
    group.kill();
    if status.is_none() {
        child.wait().await?;
    }
    let lines = std::mem::take(&mut *kept.lock().unwrap_or_else(|e| e.into_inner()));
    Ok(Ended {
        status,
        lines: lines.into(),
    })
}

async fn read_lines<R: AsyncRead + Unpin>(stream: Option<R>, on_line: &(dyn Fn(&str) + Send + Sync)) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut line: Vec<u8> = Vec::new();
    loop {
        let (used, ended, at_end) = match reader.fill_buf().await {
            Ok([]) | Err(_) => (0, true, true),
            Ok(bytes) => {
                let newline = bytes.iter().position(|b| *b == b'\n');
                let text = bytes.get(..newline.unwrap_or(bytes.len())).unwrap_or_default();
                let room = LONGEST_LINE.saturating_sub(line.len());
                line.extend_from_slice(text.get(..room.min(text.len())).unwrap_or_default());
                (
                    text.len() + usize::from(newline.is_some()),
                    newline.is_some(),
                    false,
                )
            }
        };
        reader.consume(used);
        if ended {
            // A progress bar rewrites its line: only what stands last is worth showing.
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            let text = plain(text.rsplit('\r').next().unwrap_or(text));
            if !text.is_empty() {
                on_line(&text);
            }
            line.clear();
        }
        if at_end {
            return;
        }
    }
}

/// A line without colours and other commands to a terminal, which output may hold.
pub(super) fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\t' => out.push(' '),
            // A control sequence ends with its first letter.
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    chars.by_ref().find(|c| c.is_ascii_alphabetic());
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A command line that gives `command` mount and process tables of its own, where that is
/// possible: nothing of it can then outlive it, and no mount of it reaches the host.
pub(super) async fn contained(command: &[String], unshare: Option<PathBuf>, folder: &Path) -> Vec<String> {
    let Some(unshare) = unshare else {
        return command.to_vec();
    };
    let prefix: Vec<String> = [
        unshare.display().to_string().as_str(),
        "--mount",
        "--pid",
        "--fork",
        "--kill-child=KILL",
        "--mount-proc",
        "--",
    ]
    .map(str::to_owned)
    .to_vec();
    let probe = Job {
        command: [prefix.as_slice(), &["true".to_owned()]].concat(),
        folder: folder.to_owned(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        timeout: Duration::from_secs(5),
    };
    match run(&probe, &|_| {}).await {
        Ok(ended) if ended.is_success() => [prefix.as_slice(), command].concat(),
        _ => command.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, timeout: Duration) -> Job {
        Job {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            folder: PathBuf::from("/"),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("ONLY".to_owned(), "this".to_owned()),
            ]),
            timeout,
        }
    }

    #[tokio::test]
    async fn output_is_told_and_its_end_kept() {
        let told = std::sync::Mutex::new(Vec::new());
        let job = sh(
            "seq 30; echo err >&2; printf 'a\\rb\\n'; env | grep -c .; printf 'no newline'; exit 3",
            Duration::from_secs(10),
        );
        let ended = run(&job, &|line| told.lock().unwrap().push(line.to_owned()))
            .await
            .unwrap();
        assert_eq!(ended.describe(job.timeout), "exited with 3");
        assert_eq!(told.lock().unwrap().len(), 34);
        assert_eq!(ended.lines.len(), KEPT_LINES);
        assert!(
            ended.lines.contains(&"no newline".to_owned()),
            "{:?}",
            ended.lines
        );
        assert!(ended.lines.contains(&"b".to_owned()), "{:?}", ended.lines);
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_killed_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alive");
        let script = format!("(sleep 1.5; touch {}) & sleep 60", file.display());
        let job = sh(&script, Duration::from_millis(300));
        let ended = run(&job, &|_| {}).await.unwrap();
        assert_eq!(ended.describe(job.timeout), "did not end within 300ms");
        tokio::time::sleep(Duration::from_millis(1800)).await;
        assert!(!file.exists(), "a grandchild lived on");
    }

    #[tokio::test]
    async fn a_dropped_run_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alive");
        let script = format!("(sleep 1; touch {}) & sleep 60", file.display());
        let job = sh(&script, Duration::from_secs(60));
        let dropped = tokio::time::timeout(Duration::from_millis(200), run(&job, &|_| {})).await;
        assert!(dropped.is_err());
        tokio::time::sleep(Duration::from_millis(1300)).await;
        assert!(!file.exists(), "a child lived on");
    }

    #[test]
    fn lines_cannot_command_the_terminal() {
        assert_eq!(plain("\u{1b}[91mred\u{1b}[0m\ta\u{7}\u{1b}[2Jb\u{1b}"), "red ab");
    }

    #[tokio::test]
    async fn a_missing_program_is_an_error() {
        let mut job = sh("", Duration::from_secs(1));
        job.command = vec!["/no/such/program".to_owned()];
        assert!(run(&job, &|_| {}).await.is_err());
        job.command.clear();
        assert!(run(&job, &|_| {}).await.is_err());
    }
}
