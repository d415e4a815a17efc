//! Pulls and builds of the engine in memory.

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};

use super::FakeEngine;
use super::calls::Kind;
use super::state::Op;
use crate::engine::api::Result;
use crate::engine::{BuildProgress, BuildRequest, PullProgress};
use crate::model::Image;

impl FakeEngine {
    /// Pulls what the registry has, if one answers.
    pub(super) fn pull_image(&self, reference: String) -> BoxStream<'static, Result<PullProgress>> {
        let fake = self.clone();
        async move {
            fake.call(Op::Pull, &format!("pull {reference}"), |state| {
                match &state.registry {
                    None => Err(Kind::RegistryUnreachable(
                        "Get \"https://registry.invalid/v2/\": dial tcp: no such host".into(),
                    )),
                    Some(there) if !there.contains(&reference) => Err(Kind::ImageNotFound(format!(
                        "manifest for {reference} not found: manifest unknown"
                    ))),
                    Some(_) => {
                        state.add_image(&reference, Image::default());
                        let progress = PullProgress {
                            layer: String::new(),
                            status: format!("Status: Downloaded newer image for {reference}"),
                            current: 0,
                            total: 0,
                        };
                        Ok((progress, Vec::new()))
                    }
                }
            })
            .await
        }
        .into_stream()
        .boxed()
    }

    /// Builds an image in one step, or fails as told.
    pub(super) fn build_image(&self, request: BuildRequest) -> BoxStream<'static, Result<BuildProgress>> {
        let fake = self.clone();
        async move {
            let name = request.tags.first().cloned().unwrap_or_default();
            let built = fake
                .call(Op::Build, &format!("build {name}"), |state| {
                    let context = std::fs::read(&request.context_tar).unwrap_or_default();
                    state.builds.push((request.clone(), context));
                    if let Some(message) = &state.build_failure {
                        return Err(Kind::StreamFailed(message.clone()));
                    }
                    let image = Image {
                        labels: request.build.labels.clone().into_iter().collect(),
                        ..Image::default()
                    };
                    let id = state.add_image(&name, image.clone());
                    for tag in request.tags.iter().skip(1).chain(&request.build.tags) {
                        let id = Some(id.clone());
                        state.add_image(tag, Image { id, ..image.clone() });
                    }
                    Ok((id, Vec::new()))
                })
                .await;
            match built {
                Err(error) => vec![Err(error)],
                Ok(id) => vec![
                    Ok(BuildProgress::Step("[1/1] FROM scratch".into())),
                    Ok(BuildProgress::Built(id)),
                ],
            }
        }
        .into_stream()
        .flat_map(stream::iter)
        .boxed()
    }
}
