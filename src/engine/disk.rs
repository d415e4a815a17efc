//! What takes up room on the engine's disk.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;

use super::DiskUsage;
use super::api::Result;
use super::docker::Docker;
use super::raw::Call;

/// The engine walks every container and volume to tell.
const DEADLINE: Duration = Duration::from_secs(30);

impl Docker {
    /// Asks what takes up room.
    pub(super) async fn read_disk_usage(&self) -> Result<DiskUsage> {
        let call = Call::new("ask the engine's disk usage", Method::GET, "/system/df");
        self.http.fetch::<Answer>(call, DEADLINE).await.map(Answer::sum)
    }
}

/// As every engine up to API 1.51 answers, and later ones beside their newer form; lists are null
/// where there is nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    layers_size: i64,
    images: Option<Vec<Image>>,
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    build_cache: Option<Vec<Cache>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Image {
    size: i64,
    shared_size: i64,
    containers: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Container {
    size_rw: i64,
    state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Volume {
    usage_data: Option<VolumeUsage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeUsage {
    size: i64,
    ref_count: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Cache {
    size: i64,
    in_use: bool,
    shared: bool,
}

/// The engine says -1 for what it does not know.
fn bytes(size: i64) -> u64 {
    u64::try_from(size).unwrap_or(0)
}

impl Answer {
    fn sum(self) -> DiskUsage {
        let images = self.images.unwrap_or_default();
        let containers = self.containers.unwrap_or_default();
        let volumes: Vec<VolumeUsage> = self
            .volumes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|v| v.usage_data)
            .collect();
        DiskUsage {
            images: bytes(self.layers_size),
            // Layers that other images share stay when an image goes.
            unused_images: images
                .iter()
                .filter(|i| i.containers <= 0)
                .map(|i| bytes(i.size).saturating_sub(bytes(i.shared_size)))
                .sum(),
            containers: containers.iter().map(|c| bytes(c.size_rw)).sum(),
            stopped_containers: containers
                .iter()
                .filter(|c| !matches!(c.state.as_str(), "running" | "paused" | "restarting"))
                .map(|c| bytes(c.size_rw))
                .sum(),
            volumes: volumes.iter().map(|v| bytes(v.size)).sum(),
            unused_volumes: volumes
                .iter()
                .filter(|v| v.ref_count <= 0)
                .map(|v| bytes(v.size))
                .sum(),
            build_cache: self
                .build_cache
                .unwrap_or_default()
                .iter()
                .filter(|c| !c.in_use && !c.shared)
                .map(|c| bytes(c.size))
                .sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_what_is_used_and_what_is_not() {
        let answer: Answer = serde_json::from_str(
            r#"{"LayersSize": 1000,
                "Images": [{"Size": 700, "SharedSize": 100, "Containers": 0}, {"Size": 300, "SharedSize": -1, "Containers": 2}],
                "Containers": [{"SizeRw": 10, "State": "running"}, {"SizeRw": 5, "State": "exited"}, {"State": "created"}],
                "Volumes": [{"UsageData": {"Size": 50, "RefCount": 1}}, {"UsageData": {"Size": 7, "RefCount": 0}}, {"UsageData": null}],
                "BuildCache": [{"Size": 3, "InUse": false, "Shared": false}, {"Size": 4, "InUse": true, "Shared": false}],
                "BuilderSize": 0}"#,
        )
        .unwrap();
        assert_eq!(
            answer.sum(),
            DiskUsage {
                images: 1000,
                unused_images: 600,
                containers: 15,
                stopped_containers: 5,
                volumes: 57,
                unused_volumes: 7,
                build_cache: 3,
            }
        );
        let empty: Answer = serde_json::from_str(r#"{"LayersSize": 0, "Images": null}"#).unwrap();
        assert_eq!(empty.sum(), DiskUsage::default());
    }
}
