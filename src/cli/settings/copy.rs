//! Settings of `cp`, `export` and `commit`.

use std::path::PathBuf;

use crate::base::ServiceName;
use crate::engine::CommitSpec;
use crate::image::Reference;

use super::super::args::copy::{CommitArgs, CpArgs, ExportArgs};
use super::super::env::Environment;
use super::super::exit::ExpectedError;
use super::super::terminal::Terminal;
use super::check_index;

/// What `cp` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpSettings {
    /// The service.
    pub service: ServiceName,
    /// The path in its containers, as typed.
    pub inside: String,
    /// The path on this machine, absolute, a trailing `/` or `/.` kept; `None` is a standard stream.
    pub outside: Option<String>,
    /// Whether it goes into the containers.
    pub into: bool,
    /// Whether owners are kept.
    pub owners: bool,
    /// Whether what a link leads to is copied in its place.
    pub follow: bool,
    /// The number of the container; all, or the first to copy from, where absent.
    pub index: Option<u32>,
    /// Whether containers of `run` are meant as well.
    pub oneoffs: bool,
}

impl CpSettings {
    /// Resolves the arguments of `cp`.
    ///
    /// # Errors
    /// Two services, or none.
    pub fn resolve(args: CpArgs, env: &Environment) -> Result<Self, ExpectedError> {
        check_index(args.index)?;
        let (service, inside, outside, into) = match (split(&args.from), split(&args.to)) {
            (Some((service, path)), None) => (service, path, &args.to, false),
            (None, Some((service, path))) => (service, path, &args.from, true),
            (Some(_), Some(_)) => {
                return Err(ExpectedError::usage("copying between services is not supported"));
            }
            (None, None) => {
                return Err(ExpectedError::Usage {
                    message: "neither side is a service's".into(),
                    hint: Some("write SERVICE:PATH for a path in a container".into()),
                });
            }
        };
        Ok(Self {
            service: service.into(),
            inside: inside.to_owned(),
            // Not as a path, which would not keep what it ends with.
            outside: (outside != "-").then(|| match (outside.starts_with('/'), env.cwd()) {
                (false, Some(cwd)) => format!("{}/{outside}", cwd.display()),
                _ => outside.clone(),
            }),
            into,
            owners: args.archive,
            follow: args.follow_link,
            index: args.index,
            oneoffs: args.all,
        })
    }
}

/// `SERVICE:PATH`; what begins like a path is one (as in docker).
fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(':')
        .filter(|(service, _)| !service.is_empty() && !service.starts_with(['/', '.']))
}

/// What `export` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSettings {
    /// The service.
    pub service: ServiceName,
    /// The number of the container; the first where absent.
    pub index: Option<u32>,
    /// The file to write, absolute; standard output where absent.
    pub output: Option<PathBuf>,
}

impl ExportSettings {
    /// Resolves the arguments of `export`.
    ///
    /// # Errors
    /// A terminal that would get the archive.
    pub fn resolve(args: ExportArgs, env: &Environment, terminal: Terminal) -> Result<Self, ExpectedError> {
        check_index(args.index)?;
        let output = args.output.filter(|file| file.as_os_str() != "-");
        if output.is_none() && terminal.stdout {
            return Err(ExpectedError::Usage {
                message: "an archive is nothing for a terminal".into(),
                hint: Some("write it to a file with --output, or redirect standard output".into()),
            });
        }
        Ok(Self {
            service: args.service.into(),
            index: args.index,
            output: output.map(|file| env.absolute(&file)),
        })
    }
}

/// What `commit` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSettings {
    /// The service.
    pub service: ServiceName,
    /// The number of the container; the first where absent.
    pub index: Option<u32>,
    /// The image.
    pub image: CommitSpec,
}

impl CommitSettings {
    /// Resolves the arguments of `commit`.
    ///
    /// # Errors
    /// What is no name of an image.
    pub fn resolve(args: CommitArgs) -> Result<Self, ExpectedError> {
        check_index(args.index)?;
        let reference = args
            .reference
            .as_deref()
            .map(|text| match Reference::parse(text) {
                Ok(Reference { digest: Some(_), .. }) => Err(ExpectedError::usage(format!(
                    "`{text}` has a digest, which the image itself decides"
                ))),
                Ok(named) => Ok((named.familiar_name(), named.tag.unwrap_or_default())),
                Err(expected) => Err(ExpectedError::usage(format!(
                    "`{text}` is no name; expected {expected}"
                ))),
            })
            .transpose()?;
        Ok(Self {
            service: args.service.into(),
            index: args.index,
            image: CommitSpec {
                reference,
                message: args.message,
                author: args.author,
                changes: args.change,
                pause: args.pause != Some(false),
            },
        })
    }
}
