//! Checks of the stack: its file, and the ports that it publishes.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use crate::engine::api::SharedEngine;
use crate::model::{Container, PortBinding, Project, labels};
use crate::probe::{EngineHost, holder, port_holder::PROC};
use crate::stack::Severity;
use crate::stack::diagnostic::{RenderStyle, render};

use super::super::super::context::Context;
use super::Finding;

/// What the stack file has against it, and the project where it has nothing.
pub(super) fn look(context: &Context) -> (Vec<Finding>, Option<Arc<Project>>) {
    let loaded = context.load(&[]);
    if loaded.is_not_found() {
        let text = loaded
            .errors()
            .map(|f| f.message.clone())
            .collect::<Vec<_>>()
            .join("; ");
        let advice = "name one with -f, or write the reference platform here with `platform init`";
        return (vec![Finding::warning("stack", text, advice)], None);
    }
    let style = RenderStyle {
        colour: false,
        unicode: context.settings.stdout.unicode,
        width: 0,
    };
    let mut findings: Vec<Finding> = loaded
        .findings
        .iter()
        .map(|finding| {
            let text = render(finding, &loaded.sources, style);
            match finding.severity {
                Severity::Error => Finding::bad("stack", text.trim_end(), "correct the stack file"),
                Severity::Warning => Finding::warning("stack", text.trim_end(), "see whether it is meant"),
            }
        })
        .collect();
    let project = match loaded.project {
        Some(project) => {
            super::super::super::load::mask_secrets(&project, &context.masker);
            Arc::new(project)
        }
        None => return (findings, None),
    };
    let files: Vec<String> = project.files.iter().map(|f| f.display().to_string()).collect();
    let text = format!(
        "stack {} with {} service{} ({})",
        project.name,
        project.services.len(),
        if project.services.len() == 1 { "" } else { "s" },
        files.join(", ")
    );
    findings.insert(0, Finding::good("stack", text));
    (findings, Some(project))
}

/// Whether the ports that the stack publishes are free, or its own.
pub(super) async fn ports(engine: &SharedEngine, project: &Project) -> Vec<Finding> {
    let (Ok(containers), Ok(info)) = futures_util::join!(engine.list_containers(None), engine.info()) else {
        // Told already, by the checks of the engine.
        return Vec::new();
    };
    let ours = |c: &Container| {
        c.labels
            .get(labels::PROJECT)
            .is_some_and(|name| name == project.name.as_str())
    };
    // Processes that hold a port can be seen on this machine only.
    let proc = match EngineHost::of(&info.endpoint) {
        EngineHost::Local => Path::new(PROC),
        EngineHost::Remote(_) => Path::new("/nonexistent"),
    };
    let (own, foreign): (Vec<Container>, Vec<Container>) = containers.into_iter().partition(ours);
    let mut findings = Vec::new();
    let mut free = BTreeSet::new();
    for (service, binding) in project
        .services
        .iter()
        .flat_map(|(name, service)| service.ports.iter().map(move |port| (name, port)))
    {
        // A range is chosen from, and no number means any free port.
        let Some(port) = binding.published.as_deref().and_then(|p| p.parse::<u16>().ok()) else {
            continue;
        };
        let address = address_of(binding);
        if holder(address, port, binding.protocol, &own, Path::new("/nonexistent")).is_some() {
            free.insert(port);
            continue;
        }
        match holder(address, port, binding.protocol, &foreign, proc) {
            None => {
                free.insert(port);
            }
            Some(holder) => findings.push(Finding::bad(
                "ports",
                format!(
                    "port {port}/{} of service {service} is held by {holder}",
                    binding.protocol.as_str()
                ),
                "stop what holds it, or publish another port",
            )),
        }
    }
    if !free.is_empty() {
        let ports: Vec<String> = free.iter().map(u16::to_string).collect();
        let text = format!(
            "ports of the stack that are free, or its own: {}",
            ports.join(", ")
        );
        findings.insert(0, Finding::good("ports", text));
    }
    findings
}

fn address_of(binding: &PortBinding) -> Option<IpAddr> {
    binding.host_ip.as_deref().and_then(|ip| ip.parse().ok())
}
