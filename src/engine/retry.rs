//! Questions whose answer was lost are asked again: nothing was done that had to be found out first.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::EngineErrorKind;
use super::api::Result;

/// Before each further try.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
];
/// Nothing is asked again after so long: the engine is slow as well, and the caller has to know.
const AT_MOST: Duration = Duration::from_secs(5);

/// Asks, and asks again where the connection broke before the answer was there. What is no such loss
/// (no socket, no permission, a refusal, a time-out) is returned at once.
pub(super) async fn asked<T, F>(question: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    for pause in PAUSES {
        match question().await {
            Err(error)
                if matches!(error.kind, EngineErrorKind::OutcomeUnknown(_)) && began.elapsed() < AT_MOST =>
            {
                tracing::debug!(%error, "asking again");
                sleep(pause).await;
            }
            other => return other,
        }
    }
    question().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::EngineError;
    use super::*;

    /// How often a question is asked that fails like this the first `times` times, and how it ends.
    async fn ask(kind: EngineErrorKind, times: u32, each: Duration) -> (u32, bool) {
        let count = Cell::new(0);
        let result = asked(|| async {
            count.set(count.get() + 1);
            sleep(each).await;
            match count.get() > times {
                true => Ok(()),
                false => Err(EngineError::new("ask", kind.clone())),
            }
        })
        .await;
        (count.get(), result.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn only_lost_answers_are_asked_for_again_and_not_for_ever() {
        let lost = || EngineErrorKind::OutcomeUnknown("connection closed".into());
        let quick = Duration::ZERO;
        assert_eq!(ask(lost(), 0, quick).await, (1, true));
        assert_eq!(ask(lost(), 3, quick).await, (4, true));
        assert_eq!(ask(lost(), 9, quick).await, (4, false));
        assert_eq!(ask(lost(), 9, Duration::from_secs(4)).await, (2, false));
        for kind in [
            EngineErrorKind::Unreachable("no socket".into()),
            EngineErrorKind::PermissionDenied("no".into()),
            EngineErrorKind::TimedOut(AT_MOST),
            EngineErrorKind::NotFound("no such container".into()),
        ] {
            assert_eq!(ask(kind, 9, quick).await, (1, false));
        }
    }
}
