//! A writer that falls silent when nobody reads any more.

use std::io::Write;

/// Writes until the first error; what comes after that is dropped.
pub(super) struct Output<'w> {
    writer: &'w mut dyn Write,
    gone: bool,
}

impl<'w> Output<'w> {
    pub(super) fn new(writer: &'w mut dyn Write) -> Self {
        Self { writer, gone: false }
    }

    /// Writes and flushes.
    pub(super) fn put(&mut self, text: &str) {
        if self.gone || text.is_empty() {
            return;
        }
        // A closed pipe, a full disk, a terminal that went away: the run is more than its
        // report, and there is nowhere to say so.
        self.gone = self
            .writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush())
            .is_err();
    }

    /// Whether nobody reads.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }
}
