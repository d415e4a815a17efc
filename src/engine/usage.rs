//! What containers use of the machine, computed as `docker stats` does it, and their processes.

use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, future};
use hyper::Method;
use serde::Deserialize;

use super::api::Result;
use super::docker::Docker;
use super::lines::JsonLines;
use super::raw::Call;
use super::{EngineError, EngineErrorKind, sort};
use crate::base::ContainerId;
use crate::model::Usage;

/// The engine sends a reading about every second; a stream that is silent for so long hangs.
const IDLE: Duration = Duration::from_secs(15);
/// A single reading takes the engine two seconds: it waits for two to compare.
const ONCE: Duration = Duration::from_secs(15);
/// How long an engine that is there takes to say so.
const PING: Duration = Duration::from_secs(1);

/// The processes of a container (Engine API, `ContainerTop`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    /// Titles of the columns, as `ps` on the engine's machine has them.
    pub titles: Vec<String>,
    /// A row a process, a cell a column.
    pub rows: Vec<Vec<String>>,
}

/// A reading, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reading {
    cpu_stats: Cpu,
    precpu_stats: Cpu,
    memory_stats: Memory,
    #[serde(deserialize_with = "or_default")]
    networks: std::collections::HashMap<String, Network>,
    blkio_stats: BlockIo,
    pids_stats: Pids,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cpu {
    cpu_usage: CpuUsage,
    system_cpu_usage: u64,
    online_cpus: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuUsage {
    total_usage: u64,
    #[serde(deserialize_with = "or_default")]
    percpu_usage: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    #[serde(deserialize_with = "or_default")]
    stats: MemoryDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemoryDetails {
    total_inactive_file: Option<u64>,
    inactive_file: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlockIo {
    #[serde(deserialize_with = "or_default")]
    io_service_bytes_recursive: Vec<BlockEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BlockEntry {
    op: String,
    value: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: u64,
}

/// The engine writes `null` for what is empty.
fn or_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Reading {
    /// Whether it has an earlier reading to compare with: the first of a stream has none.
    fn is_compared(&self) -> bool {
        self.precpu_stats.system_cpu_usage > 0
    }

    /// As the docker command line computes it (docker/cli, `cli/command/container/stats_helpers.go`).
    fn resource_use(&self) -> Usage {
        let (mut read, mut written) = (0, 0);
        for entry in &self.blkio_stats.io_service_bytes_recursive {
            match entry.op.as_bytes().first() {
                Some(b'r' | b'R') => read += entry.value,
                Some(b'w' | b'W') => written += entry.value,
                _ => {}
            }
        }
        Usage {
            cpu_percent: self.cpu_percent(),
            memory: self.memory(),
            memory_limit: self.memory_stats.limit,
            received: self.networks.values().map(|n| n.rx_bytes).sum(),
            sent: self.networks.values().map(|n| n.tx_bytes).sum(),
            read,
            written,
            pids: self.pids_stats.current,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    fn cpu_percent(&self) -> f64 {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now.cpu_usage.total_usage as f64 - before.cpu_usage.total_usage as f64;
        let passed = now.system_cpu_usage as f64 - before.system_cpu_usage as f64;
        let cores = match now.online_cpus {
            0 => now.cpu_usage.percpu_usage.len() as f64,
            n => n as f64,
        };
        if passed > 0.0 && used > 0.0 {
            used / passed * cores * 100.0
        } else {
            0.0
        }
    }

    /// Memory without the file cache that is not in use: `total_inactive_file` of cgroup v1,
    /// `inactive_file` of v2.
    fn memory(&self) -> u64 {
        let usage = self.memory_stats.usage;
        let details = &self.memory_stats.stats;
        match (details.total_inactive_file, details.inactive_file) {
            (Some(cache), _) if cache < usage => usage - cache,
            (_, Some(cache)) if cache < usage => usage - cache,
            _ => usage,
        }
    }
}

impl Docker {
    /// Readings about every second. The first one comes after two, which it compares.
    pub(super) fn stream_stats(&self, id: &ContainerId) -> BoxStream<'static, Result<Usage>> {
        let operation = format!("watch the resources of container {}", id.short());
        let call = Call::new(&operation, Method::GET, format!("/containers/{id}/stats")).query("stream", "1");
        JsonLines::<Reading>::open(self.http.clone(), call, operation, IDLE)
            .filter_map(|reading| {
                future::ready(match reading {
                    Ok(reading) if reading.is_compared() => Some(Ok(reading.resource_use())),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                })
            })
            .boxed()
    }

    /// One reading, compared with one a second before.
    pub(super) async fn read_stats(&self, id: &ContainerId) -> Result<Usage> {
        let operation = format!("read the resources of container {}", id.short());
        let call = Call::new(operation, Method::GET, format!("/containers/{id}/stats")).query("stream", "0");
        let reading: Reading = self.http.fetch(call, ONCE).await?;
        Ok(reading.resource_use())
    }

    /// The processes of a running container.
    pub(super) async fn read_processes(&self, id: &ContainerId, ps_args: Option<&str>) -> Result<Processes> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Top {
            #[serde(default, deserialize_with = "or_default")]
            titles: Vec<String>,
            #[serde(default, deserialize_with = "or_default")]
            processes: Vec<Vec<String>>,
        }
        let operation = format!("list the processes of container {}", id.short());
        let mut call = Call::new(operation, Method::GET, format!("/containers/{id}/top"));
        if let Some(args) = ps_args {
            call = call.query("ps_args", args);
        }
        let top: Top = self.http.fetch(call, self.short()).await?;
        Ok(Processes {
            titles: top.titles,
            rows: top.processes,
        })
    }

    /// Whether the engine answers at all, within a second.
    pub(super) async fn answers(&self) -> Result<()> {
        const OPERATION: &str = "ping the engine";
        super::raw::within(OPERATION, PING, async {
            self.http
                .ping_again()
                .await
                .map_err(|e| EngineError::new(OPERATION, sort::send_error(&e)))
        })
        .await
    }
}

/// The one item of a stream that an engine does not have.
pub(super) fn unsupported<T: Send + 'static>(operation: &str) -> BoxStream<'static, Result<T>> {
    let error = EngineError::new(
        operation,
        EngineErrorKind::Unsupported("this engine cannot do that".into()),
    );
    stream::once(future::ready(Err(error))).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn cgroup_v1_as_docker_stats_shows_it() {
        let reading = reading(
            r#"{"read":"2026-11-21T16:00:01Z","num_procs":0,
                "pids_stats":{"current":7},
                "blkio_stats":{"io_service_bytes_recursive":[
                    {"major":8,"minor":0,"op":"Read","value":1000},{"major":8,"minor":0,"op":"Write","value":200},
                    {"major":8,"minor":0,"op":"Sync","value":5},{"major":8,"minor":0,"op":"Total","value":1200},
                    {"major":8,"minor":16,"op":"read","value":1}],"sectors_recursive":null},
                "cpu_stats":{"cpu_usage":{"total_usage":3000000000,"percpu_usage":[1,2]},
                             "system_cpu_usage":102000000000,"online_cpus":2},
                "precpu_stats":{"cpu_usage":{"total_usage":2500000000},"system_cpu_usage":100000000000,"online_cpus":2},
                "memory_stats":{"usage":10000,"limit":100000,"stats":{"total_inactive_file":4000,"inactive_file":1}},
                "networks":{"eth0":{"rx_bytes":10,"tx_bytes":20},"eth1":{"rx_bytes":1,"tx_bytes":2}}}"#,
        );
        assert!(reading.is_compared());
        assert_eq!(
            reading.resource_use(),
            Usage {
                cpu_percent: 50.0,
                memory: 6000,
                memory_limit: 100_000,
                received: 11,
                sent: 22,
                read: 1001,
                written: 200,
                pids: 7,
            }
        );
    }

    #[test]
    fn cgroup_v2_and_what_is_missing() {
        let second = reading(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":20,"percpu_usage":null},"system_cpu_usage":200,"online_cpus":4},
                "precpu_stats":{"cpu_usage":{"total_usage":10},"system_cpu_usage":100},
                "memory_stats":{"usage":500,"limit":1000,"stats":{"inactive_file":100}},
                "blkio_stats":{"io_service_bytes_recursive":null},"networks":null}"#,
        );
        let found = second.resource_use();
        assert_eq!((found.cpu_percent, found.memory), (40.0, 400));
        // A container that does not run has nothing; cores are counted where the engine does not tell.
        let none = reading(r#"{"cpu_stats":{},"precpu_stats":{},"memory_stats":{}}"#);
        assert!(!none.is_compared());
        assert_eq!(none.resource_use(), Usage::default());
        let old = reading(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":20,"percpu_usage":[1,1]},"system_cpu_usage":200},
                "precpu_stats":{"cpu_usage":{"total_usage":10},"system_cpu_usage":100}}"#,
        );
        assert_eq!(old.resource_use().cpu_percent, 20.0);
        // More cache than use is not believed, and a counter that went back is no use.
        let odd = reading(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":5},"system_cpu_usage":200,"online_cpus":1},
                "precpu_stats":{"cpu_usage":{"total_usage":10},"system_cpu_usage":100},
                "memory_stats":{"usage":500,"stats":{"inactive_file":600}}}"#,
        );
        let found = odd.resource_use();
        assert_eq!((found.cpu_percent, found.memory), (0.0, 500));
    }
}
