//! Networks and volumes: made once however often they are asked for, removed if there.

use std::time::Duration;

use bollard::query_parameters::{InspectNetworkOptions, RemoveVolumeOptions};
use hyper::Method;

use super::api::Result;
use super::convert::network;
use super::docker::{Docker, excused};
use super::raw::Call;
use super::{EngineError, EngineErrorKind};
use crate::base::NetworkId;
use crate::model::{NetworkFound, NetworkSpec, Project, VolumeSpec, labels};

/// How often a network is removed again that says it is in use while nobody uses it.
const REMOVE_TRIES: u32 = 4;

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
        let (made, error) = match self.http.fetch::<Created>(call, self.short()).await {
            Ok(created) => (Some(created.id), None),
            Err(error) if error.is_engine_lost() || matches!(error.kind, EngineErrorKind::Conflict(_)) => {
                (None, Some(error))
            }
            Err(error) => return Err(error),
        };
        // Engines before API 1.44 let two creators make two networks of one name, and an answer may
        // have been lost: look, and let all creators agree on the same one.
        let ours = self
            .networks(|n| {
                n.name == spec.name
                    && n.labels.get(labels::PROJECT).map(String::as_str) == Some(project.name.as_str())
                    && n.labels.get(labels::NETWORK).map(String::as_str) == Some(key)
            })
            .await;
        match (made, ours) {
            (Some(id), Err(_)) => Ok(NetworkId::from(id)),
            (None, Err(later)) => Err(error.unwrap_or(later)),
            (made, Ok(ours)) => {
                let keep = lowest_id(&ours).or_else(|| made.clone().map(NetworkId::from));
                if let (Some(made), Some(keep)) = (&made, &keep)
                    && made != keep.as_str()
                {
                    // Ours came second; nobody can have joined it yet.
                    let _ = self.delete_network(&NetworkId::from(made.as_str())).await;
                }
                keep.ok_or_else(|| {
                    error.unwrap_or_else(|| {
                        EngineError::new(operation, EngineErrorKind::Protocol("no id was returned".into()))
                    })
                })
            }
        }
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

/// The one that all who look choose: ids are random, so that the lowest is as good as any.
fn lowest_id(networks: &[NetworkFound]) -> Option<NetworkId> {
    networks.iter().map(|n| n.id.clone()).min()
}
