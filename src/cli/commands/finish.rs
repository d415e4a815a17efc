//! How a run that did what a plan said comes to its end.

use crate::event::Body;
use crate::execute::Converged;

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::session::{self, Session};

/// What is said at the end.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Where something was done.
    pub done: &'static str,
    /// Where there was nothing to do.
    pub nothing: &'static str,
    /// Where something failed.
    pub failed: &'static str,
    /// Where somebody stopped the run.
    pub stopped: &'static str,
}

/// Closes the session with what became of the plan.
///
/// # Errors
/// What failed (told by then), a plan that may not be done, an engine that went away.
pub async fn finish(context: &Context, session: &mut Session, converged: Converged, words: Words) -> Outcome {
    match converged {
        Converged::Done { report, .. } if !report.is_empty() => {
            session.site.hub.publish(Body::Failure(report));
            session.close(1, words.failed.into()).await;
            Err(ExpectedError::Reported)
        }
        Converged::Done { changed, .. } => {
            let text = if changed { words.done } else { words.nothing };
            session.close(0, text.into()).await;
            Ok(Exit::AsWanted)
        }
        Converged::Refused(plan) => {
            session.hush().await;
            Err(super::refused(&plan))
        }
        Converged::Stopped(_) => {
            let exit = session::interrupted(context);
            session.close(exit.code(), words.stopped.into()).await;
            Ok(exit)
        }
        Converged::EngineGone(error) => {
            session.hush().await;
            Err(error.into())
        }
    }
}
