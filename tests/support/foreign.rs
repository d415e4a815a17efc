//! Proof that nothing of anyone else was touched.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::docker::{Docker, PROJECT};

/// What an engine held that is not of one project, at one moment.
///
/// Others work on the same engine, so what comes or goes in the meantime proves nothing: what is there before
/// and after must be the same, and each canary must be there.
#[derive(Debug)]
pub struct Foreign {
    project: String,
    objects: BTreeMap<String, Value>,
    canaries: Vec<String>,
}

impl Foreign {
    /// Takes it, leaving out the objects of `project`.
    pub fn snapshot(engine: &Docker, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            objects: objects(engine, project),
            canaries: Vec::new(),
        }
    }

    /// Names a container that belongs to the test itself: it must stay, and stay as it is, running or not.
    pub fn canary(mut self, engine: &Docker, container: &str) -> Self {
        let found = engine
            .inspect(container)
            .unwrap_or_else(|| panic!("no container {container}"));
        let id = found["Id"].as_str().unwrap().to_owned();
        self.objects.insert(format!("canary {id}"), with_state(&found));
        self.canaries.push(id);
        self
    }

    /// Asserts that all of it is as it was.
    #[track_caller]
    pub fn assert_untouched(&self, engine: &Docker) {
        let now = objects(engine, &self.project);
        for (name, before) in &self.objects {
            if let Some(after) = now.get(name) {
                assert_eq!(before, after, "{name} was changed");
            }
        }
        for id in &self.canaries {
            let found = engine.inspect(id).unwrap_or_else(|| panic!("{id} was removed"));
            assert_eq!(
                self.objects[&format!("canary {id}")],
                with_state(&found),
                "{id} was changed"
            );
        }
    }
}

/// Containers, networks and volumes by kind and id, each with what no one changes without a reason.
fn objects(engine: &Docker, project: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let is_ours = |labels: &Value| labels[PROJECT] == project;
    for container in engine
        .get("/containers/json?all=1")
        .as_array()
        .into_iter()
        .flatten()
    {
        if !is_ours(&container["Labels"]) {
            // Listing and asking are two moments; what has gone in between is not here.
            let Some(inspected) = container["Id"].as_str().and_then(|id| engine.inspect(id)) else {
                continue;
            };
            found.insert(format!("container {}", container["Id"]), identity(&inspected));
        }
    }
    for network in engine.get("/networks").as_array().into_iter().flatten() {
        if !is_ours(&network["Labels"]) {
            let kept = json!([
                network["Name"],
                network["Driver"],
                network["IPAM"],
                network["Labels"],
                network["Created"]
            ]);
            found.insert(format!("network {}", network["Id"]), kept);
        }
    }
    for volume in engine.get("/volumes")["Volumes"].as_array().into_iter().flatten() {
        if !is_ours(&volume["Labels"]) {
            let kept = json!([volume["Driver"], volume["Labels"], volume["Mountpoint"]]);
            // Its owner may have made it anew under the same name.
            found.insert(
                format!("volume {} of {}", volume["Name"], volume["CreatedAt"]),
                kept,
            );
        }
    }
    found
}

/// What makes a container the one it is. Its name and networks may be changed by its owner.
fn identity(container: &Value) -> Value {
    json!([
        container["Id"],
        container["Created"],
        container["Image"],
        container["Config"]
    ])
}

/// The same with all that only its owner would change.
fn with_state(container: &Value) -> Value {
    let networks: Vec<&String> = container["NetworkSettings"]["Networks"]
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    let state = &container["State"];
    json!([
        identity(container),
        container["Name"],
        container["HostConfig"],
        networks,
        [state["Status"], state["Pid"], state["StartedAt"], state["Paused"]],
        container["RestartCount"],
    ])
}
