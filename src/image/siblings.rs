//! Images of one run that are built from each other: each is supplied once, after those that it is
//! built from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use super::ImageError;
use super::base::BaseImage;
use super::progress::{Activity, ProgressSink, Reporter};
use super::reference::Reference;
use super::request::ImageRequest;
use super::supply::{Supplied, Supply};

/// The images that a project's services build.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    images: BTreeMap<Reference, Sibling>,
    /// Who waits for whom.
    waits: Mutex<BTreeMap<Reference, BTreeSet<Reference>>>,
}

#[derive(Debug)]
struct Sibling {
    request: ImageRequest,
    /// Whether the run supplies it in any case, as opposed to when another needs it.
    wanted: bool,
    cell: OnceCell<Result<Supplied, ImageError>>,
}

impl Siblings {
    /// Of requests, each with whether the run supplies it in any case.
    pub(super) fn new(requests: impl IntoIterator<Item = (ImageRequest, bool)>) -> Self {
        let built = requests
            .into_iter()
            .filter(|(request, _)| request.build.is_some());
        let images = built.filter_map(|(request, wanted)| {
            let reference = Reference::parse(&request.reference).ok()?;
            let sibling = Sibling {
                request,
                wanted,
                cell: OnceCell::new(),
            };
            Some((reference, sibling))
        });
        Self {
            images: images.collect(),
            waits: Mutex::default(),
        }
    }

    /// Notes that one waits for another.
    ///
    /// # Errors
    /// The other waits for it already: both would wait for ever.
    fn wait(&self, waiting: &Reference, awaited: &Reference) -> Result<(), ImageError> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let mut path = vec![awaited.clone()];
        if leads_to(&waits, awaited, waiting, &mut path) {
            let cycle = [waiting.clone()].into_iter().chain(path);
            return Err(ImageError::Cycle(cycle.map(|r| r.to_string()).collect()));
        }
        waits.entry(waiting.clone()).or_default().insert(awaited.clone());
        Ok(())
    }
}

/// Whether following the waits from the end of `path` leads to `goal`; `path` is the way then.
fn leads_to(
    waits: &BTreeMap<Reference, BTreeSet<Reference>>,
    from: &Reference,
    goal: &Reference,
    path: &mut Vec<Reference>,
) -> bool {
    if from == goal {
        return true;
    }
    for next in waits.get(from).into_iter().flatten() {
        path.push(next.clone());
        if leads_to(waits, next, goal, path) {
            return true;
        }
        path.pop();
    }
    false
}

impl Supply {
    /// With all images of the project, each with whether this run supplies it in any case. One that
    /// another is built from is built first, in the place of a pull.
    #[must_use]
    pub fn among(mut self, requests: impl IntoIterator<Item = (ImageRequest, bool)>) -> Self {
        self.siblings = Siblings::new(requests);
        self
    }

    /// Gets an image onto the engine, once a run.
    ///
    /// # Errors
    /// No source has it ([`ImageError::is_missing_image`]), or one that should have it failed.
    pub async fn supply(
        &self,
        request: &ImageRequest,
        progress: ProgressSink<'_>,
    ) -> Result<Supplied, ImageError> {
        let sibling = Reference::parse(&request.reference)
            .ok()
            .and_then(|reference| self.siblings.images.get(&reference));
        match sibling {
            None => self.obtain(request, progress).await,
            Some(sibling) => {
                let work = || self.obtain(request, progress);
                sibling.cell.get_or_init(work).await.clone()
            }
        }
    }

    /// The image as a base of another, where the project builds it and it is not to be taken as it is.
    pub(super) fn built_by_sibling<'a>(
        &'a self,
        image: &'a str,
        base: &'a str,
        report: Reporter<'a>,
    ) -> BoxFuture<'a, Result<Option<BaseImage>, ImageError>> {
        // A sibling's build is one like the one that asks.
        self.sibling(image, base, report).boxed()
    }

    async fn sibling(
        &self,
        image: &str,
        base: &str,
        report: Reporter<'_>,
    ) -> Result<Option<BaseImage>, ImageError> {
        let (Ok(own), Ok(reference)) = (Reference::parse(image), Reference::parse(base)) else {
            return Ok(None);
        };
        let Some(sibling) = self.siblings.images.get(&reference).filter(|_| own != reference) else {
            return Ok(None);
        };
        let name = reference.to_string();
        if !sibling.wanted
            && let Some(image) = self.engine.image(&name).await?
            && let Some(id) = image.id
        {
            return Ok(Some(BaseImage {
                reference: name,
                key: id.to_string(),
            }));
        }
        self.siblings.wait(&own, &reference)?;
        let mut request = sibling.request.clone();
        // Nobody asked for it by itself: whoever builds it means that one, not a registry's.
        request.build_wanted |= !sibling.wanted;
        let supplied = self.supply(&request, report.sink).await?;
        if !sibling.wanted {
            Reporter::new(&request.reference, report.sink).tell(Activity::BaseReady { line: supplied.line });
        }
        Ok(Some(BaseImage {
            reference: name,
            key: supplied.id.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_in_a_circle_is_refused_with_the_way() {
        let siblings = Siblings::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| Reference::parse(name).unwrap());
        siblings.wait(&a, &b).unwrap();
        siblings.wait(&b, &c).unwrap();
        siblings.wait(&a, &c).unwrap();
        let error = siblings.wait(&c, &a).unwrap_err();
        assert_eq!(
            error.to_string(),
            "base images need each other: c:latest → a:latest → b:latest → c:latest"
        );
    }
}
