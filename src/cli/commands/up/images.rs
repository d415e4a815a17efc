//! The images of a run: what is missing is supplied, all at once, and told as it comes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::join_all;

use crate::base::ServiceName;
use crate::engine::EngineError;
use crate::event::{Body, Hub, ImageStage};
use crate::execute::Site;
use crate::image::bake::{BakeFile, Outcome};
use crate::image::buildx::Buildx;
use crate::image::{
    Activity, BuildxOptions, HostEnv, ImageError, ImageProgress, ImageRequest, Known, Options,
    RequestOptions, Supply,
};
use crate::model::{Image, Observed, Project, PullPolicy};
use crate::plan::{ImageState, Lack};

use super::super::super::context::Context;
use super::super::super::exit::ExpectedError;
use super::super::super::settings::{BuildChoice, PullChoice, UpSettings};

/// What became of each image that had to be supplied, by reference.
#[derive(Debug, Default)]
pub struct Supplied {
    images: BTreeMap<String, Result<Image, Failed>>,
}

/// An image that could not be supplied.
#[derive(Debug, Clone)]
struct Failed {
    reason: String,
    lack: Lack,
}

impl Supplied {
    /// Whether nothing had to be supplied.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The references that could not be supplied.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        let failed = self.images.iter().filter(|(_, result)| result.is_err());
        failed.map(|(reference, _)| reference.as_str())
    }

    /// The images of all services, those that were there included.
    pub fn images(&self, project: &Project, observed: &Observed) -> BTreeMap<ServiceName, Image> {
        services(project)
            .filter_map(|(name, reference)| {
                let image = match self.images.get(&reference) {
                    Some(Ok(image)) => Some(image),
                    Some(Err(_)) => None,
                    None => observed.images.get(&reference),
                };
                image.map(|image| (name, image.clone()))
            })
            .collect()
    }

    /// How each service's image stands. What the engine was just seen to have counts more than
    /// what was supplied before.
    pub fn states(&self, project: &Project, observed: &Observed) -> BTreeMap<ServiceName, ImageState> {
        services(project)
            .map(|(name, reference)| {
                let seen = observed.images.get(&reference).and_then(|image| image.id.clone());
                let state = match (seen, self.images.get(&reference)) {
                    (_, Some(Err(failed))) => ImageState::Unavailable {
                        reason: failed.reason.clone(),
                        lack: failed.lack.clone(),
                    },
                    (Some(id), _) => ImageState::Present(id),
                    (None, Some(Ok(Image { id: Some(id), .. }))) => ImageState::Present(id.clone()),
                    (None, _) => ImageState::Unavailable {
                        reason: format!("the engine does not have {reference} any more"),
                        lack: Lack::Other,
                    },
                };
                (name, state)
            })
            .collect()
    }
}

fn services(project: &Project) -> impl Iterator<Item = (ServiceName, String)> + '_ {
    project.services.iter().map(|(name, service)| {
        (
            name.clone(),
            service.image_reference(project.name.as_str(), name.as_str()),
        )
    })
}

/// How each service's image stands when nothing is done about it: for showing a plan.
pub fn foreseen(project: &Project, observed: &Observed) -> BTreeMap<ServiceName, ImageState> {
    let present = |reference: &String| observed.images.get(reference).and_then(|i| i.id.clone());
    services(project)
        .map(|(name, reference)| {
            let service = project.services.get(&name);
            let build = service.is_some_and(|s| s.build.is_some());
            let named = service.is_some_and(|s| s.image.is_some());
            let state = match (present(&reference), service.and_then(|s| s.pull_policy.as_ref())) {
                (Some(_), Some(PullPolicy::Always)) => ImageState::Pending { how: "pull".into() },
                (Some(_), Some(PullPolicy::Build)) if build => ImageState::Pending { how: "build".into() },
                (Some(id), _) => ImageState::Present(id),
                (None, Some(PullPolicy::Never)) if !build => ImageState::Unavailable {
                    reason: format!("the engine does not have {reference}, and its pull policy is never"),
                    lack: Lack::Missing,
                },
                (None, Some(PullPolicy::Never)) => ImageState::Pending { how: "build".into() },
                // Nobody counts on it; what cannot be said is whether a registry has it.
                (None, _) if !build && service.is_some_and(|s| s.ext.optional) => ImageState::Unavailable {
                    reason: format!("the engine does not have {reference}; `up` tries to pull it"),
                    lack: Lack::Missing,
                },
                (None, _) => ImageState::Pending {
                    how: match (named, build) {
                        (true, true) => "pull, else build".into(),
                        (false, true) => "build".into(),
                        _ => "pull".into(),
                    },
                },
            };
            (name, state)
        })
        .collect()
}

/// What an `up` changes about images.
pub fn options(settings: &UpSettings) -> RequestOptions {
    RequestOptions {
        pull: settings.pull.map(|pull| match pull {
            PullChoice::Always => PullPolicy::Always,
            PullChoice::Missing => PullPolicy::Missing,
            PullChoice::Never => PullPolicy::Never,
        }),
        build: settings.build == BuildChoice::Always,
        no_build: settings.build == BuildChoice::Never,
        ..RequestOptions::default()
    }
}

/// Supplies what the selected services need and the engine lacks, or what was asked anew.
///
/// # Errors
/// The engine's, where it is lost.
pub async fn supply(
    context: &Context,
    site: &Site,
    project: &Project,
    selected: &[ServiceName],
    observed: &Observed,
    options: &RequestOptions,
) -> Result<Supplied, ExpectedError> {
    let selected = project.with_build_contexts(selected);
    let mut users: BTreeMap<String, Vec<ServiceName>> = BTreeMap::new();
    for (name, reference) in services(project).filter(|(name, _)| selected.contains(name)) {
        users.entry(reference).or_default().push(name);
    }
    let all: Vec<(ImageRequest, bool)> = ImageRequest::of_project(project, options)
        .into_iter()
        .map(|request| {
            let known = Known::of(observed.images.get(&request.reference));
            let request = ImageRequest { known, ..request };
            let wanted = users.contains_key(&request.reference) && !is_settled(&request);
            (request, wanted)
        })
        .collect();
    let wanted = all.iter().filter(|(_, wanted)| *wanted);
    let requests: Vec<ImageRequest> = wanted.map(|(request, _)| request.clone()).collect();
    if requests.is_empty() {
        return Ok(Supplied::default());
    }
    let host = HostEnv::new(context.env.vars().clone());
    let display_root = context
        .env
        .cwd()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    let supply = Supply::new(
        site.engine.clone(),
        host,
        Options {
            display_root,
            ..Options::default()
        },
    )
    .with_buildx(buildx(
        context,
        project,
        &options.buildx,
        &selected,
        Outcome::Load,
    ))
    .among(all);
    let progress = Progress {
        hub: &site.hub,
        users: &users,
        said: Mutex::default(),
    };
    let sink = |news: ImageProgress| progress.take(news);
    let all = requests.iter().map(|request| async {
        let result = supply.supply(request, &sink).await;
        let optional = all_optional(project, users.get(&request.reference));
        let found = settle(site, &progress, &request.reference, optional, result).await?;
        Ok((request.reference.clone(), found))
    });
    let found: Vec<_> = join_all(all)
        .await
        .into_iter()
        .collect::<Result<_, EngineError>>()?;
    Ok(Supplied {
        images: found.into_iter().collect(),
    })
}

/// The plugin for builds that an engine cannot be asked for.
pub fn buildx(
    context: &Context,
    project: &Project,
    asked: &BuildxOptions,
    chosen: &[ServiceName],
    outcome: Outcome,
) -> Buildx {
    let host = HostEnv::new(context.env.vars().clone());
    let builds = |name: &&ServiceName| project.services.get(*name).is_some_and(|s| s.build.is_some());
    let chosen: Vec<ServiceName> = chosen.iter().filter(builds).cloned().collect();
    let outcome = match outcome {
        Outcome::Load if asked.push => Outcome::Push,
        other => other,
    };
    Buildx {
        program: context.programs(project).plugin("buildx"),
        env: context.env.vars().clone(),
        file: BakeFile::of_project(project, &chosen, outcome, &host.proxies()),
        asked: asked.clone(),
    }
}

/// Tells what became of an image.
async fn settle(
    site: &Site,
    progress: &Progress<'_>,
    reference: &str,
    optional: bool,
    result: Result<crate::image::Supplied, ImageError>,
) -> Result<Result<Image, Failed>, EngineError> {
    match result {
        Ok(done) => {
            progress.stage(reference, ImageStage::Obtained { line: done.line });
            let image = site.engine.image(reference).await?;
            Ok(Ok(image.unwrap_or_else(|| Image {
                id: Some(done.id),
                ..Image::default()
            })))
        }
        Err(ImageError::Engine(error)) if error.is_engine_lost() => Err(error),
        Err(error) => {
            let masked = |text: &str| site.masker.mask(text).into_owned();
            let reason = masked(&in_full(&error));
            let lack = match error.failed_build() {
                _ if error.is_missing_image() => Lack::Missing,
                Some(lines) => Lack::BuildFailed {
                    lines: lines.iter().map(|line| masked(line)).collect(),
                },
                None => Lack::Other,
            };
            let stage = if optional && lack == Lack::Missing {
                ImageStage::Unavailable {
                    reason: reason.clone(),
                }
            } else {
                ImageStage::Failed {
                    reason: reason.clone(),
                }
            };
            progress.stage(reference, stage);
            Ok(Err(Failed { reason, lack }))
        }
    }
}

/// Whether the engine's copy is used and nothing has to be asked of anybody.
fn is_settled(request: &ImageRequest) -> bool {
    let plain = !matches!(
        request.pull_policy,
        Some(PullPolicy::Always | PullPolicy::Build | PullPolicy::Every(_))
    );
    let pinned = request.reference.contains("@sha256:");
    let present = matches!(&request.known, Known::Present(image) if image.id.is_some());
    present && plain && !pinned && !request.build_wanted
}

fn all_optional(project: &Project, users: Option<&Vec<ServiceName>>) -> bool {
    users.is_some_and(|users| {
        users
            .iter()
            .all(|name| project.services.get(name).is_some_and(|s| s.ext.optional))
    })
}

/// An error with its causes and what to do about it.
fn in_full(error: &ImageError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    for hint in error.hints() {
        text.push_str("\nhint: ");
        text.push_str(&hint);
    }
    text
}

/// Image progress as events.
struct Progress<'a> {
    hub: &'a Hub,
    users: &'a BTreeMap<String, Vec<ServiceName>>,
    /// The last stage said of each image.
    said: Mutex<BTreeMap<String, ImageStage>>,
}

impl Progress<'_> {
    fn stage(&self, reference: &str, stage: ImageStage) {
        let mut said = self
            .said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if said.get(reference) != Some(&stage) {
            said.insert(reference.to_owned(), stage.clone());
            let services = self.users.get(reference).cloned().unwrap_or_default();
            self.hub.publish(Body::Image {
                reference: reference.to_owned(),
                services,
                stage,
            });
        }
    }

    fn take(&self, news: ImageProgress) {
        let ImageProgress { image, activity } = news;
        let progress = |text: String, amount| Body::Progress {
            subject: image.clone(),
            text,
            amount,
        };
        match activity {
            Activity::Pulling {
                layers_done,
                layers,
                bytes,
                total,
            } => {
                self.stage(&image, ImageStage::Pulling);
                let amount = (total > 0).then_some((bytes, total));
                self.hub
                    .publish(progress(format!("layer {layers_done} of {layers}"), amount));
            }
            Activity::Retrying { attempt, reason } => {
                self.hub
                    .publish(progress(format!("try {attempt}: {reason}"), None));
            }
            Activity::Packing { bytes } => {
                self.stage(&image, ImageStage::Building);
                let text = format!("packing the context, {}", crate::base::format_bytes(bytes));
                self.hub.publish(progress(text, None));
            }
            Activity::Building => self.stage(&image, ImageStage::Building),
            Activity::Step(step) => {
                self.stage(&image, ImageStage::Building);
                self.hub.publish(progress(shortened(&step), None));
            }
            Activity::Bootstrapping { title } => {
                self.stage(&image, ImageStage::Bootstrapping);
                self.hub.publish(progress(title, None));
            }
            Activity::Installing { packages } => {
                let text = format!("installing {} for {image}", packages.join(", "));
                self.hub.publish(Body::Info { text });
            }
            Activity::Output(line) => self.hub.publish(Body::Output { subject: image, line }),
            Activity::Note(text) => self.hub.publish(Body::Info {
                text: format!("{image}: {text}"),
            }),
            Activity::BaseReady { line } => self.stage(&image, ImageStage::Obtained { line }),
        }
    }
}

/// A build's step is a whole command; its beginning tells which.
fn shortened(step: &str) -> String {
    const LONGEST: usize = 100;
    let line = step.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
