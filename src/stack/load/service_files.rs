//! The files that services name: environment and label files, and the content of configs and
//! secrets, which counts as part of what is wanted.

use std::path::PathBuf;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::assemble::DecodedStack;
use super::files::{Files, PathKind};
use super::variables::read_text;
use crate::base::ServiceName;
use crate::model::render::hex;
use crate::model::{FileSource, MountKind, Project};
use crate::stack::decode::EnvFileRef;
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::dotenv;
use crate::stack::interpolate::Variables;
use crate::stack::resolve::Places;
use crate::stack::source::{SourceMap, Span};

/// Environment and label files of each service.
pub(super) struct Wanted(Vec<(ServiceName, Vec<EnvFileRef>, Vec<EnvFileRef>)>);

impl Wanted {
    /// Takes them out of what was decoded; environment files only where they are to be read.
    pub(super) fn take(decoded: &mut DecodedStack, env_files: bool) -> Self {
        Self(
            decoded
                .services
                .iter_mut()
                .filter(|(_, s)| !s.env_files.is_empty() || !s.label_files.is_empty())
                .map(|(name, s)| {
                    let env_files = env_files.then(|| std::mem::take(&mut s.env_files));
                    let label_files = std::mem::take(&mut s.label_files);
                    (name.clone(), env_files.unwrap_or_default(), label_files)
                })
                .collect(),
        )
    }

    /// Reads them into the active services, of those only that were `asked` for and what they depend on; what
    /// the service says itself wins.
    pub(super) fn read_into(
        self,
        project: &mut Project,
        asked: &[ServiceName],
        variables: &Variables,
        files: &dyn Files,
        sources: &mut SourceMap,
        findings: &mut Findings,
    ) {
        let mut reader = Reader {
            folder: project.working_dir.clone(),
            variables,
            files,
            sources,
            findings,
        };
        // What other services read is nothing to whoever asks for these.
        let concerned = match asked {
            [] => None,
            asked => Some(project.closure(asked)),
        };
        for (name, env_files, label_files) in self.0 {
            if concerned.as_ref().is_some_and(|names| !names.contains(&name)) {
                continue;
            }
            let Some(service) = project.services.get_mut(&name) else {
                continue;
            };
            let own = std::mem::take(&mut service.environment);
            let from_files = reader.all(&env_files, Some(&own));
            service.environment = from_files.into_iter().map(|(k, v)| (k, Some(v))).collect();
            service.environment.extend(own);
            let own = std::mem::take(&mut service.labels);
            service.labels = reader.all(&label_files, None);
            service.labels.extend(own);
            service.label_files = label_files.into_iter().map(|label| label.file.path).collect();
        }
    }
}

struct Reader<'a> {
    /// Where paths start from that were left as they are written.
    folder: PathBuf,
    variables: &'a Variables,
    files: &'a dyn Files,
    sources: &'a mut SourceMap,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn all(
        &mut self,
        refs: &[EnvFileRef],
        own: Option<&IndexMap<String, Option<String>>>,
    ) -> IndexMap<String, String> {
        let mut out: IndexMap<String, String> = IndexMap::new();
        for EnvFileRef { file, span } in refs {
            let path = self.folder.join(&file.path);
            if self.files.kind(&path).is_none() {
                if file.required {
                    self.findings.push(
                        Finding::error(Code::Read, format!("no file {}", path.display()))
                            .at(*span)
                            .help("where it may be missing: {path: …, required: false}"),
                    );
                }
                continue;
            }
            let Some(text) = read_text(&path, self.files, self.findings) else {
                continue;
            };
            let variables = self.variables;
            let known = |name: &str| match own {
                Some(own) => variables
                    .get(name)
                    .or_else(|| out.get(name))
                    .cloned()
                    .or_else(|| own.get(name).cloned().flatten()),
                // Label files know nothing but each other.
                None => out.get(name).cloned(),
            };
            let parsed = if file.raw {
                dotenv::parse_raw(&text, &known)
            } else {
                dotenv::parse(&text, &known)
            };
            match parsed {
                Ok(parsed) => out.extend(parsed.variables),
                Err(error) => {
                    let name = path.display().to_string();
                    let id = self.sources.add(name, &path, text);
                    self.findings.push(
                        Finding::error(Code::EnvFile, error.message)
                            .label(Span::new(id, error.at..error.at + 1), "")
                            .label(*span, "read from here"),
                    );
                }
            }
        }
        out
    }
}

/// Fills in the digests of configs and secrets, and warns of files that are not there.
pub(super) fn digests(project: &mut Project, places: Places<'_>, files: &dyn Files, findings: &mut Findings) {
    let folder = project.working_dir.clone();
    for section in ["configs", "secrets"] {
        let resources = if section == "configs" {
            &mut project.configs
        } else {
            &mut project.secrets
        };
        for (key, resource) in resources {
            resource.digest = match &resource.source {
                FileSource::Content(text) => Some(digest(text.as_bytes())),
                FileSource::Environment { variable, value } => {
                    if value.is_none() {
                        let path = [section, key.as_str(), "environment"];
                        findings.push(
                            Finding::warning(
                                Code::UnsetVariable,
                                format!("the variable `{variable}` that `{section}.{key}` takes its content from is not set"),
                            )
                            .at(places.value(&path)),
                        );
                    }
                    value.as_ref().map(|v| digest(v.expose().as_bytes()))
                }
                FileSource::File(path) => match files.kind(&folder.join(path)) {
                    Some(PathKind::File) => files
                        .read(&folder.join(path))
                        .ok()
                        .map(|content| digest(&content)),
                    Some(PathKind::Folder) => None,
                    None => {
                        findings.push(
                            Finding::warning(Code::Suspicious, format!("no file {}", path.display()))
                                .at(places.value(&[section, key.as_str(), "file"])),
                        );
                        None
                    }
                },
                FileSource::External(_) => None,
            };
        }
    }
    missing_binds(project, places, files, findings);
}

/// A bind of something that looks like a file and is not there: the engine would put a folder in its place.
fn missing_binds(project: &Project, places: Places<'_>, files: &dyn Files, findings: &mut Findings) {
    for (name, service) in &project.services {
        for mount in &service.volumes {
            let MountKind::Bind {
                source,
                create_host_path,
                ..
            } = &mount.kind
            else {
                continue;
            };
            let looks_like_file =
                source.extension().is_some() && PathBuf::from(&mount.target).extension().is_some();
            if (looks_like_file || !create_host_path)
                && files.kind(&project.working_dir.join(source)).is_none()
            {
                let finding = Finding::warning(
                    Code::Suspicious,
                    format!(
                        "service `{name}` mounts {}, which does not exist",
                        source.display()
                    ),
                )
                .at(places.key(&["services", name.as_str(), "volumes"]));
                findings.push(if *create_host_path {
                    finding.help("the engine will make an empty folder there")
                } else {
                    finding
                });
            }
        }
    }
}

fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}
