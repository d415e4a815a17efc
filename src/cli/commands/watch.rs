//! `platform watch`: the stack is started, and its containers are kept in step with the files that change
//! (Compose Specification, `develop.watch`).

mod act;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::base::ServiceName;
use crate::engine::api::SharedEngine;
use crate::execute::Site;
use crate::model::{Project, PullPolicy};
use crate::view::style::Tone;
use crate::watch::{Files, Rules};

use super::super::context::Context;
use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::session;
use super::super::settings::{UpSettings, WatchSettings};
use super::{check_services, up};

/// After an engine that did not answer, the same changes are tried again after so long.
const AGAIN: Duration = Duration::from_secs(2);

/// Runs `watch`.
///
/// # Errors
/// The stack's, the engine's, or files that cannot be watched.
pub async fn run(context: &Context, settings: WatchSettings) -> Outcome {
    let project = context.project(&settings.services)?;
    check_services(&settings.services, Some(&project), &[])?;
    let rules = rules(&project, &project.closure(&settings.services))?;
    if settings.start {
        let fresh = Arc::new(built_anew(&project));
        match up::of_project(context, &fresh, &settings.up).await? {
            Exit::AsWanted if !context.settings.dry_run => {}
            other => return Ok(other),
        }
    } else if context.settings.dry_run {
        return Ok(Exit::AsWanted);
    }
    let watching = Watching {
        context,
        engine: context.engine().await?,
        project,
        rules,
        up: settings.up,
        prune: settings.prune,
        quiet: settings.quiet,
        busy: Mutex::new(()),
    };
    watching.run().await?;
    Ok(session::interrupted(context))
}

/// What is watched for these services.
///
/// # Errors
/// Rules that cannot be followed, or none.
pub fn rules(project: &Project, services: &[ServiceName]) -> Result<Rules, ExpectedError> {
    Rules::of(project, services).map_err(|error| ExpectedError::NotAsWanted {
        message: error.to_string(),
        hint: None,
    })
}

/// The stack with the images of services that are developed built on every run, as in docker compose.
fn built_anew(project: &Project) -> Project {
    let mut project = project.clone();
    for service in project.services.values_mut() {
        if service.build.is_some() && service.develop.is_some() {
            service.pull_policy = Some(PullPolicy::Build);
        }
    }
    project
}

/// A stack whose containers are kept in step with files.
pub struct Watching<'c> {
    context: &'c Context,
    engine: SharedEngine,
    project: Arc<Project>,
    rules: Rules,
    /// How containers are replaced.
    up: UpSettings,
    prune: bool,
    quiet: bool,
    /// Held while changes are acted on.
    busy: Mutex<()>,
}

impl<'c> Watching<'c> {
    /// The watch of an attached `up`.
    ///
    /// # Errors
    /// Rules that cannot be followed, or none.
    pub fn of_up(
        context: &'c Context,
        site: &Site,
        project: &Arc<Project>,
        settings: &UpSettings,
    ) -> Result<Self, ExpectedError> {
        Ok(Self {
            context,
            engine: site.engine.clone(),
            project: project.clone(),
            rules: rules(project, &up::selected(project, &settings.what))?,
            up: settings.clone(),
            prune: true,
            quiet: settings.quiet_build,
            busy: Mutex::new(()),
        })
    }

    /// Waits until nothing is being done.
    pub async fn idle(&self) {
        drop(self.busy.lock().await);
    }

    /// Watches and acts until somebody stops the run; what is under way then ends in good order first.
    ///
    /// # Errors
    /// Files that cannot be watched.
    pub async fn run(&self) -> Result<(), ExpectedError> {
        for warning in &self.rules.warnings {
            output::talk(&format!("warning: {warning}\n"));
        }
        let mut files = Files::watch(self.rules.paths()).map_err(|error| ExpectedError::NotAsWanted {
            message: error.to_string(),
            hint: None,
        })?;
        self.copy_first().await;
        self.say("Watch enabled");
        let mut batch = BTreeSet::new();
        loop {
            tokio::select! {
                biased;
                _ = self.context.signals.stopped() => break,
                () = files.changed(&mut batch) => {}
            }
            let work = self.rules.work(&batch);
            if !work.is_empty() {
                let began = self.context.clock.now();
                let _busy = self.busy.lock().await;
                if !act::all(self, &work).await {
                    // Nothing is forgotten: the batch comes again with whatever changes meanwhile.
                    tokio::select! {
                        () = tokio::time::sleep(AGAIN) => continue,
                        _ = self.context.signals.stopped() => break,
                    }
                }
                if self.context.settings.verbose {
                    let took = self.context.clock.now().saturating_sub(began).as_secs_f64();
                    let count = batch.len();
                    output::talk(&format!("batch complete: duration[{took:.3}s] count[{count}]\n"));
                }
            }
            batch.clear();
        }
        self.say("Watch disabled");
        Ok(())
    }

    /// Brings containers in step before anything has changed, where rules say so.
    async fn copy_first(&self) {
        let _busy = self.busy.lock().await;
        for (service, mappings) in self.rules.initial() {
            if let Err(error) = act::copy(self, &service, &mappings).await {
                self.say(&error.to_string());
            }
        }
    }

    /// Says what happens, among the lines of containers. A reader that went away is no concern of the stack.
    fn say(&self, text: &str) {
        for line in text.lines() {
            let mark = self.context.settings.stdout.paint(Tone::Good, " ⦿ ");
            let _ = output::data(&format!("{mark}{line}\n"));
        }
    }
}
