//! What a view asks for: the only way back from it. A message, never a call.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::{ContainerId, ServiceName};
use crate::plan::Instance;

/// What a view needs to be told of while it shows what it shows. What nobody looks at is not read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Containers whose use of the machine is shown.
    pub usage: BTreeSet<ContainerId>,
    /// Whether log lines are shown.
    pub logs: bool,
    /// Whether request rates are shown.
    pub traffic: bool,
    /// Whether alerts are shown.
    pub alerts: bool,
    /// Panels that are shown: index of the dashboard, indexes of its panels, and how far back.
    pub charts: Option<ChartNeed>,
    /// Whether what differs from the files is shown.
    pub plan: bool,
}

/// Panels that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartNeed {
    /// Index of the dashboard.
    pub board: usize,
    /// Indexes of its panels.
    pub panels: BTreeSet<usize>,
    /// How far back.
    pub span: Duration,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Start containers that are stopped.
    Start(Vec<Instance>),
    /// Stop containers, each within its grace period.
    Stop(Vec<Instance>),
    /// Stop and start containers.
    Restart(Vec<Instance>),
    /// Replace the containers of services, proven as `up` does.
    Recreate(Vec<ServiceName>),
    /// Build the images of services and replace their containers.
    Rebuild(Vec<ServiceName>),
    /// Run so many containers of a service.
    Scale(ServiceName, u32),
    /// Do what the plan says.
    Apply,
    /// Run smoke tests; all where empty.
    Smoke(Vec<String>),
    /// Try the probes of containers now.
    Probe(Vec<Instance>),
    /// Read the stack's files again and compare.
    Plan,
}

impl Request {
    /// The command line that does the same, without the flags that say which stack.
    pub fn command_line(&self, project: &str) -> String {
        let services = |instances: &[Instance]| {
            let mut names: Vec<&str> = instances.iter().map(|i| i.service.as_str()).collect();
            names.dedup();
            names.join(" ")
        };
        let names = |services: &[ServiceName]| {
            let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
            names.join(" ")
        };
        let rest = match self {
            Self::Start(instances) => format!("start {}", services(instances)),
            Self::Stop(instances) => format!("stop {}", services(instances)),
            Self::Restart(instances) => format!("restart {}", services(instances)),
            Self::Recreate(list) => format!("up -d --no-deps --force-recreate {}", names(list)),
            Self::Rebuild(list) => format!("up -d --no-deps --build --force-recreate {}", names(list)),
            Self::Scale(service, number) => format!("up -d --no-deps --scale {service}={number} {service}"),
            Self::Apply => "up -d".into(),
            Self::Smoke(list) if list.is_empty() => "smoke".into(),
            Self::Smoke(list) => {
                let quoted: Vec<String> = list.iter().map(|name| format!("'{name}'")).collect();
                format!("smoke {}", quoted.join(" "))
            }
            Self::Probe(instances) => format!("ps {}", services(instances)),
            Self::Plan => "plan".into(),
        };
        format!("platform -p {project} {rest}")
    }

    /// Whether it stops or replaces something that may be in use.
    pub fn is_destructive(&self) -> bool {
        matches!(
            self,
            Self::Stop(_)
                | Self::Restart(_)
                | Self::Recreate(_)
                | Self::Rebuild(_)
                | Self::Scale(..)
                | Self::Apply
        )
    }

    /// Whether it changes nothing.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Smoke(_) | Self::Probe(_) | Self::Plan)
    }
}
