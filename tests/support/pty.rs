//! Runs the program on a terminal, and reads the screen as a person does.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::cli::Cli;
use super::wait;

/// A program on a terminal of its own. Killed when dropped.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that the terminal's modes can be read after the program has ended.
    _slave: Box<dyn SlavePty + Send>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    modes: String,
    begin: Instant,
}

impl Terminal {
    /// Starts `cli` on a terminal of this size (memory limit and namespace apply; input, output, user
    /// and time limit of `cli` do not).
    pub fn start(cli: &Cli, rows: u16, columns: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let words = cli.words();
        let mut command = CommandBuilder::new(&words[0]);
        command.args(&words[1..]);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (key, value) in cli.environment() {
            command.env(key, value);
        }
        command.cwd(cli.dir().unwrap_or_else(|| std::path::Path::new("/")));
        let modes = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            size_of(rows),
            size_of(columns),
            1000,
        )));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let (screen_in, raw_in) = (Arc::clone(&screen), Arc::clone(&raw));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails when the last holder of the terminal is gone.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                screen_in.lock().unwrap().process(&buffer[..count]);
                raw_in.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        let input = pair.master.take_writer().unwrap();
        Self {
            master: pair.master,
            _slave: pair.slave,
            input,
            child,
            screen,
            raw,
            modes,
            begin: Instant::now(),
        }
    }

    /// What the screen shows, lines trimmed at the end.
    pub fn text(&self) -> String {
        let screen = self.screen.lock().unwrap();
        let rows = screen.screen().contents();
        rows.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// All bytes so far, control sequences included.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    /// Waits until the screen satisfies `wanted`; panics with the screen when `limit` passes.
    #[track_caller]
    pub fn wait_for(&self, what: &str, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let text = self.text();
            if wanted(&text) {
                return text;
            }
            assert!(
                begin.elapsed() < limit,
                "waited {limit:?} for {what}; the screen:\n{text}\n---"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Changes the terminal's size; the program gets SIGWINCH.
    pub fn resize(&self, rows: u16, columns: u16) {
        self.screen
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(size_of(rows), size_of(columns));
        self.master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("the program runs")
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.process_id().and_then(|pid| Pid::from_raw(pid as i32)) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Since the start.
    pub fn age(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Waits for the program's end; gives its exit code (128 and more for a signal).
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> u32 {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last is still on its way to the screen.
                thread::sleep(Duration::from_millis(30));
                return status.exit_code();
            }
            assert!(
                begin.elapsed() < limit,
                "still running after {limit:?}; the screen:\n{}\n---",
                self.text()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Of a shell in a container: it hears of another size, Ctrl-C reaches what runs in it, its exit code comes
    /// out, and the terminal is given back.
    #[track_caller]
    pub fn assert_shell_to_its_end(&mut self, limit: Duration) {
        self.resize(20, 60);
        wait::until("the new size", limit, || {
            self.send("stty size\n");
            thread::sleep(Duration::from_millis(200));
            self.text().contains("20 60").then_some(())
        });
        self.send("sleep 1000\n");
        thread::sleep(Duration::from_millis(300));
        self.send("\x03");
        self.send("exit 5\n");
        assert_eq!(self.wait(limit), 5, "{}", self.text());
        self.assert_restored();
    }

    /// Asserts that the terminal is as it was before: modes (`stty`), main screen, visible cursor, no
    /// mouse reports, no bracketed paste.
    #[track_caller]
    pub fn assert_restored(&self) {
        assert_eq!(modes(self.master.as_ref()), self.modes, "terminal modes");
        let screen = self.screen.lock().unwrap();
        let screen = screen.screen();
        assert!(!screen.alternate_screen(), "left on the alternate screen");
        assert!(!screen.hide_cursor(), "left without a cursor");
        assert!(!screen.bracketed_paste(), "left with bracketed paste");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "left with mouse reports"
        );
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn size_of(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("a terminal has rows and columns")
}

/// The terminal's modes, to be compared.
fn modes(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios())
}
