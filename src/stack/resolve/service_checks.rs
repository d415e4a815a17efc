//! Checks of a service's attributes against each other (compose-go's `loader/validate.go`).

use std::collections::HashMap;

use super::Places;
use super::consistency::single_port;
use crate::base::ServiceName;
use crate::model::{Build, Project, Service};
use crate::stack::diagnostic::{Code, Finding, Findings, did_you_mean};
use crate::stack::source::Span;

/// Checks one service.
pub(super) fn check(
    name: &ServiceName,
    service: &Service,
    project: &Project,
    places: Places<'_>,
    findings: &mut Findings,
) {
    let mut check = Check {
        name,
        service,
        places,
        findings,
    };
    check.resources();
    check.replicas();
    check.targets();
    if let Some(build) = &service.build {
        check.build(build, project);
    }
}

struct Check<'a> {
    name: &'a ServiceName,
    service: &'a Service,
    places: Places<'a>,
    findings: &'a mut Findings,
}

impl<'a> Check<'a> {
    fn path<'p>(&'p self, below: &[&'p str]) -> Vec<&'p str> {
        let mut path = vec!["services", self.name.as_str()];
        path.extend(below);
        path
    }

    fn key(&self, below: &[&str]) -> Span {
        self.places.key(&self.path(below))
    }

    /// What stands both in the service and in `deploy` must be the same; where `deploy` has limits, or
    /// reservations, without this one, that is not the same either.
    fn resources(&mut self) {
        let service = self.service;
        let Some(deploy) = &service.deploy else { return };
        let own = |number: Option<u64>| number.filter(|n| *n != 0);
        let pairs: [(&str, [&str; 3], bool); 4] = [
            (
                "cpus",
                ["resources", "limits", "cpus"],
                service
                    .cpus
                    .is_some_and(|cpus| cpus != 0.0 && deploy.limit_cpus != Some(cpus)),
            ),
            (
                "mem_limit",
                ["resources", "limits", "memory"],
                own(service.mem_limit).is_some_and(|bytes| deploy.limit_memory != Some(bytes)),
            ),
            (
                "mem_reservation",
                ["resources", "reservations", "memory"],
                own(service.mem_reservation).is_some_and(|bytes| deploy.reserve_memory != Some(bytes)),
            ),
            (
                "pids_limit",
                ["resources", "limits", "pids"],
                service
                    .pids_limit
                    .is_some_and(|pids| pids != 0 && deploy.limit_pids != Some(pids)),
            ),
        ];
        for (attribute, [resources, kind, of_deploy], differs) in pairs {
            if !differs || !self.places.has(&self.path(&["deploy", resources, kind])) {
                continue;
            }
            let is_there = self
                .places
                .has(&self.path(&["deploy", resources, kind, of_deploy]));
            let dotted = format!("deploy.{resources}.{kind}.{of_deploy}");
            let name = self.name;
            let finding = Finding::error(
                Code::Conflict,
                if is_there {
                    format!("`{attribute}` and `{dotted}` of service `{name}` differ")
                } else {
                    format!("`{attribute}` of service `{name}` stands beside a `deploy.{resources}.{kind}` without `{of_deploy}`")
                },
            )
            .label(self.key(&[attribute]), "this")
            .label(self.key(&["deploy", resources, kind, of_deploy]), "and this");
            self.findings
                .push(finding.help(format!("write one of them, or the same in both: `{dotted}`")));
        }
    }

    fn replicas(&mut self) {
        let (name, service) = (self.name, self.service);
        let replicas = service.replicas();
        let of_deploy = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
        if let (Some(scale), Some(of_deploy)) = (service.scale, of_deploy)
            && scale != of_deploy
        {
            self.findings.push(
                Finding::error(
                    Code::Conflict,
                    format!("`scale` and `deploy.replicas` of service `{name}` differ"),
                )
                .label(self.key(&["scale"]), "this")
                .label(self.key(&["deploy", "replicas"]), "and this"),
            );
        }
        if replicas < 2 {
            return;
        }
        if service.container_name.is_some() {
            self.findings.push(
                Finding::error(
                    Code::Conflict,
                    format!(
                        "service `{name}` has a fixed `container_name` and {replicas} replicas; a name can be used once"
                    ),
                )
                .at(self.key(&["container_name"])),
            );
        }
        if let Some(port) = service.ports.iter().find(|p| single_port(p).is_some()) {
            self.findings.push(
                Finding::warning(
                    Code::Suspicious,
                    format!(
                        "only one of the {replicas} replicas of `{name}` can publish port {}",
                        port.published.as_deref().unwrap_or_default()
                    ),
                )
                .at(self.key(&["ports"]))
                .help("publish a range (\"8080-8090:80\"), or only the target (\"80\")"),
            );
        }
    }

    /// One thing can be mounted at a place.
    fn targets(&mut self) {
        let tmpfs = self.service.tmpfs.iter().map(|mount| {
            let target = mount.split(':').next().unwrap_or_default();
            ("tmpfs", target)
        });
        let volumes = self.service.volumes.iter();
        let volumes = volumes.map(|mount| ("volumes", mount.target.as_str()));
        let mut taken: HashMap<&str, &str> = HashMap::new();
        for (attribute, target) in tmpfs.chain(volumes) {
            let Some(other) = taken.insert(target, attribute) else {
                continue;
            };
            let finding = Finding::error(
                Code::Duplicate,
                format!("service `{}` mounts two things at {target}", self.name),
            );
            let here = self.places.mounts_at(&self.path(&[attribute]), target);
            let mut there = self.places.mounts_at(&self.path(&[other]), target);
            if other == attribute {
                there.rotate_right(1);
            }
            let spans = [here.last(), there.first()];
            let finding = spans.into_iter().flatten().fold(finding, |finding, span| {
                let text = if finding.labels.is_empty() {
                    "here"
                } else {
                    "and here"
                };
                finding.label(*span, text)
            });
            self.findings.push(finding);
        }
    }

    fn build(&mut self, build: &Build, project: &Project) {
        let name = self.name;
        for (context, place) in &build.additional_contexts {
            let Some(other) = place.strip_prefix("service:") else {
                continue;
            };
            let at = self
                .places
                .item(&self.path(&["build", "additional_contexts"]), context);
            let problem = match project.services.get(other) {
                Some(service) if service.build.is_some() => continue,
                Some(_) => Finding::error(
                    Code::Conflict,
                    format!("service `{name}` builds with the image of `{other}`, which is not built"),
                )
                .help(format!(
                    "for an image that is pulled: {context}: docker-image://…"
                )),
                None => Finding::error(
                    Code::Undefined,
                    format!("service `{name}` builds with the image of the undefined service `{other}`"),
                )
                .help_opt(did_you_mean(
                    other,
                    project.services.keys().map(ServiceName::as_str),
                )),
            };
            self.findings.push(problem.at(at));
        }
        if let Some(platform) = &self.service.platform
            && !build.platforms.is_empty()
            && !build.platforms.contains(platform)
        {
            self.findings.push(
                Finding::error(
                    Code::Conflict,
                    format!("service `{name}` runs on {platform}, and its build makes no image for that"),
                )
                .label(self.places.value(&self.path(&["platform"])), "this")
                .label(self.key(&["build", "platforms"]), "is not among these"),
            );
        }
    }
}
