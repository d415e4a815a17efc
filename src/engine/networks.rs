//! Networks and volumes: made once however often they are asked for, removed if there.

use std::time::Duration;

use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptions, RemoveVolumeOptions};
use hyper::Method;

use super::EngineErrorKind;
use super::api::Result;
use super::convert::network;
use super::docker::{Docker, excused};
use super::raw::Call;
use crate::base::NetworkId;
use crate::model::{NetworkSpec, Project, VolumeSpec, labels};

/// How often a network is removed again that says it is in use while nobody uses it.
const REMOVE_TRIES: u32 = 4;
/// How long another creator of the same network has to see ours and give way.
const GIVE_WAY: Duration = Duration::from_millis(300);

#[derive(serde::Deserialize)]
struct Created {
    #[serde(rename = "Id", alias = "ID")]
    id: String,
}

impl Docker {
    /// Makes a network, or finds the one that is there already with our labels.
    pub(super) async fn make_network(
        &self,
        project: &Project,
        key: &str,
        spec: &NetworkSpec,
        run: &str,
    ) -> Result<NetworkId> {
        let operation = format!("create network {}", spec.name);
        let call = Call::new(&operation, Method::POST, "/networks/create")
            .json(&network::create_network(project, key, spec, run));
        let made = match self.http.fetch::<Created>(call, self.short()).await {
            Ok(created) => Ok(created.id),
            Err(error) if error.is_engine_lost() || matches!(error.kind, EngineErrorKind::Conflict(_)) => {
                Err(error)
            }
            Err(error) => return Err(error),
        };
        // Engines before API 1.44 let two creators make two networks of one name, and an answer may
        // have been lost: look, and let all creators agree on the same one.
        let ours = match (self.same_networks(project, key, spec).await, &made) {
            (Ok(ours), _) => ours,
            (Err(_), Ok(id)) => return Ok(NetworkId::from(id.as_str())),
            (Err(later), Err(_)) => return Err(made.err().unwrap_or(later)),
        };
        let Some(oldest) = ours.first() else {
            return made.map(NetworkId::from);
        };
        let Ok(made) = made else {
            return Ok(oldest.clone());
        };
        if ours.len() == 1 && made == oldest.as_str() {
            return Ok(oldest.clone());
        }
        if made == oldest.as_str() {
            // The other creator gives way when it sees ours. If it does not, it looked before ours was to
            // be seen, and uses its own already.
            tokio::time::sleep(GIVE_WAY).await;
            let left = self.same_networks(project, key, spec).await?;
            match left.into_iter().find(|id| id.as_str() != made) {
                None => return Ok(NetworkId::from(made)),
                Some(other) => {
                    let _ = self.delete_network(&NetworkId::from(made)).await;
                    return Ok(other);
                }
            }
        }
        let _ = self.delete_network(&NetworkId::from(made)).await;
        Ok(oldest.clone())
    }

    /// The networks that are the wanted one, the oldest first.
    async fn same_networks(
        &self,
        project: &Project,
        key: &str,
        spec: &NetworkSpec,
    ) -> Result<Vec<NetworkId>> {
        let list = self
            .ask(
                "list networks",
                self.client.list_networks(None::<ListNetworksOptions>),
            )
            .await?;
        let mut same: Vec<_> = list
            .into_iter()
            .filter(|n| {
                let label = |key| n.labels.as_ref().and_then(|l| l.get(key)).map(String::as_str);
                n.name.as_deref() == Some(spec.name.as_str())
                    && label(labels::PROJECT) == Some(project.name.as_str())
                    && label(labels::NETWORK) == Some(key)
            })
            .filter_map(|n| Some((n.created, NetworkId::from(n.id?))))
            .collect();
        same.sort();
        Ok(same.into_iter().map(|(_, id)| id).collect())
    }

    /// Removes a network. One that nobody is attached to any more may still say it is in use for
    /// a moment after its last container stopped.
    pub(super) async fn delete_network(&self, id: &NetworkId) -> Result<()> {
        let operation = format!("remove network {}", id.short());
        let mut tries = 0;
        loop {
            tries += 1;
            let removed = self
                .ask(&operation, self.client.remove_network(id.as_str()))
                .await;
            let busy = matches!(&removed, Err(e) if matches!(e.kind, EngineErrorKind::Conflict(_)));
            if !busy || tries >= REMOVE_TRIES || !self.members(id).await.is_ok_and(|m| m.is_empty()) {
                return excused(removed, |kind| matches!(kind, EngineErrorKind::NotFound(_)));
            }
            tokio::time::sleep(Duration::from_millis(50) * tries).await;
        }
    }

    /// Names of the containers on a network.
    pub(super) async fn members(&self, id: &NetworkId) -> Result<Vec<String>> {
        let network = self
            .ask(
                &format!("inspect network {}", id.short()),
                self.client
                    .inspect_network(id.as_str(), None::<InspectNetworkOptions>),
            )
            .await?;
        let mut names: Vec<String> = network
            .containers
            .unwrap_or_default()
            .into_values()
            .filter_map(|c| c.name)
            .collect();
        names.sort();
        Ok(names)
    }

    /// Makes a volume; the engine itself returns the one that is there.
    pub(super) async fn make_volume(
        &self,
        project: &Project,
        key: &str,
        spec: &VolumeSpec,
        run: &str,
    ) -> Result<()> {
        let call = Call::new(
            format!("create volume {}", spec.name),
            Method::POST,
            "/volumes/create",
        )
        .json(&network::create_volume(project, key, spec, run));
        self.http.read(call, self.short()).await.map(drop)
    }

    /// Removes a volume.
    pub(super) async fn delete_volume(&self, name: &str) -> Result<()> {
        let removed = self
            .ask(
                &format!("remove volume {name}"),
                self.client.remove_volume(name, None::<RemoveVolumeOptions>),
            )
            .await;
        excused(removed, |kind| matches!(kind, EngineErrorKind::NotFound(_)))
    }
}
