//! Files in and out of containers as tar archives, whole file systems, and images made of containers.

use base64::Engine as _;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt;
use hyper::Method;
use serde::Deserialize;

use super::api::Result;
use super::docker::Docker;
use super::raw::{Call, streamed, within};
use super::{EngineError, EngineErrorKind, sort};
use crate::base::{ContainerId, ImageId};

/// Bytes of the engine's as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;
/// Bytes for the engine as they come.
pub type TarStream = BoxStream<'static, std::io::Result<Bytes>>;

/// What a path in a container is (Engine API, `ContainerArchiveInfo`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathStat {
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Where a symbolic link leads.
    pub link_target: Option<String>,
}

/// An image to be made of a container (Engine API, `ImageCommit`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitSpec {
    /// Repository and tag; no name where absent.
    pub reference: Option<(String, String)>,
    /// What is said about it.
    pub message: String,
    /// Who made it.
    pub author: String,
    /// Instructions of a Dockerfile, applied to its configuration.
    pub changes: Vec<String>,
    /// Whether the container is frozen meanwhile.
    pub pause: bool,
}

/// The header that tells about a path (Engine API, `ContainerArchiveInfo`).
const STAT: &str = "x-docker-container-path-stat";
/// Go's `os.ModeDir` and `os.ModeSymlink`.
const DIR: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stat {
    mode: u32,
    #[serde(default)]
    link_target: String,
}

impl Docker {
    /// What a path in a container is; `None` where there is none.
    pub(super) async fn path_stat(&self, id: &ContainerId, path: &str) -> Result<Option<PathStat>> {
        let operation = format!("look at {path} in container {}", id.short());
        let call =
            Call::new(&operation, Method::HEAD, format!("/containers/{id}/archive")).query("path", path);
        let answer = match within(&operation, self.short(), self.http.open(call)).await {
            Ok((_, answer)) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let told = answer
            .headers()
            .get(STAT)
            .map(|value| value.as_bytes())
            .unwrap_or_default();
        let bad = |why: String| EngineError::new(&operation, EngineErrorKind::Protocol(why));
        let json = base64::engine::general_purpose::STANDARD
            .decode(told)
            .map_err(|e| bad(e.to_string()))?;
        let stat: Stat = serde_json::from_slice(&json).map_err(|e| bad(e.to_string()))?;
        Ok(Some(PathStat {
            is_dir: stat.mode & DIR != 0,
            link_target: (stat.mode & SYMLINK != 0).then_some(stat.link_target),
        }))
    }

    /// A path of a container as a tar.
    pub(super) async fn open_archive(&self, id: &ContainerId, path: &str) -> Result<ByteStream> {
        let operation = format!("read {path} of container {}", id.short());
        let call =
            Call::new(&operation, Method::GET, format!("/containers/{id}/archive")).query("path", path);
        self.open_bytes(operation, call).await
    }

    /// A container's whole file system as a tar.
    pub(super) async fn open_export(&self, id: &ContainerId) -> Result<ByteStream> {
        let operation = format!("export container {}", id.short());
        let call = Call::new(&operation, Method::GET, format!("/containers/{id}/export"));
        self.open_bytes(operation, call).await
    }

    /// The bytes of an answer as they come; silence is an error, but not while nobody reads.
    async fn open_bytes(&self, operation: String, call: Call) -> Result<ByteStream> {
        let idle = self.shared.deadlines.pull_idle;
        let (operation, answer) = within(&operation, idle, self.http.open(call)).await?;
        let body = Some(answer.into_body());
        let bytes = stream::unfold(body, move |body| {
            let operation = operation.clone();
            async move {
                let mut body = body?;
                loop {
                    let frame = match tokio::time::timeout(idle, body.frame()).await {
                        Ok(None) => return None,
                        Ok(Some(Ok(frame))) => frame,
                        Ok(Some(Err(error))) => {
                            return Some((Err(EngineError::new(operation, sort::lost(&error))), None));
                        }
                        Err(_) => {
                            let kind = EngineErrorKind::TimedOut(idle);
                            return Some((Err(EngineError::new(operation, kind)), None));
                        }
                    };
                    if let Ok(bytes) = frame.into_data() {
                        return Some((Ok(bytes), Some(body)));
                    }
                }
            }
        });
        Ok(bytes.boxed())
    }

    /// Unpacks a tar in a folder of a container. It takes as long as the tar does to come.
    pub(super) async fn unpack_archive(
        &self,
        id: &ContainerId,
        folder: &str,
        owners: bool,
        tar: TarStream,
    ) -> Result<()> {
        let call = Call::new(
            format!("copy files into container {}", id.short()),
            Method::PUT,
            format!("/containers/{id}/archive"),
        )
        .query("path", folder)
        .query("noOverwriteDirNonDir", "true")
        .query("copyUIDGID", if owners { "true" } else { "false" })
        .body("application/x-tar", streamed(tar));
        let (operation, answer) = self.http.open(call).await?;
        let read = async {
            let body = answer.into_body().collect().await;
            body.map(drop)
                .map_err(|e| EngineError::new(&operation, sort::lost(&e)))
        };
        within(&operation, self.short(), read).await
    }

    /// Makes an image of a container as it is now.
    pub(super) async fn commit_container(&self, id: &ContainerId, spec: &CommitSpec) -> Result<ImageId> {
        #[derive(Deserialize)]
        struct Made {
            #[serde(rename = "Id")]
            id: String,
        }
        let mut call = Call::new(
            format!("commit container {}", id.short()),
            Method::POST,
            "/commit",
        )
        .query("container", id.as_str())
        .query("comment", &spec.message)
        .query("author", &spec.author)
        .query("pause", if spec.pause { "true" } else { "false" })
        .json(&serde_json::json!({}));
        if let Some((repository, tag)) = &spec.reference {
            call = call.query("repo", repository).query("tag", tag);
        }
        for change in &spec.changes {
            call = call.query("changes", change);
        }
        // It copies all that the container wrote.
        let made: Made = self.http.fetch(call, self.shared.deadlines.build_idle).await?;
        Ok(ImageId::from(made.id))
    }
}
