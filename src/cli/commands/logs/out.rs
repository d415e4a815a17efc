//! Where lines go: what containers write to their standard error, to ours, as in docker compose.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::super::super::exit::ExpectedError;
use super::super::super::output::output_error;
use crate::engine::LogStream;

/// Both streams, in the order of what is written to them.
pub(super) struct Out {
    stdout: tokio::io::Stdout,
    stderr: tokio::io::Stderr,
    /// Printed, and not written yet: a piece for each change of the stream.
    pieces: Vec<(LogStream, Vec<u8>)>,
}

impl Default for Out {
    fn default() -> Self {
        Self {
            stdout: tokio::io::stdout(),
            stderr: tokio::io::stderr(),
            pieces: Vec::new(),
        }
    }
}

impl Out {
    /// Where the next line of a stream is printed to.
    pub(super) fn of(&mut self, stream: LogStream) -> &mut Vec<u8> {
        let fits = self.pieces.last().is_some_and(|(last, _)| *last == stream);
        if !fits {
            self.pieces.push((stream, Vec::new()));
        }
        let last = self.pieces.len() - 1;
        &mut self.pieces[last].1
    }

    /// Writes what was printed. That nobody reads standard error is no error.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) async fn write(&mut self) -> Result<(), ExpectedError> {
        for (stream, bytes) in self.pieces.drain(..) {
            match stream {
                LogStream::Stdout => put(&mut self.stdout, &bytes).await.map_err(output_error)?,
                LogStream::Stderr => {
                    let _ = put(&mut self.stderr, &bytes).await;
                }
            }
        }
        Ok(())
    }
}

async fn put(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
