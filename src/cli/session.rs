//! A run that changes things: the project locked, the engine at hand, events shown.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{ProjectName, ServiceName};
use crate::engine::EngineInfo;
use crate::engine::api::SharedEngine;
use crate::event::{Body, Hub, Subscription, Verdict};
use crate::execute::lock::{self, LockError, LockRequest, ProjectLock};
use crate::execute::{ExecuteOptions, Site, Wants, inputs};
use crate::model::{Image, Observed, Project};
use crate::probe::{EngineHost, ExecLimit};
use crate::view::progress::{self, Final, ProgressMode, Show};

use super::context::Context;
use super::exit::{Exit, ExpectedError};
use super::settings::{Parallel, Progress};
use super::{output, terminal};
use crate::view::style::Style;

/// How long printing may lag behind the end of a run.
const LAST_LINES: Duration = Duration::from_secs(2);

/// A run that changes things.
pub struct Session {
    /// What every part of the execution needs.
    pub site: Site,
    show: Option<Show>,
    lock: Option<ProjectLock>,
    finished: bool,
    /// Whether the events are shown by somebody else, who has the terminal.
    elsewhere: bool,
}

/// What a session is opened with.
pub struct Opening<'a> {
    /// The command, for events.
    pub command: &'static str,
    /// The project.
    pub project: &'a ProjectName,
    /// How an execution is done.
    pub options: ExecuteOptions,
    /// How long another run is waited for; `None` takes no lock.
    pub lock_timeout: Option<Duration>,
    /// What stays of the live tree.
    pub last: Final,
    /// Where events go; where there is one, whoever gave it shows them.
    pub hub: Option<Hub>,
}

impl Session {
    /// Finds the engine, takes the project and begins to show.
    ///
    /// # Errors
    /// No engine, or another run holds the project.
    pub async fn open(context: &Context, opening: Opening<'_>) -> Result<Self, ExpectedError> {
        let (hub, show) = match &opening.hub {
            Some(hub) => (hub.clone(), None),
            None => {
                let hub = context.hub();
                let show = begin_show(context, hub.subscribe(), opening.last);
                (hub, Some(show))
            }
        };
        let run = run_id();
        hub.publish(Body::RunStarted {
            run: run.clone(),
            command: opening.command,
            project: opening.project.clone(),
        });
        let opened = Self::connect(context, &hub, &opening).await;
        let (engine, info, lock) = match opened {
            Ok(parts) => parts,
            Err(error) => {
                hub.close();
                if let Some(show) = show {
                    show.finish(LAST_LINES).await;
                }
                return Err(error);
            }
        };
        let site = Site {
            engine,
            host: EngineHost::of(&info.endpoint),
            clock: context.clock.clone(),
            hub,
            stop: context.signals.stop(),
            masker: context.masker.clone(),
            execs: ExecLimit::default(),
            run: run.into(),
            options: ExecuteOptions {
                cores: usize::try_from(info.cpus).unwrap_or(1),
                ..opening.options
            },
        };
        Ok(Self {
            site,
            show,
            lock,
            finished: false,
            elsewhere: opening.hub.is_some(),
        })
    }

    /// As [`Session::open`], for a run that changes images and nothing of the project, so that it takes no lock.
    ///
    /// # Errors
    /// No engine.
    pub async fn open_for_images(
        context: &Context,
        command: &'static str,
        project: &ProjectName,
    ) -> Result<Self, ExpectedError> {
        let opening = Opening {
            command,
            project,
            options: execute_options(context.settings.parallel),
            lock_timeout: None,
            last: Final::Tree,
            hub: None,
        };
        Self::open(context, opening).await
    }

    async fn connect(
        context: &Context,
        hub: &Hub,
        opening: &Opening<'_>,
    ) -> Result<(SharedEngine, EngineInfo, Option<ProjectLock>), ExpectedError> {
        let engine = context.engine().await?;
        let info = tokio::select! {
            info = engine.info() => info?,
            signal = context.signals.stopped() => return Err(ExpectedError::Interrupted(signal)),
        };
        hub.publish(Body::EngineFound {
            description: format!("{} {} (API {})", info.name, info.version, info.api_version),
            endpoint: info.endpoint.clone(),
        });
        let lock = match opening.lock_timeout {
            Some(timeout) => Some(take_lock(context, hub, opening, &info, timeout).await?),
            None => None,
        };
        Ok((engine, info, lock))
    }

    /// Ends the run: publishes the verdict and waits until all is printed.
    pub async fn close(&mut self, code: u8, text: String) {
        self.finished(code, text);
        self.hush().await;
    }

    /// Ends a run that could not go on. An interruption is no error, and has its own exit code.
    ///
    /// # Errors
    /// `error`, unless it is an interruption.
    pub async fn broken_off(
        &mut self,
        context: &Context,
        error: ExpectedError,
    ) -> Result<Exit, ExpectedError> {
        match error {
            ExpectedError::Interrupted(_) => {
                let exit = interrupted(context);
                self.close(exit.code(), "interrupted".into()).await;
                Ok(exit)
            }
            error => {
                self.hush().await;
                Err(error)
            }
        }
    }

    /// Publishes the verdict, once; events go on being shown.
    pub fn finished(&mut self, code: u8, text: String) {
        if !self.finished {
            let took = self.site.clock.now();
            let verdict = Verdict { code, text, took };
            self.site.hub.publish(Body::Finished(verdict));
        }
        self.finished = true;
    }

    /// Whether the verdict was published.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether somebody else shows the events, and has the terminal.
    pub fn is_shown_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Takes over who shows the events, for a run whose events were shown elsewhere until now.
    pub fn shown_by(&mut self, show: Show) {
        self.show = Some(show);
        self.elsewhere = false;
    }

    /// Gives the project up to others, while the run itself goes on looking at it.
    pub fn unlock(&mut self) {
        self.lock = None;
    }

    /// Says the summary of a run, where its progress was for people.
    pub fn summarise(&self, context: &Context, summary: impl FnOnce(Option<usize>, &Style) -> String) {
        if self.elsewhere {
            return;
        }
        if matches!(context.settings.progress, Progress::Tty | Progress::Plain) {
            let columns = terminal::size_of(std::io::stderr()).map(|(columns, _)| usize::from(columns));
            output::talk(&summary(columns, &context.settings.stderr));
        }
    }

    /// Ends the showing of events without a verdict.
    pub async fn hush(&mut self) {
        self.site.hub.close();
        if let Some(show) = self.show.take() {
            show.finish(LAST_LINES).await;
        }
    }
}

/// What workers and proofs need to know of the project.
pub fn wants(project: &Arc<Project>, images: BTreeMap<ServiceName, Image>) -> Wants {
    Wants {
        images: Arc::new(images),
        bound_files: Arc::new(inputs::bound_files(project)),
        project: project.clone(),
        programs: Arc::default(),
    }
}

/// The images that the engine has, by service.
pub fn images_of(project: &Project, observed: &Observed) -> BTreeMap<ServiceName, Image> {
    project
        .services
        .iter()
        .filter_map(|(name, service)| {
            let reference = service.image_reference(project.name.as_str(), name.as_str());
            observed
                .images
                .get(&reference)
                .map(|image| (name.clone(), image.clone()))
        })
        .collect()
}

/// The executor's bounds.
pub fn execute_options(parallel: Parallel) -> ExecuteOptions {
    let default = ExecuteOptions::default();
    match parallel {
        Parallel::Default => default,
        Parallel::AtMost(most) => ExecuteOptions {
            parallel: most,
            parallel_work: most,
            parallel_starts: Some(most),
            ..default
        },
        Parallel::Unlimited => ExecuteOptions {
            parallel: usize::MAX,
            parallel_work: usize::MAX,
            parallel_starts: Some(usize::MAX),
            ..default
        },
    }
}

/// The exit code of a run that was stopped.
pub fn interrupted(context: &Context) -> Exit {
    Exit::Interrupted(
        context
            .signals
            .first()
            .unwrap_or(crate::execute::StopSignal::Interrupt),
    )
}

async fn take_lock(
    context: &Context,
    hub: &Hub,
    opening: &Opening<'_>,
    engine: &EngineInfo,
    timeout: Duration,
) -> Result<ProjectLock, ExpectedError> {
    let folder = lock::folder(
        context.env.get(super::env::XDG_RUNTIME_DIR),
        rustix::process::getuid().as_raw(),
    );
    let command = format!("platform {}", opening.command);
    let request = LockRequest {
        folder: &folder,
        identity: engine.identity.as_deref(),
        endpoint: &engine.endpoint,
        project: opening.project,
        command: &command,
    };
    let waiting = |holder: Option<&lock::Holder>| {
        let holder = holder.map_or_else(|| "another run".to_owned(), ToString::to_string);
        hub.publish(Body::WaitingForLock { holder });
    };
    match lock::acquire(
        request,
        timeout,
        &*context.clock,
        &context.signals.stop(),
        waiting,
    )
    .await
    {
        Ok(lock) => Ok(lock),
        Err(LockError::Held { holder }) => Err(ExpectedError::Locked {
            project: opening.project.to_string(),
            holder: holder.map_or_else(|| "its name could not be read".to_owned(), |h| h.to_string()),
        }),
        Err(LockError::Stopped) => Err(ExpectedError::Interrupted(context.signals.stopped().await)),
        Err(LockError::Folder { path, source }) => Err(ExpectedError::File {
            action: "use",
            path: path.display().to_string(),
            source,
        }),
        Err(LockError::File { path, source }) => Err(ExpectedError::File {
            action: "lock",
            path: path.display().to_string(),
            source,
        }),
    }
}

/// Shows events in the way that was asked for.
pub fn begin_show(context: &Context, events: Subscription, last: Final) -> Show {
    let settings = &context.settings;
    let (mode, writer): (_, Box<dyn Write + Send>) = match settings.progress {
        Progress::Tty => (ProgressMode::Tty, Box::new(std::io::stderr())),
        Progress::Plain => (ProgressMode::Plain, Box::new(std::io::stderr())),
        Progress::Compose => (ProgressMode::Compose, Box::new(std::io::stderr())),
        Progress::Json => (ProgressMode::Json, Box::new(std::io::stdout())),
        Progress::Quiet => (ProgressMode::Quiet, Box::new(std::io::stderr())),
    };
    let options = progress::Options {
        mode,
        capable: mode == ProgressMode::Tty,
        style: settings.stderr,
        verbose: settings.verbose,
        last,
        size: Arc::new(|| terminal::size_of(std::io::stderr())),
        clock: context.clock.clone(),
    };
    progress::start(events, writer, options)
}

/// A run's id: eight hexadecimal digits at random.
fn run_id() -> String {
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{:08x}", random & 0xffff_ffff)
}
