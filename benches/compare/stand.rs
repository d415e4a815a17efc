//! What a benchmark stands on: a project of its own, free ports, the same files for both
//! programs, and the removal of all of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bollard::Docker;
use serde_json::Value;

use super::measure::{self, Line};
use super::settings::{Settings, root};
use super::{compose, engine};

/// The health interval of the override file.
const INTERVAL: &str = "1s";

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// This project's program.
    Platform,
    /// docker compose.
    Compose,
}

impl Who {
    /// Its command.
    pub fn name(self) -> &'static str {
        match self {
            Who::Platform => "platform",
            Who::Compose => "docker compose",
        }
    }
}

/// What a service needs of others and how it tells that it is ready.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Services that must be ready before it starts.
    pub after_ready: Vec<String>,
    /// Services that must be started before it starts.
    pub after_start: Vec<String>,
    /// Where it answers when it is ready: port and path in the container.
    pub answers: Option<(u16, String)>,
}

/// What a benchmark stands on.
pub struct Stand {
    /// The project's name, with our process id.
    pub project: String,
    /// The engine.
    pub docker: Docker,
    /// What the table says about the machine.
    pub machine: Vec<(String, String)>,
    /// The program under test.
    pub platform: PathBuf,
    /// The stack's services.
    pub services: BTreeMap<String, Facts>,
    /// The image of each service.
    pub images: BTreeMap<String, String>,
    /// A folder for output and override files.
    pub folder: tempfile::TempDir,
    stack: PathBuf,
    environment: Vec<(String, String)>,
    /// A tag that was made for this run.
    made: Option<String>,
}

impl Stand {
    /// Finds both programs, the engine and the images; changes nothing yet but what is missing of these.
    pub async fn prepare(settings: &Settings) -> Result<Self, String> {
        let docker = engine::connect().await?;
        engine::sweep(&docker).await?;
        let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        let platform = settings
            .platform
            .clone()
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_platform")));
        let version = if settings.ours_only {
            "left out".to_owned()
        } else {
            compose::version().await?
        };
        let project = format!("{}{}", engine::PREFIX, std::process::id());
        let mut environment = vec![
            ("DEVOPS_NETWORK".to_owned(), project.clone()),
            ("BIND_ADDRESS".to_owned(), "127.0.0.1".to_owned()),
        ];
        for (name, port) in [
            "NGINX_PORT",
            "PROMETHEUS_PORT",
            "ALERTMANAGER_PORT",
            "GRAFANA_PORT",
        ]
        .into_iter()
        .zip(free_ports(4)?)
        {
            environment.push((name.to_owned(), port.to_string()));
        }
        let machine = vec![
            ("engine".to_owned(), engine::description(&docker).await?),
            ("docker compose".to_owned(), version),
            ("platform".to_owned(), program(&platform)?),
            ("kernel".to_owned(), kernel()),
            ("load before".to_owned(), load()),
        ];
        let mut stand = Self {
            project,
            docker,
            machine,
            platform,
            services: BTreeMap::new(),
            images: BTreeMap::new(),
            folder,
            stack: settings.stack.clone(),
            environment,
            made: None,
        };
        if let Err(error) = stand.look_at_stack(settings).await {
            stand.clean().await;
            return Err(error);
        }
        Ok(stand)
    }

    async fn look_at_stack(&mut self, settings: &Settings) -> Result<(), String> {
        self.write("images.yaml", "services: {}\n")?;
        self.write("intervals.yaml", "services: {}\n")?;
        let model = self.model().await?;
        let mut images: BTreeMap<String, String> = settings.images.iter().cloned().collect();
        let mut wanted: BTreeMap<String, (String, bool)> = BTreeMap::new();
        for (name, service) in services(&model) {
            let optional = service.pointer("/x-platform/optional") == Some(&Value::Bool(true));
            let own = service.get("image").and_then(Value::as_str).unwrap_or_default();
            let image = images.get(name).cloned().unwrap_or_else(|| own.to_owned());
            wanted.insert(name.clone(), (image, optional));
            self.services.insert(name.clone(), facts(service));
        }
        self.write_images(&images)?;
        let mut missing = Vec::new();
        for (name, (image, optional)) in &wanted {
            if !engine::has_image(&self.docker, image).await? {
                missing.push((name.clone(), *optional));
            }
        }
        if missing.iter().any(|(_, optional)| !optional) {
            eprintln!("images are missing; `platform up` supplies them first (not measured)");
            let line = self.line(Who::Platform, false, &["up", "-d", "--no-smoke"]);
            measure::run(&line, self.folder.path()).await?;
            measure::run(
                &self.line(Who::Platform, false, &["down", "-v"]),
                self.folder.path(),
            )
            .await?;
        }
        for (name, _) in missing.into_iter().filter(|(_, optional)| *optional) {
            let app = wanted
                .get("app")
                .map(|(image, _)| image.clone())
                .unwrap_or_default();
            let tag = self.stand_in(&app).await?;
            eprintln!("{name}: no image; the labelled stand-in takes its place for both programs");
            self.machine
                .push((name.clone(), "the stand-in of images/grafana-standin".to_owned()));
            images.insert(name, tag);
        }
        self.images = wanted
            .into_iter()
            .map(|(name, (image, _))| (name, image))
            .collect();
        self.images.extend(images.clone());
        self.write_images(&images)?;
        let mut text = "services:\n".to_owned();
        for (name, service) in services(&model).filter(|(_, s)| s.get("healthcheck").is_some()) {
            let _ = service;
            text += &format!("  {name}: {{healthcheck: {{interval: {INTERVAL}}}}}\n");
        }
        self.write("intervals.yaml", &text)
    }

    /// The stack as our program understands it.
    async fn model(&self) -> Result<Value, String> {
        measure::run(
            &self.line(Who::Platform, false, &["config", "--format", "json"]),
            self.folder.path(),
        )
        .await?;
        let text = std::fs::read(self.folder.path().join("stdout")).map_err(|e| e.to_string())?;
        serde_json::from_slice(&text).map_err(|e| format!("config: {e}"))
    }

    /// The stand-in for Grafana, on the app's image (it has the Python that the stand-in wants).
    async fn stand_in(&mut self, base: &str) -> Result<String, String> {
        let tag = format!("{}:grafana-standin", self.project);
        let context = self.folder.path().join("standin");
        std::fs::create_dir_all(&context).map_err(|e| e.to_string())?;
        let from = root().join("images/grafana-standin");
        for file in ["Dockerfile", "standin.py", "wget"] {
            std::fs::copy(from.join(file), context.join(file)).map_err(|e| format!("{file}: {e}"))?;
        }
        let path = context.join("Dockerfile");
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
        let text: Vec<String> = text
            .lines()
            .map(|line| {
                if line.starts_with("FROM ") {
                    format!("FROM {base}\nUSER 0")
                } else {
                    line.to_owned()
                }
            })
            .collect();
        std::fs::write(&path, text.join("\n") + "\n").map_err(|e| e.to_string())?;
        let output = tokio::process::Command::new("docker")
            .args(["build", "--quiet", "--network", "none", "--tag", &tag])
            .arg(&context)
            .env("DOCKER_BUILDKIT", "0")
            .output()
            .await
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!(
                "the stand-in: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        self.made = Some(tag.clone());
        Ok(tag)
    }

    fn write_images(&self, images: &BTreeMap<String, String>) -> Result<(), String> {
        let mut text = "services:\n".to_owned();
        for (name, image) in images {
            text += &format!("  {name}: {{image: \"{image}\"}}\n");
        }
        self.write(
            "images.yaml",
            if images.is_empty() {
                "services: {}\n"
            } else {
                &text
            },
        )
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.folder.path().join(name), text).map_err(|e| format!("{name}: {e}"))
    }

    /// A command on the stack. `fast`: with health intervals of one second.
    pub fn line(&self, who: Who, fast: bool, command: &[&str]) -> Line {
        let mut files = vec![self.stack.clone(), self.folder.path().join("images.yaml")];
        if fast {
            files.push(self.folder.path().join("intervals.yaml"));
        }
        self.line_on(who, &files, command)
    }

    /// A command on other files.
    pub fn line_on(&self, who: Who, files: &[PathBuf], command: &[&str]) -> Line {
        let mut arguments = Vec::new();
        let program = match who {
            Who::Platform => self.platform.clone(),
            Who::Compose => {
                arguments.push("compose".to_owned());
                PathBuf::from("docker")
            }
        };
        arguments.extend(["-p".to_owned(), self.project.clone()]);
        for file in files {
            arguments.extend(["-f".to_owned(), file.display().to_string()]);
        }
        Line {
            program,
            arguments,
            environment: self.environment.clone(),
        }
        .with(command)
    }

    /// Removes everything that this run made.
    pub async fn clean(&self) {
        if let Err(error) = engine::remove(&self.docker, &self.project).await {
            eprintln!("compare: not all of {} is removed: {error}", self.project);
        }
        if let Some(tag) = &self.made {
            let _ = self
                .docker
                .remove_image(tag, None::<bollard::query_parameters::RemoveImageOptions>, None)
                .await;
        }
    }
}

fn services(model: &Value) -> impl Iterator<Item = (&String, &Value)> {
    model
        .get("services")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn facts(service: &Value) -> Facts {
    let mut facts = Facts::default();
    for (name, needs) in service
        .get("depends_on")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        match needs.get("condition").and_then(Value::as_str) {
            Some("service_healthy") => facts.after_ready.push(name.clone()),
            _ => facts.after_start.push(name.clone()),
        }
    }
    let probe = service.pointer("/x-platform/probe/http").and_then(Value::as_str);
    facts.answers = probe
        .and_then(|url| url.strip_prefix("http://:"))
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(port, path)| Some((port.parse().ok()?, format!("/{path}"))));
    facts
}

fn program(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|e| format!("{}: {e}", path.display()))?
        .len();
    let output = std::process::Command::new(path)
        .arg("--version")
        .output()
        .map_err(|e| e.to_string())?;
    let version = String::from_utf8_lossy(&output.stdout)
        .trim()
        .trim_start_matches("platform version ")
        .to_owned();
    Ok(format!(
        "{version}, binary of {:.1} MiB",
        size as f64 / 1_048_576.0
    ))
}

fn kernel() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", read.trim())
}

fn load() -> String {
    let read = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    read.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Ports that nobody listens on now.
fn free_ports(number: usize) -> Result<Vec<u16>, String> {
    let mut held = Vec::new();
    for _ in 0..number {
        held.push(std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?);
    }
    held.iter()
        .map(|l| l.local_addr().map(|a| a.port()).map_err(|e| e.to_string()))
        .collect()
}
