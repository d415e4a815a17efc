//! `ps`: docker compose's columns and JSON fields, so that scripts made for it go on working.

use super::template::{Fields, Format};
use serde_json::{Value, json};

use super::style::{Style, Tone};
use super::table::{Cell, Table};
use super::text::truncate;
use crate::model::observed::BoundPort;
use crate::model::{Container, ContainerState, EngineHealth};

/// A container as `ps` shows it.
#[derive(Debug, Clone, Copy)]
pub struct PsRow<'a> {
    /// What the engine says.
    pub container: &'a Container,
    /// What our own probe says where it differs from the engine's view: shown behind the status.
    pub remark: Option<&'a str>,
}

/// Columns of a command, as docker compose cuts it.
const COMMAND: usize = 20;

/// The table. `now` is the engine's clock in seconds since 1970.
pub fn table(rows: &[PsRow<'_>], now: i64, columns: Option<usize>, style: &Style) -> String {
    let mut table = Table::new()
        .flexible("NAME", 12)
        .flexible("IMAGE", 12)
        .droppable()
        .flexible("COMMAND", 8)
        .droppable()
        .flexible("SERVICE", 10)
        .column("CREATED")
        .droppable()
        .flexible("STATUS", 22)
        .flexible("PORTS", 22);
    for row in rows {
        let container = row.container;
        let status = match row.remark {
            Some(remark) => format!("{} ({remark})", container.status),
            None => container.status.clone(),
        };
        let command = if container.command.is_empty() {
            String::new()
        } else {
            format!("\"{}\"", truncate(&container.command, COMMAND, style))
        };
        table.row([
            container.name.clone().into(),
            container.image_ref.clone().into(),
            command.into(),
            Cell::toned(
                Tone::of_service(container.service.as_str()),
                container.service.as_str(),
            ),
            format!("{} ago", age(now.saturating_sub(container.created))).into(),
            Cell::toned(tone(container), status),
            ports(&container.ports).into(),
        ]);
    }
    table.render(columns, style)
}

/// What a container's state and health amount to.
fn tone(container: &Container) -> Tone {
    match (&container.state, container.health) {
        (ContainerState::Running, Some(EngineHealth::Unhealthy)) => Tone::Bad,
        (ContainerState::Running, Some(EngineHealth::Starting)) => Tone::Wait,
        (ContainerState::Running, _) => Tone::Good,
        (ContainerState::Exited { code: 0, .. }, _) => Tone::Dim,
        (ContainerState::Exited { .. } | ContainerState::Dead, _) => Tone::Bad,
        (ContainerState::Restarting | ContainerState::Paused, _) => Tone::Warn,
        (ContainerState::Created | ContainerState::Removing, _) => Tone::Dim,
    }
}

/// A field of a template, by its name in [`json`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(&'static str);

/// How rows are written by a template.
pub type PsTemplate = Format<Field>;

impl Fields for Field {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self("ID"), "ID", "CONTAINER ID"),
        (Self("Name"), "Name", "NAME"),
        (Self("Names"), "Names", "NAMES"),
        (Self("Image"), "Image", "IMAGE"),
        (Self("Command"), "Command", "COMMAND"),
        (Self("Project"), "Project", "PROJECT"),
        (Self("Service"), "Service", "SERVICE"),
        (Self("CreatedAt"), "CreatedAt", "CREATED AT"),
        (Self("RunningFor"), "RunningFor", "CREATED"),
        (Self("State"), "State", "STATE"),
        (Self("Status"), "Status", "STATUS"),
        (Self("Health"), "Health", "HEALTH"),
        (Self("ExitCode"), "ExitCode", "EXIT CODE"),
        (Self("Ports"), "Ports", "PORTS"),
        (Self("Networks"), "Networks", "NETWORKS"),
        (Self("Labels"), "Labels", "LABELS"),
    ];
    const TABLE: &'static str =
        "{{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}";
}

/// The rows by a template, each line ended.
pub fn by_template(rows: &[PsRow<'_>], template: &PsTemplate, project: &str, now: i64) -> String {
    let values: Vec<Value> = rows.iter().map(|row| json(row, project, now)).collect();
    template.write(&values, |row, Field(name)| match &row[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// One object a container, with docker compose's names.
pub fn json(row: &PsRow<'_>, project: &str, now: i64) -> Value {
    let container = row.container;
    let exit = match container.state {
        ContainerState::Exited { code, .. } => code,
        _ => 0,
    };
    let health = match container.health {
        Some(EngineHealth::Starting) => "starting",
        Some(EngineHealth::Healthy) => "healthy",
        Some(EngineHealth::Unhealthy) => "unhealthy",
        None => "",
    };
    // Our own definition label is long, and for nobody else.
    let labels: Vec<String> = container
        .labels
        .iter()
        .filter(|(name, _)| *name != crate::model::labels::SPEC)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let networks: Vec<&str> = container.addresses.keys().map(String::as_str).collect();
    let publishers: Vec<Value> = container
        .ports
        .iter()
        .map(|port| {
            let (url, published) = port.host.clone().unwrap_or_default();
            json!({"URL": url, "TargetPort": port.target, "PublishedPort": published, "Protocol": port.protocol})
        })
        .collect();
    json!({
        "Command": format!("\"{}\"", truncate(&container.command, COMMAND, &Style::PLAIN)),
        "CreatedAt": created_at(container.created),
        "ExitCode": exit,
        "Health": health,
        "ID": container.id.short(),
        "Image": container.image_ref,
        "Labels": labels.join(","),
        "Name": container.name,
        "Names": container.name,
        "Networks": networks.join(","),
        "Ports": ports(&container.ports),
        "Project": project,
        "Publishers": publishers,
        "RunningFor": format!("{} ago", age(now.saturating_sub(container.created))),
        "Service": container.service,
        "State": container.state.as_str(),
        "Status": container.status,
    })
}

/// Seconds since 1970 as docker compose writes them.
fn created_at(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
    )
}

/// Seconds in words, as the engine's own tools put them: `3 minutes`, `About an hour`.
pub fn age(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match seconds {
        ..1 => "Less than a second".into(),
        1 => "1 second".into(),
        2..60 => format!("{seconds} seconds"),
        _ if minutes == 1 => "About a minute".into(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".into(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// Ports as the engine's own tools put them: `127.0.0.1:8080->80/tcp, 9000-9002/tcp`.
pub fn ports(ports: &[BoundPort]) -> String {
    let mut sorted: Vec<&BoundPort> = ports.iter().collect();
    sorted.sort_by(|a, b| {
        (&a.host.as_ref().map(|h| &h.0), a.target, &a.protocol, &a.host).cmp(&(
            &b.host.as_ref().map(|h| &h.0),
            b.target,
            &b.protocol,
            &b.host,
        ))
    });
    sorted.dedup();
    let mut ranges: Vec<Range<'_>> = Vec::new();
    for port in sorted {
        match ranges.last_mut() {
            Some(range) if range.takes(port) => range.count += 1,
            _ => ranges.push(Range {
                first: port,
                count: 1,
            }),
        }
    }
    ranges.iter().map(Range::text).collect::<Vec<_>>().join(", ")
}

/// An address and a port, so that they can be connected to: `127.0.0.1:80`, `[::]:80`.
pub fn address(ip: &str, port: &str) -> String {
    if ip.contains(':') && !ip.starts_with('[') {
        format!("[{ip}]:{port}")
    } else {
        format!("{ip}:{port}")
    }
}

/// Consecutive ports on one address.
struct Range<'a> {
    first: &'a BoundPort,
    count: u16,
}

impl Range<'_> {
    /// Whether `port` is the next one.
    fn takes(&self, port: &BoundPort) -> bool {
        let follows = |first: u16, next: u16| first.checked_add(self.count) == Some(next);
        self.first.protocol == port.protocol
            && follows(self.first.target, port.target)
            && match (&self.first.host, &port.host) {
                (None, None) => true,
                (Some((address, first)), Some((other, next))) => address == other && follows(*first, *next),
                _ => false,
            }
    }

    fn text(&self) -> String {
        let span = |first: u16| match self.count {
            1 => first.to_string(),
            n => format!("{first}-{}", first.saturating_add(n - 1)),
        };
        let target = span(self.first.target);
        let protocol = &self.first.protocol;
        match &self.first.host {
            Some((ip, port)) => format!("{}->{target}/{protocol}", address(ip, &span(*port))),
            None => format!("{target}/{protocol}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn port(target: u16, host: Option<(&str, u16)>) -> BoundPort {
        BoundPort {
            target,
            protocol: "tcp".into(),
            host: host.map(|(address, port)| (address.to_owned(), port)),
        }
    }

    fn container() -> Container {
        Container {
            id: "0123456789abcdef".into(),
            name: "devops-nginx-1".into(),
            service: "nginx".into(),
            number: 1,
            oneoff: false,
            state: ContainerState::Running,
            health: Some(EngineHealth::Healthy),
            image: "sha256:1".into(),
            image_ref: "nginx:1.26.3".into(),
            labels: Default::default(),
            addresses: Default::default(),
            ports: vec![
                port(80, Some(("0.0.0.0", 8080))),
                port(80, Some(("::", 8080))),
                port(9090, None),
            ],
            volumes: Vec::new(),
            command: "/docker-entrypoint.sh nginx -g daemon off;".into(),
            created: 1000,
            status: "Up 3 minutes (healthy)".into(),
        }
    }

    #[test]
    fn has_the_columns_of_docker_compose() {
        let container = container();
        let row = PsRow {
            container: &container,
            remark: None,
        };
        assert_snapshot!(table(&[row], 1180, None, &Style::PLAIN), @r#"
        NAME             IMAGE          COMMAND                  SERVICE   CREATED         STATUS                   PORTS
        devops-nginx-1   nginx:1.26.3   "/docker-entrypoint.…"   nginx     3 minutes ago   Up 3 minutes (healthy)   9090/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp
        "#);
        assert_snapshot!(table(&[row], 1180, Some(80), &Style::PLAIN), @r"
        NAME             SERVICE   STATUS                   PORTS
        devops-nginx-1   nginx     Up 3 minutes (healthy)   9090/tcp, 0.0.0.0:8080->80/…
        ");
        assert_snapshot!(json(&row, "devops", 1180), @r#"{"Command":"\"/docker-entrypoint.…\"","CreatedAt":"1970-01-01 00:16:40 +0000 UTC","ExitCode":0,"Health":"healthy","ID":"0123456789ab","Image":"nginx:1.26.3","Labels":"","Name":"devops-nginx-1","Names":"devops-nginx-1","Networks":"","Ports":"9090/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp","Project":"devops","Publishers":[{"URL":"0.0.0.0","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"},{"URL":"::","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"},{"URL":"","TargetPort":9090,"PublishedPort":0,"Protocol":"tcp"}],"RunningFor":"3 minutes ago","Service":"nginx","State":"running","Status":"Up 3 minutes (healthy)"}"#);
    }

    #[test]
    fn ports_are_grouped_by_address() {
        let all: Vec<BoundPort> = (0..3)
            .map(|n| port(8000 + n, Some(("127.0.0.1", 9000 + n))))
            .chain([port(8005, None), port(8006, None), port(65535, None)])
            .collect();
        assert_snapshot!(ports(&all), @r"8005-8006/tcp, 65535/tcp, 127.0.0.1:9000-9002->8000-8002/tcp");
        assert_eq!(ports(&[]), "");
    }

    #[test]
    fn ages_are_words() {
        let words: Vec<String> = [
            0,
            1,
            59,
            60,
            180,
            3600,
            7200,
            200_000,
            2_000_000,
            20_000_000,
            100_000_000,
        ]
        .into_iter()
        .map(age)
        .collect();
        assert_eq!(
            words,
            [
                "Less than a second",
                "1 second",
                "59 seconds",
                "About a minute",
                "3 minutes",
                "About an hour",
                "2 hours",
                "2 days",
                "3 weeks",
                "7 months",
                "3 years"
            ]
        );
    }
}
