//! Images: looked up, pulled, imported, loaded, tagged, removed, read from.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use bollard::models;
use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptions};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::Method;
use serde::Deserialize;
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::api::Result;
use super::convert::found;
use super::docker::{Docker, excused};
use super::lines::JsonLines;
use super::raw::{Call, streamed};
use super::registry;
use super::{EngineError, EngineErrorKind, PullProgress, sort};
use crate::base::{ContainerId, ImageId};
use crate::model::{Image, labels};

/// Files larger than this are not read out of images.
const LARGEST_FILE: usize = 64 * 1024;

/// A message in the stream of a pull, import or load.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) stream: String,
    #[serde(rename = "progressDetail", default)]
    pub(super) progress: Option<Progress>,
    #[serde(default)]
    pub(super) error: String,
}

/// How far a layer is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Progress {
    #[serde(default)]
    current: i64,
    #[serde(default)]
    total: i64,
}

impl Docker {
    /// One image; `None` where the engine does not have it.
    pub(super) async fn inspect_image(&self, reference: &str) -> Result<Option<Image>> {
        Ok(self.image_answer(reference).await?.map(found::image))
    }

    /// One image in the engine's words.
    pub(super) async fn image_answer(&self, reference: &str) -> Result<Option<models::ImageInspect>> {
        let asked = self
            .ask(
                &format!("inspect image {reference}"),
                self.client.inspect_image(reference),
            )
            .await;
        match asked {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Pulls an image.
    pub(super) fn pull_image(
        &self,
        reference: &str,
        platform: Option<&str>,
    ) -> BoxStream<'static, Result<PullProgress>> {
        let operation = format!("pull {reference}");
        let (docker, reference) = (self.clone(), reference.to_owned());
        let platform = platform.map(str::to_owned);
        let idle = self.shared.deadlines.pull_idle;
        let messages = async move {
            let (name, tag) = split_reference(&reference);
            let mut call = Call::new(&operation, Method::POST, "/images/create")
                .query("fromImage", name)
                .query("tag", tag);
            if let Some(platform) = platform {
                call = call.query("platform", platform);
            }
            if let Some(auth) = registry::auth_for(&docker.shared.env, &reference).await {
                call = call.header(
                    hyper::header::HeaderName::from_static("x-registry-auth"),
                    auth.expose(),
                );
            }
            docker.messages(call, operation, idle)
        };
        stream::once(messages).flatten().map(as_progress).boxed()
    }

    /// Pushes an image.
    pub(super) fn push_image(&self, reference: &str) -> BoxStream<'static, Result<PullProgress>> {
        /// No credentials; the header itself is required.
        const NOBODY: &str = "e30=";
        let operation = format!("push {reference}");
        let (docker, reference) = (self.clone(), reference.to_owned());
        let idle = self.shared.deadlines.pull_idle;
        let messages = async move {
            let (name, tag) = split_reference(&reference);
            let auth = registry::auth_for(&docker.shared.env, &reference).await;
            let header = hyper::header::HeaderName::from_static("x-registry-auth");
            let call = Call::new(&operation, Method::POST, format!("/images/{name}/push"))
                .query("tag", tag)
                .header(header, auth.as_ref().map_or(NOBODY, |auth| auth.expose()));
            docker.messages(call, operation, idle)
        };
        stream::once(messages).flatten().map(as_progress).boxed()
    }

    /// The messages of a long call; an error among them, or silence for `idle`, ends the stream.
    pub(super) fn messages(
        &self,
        call: Call,
        operation: String,
        idle: Duration,
    ) -> BoxStream<'static, Result<Message>> {
        JsonLines::<Message>::open(self.http.clone(), call, operation.clone(), idle)
            .map(move |message| {
                let message = message?;
                if message.error.is_empty() {
                    Ok(message)
                } else {
                    Err(EngineError::new(&operation, sort::stream(&message.error)))
                }
            })
            .scan(false, |failed, item| {
                let stop = *failed;
                *failed = item.is_err();
                async move { (!stop).then_some(item) }
            })
            .boxed()
    }

    /// Imports a root file system.
    pub(super) async fn import(&self, tar: &Path, reference: &str, changes: &[String]) -> Result<ImageId> {
        let operation = format!("import image {reference}");
        let (name, tag) = split_reference(reference);
        let mut call = Call::new(&operation, Method::POST, "/images/create")
            .query("fromSrc", "-")
            .query("repo", name)
            .query("tag", tag)
            .body("application/x-tar", file_body(tar, &operation).await?);
        for change in changes {
            call = call.query("changes", change);
        }
        let mut messages = self.messages(call, operation.clone(), self.shared.deadlines.build_idle);
        let mut id = None;
        while let Some(message) = messages.next().await {
            let message = message?;
            if message.status.starts_with("sha256:") {
                id = Some(ImageId::from(message.status));
            }
        }
        id.ok_or_else(|| {
            EngineError::new(
                operation,
                EngineErrorKind::OutcomeUnknown("the stream ended without an image".into()),
            )
        })
    }

    /// Loads images out of a tar that `docker save` wrote; returns their references or ids.
    pub(super) async fn load(&self, tar: &Path) -> Result<Vec<String>> {
        let operation = format!("load images of {}", tar.display());
        let call = Call::new(&operation, Method::POST, "/images/load")
            .query("quiet", "1")
            .body("application/x-tar", file_body(tar, &operation).await?);
        let mut messages = self.messages(call, operation, self.shared.deadlines.build_idle);
        let mut loaded = Vec::new();
        while let Some(message) = messages.next().await {
            for line in message?.stream.lines() {
                if let Some((_, name)) = line.split_once("Loaded image: ") {
                    loaded.push(name.trim().to_owned());
                } else if let Some((_, id)) = line.split_once("Loaded image ID: ") {
                    loaded.push(id.trim().to_owned());
                }
            }
        }
        Ok(loaded)
    }

    /// Gives an image a further reference.
    pub(super) async fn tag(&self, image: &ImageId, reference: &str) -> Result<()> {
        let (name, tag) = split_reference(reference);
        let options = TagImageOptions {
            repo: Some(name),
            tag: Some(tag),
        };
        self.ask(
            &format!("tag image {} as {reference}", image.short()),
            self.client.tag_image(image.as_str(), Some(options)),
        )
        .await
    }

    /// Removes an image reference.
    pub(super) async fn delete_image(&self, reference: &str) -> Result<()> {
        let options = RemoveImageOptionsBuilder::default().build();
        let removed = self
            .ask_within(
                &format!("remove image {reference}"),
                self.shared.deadlines.start,
                self.client.remove_image(reference, Some(options), None),
            )
            .await
            .map(drop);
        excused(removed, |kind| matches!(kind, EngineErrorKind::NotFound(_)))
    }

    /// Removes an image that nothing refers to; one that is in use stays.
    pub(super) async fn delete_dangling(&self, image: &ImageId) -> Result<bool> {
        let found = self.image_answer(image.as_str()).await?;
        let is_named = |found: models::ImageInspect| {
            let names = [found.repo_tags, found.repo_digests];
            names.into_iter().flatten().any(|names| !names.is_empty())
        };
        if found.is_none_or(is_named) {
            return Ok(false);
        }
        match self.delete_image(image.as_str()).await {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind, EngineErrorKind::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads one small file out of an image, by way of a container that is never started.
    pub(super) async fn image_file(&self, image: &ImageId, path: &str) -> Result<Option<Vec<u8>>> {
        #[derive(Deserialize)]
        struct Created {
            #[serde(rename = "Id")]
            id: String,
        }
        let operation = format!("read {path} of image {}", image.short());
        let call = Call::new(&operation, Method::POST, "/containers/create").json(&json!({
            "Image": image,
            // Some command must be given where the image has none; it never runs.
            "Cmd": ["true"],
            "Labels": { labels::RUN: "read-image-file" },
        }));
        let created: Created = self.http.fetch(call, self.shared.deadlines.start).await?;
        let id = ContainerId::from(created.id);
        let cleanup = Cleanup::new(self.clone(), id.clone());
        let tar = self.download(&id, path, LARGEST_FILE + 4096).await;
        cleanup.now().await;
        match tar? {
            None => Ok(None),
            Some(tar) => first_file(&tar).map_err(|why| EngineError::new(operation, why)),
        }
    }
}

/// A message about a layer as progress.
fn as_progress(message: Result<Message>) -> Result<PullProgress> {
    let message = message?;
    let detail = message.progress.unwrap_or_default();
    Ok(PullProgress {
        layer: message.id,
        status: message.status,
        current: u64::try_from(detail.current).unwrap_or(0),
        total: u64::try_from(detail.total).unwrap_or(0),
    })
}

/// The first file in a tar; `None` where it holds something else, such as a folder.
fn first_file(tar: &[u8]) -> std::result::Result<Option<Vec<u8>>, EngineErrorKind> {
    let broken = |e: std::io::Error| EngineErrorKind::Protocol(e.to_string());
    let mut archive = tar::Archive::new(tar);
    let Some(entry) = archive.entries().map_err(broken)?.next() else {
        return Ok(None);
    };
    let mut entry = entry.map_err(broken)?;
    if !entry.header().entry_type().is_file() {
        return Ok(None);
    }
    if entry.size() > LARGEST_FILE as u64 {
        return Err(EngineErrorKind::Unsupported(format!(
            "the file has {} bytes, more than {LARGEST_FILE}",
            entry.size()
        )));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(broken)?;
    Ok(Some(content))
}

/// Removes a container of ours, also when the work with it failed or was dropped.
pub(super) struct Cleanup(Option<(Docker, ContainerId)>);

impl Cleanup {
    pub(super) fn new(docker: Docker, id: ContainerId) -> Self {
        Self(Some((docker, id)))
    }

    /// Removes it now.
    pub(super) async fn now(mut self) {
        if let Some((docker, id)) = &self.0 {
            let _ = docker.delete_container(id, true, true).await;
        }
        self.0 = None;
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let (Some((docker, id)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                let _ = docker.delete_container(&id, true, true).await;
            });
        }
    }
}

/// The body of a request, read from a file as it is sent.
pub(super) async fn file_body(path: &Path, operation: &str) -> Result<super::raw::RequestBody> {
    const CHUNK: usize = 64 * 1024;
    let file = tokio::fs::File::open(path).await.map_err(|e| {
        EngineError::new(
            operation,
            EngineErrorKind::Unsupported(format!("{}: {e}", path.display())),
        )
    })?;
    let chunks = ReaderStream::with_capacity(file, CHUNK);
    Ok(streamed(chunks.map(|c: std::io::Result<Bytes>| c)))
}

/// Name and tag (or digest) of a reference; `latest` where it has none.
pub(super) fn split_reference(reference: &str) -> (String, String) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (name.to_owned(), digest.to_owned());
    }
    match reference.rsplit_once(':') {
        // A colon before a slash belongs to the registry's port.
        Some((name, tag)) if !tag.contains('/') => (name.to_owned(), tag.to_owned()),
        _ => (reference.to_owned(), "latest".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split_at_the_tag() {
        for (reference, name, tag) in [
            ("nginx", "nginx", "latest"),
            ("nginx:1.27", "nginx", "1.27"),
            ("localhost:5000/a/b", "localhost:5000/a/b", "latest"),
            ("localhost:5000/a/b:2", "localhost:5000/a/b", "2"),
            ("a/b@sha256:00", "a/b", "sha256:00"),
            ("a/b:2@sha256:00", "a/b:2", "sha256:00"),
        ] {
            assert_eq!(
                split_reference(reference),
                (name.to_owned(), tag.to_owned()),
                "{reference}"
            );
        }
    }

    #[test]
    fn only_a_small_file_is_taken_out_of_a_tar() {
        let tar = |kind, size: usize| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(size as u64);
            let mut builder = tar::Builder::new(Vec::new());
            builder
                .append_data(&mut header, "f", vec![b'x'; size].as_slice())
                .unwrap();
            builder.into_inner().unwrap()
        };
        assert_eq!(
            first_file(&tar(tar::EntryType::Regular, 3)).unwrap(),
            Some(b"xxx".to_vec())
        );
        assert_eq!(first_file(&tar(tar::EntryType::Directory, 0)).unwrap(), None);
        assert!(first_file(&tar(tar::EntryType::Regular, LARGEST_FILE + 1)).is_err());
        assert_eq!(first_file(b"").unwrap(), None);
    }
}
