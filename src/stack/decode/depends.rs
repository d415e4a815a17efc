//! `depends_on`.

use indexmap::IndexMap;

use super::Decoder;
use crate::base::ServiceName;
use crate::model::{Condition, Dependency};
use crate::stack::tree::{Node, Value};

const DEPENDENCY: &[&str] = &["condition", "restart", "required"];
const CONDITIONS: &[&str] = &[
    "service_started",
    "service_healthy",
    "service_completed_successfully",
];

impl Decoder<'_> {
    pub(super) fn depends_on(&mut self, node: &Node) -> IndexMap<ServiceName, Dependency> {
        let mut out = IndexMap::new();
        match &node.value {
            Value::Sequence(_) => {
                for name in self.texts("depends_on", node) {
                    out.insert(ServiceName::from(name), started(false));
                }
            }
            Value::Mapping(table) => {
                for (name, entry) in table {
                    if let Some(dependency) = self.dependency(&entry.node) {
                        out.insert(ServiceName::from(&**name), dependency);
                    }
                }
            }
            Value::Scalar(_) => self.expected("depends_on", "a list of services or a mapping", node),
        }
        out
    }

    fn dependency(&mut self, node: &Node) -> Option<Dependency> {
        let table = self.mapping("depends_on", node)?;
        let mut out = started(false);
        for (key, entry) in table {
            match &**key {
                "condition" => {
                    out.condition = match self.one_of("condition", &entry.node, CONDITIONS)?.as_str() {
                        "service_healthy" => Condition::ServiceHealthy,
                        "service_completed_successfully" => Condition::ServiceCompletedSuccessfully,
                        _ => Condition::ServiceStarted,
                    }
                }
                "restart" => out.restart = self.boolean("restart", &entry.node)?,
                "required" => out.required = self.boolean("required", &entry.node)?,
                other => self.unknown(other, entry, "a dependency", DEPENDENCY, &[]),
            }
        }
        if !table.contains_key("condition") {
            self.missing("condition", "a dependency", node.span);
        }
        Some(out)
    }
}

/// A required dependency on a started service.
pub(super) fn started(restart: bool) -> Dependency {
    Dependency {
        condition: Condition::ServiceStarted,
        restart,
        required: true,
    }
}
