//! Where the project's own Prometheus and Alertmanager are, and asking them again and again.

use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use crate::base::ServiceName;
use crate::event::live::{Fact, Reading};
use crate::event::request::Needs;
use crate::model::{Container, Observed, Project};
use crate::probe::EngineHost;
use crate::probe::place::{Place, of_service};

/// Between two questions.
const PACE: Duration = Duration::from_secs(5);
/// After one that was not answered.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// For an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A service that is looked for by what it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought {
    /// The last part of its image's name.
    pub(super) image: &'static str,
    /// The port it listens on by default.
    pub(super) port: u16,
    /// Its name for people.
    pub(super) name: &'static str,
}

pub(super) const PROMETHEUS: Sought = Sought {
    image: "prometheus",
    port: 9090,
    name: "Prometheus",
};
pub(super) const ALERTMANAGER: Sought = Sought {
    image: "alertmanager",
    port: 9093,
    name: "Alertmanager",
};

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The project has none.
    Nobody(String),
    /// It has one that cannot be reached, and why.
    Away(String),
    /// There.
    At(Place),
}

/// Looks for a service: by its image, else by its port; in the files, else among the containers. One that
/// was found before by its port stays the one while it has containers: what does not run has no ports.
pub(super) fn find(
    sought: Sought,
    project: Option<&Project>,
    containers: &[Container],
    host: &EngineHost,
    before: &mut Option<ServiceName>,
) -> Found {
    let own = |name: &ServiceName| containers.iter().any(|c| !c.oneoff && c.service == *name);
    let known = before.take().filter(own);
    let Some(name) = service_of(sought, project, containers).or(known) else {
        return Found::Nobody(format!(
            "the project has no {}: no service has an image named {} or the port {}",
            sought.name, sought.image, sought.port
        ));
    };
    let port = port_of(
        sought,
        containers.iter().filter(|c| !c.oneoff && c.service == name),
    );
    let observed = Observed {
        containers: containers.to_vec(),
        ..Observed::default()
    };
    let place = of_service(&name, port, project, &observed, host);
    *before = Some(name);
    match place {
        Ok(place) => Found::At(place),
        Err(why) => Found::Away(why),
    }
}

fn service_of(sought: Sought, project: Option<&Project>, containers: &[Container]) -> Option<ServiceName> {
    let by_image = |reference: &str| last_part(reference) == sought.image;
    let listens = |c: &&Container| {
        c.ports
            .iter()
            .any(|p| p.target == sought.port && p.protocol == "tcp")
    };
    let own = || containers.iter().filter(|c| !c.oneoff);
    let in_files = project.into_iter().flat_map(|project| {
        let services = project.services.iter();
        services.filter(|(name, s)| by_image(&s.image_reference(project.name.as_str(), name.as_str())))
    });
    own()
        .find(|c| by_image(&c.image_ref))
        .map(|c| c.service.clone())
        .or_else(|| in_files.map(|(name, _)| name.clone()).next())
        .or_else(|| own().find(listens).map(|c| c.service.clone()))
}

/// The default port, unless the service has exactly one other.
fn port_of<'c>(sought: Sought, containers: impl Iterator<Item = &'c Container>) -> u16 {
    let mut ports: Vec<u16> = containers
        .flat_map(|c| &c.ports)
        .filter(|p| p.protocol == "tcp")
        .map(|p| p.target)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    match ports.as_slice() {
        [port] => *port,
        _ => sought.port,
    }
}

/// `prometheus` of `registry.example:5000/prom/prometheus:v3@sha256:…`.
fn last_part(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

/// Asks a service every five seconds while that is needed, at once when it becomes needed or the service
/// is somewhere else, and tells what it answers.
pub(super) async fn ask_again_and_again<T, F>(
    mut shared: Shared,
    sought: Sought,
    needed: fn(&Needs) -> bool,
    ask: impl Fn(Place, Instant) -> F,
    fact: fn(Reading<T>) -> Fact,
) where
    F: Future<Output = Result<T, String>>,
{
    let mut told: Option<String> = None;
    let mut before = None;
    loop {
        if !needed(&shared.needs.borrow_and_update()) {
            if shared.needs.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(found) = where_is(&mut shared, sought, &mut before) else {
            // Before the first list nobody knows who is there.
            if shared.there.changed().await.is_err() {
                return;
            }
            continue;
        };
        let reading = match &found {
            Found::Nobody(why) => Reading::Nobody(why.clone()),
            Found::Away(why) => Reading::Stale {
                last: None,
                why: why.clone(),
            },
            Found::At(place) => match ask(place.clone(), Instant::now() + PATIENCE).await {
                Ok(value) => Reading::Fresh {
                    value,
                    at: shared.setting.clock.now(),
                },
                Err(why) => Reading::Stale { last: None, why },
            },
        };
        let trouble = reading.trouble().map(str::to_owned);
        let pause = if trouble.is_none() { PACE } else { AFTER_FAILURE };
        // The same trouble is no news.
        if (trouble.is_none() || trouble != told) && !shared.tell(fact(reading)).await {
            return;
        }
        told = trouble;
        let again = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(again) => break,
                () = shared.facts.closed() => return,
                changed = shared.needs.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if !needed(&shared.needs.borrow_and_update()) {
                        break;
                    }
                }
                changed = shared.there.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    if where_is(&mut shared, sought, &mut before).is_none_or(|now| now != found) {
                        break;
                    }
                }
            }
        }
    }
}

/// Where a service is now; nothing before the first list.
fn where_is(shared: &mut Shared, sought: Sought, before: &mut Option<ServiceName>) -> Option<Found> {
    let there = shared.there.borrow_and_update();
    if !there.listed {
        return None;
    }
    let project = shared.stack.borrow();
    Some(find(
        sought,
        project.as_deref(),
        &there.containers,
        &there.host,
        before,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ContainerState;
    use crate::observe::testing::of_shop;
    use crate::probe::testing::published;

    fn found(containers: &[Container]) -> String {
        found_after(&mut None, containers)
    }

    fn found_after(before: &mut Option<ServiceName>, containers: &[Container]) -> String {
        match find(PROMETHEUS, None, containers, &EngineHost::Local, before) {
            Found::Nobody(why) => format!("nobody: {why}"),
            Found::Away(why) => format!("away: {why}"),
            Found::At(place) => place.shown(),
        }
    }

    #[test]
    fn names_of_images() {
        for (reference, last) in [
            ("prom/prometheus", "prometheus"),
            ("registry.example:5000/a/prometheus:v3@sha256:00", "prometheus"),
            ("prometheus:v3", "prometheus"),
            ("prom/prometheus-operator", "prometheus-operator"),
            ("", ""),
        ] {
            assert_eq!(last_part(reference), last, "{reference}");
        }
    }

    #[test]
    fn by_image_then_by_port() {
        let web = of_shop("web", 1);
        let mut metrics = of_shop("metrics", 1);
        metrics.image_ref = "docker.io/prom/prometheus:v3".into();
        metrics.ports = vec![published(9090, "127.0.0.1", 19090)];
        let mut other = of_shop("other", 1);
        other.ports = vec![published(9090, "127.0.0.1", 1)];
        let mut moved = metrics.clone();
        moved.ports = vec![published(9999, "0.0.0.0", 19999)];
        let mut ended = metrics.clone();
        ended.state = ContainerState::Exited {
            code: 1,
            oom_killed: false,
        };
        insta::assert_snapshot!([
            found(std::slice::from_ref(&web)),
            found(&[other.clone(), metrics]),
            found(&[web, other]),
            found(&[moved]),
            found(&[ended]),
        ].join("\n"), @r"
        nobody: the project has no Prometheus: no service has an image named prometheus or the port 9090
        http://127.0.0.1:19090
        http://127.0.0.1:1
        http://127.0.0.1:19999
        away: metrics is not running: exited with code 1
        ");
    }

    #[test]
    fn one_without_ports_any_more_is_the_one_that_was() {
        let mut other = of_shop("other", 1);
        other.ports = vec![published(9090, "127.0.0.1", 1)];
        let mut ended = other.clone();
        ended.ports = Vec::new();
        ended.state = ContainerState::Exited {
            code: 137,
            oom_killed: false,
        };
        let mut before = None;
        assert_eq!(found_after(&mut before, &[other]), "http://127.0.0.1:1");
        let away = "away: other is not running: exited with code 137";
        assert_eq!(found_after(&mut before, std::slice::from_ref(&ended)), away);
        assert_eq!(found_after(&mut before, &[ended]), away);
        assert!(found_after(&mut before, &[]).starts_with("nobody"));
    }
}
