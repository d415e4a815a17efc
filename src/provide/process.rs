//! A program beside the engine: in a group of its own, and never left behind.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::ProvideError;
use super::find::Programs;

/// So many of the last lines of standard error are kept for an error.
const KEPT_LINES: usize = 10;
/// A longer line is cut.
const LONGEST_LINE: u64 = 16 << 10;
/// How long a program that is to end has to do so by itself.
const GRACE: Duration = Duration::from_millis(400);
/// What is still in the pipes after the end; whoever inherited and holds them is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program and what it is asked.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) programs: &'a Programs,
    pub(super) file: PathBuf,
    pub(super) args: Vec<String>,
    /// The program and what it is asked for, for people; nothing of the arguments that may be secret.
    pub(super) name: String,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The last lines of standard error.
    pub(super) lines: Vec<String>,
}

/// Asks the whole group to end and kills it a moment later, when it goes out of use before its end.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

impl Job<'_> {
    /// Runs it to its end; pieces of standard output go to `on_output`, which may end it early. When `stop`
    /// comes first, the program is asked to end, then killed.
    pub(super) async fn run(
        &self,
        stop: impl Future<Output = ()>,
        on_output: &mut (dyn FnMut(&[u8]) -> Result<(), ProvideError> + Send),
    ) -> Result<Ended, ProvideError> {
        let mut child = self.spawn().map_err(|source| self.failed(source))?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let work = self.follow(&mut child, on_output);
        let ended = {
            tokio::pin!(work, stop);
            tokio::select! {
                ended = &mut work => ended,
                () = stop => {
                    if let Some(id) = group.0 {
                        kill_process_group(id, Signal::TERM).ok();
                    }
                    tokio::time::timeout(GRACE, work).await.unwrap_or_else(|_| {
                        Err(ProvideError::Ended {
                            program: self.name.clone(),
                            how: "was killed: the run was stopped".into(),
                            lines: Vec::new(),
                        })
                    })
                }
            }
        };
        if ended.is_ok() {
            // What it left in the background is its own affair.
            group.0 = None;
        }
        ended
    }

    fn spawn(&self) -> io::Result<Child> {
        Command::new(&self.file)
            .args(&self.args)
            .env_clear()
            .envs(self.programs.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    async fn follow(
        &self,
        child: &mut Child,
        on_output: &mut (dyn FnMut(&[u8]) -> Result<(), ProvideError> + Send),
    ) -> Result<Ended, ProvideError> {
        let (mut stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut lines = VecDeque::with_capacity(KEPT_LINES);
        let status = {
            let talk = async {
                let Some(stdout) = &mut stdout else { return Ok(()) };
                let mut buffer = vec![0; 8 << 10];
                loop {
                    match stdout.read(&mut buffer).await {
                        Ok(0) | Err(_) => return Ok(()),
                        Ok(count) => on_output(buffer.get(..count).unwrap_or_default())?,
                    }
                }
            };
            let reading = async {
                let (said, ()) = tokio::join!(talk, keep_lines(stderr, &mut lines));
                said
            };
            tokio::pin!(reading);
            tokio::select! {
                said = &mut reading => {
                    said?;
                    child.wait().await.map_err(|source| self.failed(source))?
                }
                status = child.wait() => {
                    if let Ok(said) = tokio::time::timeout(LAST_WORDS, &mut reading).await {
                        said?;
                    }
                    status.map_err(|source| self.failed(source))?
                }
            }
        };
        Ok(Ended {
            status,
            lines: lines.into(),
        })
    }

    /// Runs it to a good end and gives what it wrote to standard output.
    pub(super) async fn output(&self, stop: impl Future<Output = ()>) -> Result<Vec<u8>, ProvideError> {
        let mut output = Vec::new();
        let ended = self
            .run(stop, &mut |bytes| {
                output.extend_from_slice(bytes);
                Ok(())
            })
            .await?;
        self.good(ended)?;
        Ok(output)
    }

    /// An end that is not good, as an error.
    pub(super) fn good(&self, ended: Ended) -> Result<(), ProvideError> {
        use std::os::unix::process::ExitStatusExt;
        let how = match (ended.status.code(), ended.status.signal()) {
            (Some(0), _) => return Ok(()),
            (Some(code), _) => format!("exited with code {code}"),
            (None, Some(signal)) => format!("was killed by signal {signal}"),
            (None, None) => "ended abnormally".to_owned(),
        };
        Err(ProvideError::Ended {
            program: self.name.clone(),
            how,
            lines: ended.lines,
        })
    }

    fn failed(&self, source: io::Error) -> ProvideError {
        ProvideError::Run {
            program: self.file.display().to_string(),
            source,
        }
    }
}

async fn keep_lines(stream: Option<tokio::process::ChildStderr>, kept: &mut VecDeque<String>) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if text.is_empty() {
            continue;
        }
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}

/// The last name of a program's file, for people.
pub(super) fn name_of(file: &Path) -> String {
    file.file_name().map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
