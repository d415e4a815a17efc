//! The dependencies of a stack as an indented tree.

use std::collections::BTreeSet;

use crate::base::ServiceName;
use crate::model::{Condition, Project};

/// A line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The service.
    pub(super) service: ServiceName,
    /// For each level above, whether a branch goes on there; the last is its own.
    pub(super) branches: Vec<bool>,
    /// What the service above awaits of it, and whether that is required.
    pub(super) awaited: Option<(Condition, bool)>,
    /// Whether it stands above with what it depends on.
    pub(super) again: bool,
}

/// The tree: what nothing depends on first, below each service what it depends on.
pub(super) fn tree(project: &Project) -> Vec<Node> {
    let needed: BTreeSet<&ServiceName> = project
        .services
        .values()
        .flat_map(|service| service.depends_on.keys())
        .collect();
    let mut nodes = Vec::new();
    let mut seen = BTreeSet::new();
    let roots = project.services.keys().filter(|name| !needed.contains(name));
    // Should the files hold a circle, its services stand there all the same.
    for name in roots.chain(project.services.keys()) {
        if !seen.contains(name) {
            grow(project, name, None, &mut Vec::new(), &mut seen, &mut nodes);
        }
    }
    nodes
}

fn grow(
    project: &Project,
    name: &ServiceName,
    awaited: Option<(Condition, bool)>,
    branches: &mut Vec<bool>,
    seen: &mut BTreeSet<ServiceName>,
    nodes: &mut Vec<Node>,
) {
    let dependencies = project.services.get(name).map(|service| &service.depends_on);
    let count = dependencies.map_or(0, indexmap::IndexMap::len);
    let first = seen.insert(name.clone());
    nodes.push(Node {
        service: name.clone(),
        branches: branches.clone(),
        awaited,
        again: !first && count > 0,
    });
    if !first {
        return;
    }
    for (at, (other, dependency)) in dependencies.into_iter().flatten().enumerate() {
        branches.push(at + 1 < count);
        let awaited = Some((dependency.condition, dependency.required));
        grow(project, other, awaited, branches, seen, nodes);
        branches.pop();
    }
}

impl Node {
    /// The lines that lead to it.
    pub(super) fn lead(&self, unicode: bool) -> String {
        let (through, fork, corner) = if unicode {
            ("│  ", "├─ ", "└─ ")
        } else {
            ("|  ", "|- ", "`- ")
        };
        let mut out = String::new();
        for (level, goes_on) in self.branches.iter().enumerate() {
            out.push_str(match (level + 1 == self.branches.len(), goes_on) {
                (true, true) => fork,
                (true, false) => corner,
                (false, true) => through,
                (false, false) => "   ",
            });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_stands_below_what_needs_it_and_is_unfolded_once() {
        let text = "
services:
  db: {image: i}
  cache: {image: i, depends_on: [db]}
  app: {image: i, depends_on: [db, cache]}
  web: {image: i, depends_on: {app: {condition: service_started}, cache: {condition: service_started, required: false}}}
  alone: {image: i}
";
        let project = crate::stack::testing::Case::new(text).load().project.unwrap();
        let lines: Vec<String> = tree(&project)
            .iter()
            .map(|node| {
                format!(
                    "{}{}{}",
                    node.lead(true),
                    node.service,
                    if node.again { " again" } else { "" }
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "web",
                "├─ app",
                "│  ├─ db",
                "│  └─ cache",
                "│     └─ db",
                "└─ cache again",
                "alone"
            ]
        );
    }
}
