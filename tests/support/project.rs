//! A project of a test: a folder, a name that nobody else has, and a guard that takes all of it away.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::cli::Cli;
use super::docker::{Docker, LABEL, PROJECT, encode};
use super::running::Outcome;
use super::{images, owner};

/// Compose's service label.
const SERVICE: &str = "com.docker.compose.service";

/// A project folder and everything that carries the project's name in an engine. Removed when dropped, also by a
/// panic; what killed processes left is swept by the next project on the same engine.
#[derive(Debug)]
pub struct Project {
    name: String,
    dir: PathBuf,
    engine: Docker,
    netns: Option<PathBuf>,
}

impl Project {
    /// A project on the machine's own engine.
    pub fn shared() -> Self {
        Self::on(&Docker::shared())
    }

    /// A project on this engine, with the test image [`Self::image`].
    pub fn on(engine: &Docker) -> Self {
        sweep(engine);
        let name = owner::unique();
        let dir = Path::new("/tmp").join(&name);
        fs::create_dir(&dir).unwrap();
        let project = Self {
            name,
            dir,
            engine: engine.clone(),
            netns: None,
        };
        images::make(engine, &project.image(), &[]);
        project
    }

    /// Runs the program in this network namespace, where a private engine's containers can be reached.
    pub fn inside(mut self, netns: &Path) -> Self {
        self.netns = Some(netns.to_owned());
        self
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The project's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The engine it is on.
    pub fn engine(&self) -> &Docker {
        &self.engine
    }

    /// The reference of the project's test image (busybox that sleeps).
    pub fn image(&self) -> String {
        format!("{}:bb", self.name)
    }

    /// Makes a variant of the test image, under a name of this project's; gives its reference.
    pub fn make_image(&self, tag: &str, changes: &[&str]) -> String {
        let reference = format!("{}:{tag}", self.name);
        images::make(&self.engine, &reference, changes);
        reference
    }

    /// Writes a file into the folder; `@image@`, `@name@` and `@dir@` stand for the project's own.
    pub fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text
            .replace("@image@", &self.image())
            .replace("@name@", &self.name)
            .replace("@dir@", &self.dir.to_string_lossy());
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes `compose.yaml`.
    pub fn stack(&self, text: &str) -> &Self {
        self.file("compose.yaml", text);
        self
    }

    /// The program with these arguments, in the project's folder, for its name and engine.
    pub fn platform<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Cli {
        self.prepare(Cli::platform()).args(args)
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.platform(args).run()
    }

    /// Asserts that `plan` finds nothing to do, and that nothing is there twice.
    #[track_caller]
    pub fn assert_converged(&self) {
        self.run(["plan", "--exit-code"]).expect(0);
        let names: Vec<String> = self
            .networks()
            .iter()
            .map(|network| network["Name"].to_string())
            .collect();
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "networks of one name: {names:?}");
    }

    /// Another program in the same surroundings.
    pub fn program(&self, program: &str) -> Cli {
        self.prepare(Cli::new(program))
    }

    /// Gives a command line the folder, engine, name and network of the project.
    pub fn prepare(&self, cli: Cli) -> Cli {
        let cli = cli
            .cwd(&self.dir)
            .engine(&self.engine)
            .env("COMPOSE_PROJECT_NAME", &self.name);
        match &self.netns {
            Some(netns) => cli.inside(netns),
            None => cli,
        }
    }

    /// The project's containers, as the engine lists them.
    pub fn containers(&self) -> Vec<Value> {
        self.engine.containers(&self.label())
    }

    /// Everything about the one container of a service; `None` if it has none.
    #[track_caller]
    pub fn container(&self, service: &str) -> Option<Value> {
        let mut found = self.containers();
        found.retain(|container| container["Labels"][SERVICE] == service);
        assert!(found.len() <= 1, "{} containers of {service}", found.len());
        self.engine.inspect(found.first()?["Id"].as_str()?)
    }

    /// `service: state` of each container, sorted: `web: running`.
    pub fn states(&self) -> Vec<String> {
        let line = |container: &Value| {
            let labels = &container["Labels"];
            format!(
                "{}: {}",
                labels[SERVICE].as_str().unwrap_or("?"),
                container["State"].as_str().unwrap_or("?")
            )
        };
        let mut states: Vec<String> = self.containers().iter().map(line).collect();
        states.sort();
        states
    }

    /// The ids of the project's containers, sorted.
    pub fn ids(&self) -> Vec<String> {
        let id = |container: &Value| container["Id"].as_str().unwrap_or_default().to_owned();
        let mut ids: Vec<String> = self.containers().iter().map(id).collect();
        ids.sort();
        ids
    }

    /// The project's networks.
    pub fn networks(&self) -> Vec<Value> {
        self.engine.networks(&self.label())
    }

    /// The project's volumes.
    pub fn volumes(&self) -> Vec<Value> {
        self.engine.volumes(&self.label())
    }

    fn label(&self) -> String {
        format!("{PROJECT}={}", self.name)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        clean(&self.engine, |name| {
            name == self.name || name.starts_with(&format!("{}-", self.name))
        });
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// Removes what test processes left that are gone.
fn sweep(engine: &Docker) {
    clean(engine, owner::is_orphan);
}

/// Removes every container, network, volume and image with an owner that `is_wanted`. Says what it cannot remove,
/// and never panics: it runs while a test unwinds.
fn clean(engine: &Docker, is_wanted: impl Fn(&str) -> bool) {
    let labelled = |labels: &Value| {
        [PROJECT, LABEL]
            .iter()
            .any(|key| labels[*key].as_str().is_some_and(&is_wanted))
    };
    let named = |name: &Value| {
        name.as_str()
            .is_some_and(|name| is_wanted(name.trim_start_matches('/')))
    };
    let remove = |path: String| {
        if let Err(failure) = engine.raw("DELETE", &path, "", &[]) {
            let text = failure.to_string();
            // Another test may sweep at the same time.
            if !text.starts_with("404") && !text.contains("already in progress") {
                eprintln!("left behind: {path}: {text}");
            }
        }
    };
    for container in list(engine, "/containers/json?all=1") {
        if labelled(&container["Labels"]) || named(&container["Names"][0]) {
            remove(format!(
                "/containers/{}?force=1&v=1",
                container["Id"].as_str().unwrap_or_default()
            ));
        }
    }
    for network in list(engine, "/networks") {
        if labelled(&network["Labels"]) || named(&network["Name"]) {
            remove(format!(
                "/networks/{}",
                network["Id"].as_str().unwrap_or_default()
            ));
        }
    }
    for volume in list(engine, "/volumes") {
        if labelled(&volume["Labels"]) || named(&volume["Name"]) {
            remove(format!(
                "/volumes/{}?force=1",
                encode(volume["Name"].as_str().unwrap_or_default())
            ));
        }
    }
    for image in list(engine, "/images/json") {
        for tag in image["RepoTags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if tag.split([':', '/']).any(&is_wanted) {
                remove(format!("/images/{tag}?force=1"));
            }
        }
    }
}

/// What the engine lists there; nothing when it does not answer.
fn list(engine: &Docker, path: &str) -> Vec<Value> {
    let answer = engine.call("GET", path, &Value::Null).unwrap_or(Value::Null);
    let list = if answer.is_array() {
        &answer
    } else {
        &answer["Volumes"]
    };
    list.as_array().cloned().unwrap_or_default()
}
