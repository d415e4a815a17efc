//! What all screens share: what is known of the project, what is selected, how things look.

use std::collections::BTreeSet;

use super::effect::{Confirm, Effect};
use super::settings::Settings;
use super::theme::Theme;
use crate::base::ServiceName;
use crate::event::live::{Live, Row};
use crate::event::request::Request;
use crate::plan::Instance;

/// What all screens share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// What is known of the project.
    pub live: Live,
    /// How things look.
    pub theme: Theme,
    /// What the settings file says.
    pub settings: Settings,
    /// The instance that is selected, on all screens.
    pub selected: Option<Instance>,
    /// Instances that are marked, to act on several.
    pub marked: BTreeSet<Instance>,
    /// Whether commands that change the project are refused.
    pub read_only: bool,
    /// Whether quitting may stop the stack: the dashboard of an `up` in the foreground.
    pub foreground: bool,
    /// Times are shown in this zone.
    pub zone: jiff::tz::TimeZone,
}

impl Shared {
    /// A dashboard that nothing was done in.
    pub fn new(live: Live, theme: Theme, settings: Settings) -> Self {
        Self {
            live,
            theme,
            settings,
            selected: None,
            marked: BTreeSet::new(),
            read_only: false,
            foreground: false,
            zone: jiff::tz::TimeZone::UTC,
        }
    }

    /// The row that is selected, where it is still there.
    pub fn selected_row(&self) -> Option<Row> {
        self.live.row(self.selected.as_ref()?)
    }

    /// What a command acts on: what is marked, else what is selected.
    pub fn targets(&self) -> Vec<Instance> {
        let rows = self.live.rows();
        let there = |instance: &Instance| rows.iter().any(|row| row.instance == *instance);
        if self.marked.is_empty() {
            return self.selected.iter().filter(|i| there(i)).cloned().collect();
        }
        let marked = rows.into_iter().map(|row| row.instance);
        marked.filter(|i| self.marked.contains(i)).collect()
    }

    /// The services of the targets, each once, in the stack's order.
    pub fn target_services(&self) -> Vec<ServiceName> {
        let mut services: Vec<ServiceName> = self.targets().into_iter().map(|i| i.service).collect();
        services.dedup();
        services
    }

    /// The effect of a request: done at once, or asked for first where it interrupts something.
    pub fn request(&self, request: Request, question: String) -> Effect {
        if self.read_only && !request.is_read_only() {
            return Effect::Trouble("read-only: nothing is changed here".into());
        }
        if !request.is_destructive() {
            return Effect::Request(request);
        }
        let project = self.live.name.as_ref().map_or("", |name| name.as_str());
        Effect::Confirm(Box::new(Confirm {
            question,
            command: request.command_line(project),
            effect: Effect::Request(request),
        }))
    }

    /// Where an instance is to be found with a browser: its service's link, else its first published port.
    pub fn url_of(&self, instance: &Instance) -> Option<String> {
        let links = self.live.project.iter().flat_map(|project| &project.ext.links);
        let service = instance.service.as_str();
        let linked = links
            .clone()
            .find(|link| link.service.as_deref() == Some(service))
            .or_else(|| links.clone().find(|link| link.name == service));
        if let Some(link) = linked {
            return Some(link.url.clone());
        }
        let container = self.live.container_of(instance)?;
        let mut ports = container.ports.iter().filter(|p| p.protocol == "tcp");
        let (host, port) = ports.find_map(|p| p.host.as_ref())?;
        let host = match host.as_str() {
            "" | "0.0.0.0" | "::" | "127.0.0.1" | "::1" => "localhost".to_owned(),
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        Some(format!("http://{host}:{port}/"))
    }

    /// A time of the engine's clock in the zone: `14:03:21`, with milliseconds where asked for.
    pub fn time(&self, nanoseconds: i64, milliseconds: bool) -> String {
        let format = if milliseconds { "%H:%M:%S%.3f" } else { "%H:%M:%S" };
        jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).map_or_else(
            |_| "?".to_owned(),
            |time| time.to_zoned(self.zone.clone()).strftime(format).to_string(),
        )
    }
}
