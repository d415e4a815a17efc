//! The plan of `up`.

mod instance;
mod objects;
mod outside;
mod replace;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use outside::{Outside, plan_outside};

use super::step::{Action, Cause, Lack, Note, Plan, Refusal, Step, StepId};
use crate::base::{ImageId, ServiceName};
use crate::model::render::container_name;
use crate::model::{Condition, Container, NetworkMode, Observed, Project, Service};

/// The grace period of a stop where the service does not say (Compose Specification, `stop_grace_period`).
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What `up` was asked for.
#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    /// Services asked for by name; all where empty.
    pub services: Vec<ServiceName>,
    /// Services of which only the dependencies, networks and volumes are wanted: their containers stay as
    /// they are (`run` makes one of its own).
    pub beside: BTreeSet<ServiceName>,
    /// Whether their dependencies are left alone.
    pub no_deps: bool,
    /// When containers are replaced.
    pub recreate: Recreate,
    /// What happens to containers of services that are not in the stack any more.
    pub orphans: Orphans,
    /// Whether containers are only created.
    pub no_start: bool,
    /// Whether anonymous volumes are made anew in a replacement.
    pub renew_anon_volumes: bool,
    /// Grace period of every stop, in the place of each service's own.
    pub grace: Option<Duration>,
    /// Services that nothing probes: no `x-platform.probe`, no health check, none in the image.
    pub unprobed: BTreeSet<ServiceName>,
    /// How far providers and models are.
    pub outside: Outside,
    /// Digests of the configuration files that a service binds from the host: path and SHA-256.
    pub bound_files: BTreeMap<ServiceName, Vec<(String, String)>>,
}

impl UpOptions {
    /// The services that take part.
    pub(super) fn selected(&self, project: &Project) -> Vec<ServiceName> {
        if self.no_deps && !self.services.is_empty() {
            self.services.clone()
        } else {
            project.closure(&self.services)
        }
    }
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

/// What happens to containers of services that are not in the stack any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orphans {
    /// They stay and are named.
    #[default]
    Warn,
    /// They stay, and nothing is said.
    Ignore,
    /// They are removed.
    Remove,
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
        /// What kind of failure that was.
        lack: Lack,
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

/// The plan in the making.
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
        let ordered = in_dependency_order(self.project, &self.options.selected(self.project));
        self.refuse_foreign_names(&ordered);
        self.refuse_unprovable(&ordered);
        self.plan_what_is_outside(&ordered);
        self.plan_networks(&ordered);
        self.plan_volumes(&ordered);
        for name in &ordered {
            if let Some(service) = self.project.services.get(name)
                && !self.is_left_alone(name, service)
            {
                self.plan_service(name, service);
            }
        }
        self.plan_orphans();
        if !self.plan.refusals.is_empty() {
            self.plan.steps.clear();
        }
    }

    /// Whether a service's containers stay as they are. Those that were taken down with a network come
    /// back in any case.
    fn is_left_alone(&self, name: &ServiceName, service: &Service) -> bool {
        let taken_down = || {
            service
                .networks
                .keys()
                .any(|key| self.replaced_networks.contains(key))
                && self
                    .observed
                    .containers
                    .iter()
                    .any(|c| !c.oneoff && c.service == *name)
        };
        self.options.beside.contains(name) && !taken_down()
    }

    pub(super) fn push(&mut self, action: Action, cause: Cause, after: Vec<StepId>) -> StepId {
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

    pub(super) fn step_mut(&mut self, id: StepId) -> &mut Step {
        &mut self.plan.steps[id.0 as usize]
    }

    pub(super) fn note(&mut self, text: String, hint: Option<&str>) {
        self.plan.notes.push(Note {
            text,
            hint: hint.map(str::to_owned),
        });
    }

    /// `service_healthy` needs something that tells health (as in Compose).
    fn refuse_unprovable(&mut self, services: &[ServiceName]) {
        if self.options.no_deps {
            return;
        }
        for name in services {
            let Some(service) = self.project.services.get(name) else {
                continue;
            };
            for (on, dependency) in &service.depends_on {
                // One that is not required is waited for in vain, which is said then.
                if dependency.required
                    && dependency.condition == Condition::ServiceHealthy
                    && self.options.unprobed.contains(on)
                {
                    self.plan.refusals.push(Refusal {
                        text: format!("{name} waits for {on} to be healthy, but nothing tells whether {on} is"),
                        hint: format!("give {on} a healthcheck or an x-platform.probe, or wait with `condition: service_started`"),
                    });
                }
            }
        }
    }

    fn refuse_foreign_names(&mut self, services: &[ServiceName]) {
        for name in services
            .iter()
            .filter(|name| !self.options.beside.contains(*name))
        {
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

    fn plan_orphans(&mut self) {
        let mut orphans: Vec<&Container> = self
            .observed
            .containers
            .iter()
            .filter(|c| !c.oneoff && !self.project.has(&c.service))
            .collect();
        orphans.sort_by(|a, b| a.name.cmp(&b.name));
        match self.options.orphans {
            Orphans::Remove => {
                for orphan in orphans {
                    self.stop_and_remove(orphan, Cause::Orphan, Vec::new(), true);
                }
            }
            Orphans::Warn if !orphans.is_empty() => {
                let names: Vec<&str> = orphans.iter().map(|c| c.name.as_str()).collect();
                self.note(
                    format!(
                        "containers of services that are not in the stack any more stay: {}",
                        names.join(", ")
                    ),
                    Some("--remove-orphans removes them"),
                );
            }
            Orphans::Warn | Orphans::Ignore => {}
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
