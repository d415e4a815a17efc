//! What is handed to a build and must not stay in the image: the host's certificate authorities,
//! pip's and apt's settings, and the stack's own build secrets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::ImageError;
use super::build::BuildJob;
use super::host::{APT_SECRET, CA_SECRET, PIP_SECRET, apt_conf};
use super::run::{Job, run};
use super::supply::Supply;
use crate::base::Secret;
use crate::model::FileSource;

impl Supply {
    /// What the host knows, by the secret's id.
    pub(super) async fn host_secret(&self, id: &str) -> Option<Secret<Vec<u8>>> {
        let content = match id {
            CA_SECRET => self.host.ca_bundle(),
            PIP_SECRET => self.host.pip_conf().map(String::into_bytes),
            APT_SECRET => self
                .apt_conf
                .get_or_init(|| self.read_apt_conf())
                .await
                .clone()
                .map(String::into_bytes),
            _ => None,
        };
        content.map(Secret::new)
    }

    async fn read_apt_conf(&self) -> Option<String> {
        let program = self.host.find_program("apt-config")?;
        let dump = std::sync::Mutex::new(String::new());
        let job = Job {
            command: vec![program.display().to_string(), "dump".to_owned()],
            folder: PathBuf::from("/"),
            env: BTreeMap::from([
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("LC_ALL".to_owned(), "C".to_owned()),
            ]),
            timeout: Duration::from_secs(10),
        };
        let ended = run(&job, &|line| {
            let mut dump = dump.lock().unwrap_or_else(|e| e.into_inner());
            dump.push_str(line);
            dump.push('\n');
        })
        .await
        .ok()?;
        let dump = dump.into_inner().unwrap_or_else(|e| e.into_inner());
        ended.is_success().then(|| apt_conf(&dump)).flatten()
    }

    pub(super) fn user_secrets(
        &self,
        job: &BuildJob<'_>,
        buildkit: bool,
    ) -> Result<BTreeMap<String, Secret<Vec<u8>>>, ImageError> {
        if !job.build.secrets.is_empty() && !buildkit {
            return Err(ImageError::Unsupported {
                image: job.image.clone(),
                what: "`secrets` need BuildKit, which this engine does not have or DOCKER_BUILDKIT=0 forbids"
                    .to_owned(),
            });
        }
        let mut out = BTreeMap::new();
        for secret in &job.build.secrets {
            let failed = |reason: String| ImageError::Secret {
                image: job.image.clone(),
                secret: secret.source.clone(),
                reason,
            };
            let source = job.secrets.and_then(|s| s.get(&secret.source));
            let content = match source {
                None => return Err(failed("is not defined".to_owned())),
                Some(FileSource::File(path)) => std::fs::read(path)
                    .map_err(|e| failed(format!("cannot be read from {}: {e}", path.display())))?,
                Some(FileSource::Environment { variable, value }) => match value {
                    Some(value) => value.expose().clone().into_bytes(),
                    None => return Err(failed(format!("wants the variable {variable}, which is not set"))),
                },
                Some(FileSource::Content(text)) => text.clone().into_bytes(),
                Some(FileSource::External(_)) => {
                    return Err(failed("is external, which a build cannot read".to_owned()));
                }
            };
            let id = secret.target.as_ref().unwrap_or(&secret.source);
            out.insert(id.clone(), Secret::new(content));
        }
        Ok(out)
    }
}

/// Whether an address in it carries a user, as in `https://user:password@host`.
pub(super) fn holds_password(content: &Secret<Vec<u8>>) -> bool {
    let text = String::from_utf8_lossy(content.expose());
    text.split_whitespace().any(|word| {
        word.split_once("://")
            .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
    })
}
