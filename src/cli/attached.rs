//! A process in a container with this terminal, or these streams: for `run`, `attach` and `exec`.

use std::io;
use std::pin::Pin;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::engine::api::SharedEngine;
use crate::engine::{EngineEnv, EngineError, ExecSession, LogStream};
use crate::execute::{StopLevel, StopSignal};

use super::context::Context;
use super::detach::DetachKeys;
use super::exit::{Exit, ExpectedError};
use super::{output, terminal};
use crate::base::ContainerId;

/// How often a process's terminal is told its size until it takes it, and the time between.
const RESIZES: u32 = 10;
const RESIZE_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// How a process is attached to.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Whether it has a terminal, which then is this one.
    pub tty: bool,
    /// Whether standard input goes to it.
    pub stdin: bool,
    /// The keys that leave it running, on a terminal.
    pub keys: DetachKeys,
    /// Whether it ran before: its terminal is to be drawn anew, and its input does not end with ours (the
    /// engine would end the output as well).
    pub joined: bool,
}

/// Why somebody is not attached any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The process ended, with this exit code.
    Ended(Exit),
    /// It runs on: the keys were typed.
    Detached,
}

type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// The keys that detach: those that were asked for, else those of docker's configuration, else docker's own.
///
/// # Errors
/// Keys that were asked for and are none.
pub fn detach_keys(context: &Context, asked: Option<&str>) -> Result<DetachKeys, ExpectedError> {
    if let Some(text) = asked {
        return DetachKeys::parse(text).map_err(|why| ExpectedError::usage(format!("--detach-keys: {why}")));
    }
    let configured = EngineEnv::new(context.env.vars().clone()).detach_keys();
    Ok(configured
        .and_then(|text| DetachKeys::parse(&text).ok())
        .unwrap_or_default())
}

/// Stays with a process until it ends or the keys are typed; the terminal is given back in any case.
///
/// # Errors
/// The engine's, or an output that cannot be written; the process may run on then.
pub async fn stay(context: &Context, session: ExecSession, how: &Attachment) -> Result<Left, ExpectedError> {
    if !how.tty {
        return piped(session, how).await;
    }
    // Without its input, keys do here what they usually do.
    let _raw = if how.stdin && context.settings.terminal.stdin {
        Some(context.terminal.raw_mode().map_err(ExpectedError::Setup)?)
    } else {
        None
    };
    with_terminal(session, how).await
}

/// What signals do to a container that this process is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insist {
    /// The second one kills it: it is this process's own.
    Yes,
    /// Every one is passed on as it is.
    No,
}

/// Passes signals on to a container; never ends.
pub async fn pass_signals_on(
    context: &Context,
    engine: &SharedEngine,
    id: &ContainerId,
    insist: Insist,
) -> ExpectedError {
    let stop = context.signals.stop();
    // That it has ended meanwhile is seen elsewhere.
    let send = async |name: &str| drop(engine.kill_container(id, name).await);
    let main = async {
        let first = context.signals.stopped().await;
        let name = match first {
            StopSignal::Interrupt => "INT",
            StopSignal::Terminate => "TERM",
        };
        send(name).await;
        stop.reached(StopLevel::Kill).await;
        send(if insist == Insist::Yes { "KILL" } else { name }).await;
        std::future::pending::<()>().await;
    };
    let others = async {
        let kinds = [
            (SignalKind::quit(), "QUIT"),
            (SignalKind::user_defined1(), "USR1"),
            (SignalKind::user_defined2(), "USR2"),
        ];
        let pass = async |kind, name: &str| -> io::Result<()> {
            let mut heard = signal(kind)?;
            while heard.recv().await.is_some() {
                send(name).await;
            }
            Ok(())
        };
        let passed = futures_util::future::try_join_all(kinds.map(|(kind, name)| pass(kind, name))).await;
        match passed {
            Ok(_) => std::future::pending().await,
            Err(error) => ExpectedError::Setup(error),
        }
    };
    tokio::select! {
        error = others => error,
        () = main => std::future::pending().await,
    }
}

/// Streams of their own for output and errors; standard input is passed on.
async fn piped(session: ExecSession, how: &Attachment) -> Result<Left, ExpectedError> {
    let ExecSession {
        input,
        output: mut chunks,
        control,
    } = session;
    // Ends with the process: a read of standard input cannot be broken off.
    let (feeding, _input) = if how.stdin {
        (Some(tokio::spawn(feed(input, how.joined))), None)
    } else {
        (None, Some(input))
    };
    let (mut stdout, mut stderr) = (tokio::io::stdout(), tokio::io::stderr());
    while let Some(chunk) = chunks.next().await {
        let (stream, bytes) = chunk?;
        match stream {
            LogStream::Stdout => {
                stdout.write_all(&bytes).await.map_err(output::output_error)?;
                stdout.flush().await.map_err(output::output_error)?;
            }
            LogStream::Stderr => {
                // That nobody listens to it is no reason to break off.
                let _ = stderr.write_all(&bytes).await;
                let _ = stderr.flush().await;
            }
        }
    }
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    Ok(Left::Ended(Exit::of_command(control.exit_code().await?)))
}

/// This terminal is the process's own, and kept to its size.
async fn with_terminal(session: ExecSession, how: &Attachment) -> Result<Left, ExpectedError> {
    let ExecSession {
        input,
        output: mut chunks,
        control,
    } = session;
    let (left, mut leaving) = oneshot::channel();
    let (feeding, _kept) = if how.stdin {
        (Some(tokio::spawn(feed_keys(input, how.keys.clone(), left))), None)
    } else {
        // Nobody types, so nobody leaves.
        (None, Some((input, left)))
    };
    let resizing = tokio::spawn({
        let control = control.clone();
        let mut resized = signal(SignalKind::window_change()).map_err(ExpectedError::Setup)?;
        let mut redraw = how.joined;
        async move {
            loop {
                // The process may not quite have begun, or have ended meanwhile.
                for _ in 0..RESIZES {
                    let Some((columns, rows)) = terminal::size_of(io::stdout()) else {
                        break;
                    };
                    // A program draws anew what has another size.
                    if std::mem::take(&mut redraw) {
                        let _ = control.resize(columns, rows.saturating_add(1)).await;
                    }
                    if control.resize(columns, rows).await.is_ok() {
                        break;
                    }
                    tokio::time::sleep(RESIZE_PAUSE).await;
                }
                if resized.recv().await.is_none() {
                    break;
                }
            }
        }
    });
    let mut stdout = tokio::io::stdout();
    let written = async {
        while let Some(chunk) = chunks.next().await {
            let (_, bytes) = chunk?;
            stdout.write_all(&bytes).await.map_err(output::output_error)?;
            stdout.flush().await.map_err(output::output_error)?;
        }
        Ok::<(), ExpectedError>(())
    };
    let detached = tokio::select! {
        biased;
        Ok(()) = &mut leaving => Ok(true),
        written = written => written.map(|()| false),
    };
    resizing.abort();
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    if detached? {
        return Ok(Left::Detached);
    }
    Ok(Left::Ended(Exit::of_command(control.exit_code().await?)))
}

/// Passes the terminal's keys on, until those that detach were typed; says so. What is typed after the
/// process's end is left for whoever reads next: a read of standard input itself could not be broken off,
/// and would swallow it.
async fn feed_keys(mut input: Input, mut detach: DetachKeys, left: oneshot::Sender<()>) {
    // Standard input is a terminal, yet it may not be the one that controls this process.
    let keys = terminal::is_controlling(io::stdin())
        .then(|| {
            pipe::OpenOptions::new()
                .unchecked(true)
                .open_receiver("/dev/tty")
                .ok()
        })
        .flatten();
    let Some(mut keys) = keys else {
        let mut stdin = tokio::io::stdin();
        return feed_from(&mut stdin, &mut input, &mut detach, left).await;
    };
    feed_from(&mut keys, &mut input, &mut detach, left).await;
}

async fn feed_from(
    keys: &mut (impl AsyncReadExt + Unpin),
    input: &mut Input,
    detach: &mut DetachKeys,
    left: oneshot::Sender<()>,
) {
    let mut buffer = vec![0; 8 * 1024];
    // Ends with the process: the terminal itself does not.
    while let Ok(count @ 1..) = keys.read(&mut buffer).await {
        let (bytes, detached) = detach.take(buffer.get(..count).unwrap_or_default());
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
        if detached {
            // Whoever waits for it may be gone already.
            let _ = left.send(());
            return;
        }
    }
    let _ = input.shutdown().await;
}

/// Passes standard input on until it ends, or the process does not want it any more; `keep` does not tell
/// the process of the end.
async fn feed(mut input: Input, keep: bool) {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; 8 * 1024];
    loop {
        match stdin.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                if input.write_all(bytes).await.is_err() || input.flush().await.is_err() {
                    return;
                }
            }
        }
    }
    if keep {
        std::future::pending::<()>().await;
    }
    let _ = input.shutdown().await;
}

/// What a shell gives for a command that is not there, and for one that may not be run; `None` where an
/// engine's refusal says nothing of that.
pub fn code_of_refusal(error: &EngineError) -> Option<u8> {
    use crate::engine::EngineErrorKind;
    const NOT_FOUND: u8 = 127;
    const NOT_EXECUTABLE: u8 = 126;
    let text = match &error.kind {
        EngineErrorKind::Refused { message, .. } => message.as_str(),
        EngineErrorKind::NotFound(text) | EngineErrorKind::Conflict(text) => text.as_str(),
        _ => return None,
    };
    if text.contains("executable file not found") || text.contains("no such file or directory") {
        Some(NOT_FOUND)
    } else if text.contains("permission denied") {
        Some(NOT_EXECUTABLE)
    } else {
        None
    }
}
