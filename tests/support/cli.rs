//! Runs the real binary with nothing inherited that a test did not ask for.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use super::docker::Docker;
use super::running::{Outcome, Running};

/// A command line to be run, with its whole surroundings.
#[derive(Clone, Debug)]
pub struct Cli {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: Option<PathBuf>,
    stdin: Vec<u8>,
    stdout: Output,
    timeout: Duration,
    memory: Option<u64>,
    measured: bool,
    uid: Option<u32>,
    netns: Option<PathBuf>,
}

/// Where standard output goes.
#[derive(Clone, Debug)]
enum Output {
    /// Into the outcome.
    Captured,
    /// Into a pipe that nobody holds the reading end of.
    ClosedPipe,
    /// Into a file or device.
    File(PathBuf),
}

impl Cli {
    /// The `platform` binary of this build.
    pub fn platform() -> Self {
        Self::new(env!("CARGO_BIN_EXE_platform"))
    }

    /// Any program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
        fs::create_dir_all(&home).unwrap();
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: Vec::new(),
            stdout: Output::Captured,
            timeout: Duration::from_secs(60),
            memory: None,
            measured: false,
            uid: None,
            netns: None,
        }
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets one environment variable, replacing an earlier one.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != key.as_ref());
        self.env
            .push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// The engine to use, by `DOCKER_HOST`.
    pub fn engine(self, engine: &Docker) -> Self {
        self.env("DOCKER_HOST", engine.host())
    }

    /// Where to run.
    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// What standard input holds; empty unless given.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Makes standard output a pipe whose reader is already gone.
    pub fn stdout_closed(mut self) -> Self {
        self.stdout = Output::ClosedPipe;
        self
    }

    /// Sends standard output to a file or device.
    pub fn stdout_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.stdout = Output::File(path.into());
        self
    }

    /// When the process is killed; 60 s unless given.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Caps the address space in bytes (`ulimit -v`).
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Watches the resident size.
    pub fn measured(mut self) -> Self {
        self.measured = true;
        self
    }

    /// Runs as another user, without further groups.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Runs in a network namespace, given by its file.
    pub fn inside(mut self, netns: impl Into<PathBuf>) -> Self {
        self.netns = Some(netns.into());
        self
    }

    /// Program and arguments with the wrappers that the settings need; each ends in `exec`, so
    /// that the process id is the program's own.
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(netns) = &self.netns {
            let mut net = OsString::from("--net=");
            net.push(netns);
            words.extend(["nsenter".into(), net, "--".into()]);
        }
        if let Some(bytes) = self.memory {
            let script = "ulimit -v \"$0\" && exec \"$@\"";
            words.extend(["sh", "-c", script].map(OsString::from));
            words.push((bytes / 1024).to_string().into());
        }
        words.push(self.program.clone().into());
        words.extend(self.args.iter().cloned());
        words
    }

    /// The environment in full.
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.env
    }

    /// Where it is to be run.
    pub fn dir(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// Starts it, as the leader of a process group of its own.
    #[track_caller]
    pub fn start(&self) -> Running {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .envs(self.env.iter().cloned())
            .process_group(0);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        match &self.stdout {
            Output::Captured => command.stdout(Stdio::piped()),
            Output::ClosedPipe => command.stdout(io::pipe().unwrap().1),
            Output::File(path) => command.stdout(
                File::options()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(path)
                    .unwrap(),
            ),
        };
        if let Some(dir) = &self.cwd {
            command.current_dir(dir);
        }
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        let begin = Instant::now();
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{words:?}: {error}"));
        // Dropped here, so that our own copies of the pipe ends do not keep them open.
        drop(command);
        let mut stdin = child.stdin.take().unwrap();
        let bytes = self.stdin.clone();
        // The program may end without reading; that is not the test's concern.
        thread::spawn(move || drop(stdin.write_all(&bytes)));
        let command = words
            .iter()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        Running::of(child, command, begin, self.timeout, self.measured)
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self) -> Outcome {
        self.start().wait()
    }
}
