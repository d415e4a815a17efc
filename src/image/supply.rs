//! Supplying images: the sources in order, stopping at the first that works.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};

use super::base::Bases;
use super::build::{BuildJob, Built, source_folder};
use super::buildx::Buildx;
use super::decide::{Attempt, Facts, Local, decide};
use super::host::HostEnv;
use super::progress::{ProgressSink, Reporter};
use super::pull::{Limits, PullFailure, pull};
use super::reference::Reference;
use super::registry::Registries;
use super::request::{ImageRequest, Known};
use super::siblings::Siblings;
use super::version::labelled_version;
use super::{Decision, ImageError, Tried};
use crate::base::ImageId;
use crate::engine::{EngineInfo, SharedEngine};
use crate::model::{Image, PullPolicy, labels};

/// How images are supplied.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a registry may be silent before it counts as unreachable for the whole run.
    pub connect_deadline: Duration,
    /// How long a pull may go without any change before it is begun again.
    pub stall_deadline: Duration,
    /// How often a pull is tried in all.
    pub pull_attempts: u32,
    /// How many builds run at once.
    pub parallel_builds: usize,
    /// Paths below it are shown relative to it; empty: as they are.
    pub display_root: PathBuf,
    /// Whether missing tools of recipes may be installed.
    pub install_tools: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_deadline: Duration::from_secs(5),
            stall_deadline: Duration::from_secs(60),
            pull_attempts: 3,
            parallel_builds: 4,
            display_root: PathBuf::new(),
            install_tools: true,
        }
    }
}

/// Supplies the images of one run. What it finds out (registries, base images, the host's
/// settings) holds for all of them; cheap to share.
pub struct Supply {
    pub(super) engine: SharedEngine,
    pub(super) host: HostEnv,
    pub(super) options: Options,
    pub(super) registries: Registries,
    pub(super) bases: Bases,
    pub(super) siblings: Siblings,
    pub(super) buildx: Buildx,
    pub(super) builds: Semaphore,
    pub(super) installing: tokio::sync::Mutex<()>,
    pub(super) apt_conf: OnceCell<Option<String>>,
    info: OnceCell<Arc<EngineInfo>>,
    told: Mutex<BTreeSet<String>>,
}

/// An image that is on the engine now.
#[derive(Debug, Clone, PartialEq)]
pub struct Supplied {
    /// Its id.
    pub id: ImageId,
    /// The image as the engine has it.
    pub image: Image,
    /// Where it came from.
    pub source: Source,
    /// Its version, where it says.
    pub version: Option<String>,
    /// All that in one line: `nginx:1.26.3 ← built from images/nginx: nginx 1.26.3-3 (Debian trixie), 98 MB`.
    pub line: String,
    /// Whether the reference means another image than before.
    pub changed: bool,
}

/// Where an image came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The engine had it.
    Local,
    /// A registry; with the digest that the engine tells.
    Pulled {
        /// `sha256:…`.
        digest: Option<String>,
    },
    /// A build.
    Built {
        /// The context, or a recipe's own folder where recipes share one.
        folder: PathBuf,
    },
    /// A recipe, from distribution packages.
    Recipe {
        /// Folder.
        folder: PathBuf,
    },
}

impl Supply {
    /// Supplies images to an engine.
    pub fn new(engine: SharedEngine, host: HostEnv, options: Options) -> Self {
        let parallel = options.parallel_builds.clamp(1, 64);
        Self {
            engine,
            host,
            options,
            registries: Registries::default(),
            bases: Bases::default(),
            siblings: Siblings::default(),
            buildx: Buildx::default(),
            builds: Semaphore::new(parallel),
            installing: tokio::sync::Mutex::new(()),
            apt_conf: OnceCell::new(),
            info: OnceCell::new(),
            told: Mutex::default(),
        }
    }

    /// Gets an image from the first of its sources that works.
    pub(super) async fn obtain(
        &self,
        request: &ImageRequest,
        progress: ProgressSink<'_>,
    ) -> Result<Supplied, ImageError> {
        let report = Reporter::new(&request.reference, progress);
        let reference = Self::parse(&request.reference)?;
        let local = match &request.known {
            Known::Present(image) => Some(Image::clone(image)),
            Known::Absent => None,
            Known::NotAsked => self.engine.image(&request.reference).await?,
        };
        let facts = self.facts(request, &reference, local.as_ref()).await?;
        let decision = decide(&facts);
        let mut tried: Vec<Tried> = Vec::new();
        for (index, attempt) in decision.attempts.iter().enumerate() {
            let found = match attempt {
                Attempt::Local => local.clone().map(|image| Found::labelled(image, Source::Local)),
                Attempt::Pull => {
                    let platform = request.platform.as_deref();
                    match self.pull(&reference, platform, report).await? {
                        Ok(image) => {
                            let digest = digest_of(&image, &reference);
                            Some(Found::labelled(image, Source::Pulled { digest }))
                        }
                        Err(reason) => {
                            if let Some(next) = decision.attempts.get(index + 1) {
                                self.note_once(report, &reason, &format!("trying {} instead", next.as_str()));
                            }
                            tried.push(Tried {
                                source: Attempt::Pull,
                                reason,
                            });
                            None
                        }
                    }
                }
                Attempt::Build => match &request.build {
                    None => None,
                    Some(build) => {
                        let job = BuildJob::of_request(request, build);
                        let Built { image, version } = self.build(&job, report).await?;
                        let folder = source_folder(build);
                        let source = Source::Built { folder };
                        Some(Found {
                            image,
                            version,
                            source,
                        })
                    }
                },
                Attempt::Recipe => match request.base_images.get(&request.reference) {
                    None => None,
                    Some(folder) => {
                        let image = self.recipe_as(request, folder, report).await?;
                        let folder = folder.clone();
                        Some(Found::labelled(image, Source::Recipe { folder }))
                    }
                },
            };
            if let Some(found) = found {
                return self.supplied(request, local.as_ref(), found);
            }
        }
        Err(no_source(request, decision, tried, &facts))
    }

    pub(super) fn parse(reference: &str) -> Result<Reference, ImageError> {
        Reference::parse(reference).map_err(|expected| ImageError::BadReference {
            reference: reference.to_owned(),
            expected,
        })
    }

    /// Pulls an image; the inner error says in words why it is not to be had.
    pub(super) async fn pull(
        &self,
        reference: &Reference,
        platform: Option<&str>,
        report: Reporter<'_>,
    ) -> Result<Result<Image, String>, ImageError> {
        let limits = Limits {
            connect: self.options.connect_deadline,
            stall: self.options.stall_deadline,
            attempts: self.options.pull_attempts.max(1),
        };
        let engine = self.engine.as_ref();
        match pull(engine, &self.registries, reference, platform, limits, report).await {
            Err(PullFailure::Engine(error)) => Err(error.into()),
            Err(PullFailure::NotHad(reason)) => Ok(Err(reason)),
            Ok(()) => Ok(self
                .engine
                .image(&reference.to_string())
                .await?
                .ok_or_else(|| "the pull ended without an error, but the image is not there".to_owned())),
        }
    }

    /// Tells why a source did not help and what is done instead; a reason that was told before, as
    /// that of a registry which no image can be had from, is not repeated.
    pub(super) fn note_once(&self, report: Reporter<'_>, reason: &str, instead: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(reason.to_owned()) {
            report.note(format!("{reason}; {instead}"));
        }
    }

    /// What the engine is, asked once.
    pub(super) async fn info(&self) -> Result<&EngineInfo, ImageError> {
        let info = self
            .info
            .get_or_try_init(|| async { self.engine.info().await.map(Arc::new) })
            .await?;
        Ok(info)
    }

    async fn facts(
        &self,
        request: &ImageRequest,
        reference: &Reference,
        local: Option<&Image>,
    ) -> Result<Facts, ImageError> {
        let local = match local {
            None => Local::Absent,
            Some(image) if !reference.is_pinned_to_one_of(&image.digests) => Local::WrongDigest,
            Some(image) => Local::Present {
                age: match request.pull_policy {
                    Some(PullPolicy::Every(_)) => age(&image.last_tagged, &self.info().await?.system_time),
                    _ => None,
                },
            },
        };
        Ok(Facts {
            local,
            pull_policy: request.pull_policy.clone(),
            named: request.named,
            buildable: request.build.is_some(),
            build_wanted: request.build_wanted,
            has_recipe: request.base_images.contains_key(&request.reference),
            pinned: reference.digest.is_some(),
        })
    }

    fn supplied(
        &self,
        request: &ImageRequest,
        before: Option<&Image>,
        found: Found,
    ) -> Result<Supplied, ImageError> {
        let Found {
            image,
            version,
            source,
        } = found;
        let id = image.id.clone().ok_or_else(|| no_id(&request.reference))?;
        let origin = match &source {
            Source::Local => match image.labels.get(labels::IMAGE_SOURCE) {
                Some(origin) => format!("there already, {origin}"),
                None => "there already".to_owned(),
            },
            Source::Pulled { digest } => {
                let registry = Self::parse(&request.reference)?.registry;
                match digest.as_deref().and_then(|d| d.get(..19)) {
                    Some(digest) => format!("pulled from {registry} ({digest}…)"),
                    None => format!("pulled from {registry}"),
                }
            }
            Source::Built { folder } => self.built_from(folder),
            Source::Recipe { folder } => self.made_by(folder),
        };
        Ok(Supplied {
            changed: before.and_then(|b| b.id.as_ref()) != Some(&id),
            line: line(&request.reference, &origin, version.as_deref(), image.size),
            id,
            image,
            source,
            version,
        })
    }

    pub(super) fn built_from(&self, context: &Path) -> String {
        format!("built from {}", self.shown(context))
    }

    pub(super) fn made_by(&self, folder: &Path) -> String {
        format!("made from distribution packages by {}", self.shown(folder))
    }

    /// A path for people.
    pub(super) fn shown(&self, path: &Path) -> String {
        let shown = path.strip_prefix(&self.options.display_root).unwrap_or(path);
        if shown.as_os_str().is_empty() {
            ".".to_owned()
        } else {
            shown.display().to_string()
        }
    }
}

/// An image on the engine, before it is put into words.
struct Found {
    image: Image,
    version: Option<String>,
    source: Source,
}

impl Found {
    /// With the version that its labels tell; on the way of an `up` that changes nothing, no more is asked.
    fn labelled(image: Image, source: Source) -> Self {
        Self {
            version: labelled_version(&image),
            image,
            source,
        }
    }
}

/// The one line about an image.
pub(super) fn line(reference: &str, origin: &str, version: Option<&str>, size: u64) -> String {
    let megabytes = (size as f64 / 1e6).round().max(1.0);
    match version {
        Some(version) => format!("{reference} ← {origin}: {version}, {megabytes} MB"),
        None => format!("{reference} ← {origin}, {megabytes} MB"),
    }
}

pub(super) fn no_id(reference: &str) -> ImageError {
    ImageError::Engine(crate::engine::EngineError::new(
        format!("inspect image {reference}"),
        crate::engine::EngineErrorKind::Protocol("an image without an id".to_owned()),
    ))
}

fn digest_of(image: &Image, reference: &Reference) -> Option<String> {
    let digests = || image.digests.iter().filter_map(|d| d.rsplit_once('@'));
    digests()
        .find(|(name, _)| {
            Reference::parse(name)
                .is_ok_and(|r| r.registry == reference.registry && r.repository == reference.repository)
        })
        .or_else(|| digests().next())
        .map(|(_, digest)| digest.to_owned())
}

fn age(tagged: &str, now: &str) -> Option<Duration> {
    let (tagged, now): (jiff::Timestamp, jiff::Timestamp) = (tagged.parse().ok()?, now.parse().ok()?);
    // A clock that was set back makes an image no older than new.
    Some(Duration::try_from(now.duration_since(tagged)).unwrap_or(Duration::ZERO))
}

fn no_source(request: &ImageRequest, decision: Decision, mut tried: Vec<Tried>, facts: &Facts) -> ImageError {
    let refused_local = decision
        .left_out
        .iter()
        .find(|(source, _)| *source == Attempt::Local)
        .map(|(_, reason)| reason.clone());
    if let (Local::Present { .. }, Some(why)) = (facts.local, refused_local) {
        let reasons: Vec<_> = tried.into_iter().map(|t| t.reason).collect();
        return ImageError::PullRequired {
            reference: request.reference.clone(),
            why,
            reason: reasons.join("; "),
        };
    }
    tried.extend(
        decision
            .left_out
            .into_iter()
            .map(|(source, reason)| Tried { source, reason }),
    );
    tried.sort_by_key(|t| t.source);
    ImageError::Unavailable {
        reference: request.reference.clone(),
        tried,
    }
}
