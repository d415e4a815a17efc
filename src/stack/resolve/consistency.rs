//! Checks that need the whole project.

use std::collections::{HashMap, HashSet};

use super::{Places, cycles, service_checks};
use crate::base::ServiceName;
use crate::model::smoke::{Address, SmokeCheck};
use crate::model::{
    FileMount, MountKind, NetworkMode, PortBinding, Project, Protocol, ResourceFile, Service,
};
use crate::stack::diagnostic::{Code, Finding, Findings, did_you_mean};
use crate::stack::source::Span;

/// Checks references, exclusions and clashes.
pub fn check(project: &Project, places: Places<'_>, findings: &mut Findings) {
    let mut check = Check {
        project,
        places,
        findings,
    };
    check.run();
    cycles::check(project, places, findings);
}

struct Check<'a> {
    project: &'a Project,
    places: Places<'a>,
    findings: &'a mut Findings,
}

impl Check<'_> {
    fn run(&mut self) {
        let project = self.project;
        let mut containers: HashMap<&str, &ServiceName> = HashMap::new();
        for (name, service) in &project.services {
            self.dependencies(name, service);
            self.networks(name, service);
            self.mounts(name, service);
            self.models(name, service);
            service_checks::check(name, service, project, self.places, self.findings);
            if let Some(container) = service.container_name.as_deref()
                && let Some(other) = containers.insert(container, name)
            {
                let at = |service: &ServiceName| {
                    self.places
                        .value(&["services", service.as_str(), "container_name"])
                };
                self.findings.push(
                    Finding::error(
                        Code::Duplicate,
                        format!("two services have the container name {container:?}"),
                    )
                    .label(at(name), "here")
                    .label(at(other), "and here"),
                );
            }
        }
        self.published_ports();
        self.ext();
    }

    /// Whether one more undefined reference is only counted: looking for its place costs too.
    fn is_saturated(&mut self) -> bool {
        let full = self.findings.is_full();
        if full {
            self.findings.push(Finding::error(Code::Undefined, ""));
        }
        full
    }

    fn undefined<'c>(
        &mut self,
        what: &str,
        name: &str,
        missing: &str,
        span: Span,
        candidates: impl IntoIterator<Item = &'c str>,
    ) {
        self.findings.push(
            Finding::error(
                Code::Undefined,
                format!("service `{name}` refers to the undefined {what} `{missing}`"),
            )
            .at(span)
            .help_opt(did_you_mean(missing, candidates)),
        );
    }

    fn dependencies(&mut self, name: &ServiceName, service: &Service) {
        for (other, dependency) in &service.depends_on {
            let known = self.project.services.contains_key(other);
            if known || (dependency.required && self.is_saturated()) {
                continue;
            }
            let span = self.places.dependency(name, service, other);
            if self.project.disabled.contains(other) {
                if dependency.required {
                    self.findings.push(
                        Finding::error(
                            Code::Undefined,
                            format!("service `{name}` depends on `{other}`, whose profile is not active"),
                        )
                        .at(span)
                        .help("activate the profile with --profile, or write `required: false`"),
                    );
                }
            } else if dependency.required {
                let known = self.project.services.keys().map(ServiceName::as_str);
                self.undefined("service", name.as_str(), other.as_str(), span, known);
            }
        }
    }

    fn networks(&mut self, name: &ServiceName, service: &Service) {
        let path = ["services", name.as_str(), "networks"];
        for network in service.networks.keys() {
            if !self.project.networks.contains_key(network) && !self.is_saturated() {
                let known = self.project.networks.keys().map(String::as_str);
                self.undefined(
                    "network",
                    name.as_str(),
                    network,
                    self.places.item(&path, network),
                    known,
                );
            }
        }
        if service.network_mode.is_some() && !service.networks.is_empty() {
            self.findings.push(
                Finding::error(
                    Code::Conflict,
                    format!("service `{name}` has both `network_mode` and `networks`"),
                )
                .label(
                    self.places.key(&["services", name.as_str(), "network_mode"]),
                    "this",
                )
                .label(self.places.key(&path), "excludes this"),
            );
        }
        if service.network_mode == Some(NetworkMode::Host) && !service.ports.is_empty() {
            self.findings.push(
                Finding::warning(
                    Code::Suspicious,
                    format!(
                        "service `{name}` publishes ports and uses the host's network: they have no effect"
                    ),
                )
                .at(self.places.key(&["services", name.as_str(), "ports"])),
            );
        }
    }

    fn mounts(&mut self, name: &ServiceName, service: &Service) {
        for mount in &service.volumes {
            if let MountKind::Volume {
                source: Some(volume), ..
            } = &mount.kind
                && !self.project.volumes.contains_key(volume)
                && !self.is_saturated()
            {
                let span = self.places.item(&["services", name.as_str(), "volumes"], volume);
                let known = self.project.volumes.keys().map(String::as_str);
                let near = did_you_mean(volume, known);
                let finding = Finding::error(
                    Code::Undefined,
                    format!("service `{name}` refers to the undefined volume `{volume}`"),
                )
                .at(span);
                self.findings.push(match near {
                    Some(near) => finding.help(near),
                    None => finding.help(format!(
                        "define it under the top-level `volumes`, or write ./{volume} for a folder"
                    )),
                });
            }
        }
        self.files(name, "configs", &service.configs, &self.project.configs);
        self.files(name, "secrets", &service.secrets, &self.project.secrets);
        if let Some(build) = &service.build {
            for secret in &build.secrets {
                if !self.project.secrets.contains_key(&secret.source) && !self.is_saturated() {
                    let span = self
                        .places
                        .item(&["services", name.as_str(), "build", "secrets"], &secret.source);
                    let known = self.project.secrets.keys().map(String::as_str);
                    self.undefined("build secret", name.as_str(), &secret.source, span, known);
                }
            }
        }
    }

    fn models(&mut self, name: &ServiceName, service: &Service) {
        for model in service.models.keys() {
            if !self.project.models.contains_key(model) && !self.is_saturated() {
                let span = self.places.item(&["services", name.as_str(), "models"], model);
                let known = self.project.models.keys().map(String::as_str);
                self.undefined("model", name.as_str(), model, span, known);
            }
        }
    }

    fn files(
        &mut self,
        name: &ServiceName,
        section: &str,
        mounts: &[FileMount],
        defined: &indexmap::IndexMap<String, ResourceFile>,
    ) {
        for mount in mounts {
            if !defined.contains_key(&mount.source) && !self.is_saturated() {
                let span = self
                    .places
                    .item(&["services", name.as_str(), section], &mount.source);
                let what = section.strip_suffix('s').unwrap_or(section);
                let known = defined.keys().map(String::as_str);
                self.undefined(what, name.as_str(), &mount.source, span, known);
            }
        }
    }

    /// Two services that publish the same port of the host cannot run together.
    fn published_ports(&mut self) {
        let mut taken: HashMap<(u16, Protocol), Vec<Holder<'_>>> = HashMap::new();
        for (name, service) in &self.project.services {
            if service.replicas() == 0 {
                continue;
            }
            for port in &service.ports {
                let Some(number) = single_port(port) else {
                    continue;
                };
                let host = port
                    .host_ip
                    .as_deref()
                    .filter(|ip| !matches!(*ip, "0.0.0.0" | "::"));
                let holders = taken.entry((number, port.protocol)).or_default();
                let clash = holders
                    .iter()
                    .find(|(other, ip)| *other != name && (ip.is_none() || host.is_none() || *ip == host));
                if let Some((other, _)) = clash {
                    let at =
                        |service: &ServiceName| self.places.key(&["services", service.as_str(), "ports"]);
                    self.findings.push(
                        Finding::warning(
                            Code::Duplicate,
                            format!(
                                "services `{other}` and `{name}` both publish port {number}/{}; they cannot run together",
                                port.protocol.as_str()
                            ),
                        )
                        .label(at(name), format!("`{name}`"))
                        .label(at(other), format!("`{other}`")),
                    );
                }
                holders.push((name, host));
            }
        }
    }

    /// Services named under the top-level `x-platform`.
    fn ext(&mut self) {
        let project = self.project;
        let known: HashSet<&str> = project
            .services
            .keys()
            .chain(&project.disabled)
            .map(ServiceName::as_str)
            .collect();
        let mut named: Vec<(String, &str)> = Vec::new();
        for test in &project.ext.smoke {
            let what = format!("the smoke test {:?}", test.name);
            for need in &test.needs {
                named.push((what.clone(), need.as_str()));
            }
            let at = match &test.check {
                SmokeCheck::Http { request, .. } => Some(&request.at),
                SmokeCheck::Tcp(at) | SmokeCheck::Promql { at, .. } | SmokeCheck::Dashboards { at, .. } => {
                    Some(at)
                }
                SmokeCheck::Exec { service, .. } => {
                    named.push((what.clone(), service.as_str()));
                    None
                }
            };
            if let Some(Address::Service { service, .. }) = at {
                named.push((what, service.as_str()));
            }
        }
        for link in &project.ext.links {
            if let Some(service) = &link.service {
                named.push((format!("the link {:?}", link.name), service));
            }
        }
        for (what, service) in named {
            if !known.contains(service) {
                self.findings.push(
                    Finding::error(
                        Code::Undefined,
                        format!("{what} refers to the undefined service `{service}`"),
                    )
                    .at(self.places.key(&["x-platform"]))
                    .help_opt(did_you_mean(service, known.iter().copied())),
                );
            }
        }
    }
}

/// A service that publishes a port, and on which address of the host.
type Holder<'p> = (&'p ServiceName, Option<&'p str>);

/// The one port of the host that a binding takes.
pub(super) fn single_port(port: &PortBinding) -> Option<u16> {
    port.published.as_deref()?.parse().ok().filter(|p| *p != 0)
}

/// Leaves only networks, volumes, configs and secrets that an active service uses.
pub fn forget_unused(project: &mut Project) {
    let (mut networks, mut volumes, mut configs, mut secrets) =
        (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    for service in project.services.values() {
        networks.extend(service.networks.keys().cloned());
        configs.extend(service.configs.iter().map(|m| m.source.clone()));
        secrets.extend(service.secrets.iter().map(|m| m.source.clone()));
        let of_build = service.build.iter().flat_map(|b| &b.secrets);
        secrets.extend(of_build.map(|m| m.source.clone()));
        for mount in &service.volumes {
            if let MountKind::Volume {
                source: Some(source), ..
            } = &mount.kind
            {
                volumes.insert(source.clone());
            }
        }
    }
    project.networks.retain(|key, _| networks.contains(key));
    project.volumes.retain(|key, _| volumes.contains(key));
    project.configs.retain(|key, _| configs.contains(key));
    project.secrets.retain(|key, _| secrets.contains(key));
}
