//! `ls`, `images` and `volumes`: docker compose's columns and JSON fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::ps::age;
use super::stats::decimal;
use super::template::{Fields, Format, columns};
use super::text::one_line;
use crate::base::ImageId;
use crate::model::{Container, Image, VolumeFound, labels};

/// The least width of a column of `ls` and `images`, and the room between two, as docker compose has them.
const LEAST: usize = 20;
const GAP: usize = 3;
/// Go's zero time, which docker compose writes for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A project as `ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its name.
    pub name: String,
    /// `exited(1), running(3)`
    pub status: String,
    /// Its stack files, separated by commas.
    pub files: String,
}

/// The projects that containers belong to, by name.
pub fn projects(containers: &[&Container]) -> Vec<ProjectRow> {
    let mut all: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
    for container in containers {
        if let Some(project) = container.labels.get(labels::PROJECT) {
            all.entry(project).or_default().push(container);
        }
    }
    all.into_iter()
        .map(|(name, own)| ProjectRow {
            name: name.to_owned(),
            status: status(&own),
            files: files(&own).unwrap_or_else(|| "N/A".to_owned()),
        })
        .collect()
}

fn status(containers: &[&Container]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers {
        *counts.entry(container.state.as_str()).or_default() += 1;
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{state}({count})"))
        .collect();
    words.join(", ")
}

/// `None` where a container does not say.
fn files(containers: &[&Container]) -> Option<String> {
    let mut files: Vec<&str> = Vec::new();
    for container in containers {
        for file in container.labels.get(labels::CONFIG_FILES)?.split(',') {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Some(files.join(","))
}

/// The table of projects.
pub fn projects_table(rows: &[ProjectRow]) -> String {
    let titles = ["NAME", "STATUS", "CONFIG FILES"].map(str::to_owned).to_vec();
    let cells = rows.iter().map(|row| {
        [&row.name, &row.status, &row.files]
            .map(|cell| one_line(cell).into_owned())
            .to_vec()
    });
    columns(
        &std::iter::once(titles).chain(cells).collect::<Vec<_>>(),
        LEAST,
        GAP,
    )
}

/// The projects as one array.
pub fn projects_json(rows: &[ProjectRow]) -> Value {
    rows.iter()
        .map(|row| json!({"Name": row.name, "Status": row.status, "ConfigFiles": row.files}))
        .collect()
}

/// A container with the image it was made from, where the engine still has that.
#[derive(Debug, Clone, Copy)]
pub struct ImageRow<'a> {
    /// The container.
    pub container: &'a Container,
    /// Its image.
    pub image: Option<&'a Image>,
}

/// The table of images; `now` is the engine's clock in seconds since 1970.
pub fn images_table(rows: &[ImageRow<'_>], now: i64) -> String {
    let titles = [
        "CONTAINER",
        "REPOSITORY",
        "TAG",
        "PLATFORM",
        "IMAGE ID",
        "SIZE",
        "CREATED",
    ];
    let cells = rows.iter().map(|row| {
        let (repository, tag) = named(row.container);
        let or_none = |text: String| {
            if text.is_empty() {
                "<none>".to_owned()
            } else {
                text
            }
        };
        let image = row.image.cloned().unwrap_or_default();
        let tagged: Option<jiff::Timestamp> = image.last_tagged.parse().ok();
        let cells = [
            row.container.name.clone(),
            or_none(repository),
            or_none(tag),
            image.platform,
            row.container.image.short().to_owned(),
            row.image
                .map_or_else(|| "N/A".to_owned(), |image| decimal(image.size)),
            tagged.map_or_else(
                || "N/A".to_owned(),
                |time| format!("{} ago", age(now.saturating_sub(time.as_second()))),
            ),
        ];
        cells.map(|cell| one_line(&cell).into_owned()).to_vec()
    });
    let titles = titles.map(str::to_owned).to_vec();
    columns(
        &std::iter::once(titles).chain(cells).collect::<Vec<_>>(),
        LEAST,
        GAP,
    )
}

/// The images as one array, an object a container.
pub fn images_json(rows: &[ImageRow<'_>]) -> Value {
    rows.iter()
        .map(|row| {
            let (repository, tag) = named(row.container);
            let image = row.image.cloned().unwrap_or_default();
            let tagged = Some(image.last_tagged).filter(|time| !time.is_empty());
            json!({
                "ID": row.container.image,
                "ContainerName": row.container.name,
                "Repository": repository,
                "Tag": tag,
                "Platform": image.platform,
                "Size": image.size,
                "LastTagTime": tagged.as_deref().unwrap_or(NEVER),
            })
        })
        .collect()
}

/// The ids of the images, without what they are hashed with, each once.
pub fn image_ids(rows: &[ImageRow<'_>]) -> String {
    let mut known: BTreeSet<&ImageId> = BTreeSet::new();
    let ids = rows.iter().map(|row| &row.container.image);
    ids.filter(|id| known.insert(id))
        .map(|id| format!("{}\n", id.as_str().trim_start_matches("sha256:")))
        .collect()
}

/// Repository and tag of the image as the container names it; empty where it names none.
fn named(container: &Container) -> (String, String) {
    let reference = container.image_ref.as_str();
    let hex = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let id = container.image.as_str().trim_start_matches("sha256:");
    let bare = reference.trim_start_matches("sha256:");
    if bare.is_empty() || (hex(bare) && id.starts_with(bare)) {
        return Default::default();
    }
    let (name, digest) = match reference.split_once('@') {
        Some((name, _)) => (name, true),
        None => (reference, false),
    };
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    };
    let repository = repository.strip_prefix("docker.io/").unwrap_or(repository);
    let repository = repository.strip_prefix("library/").unwrap_or(repository);
    // A digest says more than a tag beside it.
    let tag = if digest { "" } else { tag };
    (repository.to_owned(), tag.to_owned())
}

/// How volumes are written.
pub type VolumesFormat = Format<VolumeField>;

/// A field of a volume, in docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "docker's own names, told by their titles")]
pub enum VolumeField {
    Availability,
    Driver,
    Group,
    Labels,
    Links,
    Mountpoint,
    Name,
    Scope,
    Size,
    Status,
}

impl Fields for VolumeField {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Availability, "Availability", "AVAILABILITY"),
        (Self::Driver, "Driver", "DRIVER"),
        (Self::Group, "Group", "GROUP"),
        (Self::Labels, "Labels", "LABELS"),
        (Self::Links, "Links", "LINKS"),
        (Self::Mountpoint, "Mountpoint", "MOUNTPOINT"),
        (Self::Name, "Name", "VOLUME NAME"),
        (Self::Scope, "Scope", "SCOPE"),
        (Self::Size, "Size", "SIZE"),
        (Self::Status, "Status", "STATUS"),
    ];
    const TABLE: &'static str = "{{.Driver}}\t{{.Name}}";
}

/// The volumes, each line ended.
pub fn volumes(volumes: &[VolumeFound], format: &VolumesFormat) -> String {
    format.write(volumes, |volume, field| match field {
        VolumeField::Driver => volume.driver.clone(),
        VolumeField::Labels => {
            let labels = volume
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            labels.collect::<Vec<_>>().join(",")
        }
        VolumeField::Mountpoint => volume.mountpoint.clone(),
        VolumeField::Name => volume.name.clone(),
        VolumeField::Scope => volume.scope.clone(),
        // What only clusters have, and what takes the engine long to add up.
        VolumeField::Availability
        | VolumeField::Group
        | VolumeField::Links
        | VolumeField::Size
        | VolumeField::Status => "N/A".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::model::ContainerState;
    use crate::model::testing::container;

    fn of(project: &str, files: Option<&str>, state: ContainerState) -> Container {
        let mut one = container("web", 1);
        one.state = state;
        one.labels.insert(labels::PROJECT.into(), project.into());
        if let Some(files) = files {
            one.labels.insert(labels::CONFIG_FILES.into(), files.into());
        }
        one
    }

    #[test]
    fn projects_are_listed_with_their_states_and_files() {
        let ended = ContainerState::Exited {
            code: 1,
            oom_killed: false,
        };
        let containers = [
            of("shop", Some("/a.yaml,/b.yaml"), ContainerState::Running),
            of("shop", Some("/a.yaml"), ContainerState::Running),
            of("shop", Some("/c.yaml"), ended),
            of("blog", None, ContainerState::Paused),
        ];
        let rows = projects(&containers.iter().collect::<Vec<_>>());
        assert_snapshot!(projects_table(&rows), @r"
        NAME                STATUS                  CONFIG FILES
        blog                paused(1)               N/A
        shop                exited(1), running(2)   /a.yaml,/b.yaml,/c.yaml
        ");
        assert_snapshot!(projects_json(&rows), @r#"[{"Name":"blog","Status":"paused(1)","ConfigFiles":"N/A"},{"Name":"shop","Status":"exited(1), running(2)","ConfigFiles":"/a.yaml,/b.yaml,/c.yaml"}]"#);
        assert_eq!(projects_json(&[]).to_string(), "[]");
    }

    #[test]
    fn images_are_named_as_in_lists_of_images() {
        let image = format!("sha256:{}", "ab".repeat(32));
        let named_as = |reference: &str| {
            let mut one = container("web", 1);
            one.image = image.as_str().into();
            one.image_ref = reference.to_owned();
            named(&one)
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(named_as("nginx:1.26"), pair("nginx", "1.26"));
        assert_eq!(named_as("docker.io/library/nginx"), pair("nginx", "latest"));
        assert_eq!(
            named_as("example.org:5000/a/b"),
            pair("example.org:5000/a/b", "latest")
        );
        assert_eq!(named_as("a/b:1@sha256:00"), pair("a/b", ""));
        for untagged in [image.as_str(), "abababababab", ""] {
            assert_eq!(named_as(untagged), pair("", ""), "{untagged}");
        }
    }

    #[test]
    fn an_image_that_is_gone_still_has_its_row() {
        let container = container("web", 1);
        let known = Image {
            platform: "linux/amd64".into(),
            size: 98_499_979,
            last_tagged: "1970-01-01T00:01:00Z".into(),
            ..Image::default()
        };
        let rows = [
            ImageRow {
                container: &container,
                image: Some(&known),
            },
            ImageRow {
                container: &container,
                image: None,
            },
        ];
        assert_snapshot!(images_table(&rows, 240), @r"
        CONTAINER           REPOSITORY          TAG                 PLATFORM            IMAGE ID            SIZE                CREATED
        shop-web-1          example/web         1.2                 linux/amd64         0123                98.5MB              3 minutes ago
        shop-web-1          example/web         1.2                                     0123                N/A                 N/A
        ");
        assert_eq!(image_ids(&rows), "0123\n");
        assert_eq!(images_json(&rows)[1]["LastTagTime"], NEVER);
    }
}
