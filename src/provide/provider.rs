//! One provider, asked to bring a service up or to take it down.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ProvideError;
use super::find::Programs;
use super::process::{Job, name_of};
use super::protocol::{Decoder, Metadata, Said};
use crate::base::{ProjectName, ServiceName};
use crate::model::Provider;

/// How long a provider may take to tell of itself.
const METADATA: Duration = Duration::from_secs(20);

/// What a provider is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The project.
    pub project: &'a ProjectName,
    /// The service.
    pub service: &'a ServiceName,
    /// Who is asked, and with which options.
    pub provider: &'a Provider,
    /// Whether the service is to be brought up, else taken down.
    pub up: bool,
}

/// Asks a provider; what it says on the way goes to `said`. The variables that it gave are the answer.
///
/// # Errors
/// There is no such provider, it lacks an option, or it failed, in its own words. Also when `stop` came
/// first: then it was told to end.
pub async fn ask(
    programs: &Programs,
    order: &Order<'_>,
    stop: impl Future<Output = ()>,
    said: &(dyn Fn(&Said) + Send + Sync),
) -> Result<Vec<(String, String)>, ProvideError> {
    let provider = order.provider;
    let file = find(programs, &provider.kind)?;
    let metadata = metadata(programs, &file, &provider.kind).await;
    let (word, command) = match order.up {
        true => ("up", &metadata.up),
        false => ("down", &metadata.down),
    };
    let mut args = vec![
        "compose".to_owned(),
        format!("--project-name={}", order.project),
        word.to_owned(),
    ];
    args.extend(metadata.flags(command, provider)?);
    args.push(order.service.to_string());
    let job = Job {
        programs,
        name: format!("{} compose {word}", name_of(&file)),
        file,
        args,
    };
    let mut decoder = Decoder::new(&provider.kind);
    let (mut variables, mut errors) = (Vec::new(), Vec::new());
    let ended = job
        .run(stop, &mut |bytes| {
            for message in decoder.take(bytes)? {
                said(&message);
                match message {
                    Said::Variable(name, value) => variables.push((name, value)),
                    Said::Error(text) => errors.push(text),
                    Said::Info(_) | Said::Debug(_) => {}
                }
            }
            Ok(())
        })
        .await?;
    if !errors.is_empty() {
        return Err(ProvideError::Said(errors.join("\n")));
    }
    job.good(ended)?;
    decoder.finish()?;
    Ok(variables)
}

fn find(programs: &Programs, kind: &str) -> Result<PathBuf, ProvideError> {
    if kind == "compose" {
        return Err(ProvideError::Compose);
    }
    let found = programs.plugin(kind).or_else(|| programs.program(kind));
    found.ok_or_else(|| ProvideError::NoProvider {
        kind: kind.to_owned(),
    })
}

/// What a provider tells of itself; nothing where it does not know the question.
async fn metadata(programs: &Programs, file: &Path, kind: &str) -> Metadata {
    let job = Job {
        programs,
        file: file.to_owned(),
        args: ["compose", "metadata"].map(str::to_owned).to_vec(),
        name: format!("{} compose metadata", name_of(file)),
    };
    let Ok(output) = job.output(tokio::time::sleep(METADATA)).await else {
        return Metadata::default();
    };
    let Ok(metadata) = serde_json::from_slice(&output) else {
        return Metadata::default();
    };
    if let Some(folder) = programs.docker_folder() {
        // Editors read it there; that it cannot be written is no concern of the run.
        keep(&folder.join("compose/providers"), kind, &output).ok();
    }
    metadata
}

/// Leaves the metadata where docker compose leaves it.
fn keep(folder: &Path, kind: &str, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    if kind.contains('/') {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(format!("{kind}.json")))?;
    file.write_all(text)
}
