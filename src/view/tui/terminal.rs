//! Taking the terminal over, and giving it back in every case.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, queue};

/// Whether some [`Screen`] has the terminal, for who leaves from another thread.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether that [`Screen`] uses the mouse.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// Whether somebody else had the terminal meanwhile.
static LOST: AtomicBool = AtomicBool::new(false);
static PANIC_HOOK: Once = Once::new();

/// The terminal, taken over: raw mode, alternate screen. Given back when dropped.
#[derive(Debug)]
pub struct Screen {
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over. A panic gives it back before it is told.
    ///
    /// # Errors
    /// Where standard output is no terminal.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        PANIC_HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                usual(info);
            }));
        });
        MOUSE.store(mouse, Ordering::SeqCst);
        let screen = Self { mouse };
        screen.take()?;
        Ok(screen)
    }

    /// Takes it over again, after [`Self::lend`].
    ///
    /// # Errors
    /// The terminal's.
    pub fn take(&self) -> io::Result<()> {
        take(self.mouse)
    }

    /// Gives it back for a while: to a shell, or to whoever stopped us.
    pub fn lend(&self) {
        give_back();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, where it is taken, and says whether it was. From any thread, any number of times.
pub fn give_back() -> bool {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return false;
    }
    // Nothing can be done where this fails: the terminal is gone.
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
    true
}

/// Takes it over again, after [`give_back`], from a thread that is not the dashboard's.
pub fn take_again() {
    // Nothing can be done where this fails: the terminal is gone.
    let _ = take(MOUSE.load(Ordering::SeqCst));
    LOST.store(true, Ordering::SeqCst);
}

/// Whether what was drawn is lost, since this was last asked.
pub fn is_lost() -> bool {
    LOST.swap(false, Ordering::SeqCst)
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse {
        queue!(out, EnableMouseCapture)?;
    }
    out.flush()
}

/// The sequence (OSC 52) that asks a terminal to put a text into the clipboard.
pub fn clipboard(text: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    format!("\x1b]52;c;{encoded}\x07")
}
