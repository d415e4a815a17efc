//! The attached end of `up`: the stack runs until somebody stops it, or until it ends by itself.

use crate::execute::{Converged, Site, Wants};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session;
use super::super::settings::Attach;
use super::down;

/// Follows the stack; the first Ctrl-C stops it in good order, the second kills it.
///
/// # Errors
/// The engine's, or what could not be stopped.
pub async fn run(context: &Context, site: &Site, wants: &Wants, attach: &Attach) -> Outcome {
    let _ = attach;
    let signal = context.signals.stopped().await;
    let _ = (output::talk("stopping\n"), signal);
    match down::stop_all(site, wants, None).await {
        Converged::EngineGone(error) => Err(error.into()),
        Converged::Done { report, .. } if !report.is_empty() => Err(ExpectedError::Reported),
        _ => Ok(session::interrupted(context)),
    }
}

/// The exit code of a stack that ended by itself.
pub fn of_itself() -> Exit {
    Exit::AsWanted
}
