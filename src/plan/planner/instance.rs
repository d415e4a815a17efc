//! What becomes of each container: kept, started, replaced or removed.

use serde_json::Value;

use super::{ImageState, Planner, Recreate, shares_with};
use crate::base::{ContainerId, ImageId, ServiceName};
use crate::model::compose::container_hash;
use crate::model::render::{comparable, container_name};
use crate::model::{Condition, Container, ContainerState, EngineHealth, RestartPolicy, Service, labels};
use crate::plan::differences;
use crate::plan::step::{Action, Cause, Instance, Kept, Lack, StepId, Target, Unavailable};

impl<'a> Planner<'a> {
    pub(super) fn plan_service(&mut self, name: &ServiceName, service: &'a Service) {
        if service.provider.is_some() {
            return;
        }
        let wanted = service.replicas();
        let existing: Vec<&Container> = self
            .observed
            .containers
            .iter()
            .filter(|c| !c.oneoff && c.service == *name)
            .collect();
        for container in existing.iter().filter(|c| c.number > wanted || c.number == 0) {
            self.stop_and_remove(container, Cause::ScaledDown { wanted }, Vec::new(), true);
        }
        let image = match self.images.get(name) {
            Some(ImageState::Present(id)) => id.clone(),
            Some(ImageState::Pending { how }) => {
                if !existing.is_empty() {
                    self.note(format!("{name}: its image comes first ({how}); it is replaced if that gives another image"), None);
                }
                ImageId::from("pending")
            }
            Some(ImageState::Unavailable { reason, lack }) => {
                let optional = service.ext.optional && *lack == Lack::Missing;
                return self.unavailable(name, optional, reason.clone(), lack.clone());
            }
            None => {
                return self.unavailable(name, false, "its image is not known".to_owned(), Lack::Other);
            }
        };
        let files = self.options.bound_files.get(name).map_or(&[][..], Vec::as_slice);
        let definition = comparable(self.project, service, files);
        for number in 1..=wanted {
            let mut candidates: Vec<&Container> =
                existing.iter().filter(|c| c.number == number).copied().collect();
            // The lasting name first, then the newest.
            let lasting = container_name(self.project, name, service, number);
            candidates.sort_by_key(|c| (c.name != lasting, std::cmp::Reverse(c.created)));
            let instance = Instance {
                service: name.clone(),
                number,
            };
            self.plan_instance(&instance, service, &definition, &image, &lasting, &candidates);
        }
    }

    pub(super) fn unavailable(&mut self, name: &ServiceName, optional: bool, reason: String, lack: Lack) {
        self.plan.unavailable.push(Unavailable {
            service: name.clone(),
            reason,
            optional,
            lack,
        });
    }

    pub(super) fn plan_instance(
        &mut self,
        instance: &Instance,
        service: &'a Service,
        definition: &Value,
        image: &ImageId,
        lasting: &str,
        candidates: &[&Container],
    ) {
        let on_replaced_network = service
            .networks
            .keys()
            .any(|key| self.replaced_networks.contains(key));
        if on_replaced_network {
            // Its containers were taken down with the network.
            let key = service
                .networks
                .keys()
                .find(|k| self.replaced_networks.contains(*k));
            let cause = Cause::NetworkReplaced(key.cloned().unwrap_or_default());
            self.create_and_start(instance, service, lasting.to_owned(), image, None, cause);
            return;
        }
        let usable = |c: &&&Container| !matches!(c.state, ContainerState::Dead | ContainerState::Removing);
        let fitting = candidates
            .iter()
            .filter(usable)
            .find(|c| {
                self.cause_to_replace(instance, service, definition, image, c)
                    .is_none()
            })
            .copied();
        let incumbent = candidates
            .iter()
            .filter(usable)
            .find(|c| fitting.is_none_or(|f| f.id != c.id))
            .copied();
        match (fitting, incumbent) {
            (Some(fit), None) => {
                self.drop_leftovers(candidates, &[&fit.id]);
                self.keep(instance, service, fit, lasting);
            }
            (Some(fit), Some(_)) if fit.name == lasting => {
                self.drop_leftovers(candidates, &[&fit.id]);
                self.keep(instance, service, fit, lasting);
            }
            (Some(fit), Some(old)) => {
                // An interrupted replacement: its successor was created; finish it.
                self.drop_leftovers(candidates, &[&fit.id, &old.id]);
                let target = Target::Existing(fit.id.clone());
                self.finish_replacement(
                    instance,
                    service,
                    target,
                    &fit.name,
                    lasting,
                    old,
                    Cause::LeftOver,
                    None,
                );
            }
            (None, Some(old)) => {
                self.drop_leftovers(candidates, &[&old.id]);
                let cause = self
                    .cause_to_replace(instance, service, definition, image, old)
                    .unwrap_or(Cause::LeftOver);
                self.replace(instance, service, definition, image, lasting, old, cause);
            }
            (None, None) => {
                let gone = self.drop_leftovers(candidates, &[]);
                let create =
                    self.create_and_start(instance, service, lasting.to_owned(), image, None, Cause::Missing);
                self.step_mut(create).after.extend(gone);
            }
        }
    }

    /// Why a container cannot stay; `None` where it is as wanted.
    pub(super) fn cause_to_replace(
        &self,
        _instance: &Instance,
        service: &Service,
        definition: &Value,
        image: &ImageId,
        container: &Container,
    ) -> Option<Cause> {
        match self.options.recreate {
            Recreate::Never => return None,
            Recreate::Always => return Some(Cause::Asked("--force-recreate")),
            Recreate::WithDependencies => {
                if let Some(dependency) = service.depends_on.keys().find(|d| self.replaced.contains(*d)) {
                    return Some(Cause::DependencyReplaced(dependency.clone()));
                }
            }
            Recreate::WhenChanged => {}
        }
        // What shares another container's namespaces or volumes refers to it by id.
        if let Some(shared) = shares_with(service).find(|d| self.replaced.contains(*d)) {
            return Some(Cause::DependencyReplaced(shared.clone()));
        }
        match container.labels.get(labels::SPEC) {
            Some(was) => {
                let was: Value = match serde_json::from_str(was) {
                    Ok(value) => value,
                    Err(_) => return Some(Cause::NotOurs),
                };
                let differences = differences(&was, &self.with_what_is_not_known(service, &was, definition));
                if !differences.is_empty() {
                    return Some(Cause::Differs(differences));
                }
            }
            // docker compose left a hash of the definition that it made the container from.
            None if self.lacks_answers(service) => {}
            None => {
                let hash = container.labels.get(labels::CONFIG_HASH);
                if hash.is_none_or(|hash| *hash != container_hash(service)) {
                    return Some(Cause::NotOurs);
                }
            }
        }
        if image.as_str() != "pending" && container.image != *image {
            return Some(Cause::ImageChanged {
                from: container.image.clone(),
                to: image.clone(),
            });
        }
        None
    }

    pub(super) fn keep(
        &mut self,
        instance: &Instance,
        service: &Service,
        container: &Container,
        lasting: &str,
    ) {
        let completed = matches!(container.state, ContainerState::Exited { code: 0, .. })
            && self.is_one_shot(&instance.service, service);
        let restarted = service
            .depends_on
            .iter()
            .find(|(name, dependency)| dependency.restart && self.replaced.contains(*name))
            .map(|(name, _)| name.clone());
        let mut after = Vec::new();
        if container.name != lasting {
            let action = Action::RenameContainer {
                instance: instance.clone(),
                target: Target::Existing(container.id.clone()),
                name: lasting.to_owned(),
            };
            after.push(self.push(action, Cause::LeftOver, Vec::new()));
        }
        let state = match (&container.state, restarted) {
            (ContainerState::Running | ContainerState::Restarting, Some(dependency))
                if !self.options.no_start =>
            {
                let action = self.stop_action(container);
                let stop = self.push(
                    action,
                    Cause::DependencyReplaced(dependency.clone()),
                    after.clone(),
                );
                let gates = self.gates(service);
                self.step_mut(stop).gates = gates;
                after = vec![stop];
                Some(Cause::DependencyReplaced(dependency))
            }
            (ContainerState::Running | ContainerState::Restarting, None) => None,
            (ContainerState::Paused, _) => {
                self.note(
                    format!("{instance} is paused and stays so"),
                    Some("`platform unpause` lets it go on"),
                );
                None
            }
            _ if completed || self.options.no_start => None,
            (ContainerState::Exited { code, oom_killed }, _) => Some(Cause::NotRunning {
                state: format!(
                    "exited {code}{}",
                    if *oom_killed { ", killed for memory" } else { "" }
                ),
            }),
            (other, _) => Some(Cause::NotRunning {
                state: other.as_str().to_owned(),
            }),
        };
        match state {
            Some(cause) => {
                let target = Target::Existing(container.id.clone());
                let id = self.start(instance, service, target, lasting, cause);
                self.step_mut(id).after.extend(after);
            }
            None => self.plan.kept.push(Kept {
                instance: instance.clone(),
                id: container.id.clone(),
                name: container.name.clone(),
                state: container.state.clone(),
                completed,
                healthy: container.health == Some(EngineHealth::Healthy),
            }),
        }
    }

    /// A one-shot says `restart: "no"` or is waited for to the end by another service.
    pub(super) fn is_one_shot(&self, name: &ServiceName, service: &Service) -> bool {
        matches!(service.restart, Some(RestartPolicy::No))
            || self.project.services.values().any(|other| {
                other
                    .depends_on
                    .get(name)
                    .is_some_and(|d| d.condition == Condition::ServiceCompletedSuccessfully)
            })
    }

    pub(super) fn drop_leftovers(
        &mut self,
        candidates: &[&Container],
        spare: &[&ContainerId],
    ) -> Vec<StepId> {
        candidates
            .iter()
            .filter(|c| !spare.contains(&&c.id))
            .map(|c| self.stop_and_remove(c, Cause::LeftOver, Vec::new(), false))
            .collect()
    }
}
