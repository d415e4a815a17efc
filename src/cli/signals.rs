//! Signals: the first asks the run to stop, the second makes it kill, the third leaves at once.
//!
//! A thread of its own waits for them, so that a run that is stuck in a write or a long
//! computation can still be left.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::execute::stop::{Stop, StopLevel, StopSignal, Stopper, stop_pair};

use super::terminal::TerminalGuard;

/// A run's ear for signals; clones hear the same.
#[derive(Debug, Clone)]
pub struct Signals {
    stop: Stop,
    first: Arc<OnceLock<StopSignal>>,
}

impl Signals {
    /// Starts listening. Until then, signals do what they do by default.
    ///
    /// # Errors
    /// Where the thread or the handlers cannot be set up.
    pub fn listen(terminal: TerminalGuard) -> io::Result<Self> {
        let (stopper, stop) = stop_pair();
        let first = Arc::new(OnceLock::new());
        let heard = first.clone();
        let (ready_sender, ready) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("signals".into())
            .stack_size(STACK)
            .spawn(move || listen_here(&stopper, &heard, &terminal, &ready_sender))?;
        ready
            .recv()
            .map_err(|_| io::Error::other("the signal thread ended early"))??;
        Ok(Self { stop, first })
    }

    /// One that never hears anything, for tests.
    pub fn deaf() -> Self {
        Self {
            stop: Stop::never(),
            first: Arc::default(),
        }
    }

    /// What every waiting point of a run listens to.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The signal that came first; it decides the exit code.
    pub fn first(&self) -> Option<StopSignal> {
        self.first.get().copied()
    }

    /// Ends when somebody asks the run to stop; says which signal came first.
    pub async fn stopped(&self) -> StopSignal {
        self.stop.reached(StopLevel::Ask).await;
        self.first().unwrap_or(StopSignal::Terminate)
    }
}

/// Enough for a runtime that only waits.
const STACK: usize = 256 * 1024;

fn listen_here(
    stopper: &Stopper,
    first: &OnceLock<StopSignal>,
    terminal: &TerminalGuard,
    ready: &std::sync::mpsc::SyncSender<io::Result<()>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match Sources::install() {
            Ok(mut sources) => {
                let _ = ready.send(Ok(()));
                sources.run(stopper, first, terminal).await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
}

struct Sources {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    suspend: Signal,
}

impl Sources {
    fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
        })
    }

    async fn run(&mut self, stopper: &Stopper, first: &OnceLock<StopSignal>, terminal: &TerminalGuard) {
        loop {
            let signal = tokio::select! {
                _ = self.interrupt.recv() => StopSignal::Interrupt,
                _ = self.terminate.recv() => StopSignal::Terminate,
                _ = self.hangup.recv() => StopSignal::Terminate,
                _ = self.suspend.recv() => {
                    terminal.suspend();
                    continue;
                }
            };
            let first = *first.get_or_init(|| signal);
            if stopper.raise() == StopLevel::Leave {
                leave(first, terminal);
            }
        }
    }
}

/// Ends the process from the signal thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the third signal must end the process even where the main thread is stuck"
)]
fn leave(signal: StopSignal, terminal: &TerminalGuard) {
    terminal.restore();
    std::process::exit(i32::from(super::exit::Exit::Interrupted(signal).code()));
}
