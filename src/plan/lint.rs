//! A linter for finished plans: what no plan may contain. Tests run it on every plan, and the
//! executor in debug builds.

use std::collections::BTreeMap;

use super::step::{Action, Plan, Target};

/// What is wrong with a plan, in words; empty for a sound one.
pub fn lint(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if step.id.0 as usize != index {
            found.push(format!("{} stands at place {index}", step.id));
        }
        for after in &step.after {
            if after.0 as usize >= plan.steps.len() || *after == step.id {
                found.push(format!("{} comes after {after}, which cannot be", step.id));
            }
        }
        match &step.action {
            Action::StartContainer {
                target: Target::CreatedBy(by),
                ..
            }
            | Action::RenameContainer {
                target: Target::CreatedBy(by),
                ..
            } => {
                let creates = plan
                    .step(*by)
                    .is_some_and(|s| matches!(s.action, Action::CreateContainer { .. }));
                if !creates {
                    found.push(format!(
                        "{} works on what {by} creates, but that creates nothing",
                        step.id
                    ));
                } else if !reaches(plan, index, by.0 as usize) {
                    found.push(format!(
                        "{} works on what {by} creates without coming after it",
                        step.id
                    ));
                }
            }
            Action::CreateContainer { name, .. } => names.entry(name).or_default().push(index),
            Action::RemoveContainer { id, .. } => {
                let stop = plan.steps.iter().position(
                    |s| matches!(&s.action, Action::StopContainer { id: stopped, .. } if stopped == id),
                );
                if let Some(stop) = stop
                    && !reaches(plan, index, stop)
                {
                    found.push(format!(
                        "{} removes what #{stop} stops without coming after it",
                        step.id
                    ));
                }
            }
            _ => {}
        }
    }
    for (name, steps) in names {
        if steps.len() > 1 {
            found.push(format!("{} steps create a container named {name}", steps.len()));
        }
    }
    if has_cycle(plan) {
        found.push("the steps wait for each other in a circle".into());
    }
    found
}

/// Whether the step at `from` comes after the one at `to`, directly or not.
fn reaches(plan: &Plan, from: usize, to: usize) -> bool {
    let mut seen = vec![false; plan.steps.len()];
    let mut stack = vec![from];
    while let Some(index) = stack.pop() {
        if index == to {
            return true;
        }
        if let Some(flag) = seen.get_mut(index)
            && !std::mem::replace(flag, true)
        {
            stack.extend(plan.steps[index].after.iter().map(|s| s.0 as usize));
        }
    }
    false
}

fn has_cycle(plan: &Plan) -> bool {
    plan.steps
        .iter()
        .enumerate()
        .any(|(index, step)| step.after.iter().any(|a| reaches(plan, a.0 as usize, index)))
}
