//! What the commands of a run share.

use std::path::Path;
use std::sync::Arc;

use crate::base::{Clock, Masker, MonotonicClock};
use crate::event::Hub;
use crate::model::Project;
use crate::provide::Programs;
use crate::view::annotate::Checkout;

use super::env::Environment;
use super::settings::GlobalSettings;
use super::signals::Signals;
use super::terminal::TerminalGuard;

/// What the commands of a run share. Nothing in it is set up before it is asked for.
pub struct Context {
    /// What holds for every command.
    pub settings: GlobalSettings,
    /// The environment.
    pub env: Environment,
    /// Values that must not be shown; the loader adds to them.
    pub masker: Masker,
    /// The run's clock.
    pub clock: Arc<dyn Clock>,
    /// The run's ear for signals.
    pub signals: Signals,
    /// Puts the terminal back.
    pub terminal: TerminalGuard,
}

impl Context {
    /// A context whose clock begins now.
    pub fn new(
        settings: GlobalSettings,
        env: Environment,
        signals: Signals,
        terminal: TerminalGuard,
    ) -> Self {
        Self {
            settings,
            env,
            masker: Masker::default(),
            clock: Arc::new(MonotonicClock::start()),
            signals,
            terminal,
        }
    }

    /// Where the CI system that runs this, if it is one of GitHub's kind, shows annotations.
    pub fn checkout(&self) -> Option<Checkout> {
        self.env.is_true(super::env::GITHUB_ACTIONS).then(|| Checkout {
            cwd: self.env.cwd().map(Path::to_owned).unwrap_or_default(),
            root: self.env.get(super::env::GITHUB_WORKSPACE).map(Into::into),
        })
    }

    /// The programs beside the engine that a project's providers and models need.
    pub fn programs(&self, project: &Project) -> Programs {
        Programs::new(self.env.of_project(&project.env_files))
    }

    /// A publisher of events on the run's clock.
    pub fn hub(&self) -> Hub {
        Hub::with_masker(self.clock.clone(), self.masker.clone())
    }
}
