//! A second engine that a test may stop, freeze and kill.
//!
//! It keeps everything under one folder `/tmp/t-<pid>-<start>-<n>` (short, for its sockets), and runs in a
//! network namespace of its own, so that its bridges, packet filter and ports are nobody else's. (In the
//! machine's own namespace even an engine with `--bridge=none` would remove the other engine's docker0.) What an engine of a dead test process left is swept before a new one is made.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::disk::Disk;
use super::docker::Docker;
use super::netns::Netns;
use super::{images, owner, wait};

mod sweep;

/// How an engine is to be made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Size of its data folder's own file system; none means the machine's disk.
    pub disk_mb: Option<u32>,
    /// Containers go on running while the engine is away.
    pub live_restore: bool,
    /// `base=…,size=…` of the networks to hand out.
    pub address_pool: Option<String>,
    /// More arguments for the engine.
    pub more: Vec<String>,
}

/// An engine of this test alone.
#[derive(Debug)]
pub struct PrivateEngine {
    /// The part that outlives each start.
    dir: PathBuf,
    options: Options,
    daemon: Option<Child>,
    // Dropped in this order, after the folder's processes are gone.
    disk: Option<Disk>,
    netns: Netns,
}

impl PrivateEngine {
    /// Whether this machine lets the test make one; if not, why. With `PLATFORM_TEST_STRICT` set, as in
    /// CI, a machine that does not is a failure rather than a reason to skip.
    pub fn available() -> bool {
        let missing = if !rustix::process::geteuid().is_root() {
            Some("root")
        } else {
            let programs = ["dockerd", "containerd", "nsenter", "unshare", "ip", "mount"];
            programs.into_iter().find(|program| !on_path(program))
        };
        let Some(missing) = missing else { return true };
        assert!(
            std::env::var_os("PLATFORM_TEST_STRICT").is_none(),
            "a private engine needs {missing}"
        );
        eprintln!("skipped: a private engine needs {missing}");
        false
    }

    /// Starts one with everything its own.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts one.
    pub fn with(options: Options) -> Self {
        sweep::orphans();
        let dir = Path::new("/tmp").join(owner::unique());
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("config.json"), "{}").unwrap();
        let disk = options
            .disk_mb
            .map(|megabytes| Disk::mount(&dir.join("data"), megabytes));
        let netns = Netns::create(&dir.join("net"));
        let mut engine = Self {
            dir,
            options,
            daemon: None,
            disk,
            netns,
        };
        engine.restart();
        engine
    }

    /// The tests' own way to it.
    pub fn docker(&self) -> Docker {
        Docker::new(&self.dir.join("d.sock"))
    }

    /// The folder that holds all of it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its data folder's file system, if it has its own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Its network namespace.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Does something where the engine's containers and published ports can be reached.
    #[track_caller]
    pub fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.netns.within(act)
    }

    /// Makes the usual test image under this reference.
    pub fn make_image(&self, reference: &str) {
        images::make(&self.docker(), reference, &[]);
    }

    /// Starts it, or starts it again after [`Self::kill`] or [`Self::stop`]; returns when it answers.
    pub fn restart(&mut self) {
        self.begin_restart();
        self.wait_ready();
    }

    /// As [`Self::restart`], without waiting for it to answer.
    pub fn begin_restart(&mut self) {
        assert!(self.daemon.is_none(), "the engine is running");
        // Left by a kill; a pid file whose number is in use again costs a failed start.
        for stale in ["d.pid", "d.sock", "exec/containerd/containerd.pid"] {
            drop(fs::remove_file(self.dir.join(stale)));
        }
        sweep::stop_containerd(&self.dir);
        let pool = self
            .options
            .address_pool
            .as_deref()
            .unwrap_or("base=10.201.0.0/16,size=24");
        let mut words = vec![
            "nsenter".to_owned(),
            format!("--net={}", self.netns.file().display()),
            "--".to_owned(),
        ];
        let dir = self.dir.display();
        words.push("dockerd".to_owned());
        words.extend([
            format!("--data-root={dir}/data"),
            format!("--exec-root={dir}/exec"),
            format!("--host=unix://{dir}/d.sock"),
            format!("--pidfile={dir}/d.pid"),
            format!("--config-file={dir}/config.json"),
            format!("--default-address-pool={pool}"),
            "--shutdown-timeout=1".to_owned(),
            "--mtu=1400".to_owned(),
            "--bip=10.200.0.1/24".to_owned(),
        ]);
        if self.options.live_restore {
            words.push("--live-restore".to_owned());
        }
        words.extend(self.options.more.iter().cloned());
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("log"))
            .unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // Signals to the test's own group are not meant for it.
            .process_group(0)
            .spawn()
            .unwrap();
        self.daemon = Some(child);
    }

    /// Waits until it answers.
    pub fn wait_ready(&mut self) {
        let docker = self.docker();
        let begin = Instant::now();
        while !(self.dir.join("d.sock").exists() && docker.answers()) {
            let ended = self
                .daemon
                .as_mut()
                .is_some_and(|child| child.try_wait().unwrap().is_some());
            let late = begin.elapsed() > Duration::from_secs(60);
            assert!(
                !ended && !late,
                "the private engine does not start:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the engine itself has to say.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Asks it to end, as a service manager does, and waits. Containers are stopped, unless with
    /// live restore.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.reap();
    }

    /// Kills it at once. Containers go on running.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.reap();
    }

    /// Makes it hang: it accepts connections and answers none, until [`Self::thaw`].
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        let child = self.daemon.as_ref().expect("the engine is not running");
        let tasks = format!("/proc/{}/task", child.id());
        let is_stopped = |stat: String| {
            stat.rsplit_once(')')
                .is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
        };
        // Each thread stops in its own time.
        wait::until("all threads to stop", Duration::from_secs(5), || {
            let mut all = fs::read_dir(&tasks).unwrap().flatten();
            all.all(|task| fs::read_to_string(task.path().join("stat")).is_ok_and(is_stopped))
                .then_some(())
        });
    }

    /// Ends [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.daemon.as_ref().expect("the engine is not running");
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    fn reap(&mut self) {
        let mut child = self.daemon.take().expect("the engine is not running");
        wait::until("the engine's end", Duration::from_secs(30), || {
            child.try_wait().unwrap()
        });
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            drop(child.wait());
        }
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log
                .lines()
                .rev()
                .filter(|line| !line.contains("level=info"))
                .take(15)
                .collect();
            eprintln!("--- the private engine's last words");
            tail.into_iter().rev().for_each(|line| eprintln!("{line}"));
        }
        self.disk = None;
        sweep::remove(&self.dir);
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
