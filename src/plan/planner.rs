//! The plan of `up`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::compare::differences;
use super::step::{
    Action, Cause, Gate, Instance, Kept, Note, Plan, Refusal, Step, StepId, Target, Unavailable, Undo,
};
use crate::base::{ContainerId, ImageId, ServiceName};
use crate::model::render::{comparable, container_name, hash};
use crate::model::{
    Condition, Container, ContainerState, EngineHealth, NetworkMode, Observed, Project, RestartPolicy,
    Service, labels,
};

/// The grace period of a stop where the service does not say (Compose Specification, `stop_grace_period`).
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What `up` was asked for.
#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    /// Services asked for by name; all where empty.
    pub services: Vec<ServiceName>,
    /// Whether their dependencies are left alone.
    pub no_deps: bool,
    /// When containers are replaced.
    pub recreate: Recreate,
    /// Whether containers of services that are not in the stack any more are removed.
    pub remove_orphans: bool,
    /// Whether containers are only created.
    pub no_start: bool,
    /// Whether anonymous volumes are made anew in a replacement.
    pub renew_anon_volumes: bool,
    /// Grace period of every stop, in the place of each service's own.
    pub grace: Option<Duration>,
    /// Digests of the configuration files that a service binds from the host: path and SHA-256.
    pub bound_files: BTreeMap<ServiceName, Vec<(String, String)>>,
}

/// When a container is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recreate {
    /// When its definition or image differs.
    #[default]
    WhenChanged,
    /// When its definition or image differs, and whatever it depends on does.
    WithDependencies,
    /// Always (`--force-recreate`).
    Always,
    /// Never (`--no-recreate`).
    Never,
}

/// How a service's image stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageState {
    /// The engine has it.
    Present(ImageId),
    /// It will be obtained first, so that its id is not known yet (only when a plan is shown).
    Pending {
        /// How (`pull`, `build`).
        how: String,
    },
    /// Nothing can supply it.
    Unavailable {
        /// What was tried.
        reason: String,
    },
}

/// Plans `up`.
pub fn plan_up(
    project: &Project,
    observed: &Observed,
    images: &BTreeMap<ServiceName, ImageState>,
    options: &UpOptions,
) -> Plan {
    let mut planner = Planner {
        project,
        observed,
        images,
        options,
        plan: Plan::default(),
        networks: BTreeMap::new(),
        volumes: BTreeMap::new(),
        replaced_networks: BTreeSet::new(),
        created: BTreeMap::new(),
        replaced: BTreeSet::new(),
    };
    planner.run();
    planner.plan
}

struct Planner<'a> {
    project: &'a Project,
    observed: &'a Observed,
    images: &'a BTreeMap<ServiceName, ImageState>,
    options: &'a UpOptions,
    plan: Plan,
    /// The step that creates a network, by key.
    networks: BTreeMap<String, StepId>,
    /// The step that creates a volume, by key.
    volumes: BTreeMap<String, StepId>,
    /// Networks whose definition changed, by key.
    replaced_networks: BTreeSet<String>,
    /// The steps that create a service's containers.
    created: BTreeMap<ServiceName, Vec<StepId>>,
    /// Services of which a container is replaced or newly made.
    replaced: BTreeSet<ServiceName>,
}

impl<'a> Planner<'a> {
    fn run(&mut self) {
        let selected = if self.options.no_deps && !self.options.services.is_empty() {
            self.options.services.clone()
        } else {
            self.project.closure(&self.options.services)
        };
        let ordered = in_dependency_order(self.project, &selected);
        self.refuse_foreign_names(&ordered);
        self.plan_networks(&ordered);
        self.plan_volumes(&ordered);
        for name in &ordered {
            if let Some(service) = self.project.services.get(name) {
                self.plan_service(name, service);
            }
        }
        self.plan_orphans();
        if !self.plan.refusals.is_empty() {
            self.plan.steps.clear();
        }
    }

    fn push(&mut self, action: Action, cause: Cause, after: Vec<StepId>) -> StepId {
        let id = StepId(self.plan.steps.len() as u32);
        self.plan.steps.push(Step {
            id,
            action,
            after,
            gates: Vec::new(),
            cause,
            undo: None,
        });
        id
    }

    fn step_mut(&mut self, id: StepId) -> &mut Step {
        &mut self.plan.steps[id.0 as usize]
    }

    fn note(&mut self, text: String, hint: Option<&str>) {
        self.plan.notes.push(Note {
            text,
            hint: hint.map(str::to_owned),
        });
    }

    fn refuse_foreign_names(&mut self, services: &[ServiceName]) {
        for name in services {
            let Some(service) = self.project.services.get(name) else {
                continue;
            };
            for number in 1..=service.replicas() {
                let wanted = container_name(self.project, name, service, number);
                if let Some(id) = self.observed.foreign_names.get(&wanted) {
                    self.plan.refusals.push(Refusal {
                        text: format!(
                            "the name {wanted} of service {name} is held by container {}, which does not belong to this project",
                            id.short()
                        ),
                        hint: format!(
                            "rename it (docker rename {} OTHER) or remove it, set container_name for {name}, or choose another project name with -p",
                            id.short()
                        ),
                    });
                }
            }
        }
    }

    fn plan_networks(&mut self, services: &[ServiceName]) {
        let used: BTreeSet<&str> = services
            .iter()
            .filter_map(|name| self.project.services.get(name))
            .flat_map(|s| s.networks.keys().map(String::as_str))
            .collect();
        for (key, spec) in &self.project.networks {
            if !used.contains(key.as_str()) {
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
    fn replace_network(
        &mut self,
        key: &str,
        name: &str,
        id: crate::base::NetworkId,
        differences: Vec<super::Difference>,
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

    fn plan_volumes(&mut self, services: &[ServiceName]) {
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
            if !used.contains(key.as_str()) {
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

    fn plan_service(&mut self, name: &ServiceName, service: &'a Service) {
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
            Some(ImageState::Unavailable { reason }) => {
                return self.unavailable(name, service, reason.clone());
            }
            None => return self.unavailable(name, service, "its image is not known".to_owned()),
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

    fn unavailable(&mut self, name: &ServiceName, service: &Service, reason: String) {
        let optional = service.ext.optional;
        self.plan.unavailable.push(Unavailable {
            service: name.clone(),
            reason,
            optional,
        });
    }

    fn plan_instance(
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
    fn cause_to_replace(
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
        let Some(was) = container.labels.get(labels::SPEC) else {
            return Some(Cause::NotOurs);
        };
        let was: Value = match serde_json::from_str(was) {
            Ok(value) => value,
            Err(_) => return Some(Cause::NotOurs),
        };
        let differences = differences(&was, definition);
        if !differences.is_empty() {
            return Some(Cause::Differs(differences));
        }
        if image.as_str() != "pending" && container.image != *image {
            return Some(Cause::ImageChanged {
                from: container.image.clone(),
                to: image.clone(),
            });
        }
        None
    }

    fn keep(&mut self, instance: &Instance, service: &Service, container: &Container, lasting: &str) {
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
                    Some("unpause it: docker unpause, or platform restart"),
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
                completed,
                healthy: container.health == Some(EngineHealth::Healthy),
            }),
        }
    }

    /// A one-shot says `restart: "no"` or is waited for to the end by another service.
    fn is_one_shot(&self, name: &ServiceName, service: &Service) -> bool {
        matches!(service.restart, Some(RestartPolicy::No))
            || self.project.services.values().any(|other| {
                other
                    .depends_on
                    .get(name)
                    .is_some_and(|d| d.condition == Condition::ServiceCompletedSuccessfully)
            })
    }

    fn drop_leftovers(&mut self, candidates: &[&Container], spare: &[&ContainerId]) -> Vec<StepId> {
        candidates
            .iter()
            .filter(|c| !spare.contains(&&c.id))
            .map(|c| self.stop_and_remove(c, Cause::LeftOver, Vec::new(), false))
            .collect()
    }

    fn gates(&self, service: &Service) -> Vec<Gate> {
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
    fn before_create(&self, service: &Service) -> Vec<StepId> {
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

    fn create(
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

    fn start(
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
    fn create_and_start(
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
    fn replace(
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
    fn finish_replacement(
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
        let gates = self.gates(service);
        self.step_mut(stop).gates = gates;
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

    fn rename(&mut self, instance: &Instance, target: Target, name: &str, after: Vec<StepId>) -> StepId {
        let action = Action::RenameContainer {
            instance: instance.clone(),
            target,
            name: name.to_owned(),
        };
        self.push(action, Cause::Replaced, after)
    }

    fn remove(&mut self, container: &Container, cause: Cause, after: Vec<StepId>, volumes: bool) -> StepId {
        let action = Action::RemoveContainer {
            id: container.id.clone(),
            name: container.name.clone(),
            service: container.service.clone(),
            volumes,
        };
        self.push(action, cause, after)
    }

    fn stop_action(&self, container: &Container) -> Action {
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

    fn stop_and_remove(
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

    fn plan_orphans(&mut self) {
        let mut orphans: Vec<&Container> = self
            .observed
            .containers
            .iter()
            .filter(|c| {
                !c.oneoff
                    && !self.project.services.contains_key(&c.service)
                    && !self.project.disabled.contains(&c.service)
            })
            .collect();
        orphans.sort_by(|a, b| a.name.cmp(&b.name));
        if self.options.remove_orphans {
            for orphan in orphans {
                self.stop_and_remove(orphan, Cause::Orphan, Vec::new(), true);
            }
        } else if !orphans.is_empty() {
            let names: Vec<&str> = orphans.iter().map(|c| c.name.as_str()).collect();
            self.note(
                format!(
                    "containers of services that are not in the stack any more stay: {}",
                    names.join(", ")
                ),
                Some("--remove-orphans removes them"),
            );
        }
    }
}

/// The services whose containers a service refers to by id.
fn shares_with(service: &Service) -> impl Iterator<Item = &ServiceName> {
    let by_network = match &service.network_mode {
        Some(NetworkMode::Service(name)) => Some(name.as_str()),
        _ => None,
    };
    let of = |field: &'_ Option<String>| {
        field
            .as_deref()
            .and_then(|v| v.strip_prefix("service:"))
            .map(str::to_owned)
    };
    let modes = [of(&service.pid), of(&service.ipc)];
    service.depends_on.keys().filter(move |name| {
        by_network == Some(name.as_str())
            || modes.iter().flatten().any(|m| m == name.as_str())
            || service
                .volumes_from
                .iter()
                .any(|v| v.split(':').next() == Some(name.as_str()))
    })
}

/// The name of a successor before it takes its predecessor's: the same on every try, so that
/// one whose creation was not answered is found again.
fn temporary_name(definition: &Value, lasting: &str) -> String {
    format!("{}_{lasting}", hash(definition).get(..12).unwrap_or_default())
}

/// `selected` so that each service comes after those it depends on, otherwise in the stack's order.
pub(super) fn in_dependency_order(project: &Project, selected: &[ServiceName]) -> Vec<ServiceName> {
    let mut ordered: Vec<ServiceName> = Vec::with_capacity(selected.len());
    let mut waiting: Vec<&ServiceName> = selected.iter().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|name| {
            let blocked = project.services.get(*name).is_some_and(|service| {
                service
                    .depends_on
                    .keys()
                    .any(|d| d != *name && selected.contains(d) && !ordered.contains(d))
            });
            if !blocked {
                ordered.push((*name).clone());
            }
            blocked
        });
        if waiting.len() == before {
            // A cycle; the loader has reported it. Keep the stack's order.
            ordered.extend(waiting.drain(..).cloned());
        }
    }
    ordered
}

#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
