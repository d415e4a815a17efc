//! The terminal: what it can do, raw mode for `exec`, and putting it back in every case.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::termios::{self, OptionalActions, Termios};

use crate::view::tui;

/// What the standard streams are connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether standard input is a terminal.
    pub stdin: bool,
    /// Whether standard output is a terminal.
    pub stdout: bool,
    /// Whether standard error is a terminal.
    pub stderr: bool,
}

impl Terminal {
    /// What this process's streams are connected to.
    pub fn detect() -> Self {
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        }
    }

    /// No terminal anywhere.
    pub fn none() -> Self {
        Self {
            stdin: false,
            stdout: false,
            stderr: false,
        }
    }
}

/// Columns and rows of the terminal that a stream is connected to.
pub fn size_of(stream: impl std::os::fd::AsFd) -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Whether a stream is the terminal that controls this process.
pub fn is_controlling(stream: impl std::os::fd::AsFd) -> bool {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let Ok(tty) = rustix::fs::open("/dev/tty", flags, rustix::fs::Mode::empty()) else {
        return false;
    };
    // A session has one controlling terminal.
    let session = termios::tcgetsid(&stream).ok();
    session.is_some() && session == termios::tcgetsid(&tty).ok()
}

/// Puts the terminal back as it was; clones share what has to be put back.
#[derive(Clone, Default)]
pub struct TerminalGuard {
    before: Arc<Mutex<Option<Termios>>>,
}

impl std::fmt::Debug for TerminalGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TerminalGuard")
    }
}

/// Shows the cursor and resets colours.
const COSMETICS: &[u8] = b"\x1b[?25h\x1b[0m";

impl TerminalGuard {
    fn lock(&self) -> MutexGuard<'_, Option<Termios>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches standard input to raw mode until the returned value is dropped.
    ///
    /// # Errors
    /// Where standard input is no terminal.
    pub fn raw_mode(&self) -> io::Result<RawMode> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *self.lock() = Some(before);
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(RawMode { guard: self.clone() })
    }

    /// Puts the mode of standard input back as it was; nothing where it was not changed.
    pub fn restore_mode(&self) {
        if let Some(before) = self.lock().take() {
            // Nothing can be done where even this fails: the terminal is gone.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }

    /// Puts the mode back, and shows the cursor where standard error is a terminal. For leaving
    /// at any time and from any thread.
    pub fn restore(&self) {
        tui::terminal::give_back();
        self.restore_mode();
        if io::stderr().is_terminal() {
            let _ = rustix::io::write(io::stderr(), COSMETICS);
        }
    }

    /// Ctrl-Z: leaves the terminal usable, stops the process, and goes on when it is continued.
    pub fn suspend(&self) {
        let dashboard = tui::terminal::give_back();
        if io::stderr().is_terminal() {
            let _ = rustix::io::write(io::stderr(), COSMETICS);
        }
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        if dashboard {
            tui::terminal::take_again();
        }
    }
}

/// Raw mode of standard input; ends when dropped.
#[derive(Debug)]
pub struct RawMode {
    guard: TerminalGuard,
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.guard.restore_mode();
        let _ = io::stdout().flush();
    }
}
