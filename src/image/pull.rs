//! Pulling: with a watchdog on every layer, and tried again when it breaks.

use std::time::Duration;

use futures_util::StreamExt;
use indexmap::IndexMap;

use super::progress::{Activity, Reporter};
use super::reference::Reference;
use super::registry::{Begun, PullStream, Registries, concerns_engine};
use crate::base::format_bytes;
use crate::engine::{Engine, EngineError, EngineErrorKind, PullProgress};

/// How a pull is carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How long a registry may be silent before it counts as not there.
    pub(super) connect: Duration,
    /// How long a pull may go without any change.
    pub(super) stall: Duration,
    /// How often it is tried in all.
    pub(super) attempts: u32,
}

/// Why a pull did not give the image.
#[derive(Debug)]
pub(super) enum PullFailure {
    /// The registry has no such image, refuses it, cannot be reached, or stalls; in words.
    NotHad(String),
    /// The engine failed.
    Engine(EngineError),
}

/// Pulls an image; it is on the engine when this returns without an error.
pub(super) async fn pull(
    engine: &dyn Engine,
    registries: &Registries,
    reference: &Reference,
    platform: Option<&str>,
    limits: Limits,
    report: Reporter<'_>,
) -> Result<(), PullFailure> {
    let name = reference.to_string();
    let start = || engine.pull(&name, platform);
    let mut attempt = 1;
    loop {
        let begun = registries
            .begin(&reference.registry, limits.connect, &start)
            .await
            .map_err(PullFailure::Engine)?;
        let stream = match begun {
            Begun::Answers(stream) => stream,
            Begun::Unreachable(reason) => {
                return Err(PullFailure::NotHad(format!(
                    "the registry {} cannot be reached ({reason})",
                    reference.registry
                )));
            }
        };
        let mut layers = Layers::default();
        let reason = match follow(stream, &mut layers, limits.stall, report).await {
            Ok(()) => return Ok(()),
            Err(Broken::Stalled) => format!(
                "nothing came for {}{}",
                crate::base::format_duration(limits.stall),
                layers.unfinished()
            ),
            Err(Broken::Failed(error)) => match &error.kind {
                EngineErrorKind::ImageNotFound(reason) => {
                    return Err(PullFailure::NotHad(format!(
                        "the registry {} does not have it, or not for us ({reason})",
                        reference.registry
                    )));
                }
                // The engine's own watchdog saw the same as ours would have.
                EngineErrorKind::TimedOut(_) if layers.any() => {
                    format!("nothing came any more{}", layers.unfinished())
                }
                EngineErrorKind::RegistryUnreachable(reason) | EngineErrorKind::StreamFailed(reason)
                    if layers.any() =>
                {
                    format!("{reason}{}", layers.unfinished())
                }
                _ if concerns_engine(&error) => return Err(PullFailure::Engine(error)),
                other => return Err(PullFailure::NotHad(other.to_string())),
            },
        };
        if attempt >= limits.attempts {
            return Err(PullFailure::NotHad(format!(
                "the pull broke {attempt} times, the last time: {reason}"
            )));
        }
        attempt += 1;
        report.tell(Activity::Retrying { attempt, reason });
        tokio::time::sleep(Duration::from_secs(1 << (attempt - 2).min(4))).await;
    }
}

enum Broken {
    Stalled,
    Failed(EngineError),
}

async fn follow(
    mut stream: PullStream,
    layers: &mut Layers,
    stall: Duration,
    report: Reporter<'_>,
) -> Result<(), Broken> {
    let mut deadline = tokio::time::Instant::now() + stall;
    loop {
        match tokio::time::timeout_at(deadline, stream.next()).await {
            Err(_) => return Err(Broken::Stalled),
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => return Err(Broken::Failed(error)),
            Ok(Some(Ok(progress))) => {
                // A message that repeats itself is no progress.
                if layers.take(progress) {
                    deadline = tokio::time::Instant::now() + stall;
                    report.tell(layers.sum());
                }
            }
        }
    }
}

/// The layers of one pull.
#[derive(Debug, Default)]
struct Layers {
    by_id: IndexMap<String, PullProgress>,
    downloaded: IndexMap<String, (u64, u64)>,
}

impl Layers {
    /// Takes a message in; whether it says anything new.
    fn take(&mut self, progress: PullProgress) -> bool {
        if progress.status == "Downloading" {
            self.downloaded
                .insert(progress.layer.clone(), (progress.current, progress.total));
        }
        if self.is_complete(&progress)
            && let Some((current, total)) = self.downloaded.get_mut(&progress.layer)
        {
            *current = *total;
        }
        let before = self.by_id.insert(progress.layer.clone(), progress.clone());
        before.as_ref() != Some(&progress)
    }

    fn is_complete(&self, progress: &PullProgress) -> bool {
        matches!(
            progress.status.as_str(),
            "Download complete" | "Verifying Checksum" | "Pull complete" | "Already exists"
        )
    }

    fn any(&self) -> bool {
        self.layers().next().is_some()
    }

    /// The messages that belong to a layer, as opposed to the image (tag, digest).
    fn layers(&self) -> impl Iterator<Item = &PullProgress> {
        self.by_id
            .values()
            .filter(|p| p.layer.len() == 12 && p.layer.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    fn sum(&self) -> Activity {
        Activity::Pulling {
            layers_done: self
                .layers()
                .filter(|p| matches!(p.status.as_str(), "Pull complete" | "Already exists"))
                .count(),
            layers: self.layers().count(),
            bytes: self.downloaded.values().map(|(current, _)| current).sum(),
            total: self.downloaded.values().map(|(_, total)| total).sum(),
        }
    }

    /// `, layer 0123456789ab at 3 MiB of 40 MiB`, for a message.
    fn unfinished(&self) -> String {
        self.layers()
            .find(|p| p.status == "Downloading")
            .or_else(|| {
                self.layers()
                    .find(|p| !matches!(p.status.as_str(), "Pull complete" | "Already exists"))
            })
            .map(|p| match self.downloaded.get(&p.layer) {
                Some((current, total)) if *total > 0 => format!(
                    ", layer {} at {} of {}",
                    p.layer,
                    format_bytes(*current),
                    format_bytes(*total)
                ),
                _ => format!(", layer {} ({})", p.layer, p.status.to_lowercase()),
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(id: &str, status: &str, current: u64, total: u64) -> PullProgress {
        PullProgress {
            layer: id.to_owned(),
            status: status.to_owned(),
            current,
            total,
        }
    }

    #[test]
    fn layers_are_summed_up_and_the_unfinished_one_is_named() {
        let mut layers = Layers::default();
        assert!(layers.take(layer("1.26.3", "Pulling from library/nginx", 0, 0)));
        assert!(!layers.any());
        assert!(layers.take(layer("aaaaaaaaaaaa", "Downloading", 5, 10)));
        assert!(!layers.take(layer("aaaaaaaaaaaa", "Downloading", 5, 10)));
        assert!(layers.take(layer("bbbbbbbbbbbb", "Already exists", 0, 0)));
        assert_eq!(
            layers.sum(),
            Activity::Pulling {
                layers_done: 1,
                layers: 2,
                bytes: 5,
                total: 10
            }
        );
        assert_eq!(layers.unfinished(), ", layer aaaaaaaaaaaa at 5 B of 10 B");
        layers.take(layer("aaaaaaaaaaaa", "Download complete", 0, 0));
        assert_eq!(
            layers.sum(),
            Activity::Pulling {
                layers_done: 1,
                layers: 2,
                bytes: 10,
                total: 10
            }
        );
        layers.take(layer("aaaaaaaaaaaa", "Pull complete", 0, 0));
        assert_eq!(layers.unfinished(), "");
    }
}
