//! Named contexts of a build (`additional_contexts`).
//!
//! An engine's build call has no word for them, so they are put into what it has: an image takes
//! the name's place in the Dockerfile, and a folder becomes a stage of the Dockerfile, copied from a
//! corner of the context. Both builders understand that, also those of engines from before named
//! contexts.

use std::path::{Path, PathBuf};

use super::ImageError;
use super::context::{Context, Folder};
use super::dockerfile::Rewrite;
use super::reference::Reference;
use crate::model::Build;

/// What begins the place of a context that is an image.
pub(super) const IMAGE: &str = "docker-image://";

/// What begins the place of a context that is another service's image.
pub(super) const SERVICE: &str = "service:";

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An image.
    Image(String),
    /// A folder.
    Folder(PathBuf),
}

/// The named contexts of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NamedContexts(Vec<(String, Place)>);

/// What a Dockerfile needs beside its own context.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Images, each as named and as meant.
    pub(super) images: Vec<(String, String)>,
    /// Folders that go into the build context.
    pub(super) folders: Vec<Folder>,
}

impl NamedContexts {
    /// Reads a build's.
    ///
    /// # Errors
    /// In words, a place that nothing can be had from.
    pub(super) fn of(build: &Build) -> Result<Self, String> {
        let contexts = build.additional_contexts.iter();
        contexts
            .map(|(name, place)| Ok((name.clone(), Self::place(name, place)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn place(name: &str, place: &str) -> Result<Place, String> {
        if let Some(image) = place.strip_prefix(IMAGE) {
            return Ok(Place::Image(image.to_owned()));
        }
        if let Some(service) = place.strip_prefix(SERVICE) {
            return Err(format!(
                "the context `{name}` is `{place}`, and no active service is called `{service}`"
            ));
        }
        if Path::new(place).is_absolute() {
            return Ok(Place::Folder(PathBuf::from(place)));
        }
        Err(format!(
            "the context `{name}` is `{place}`; expected a folder, `service:NAME` or `docker-image://REFERENCE`. \
             Clone or download it and name the folder"
        ))
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// What a word of a Dockerfile stands for, if for a context. As the builder compares them: an
    /// image's name means the same with and without `:latest`.
    fn find(&self, word: &str) -> Option<(usize, &Place)> {
        let same = |name: &str| {
            name == word
                || matches!(
                    (Reference::parse(name), Reference::parse(word)),
                    (Ok(name), Ok(word)) if name == word
                )
        };
        let index = self.0.iter().position(|(name, _)| same(name))?;
        self.0.get(index).map(|(_, place)| (index, place))
    }

    /// Sorts what a Dockerfile names as images: folders become stages in `change` and parts of the build context.
    ///
    /// # Errors
    /// An ignore file that cannot be read.
    pub(super) fn apply(&self, words: Vec<String>, change: &mut Rewrite) -> Result<Needs, ImageError> {
        let Needs {
            mut images,
            mut folders,
        } = Needs::default();
        for word in words {
            match self.find(&word) {
                None => images.push((word.clone(), word)),
                Some((_, Place::Image(image))) => images.push((word, image.clone())),
                Some((index, Place::Folder(root))) => {
                    let root = root
                        .canonicalize()
                        .map_err(|e| ImageError::io("reading the build context", root, e))?;
                    let stage = format!("platform.context.{index}");
                    let name = format!(".platform.context.{index}");
                    if !folders.iter().any(|folder: &Folder| folder.name == name) {
                        change.folders.push((stage.clone(), name.clone()));
                        folders.push(Folder {
                            name,
                            ignore: Context::ignore_for(&root, None)?,
                            root,
                        });
                    }
                    change.images.insert(word, stage);
                }
            }
        }
        Ok(Needs { images, folders })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_and_names_are_compared_as_images() {
        let build = |pairs: &[(&str, &str)]| Build {
            additional_contexts: pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            ..Build::default()
        };
        let contexts = NamedContexts::of(&build(&[
            ("alpine", "docker-image://busybox:1"),
            ("Files", "/srv/files"),
        ]))
        .unwrap();
        let image = Place::Image("busybox:1".to_owned());
        assert_eq!(contexts.find("alpine:latest"), Some((0, &image)));
        assert_eq!(contexts.find("docker.io/library/alpine"), Some((0, &image)));
        assert_eq!(contexts.find("alpine:3"), None);
        assert_eq!(contexts.find("Files").map(|(index, _)| index), Some(1));
        for (place, expected) in [
            ("service:gone", "no active service is called `gone`"),
            ("https://example.com/x.git", "Clone or download it"),
        ] {
            let error = NamedContexts::of(&build(&[("x", place)])).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
