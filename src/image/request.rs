//! Which images a project wants, and how each may be had.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::named::{IMAGE, SERVICE};
use crate::model::{Build, FileSource, Image, Project, PullPolicy};

/// An image that is wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageRequest {
    /// Its reference.
    pub reference: String,
    /// Whether the stack names it (`image:`). One that is only built is never pulled.
    pub named: bool,
    /// `os/arch[/variant]`.
    pub platform: Option<String>,
    /// When to pull, where the stack or the command line says.
    pub pull_policy: Option<PullPolicy>,
    /// How to build it.
    pub build: Option<Build>,
    /// Whether to build it even though it is there (`--build`).
    pub build_wanted: bool,
    /// Recipe folder for each base image (`x-platform.base_images`).
    pub base_images: IndexMap<String, PathBuf>,
    /// The project's secrets by key, for `build.secrets`.
    pub secrets: IndexMap<String, FileSource>,
    /// What the engine has, where the caller has looked already.
    pub known: Known,
}

/// What the caller knows of the engine's copy of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Known {
    /// Nothing: it is looked up.
    #[default]
    NotAsked,
    /// The engine does not have it.
    Absent,
    /// The engine has this.
    Present(Box<Image>),
}

impl Known {
    /// Of a look-up's answer.
    pub fn of(found: Option<&Image>) -> Self {
        found.map_or(Self::Absent, |image| Self::Present(Box::new(image.clone())))
    }
}

/// What the command line changes about images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// `--pull`: the policy for all images in the place of the stack's.
    pub pull: Option<PullPolicy>,
    /// `--build`.
    pub build: bool,
    /// `--no-build`.
    pub no_build: bool,
    /// What builds through buildx are asked beside the stack.
    pub buildx: BuildxOptions,
}

/// What the command line asks of buildx.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildxOptions {
    /// `--builder`.
    pub builder: Option<String>,
    /// `--provenance`, a boolean or parameters.
    pub provenance: Option<String>,
    /// `--sbom`, a boolean or parameters.
    pub sbom: Option<String>,
    /// `--push`.
    pub push: bool,
}

impl ImageRequest {
    /// The images of a project's active services, each once: a service that can build an image
    /// supplies it to the others that name the same one.
    pub fn of_project(project: &Project, options: &RequestOptions) -> Vec<Self> {
        let mut requests: IndexMap<String, Self> = IndexMap::new();
        for (name, service) in &project.services {
            if service.provider.is_some() {
                continue;
            }
            let reference = service.image_reference(project.name.as_str(), name.as_str());
            let request = requests.entry(reference.clone()).or_insert_with(|| Self {
                reference,
                base_images: project.ext.base_images.clone(),
                secrets: project
                    .secrets
                    .iter()
                    .map(|(key, file)| (key.clone(), file.source.clone()))
                    .collect(),
                ..Self::default()
            });
            request.named |= service.image.is_some();
            if request.platform.is_none() {
                request.platform.clone_from(&service.platform);
            }
            if request.pull_policy.is_none() {
                request.pull_policy = options.pull.clone().or_else(|| service.pull_policy.clone());
            }
            if request.build.is_none() && !options.no_build {
                request.build = service.build.as_ref().map(|build| with_images(project, build));
            }
            request.build_wanted |= options.build && request.build.is_some();
        }
        requests.into_values().collect()
    }
}

/// A build with its contexts `service:NAME` as the images of those services.
fn with_images(project: &Project, build: &Build) -> Build {
    let mut build = build.clone();
    for place in build.additional_contexts.values_mut() {
        let found = place
            .strip_prefix(SERVICE)
            .and_then(|name| project.services.get_key_value(name));
        if let Some((name, service)) = found {
            let image = service.image_reference(project.name.as_str(), name.as_str());
            *place = format!("{IMAGE}{image}");
        }
    }
    build
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, StackExt};

    #[test]
    fn the_images_of_a_project_are_asked_for_once_each() {
        let build = Build {
            context: "/app".to_owned(),
            ..Build::default()
        };
        let service = |image: Option<&str>, build: Option<&Build>| Service {
            image: image.map(str::to_owned),
            build: build.cloned(),
            ..Service::default()
        };
        let project = Project {
            name: "p".into(),
            working_dir: PathBuf::from("/"),
            files: Vec::new(),
            env_files: Vec::new(),
            services: IndexMap::from([
                ("a".into(), service(Some("x:1"), None)),
                ("b".into(), service(Some("x:1"), Some(&build))),
                ("c".into(), service(None, Some(&build))),
            ]),
            disabled: Vec::new(),
            networks: IndexMap::new(),
            volumes: IndexMap::new(),
            secrets: IndexMap::new(),
            configs: IndexMap::new(),
            ext: StackExt::default(),
            extensions: Default::default(),
            nested_extensions: Vec::new(),
            models: Default::default(),
            places: Default::default(),
        };
        let of = |options| -> Vec<String> {
            ImageRequest::of_project(&project, &options)
                .iter()
                .map(|r| {
                    format!(
                        "{} named={} build={} wanted={}",
                        r.reference,
                        r.named,
                        r.build.is_some(),
                        r.build_wanted
                    )
                })
                .collect()
        };
        assert_eq!(
            of(RequestOptions {
                build: true,
                ..RequestOptions::default()
            }),
            [
                "x:1 named=true build=true wanted=true",
                "p-c named=false build=true wanted=true"
            ]
        );
        assert_eq!(
            of(RequestOptions {
                no_build: true,
                ..RequestOptions::default()
            }),
            [
                "x:1 named=true build=false wanted=false",
                "p-c named=false build=false wanted=false"
            ]
        );
    }
}
