//! What is there: containers, networks, volumes and images of a project, asked for at once.

use std::collections::{BTreeMap, HashMap};

use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
};
use futures_util::future::try_join_all;

use super::api::Result;
use super::convert::found;
use super::docker::Docker;
use super::{EngineError, Wanted};
use crate::base::ContainerId;
use crate::engine::Inspected;
use crate::model::{Container, Image, NetworkFound, Observed, VolumeFound, labels};

impl Docker {
    /// Everything of a project, in one call a kind and one a wanted image, all at once.
    pub(super) async fn observe_project(&self, wanted: &Wanted) -> Result<Observed> {
        let project = wanted.project.as_ref().map(|p| p.as_str());
        let images = async {
            let found = try_join_all(wanted.images.iter().map(|reference| async move {
                let image = self.inspect_image(reference).await?;
                Ok::<_, EngineError>(image.map(|image| (reference.clone(), image)))
            }))
            .await?;
            Ok(found.into_iter().flatten().collect::<BTreeMap<String, Image>>())
        };
        let (containers, foreign_names, networks, volumes, images) = futures_util::try_join!(
            self.containers_of(project),
            self.holders_of(&wanted.container_names, project),
            self.networks(|n| belongs(&n.labels, project) || wanted.networks.contains(&n.name)),
            self.volumes(|v| belongs(&v.labels, project) || wanted.volumes.contains(&v.name)),
            images,
        )?;
        Ok(Observed {
            containers,
            networks,
            volumes,
            images,
            foreign_names,
        })
    }

    /// The containers of one project, or of all where `None`.
    pub(super) async fn containers_of(&self, project: Option<&str>) -> Result<Vec<Container>> {
        let label = match project {
            Some(project) => format!("{}={project}", labels::PROJECT),
            None => labels::PROJECT.to_owned(),
        };
        self.list("list containers", &HashMap::from([("label", vec![label])]))
            .await
    }

    /// Every container that the engine has.
    pub(super) async fn all_containers(&self) -> Result<Vec<Container>> {
        self.list("list all containers", &HashMap::new()).await
    }

    async fn list(&self, operation: &str, filters: &HashMap<&str, Vec<String>>) -> Result<Vec<Container>> {
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(filters)
            .build();
        let list = self
            .ask(operation, self.client.list_containers(Some(options)))
            .await?;
        let mut list: Vec<Container> = list.into_iter().map(found::container).collect();
        list.sort_by(|a, b| {
            (a.service.as_str(), a.number, &a.name).cmp(&(b.service.as_str(), b.number, &b.name))
        });
        Ok(list)
    }

    /// Containers of other projects, or of none, that hold one of `names`.
    async fn holders_of(
        &self,
        names: &[String],
        project: Option<&str>,
    ) -> Result<BTreeMap<String, ContainerId>> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        // The filter is a regular expression; names consist of `[a-zA-Z0-9_.-]`.
        let exact = names
            .iter()
            .map(|name| format!("^/?{}$", name.replace('.', "\\.")))
            .collect();
        let holders = self
            .list("look for containers by name", &HashMap::from([("name", exact)]))
            .await?;
        Ok(holders
            .into_iter()
            .filter(|c| names.contains(&c.name) && !belongs(&c.labels, project))
            .map(|c| (c.name, c.id))
            .collect())
    }

    /// The one container of exactly this name.
    pub(super) async fn by_name(&self, name: &str) -> Result<Option<Container>> {
        let exact = vec![format!("^/?{}$", name.replace('.', "\\."))];
        let found = self
            .list("look for a container by name", &HashMap::from([("name", exact)]))
            .await?;
        Ok(found.into_iter().find(|c| c.name == name))
    }

    /// The networks that `keep` keeps.
    pub(super) async fn networks(&self, keep: impl Fn(&NetworkFound) -> bool) -> Result<Vec<NetworkFound>> {
        let list = self
            .ask(
                "list networks",
                self.client.list_networks(None::<ListNetworksOptions>),
            )
            .await?;
        let mut list: Vec<NetworkFound> = list.into_iter().map(found::network).filter(keep).collect();
        list.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
        Ok(list)
    }

    pub(super) async fn volumes(&self, keep: impl Fn(&VolumeFound) -> bool) -> Result<Vec<VolumeFound>> {
        let list = self
            .ask(
                "list volumes",
                self.client.list_volumes(None::<ListVolumesOptions>),
            )
            .await?;
        let mut list: Vec<VolumeFound> = list
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(found::volume)
            .filter(keep)
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// One container in full.
    pub(super) async fn inspect_one(&self, id: &ContainerId) -> Result<Inspected> {
        let answer = self
            .ask(
                &format!("inspect container {}", id.short()),
                self.client
                    .inspect_container(id.as_str(), None::<InspectContainerOptions>),
            )
            .await?;
        Ok(found::inspected(answer))
    }
}

/// Whether labels are those of a project.
pub(super) fn belongs(labels: &BTreeMap<String, String>, project: Option<&str>) -> bool {
    match (labels.get(labels::PROJECT), project) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => false,
    }
}
