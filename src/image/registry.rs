//! Whether a registry answers, found out once for all images of a run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::engine::{EngineError, EngineErrorKind, PullProgress};

/// A running pull.
pub(super) type PullStream = BoxStream<'static, Result<PullProgress, EngineError>>;

/// What is known about registries. Shared by all images of a run.
#[derive(Debug, Default)]
pub(super) struct Registries {
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug, Default)]
struct Host {
    /// Held by the one pull that finds out; others wait for it here.
    scout: tokio::sync::Mutex<()>,
    /// `Err` says why nobody answers.
    verdict: OnceLock<Result<(), String>>,
}

/// The beginning of a pull.
pub(super) enum Begun {
    /// The registry answers. The stream's first item, if it was taken already, comes first.
    Answers(PullStream),
    /// It does not.
    Unreachable(String),
}

impl Registries {
    /// Begins a pull from a registry. While nobody knows whether it answers, one pull at a time is
    /// begun, and the others wait for what that one finds out, at most for `deadline`.
    ///
    /// # Errors
    /// Of the engine itself; then nothing is found out.
    pub(super) async fn begin(
        &self,
        registry: &str,
        deadline: Duration,
        start: &(dyn Fn() -> PullStream + Send + Sync),
    ) -> Result<Begun, EngineError> {
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(registry.to_owned()).or_default())
        };
        if let Some(verdict) = host.verdict.get() {
            return Ok(begin_with(verdict, start));
        }
        let scouting = host.scout.lock().await;
        if let Some(verdict) = host.verdict.get() {
            drop(scouting);
            return Ok(begin_with(verdict, start));
        }
        let mut stream = start();
        let first = tokio::time::timeout(deadline, stream.next()).await;
        let verdict = match &first {
            Err(_) => Err(format!(
                "no answer within {}",
                crate::base::format_duration(deadline)
            )),
            Ok(Some(Err(error))) => match &error.kind {
                EngineErrorKind::RegistryUnreachable(reason) => Err(reason.clone()),
                _ if concerns_engine(error) => return Err(error.clone()),
                _ => Ok(()),
            },
            Ok(Some(Ok(_)) | None) => Ok(()),
        };
        let verdict = host.verdict.get_or_init(|| verdict);
        drop(scouting);
        Ok(match (verdict, first) {
            (Err(reason), _) => Begun::Unreachable(reason.clone()),
            (Ok(()), Ok(first)) => Begun::Answers(futures_util::stream::iter(first).chain(stream).boxed()),
            (Ok(()), Err(_)) => Begun::Answers(stream),
        })
    }
}

fn begin_with(verdict: &Result<(), String>, start: &(dyn Fn() -> PullStream + Send + Sync)) -> Begun {
    match verdict {
        Ok(()) => Begun::Answers(start()),
        Err(reason) => Begun::Unreachable(reason.clone()),
    }
}

/// Whether an error is the engine's own and says nothing about a registry or an image.
pub(super) fn concerns_engine(error: &EngineError) -> bool {
    error.is_engine_lost()
        || matches!(
            error.kind,
            EngineErrorKind::PermissionDenied(_)
                | EngineErrorKind::DiskFull(_)
                | EngineErrorKind::Protocol(_)
        )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;

    use super::*;

    fn failing(kind: EngineErrorKind) -> PullStream {
        stream::once(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(EngineError::new("pull x", kind))
        })
        .boxed()
    }

    async fn ten(start: impl Fn() -> PullStream + Send + Sync) -> (Vec<Begun>, Duration) {
        let registries = Registries::default();
        let before = tokio::time::Instant::now();
        let deadline = Duration::from_secs(5);
        let begun = futures_util::future::join_all(
            (0..10).map(|_| async { registries.begin("docker.io", deadline, &start).await.unwrap() }),
        )
        .await;
        (begun, before.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn ten_images_find_out_with_one_attempt_that_nobody_answers() {
        let attempts = AtomicUsize::new(0);
        let (begun, _) = ten(|| {
            attempts.fetch_add(1, Ordering::Relaxed);
            failing(EngineErrorKind::RegistryUnreachable("no such host".into()))
        })
        .await;
        assert_eq!(attempts.load(Ordering::Relaxed), 1);
        assert!(
            begun
                .iter()
                .all(|b| matches!(b, Begun::Unreachable(r) if r == "no such host"))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_verdict_after_one_deadline() {
        let attempts = AtomicUsize::new(0);
        let (begun, took) = ten(|| {
            attempts.fetch_add(1, Ordering::Relaxed);
            stream::pending().boxed()
        })
        .await;
        assert_eq!((attempts.load(Ordering::Relaxed), took.as_secs()), (1, 5));
        assert!(
            begun
                .iter()
                .all(|b| matches!(b, Begun::Unreachable(r) if r == "no answer within 5s"))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_image_that_is_not_there_proves_that_the_registry_is() {
        let attempts = AtomicUsize::new(0);
        let (begun, _) = ten(|| {
            attempts.fetch_add(1, Ordering::Relaxed);
            failing(EngineErrorKind::ImageNotFound("manifest unknown".into()))
        })
        .await;
        assert_eq!(attempts.load(Ordering::Relaxed), 10);
        for b in begun {
            let Begun::Answers(mut stream) = b else {
                panic!("not reachable")
            };
            assert!(stream.next().await.unwrap().is_err(), "the answer is kept");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn registries_are_told_apart_and_a_lost_engine_is_no_verdict() {
        let registries = Registries::default();
        let deadline = Duration::from_secs(5);
        let unreachable = || failing(EngineErrorKind::RegistryUnreachable("x".into()));
        let lost = || failing(EngineErrorKind::OutcomeUnknown("x".into()));
        assert!(registries.begin("a", deadline, &lost).await.is_err());
        let begun = registries.begin("a", deadline, &unreachable).await.unwrap();
        assert!(matches!(begun, Begun::Unreachable(_)));
        let other = registries
            .begin("b", deadline, &|| stream::empty().boxed())
            .await
            .unwrap();
        assert!(matches!(other, Begun::Answers(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_scout_that_gives_up_leaves_its_place_to_the_next() {
        let registries = Registries::default();
        let deadline = Duration::from_secs(5);
        let silent = || stream::pending().boxed();
        let scout = registries.begin("a", deadline, &silent);
        assert!(tokio::time::timeout(Duration::from_secs(1), scout).await.is_err());
        let begun = registries
            .begin("a", deadline, &|| stream::empty().boxed())
            .await
            .unwrap();
        assert!(matches!(begun, Begun::Answers(_)));
    }
}
