//! Tracing to standard error, for finding out what the program does. Off unless asked for.

use std::io::{self, Write};

use tracing::Level;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::base::Masker;

use super::exit::ExpectedError;

/// Crates whose debug output holds request bodies, and with them the stack's secrets. They are
/// never traced below info, whatever was asked for.
const CLAMPED: [&str; 6] = ["bollard", "hyper", "hyper_util", "h2", "tonic", "tower"];

/// Starts tracing as `filter` says (`debug`, `info,platform::execute=trace`); nothing where it is
/// empty. Values that `masker` knows are hidden; records of the `log` facade are not collected at all.
///
/// # Errors
/// Where `filter` cannot be read.
pub fn start(filter: &str, masker: &Masker) -> Result<(), ExpectedError> {
    if filter.is_empty() {
        return Ok(());
    }
    let targets: Targets = filter.parse().map_err(|_| ExpectedError::Usage {
        message: format!("`{filter}` is no log level"),
        hint: Some("expected error, warn, info, debug or trace, or target=level separated by commas".into()),
    })?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer({
            let masker = masker.clone();
            move || Masking {
                masker: masker.clone(),
                to: io::stderr(),
            }
        })
        .with_ansi(false)
        .with_filter(targets.and(filter_fn(|meta| is_harmless(meta.target(), *meta.level()))));
    // Only a second call in one process fails, and then the first subscriber stays.
    let _ = set_global_default(tracing_subscriber::registry().with(layer));
    Ok(())
}

/// Writes whole records with known secrets hidden.
struct Masking<W> {
    masker: Masker,
    to: W,
}

impl<W: Write> Write for Masking<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        self.to.write_all(self.masker.mask(&text).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn is_harmless(target: &str, level: Level) -> bool {
    let root = target.split("::").next().unwrap_or_default();
    level <= Level::INFO || !CLAMPED.contains(&root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_requests_are_never_traced() {
        assert!(!is_harmless("bollard::docker", Level::DEBUG));
        assert!(!is_harmless("hyper", Level::TRACE));
        assert!(is_harmless("bollard", Level::INFO));
        assert!(is_harmless("platform::execute", Level::TRACE));
        assert!(is_harmless("bollards", Level::TRACE));
        let masker = Masker::default();
        assert_eq!(start("nonsense=at=all", &masker).unwrap_err().exit().code(), 2);
    }

    #[test]
    fn known_secrets_are_hidden() {
        let masker = Masker::default();
        let mut out = Vec::new();
        let mut writer = Masking {
            masker: masker.clone(),
            to: &mut out,
        };
        masker.add("hunter2");
        writer.write_all(b"DEBUG token=hunter2\n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "DEBUG token=••••••\n");
    }
}
