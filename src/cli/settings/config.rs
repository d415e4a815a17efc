//! Settings of `config`.

use std::path::PathBuf;

use crate::base::ServiceName;
use crate::stack::load::Skip;

use super::super::args::config::{ConfigArgs, ConfigFormatArg};
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::service_names;

/// What `config` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSettings {
    /// Services that were named, with their dependencies; all where empty.
    pub services: Vec<ServiceName>,
    /// What is written.
    pub list: ConfigList,
    /// Steps of loading that are left out.
    pub skip: Skip,
    /// A file to write to, absolute; standard output where absent.
    pub output: Option<PathBuf>,
}

/// What `config` writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigList {
    /// Nothing: the stack is only checked.
    Nothing,
    /// The whole stack.
    Stack(ConfigFormat),
    /// Names of services.
    Services,
    /// References of images.
    Images,
    /// Keys of volumes.
    Volumes,
    /// Keys of networks.
    Networks,
    /// Names of profiles.
    Profiles,
    /// Services with hashes; of all where empty.
    Hashes(Vec<ServiceName>),
    /// Variables that the stack is interpolated with.
    Environment,
    /// Variables that the stack uses.
    Variables,
    /// Keys of models.
    Models,
    /// Where a value came from.
    Explanation(String, ConfigFormat),
}

/// How `config` writes a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFormat {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl ConfigSettings {
    /// Resolves the arguments of `config`.
    ///
    /// # Errors
    /// What is not supported.
    pub fn resolve(args: ConfigArgs, env: &Environment) -> Result<Self, ExpectedError> {
        let unsupported = [
            (args.resolve_image_digests, "--resolve-image-digests"),
            (args.lock_image_digests, "--lock-image-digests"),
        ];
        if let Some((_, flag)) = unsupported.iter().find(|(given, _)| *given) {
            return Err(ExpectedError::not_supported(
                flag,
                "`platform config` shows the stack resolved in full",
            ));
        }
        let skip = Skip {
            interpolation: args.no_interpolate,
            normalization: args.no_normalize,
            paths: args.no_path_resolution,
            // docker compose reads environment files with `--no-env-resolution` too.
            env_files: false,
            consistency: args.no_consistency,
        };
        let format = match args.format {
            ConfigFormatArg::Yaml => ConfigFormat::Yaml,
            ConfigFormatArg::Json => ConfigFormat::Json,
        };
        let list = if args.quiet {
            ConfigList::Nothing
        } else if args.service_names {
            ConfigList::Services
        } else if args.images {
            ConfigList::Images
        } else if args.volumes {
            ConfigList::Volumes
        } else if args.networks {
            ConfigList::Networks
        } else if args.profile_names {
            ConfigList::Profiles
        } else if let Some(names) = args.hash {
            ConfigList::Hashes(if names == "*" {
                Vec::new()
            } else {
                service_names(names.split(',').map(|n| n.trim().to_owned()).collect())
            })
        } else if args.environment {
            ConfigList::Environment
        } else if args.variables {
            ConfigList::Variables
        } else if let Some(name) = args.explain {
            ConfigList::Explanation(name, format)
        } else if args.models {
            ConfigList::Models
        } else {
            ConfigList::Stack(format)
        };
        Ok(Self {
            services: service_names(args.services),
            list,
            skip,
            output: args.output.map(|file| env.absolute(&file)),
        })
    }
}
