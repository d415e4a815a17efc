//! Base images of Dockerfiles: the engine's copy, a registry's, or one made by a recipe; each
//! found once a run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::sync::OnceCell;

use super::build::{BuildJob, Built};
use super::dockerfile::Dockerfile;
use super::progress::{Activity, Reporter};
use super::recipe::{Kind, Recipe};
use super::reference::Reference;
use super::request::ImageRequest;
use super::supply::{Supply, line, no_id};
use super::version::labelled_version;
use super::{Attempt, ImageError, Tried};
use crate::engine::EngineInfo;
use crate::model::{Image, labels};

/// A base image that is on the engine now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseImage {
    /// What a `FROM` is to name.
    pub(super) reference: String,
    /// What an image made from it depends on: the recipe's hash, or the image's id.
    pub(super) key: String,
}

/// A base image as asked for: reference, platform, and whether anew.
type Key = (String, Option<String>, bool);
type Cell = Arc<OnceCell<Result<BaseImage, ImageError>>>;

/// Base images asked for in a run.
#[derive(Debug, Default)]
pub(super) struct Bases {
    cells: Mutex<HashMap<Key, Cell>>,
}

/// Where base images may come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct BaseSources<'a> {
    /// Recipe folders by reference.
    pub(super) recipes: &'a IndexMap<String, PathBuf>,
    pub(super) platform: Option<&'a str>,
    /// Whether registries are asked even for what is there (`build.pull`).
    pub(super) fresh: bool,
}

impl<'a> BaseSources<'a> {
    fn recipe(&self, reference: &Reference) -> Option<&'a Path> {
        self.recipes
            .iter()
            .find(|(name, _)| Reference::parse(name).as_ref() == Ok(reference))
            .map(|(_, folder)| folder.as_path())
    }
}

impl Supply {
    /// Gets a base image onto the engine; several askers share one attempt, also a failed one.
    pub(super) fn base<'a>(
        &'a self,
        name: &'a str,
        sources: BaseSources<'a>,
        report: Reporter<'a>,
    ) -> BoxFuture<'a, Result<BaseImage, ImageError>> {
        async move {
            let reference = Self::parse(name)?;
            // Before any waiting: two images that wait for each other would never end.
            find_cycle(&reference, sources, &mut Vec::new(), &mut Vec::new())?;
            let key = (
                reference.to_string(),
                sources.platform.map(str::to_owned),
                sources.fresh,
            );
            let cell = {
                let mut cells = self.bases.cells.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(cells.entry(key).or_default())
            };
            cell.get_or_init(|| self.obtain_base(&reference, sources, report))
                .await
                .clone()
        }
        .boxed()
    }

    async fn obtain_base(
        &self,
        reference: &Reference,
        sources: BaseSources<'_>,
        report: Reporter<'_>,
    ) -> Result<BaseImage, ImageError> {
        let name = reference.to_string();
        let report = Reporter::new(&name, report.sink);
        if !sources.fresh
            && let Some((base, _)) = self.current(reference, sources).await?
        {
            return Ok(base);
        }
        let reason = match self.pull(reference, sources.platform, report).await? {
            Ok(image) => {
                let id = image.id.as_ref().ok_or_else(|| no_id(&name))?;
                let version = labelled_version(&image);
                let origin = format!("pulled from {}", reference.registry);
                report.tell(Activity::BaseReady {
                    line: line(&name, &origin, version.as_deref(), image.size),
                });
                return Ok(BaseImage {
                    key: id.to_string(),
                    reference: name,
                });
            }
            Err(reason) => reason,
        };
        let no_recipe = match sources.recipe(reference) {
            Some(_) if reference.digest.is_some() => "a recipe cannot give the pinned digest".to_owned(),
            Some(_) if !fits(sources.platform, self.info().await?) => {
                "a recipe makes images for the engine's own platform only".to_owned()
            }
            Some(folder) => {
                self.note_once(report, &reason, "making it from distribution packages instead");
                let (base, _) = self.made(reference, folder, sources, report).await?;
                return Ok(base);
            }
            None => "`x-platform.base_images` names none for it".to_owned(),
        };
        Err(ImageError::Unavailable {
            reference: name,
            tried: [
                (
                    Attempt::Local,
                    match sources.fresh {
                        true => "the build asks for a new one (`pull`)",
                        false => "the engine does not have it",
                    }
                    .to_owned(),
                ),
                (Attempt::Pull, reason),
                (Attempt::Recipe, no_recipe),
            ]
            .map(|(source, reason)| Tried { source, reason })
            .to_vec(),
        })
    }

    /// The engine's copy of a base image, or of one that its recipe made and that is not outdated.
    fn current<'a>(
        &'a self,
        reference: &'a Reference,
        sources: BaseSources<'a>,
    ) -> BoxFuture<'a, Result<Option<(BaseImage, Image)>, ImageError>> {
        async move {
            let name = reference.to_string();
            if let Some(image) = self.engine.image(&name).await?
                && reference.is_pinned_to_one_of(&image.digests)
            {
                let id = image.id.clone().ok_or_else(|| no_id(&name))?;
                let base = BaseImage {
                    reference: name,
                    key: id.to_string(),
                };
                return Ok(Some((base, image)));
            }
            let Some(folder) = sources.recipe(reference).filter(|_| reference.digest.is_none()) else {
                return Ok(None);
            };
            let stand_in = reference.local_stand_in();
            let Some(image) = self.engine.image(&stand_in).await? else {
                return Ok(None);
            };
            // A recipe that cannot be read is told of when it is needed, not when a pull may do.
            let Ok(recipe) = Recipe::read(folder) else {
                return Ok(None);
            };
            let mut keys = Vec::new();
            for base in bases_of(&recipe, &builtin_args(self.info().await?)) {
                let Ok(base) = Reference::parse(&base) else {
                    return Ok(None);
                };
                match self.current(&base, sources).await? {
                    Some((base, _)) => keys.push(base.key),
                    None => return Ok(None),
                }
            }
            let hash = hash(recipe, keys).await?;
            if image.labels.get(labels::RECIPE_HASH) != Some(&hash) {
                return Ok(None);
            }
            let base = BaseImage {
                reference: stand_in,
                key: hash,
            };
            Ok(Some((base, image)))
        }
        .boxed()
    }

    /// Makes an image by its recipe, unless what the recipe made before is still good.
    async fn made(
        &self,
        reference: &Reference,
        folder: &Path,
        sources: BaseSources<'_>,
        report: Reporter<'_>,
    ) -> Result<(BaseImage, Image), ImageError> {
        let stand_in = reference.local_stand_in();
        let recipe = Recipe::read(folder)?;
        if recipe.stand_in {
            return Err(ImageError::Unavailable {
                reference: reference.to_string(),
                tried: vec![Tried {
                    source: Attempt::Recipe,
                    reason: format!("{} only imitates it, for tests", self.shown(folder)),
                }],
            });
        }
        let mut keys = Vec::new();
        // Never anew for a recipe's own base: it is the recipe that is asked for.
        let own = BaseSources {
            fresh: false,
            ..sources
        };
        let args = builtin_args(self.info().await?);
        let wanted = bases_of(&recipe, &args);
        for base in &wanted {
            let base = self
                .base(base, own, report)
                .await
                .map_err(|source| ImageError::Base {
                    image: reference.to_string(),
                    base: base.clone(),
                    source: Box::new(source),
                })?;
            keys.push(base.key);
        }
        let hash = hash(recipe.clone(), keys).await?;
        let base = BaseImage {
            reference: stand_in.clone(),
            key: hash.clone(),
        };
        if let Some(image) = self.engine.image(&stand_in).await?
            && image.labels.get(labels::RECIPE_HASH) == Some(&hash)
        {
            return Ok((base, image));
        }
        report.tell(Activity::Bootstrapping {
            title: recipe.title.clone(),
        });
        let origin = self.made_by(folder);
        let (image, version) = match &recipe.kind {
            Kind::RootFs(rootfs) => {
                let id = self.bootstrap(&recipe, rootfs, &hash, &stand_in, report).await?;
                let image = self.engine.image(id.as_str()).await?;
                let image = image.ok_or_else(|| no_id(&stand_in))?;
                let version = labelled_version(&image);
                (image, version)
            }
            Kind::Dockerfile { dockerfile, .. } => {
                let job = BuildJob::of_recipe(reference, &recipe, dockerfile, &hash, &origin, own);
                let Built { image, version } = self.build(&job, report).await?;
                (image, version)
            }
        };
        report.tell(Activity::BaseReady {
            line: line(&reference.to_string(), &origin, version.as_deref(), image.size),
        });
        Ok((base, image))
    }

    /// Makes a service's own image by a recipe, and names it as the service does.
    pub(super) async fn recipe_as(
        &self,
        request: &ImageRequest,
        folder: &Path,
        report: Reporter<'_>,
    ) -> Result<Image, ImageError> {
        let reference = Self::parse(&request.reference)?;
        let sources = BaseSources {
            recipes: &request.base_images,
            platform: request.platform.as_deref(),
            fresh: false,
        };
        find_cycle(&reference, sources, &mut Vec::new(), &mut Vec::new())?;
        let (_, image) = self.made(&reference, folder, sources, report).await?;
        let id = image.id.clone().ok_or_else(|| no_id(&request.reference))?;
        self.engine.tag_image(&id, &request.reference).await?;
        Ok(image)
    }
}

/// The builder's own arguments.
pub(super) fn builtin_args(info: &EngineInfo) -> BTreeMap<String, String> {
    let (os, arch) = (info.os.as_str(), architecture(&info.arch));
    let platform = format!("{os}/{arch}");
    [
        ("TARGETPLATFORM", platform.as_str()),
        ("TARGETOS", os),
        ("TARGETARCH", arch),
        ("BUILDPLATFORM", platform.as_str()),
        ("BUILDOS", os),
        ("BUILDARCH", arch),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The name that images use for an architecture.
fn architecture(kernel: &str) -> &str {
    match kernel {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn fits(platform: Option<&str>, info: &EngineInfo) -> bool {
    platform.is_none_or(|platform| {
        let mut parts = platform.split('/');
        parts.next() == Some(info.os.as_str())
            && parts
                .next()
                .is_none_or(|arch| architecture(arch) == architecture(&info.arch))
    })
}

/// The base images of a recipe; none where its Dockerfile cannot be read, which the build tells.
fn bases_of(recipe: &Recipe, builtin: &BTreeMap<String, String>) -> Vec<String> {
    match &recipe.kind {
        Kind::RootFs(_) => Vec::new(),
        Kind::Dockerfile { dockerfile, .. } => std::fs::read_to_string(recipe.folder.join(dockerfile))
            .ok()
            .and_then(|text| Dockerfile::parse(&text, &BTreeMap::new(), builtin).ok())
            .and_then(|file| file.images(None, true).ok())
            .unwrap_or_default(),
    }
}

async fn hash(recipe: Recipe, bases: Vec<String>) -> Result<String, ImageError> {
    let folder = recipe.folder.clone();
    tokio::task::spawn_blocking(move || recipe.hash(&bases))
        .await
        .unwrap_or_else(|e| Err(ImageError::io("reading", &folder, std::io::Error::other(e))))
}

/// Follows recipes to their base images and finds one that needs itself.
fn find_cycle(
    reference: &Reference,
    sources: BaseSources<'_>,
    path: &mut Vec<Reference>,
    done: &mut Vec<Reference>,
) -> Result<(), ImageError> {
    if let Some(start) = path.iter().position(|r| r == reference) {
        let cycle = path.iter().skip(start).chain([reference]);
        return Err(ImageError::Cycle(cycle.map(ToString::to_string).collect()));
    }
    if done.contains(reference) {
        return Ok(());
    }
    if let Some(recipe) = sources
        .recipe(reference)
        .and_then(|folder| Recipe::read(folder).ok())
    {
        path.push(reference.clone());
        for base in bases_of(&recipe, &BTreeMap::new()) {
            if let Ok(base) = Reference::parse(&base) {
                find_cycle(&base, sources, path, done)?;
            }
        }
        path.pop();
    }
    done.push(reference.clone());
    Ok(())
}
