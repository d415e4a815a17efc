//! The door to the engine, against a real one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use platform::base::{ContainerId, NetworkId, Secret, ServiceName};
use platform::engine::{
    CreateContainer, Deadlines, Docker, Engine, EngineEnv, EngineErrorKind, ExecSpec, Wanted,
};
use platform::model::{
    Endpoint, FileMount, FileSource, NetworkSpec, Project as Stack, ResourceFile, Service, StackExt,
    VolumeSpec, labels,
};

use crate::support::docker::Docker as Raw;
use crate::support::project::Project;

mod build;
mod faults;
mod life;
mod logs;
pub mod peer;
mod sick;

/// A project on the machine's engine, with one network wanted.
struct World {
    project: Project,
    engine: Docker,
    stack: Stack,
    networks: BTreeMap<String, NetworkId>,
}

impl World {
    async fn new() -> Self {
        let project = Project::shared();
        let engine = engine_at(project.engine(), Deadlines::default()).await;
        let stack = stack(&project);
        Self {
            project,
            engine,
            stack,
            networks: BTreeMap::new(),
        }
    }

    /// The image's id.
    async fn image(&self) -> platform::base::ImageId {
        let found = self.engine.image(&self.project.image()).await.unwrap();
        found.unwrap().id.unwrap()
    }

    /// Makes the project's network.
    async fn network(&mut self) {
        let spec = self.stack.networks["net"].clone();
        let id = self
            .engine
            .create_network(&self.stack, "net", &spec, "run-1")
            .await
            .unwrap();
        self.networks.insert("net".into(), id);
    }

    /// A service of the test image that runs this line.
    fn service(&self, line: &str) -> Service {
        Service {
            image: Some(self.project.image()),
            command: Some(vec!["sh".into(), "-c".into(), line.into()]),
            init: Some(true),
            ..Service::default()
        }
    }

    /// What is asked for to create `p-NAME-1`.
    async fn request<'a>(&'a self, name: &'a ServiceName, service: &'a Service) -> CreateContainer<'a> {
        CreateContainer {
            project: &self.stack,
            service_name: name,
            service,
            name: format!("{}-{name}-1", self.stack.name),
            number: 1,
            image: self.image().await,
            networks: &self.networks,
            containers: BTreeMap::new(),
            labels: BTreeMap::from([
                (labels::PROJECT.to_owned(), self.stack.name.to_string()),
                (labels::SERVICE.to_owned(), name.to_string()),
                (labels::NUMBER.to_owned(), "1".to_owned()),
                (labels::RUN.to_owned(), "run-1".to_owned()),
                (labels::SPEC.to_owned(), "{}".to_owned()),
            ]),
            inherit_volumes_from: None,
            oneoff: None,
        }
    }

    async fn create(&self, name: &str, service: &Service) -> ContainerId {
        let name = ServiceName::from(name);
        let request = self.request(&name, service).await;
        self.engine.create_container(&request).await.unwrap()
    }

    async fn start(&self, name: &str, service: &Service) -> ContainerId {
        let id = self.create(name, service).await;
        self.engine.start_container(&id).await.unwrap();
        id
    }

    /// What a line of shell writes in a container; it must exit with 0.
    async fn sh(&self, id: &ContainerId, line: &str) -> String {
        let outcome = self.engine.exec(id, &sh(line)).await.unwrap();
        let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
        assert_eq!(
            outcome.code,
            0,
            "{line}: {text}{}",
            String::from_utf8_lossy(&outcome.stderr)
        );
        text.trim_end().to_owned()
    }
}

async fn engine_at(engine: &Raw, deadlines: Deadlines) -> Docker {
    let host = ("DOCKER_HOST".to_owned(), engine.host());
    Docker::find(EngineEnv::new([host]), deadlines).await.unwrap()
}

fn stack(project: &Project) -> Stack {
    let name = project.name();
    Stack {
        name: name.into(),
        working_dir: project.dir().to_owned(),
        files: Vec::new(),
        env_files: Vec::new(),
        extensions: Default::default(),
        nested_extensions: Vec::new(),
        models: Default::default(),
        services: Default::default(),
        disabled: Vec::new(),
        networks: [(
            "net".to_owned(),
            NetworkSpec {
                name: format!("{name}_net"),
                ..NetworkSpec::default()
            },
        )]
        .into(),
        volumes: [(
            "data".to_owned(),
            VolumeSpec {
                name: format!("{name}_data"),
                external: false,
                driver: None,
                driver_opts: Default::default(),
                labels: Default::default(),
            },
        )]
        .into(),
        secrets: Default::default(),
        configs: Default::default(),
        ext: StackExt::default(),
        places: Default::default(),
    }
}

fn sh(line: &str) -> ExecSpec {
    ExecSpec {
        command: vec!["sh".into(), "-c".into(), line.into()],
        ..ExecSpec::default()
    }
}
