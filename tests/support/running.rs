//! A program that runs, and how it ended.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub command: String,
    /// What the process returned.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// From start to exit.
    pub duration: Duration,
    /// Largest resident size seen in bytes, sampled every 2 ms; 0 unless the command was to be measured.
    pub peak_rss: u64,
    /// Whether it had to be killed at its time limit.
    pub timed_out: bool,
}

/// A process that runs. Killed with its whole group when dropped.
#[derive(Debug)]
pub struct Running {
    command: String,
    child: Child,
    begin: Instant,
    stdout: Arc<Capture>,
    stderr: Arc<Capture>,
    peak: Arc<Mutex<u64>>,
    limit: Duration,
    status: Option<ExitStatus>,
    ended_after: Duration,
}

impl Running {
    /// Takes over a process whose standard input is cared for.
    pub fn of(mut child: Child, command: String, begin: Instant, limit: Duration, measured: bool) -> Self {
        let stdout = child.stdout.take().map_or_else(Capture::nothing, Capture::of);
        let stderr = child.stderr.take().map_or_else(Capture::nothing, Capture::of);
        let peak = Arc::new(Mutex::new(0));
        if measured {
            sample_rss(child.id(), Arc::clone(&peak));
        }
        Self {
            command,
            child,
            begin,
            stdout,
            stderr,
            peak,
            limit,
            status: None,
            ended_after: Duration::ZERO,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Since its start.
    pub fn age(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            // It may have ended a moment ago; until we reap it, its id is not used again.
            let _ = kill_process(self.group(), signal);
        }
    }

    /// Sends a signal to its whole process group, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        let _ = kill_process_group(self.group(), signal);
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until a whole line of either stream satisfies `wanted`; gives the line, or `None` when
    /// the process ends, or `limit` passes, without one.
    pub fn line(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let begin = Instant::now();
        loop {
            let ended = self.ended();
            if ended {
                // What it wrote last may still be in the pipes.
                self.stdout.finished(Duration::from_secs(1));
                self.stderr.finished(Duration::from_secs(1));
            }
            for text in [self.stderr.text(), self.stdout.text()] {
                let whole = text.rfind('\n').map_or("", |end| &text[..end]);
                if let Some(line) = whole.lines().find(|line| wanted(line)) {
                    return Some(line.to_owned());
                }
            }
            if ended || begin.elapsed() > limit {
                return None;
            }
            // Whichever stream it comes on, a new line is seen within a millisecond.
            self.stderr.changed(Duration::from_millis(1));
        }
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().unwrap();
            self.ended_after = self.begin.elapsed();
        }
        self.status.is_some()
    }

    /// Waits for its end, killing it at its time limit.
    pub fn wait(mut self) -> Outcome {
        let mut timed_out = false;
        while !self.ended() {
            if self.begin.elapsed() > self.limit && !timed_out {
                timed_out = true;
                self.signal_group(Signal::KILL);
            }
            thread::sleep(Duration::from_millis(2));
        }
        let duration = self.ended_after;
        // A child of it may hold the pipes open for ever; what has come by then is what there is.
        self.stdout.finished(Duration::from_secs(1));
        self.stderr.finished(Duration::from_secs(1));
        Outcome {
            command: self.command.clone(),
            status: self.status.unwrap(),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
            duration,
            peak_rss: *self.peak.lock().unwrap(),
            timed_out,
        }
    }

    /// Waits for the end of all, each timed for itself.
    pub fn wait_all(mut all: Vec<Self>) -> Vec<Outcome> {
        while all.iter_mut().map(Self::ended).filter(|ended| !ended).count() > 0 {
            let late = |running: &Self| running.status.is_none() && running.begin.elapsed() > running.limit;
            if all.iter().any(late) {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        all.into_iter().map(Self::wait).collect()
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended() {
            self.signal_group(Signal::KILL);
            drop(self.child.wait());
        }
    }
}

impl Outcome {
    /// The exit code; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Asserts the exit code; a failure shows all that was written.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(!self.timed_out, "still running after {:?}\n{self}", self.duration);
        assert_eq!(self.code(), Some(code), "exit code\n{self}");
        self
    }

    /// Asserts that standard error holds `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "standard error lacks {text:?}\n{self}"
        );
        self
    }

    /// Asserts that standard output holds `text`.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "standard output lacks {text:?}\n{self}"
        );
        self
    }

    /// Asserts that neither stream holds `text`.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(!self.all().contains(text), "the output holds {text:?}\n{self}");
        self
    }

    /// The events of `--progress json`, in order.
    pub fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(Value::is_object)
            .collect()
    }

    /// The events of one type.
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events()
            .into_iter()
            .filter(|event| event["type"] == kind)
            .collect()
    }

    /// The one service that the failure report of `--progress json` is about.
    #[track_caller]
    pub fn failed_service(&self) -> Value {
        let reports = self.events_of("failure");
        let services = reports.last().and_then(|report| report["services"].as_array());
        let Some([service]) = services.map(Vec::as_slice) else {
            panic!("no report of one service\n{self}")
        };
        service.clone()
    }

    /// Both streams, one after the other.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {}  [{}, {:?}]", self.command, self.status, self.duration)?;
        write!(f, "--- stdout\n{}--- stderr\n{}---", self.stdout, self.stderr)
    }
}

/// A stream as far as it has been read.
#[derive(Debug, Default)]
struct Capture {
    read: Mutex<(Vec<u8>, bool)>,
    news: Condvar,
}

impl Capture {
    /// Reads `stream` to its end on a thread of its own.
    fn of(mut stream: impl Read + Send + 'static) -> Arc<Self> {
        let capture = Arc::new(Self::default());
        let writer = Arc::clone(&capture);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let mut read = writer.read.lock().unwrap();
                read.0.extend_from_slice(&buffer[..count]);
                read.1 = count == 0;
                writer.news.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        capture
    }

    /// A stream that is not ours to read.
    fn nothing() -> Arc<Self> {
        Arc::new(Self {
            read: Mutex::new((Vec::new(), true)),
            news: Condvar::new(),
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.read.lock().unwrap().0).into_owned()
    }

    fn changed(&self, limit: Duration) {
        drop(self.news.wait_timeout(self.read.lock().unwrap(), limit).unwrap());
    }

    fn finished(&self, limit: Duration) {
        let read = self.read.lock().unwrap();
        drop(self.news.wait_timeout_while(read, limit, |read| !read.1).unwrap());
    }
}

/// Keeps the largest resident size of a process in `peak` until it ends.
fn sample_rss(pid: u32, peak: Arc<Mutex<u64>>) {
    thread::spawn(move || {
        // The line goes with the memory when the process ends; the kernel keeps the maximum itself, so
        // that only growth in the last 2 ms can be missed.
        while let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
            else {
                return;
            };
            let mut peak = peak.lock().unwrap();
            *peak = (*peak).max(kib * 1024);
            drop(peak);
            thread::sleep(Duration::from_millis(2));
        }
    });
}
