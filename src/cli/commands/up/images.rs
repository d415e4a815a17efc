//! The images of a run: what is missing is supplied, all at once, and told as it comes.

use std::collections::BTreeMap;

use crate::base::ServiceName;
use crate::execute::Site;
use crate::model::{Image, Observed, Project, PullPolicy};
use crate::plan::ImageState;

use super::super::super::context::Context;
use super::super::super::exit::ExpectedError;
use super::super::super::settings::UpSettings;

/// What became of each image that had to be supplied, by reference.
#[derive(Debug, Default)]
pub struct Supplied {
    images: BTreeMap<String, Result<Image, Lack>>,
}

/// An image that could not be supplied.
#[derive(Debug, Clone)]
struct Lack {
    reason: String,
    missing: bool,
}

impl Supplied {
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
                    (_, Some(Err(lack))) => ImageState::Unavailable {
                        reason: lack.reason.clone(),
                        missing: lack.missing,
                    },
                    (Some(id), _) => ImageState::Present(id),
                    (None, Some(Ok(Image { id: Some(id), .. }))) => ImageState::Present(id.clone()),
                    (None, _) => ImageState::Unavailable {
                        reason: format!("the engine does not have {reference} any more"),
                        missing: false,
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
                    missing: true,
                },
                (None, Some(PullPolicy::Never)) => ImageState::Pending { how: "build".into() },
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

/// TEMP
pub async fn supply(
    _: &Context,
    _: &Site,
    _: &Project,
    _: &[ServiceName],
    _: &Observed,
    _: &UpSettings,
) -> Result<Supplied, ExpectedError> {
    Ok(Supplied::default())
}
