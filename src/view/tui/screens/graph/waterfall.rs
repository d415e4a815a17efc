//! How long each container took on the way to ready, and which of them the whole waited for.

use crate::base::Moment;
use crate::event::{ImageStage, Snapshot, Stage, StepState};
use crate::model::{Condition, Project};
use crate::plan::Instance;

/// A container's way to ready. All moments since the run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) instance: Instance,
    /// Since when its image was pulled or built, and until when.
    pub(super) image: Option<(Moment, Option<Moment>)>,
    /// When it was begun to be created.
    pub(super) begun: Option<Moment>,
    /// When it was created.
    pub(super) created: Option<Moment>,
    /// When its process ran.
    pub(super) started: Option<Moment>,
    /// When it was ready.
    pub(super) ready: Option<Moment>,
    /// The dependency that was there last, and when.
    pub(super) after: Option<(Instance, Moment)>,
    /// What it waits for now, or why it failed.
    pub(super) says: Option<String>,
    pub(super) failed: bool,
}

/// A part of the critical path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) instance: Instance,
    /// How long the whole waited for it alone.
    pub(super) took: Moment,
}

/// The bars of what a run started, in the order of their beginnings.
pub(super) fn bars(run: &Snapshot, project: Option<&Project>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = run
        .instances
        .iter()
        .filter(|(_, view)| !view.kept && view.stage != Stage::Removed && view.stage != Stage::Unavailable)
        .map(|(instance, view)| {
            let create = step_times(run, instance, "create");
            let waiting = run.steps.values().find_map(|step| match &step.state {
                Some(StepState::Waiting { reason })
                    if step.planned.service.as_ref() == Some(&instance.service) =>
                {
                    Some(reason.clone())
                }
                _ => None,
            });
            let image = run
                .images
                .values()
                .find(|image| image.services.contains(&instance.service));
            let image = image.and_then(|image| {
                let done = matches!(image.stage, ImageStage::Obtained { .. });
                Some((image.began?, done.then_some(image.since)))
            });
            Bar {
                instance: instance.clone(),
                image,
                begun: create.map(|(from, _)| from),
                created: create.map(|(_, to)| to),
                started: view.started,
                ready: view.ready,
                after: None,
                says: waiting.or_else(|| view.reason.clone()),
                failed: matches!(view.stage, Stage::Failed | Stage::Blocked),
            }
        })
        .collect();
    let known = bars.clone();
    for bar in &mut bars {
        bar.after = last_dependency(&known, project, &bar.instance);
    }
    bars.sort_by_key(|bar| (bar.started.or(bar.ready).unwrap_or(Moment::MAX), bar.begun));
    bars
}

/// When the step that does something with a container began and ended.
fn step_times(run: &Snapshot, instance: &Instance, verb: &str) -> Option<(Moment, Moment)> {
    let number = format!("-{}", instance.number);
    run.steps.values().find_map(|step| {
        let own = step.planned.service.as_ref() == Some(&instance.service)
            && step.planned.what.starts_with(verb)
            && (instance.number == 1 || step.planned.what.ends_with(&number));
        match &step.state {
            Some(StepState::Done { took }) if own => Some((step.since.saturating_sub(*took), step.since)),
            _ => None,
        }
    })
}

fn last_dependency(
    bars: &[Bar],
    project: Option<&Project>,
    instance: &Instance,
) -> Option<(Instance, Moment)> {
    let service = project?.services.get(&instance.service)?;
    let dependencies = service.depends_on.iter().flat_map(|(name, dependency)| {
        let own = bars.iter().filter(move |bar| bar.instance.service == *name);
        own.filter_map(|bar| {
            let there = match dependency.condition {
                Condition::ServiceStarted => bar.started.or(bar.ready),
                Condition::ServiceHealthy | Condition::ServiceCompletedSuccessfully => bar.ready,
            };
            Some((bar.instance.clone(), there?))
        })
    });
    dependencies.max_by_key(|(_, at)| *at)
}

/// What the whole waited for: from the container that was ready last back through the dependency
/// that was there last, first to last. Each counts from when its predecessor let it go on.
pub(super) fn critical_path(bars: &[Bar]) -> Vec<Link> {
    let mut path = Vec::new();
    let last = bars
        .iter()
        .filter(|bar| bar.ready.is_some())
        .max_by_key(|bar| bar.ready);
    let mut at = last.and_then(|bar| Some((bar, bar.ready?)));
    while let Some((bar, until)) = at {
        let before = bar.after.as_ref().filter(|(_, there)| *there <= until);
        path.push(Link {
            instance: bar.instance.clone(),
            took: until.saturating_sub(before.map_or(Moment::ZERO, |(_, there)| *there)),
        });
        at = before.and_then(|(instance, there)| {
            let bar = bars.iter().find(|bar| bar.instance == *instance)?;
            let known = path.iter().any(|link: &Link| link.instance == *instance);
            (!known).then_some((bar, *there))
        });
    }
    path.reverse();
    path
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::event::{Body, Event};
    use crate::plan::StepId;
    use crate::view::testing;

    pub(in super::super) fn ms(ms: u64) -> Moment {
        Duration::from_millis(ms)
    }

    fn instance(service: &str) -> Instance {
        Instance {
            service: service.into(),
            number: 1,
        }
    }

    /// A run in which the database is ready after 2 s, the app 1 s later, and a cache at once.
    pub(in super::super) fn events() -> Vec<Event> {
        let stage = |at, service: &str, stage| {
            (
                ms(at),
                Body::Stage {
                    instance: instance(service),
                    stage,
                    reason: None,
                },
            )
        };
        let step = |id: u32, what: &str, service: &str| testing::step(id, Some(service), what);
        let done = |at, id, took| {
            (
                ms(at),
                Body::Step {
                    id: StepId(id),
                    state: StepState::Done { took: ms(took) },
                },
            )
        };
        let image = |at, stage| {
            (
                ms(at),
                Body::Image {
                    reference: "example/db".into(),
                    services: vec!["db".into()],
                    stage,
                },
            )
        };
        let bodies = vec![
            (
                ms(0),
                Body::RunStarted {
                    run: "r".into(),
                    command: "up",
                    project: "shop".into(),
                },
            ),
            image(50, ImageStage::Building),
            image(450, ImageStage::Obtained { line: "built".into() }),
            (
                ms(500),
                Body::Planned {
                    steps: vec![
                        step(0, "create container shop-db-1", "db"),
                        step(1, "create container shop-app-1", "app"),
                        step(2, "create container shop-cache-1", "cache"),
                    ],
                    kept: vec![],
                    names: BTreeMap::new(),
                    unavailable: vec![],
                },
            ),
            done(600, 0, 100),
            done(620, 1, 100),
            done(630, 2, 100),
            stage(700, "db", Stage::Running),
            stage(710, "cache", Stage::Running),
            stage(750, "cache", Stage::Ready),
            stage(2_000, "db", Stage::Ready),
            stage(2_100, "app", Stage::Running),
            stage(3_000, "app", Stage::Ready),
        ];
        (1..)
            .zip(bodies)
            .map(|(seq, (at, body))| Event { seq, at, body })
            .collect()
    }

    pub(in super::super) const STACK: &str = "
services:
  db: {image: example/db, healthcheck: {test: [CMD, check]}}
  cache: {image: example/cache}
  app:
    image: example/app
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
";

    #[test]
    fn the_path_goes_through_what_was_ready_last() {
        let mut run = Snapshot::default();
        for event in events() {
            run.apply(&event);
        }
        let project = crate::stack::testing::Case::new(STACK).load().project.unwrap();
        let bars = bars(&run, Some(&project));
        let db = bars.iter().find(|bar| bar.instance == instance("db")).unwrap();
        assert_eq!(
            (db.begun, db.created, db.started, db.ready),
            (Some(ms(500)), Some(ms(600)), Some(ms(700)), Some(ms(2_000)))
        );
        assert_eq!(db.image, Some((ms(50), Some(ms(450)))));
        let path = critical_path(&bars);
        let path: Vec<(&str, Moment)> = path
            .iter()
            .map(|l| (l.instance.service.as_str(), l.took))
            .collect();
        assert_eq!(path, [("db", ms(2_000)), ("app", ms(1_000))]);
        assert_eq!(critical_path(&[]), []);
    }
}
