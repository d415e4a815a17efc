use super::*;
use crate::base::ContainerId;
use crate::base::NetworkId;
use crate::model::observed::Attachment;
use crate::model::render::comparable;
use crate::model::{ContainerState, RestartPolicy, labels};
use crate::model::{Dependency, Endpoint, NetworkFound, NetworkSpec};
use crate::plan::Target;
use crate::plan::{lint, text};

/// A project of services on one network; `(name, dependencies)`.
pub(super) fn project(services: &[(&str, &[(&str, Condition)])]) -> Project {
    let spec = NetworkSpec {
        name: "p_default".into(),
        ..NetworkSpec::default()
    };
    Project {
        name: "p".into(),
        working_dir: "/p".into(),
        files: vec![],
        env_files: vec![],
        services: services
            .iter()
            .map(|(name, dependencies)| {
                let service = Service {
                    image: Some(format!("{name}:1")),
                    networks: [("default".to_owned(), Endpoint::default())].into(),
                    depends_on: dependencies
                        .iter()
                        .map(|(on, condition)| {
                            let dependency = Dependency {
                                condition: *condition,
                                restart: false,
                                required: true,
                            };
                            (ServiceName::from(*on), dependency)
                        })
                        .collect(),
                    ..Service::default()
                };
                (ServiceName::from(*name), service)
            })
            .collect(),
        disabled: vec![],
        networks: [("default".to_owned(), spec)].into(),
        volumes: Default::default(),
        secrets: Default::default(),
        configs: Default::default(),
        ext: Default::default(),
        extensions: Default::default(),
        nested_extensions: Vec::new(),
        models: Default::default(),
        places: Default::default(),
    }
}

fn images(project: &Project) -> BTreeMap<ServiceName, ImageState> {
    project
        .services
        .iter()
        .map(|(name, s)| {
            let id = format!("sha256:{}", s.image.as_deref().unwrap_or_default());
            (name.clone(), ImageState::Present(ImageId::from(id)))
        })
        .collect()
}

/// A world that does what plans say, so that planning again can be checked.
#[derive(Default, Clone)]
struct World {
    observed: Observed,
    next: u32,
}

impl World {
    fn id(&mut self) -> String {
        self.next += 1;
        format!("{:064x}", self.next)
    }

    fn position(&self, target: &Target, made: &BTreeMap<StepId, ContainerId>) -> usize {
        let id = match target {
            Target::Existing(id) => id.clone(),
            Target::CreatedBy(step) => made[step].clone(),
        };
        self.observed
            .containers
            .iter()
            .position(|c| c.id == id)
            .expect("the target is there")
    }

    /// Does the first `most` steps of a plan in an order that its edges allow.
    fn run(&mut self, project: &Project, plan: &Plan, most: usize) {
        assert_eq!(lint::lint(plan), Vec::<String>::new(), "{}", text::plan(plan));
        let mut made = BTreeMap::new();
        let mut done: BTreeSet<StepId> = BTreeSet::new();
        while done.len() < plan.steps.len().min(most) {
            let step = plan
                .steps
                .iter()
                .find(|s| !done.contains(&s.id) && s.after.iter().all(|a| done.contains(a)))
                .expect("a step can be done");
            self.act(project, step, &mut made);
            done.insert(step.id);
        }
    }

    fn act(&mut self, project: &Project, step: &Step, made: &mut BTreeMap<StepId, ContainerId>) {
        match &step.action {
            Action::RunProvider { .. } | Action::FindModelRunner | Action::PrepareModel { .. } => {}
            Action::CreateNetwork { key, name } => {
                let id = NetworkId::from(self.id());
                let spec = serde_json::to_string(&project.networks[key]).unwrap();
                let labels = [
                    (labels::PROJECT, "p"),
                    (labels::NETWORK, key),
                    (labels::SPEC, &spec),
                ];
                self.observed.networks.push(NetworkFound {
                    id,
                    name: name.clone(),
                    driver: "bridge".into(),
                    labels: labels
                        .iter()
                        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                        .collect(),
                });
            }
            Action::RemoveNetwork { id, .. } => {
                let attached = self
                    .observed
                    .containers
                    .iter()
                    .any(|c| c.addresses.values().any(|a| a.network == *id));
                assert!(!attached, "a network in use cannot be removed");
                self.observed.networks.retain(|n| n.id != *id);
            }
            Action::CreateContainer {
                instance,
                name,
                image,
                ..
            } => {
                assert!(
                    self.observed.containers.iter().all(|c| c.name != *name),
                    "{name} is taken"
                );
                let id = ContainerId::from(self.id());
                made.insert(step.id, id.clone());
                let service = &project.services[&instance.service];
                let spec = comparable(project, service, &[]).to_string();
                self.observed.containers.push(Container {
                    id,
                    name: name.clone(),
                    service: instance.service.clone(),
                    number: instance.number,
                    oneoff: false,
                    state: ContainerState::Created,
                    health: None,
                    image: image.clone(),
                    image_ref: String::new(),
                    labels: [(labels::SPEC.to_owned(), spec)].into(),
                    addresses: self
                        .observed
                        .networks
                        .iter()
                        .map(|n| {
                            (
                                n.name.clone(),
                                Attachment {
                                    network: n.id.clone(),
                                    ip: None,
                                },
                            )
                        })
                        .collect(),
                    ports: vec![],
                    volumes: Vec::new(),
                    command: String::new(),
                    created: i64::from(self.next),
                    status: String::new(),
                });
            }
            Action::StartContainer { target, .. } => {
                let at = self.position(target, made);
                self.observed.containers[at].state = ContainerState::Running;
            }
            Action::StopContainer { id, .. } => {
                let at = self.position(&Target::Existing(id.clone()), made);
                self.observed.containers[at].state = ContainerState::Exited {
                    code: 143,
                    oom_killed: false,
                };
            }
            Action::RemoveContainer { id, .. } => {
                let at = self.position(&Target::Existing(id.clone()), made);
                assert!(
                    !self.observed.containers[at].state.is_running(),
                    "removed while it runs"
                );
                self.observed.containers.remove(at);
            }
            Action::RenameContainer { target, name, .. } => {
                let at = self.position(target, made);
                assert!(
                    self.observed.containers.iter().all(|c| c.name != *name),
                    "{name} is taken"
                );
                self.observed.containers[at].name.clone_from(name);
            }
            Action::KillContainer { .. }
            | Action::PauseContainer { .. }
            | Action::UnpauseContainer { .. } => panic!("`up` plans no {}", text::action(&step.action)),
            Action::CreateVolume { .. } | Action::RemoveVolume { .. } | Action::RemoveImage { .. } => {}
        }
    }

    fn up(&mut self, project: &Project, options: &UpOptions) -> String {
        let plan = plan_up(project, &self.observed, &images(project), options);
        self.run(project, &plan, usize::MAX);
        text::plan(&plan)
    }

    /// Plans again and wants nothing to do.
    fn settled(&self, project: &Project) {
        let plan = plan_up(project, &self.observed, &images(project), &UpOptions::default());
        assert!(
            plan.is_empty(),
            "the second plan is not empty:\n{}",
            text::plan(&plan)
        );
        assert_eq!(
            plan.kept.len(),
            project
                .services
                .values()
                .map(|s| s.replicas() as usize)
                .sum::<usize>()
        );
    }
}

fn two() -> Project {
    project(&[("web", &[("db", Condition::ServiceHealthy)]), ("db", &[])])
}

#[test]
fn from_nothing() {
    let project = two();
    let mut world = World::default();
    insta::assert_snapshot!(world.up(&project, &UpOptions::default()), @r"
    #0  create network p_default — it is wanted and not there
    #1  create container p-db-1 — it is wanted and not there; after #0
    #2  start container p-db-1 — it is wanted and not there; after #1
    #3  create container p-web-1 — it is wanted and not there; after #0
    #4  start container p-web-1 — it is wanted and not there; after #3; when db healthy
    ");
    world.settled(&project);
}

#[test]
fn a_changed_field_replaces_and_keeps_the_old_until_proven() {
    let mut project = two();
    let mut world = World::default();
    world.up(&project, &UpOptions::default());
    project.services["web"].user = Some("1000".into());
    let printed = world.up(&project, &UpOptions::default());
    let printed = regex::Regex::new("[0-9a-f]{12}_")
        .unwrap()
        .replace_all(&printed, "TMP_");
    insta::assert_snapshot!(printed, @r"
    #0  create container TMP_p-web-1 — user: added 1000
    #1  stop container p-web-1 — its successor takes its place; after #0; when db healthy
    #2  start container TMP_p-web-1 — user: added 1000; after #0 #1; else p-web-1 is put back
    #3  remove container p-web-1 — its successor takes its place; after #2; when web proven
    #4  rename container to p-web-1 — its successor takes its place; after #3
    ");
    world.settled(&project);
}

#[test]
fn an_interruption_at_any_step_is_healed_by_one_run() {
    let before = two();
    let mut after = two();
    after.services["web"].user = Some("1000".into());
    after.services["db"].image = Some("db:2".into());
    after.networks["default"].internal = true;
    for change in [&before, &after] {
        for most in 0..40 {
            let mut world = World::default();
            world.up(&before, &UpOptions::default());
            let mut broken = world.clone();
            let plan = plan_up(change, &world.observed, &images(change), &UpOptions::default());
            broken.run(change, &plan, most);
            broken.up(change, &UpOptions::default());
            broken.settled(change);
        }
    }
}

#[test]
fn what_stopped_is_started_and_what_completed_is_left() {
    let mut project = project(&[
        ("app", &[("migrate", Condition::ServiceCompletedSuccessfully)]),
        ("migrate", &[]),
    ]);
    project.services["app"].restart = Some(RestartPolicy::Always);
    let mut world = World::default();
    world.up(&project, &UpOptions::default());
    for container in &mut world.observed.containers {
        container.state = ContainerState::Exited {
            code: 0,
            oom_killed: false,
        };
    }
    insta::assert_snapshot!(world.up(&project, &UpOptions::default()), @r"
    #0  start container p-app-1 — it is exited 0; when migrate completed successfully
    ");
}

#[test]
fn foreign_names_and_networks_are_refused_before_anything_is_done() {
    let project = two();
    let mut world = World::default();
    world
        .observed
        .foreign_names
        .insert("p-db-1".into(), ContainerId::from("abcdef0123456789"));
    world.observed.networks.push(NetworkFound {
        id: NetworkId::from("0123456789abcdef"),
        name: "p_default".into(),
        driver: "bridge".into(),
        labels: BTreeMap::new(),
    });
    let plan = plan_up(
        &project,
        &world.observed,
        &images(&project),
        &UpOptions::default(),
    );
    assert!(plan.is_empty());
    insta::assert_snapshot!(text::plan(&plan), @r"
    refused: the name p-db-1 of service db is held by container abcdef012345, which does not belong to this project
      hint: rename it (docker rename abcdef012345 OTHER) or remove it, set container_name for db, or choose another project name with -p
    refused: a network named p_default exists (0123456789ab) that does not belong to this project
      hint: to use it, say `external: true` under networks.default; otherwise remove it or choose another project name with -p
    ");
}

#[test]
fn scaling_down_and_orphans() {
    let mut before = two();
    before.services["web"].scale = Some(3);
    let mut world = World::default();
    world.up(&before, &UpOptions::default());
    world.settled(&before);
    let mut after = project(&[("web", &[])]);
    after.services["web"].scale = Some(1);
    let with = |orphans| UpOptions {
        orphans,
        ..UpOptions::default()
    };
    let notes = |orphans| {
        let plan = plan_up(&after, &world.observed, &images(&after), &with(orphans));
        plan.notes.into_iter().map(|note| note.text).collect::<Vec<_>>()
    };
    assert_eq!(
        notes(Orphans::Warn),
        ["containers of services that are not in the stack any more stay: p-db-1"]
    );
    assert_eq!(notes(Orphans::Ignore), Vec::<String>::new());
    let options = with(Orphans::Remove);
    insta::assert_snapshot!(world.up(&after, &options), @r"
    #0  stop container p-web-2 — only 1 wanted
    #1  remove container p-web-2 — only 1 wanted; after #0
    #2  stop container p-web-3 — only 1 wanted
    #3  remove container p-web-3 — only 1 wanted; after #2
    #4  stop container p-db-1 — its service is not in the stack any more
    #5  remove container p-db-1 — its service is not in the stack any more; after #4
    ");
}

#[test]
fn a_missing_image_leaves_its_service_out() {
    let mut project = two();
    project.services["db"].ext.optional = true;
    let mut images = images(&project);
    images.insert(
        "db".into(),
        ImageState::Unavailable {
            reason: "no registry answers".into(),
            lack: Lack::Missing,
        },
    );
    let plan = plan_up(&project, &Observed::default(), &images, &UpOptions::default());
    assert_eq!(plan.unavailable.len(), 1);
    assert!(plan.unavailable[0].optional);
    assert!(!text::plan(&plan).contains("container p-db-1"));
}

#[test]
fn a_shared_namespace_follows_its_owner() {
    let mut project = two();
    project.services["web"].network_mode = Some(NetworkMode::Service("db".into()));
    project.services["web"].networks.clear();
    let mut world = World::default();
    world.up(&project, &UpOptions::default());
    project.services["db"].user = Some("1".into());
    let printed = world.up(&project, &UpOptions::default());
    assert!(
        printed.contains("db, which it depends on, is replaced"),
        "{printed}"
    );
    world.settled(&project);
}

#[test]
fn health_that_nothing_tells_is_refused() {
    let project = two();
    let options = UpOptions {
        unprobed: [ServiceName::from("db")].into(),
        ..UpOptions::default()
    };
    let plan = plan_up(&project, &Observed::default(), &images(&project), &options);
    insta::assert_snapshot!(text::plan(&plan), @r"
    refused: web waits for db to be healthy, but nothing tells whether db is
      hint: give db a healthcheck or an x-platform.probe, or wait with `condition: service_started`
    ");
}

#[test]
fn beside_a_service_only_what_it_needs_is_brought_up() {
    let mut project = two();
    project.services["web"].container_name = Some("taken".into());
    let options = UpOptions {
        services: vec!["web".into()],
        beside: ["web".into()].into(),
        ..UpOptions::default()
    };
    let mut world = World::default();
    // Its own name is not wanted, so nobody else's is in the way.
    world
        .observed
        .foreign_names
        .insert("taken".into(), ContainerId::from("foreign"));
    insta::assert_snapshot!(world.up(&project, &options), @r"
    #0  create network p_default — it is wanted and not there
    #1  create container p-db-1 — it is wanted and not there; after #0
    #2  start container p-db-1 — it is wanted and not there; after #1
    ");
    world.observed.foreign_names.clear();
    // Its containers stay as they are, also where they differ; those taken down with a network come back.
    world.up(&project, &UpOptions::default());
    project.services["web"].user = Some("1000".into());
    assert_eq!(world.up(&project, &options), "");
    project.networks["default"].internal = true;
    let printed = world.up(&project, &options);
    assert!(printed.contains("start container taken"), "{printed}");
    world.settled(&project);
}
