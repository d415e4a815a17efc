//! A line per change in the words of docker compose, for whoever reads its output.
//!
//! Source: docker compose's plain progress, ` Container app-1  Started`.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Body, Event, FailedService, FailureCause, ImageStage, PlannedStep, Stage, StepState};
use crate::plan::text::{Object, Verb};
use crate::plan::{Instance, StepId};

/// The form's memory between events.
#[derive(Debug, Default)]
pub struct ComposeWords {
    steps: BTreeMap<StepId, PlannedStep>,
    /// Names at the engine; of a successor, the one that it gets.
    names: BTreeMap<Instance, String>,
    /// Containers that are replaced, by their lasting name.
    replaced: BTreeSet<String>,
    stages: BTreeMap<Instance, Stage>,
    said: BTreeSet<String>,
}

impl ComposeWords {
    /// The lines that an event is worth, each ended by a newline; often none.
    pub fn take(&mut self, event: &Event) -> String {
        match &event.body {
            Body::Image {
                reference,
                services,
                stage,
            } => self.image(reference, services.iter().map(|s| s.as_str()), stage),
            Body::Output { line, .. } => format!("{line}\n"),
            Body::Planned {
                steps, kept, names, ..
            } => self.planned(steps, kept, names),
            Body::Step { id, state } => self.step(*id, state),
            Body::Stage { instance, stage, .. } => self.stage(instance, *stage),
            Body::Failure(report) => report
                .services
                .iter()
                .map(|failed| self.failure(failed))
                .collect(),
            Body::Warning { text, hint: None } => format!("level=warning {text}\n"),
            Body::Warning {
                text,
                hint: Some(hint),
            } => format!("level=warning {text} ({hint})\n"),
            Body::EngineLost { reason } => format!("level=warning the engine is lost: {reason}\n"),
            Body::WaitingForLock { holder } => format!("level=warning waiting for {holder}\n"),
            _ => String::new(),
        }
    }

    fn image<'a>(
        &mut self,
        reference: &str,
        services: impl Iterator<Item = &'a str>,
        stage: &ImageStage,
    ) -> String {
        let built = self.said.contains(&format!("build {reference}"));
        let word = match stage {
            ImageStage::Present => return String::new(),
            ImageStage::Building => {
                self.said.insert(format!("build {reference}"));
                "Building"
            }
            ImageStage::Obtained { .. } if built => " Built",
            ImageStage::Obtained { .. } => "Pulled",
            ImageStage::Pulling | ImageStage::Bootstrapping => "Pulling",
            ImageStage::Unavailable { reason } | ImageStage::Failed { reason } => {
                return services.map(|name| format!(" {name} Error {reason}\n")).collect();
            }
        };
        services.map(|name| format!(" {name} {word} \n")).collect()
    }

    fn planned(
        &mut self,
        steps: &[PlannedStep],
        kept: &[Instance],
        names: &BTreeMap<Instance, String>,
    ) -> String {
        self.names.extend(names.clone());
        for step in steps {
            let Some(instance) = &step.deed.instance else {
                continue;
            };
            if step.deed.verb == Verb::Rename {
                self.replaced.insert(step.deed.name.clone());
            } else if steps.iter().any(|other| {
                other.deed.verb == Verb::Rename && other.deed.instance.as_ref() == Some(instance)
            }) {
                continue;
            }
            self.names.insert(instance.clone(), step.deed.name.clone());
        }
        self.steps = steps.iter().map(|step| (step.id, step.clone())).collect();
        kept.iter()
            .map(|instance| self.of_container(instance, "Running"))
            .collect()
    }

    fn step(&mut self, id: StepId, state: &StepState) -> String {
        let Some(step) = self.steps.get(&id) else {
            return String::new();
        };
        let deed = &step.deed;
        let name = deed
            .instance
            .as_ref()
            .and_then(|instance| self.names.get(instance))
            .unwrap_or(&deed.name);
        let replaced = deed.object == Object::Container && self.replaced.contains(name);
        let (doing, done) = match deed.verb {
            // The predecessor's end is part of being recreated.
            Verb::Stop | Verb::Remove if replaced => return String::new(),
            Verb::Rename | Verb::Find => return String::new(),
            Verb::Create if replaced => ("Recreate", "Recreated"),
            Verb::Create => ("Creating", "Created"),
            Verb::Start => ("Starting", "Started"),
            Verb::Stop => ("Stopping", "Stopped"),
            Verb::Kill => ("Killing", "Killed"),
            Verb::Pause => ("Pausing", "Paused"),
            Verb::Unpause => ("Unpausing", "Unpaused"),
            Verb::Remove => ("Removing", "Removed"),
        };
        let word = match state {
            StepState::Started => doing.to_owned(),
            StepState::Done { .. } => done.to_owned(),
            StepState::Failed { error } => format!("Error {error}"),
            StepState::Waiting { .. } | StepState::Blocked { .. } => return String::new(),
        };
        let object = match deed.object {
            Object::Network => "Network",
            Object::Volume => "Volume",
            Object::Container => "Container",
            Object::Image => "Image",
            Object::Provider => "Service",
            Object::Model => "Model",
        };
        format!(" {object} {name}  {word}\n")
    }

    fn stage(&mut self, instance: &Instance, stage: Stage) -> String {
        let before = self.stages.insert(instance.clone(), stage);
        if before == Some(stage) {
            return String::new();
        }
        match stage {
            Stage::Ready => self.of_container(instance, "Healthy"),
            Stage::Completed => self.of_container(instance, "Exited"),
            Stage::Restarting => self.of_container(instance, "Restarting"),
            Stage::Failed => self.of_container(instance, "Error"),
            _ => String::new(),
        }
    }

    /// `dependency failed to start: container app-1 exited (1)`
    fn failure(&self, failed: &FailedService) -> String {
        let Some(name) = self.names.get(&failed.instance) else {
            return String::new();
        };
        let what = match (&failed.cause, failed.exit) {
            (FailureCause::Unhealthy { .. } | FailureCause::NotReady { .. }, _) => "is unhealthy".to_owned(),
            (FailureCause::Exited, Some(exit)) => format!("exited ({})", exit.code),
            _ => return String::new(),
        };
        let kind = match failed.blocks.as_slice() {
            [] => "",
            _ => "dependency failed to start: ",
        };
        format!("{kind}container {name} {what}\n")
    }

    fn of_container(&self, instance: &Instance, word: &str) -> String {
        match self.names.get(instance) {
            Some(name) => format!(" Container {name}  {word}\n"),
            None => String::new(),
        }
    }
}
