//! The stack and the engine, as commands get them.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::base::{Masker, ProjectName, ServiceName};
use crate::engine::api::SharedEngine;
use crate::engine::{Deadlines, Docker, EngineEnv, EngineError, portable_settings};
use crate::model::api_socket::{wants_api_socket, with_api_socket};
use crate::model::{FileSource, Project};
use crate::stack::diagnostic::{RenderStyle, render_all};
use crate::stack::{Disk, LoadRequest, Loaded, load};

use super::context::Context;
use super::exit::ExpectedError;
use super::output;
use super::settings::StackSource;

/// A secret file larger than this is not read to be masked.
const LARGEST_SECRET: u64 = 64 << 10;

impl Context {
    /// Loads the stack; `services` are those named on the command line, which take part whatever
    /// their profiles. What was found is returned with it.
    pub fn load(&self, services: &[ServiceName]) -> Loaded {
        self.load_with(services, &self.settings.profiles)
    }

    /// As [`Context::load`], with these profiles active.
    pub fn load_with(&self, services: &[ServiceName], profiles: &[String]) -> Loaded {
        load(&self.load_request(services, profiles), &Disk)
    }

    /// What [`Context::load_with`] loads.
    pub fn load_request(&self, services: &[ServiceName], profiles: &[String]) -> LoadRequest {
        let settings = &self.settings;
        let (files, stack) = match &settings.stack {
            StackSource::Files(files) => (
                files.iter().map(|f| f.to_string_lossy().into_owned()).collect(),
                None,
            ),
            StackSource::Named(name) => (Vec::new(), Some(name.clone())),
            StackSource::Search => (Vec::new(), None),
        };
        let mut environment: std::collections::HashMap<String, String> =
            self.env.vars().clone().into_iter().collect();
        if !settings.default_env_file {
            environment.insert(super::env::COMPOSE_DISABLE_ENV_FILE.to_owned(), "true".to_owned());
        }
        LoadRequest {
            working_dir: self.env.cwd().map(Path::to_owned).unwrap_or_default(),
            files,
            files_by_variable: settings.files_by_variable,
            stack,
            project_name: settings.project_name.as_ref().map(ToString::to_string),
            project_dir: settings.project_dir.clone(),
            profiles: profiles.to_vec(),
            env_files: settings.env_files.clone(),
            environment,
            services: services.iter().map(ToString::to_string).collect(),
            all_resources: settings.all_resources,
            ..LoadRequest::default()
        }
    }

    /// The project with the engine's socket and the client's credentials where services use them.
    pub async fn with_api_socket(&self, project: &Arc<Project>) -> Arc<Project> {
        if !wants_api_socket(project) {
            return project.clone();
        }
        let settings = portable_settings(&EngineEnv::new(self.env.vars().clone())).await;
        Arc::new(with_api_socket(project, settings))
    }

    /// The project; its warnings are told and its secrets are masked from here on.
    ///
    /// # Errors
    /// No stack, or one that is wrong.
    pub fn project(&self, services: &[ServiceName]) -> Result<Arc<Project>, ExpectedError> {
        self.checked(self.load(services))
    }

    /// The project of a load, under the same conditions as [`Context::project`].
    ///
    /// # Errors
    /// No stack, or one that is wrong.
    pub fn checked(&self, loaded: Loaded) -> Result<Arc<Project>, ExpectedError> {
        let project = self.told(loaded)?;
        mask_secrets(&project, &self.masker);
        Ok(Arc::new(project))
    }

    /// What was loaded, in whatever form; its warnings are told.
    ///
    /// # Errors
    /// No stack, or one that is wrong.
    pub fn told<T>(&self, loaded: Loaded<T>) -> Result<T, ExpectedError> {
        let style = RenderStyle {
            colour: self.settings.stderr.colour,
            unicode: self.settings.stderr.unicode,
            width: 0,
        };
        if loaded.is_not_found() {
            return Err(ExpectedError::Stack {
                rendered: render_all(&loaded.findings, &loaded.sources, style),
            });
        }
        let rendered = render_all(&loaded.findings, &loaded.sources, style);
        let Some(project) = loaded.project else {
            return Err(ExpectedError::Stack { rendered });
        };
        if !rendered.is_empty() {
            output::talk(&rendered);
            output::talk("\n");
        }
        Ok(project)
    }

    /// The project, read anew, with nothing told: for whoever has the terminal.
    ///
    /// # Errors
    /// No stack, or one that is wrong.
    pub fn project_quietly(&self) -> Result<Arc<Project>, ExpectedError> {
        let loaded = self.load(&[]);
        let Some(project) = loaded.project else {
            let wrong: Vec<_> = loaded.errors().cloned().collect();
            let rendered = render_all(&wrong, &loaded.sources, RenderStyle::default());
            return Err(ExpectedError::Stack { rendered });
        };
        mask_secrets(&project, &self.masker);
        Ok(Arc::new(project))
    }

    /// The project where there is a stack, and the project's name in any case: with `-p` alone, as in
    /// docker compose, commands that only look or remove go by the labels.
    ///
    /// # Errors
    /// A stack that is wrong, or neither stack nor name.
    pub fn project_or_name(
        &self,
        services: &[ServiceName],
    ) -> Result<(ProjectName, Option<Arc<Project>>), ExpectedError> {
        let mut request = self.load_request(services, &self.settings.profiles);
        // What environment files say is nothing to whoever looks at containers that are there.
        request.skip.env_files = true;
        self.requested_or_name(&request)
    }

    /// As [`Context::project_or_name`], with the environment of services as it would be.
    ///
    /// # Errors
    /// A stack that is wrong; no stack and no name.
    pub fn whole_project_or_name(&self) -> Result<(ProjectName, Option<Arc<Project>>), ExpectedError> {
        self.requested_or_name(&self.load_request(&[], &self.settings.profiles))
    }

    fn requested_or_name(
        &self,
        request: &LoadRequest,
    ) -> Result<(ProjectName, Option<Arc<Project>>), ExpectedError> {
        let name = self.settings.project_name.clone();
        if let Some(name) = name.clone()
            && self.settings.by_name
        {
            return Ok((name, None));
        }
        let loaded = load(request, &Disk);
        if loaded.is_not_found()
            && let Some(name) = name
        {
            return Ok((name, None));
        }
        let project = self.checked(loaded)?;
        Ok((project.name.clone(), Some(project)))
    }

    /// The engine; nothing is asked of it yet.
    ///
    /// # Errors
    /// No engine was found.
    pub async fn engine(&self) -> Result<SharedEngine, ExpectedError> {
        let env = EngineEnv::new(self.env.vars().clone());
        let engine = Docker::find(env, Deadlines::default())
            .await
            .map_err(EngineError::from)?;
        Ok(Arc::new(engine))
    }
}

/// Tells the masker every secret that the stack names.
pub(super) fn mask_secrets(project: &Project, masker: &Masker) {
    for secret in project.secrets.values() {
        match &secret.source {
            FileSource::File(path) => {
                let mut text = String::new();
                let read = std::fs::File::open(path)
                    .and_then(|file| file.take(LARGEST_SECRET).read_to_string(&mut text));
                if read.is_ok() {
                    masker.add(&text);
                }
            }
            FileSource::Environment {
                value: Some(value), ..
            } => masker.add(value.expose()),
            FileSource::Content(text) => masker.add(text),
            FileSource::Environment { value: None, .. } | FileSource::External(_) => {}
        }
    }
    for service in project.services.values() {
        let args = service
            .build
            .iter()
            .flat_map(|build| &build.args)
            .map(|(name, value)| (name, Some(value)));
        let variables = service
            .environment
            .iter()
            .map(|(name, value)| (name, value.as_ref()));
        for (name, value) in variables.chain(args) {
            // `POSTGRES_PASSWORD: postgres` must not hide a service's name wherever it stands.
            let telling = |value: &&String| {
                value.len() >= SHORTEST_VARIABLE && !project.services.contains_key(value.as_str())
            };
            if let Some(value) = value.filter(|_| is_secret_name(name)).filter(telling) {
                masker.add(value);
            }
        }
    }
}

/// A variable's value that is shorter than this is a placeholder or a common word.
const SHORTEST_VARIABLE: usize = 8;

/// Whether a variable of this name holds a secret, as far as names tell.
pub(super) fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "TOKEN",
        "API_KEY",
        "APIKEY",
        "PRIVATE_KEY",
        "CREDENTIAL",
    ];
    let name = name.to_ascii_uppercase();
    // `…_FILE` holds a path, as the official images have it.
    !name.ends_with("_FILE") && WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

    #[test]
    fn names_tell_secrets_from_paths_and_the_rest() {
        for name in [
            "DB_PASSWORD",
            "github_token",
            "AWS_SECRET_ACCESS_KEY",
            "STRIPE_API_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["POSTGRES_PASSWORD_FILE", "PATH", "KEYBOARD", "USER"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
