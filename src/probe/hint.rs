//! A cheap hint when a health check's command is worth running.
//!
//! A command in a container costs about 100 ms; a connection to the port that it will ask
//! costs nothing. So while a command is waited with, its port is watched, and the next run
//! is brought forward when the port opens. The hint never decides: a service that listens
//! only inside its container is found by the ordinary tries.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::address::{Candidate, EngineHost, Prefer, Via, candidates, connect};
use super::{Context, Pace, Probe, ProbeKind};
use crate::model::Container;

/// How many ports are watched at most.
const MOST: usize = 4;
/// For one connection.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Watches the ports that a command seems to be about.
pub(super) struct Hint<'a> {
    context: &'a Context<'a>,
    command: &'a [String],
}

impl<'a> Hint<'a> {
    pub(super) fn new(context: &'a Context<'a>, probe: &'a Probe) -> Self {
        Self {
            context,
            command: match &probe.kind {
                ProbeKind::Exec(command) => command,
                _ => &[],
            },
        }
    }

    /// Ends when one of the ports accepts a connection; never, where there is none to watch.
    pub(super) async fn opened(self) {
        let ways = match self.ways().await {
            Some(ways) if !ways.is_empty() => ways,
            _ => return std::future::pending().await,
        };
        let pace = Pace::default();
        loop {
            for way in &ways {
                if connect(std::slice::from_ref(way), TIMEOUT).await.is_ok() {
                    return;
                }
            }
            let waited = self.context.clock.now().saturating_sub(self.context.started_at);
            tokio::time::sleep(pace.delay(waited, Duration::ZERO)).await;
        }
    }

    async fn ways(&self) -> Option<Vec<Candidate>> {
        if *self.context.host != EngineHost::Local {
            return None;
        }
        let id = self
            .context
            .network_of
            .as_ref()
            .unwrap_or(&self.context.container);
        let found = self.context.engine.inspect(id).await.ok()?;
        let mut ways = Vec::new();
        for port in ports(self.command, &found.container) {
            let own = candidates(&found.container, port, self.context.host, Prefer::Container)
                .into_iter()
                .find(|c| c.via == Via::Container);
            ways.extend(own);
        }
        Some(ways)
    }
}

/// The ports that a command names beside `localhost`, else those that the container exposes.
fn ports(command: &[String], container: &Container) -> Vec<u16> {
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::|\s+)(\d{2,5})\b").ok()
    });
    let text = command.join(" ");
    let mut ports: Vec<u16> = NAMED
        .iter()
        .flat_map(|named| named.captures_iter(&text))
        .filter_map(|found| found.get(1)?.as_str().parse().ok())
        .collect();
    if ports.is_empty() {
        ports = container
            .ports
            .iter()
            .filter(|p| p.protocol == "tcp")
            .map(|p| p.target)
            .collect();
    }
    ports.sort_unstable();
    ports.dedup();
    ports.truncate(MOST);
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{container, published};

    #[test]
    fn ports_are_read_from_the_command_else_from_the_container() {
        let mut web = container(&[]);
        web.ports = vec![
            published(443, "0.0.0.0", 1),
            published(80, "0.0.0.0", 2),
            published(80, "::", 2),
        ];
        let of = |line: &str| ports(&["sh".into(), "-c".into(), line.into()], &web);
        assert_eq!(of("curl -f http://localhost:8000/health"), [8000]);
        assert_eq!(of("nc -z 127.0.0.1 5432 && wget -q http://[::1]:99999/"), [5432]);
        assert_eq!(of("pg_isready"), [80, 443]);
    }
}
