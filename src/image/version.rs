//! Which version an image has: from its labels, or from the file that our recipes write.
//!
//! Labels and files are inherited from base images, so that what a base image has, too, is not
//! taken for the version of what was built on it. The result is kept in a label of ours, so that
//! later runs know it without looking into the image.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;

use super::ImageError;
use super::build::{BuildJob, Built};
use super::recipe::version_label;
use super::scratch::Scratch;
use super::supply::{Supply, no_id};
use crate::base::ImageId;
use crate::engine::{BuildProgress, BuildRequest};
use crate::model::{Build, Image, labels};

/// The label that image makers use (OCI image annotations).
const OCI_VERSION: &str = "org.opencontainers.image.version";

impl Supply {
    /// Finds the version of an image that was just built from `bases`, and labels it so.
    pub(super) async fn with_version(
        &self,
        job: &BuildJob<'_>,
        id: &ImageId,
        bases: &[String],
        buildkit: bool,
    ) -> Result<Built, ImageError> {
        let name = job.tags.first().map_or(id.as_str(), String::as_str);
        let image = self.engine.image(name).await?.ok_or_else(|| no_id(name))?;
        let id = image.id.clone().ok_or_else(|| no_id(name))?;
        let version = self.version_of(&image, &id, bases, &job.version_file).await;
        if labelled_version(&image) == version {
            return Ok(Built { image, version });
        }
        let text = version.clone().unwrap_or_default();
        match self.label_version(job, &text, buildkit).await {
            Ok(()) => {
                // The same image without the label; where the builder still needs it, it stays.
                self.engine.remove_image(id.as_str()).await.ok();
                let image = self.engine.image(name).await?.ok_or_else(|| no_id(name))?;
                Ok(Built { image, version })
            }
            Err(error) => {
                tracing::warn!(%error, image = name, "the version was not put into a label");
                Ok(Built { image, version })
            }
        }
    }

    async fn version_of(&self, image: &Image, id: &ImageId, bases: &[String], file: &str) -> Option<String> {
        let own_file = self.version_in(id, file).await;
        let own_label = image.labels.get(OCI_VERSION).filter(|v| !v.is_empty());
        let (mut by_file, mut by_label) = (own_file, own_label);
        if by_file.is_none() && by_label.is_none() {
            return None;
        }
        for base in bases {
            let Ok(Some(base)) = self.engine.image(base).await else {
                continue;
            };
            if base.labels.get(OCI_VERSION) == by_label {
                by_label = None;
            }
            if let (Some(_), Some(id)) = (&by_file, &base.id)
                && self.version_in(id, file).await == by_file
            {
                by_file = None;
            }
        }
        by_file.or_else(|| by_label.cloned())
    }

    /// Puts the version into a label: a build of one instruction, which makes no layer.
    async fn label_version(
        &self,
        job: &BuildJob<'_>,
        version: &str,
        buildkit: bool,
    ) -> Result<(), ImageError> {
        let Some(tag) = job.tags.first() else {
            return Ok(());
        };
        let temp = self.host.temp_dir();
        let scratch = Scratch::new(&temp).map_err(|e| ImageError::io("creating a folder in", &temp, e))?;
        let tar = scratch.path().join("context.tar");
        let dockerfile = format!("FROM {tag}\n{}\n", version_label(version));
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(dockerfile.len() as u64);
        header.set_mode(0o644);
        let written = builder
            .append_data(&mut header, "Dockerfile", dockerfile.as_bytes())
            .and_then(|()| builder.into_inner())
            .and_then(|bytes| std::fs::write(&tar, bytes));
        written.map_err(|e| ImageError::io("writing", &tar, e))?;
        let request = BuildRequest {
            build: Build {
                tags: job.build.tags.clone(),
                ..Build::default()
            },
            context_tar: tar,
            dockerfile: "Dockerfile".to_owned(),
            tags: job.tags.clone(),
            secrets: BTreeMap::new(),
            hidden_args: BTreeMap::new(),
            buildkit,
            no_cache: false,
            platform: job.sources.platform.map(str::to_owned),
        };
        let progress: Vec<BuildProgress> = self.engine.build(request).try_collect().await?;
        tracing::debug!(messages = progress.len(), "version labelled");
        Ok(())
    }

    /// The version that an image holds in a file; costs a container that is never started.
    pub(super) async fn version_in(&self, id: &ImageId, file: &str) -> Option<String> {
        let bytes = match self.engine.read_image_file(id, file).await {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::debug!(%error, file, "no version read");
                return None;
            }
        };
        first_line(&bytes)
    }
}

/// The version that an image's labels tell; an empty one of ours hides that of its base image.
pub(super) fn labelled_version(image: &Image) -> Option<String> {
    image
        .labels
        .get(labels::IMAGE_VERSION)
        .or_else(|| image.labels.get(OCI_VERSION))
        .filter(|v| !v.is_empty())
        .cloned()
}

/// The first line of a version file, short enough to show.
pub(super) fn first_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line: String = text
        .lines()
        .next()?
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect();
    (!line.is_empty()).then_some(line)
}
