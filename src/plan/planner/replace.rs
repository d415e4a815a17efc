//! The steps that create, start, replace and remove containers.

use serde_json::Value;

use super::{DEFAULT_GRACE, Planner, shares_with};
use crate::base::{ContainerId, ImageId};
use crate::model::render::hash;
use crate::model::{Container, ContainerState, Service};
use crate::plan::step::{Action, Cause, Gate, Instance, StepId, Target, Undo};

impl Planner<'_> {
    pub(super) fn gates(&self, service: &Service) -> Vec<Gate> {
        if self.options.no_deps {
            return Vec::new();
        }
        service
            .depends_on
            .iter()
            .filter(|(name, _)| self.project.services.contains_key(*name))
            .map(|(name, dependency)| Gate::Dependency {
                service: name.clone(),
                condition: dependency.condition,
                required: dependency.required,
            })
            .collect()
    }

    /// The steps that must come before a service's container can be created.
    pub(super) fn before_create(&self, service: &Service) -> Vec<StepId> {
        let mut after: Vec<StepId> = service
            .networks
            .keys()
            .filter_map(|key| self.networks.get(key).copied())
            .collect();
        for mount in &service.volumes {
            if let crate::model::MountKind::Volume {
                source: Some(key), ..
            } = &mount.kind
            {
                after.extend(self.volumes.get(key).copied());
            }
        }
        for shared in shares_with(service) {
            after.extend(self.created.get(shared).into_iter().flatten().copied());
        }
        after
    }

    pub(super) fn create(
        &mut self,
        instance: &Instance,
        service: &Service,
        name: String,
        image: &ImageId,
        inherits: Option<ContainerId>,
        cause: Cause,
    ) -> StepId {
        let after = self.before_create(service);
        let action = Action::CreateContainer {
            instance: instance.clone(),
            name,
            image: image.clone(),
            inherits: inherits.filter(|_| !self.options.renew_anon_volumes),
        };
        let id = self.push(action, cause, after);
        self.created.entry(instance.service.clone()).or_default().push(id);
        self.replaced.insert(instance.service.clone());
        id
    }

    pub(super) fn start(
        &mut self,
        instance: &Instance,
        service: &Service,
        target: Target,
        name: &str,
        cause: Cause,
    ) -> StepId {
        let after = match &target {
            Target::CreatedBy(step) => vec![*step],
            Target::Existing(_) => Vec::new(),
        };
        let action = Action::StartContainer {
            instance: instance.clone(),
            target,
            name: name.to_owned(),
        };
        let id = self.push(action, cause, after);
        let gates = self.gates(service);
        self.step_mut(id).gates = gates;
        id
    }

    /// Returns the creating step.
    pub(super) fn create_and_start(
        &mut self,
        instance: &Instance,
        service: &Service,
        name: String,
        image: &ImageId,
        inherits: Option<ContainerId>,
        cause: Cause,
    ) -> StepId {
        let create = self.create(instance, service, name.clone(), image, inherits, cause.clone());
        if !self.options.no_start {
            self.start(instance, service, Target::CreatedBy(create), &name, cause);
        }
        create
    }

    #[expect(clippy::too_many_arguments, reason = "one caller; the parts of a replacement")]
    pub(super) fn replace(
        &mut self,
        instance: &Instance,
        service: &Service,
        definition: &Value,
        image: &ImageId,
        lasting: &str,
        old: &Container,
        cause: Cause,
    ) {
        let running = matches!(
            old.state,
            ContainerState::Running | ContainerState::Restarting | ContainerState::Paused
        );
        if !running {
            // Nothing runs that could be kept: the name is free once the old one is gone, and
            // its anonymous volumes are taken over before that.
            let temporary = temporary_name(definition, lasting);
            let create = self.create(
                instance,
                service,
                temporary,
                image,
                Some(old.id.clone()),
                cause.clone(),
            );
            let remove = self.remove(old, Cause::Replaced, vec![create], false);
            let rename = self.rename(instance, Target::CreatedBy(create), lasting, vec![remove]);
            if !self.options.no_start {
                let start = self.start(instance, service, Target::CreatedBy(create), lasting, cause);
                self.step_mut(start).after.push(rename);
            }
            return;
        }
        let temporary = temporary_name(definition, lasting);
        let create = self.create(
            instance,
            service,
            temporary.clone(),
            image,
            Some(old.id.clone()),
            cause.clone(),
        );
        let target = Target::CreatedBy(create);
        self.finish_replacement(
            instance,
            service,
            target,
            &temporary,
            lasting,
            old,
            cause,
            Some(create),
        );
    }

    /// Old stops only once its successor could start; it goes only once its successor is proven.
    #[expect(clippy::too_many_arguments, reason = "the parts of a replacement")]
    pub(super) fn finish_replacement(
        &mut self,
        instance: &Instance,
        service: &Service,
        target: Target,
        temporary: &str,
        lasting: &str,
        old: &Container,
        cause: Cause,
        create: Option<StepId>,
    ) {
        self.replaced.insert(instance.service.clone());
        let action = self.stop_action(old);
        let stop = self.push(action, Cause::Replaced, create.into_iter().collect());
        // Where nothing is started, nothing is waited for: its dependencies may not run at all.
        if !self.options.no_start {
            let gates = self.gates(service);
            self.step_mut(stop).gates = gates;
        }
        let last = if self.options.no_start {
            stop
        } else {
            let start = self.start(instance, service, target.clone(), temporary, cause);
            let step = self.step_mut(start);
            step.after.push(stop);
            step.gates.clear();
            step.undo = Some(Undo::PutBack {
                id: old.id.clone(),
                name: old.name.clone(),
            });
            start
        };
        let remove = self.remove(old, Cause::Replaced, vec![last], false);
        if !self.options.no_start {
            self.step_mut(remove).gates = vec![Gate::Proven(instance.clone())];
        }
        self.rename(instance, target, lasting, vec![remove]);
    }

    pub(super) fn rename(
        &mut self,
        instance: &Instance,
        target: Target,
        name: &str,
        after: Vec<StepId>,
    ) -> StepId {
        let action = Action::RenameContainer {
            instance: instance.clone(),
            target,
            name: name.to_owned(),
        };
        self.push(action, Cause::Replaced, after)
    }

    pub(super) fn remove(
        &mut self,
        container: &Container,
        cause: Cause,
        after: Vec<StepId>,
        volumes: bool,
    ) -> StepId {
        let action = Action::RemoveContainer {
            id: container.id.clone(),
            name: container.name.clone(),
            service: container.service.clone(),
            volumes,
        };
        self.push(action, cause, after)
    }

    pub(super) fn stop_action(&self, container: &Container) -> Action {
        let service = self.project.services.get(&container.service);
        Action::StopContainer {
            id: container.id.clone(),
            name: container.name.clone(),
            service: container.service.clone(),
            signal: service.and_then(|s| s.stop_signal.clone()),
            grace: self
                .options
                .grace
                .or(service.and_then(|s| s.stop_grace_period))
                .unwrap_or(DEFAULT_GRACE),
        }
    }

    pub(super) fn stop_and_remove(
        &mut self,
        container: &Container,
        cause: Cause,
        after: Vec<StepId>,
        volumes: bool,
    ) -> StepId {
        let after = match container.state {
            ContainerState::Running | ContainerState::Restarting | ContainerState::Paused => {
                let action = self.stop_action(container);
                vec![self.push(action, cause.clone(), after)]
            }
            _ => after,
        };
        self.remove(container, cause, after, volumes)
    }
}

/// The name of a successor before it takes its predecessor's: the same on every try, so that
/// one whose creation was not answered is found again.
fn temporary_name(definition: &Value, lasting: &str) -> String {
    format!("{}_{lasting}", hash(definition).get(..12).unwrap_or_default())
}
