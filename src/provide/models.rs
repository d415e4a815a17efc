//! Models, through docker's `model` plugin (Docker Model Runner).

use serde::Deserialize;

use super::ProvideError;
use super::find::Programs;
use super::process::Job;
use crate::model::ModelSpec;

/// The runner of models, as it answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelRunner {
    /// Where containers reach it.
    pub endpoint: String,
    /// References of the models that it has.
    pub available: Vec<String>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    endpoint: String,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Asks the runner where it serves models, and which it has.
///
/// # Errors
/// The plugin is missing, or does not answer as it should.
pub async fn find_runner(
    programs: &Programs,
    stop: impl Future<Output = ()>,
) -> Result<ModelRunner, ProvideError> {
    let answers = async {
        let status: Status = answer(programs, &["status", "--json"]).await?;
        // A runner that cannot list them is asked for each.
        let listed: Vec<Listed> = answer(programs, &["ls", "--json"]).await.unwrap_or_default();
        Ok(ModelRunner {
            endpoint: status.endpoint,
            available: listed.into_iter().filter_map(|one| one.tags).flatten().collect(),
        })
    };
    tokio::select! {
        found = answers => found,
        () = stop => Err(ProvideError::Ended {
            program: "docker model".into(),
            how: "was killed: the run was stopped".into(),
            lines: Vec::new(),
        }),
    }
}

/// Makes a model ready: pulls it where the runner does not have it, and configures it. Lines that the
/// runner writes meanwhile go to `said`.
///
/// # Errors
/// The runner's, in its own words.
pub async fn prepare_model(
    programs: &Programs,
    runner: &ModelRunner,
    spec: &ModelSpec,
    stop: impl Future<Output = ()>,
    said: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), ProvideError> {
    tokio::pin!(stop);
    if !runner.available.contains(&spec.model) {
        let job = job(programs, &["pull", &spec.model])?;
        let mut rest = Vec::new();
        let ended = job
            .run(&mut stop, &mut |bytes| {
                rest.extend_from_slice(bytes);
                while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line);
                    if !line.trim().is_empty() {
                        said(line.trim());
                    }
                }
                Ok(())
            })
            .await?;
        job.good(ended)?;
    }
    let mut args = vec!["configure".to_owned()];
    if let Some(size) = spec.context_size.filter(|size| *size > 0) {
        args.extend(["--context-size".to_owned(), size.to_string()]);
    }
    args.push(spec.model.clone());
    if !spec.runtime_flags.is_empty() {
        args.push("--".to_owned());
        args.extend(spec.runtime_flags.iter().cloned());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    job(programs, &args)?.output(&mut stop).await.map(drop)
}

async fn answer<T: serde::de::DeserializeOwned>(
    programs: &Programs,
    args: &[&str],
) -> Result<T, ProvideError> {
    let job = job(programs, args)?;
    let output = job.output(std::future::pending()).await?;
    serde_json::from_slice(&output).map_err(|error| ProvideError::Protocol {
        program: job.name.clone(),
        what: format!("expected JSON ({error})"),
    })
}

fn job<'a>(programs: &'a Programs, args: &[&str]) -> Result<Job<'a>, ProvideError> {
    Ok(Job {
        programs,
        file: programs.plugin("model").ok_or(ProvideError::NoModelPlugin)?,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        name: format!("docker model {}", args.first().copied().unwrap_or_default()),
    })
}
