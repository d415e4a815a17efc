//! The details of the selected row: why it is as it is, and all that is known of it.

use super::item::{Item, nanoseconds};
use super::measures::{logs, plan, probes, traffic, usage};
use crate::event::live::{Live, Row, Shade, since};
use crate::event::{FailedService, ImageStage};
use crate::model::{Condition, Container, Mount, MountKind};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Line, age, ansi};

/// The width of what stands before a value.
pub(super) const KEY: usize = 10;
/// From this width on, the details stand in two columns.
const TWO: usize = 110;
/// How many log lines are shown.
const LOGS: usize = 6;

/// Something to be read together.
#[derive(Default)]
pub(super) struct Section {
    pub(super) lines: Vec<(Line, usize)>,
}

impl Section {
    pub(super) fn titled(title: &str) -> Self {
        let mut section = Self::default();
        section.line(Line::of(Role::Title, title));
        section
    }

    pub(super) fn line(&mut self, line: Line) {
        self.lines.push((line, 2));
    }

    /// `key       value`, the value wrapped under itself. An empty value is left out.
    pub(super) fn value(&mut self, key: &str, value: &Line) {
        if value.is_empty() {
            return;
        }
        let mut line = Line::of(Role::Dim, key);
        line.tab(KEY);
        line.append(value);
        self.lines.push((line, KEY));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.value(key, &Line::of(Role::Text, value));
    }

    fn wrapped(&self, columns: usize) -> Vec<Line> {
        self.lines
            .iter()
            .flat_map(|(line, hanging)| line.wrap(columns, *hanging))
            .collect()
    }
}

/// The details in lines for a width: one column, or two where there is room.
pub(super) fn lines(shared: &Shared, item: &Item, width: usize) -> Vec<Vec<Line>> {
    let sections: Vec<Section> = [
        why(shared, item),
        failure(shared, item),
        container(shared, item),
        waits(shared, item),
        probes(shared, item),
        usage(shared, item),
        traffic(shared, item),
        plan(shared, item),
        logs(shared, item),
    ]
    .into_iter()
    .flatten()
    .filter(|section| !section.lines.is_empty())
    .collect();
    if width < TWO {
        return flow(&sections, width)
            .into_iter()
            .map(|line| vec![line])
            .collect();
    }
    // Each column ends before the next one.
    let wide = width / 2 - 2;
    let wrapped: Vec<Vec<Line>> = sections.iter().map(|s| s.wrapped(wide)).collect();
    let all: usize = wrapped.iter().map(Vec::len).sum();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for section in wrapped {
        if right.is_empty() && (left.is_empty() || left.len() + section.len() / 2 <= all / 2) {
            left.extend(section);
        } else {
            right.extend(section);
        }
    }
    let rows = left.len().max(right.len());
    let at = |lines: &[Line], row: usize| lines.get(row).cloned().unwrap_or_default();
    (0..rows)
        .map(|row| vec![at(&left, row), at(&right, row)])
        .collect()
}

fn flow(sections: &[Section], width: usize) -> Vec<Line> {
    sections
        .iter()
        .flat_map(|section| section.wrapped(width))
        .collect()
}

/// What is not good, in full.
fn why(shared: &Shared, item: &Item) -> Option<Section> {
    let mut section = Section::default();
    let row = &item.row;
    // The failure report says the same, and more.
    if let Some(reason) = row
        .condition
        .reason
        .as_ref()
        .filter(|_| failed(&shared.live, item).is_none())
    {
        section
            .lines
            .push((Line::of(row.condition.shade.into(), reason), 0));
    }
    for alert in shared.live.firing(Some(&row.instance.service)) {
        let mut line = Line::of(Role::Bad, &alert.name);
        if !alert.severity.is_empty() {
            line.push(Role::Dim, format!(" {}", alert.severity));
        }
        if let Some(time) = nanoseconds(&alert.starts_at) {
            line.push(Role::Dim, format!(" for {}", age(since(time, shared.live.wall))));
        }
        line.push(Role::Text, format!("  {}", alert.summary));
        section.value("alert", &line);
    }
    if let Some(why) = shared.live.alerts.trouble() {
        section.value("alerts", &Line::of(Role::Dim, format!("not known: {why}")));
    }
    if !row.wanted {
        let told = "no service of the stack's files: `platform up --remove-orphans` removes it";
        section.value("orphan", &Line::of(Role::Attention, told));
    }
    Some(section)
}

fn failed<'l>(live: &'l Live, item: &Item) -> Option<&'l FailedService> {
    let report = live.run.as_ref()?.failure.as_ref()?;
    report.services.iter().find(|f| f.instance == item.row.instance)
}

/// What the run's failure report says of it.
fn failure(shared: &Shared, item: &Item) -> Option<Section> {
    let failed = failed(&shared.live, item)?;
    let mut section = Section::default();
    section.value("failed", &Line::of(Role::Bad, failed.headline()));
    section.text("", failed.said().unwrap_or_default());
    section.value(
        "do",
        &Line::of(Role::Attention, failed.hint().unwrap_or_default()),
    );
    chain(failed, &mut section);
    let blocks: Vec<&str> = failed.blocks.iter().map(|s| s.as_str()).collect();
    section.text("blocks", &blocks.join(", "));
    for line in failed.logs.iter().rev().take(LOGS).rev() {
        section.value("", &Line::of(Role::Dim, ansi::strip(line)));
    }
    Some(section)
}

fn chain(failed: &FailedService, section: &mut Section) {
    let names: Vec<&str> = failed.chain.iter().map(|link| link.service.as_str()).collect();
    if !names.is_empty() {
        section.text("needed by", &names.join(", "));
    }
}

fn container(shared: &Shared, item: &Item) -> Option<Section> {
    let live = &shared.live;
    let mut section = Section::default();
    let container = item.row.container.as_ref().and_then(|id| live.container(id));
    if let Some(container) = container {
        state(shared, item, container, &mut section);
        let id: String = container.id.as_str().chars().take(12).collect();
        section.value(
            "container",
            &Line::of(Role::Text, &container.name).with(Role::Dim, format!("  {id}")),
        );
    }
    section.text("image", &item.image);
    image(live, item, &mut section);
    section.text("url", &shared.url_of(&item.row.instance).unwrap_or_default());
    if let Some(container) = container {
        let ports: Vec<String> = container
            .ports
            .iter()
            .map(|port| match &port.host {
                Some((host, number)) => format!("{host}:{number} → {}/{}", port.target, port.protocol),
                None => format!("{}/{} (not published)", port.target, port.protocol),
            })
            .collect();
        section.text("ports", &ports.join(", "));
        for (network, place) in &container.addresses {
            let address = place
                .ip
                .map_or_else(|| "no address".to_owned(), |ip| ip.to_string());
            section.value(
                "network",
                &Line::of(Role::Text, network).with(Role::Dim, format!("  {address}")),
            );
        }
        if !container.command.is_empty() {
            section.value("command", &Line::of(Role::Dim, &container.command));
        }
    }
    let service = live
        .project
        .as_ref()
        .and_then(|p| p.services.get(&item.row.instance.service));
    for mount in service.iter().flat_map(|s| &s.volumes) {
        section.value("mount", &mounted(mount));
    }
    let oneoffs = live
        .containers
        .iter()
        .filter(|c| c.oneoff && c.service == item.row.instance.service);
    for one in oneoffs {
        section.value(
            "one-off",
            &Line::of(Role::Text, &one.name).with(Role::Dim, format!("  {}", one.status)),
        );
    }
    Some(section)
}

fn state(shared: &Shared, item: &Item, container: &Container, section: &mut Section) {
    let live = &shared.live;
    let mut line = Line::of(Role::Text, container.state.as_str());
    let details = live.details.get(&container.id);
    let at = |time: &str| {
        nanoseconds(time).map(|time| {
            let ago = age(since(time, live.wall));
            format!(" {} ({ago})", shared.time(time, false))
        })
    };
    if let crate::model::ContainerState::Exited { code, oom_killed } = container.state {
        line.push(Role::Text, format!(" with code {code}"));
        if oom_killed || details.is_some_and(|d| d.oom_killed) {
            line.push(Role::Bad, " killed for memory");
        }
        line.push(
            Role::Dim,
            details.and_then(|d| at(&d.finished_at)).unwrap_or_default(),
        );
    }
    if let Some(details) = details {
        if let Some(started) = at(&details.started_at) {
            line.push(Role::Dim, " · started");
            line.push(Role::Text, started);
        }
        if details.pid > 0 {
            line.push(Role::Dim, " · pid ");
            line.push(Role::Text, details.pid.to_string());
        }
        let role = if details.restart_count > 0 {
            Role::Attention
        } else {
            Role::Dim
        };
        line.push(Role::Dim, " · ");
        line.push(role, format!("{} restarts", details.restart_count));
    }
    section.value("state", &line);
    // The condition tells the engine's message for a start that failed, unless a run says more.
    if let Some(details) = details
        && !details.error.is_empty()
        && item.row.condition.reason.as_ref() != Some(&details.error)
    {
        section.value("error", &Line::of(Role::Bad, &details.error));
    }
}

fn mounted(mount: &Mount) -> Line {
    let from = match &mount.kind {
        MountKind::Bind { source, .. } => source.display().to_string(),
        MountKind::Volume { source, .. } => source.clone().unwrap_or_else(|| "anonymous volume".into()),
        MountKind::Image { source, .. } => format!("image {source}"),
        MountKind::Npipe { source } | MountKind::Cluster { source } => source.clone(),
        MountKind::Tmpfs { .. } => "memory".into(),
    };
    let mut line = Line::of(Role::Text, from)
        .with(Role::Dim, " → ")
        .with(Role::Text, &mount.target);
    if mount.read_only {
        line.push(Role::Dim, " read-only");
    }
    line
}

/// How its image comes along in a run.
fn image(live: &Live, item: &Item, section: &mut Section) {
    let Some(run) = &live.run else { return };
    let own = run
        .images
        .iter()
        .filter(|(_, view)| view.services.contains(&item.row.instance.service));
    for (reference, view) in own {
        let (role, text) = match &view.stage {
            ImageStage::Present => continue,
            ImageStage::Failed { .. } if failed(live, item).is_some() => continue,
            ImageStage::Pulling => (Role::Busy, "is being pulled".to_owned()),
            ImageStage::Building => (Role::Busy, "is being built".to_owned()),
            ImageStage::Bootstrapping => (Role::Busy, "its base is being made from packages".to_owned()),
            ImageStage::Obtained { line } => (Role::Dim, line.clone()),
            ImageStage::Unavailable { reason } => (Role::Attention, reason.clone()),
            ImageStage::Failed { reason } => (Role::Bad, reason.clone()),
        };
        section.value("", &Line::of(role, text));
        if let Some(progress) = run.progress.get(reference) {
            section.value("", &Line::of(Role::Text, &progress.text));
            section.value(
                "",
                &Line::of(Role::Dim, progress.last_line.as_deref().unwrap_or_default()),
            );
        }
    }
}

/// The row of a service that is the least good.
fn worst(rows: &[Row], service: &crate::base::ServiceName) -> Option<Row> {
    rows.iter()
        .filter(|row| row.instance.service == *service)
        .max_by_key(|row| row.condition.shade)
        .cloned()
}

fn waits(shared: &Shared, item: &Item) -> Option<Section> {
    let live = &shared.live;
    let project = live.project.as_ref()?;
    let name = &item.row.instance.service;
    let service = project.services.get(name)?;
    let rows = live.rows();
    let mut section = Section::default();
    for (key, (other, dependency)) in std::iter::once("needs")
        .chain(std::iter::repeat(""))
        .zip(&service.depends_on)
    {
        let mut line = Line::new();
        match worst(&rows, other) {
            Some(row) => {
                let shade = row.condition.shade;
                line.push(shade.into(), shared.theme.mark(shade));
                line.push(Role::Text, format!(" {other} "));
                line.push(shade.into(), &row.condition.word);
            }
            None => {
                line.push(Role::Dim, shared.theme.mark(Shade::Off));
                line.push(Role::Text, format!(" {other} "));
                line.push(Role::Dim, "not in the stack");
            }
        }
        let wanted = match dependency.condition {
            Condition::ServiceStarted => "started",
            Condition::ServiceHealthy => "ready",
            Condition::ServiceCompletedSuccessfully => "completed",
        };
        line.push(Role::Dim, format!(" · must be {wanted}"));
        if !dependency.required {
            line.push(Role::Dim, ", optional");
        }
        section.value(key, &line);
    }
    let dependents: Vec<&str> = project
        .services
        .iter()
        .filter(|(_, other)| other.depends_on.contains_key(name))
        .map(|(other, _)| other.as_str())
        .collect();
    section.text("needed by", &dependents.join(", "));
    Some(section)
}
