//! Networks and volumes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Planner;
use crate::base::ServiceName;
use crate::model::{Container, labels};
use crate::plan::step::{Action, Cause, Refusal};
use crate::plan::{Difference, differences};

impl Planner<'_> {
    pub(super) fn plan_networks(&mut self, services: &[ServiceName]) {
        // What no service uses is in the project only where somebody asked for it.
        let all = self.options.services.is_empty();
        let used: BTreeSet<&str> = services
            .iter()
            .filter_map(|name| self.project.services.get(name))
            .flat_map(|s| s.networks.keys().map(String::as_str))
            .collect();
        for (key, spec) in &self.project.networks {
            if !all && !used.contains(key.as_str()) {
                continue;
            }
            let mut named: Vec<_> = self
                .observed
                .networks
                .iter()
                .filter(|n| n.name == spec.name)
                .collect();
            named.sort_by(|a, b| a.id.cmp(&b.id));
            if spec.external {
                match named.first() {
                    Some(found) => {
                        self.plan
                            .networks
                            .push((key.clone(), spec.name.clone(), found.id.clone()));
                    }
                    None => self.plan.refusals.push(Refusal {
                        text: format!("the external network {} does not exist", spec.name),
                        hint: format!("create it: docker network create {}", spec.name),
                    }),
                }
                continue;
            }
            let ours: Vec<_> = named
                .iter()
                .filter(|n| {
                    n.labels
                        .get(labels::PROJECT)
                        .is_some_and(|p| p == self.project.name.as_str())
                })
                .copied()
                .collect();
            if let Some(found) = ours.first() {
                if ours.len() > 1 {
                    self.note(
                        format!(
                            "{} networks are named {}; {} is used",
                            ours.len(),
                            spec.name,
                            found.id.short()
                        ),
                        Some("an earlier run of another program made them; down removes them all"),
                    );
                }
                let wanted = serde_json::to_value(spec).unwrap_or(Value::Null);
                let was = found
                    .labels
                    .get(labels::SPEC)
                    .and_then(|text| serde_json::from_str(text).ok());
                match was.map(|was: Value| differences(&was, &wanted)) {
                    Some(differences) if !differences.is_empty() => {
                        self.replace_network(key, &spec.name, found.id.clone(), differences);
                    }
                    _ => self
                        .plan
                        .networks
                        .push((key.clone(), spec.name.clone(), found.id.clone())),
                }
            } else if let Some(foreign) = named.first() {
                self.plan.refusals.push(Refusal {
                    text: format!(
                        "a network named {} exists ({}) that does not belong to this project",
                        spec.name,
                        foreign.id.short()
                    ),
                    hint: format!(
                        "to use it, say `external: true` under networks.{key}; otherwise remove it or choose another project name with -p"
                    ),
                });
            } else {
                let action = Action::CreateNetwork {
                    key: key.clone(),
                    name: spec.name.clone(),
                };
                let id = self.push(action, Cause::Missing, Vec::new());
                self.networks.insert(key.clone(), id);
            }
        }
    }

    /// A network cannot be changed: what is on it goes first, then it, and then both come anew.
    pub(super) fn replace_network(
        &mut self,
        key: &str,
        name: &str,
        id: crate::base::NetworkId,
        differences: Vec<Difference>,
    ) {
        let mut gone = Vec::new();
        let attached: Vec<&Container> = self
            .observed
            .containers
            .iter()
            .filter(|c| !c.oneoff && c.addresses.values().any(|a| a.network == id))
            .collect();
        for container in attached {
            let cause = Cause::NetworkReplaced(name.to_owned());
            gone.push(self.stop_and_remove(container, cause, Vec::new(), false));
        }
        self.replaced_networks.insert(key.to_owned());
        let removed = self.push(
            Action::RemoveNetwork {
                id,
                name: name.to_owned(),
            },
            Cause::Differs(differences.clone()),
            gone,
        );
        let created = self.push(
            Action::CreateNetwork {
                key: key.to_owned(),
                name: name.to_owned(),
            },
            Cause::Differs(differences),
            vec![removed],
        );
        self.networks.insert(key.to_owned(), created);
    }

    pub(super) fn plan_volumes(&mut self, services: &[ServiceName]) {
        // What no service uses is in the project only where somebody asked for it.
        let all = self.options.services.is_empty();
        let used: BTreeSet<&str> = services
            .iter()
            .filter_map(|name| self.project.services.get(name))
            .flat_map(|s| &s.volumes)
            .filter_map(|mount| match &mount.kind {
                crate::model::MountKind::Volume {
                    source: Some(key), ..
                } => Some(key.as_str()),
                _ => None,
            })
            .collect();
        for (key, spec) in &self.project.volumes {
            if !all && !used.contains(key.as_str()) {
                continue;
            }
            match (
                self.observed.volumes.iter().find(|v| v.name == spec.name),
                spec.external,
            ) {
                (Some(found), false) => {
                    let ours = found
                        .labels
                        .get(labels::PROJECT)
                        .is_some_and(|p| p == self.project.name.as_str());
                    if !ours {
                        self.note(
                            format!("the volume {} exists and was not made by this project; it is used as it is and `down -v` leaves it alone", spec.name),
                            Some("say `external: true` for it to show that this is meant"),
                        );
                    }
                }
                (Some(_), true) => {}
                (None, true) => self.plan.refusals.push(Refusal {
                    text: format!("the external volume {} does not exist", spec.name),
                    hint: format!("create it: docker volume create {}", spec.name),
                }),
                (None, false) => {
                    let action = Action::CreateVolume {
                        key: key.clone(),
                        name: spec.name.clone(),
                    };
                    let id = self.push(action, Cause::Missing, Vec::new());
                    self.volumes.insert(key.clone(), id);
                }
            }
        }
    }
}
