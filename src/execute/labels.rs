//! The labels on containers we create: Compose's, so that its commands and other tools see
//! them, and ours.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::base::{ImageId, ServiceName};
use crate::model::compose::container_hash;
use crate::model::{Condition, Project, Service, labels};

/// All labels of a container beside those that the service itself asks for.
pub fn of_container(
    project: &Project,
    name: &ServiceName,
    service: &Service,
    number: u32,
    definition: &Value,
    image: &ImageId,
    run: &str,
) -> BTreeMap<String, String> {
    let depends_on: Vec<String> = service
        .depends_on
        .iter()
        .map(|(on, dependency)| {
            let condition = match dependency.condition {
                Condition::ServiceStarted => "service_started",
                Condition::ServiceHealthy => "service_healthy",
                Condition::ServiceCompletedSuccessfully => "service_completed_successfully",
            };
            format!("{on}:{condition}:{}", dependency.restart)
        })
        .collect();
    let mut all: BTreeMap<String, String> = [
        (labels::PROJECT, project.name.to_string()),
        (labels::SERVICE, name.to_string()),
        (labels::NUMBER, number.to_string()),
        (labels::ONEOFF, "False".to_owned()),
        (labels::CONFIG_HASH, container_hash(service)),
        (labels::CONFIG_FILES, joined(&project.files)),
        (labels::WORKING_DIR, project.working_dir.display().to_string()),
        (labels::DEPENDS_ON, depends_on.join(",")),
        (labels::IMAGE, image.to_string()),
        (labels::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (labels::SPEC, definition.to_string()),
        (labels::RUN, run.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    // As docker compose, which does not tell of an `.env` that it found by itself.
    let found = [project.working_dir.join(".env")];
    if !project.env_files.is_empty() && project.env_files != found {
        all.insert(labels::ENV_FILES.to_owned(), joined(&project.env_files));
    }
    all
}

/// The labels of a container of `run`, from those that the service's own would have.
pub fn of_oneoff(mut all: BTreeMap<String, String>, slug: &str) -> BTreeMap<String, String> {
    all.remove(labels::NUMBER);
    all.insert(labels::ONEOFF.to_owned(), "True".to_owned());
    all.insert(labels::SLUG.to_owned(), slug.to_owned());
    all
}

fn joined(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    paths.join(",")
}
