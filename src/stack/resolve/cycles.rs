//! Cycles in what services depend on, shown in the order of the file.

use std::collections::HashMap;

use crate::base::ServiceName;
use crate::model::Project;
use crate::stack::diagnostic::{Code, Finding, Findings};

use super::Places;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Done,
}

/// Reports each cycle once. Walks with a stack of its own: a chain may be as long as the file.
pub(super) fn check(project: &Project, places: Places<'_>, findings: &mut Findings) {
    let mut marks: HashMap<&ServiceName, Mark> = HashMap::new();
    for start in project.services.keys() {
        if marks.contains_key(start) {
            continue;
        }
        let mut path: Vec<(&ServiceName, usize)> = vec![(start, 0)];
        marks.insert(start, Mark::Open);
        while let Some((name, next)) = path.last_mut() {
            let name = *name;
            let dependency = project
                .services
                .get(name)
                .and_then(|s| s.depends_on.get_index(*next))
                .map(|(d, _)| d);
            *next += 1;
            let Some(dependency) = dependency else {
                marks.insert(name, Mark::Done);
                path.pop();
                continue;
            };
            let Some((dependency, _)) = project.services.get_key_value(dependency) else {
                continue;
            };
            match marks.get(dependency) {
                None => {
                    marks.insert(dependency, Mark::Open);
                    path.push((dependency, 0));
                }
                Some(Mark::Open) => {
                    let from = path.iter().position(|(n, _)| *n == dependency).unwrap_or(0);
                    let cycle: Vec<&ServiceName> = path[from..].iter().map(|(n, _)| *n).collect();
                    findings.push(explain(&cycle, project, places));
                }
                Some(Mark::Done) => {}
            }
        }
    }
}

/// Places of a longer cycle are not all shown.
const MOST_SHOWN: usize = 8;

fn explain(cycle: &[&ServiceName], project: &Project, places: Places<'_>) -> Finding {
    let mut names: Vec<&str> = cycle.iter().map(|n| n.as_str()).collect();
    names.extend(names.first().copied());
    let shown = if names.len() > 2 * MOST_SHOWN {
        let (head, tail) = (&names[..MOST_SHOWN], &names[names.len() - MOST_SHOWN..]);
        format!("{} → … → {}", head.join(" → "), tail.join(" → "))
    } else {
        names.join(" → ")
    };
    let mut finding = Finding::error(
        Code::Cycle,
        format!("services depend on each other in a circle: {shown}"),
    );
    for pair in names.windows(2).take(MOST_SHOWN) {
        let (from, to) = (pair[0], pair[1]);
        let (from, to) = (ServiceName::from(from), ServiceName::from(to));
        let place = match project.services.get(&from) {
            Some(service) => places.dependency(&from, service, &to),
            None => places.key(&["services", from.as_str()]),
        };
        finding = finding.label(place, format!("`{from}` needs `{to}`"));
    }
    finding
}
