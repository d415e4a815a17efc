//! Checks of the engine: where it is, what it is, its clock, its disk, its way to registries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::base::{format_bytes, format_duration};
use crate::engine::api::SharedEngine;
use crate::engine::connect::{self, Endpoint, Found, Outcome as Looked};
use crate::engine::{Deadlines, DiskUsage, Docker, EngineEnv, EngineError, EngineErrorKind, EngineInfo};
use crate::image::Reference;
use crate::model::Project;

use super::super::super::context::Context;
use super::super::super::exit::ExpectedError;
use super::Finding;

/// How long a registry may take to answer.
const REGISTRY: Duration = Duration::from_secs(6);
/// How long the engine may take to add up its disk usage: some (fuse-overlayfs) walk every file.
const USAGE: Duration = Duration::from_secs(2);
/// Clocks may differ by so many seconds without harm.
const SKEW: i64 = 5;
/// Less room than this on the engine's disk is worth a look, and less than that will not do.
const LITTLE_ROOM: u64 = 2 << 30;
const NO_ROOM: u64 = 300 << 20;
/// So much that could be freed is worth a look.
const MUCH_UNUSED: u64 = 5 << 30;
/// An image that every public mirror has.
const COMMON_IMAGE: &str = "docker.io/library/hello-world:latest";

/// The engine, and how it was found.
pub(super) async fn find(context: &Context) -> Result<(Finding, SharedEngine), Finding> {
    let env = EngineEnv::new(context.env.vars().clone());
    match connect::find(&env).await {
        Ok(found) => {
            let finding = found_at(&found);
            Ok((finding, Arc::new(Docker::at(found, env, Deadlines::default()))))
        }
        Err(none) => {
            let mut text = "no container engine was found".to_owned();
            for place in &none.looked_at {
                text.push_str(&format!(
                    "\n{} ({}): {}",
                    place.address, place.source, place.outcome
                ));
            }
            let denied = none
                .looked_at
                .iter()
                .any(|l| l.outcome == Looked::PermissionDenied);
            let advice = if none.looked_at.is_empty() {
                "set DOCKER_HOST to the engine's address".to_owned()
            } else if denied {
                "add yourself to the engine's group (`sudo usermod -aG docker $USER`, then log in again), or use sudo"
                    .to_owned()
            } else {
                "start an engine (`systemctl start docker`, or `systemctl --user start podman.socket`), or name one \
                 with DOCKER_HOST or `docker context use`"
                    .to_owned()
            };
            Err(Finding::bad("engine", text, advice))
        }
    }
}

fn found_at(found: &Found) -> Finding {
    let mut text = format!("engine at {} ({})", found.endpoint, found.source);
    let passed: Vec<String> = found
        .looked_at
        .iter()
        .filter(|l| l.outcome != Looked::Chosen)
        .map(|l| format!("\npassed over {} ({}): {}", l.address, l.source, l.outcome))
        .collect();
    text.push_str(&passed.concat());
    match &found.endpoint {
        Endpoint::Tcp(host, _) if !is_loopback(host) => Finding::warning(
            "engine",
            text,
            "the connection is not encrypted, and who can use it is root on that machine: prefer its socket through a tunnel",
        ),
        _ => Finding::good("engine", text),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What can be told by asking the engine.
pub(super) async fn look(engine: &SharedEngine, project: Option<&Project>) -> Vec<Finding> {
    let before = jiff::Timestamp::now();
    let info = match engine.info().await {
        Ok(info) => info,
        Err(error) => return vec![lost(error)],
    };
    let after = jiff::Timestamp::now();
    let (usage, registries) = futures_util::join!(usage(engine), registries(engine, project),);
    let mut findings = vec![what_it_is(&info)];
    findings.extend(clock(&info.system_time, before, after));
    findings.push(disk(&info, usage));
    findings.extend(registries);
    findings
}

fn lost(error: EngineError) -> Finding {
    let error = ExpectedError::from(error);
    let hint = error.hint().unwrap_or_else(|| "see the engine's own log".into());
    // The rest of the hint is to ask this very command.
    let advice = hint.split("; `platform doctor`").next().unwrap_or_default();
    Finding::bad("engine", error.to_string(), advice)
}

fn what_it_is(info: &EngineInfo) -> Finding {
    let mut facts = vec![
        format!("API {}", info.api_version),
        format!("{}/{}", info.os, info.arch),
        format!("{} cores", info.cpus),
        format!("{} memory", format_bytes(info.memory)),
        format!("storage {}", info.storage_driver),
        format!("cgroup v{}", info.cgroup_version),
        (if info.buildkit { "BuildKit" } else { "no BuildKit" }).to_owned(),
    ];
    if info.rootless {
        facts.push("rootless".to_owned());
    }
    let text = format!("{} {}: {}", info.name, info.version, facts.join(", "));
    if info.buildkit {
        Finding::good("engine-version", text)
    } else {
        Finding::warning(
            "engine-version",
            text,
            "builds go through the classic builder, which has no secrets: install docker-buildx, or a newer engine",
        )
    }
}

/// The engine's clock was read between `before` and `after` of ours.
fn clock(engine: &str, before: jiff::Timestamp, after: jiff::Timestamp) -> Option<Finding> {
    let theirs: jiff::Timestamp = engine.parse().ok()?;
    let off = if theirs < before {
        theirs.as_second() - before.as_second()
    } else if theirs > after {
        theirs.as_second() - after.as_second()
    } else {
        0
    };
    Some(if off.abs() <= SKEW {
        Finding::good("clock", "the engine's clock agrees with this machine's")
    } else {
        let seconds = format_duration(Duration::from_secs(off.unsigned_abs()));
        let way = if off < 0 { "behind" } else { "ahead of" };
        Finding::warning(
            "clock",
            format!("the engine's clock is {seconds} {way} this machine's"),
            "ages and `logs --since` are off by that much, and certificates may be refused: set both by NTP",
        )
    })
}

/// What takes up room, or why that is not known.
async fn usage(engine: &SharedEngine) -> Result<DiskUsage, String> {
    match tokio::time::timeout(USAGE, engine.disk_usage()).await {
        Ok(told) => told.map_err(|error| format!("what takes up room is not known ({error})")),
        Err(_) => Err(format!(
            "the engine did not tell within {} what takes up room (`docker system df` waits for it)",
            format_duration(USAGE)
        )),
    }
}

fn disk(info: &EngineInfo, usage: Result<DiskUsage, String>) -> Finding {
    let (usage, taken) = match usage {
        Ok(u) => {
            let taken = format!(
                "images {}, containers {}, volumes {}, build cache {}",
                format_bytes(u.images),
                format_bytes(u.containers),
                format_bytes(u.volumes),
                format_bytes(u.build_cache)
            );
            (Some(u), taken)
        }
        Err(why) => (None, why),
    };
    let unused = usage.map(|u| u.unused_images + u.stopped_containers + u.unused_volumes + u.build_cache);
    let freeable = usage.map(|u| {
        format!(
            "could be freed: {} of images that no container uses, {} of stopped containers, {} of volumes that no \
             container uses, {} of build cache; look first (`docker system df -v`), then `docker image prune`, \
             `docker builder prune`",
            format_bytes(u.unused_images),
            format_bytes(u.stopped_containers),
            format_bytes(u.unused_volumes),
            format_bytes(u.build_cache)
        )
    });
    let advice = freeable.unwrap_or_else(|| "make room where the engine keeps its data".into());
    match free_at(Path::new(&info.root_dir)).filter(|_| info.endpoint.starts_with("unix://")) {
        Some(free) => {
            let text = format!("{} free in {}; {taken}", format_bytes(free), info.root_dir);
            if free < NO_ROOM {
                Finding::bad("disk", text, advice)
            } else if free < LITTLE_ROOM {
                Finding::warning("disk", text, advice)
            } else {
                plain_disk(text, unused, advice)
            }
        }
        None => plain_disk(format!("the engine's disk: {taken}"), unused, advice),
    }
}

fn plain_disk(text: String, unused: Option<u64>, advice: String) -> Finding {
    if unused.is_some_and(|unused| unused >= MUCH_UNUSED) {
        Finding::warning("disk", text, advice)
    } else {
        Finding::good("disk", text)
    }
}

/// Room for others than root, in bytes.
fn free_at(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Each registry that the stack names, asked about one image.
async fn registries(engine: &SharedEngine, project: Option<&Project>) -> Vec<Finding> {
    let mut images: BTreeMap<String, String> = BTreeMap::new();
    for service in project.iter().flat_map(|p| p.services.values()) {
        let Some(reference) = service.image.as_deref().filter(|_| service.build.is_none()) else {
            continue;
        };
        if let Ok(parsed) = Reference::parse(reference) {
            images
                .entry(parsed.registry)
                .or_insert_with(|| reference.to_owned());
        }
    }
    if images.is_empty()
        && let Ok(parsed) = Reference::parse(COMMON_IMAGE)
    {
        images.insert(parsed.registry, COMMON_IMAGE.to_owned());
    }
    let asked = images.iter().map(|(registry, image)| async move {
        match tokio::time::timeout(REGISTRY, engine.ask_registry(image)).await {
            Ok(Ok(())) => Finding::good("registry", format!("the engine reaches the registry {registry}")),
            Ok(Err(error)) => unreachable(registry, &reason(&error)),
            Err(_) => unreachable(
                registry,
                &format!("no answer within {}", format_duration(REGISTRY)),
            ),
        }
    });
    join_all(asked).await
}

fn reason(error: &EngineError) -> String {
    match &error.kind {
        EngineErrorKind::RegistryUnreachable(reason) => reason.clone(),
        other => other.to_string(),
    }
}

fn unreachable(registry: &str, reason: &str) -> Finding {
    Finding::warning(
        "registry",
        format!("the engine does not reach the registry {registry}: {reason}"),
        "images that are there, or that have a recipe under images/, do without; for others give the engine a proxy \
         or `registry-mirrors` (daemon.json), or bring them with `docker load`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_are_compared_within_the_time_it_took_to_ask() {
        let (before, after) = (at("2026-11-21T12:00:00Z"), at("2026-11-21T12:00:09Z"));
        let level = |engine: &str| clock(engine, before, after).map(|f| f.level);
        assert_eq!(level("2026-11-21T12:00:05.123456789Z"), Some(Level::Good));
        assert_eq!(level("2026-11-21T12:00:13Z"), Some(Level::Good));
        assert_eq!(level(""), None);
        let late = clock("2026-11-21T11:58:00Z", before, after).unwrap();
        assert_eq!(late.level, Level::Warning);
        assert_eq!(late.text, "the engine's clock is 2m0s behind this machine's");
        let ahead = clock("2026-11-21T14:00:10+01:00", before, after).unwrap();
        assert_eq!(ahead.text, "the engine's clock is 1h0m1s ahead of this machine's");
    }

    #[test]
    fn room_on_the_disk_decides_how_bad_it_is() {
        let usage = DiskUsage {
            unused_images: 6 << 30,
            ..DiskUsage::default()
        };
        let remote = EngineInfo {
            endpoint: "tcp://far:2375".into(),
            root_dir: "/".into(),
            ..EngineInfo::default()
        };
        let much = disk(&remote, Ok(usage));
        assert_eq!(much.level, Level::Warning);
        assert!(
            much.advice.unwrap().contains("6.0 GiB of images"),
            "{}",
            much.text
        );
        assert_eq!(disk(&remote, Ok(DiskUsage::default())).level, Level::Good);
        let untold = disk(&remote, Err("it did not tell".into()));
        assert_eq!(untold.text, "the engine's disk: it did not tell");
    }
}
