//! `platform exec`: a command in a running container, with this terminal if there is one.

use std::io;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use crate::base::ServiceName;
use crate::engine::{EngineError, EngineErrorKind, ExecSession, ExecSpec, LogStream};
use crate::model::{Container, ContainerState};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::settings::ExecSettings;
use super::super::{output, terminal};
use super::check_services;

/// What a shell gives for a command that is not there, and for one that may not be run.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// How often a command's terminal is told its size until it takes it, and the time between.
const RESIZES: u32 = 10;
const RESIZE_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Runs a command; the exit code is the command's own.
///
/// # Errors
/// No project, no running container of the service, an engine that does not answer.
pub async fn run(context: &Context, settings: ExecSettings) -> Outcome {
    let named = [settings.service.clone()];
    let (project, stack) = context.project_or_name(&named)?;
    let engine = context.engine().await?;
    let containers = engine.list_containers(Some(&project)).await?;
    check_services(&named, stack.as_deref(), &containers)?;
    let container = choose(&containers, &settings.service, settings.index)?;
    let spec = ExecSpec {
        command: settings.command.clone(),
        user: settings.user.clone(),
        working_dir: settings.working_dir.clone(),
        env: settings.env.clone(),
        privileged: settings.privileged,
        stdin: None,
        timeout: None,
    };
    let session = match engine.exec_attach(&container.id, &spec, settings.tty).await {
        Ok(session) => session,
        Err(error) => return refused(error),
    };
    if settings.detach {
        return Ok(Exit::AsWanted);
    }
    if settings.tty {
        let _raw = context.terminal.raw_mode().map_err(ExpectedError::Setup)?;
        with_terminal(session).await
    } else {
        piped(session).await
    }
}

/// The container to run the command in: the one of that number, else the first that runs.
fn choose<'c>(
    containers: &'c [Container],
    service: &ServiceName,
    index: Option<u32>,
) -> Result<&'c Container, ExpectedError> {
    let of_service = |c: &&Container| c.service == *service && !c.oneoff;
    let found = containers.iter().filter(of_service).find(|c| match index {
        Some(index) => c.number == index,
        None => c.state == ContainerState::Running,
    });
    match found {
        Some(container) if container.state == ContainerState::Running => Ok(container),
        Some(container) => Err(not_running(format!(
            "container {} does not run: it is {}",
            container.name,
            container.state.as_str()
        ))),
        None => Err(not_running(match index {
            Some(index) => format!("service {service} has no container {index}"),
            None => format!("no container of service {service} runs"),
        })),
    }
}

fn not_running(message: String) -> ExpectedError {
    ExpectedError::NotAsWanted {
        message,
        hint: Some("`platform ps -a` shows what there is; `platform up -d` starts it".into()),
    }
}

/// A command that could not be started gives what a shell would.
fn refused(error: EngineError) -> Outcome {
    let text = match &error.kind {
        EngineErrorKind::Refused { message, .. } => message.as_str(),
        EngineErrorKind::NotFound(text) | EngineErrorKind::Conflict(text) => text.as_str(),
        _ => "",
    };
    let code = if text.contains("executable file not found") || text.contains("no such file or directory") {
        NOT_FOUND
    } else if text.contains("permission denied") {
        NOT_EXECUTABLE
    } else {
        return Err(error.into());
    };
    output::talk(&format!("error: {error}\n"));
    Ok(Exit::Command(code))
}

/// Streams of their own for output and errors; standard input is passed on.
async fn piped(session: ExecSession) -> Outcome {
    let ExecSession {
        input,
        output: mut chunks,
        control,
    } = session;
    // Ends with the process: a read of standard input cannot be broken off.
    let feeding = tokio::spawn(feed(input));
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
    feeding.abort();
    Ok(Exit::of_command(control.exit_code().await?))
}

/// This terminal is the command's own: raw, and kept to its size.
pub(super) async fn with_terminal(session: ExecSession) -> Outcome {
    let ExecSession {
        input,
        output: mut chunks,
        control,
    } = session;
    let feeding = tokio::spawn(feed_keys(input));
    let resizing = tokio::spawn({
        let control = control.clone();
        let mut resized = signal(SignalKind::window_change()).map_err(ExpectedError::Setup)?;
        async move {
            loop {
                // The command may not quite have begun, or have ended meanwhile.
                for _ in 0..RESIZES {
                    let Some((columns, rows)) = terminal::size_of(io::stdout()) else {
                        break;
                    };
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
    let mut result = Ok(());
    while let Some(chunk) = chunks.next().await {
        result = match chunk {
            Ok((_, bytes)) => match stdout.write_all(&bytes).await {
                Ok(()) => stdout.flush().await.map_err(output::output_error),
                Err(error) => Err(output::output_error(error)),
            },
            Err(error) => Err(error.into()),
        };
        if result.is_err() {
            break;
        }
    }
    resizing.abort();
    feeding.abort();
    result?;
    Ok(Exit::of_command(control.exit_code().await?))
}

/// Passes the terminal's keys on. What is typed after the command's end is left for whoever reads next: a
/// read of standard input itself could not be broken off, and would swallow it.
async fn feed_keys(mut input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
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
        return feed(input).await;
    };
    let mut buffer = vec![0; 8 * 1024];
    // Ends with the command: the terminal itself does not.
    while let Ok(count @ 1..) = keys.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        if input.write_all(bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

/// Passes standard input on until it ends, or the command does not want it any more.
async fn feed(mut input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>) {
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
    let _ = input.shutdown().await;
}
