//! Builds: the context packed, base images supplied, what the host knows handed in as secrets.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use indexmap::IndexMap;

use super::ImageError;
use super::base::{BaseImage, BaseSources, builtin_args};
use super::context::Context;
use super::dockerfile::{Dockerfile, Rewrite};
use super::named::{NamedContexts, Needs};
use super::progress::{Activity, Reporter};
use super::recipe::{Recipe, VERSION_FILE};
use super::reference::Reference;
use super::registry::concerns_engine;
use super::request::ImageRequest;
use super::run::{KEPT_LINES, plain};
use super::scratch::Scratch;
use super::secrets::holds_password;
use super::supply::Supply;
use crate::base::{ImageId, Secret};
use crate::engine::{BuildProgress, BuildRequest, EngineErrorKind};
use crate::model::{Build, FileSource, Image, labels};
use crate::stack::scope::clean;

/// The Dockerfile's name in a context that does not hold it.
const OUTSIDE_DOCKERFILE: &str = ".platform.dockerfile";

/// A build to carry out.
#[derive(Debug)]
pub(super) struct BuildJob<'a> {
    /// What it is called in messages.
    pub(super) image: String,
    pub(super) build: Build,
    pub(super) tags: Vec<String>,
    pub(super) sources: BaseSources<'a>,
    pub(super) secrets: Option<&'a IndexMap<String, FileSource>>,
    /// Whether other images of the project may be what it is built from.
    pub(super) of_project: bool,
    /// What goes into the label about the image's source; worded from the context where absent.
    origin: Option<String>,
    /// Where the image may hold its version.
    pub(super) version_file: String,
}

/// An image that was built.
#[derive(Debug, Clone)]
pub(super) struct Built {
    pub(super) image: Image,
    pub(super) version: Option<String>,
}

impl<'a> BuildJob<'a> {
    pub(super) fn of_request(request: &'a ImageRequest, build: &Build) -> Self {
        let platform = request.platform.as_deref();
        Self {
            image: request.reference.clone(),
            build: build.clone(),
            tags: vec![request.reference.clone()],
            sources: BaseSources {
                recipes: &request.base_images,
                platform,
                fresh: build.pull,
            },
            secrets: Some(&request.secrets),
            of_project: true,
            origin: None,
            version_file: VERSION_FILE.to_owned(),
        }
    }

    pub(super) fn of_recipe(
        reference: &Reference,
        recipe: &Recipe,
        dockerfile: &str,
        hash: &str,
        origin: &str,
        sources: BaseSources<'a>,
    ) -> Self {
        Self {
            image: reference.to_string(),
            build: Build {
                context: recipe.context().display().to_string(),
                dockerfile: Some(recipe.folder.join(dockerfile).display().to_string()),
                labels: IndexMap::from([(labels::RECIPE_HASH.to_owned(), hash.to_owned())]),
                ..Build::default()
            },
            tags: vec![reference.local_stand_in()],
            sources,
            secrets: None,
            of_project: false,
            origin: Some(origin.to_owned()),
            version_file: recipe.version_file.clone(),
        }
    }
}

/// A build's inputs, read.
struct Inputs {
    root: PathBuf,
    /// Where the Dockerfile is (or would be), for messages.
    path: PathBuf,
    /// Its name in the context's tar.
    name: String,
    dockerfile: Dockerfile,
}

impl Supply {
    /// Builds an image and returns it as the engine has it.
    pub(super) async fn build(&self, job: &BuildJob<'_>, report: Reporter<'_>) -> Result<Built, ImageError> {
        if let Some(built) = self.build_otherwise(job, report).await? {
            return Ok(built);
        }
        let info = self.info().await?;
        let buildkit = info.buildkit && self.host.var("DOCKER_BUILDKIT") != Some("0");
        let args: BTreeMap<String, String> = job
            .build
            .args
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let contexts = NamedContexts::of(&job.build).map_err(|what| ImageError::Unsupported {
            image: job.image.clone(),
            what,
        })?;
        let inputs = inputs(&job.build, &args, &builtin_args(info), &contexts)?;

        let mut change = Rewrite::default();
        let target = job.build.target.as_deref();
        let images =
            inputs
                .dockerfile
                .images(target, !buildkit)
                .map_err(|source| ImageError::Dockerfile {
                    path: inputs.path.clone(),
                    source,
                })?;
        let Needs { images, folders } = contexts.apply(images, &mut change)?;
        // All at once: independent bases need not wait for each other.
        let bases = images.iter().map(|(_, meant)| self.base_of(job, meant, report));
        let bases = futures_util::future::try_join_all(bases).await?;
        let used: Vec<String> = bases.iter().map(|base| base.reference.clone()).collect();
        for ((name, _), base) in images.into_iter().zip(bases) {
            // As written where it means the same, so that nothing is changed without need.
            if Reference::parse(&name).map(|r| r.to_string()).as_ref() != Ok(&base.reference) {
                change.images.insert(name, base.reference);
            }
        }
        change.drop_syntax = buildkit && !self.has_frontend(&inputs, report).await?;

        let mut secrets = self.user_secrets(job, buildkit)?;
        let mut files = Vec::new();
        for id in &inputs.dockerfile.secret_ids {
            if secrets.contains_key(id) {
                continue;
            }
            let Some(content) = self.host_secret(id).await else {
                continue;
            };
            if buildkit {
                secrets.insert(id.clone(), content);
            } else if holds_password(&content) {
                // The classic builder keeps every stage; a password has no place in one.
                report.note(format!(
                    "{id} holds a password and is not given to a builder without secrets"
                ));
            } else {
                files.push((id.clone(), content));
            }
        }
        change.mounts = secrets.keys().cloned().collect();
        let text = inputs.dockerfile.rewrite(&change);
        files.push((inputs.name.clone(), Secret::new(text.into_bytes())));

        let scratch = Scratch::new(&self.host.temp_dir())
            .map_err(|e| ImageError::io("creating a folder in", &self.host.temp_dir(), e))?;
        let tar = scratch.path().join("context.tar");
        let mut build = job.build.clone();
        if let Some(number) = build.target.as_deref().and_then(|t| t.parse::<usize>().ok()) {
            // The folders' stages come before.
            build.target = Some((number + folders.len()).to_string());
        }
        let context = Context {
            ignore: Context::ignore_for(&inputs.root, Some(&inputs.path))?,
            root: inputs.root,
            files,
            folders,
        };
        self.pack(context, &tar, report).await?;
        // Base images are supplied by now, and a registry may not be reachable.
        build.pull = false;
        let origin = job
            .origin
            .clone()
            .unwrap_or_else(|| self.built_from(&source_folder(&job.build)));
        build
            .labels
            .entry(labels::IMAGE_SOURCE.to_owned())
            .or_insert(origin);
        let mut hidden_args = self.host.proxies();
        hidden_args.retain(|name, _| !build.args.contains_key(name));
        let request = BuildRequest {
            context_tar: tar,
            dockerfile: inputs.name,
            tags: job.tags.clone(),
            secrets,
            hidden_args,
            buildkit,
            no_cache: build.no_cache,
            platform: job.sources.platform.map(str::to_owned),
            build,
        };
        let _permit = self.builds.acquire().await.ok();
        report.tell(Activity::Building);
        let id = self.follow(job, request, report).await?;
        drop(scratch);
        self.with_version(job, &id, &used, buildkit).await
    }

    /// An image that a build starts from or takes files from.
    async fn base_of(
        &self,
        job: &BuildJob<'_>,
        name: &str,
        report: Reporter<'_>,
    ) -> Result<BaseImage, ImageError> {
        let found = async {
            if job.of_project
                && let Some(base) = self.built_by_sibling(&job.image, name, report).await?
            {
                return Ok(base);
            }
            self.base(name, job.sources, report).await
        };
        found.await.map_err(|source| match source {
            cycle @ ImageError::Cycle(_) => cycle,
            source => ImageError::Base {
                image: job.image.clone(),
                base: name.to_owned(),
                source: Box::new(source),
            },
        })
    }

    async fn follow(
        &self,
        job: &BuildJob<'_>,
        request: BuildRequest,
        report: Reporter<'_>,
    ) -> Result<ImageId, ImageError> {
        let mut lines: VecDeque<String> = VecDeque::with_capacity(KEPT_LINES);
        let mut keep = |line: &str| {
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line.to_owned());
        };
        let mut stream = self.engine.build(request);
        let error = loop {
            match stream.next().await {
                Some(Ok(BuildProgress::Built(id))) => return Ok(id),
                Some(Ok(BuildProgress::Step(step))) => {
                    let step = plain(&step);
                    keep(&step);
                    report.tell(Activity::Step(step));
                }
                Some(Ok(BuildProgress::Output(line))) => {
                    let line = plain(&line);
                    // The classic builder's own book-keeping.
                    let noise = line.starts_with(" ---> ") || line.starts_with("Removing intermediate");
                    if !noise && !line.trim().is_empty() {
                        keep(&line);
                        report.tell(Activity::Output(line));
                    }
                }
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let reason = match error {
            Some(error) if concerns_engine(&error) => return Err(error.into()),
            Some(error) => match error.kind {
                // The engine's message may repeat the output, which is kept here already.
                EngineErrorKind::StreamFailed(text) => text.lines().next().unwrap_or_default().to_owned(),
                other => other.to_string(),
            },
            None => "the build ended without an image".to_owned(),
        };
        // BuildKit says it once more with the step.
        if lines.back().is_some_and(|line| line.ends_with(&reason)) {
            lines.pop_back();
        }
        Err(ImageError::Build {
            image: job.image.clone(),
            context: self.shown(&source_folder(&job.build)),
            reason,
            lines: lines.into(),
        })
    }

    /// Packs the context beside the runtime; a dropped future stops it.
    async fn pack(&self, context: Context, tar: &Path, report: Reporter<'_>) -> Result<(), ImageError> {
        struct StopOnDrop(Arc<AtomicBool>);
        impl Drop for StopOnDrop {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let stop = StopOnDrop(Arc::default());
        let bytes = Arc::new(AtomicU64::new(0));
        let mut work = tokio::task::spawn_blocking({
            let (stop, bytes, tar) = (Arc::clone(&stop.0), Arc::clone(&bytes), tar.to_owned());
            move || context.pack(&tar, &stop, &|n| bytes.store(n, Ordering::Relaxed))
        });
        let mut samples = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                done = &mut work => {
                    return match done {
                        Ok(packed) => packed.map(drop),
                        Err(e) => Err(ImageError::io("packing", tar, std::io::Error::other(e))),
                    };
                }
                _ = samples.tick() => {
                    let bytes = bytes.load(Ordering::Relaxed);
                    if bytes > 0 {
                        report.tell(Activity::Packing { bytes });
                    }
                }
            }
        }
    }

    /// Whether the frontend that `# syntax=` names can be had; true where none is named.
    async fn has_frontend(&self, inputs: &Inputs, report: Reporter<'_>) -> Result<bool, ImageError> {
        let Some((_, frontend)) = &inputs.dockerfile.syntax else {
            return Ok(true);
        };
        let Ok(reference) = Reference::parse(frontend) else {
            return Ok(true);
        };
        if self.engine.image(&reference.to_string()).await?.is_some() {
            return Ok(true);
        }
        let quiet = |_| {};
        let silent = Reporter::new(report.image, &quiet);
        match self.pull(&reference, None, silent).await? {
            Ok(_) => Ok(true),
            Err(reason) => {
                report.note(format!(
                    "{reason}; the builder's own Dockerfile frontend is used in the place of {frontend}"
                ));
                Ok(false)
            }
        }
    }
}

fn inputs(
    build: &Build,
    args: &BTreeMap<String, String>,
    builtin: &BTreeMap<String, String>,
    contexts: &NamedContexts,
) -> Result<Inputs, ImageError> {
    let context = Path::new(&build.context);
    let root = context
        .canonicalize()
        .map_err(|e| ImageError::io("reading the build context", context, e))?;
    let (path, name, text) = match &build.dockerfile_inline {
        Some(text) => (
            root.join(OUTSIDE_DOCKERFILE),
            OUTSIDE_DOCKERFILE.to_owned(),
            text.clone(),
        ),
        None => {
            let named = build.dockerfile.as_deref().unwrap_or("Dockerfile");
            let mut path = clean(&root.join(named));
            if build.dockerfile.is_none() && !path.exists() && root.join("dockerfile").exists() {
                path = root.join("dockerfile");
            }
            let bytes =
                std::fs::read(&path).map_err(|e| ImageError::io("reading the Dockerfile", &path, e))?;
            // One outside the context is given to the builder under a name of ours.
            let name = match path.strip_prefix(&root).map(Path::to_str) {
                Ok(Some(inside)) => inside.to_owned(),
                _ => OUTSIDE_DOCKERFILE.to_owned(),
            };
            (path, name, String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    let parse = |text: &str| {
        Dockerfile::parse(text, args, builtin).map_err(|source| ImageError::Dockerfile {
            path: path.clone(),
            source,
        })
    };
    let mut dockerfile = parse(&text)?;
    let names: Vec<&str> = contexts.names().collect();
    if !names.is_empty() {
        dockerfile = parse(&dockerfile.without_stages(&names))?;
    }
    Ok(Inputs {
        root,
        path,
        name,
        dockerfile,
    })
}

/// The folder that people know a build by: the context, or a recipe's own where recipes share one.
pub(super) fn source_folder(build: &Build) -> PathBuf {
    let context = Path::new(&build.context);
    let file = build.dockerfile.as_deref().map(|file| clean(&context.join(file)));
    match file.as_deref().and_then(Path::parent) {
        Some(folder) if folder.join("recipe.yaml").is_file() => folder.to_owned(),
        _ => context.to_owned(),
    }
}
