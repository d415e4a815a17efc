//! Pushing: an image to the registry that its reference names.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use super::registry::concerns_engine;
use crate::engine::{Engine, EngineError, PullProgress};

/// How far a push is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PushProgress {
    /// Layers that the registry has.
    pub layers_done: usize,
    /// Layers known so far.
    pub layers: usize,
    /// Bytes sent of the layers that are not there yet.
    pub bytes: u64,
    /// Bytes of those in all, as far as known.
    pub total: u64,
}

/// Why a push did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PushError {
    /// The registry refuses it or cannot be reached, or the engine does not have the image.
    #[error("{reference} was not pushed: {reason}")]
    Refused {
        /// The image.
        reference: String,
        /// Why, in the engine's words.
        reason: String,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Pushes an image; the registry has it when this returns without an error.
///
/// # Errors
/// The registry's, or the engine's.
pub async fn push(
    engine: &dyn Engine,
    reference: &str,
    progress: &(dyn Fn(PushProgress) + Send + Sync),
) -> Result<(), PushError> {
    let mut stream = engine.push(reference);
    let mut layers: BTreeMap<String, PullProgress> = BTreeMap::new();
    let mut told = PushProgress::default();
    while let Some(item) = stream.next().await {
        let item = item.map_err(|error| {
            if concerns_engine(&error) {
                PushError::Engine(error)
            } else {
                let reference = reference.to_owned();
                let reason = error.kind.to_string();
                PushError::Refused { reference, reason }
            }
        })?;
        if item.layer.is_empty() {
            continue;
        }
        layers.insert(item.layer.clone(), item);
        let now = sum(&layers);
        if now != told {
            told = now;
            progress(now);
        }
    }
    Ok(())
}

fn sum(layers: &BTreeMap<String, PullProgress>) -> PushProgress {
    let done = |layer: &&PullProgress| {
        let status = layer.status.as_str();
        matches!(status, "Pushed" | "Layer already exists") || status.starts_with("Mounted from")
    };
    let open = || layers.values().filter(|layer| !done(layer));
    PushProgress {
        layers_done: layers.values().filter(done).count(),
        layers: layers.len(),
        bytes: open().map(|layer| layer.current).sum(),
        total: open().map(|layer| layer.total).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_summed_up() {
        let layer = |id: &str, status: &str, current, total| {
            let progress = PullProgress {
                layer: id.to_owned(),
                status: status.to_owned(),
                current,
                total,
            };
            (id.to_owned(), progress)
        };
        let layers = BTreeMap::from([
            layer("a", "Pushing", 5, 10),
            layer("b", "Layer already exists", 0, 0),
            layer("c", "Pushed", 7, 7),
        ]);
        let expected = PushProgress {
            layers_done: 2,
            layers: 3,
            bytes: 5,
            total: 10,
        };
        assert_eq!(sum(&layers), expected);
    }
}
