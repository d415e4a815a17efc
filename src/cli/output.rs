//! Standard output is data, standard error is talk; both are written here and in the views only.

use std::io::{self, Write};

use super::exit::ExpectedError;

/// Writes data to standard output, all of it or an error: a closed pipe is
/// [`ExpectedError::OutputClosed`], a full disk is said.
///
/// # Errors
/// See above.
pub fn data(text: &str) -> Result<(), ExpectedError> {
    bytes(text.as_bytes())
}

/// As [`data`], for bytes.
///
/// # Errors
/// As [`data`].
pub fn bytes(bytes: &[u8]) -> Result<(), ExpectedError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(output_error)
}

/// A failed write to standard output as an error of the run.
pub fn output_error(error: io::Error) -> ExpectedError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        ExpectedError::OutputClosed
    } else {
        ExpectedError::Output(error)
    }
}

/// Says something on standard error. That nobody listens is no error.
pub fn talk(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
