//! Plans in words: the one wording that `plan`, progress and tests share.

use std::fmt::Write as _;

use super::step::{Action, Cause, Gate, Instance, Plan, Step, StepId};
use crate::model::Condition;

/// What a step does to what: the parts of [`action`], for a view with words of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What is done.
    pub verb: Verb,
    /// To what kind of thing.
    pub object: Object,
    /// Its name at the engine.
    pub name: String,
    /// Which container of its service it is, where the step tells.
    pub instance: Option<Instance>,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word it says")]
pub enum Verb {
    Create,
    Start,
    Stop,
    Kill,
    Pause,
    Unpause,
    Remove,
    Rename,
    Find,
}

/// What a step works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word it says")]
pub enum Object {
    Network,
    Volume,
    Container,
    Image,
    Provider,
    Model,
}

impl Verb {
    /// As it is written in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Find => "find",
        }
    }
}

impl Object {
    /// As it is written in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Container => "container",
            Self::Image => "image",
            Self::Provider => "provider",
            Self::Model => "model",
        }
    }
}

/// The parts of what a step does.
pub fn deed(action: &Action) -> Deed {
    let (verb, object, name, instance) = match action {
        Action::CreateNetwork { name, .. } => (Verb::Create, Object::Network, name.as_str(), None),
        Action::CreateVolume { name, .. } => (Verb::Create, Object::Volume, name.as_str(), None),
        Action::CreateContainer { name, instance, .. } => {
            (Verb::Create, Object::Container, name.as_str(), Some(instance))
        }
        Action::StartContainer { name, instance, .. } => {
            (Verb::Start, Object::Container, name.as_str(), Some(instance))
        }
        Action::StopContainer { name, .. } => (Verb::Stop, Object::Container, name.as_str(), None),
        Action::KillContainer { name, instance, .. } => {
            (Verb::Kill, Object::Container, name.as_str(), Some(instance))
        }
        Action::PauseContainer { name, instance, .. } => {
            (Verb::Pause, Object::Container, name.as_str(), Some(instance))
        }
        Action::UnpauseContainer { name, instance, .. } => {
            (Verb::Unpause, Object::Container, name.as_str(), Some(instance))
        }
        Action::RemoveContainer { name, .. } => (Verb::Remove, Object::Container, name.as_str(), None),
        Action::RenameContainer { name, instance, .. } => {
            (Verb::Rename, Object::Container, name.as_str(), Some(instance))
        }
        Action::RemoveNetwork { name, .. } => (Verb::Remove, Object::Network, name.as_str(), None),
        Action::RemoveVolume { name } => (Verb::Remove, Object::Volume, name.as_str(), None),
        Action::RemoveImage { reference } => (Verb::Remove, Object::Image, reference.as_str(), None),
        Action::RunProvider { service, up, .. } => {
            let verb = if *up { Verb::Create } else { Verb::Remove };
            (verb, Object::Provider, service.as_str(), None)
        }
        Action::FindModelRunner => (Verb::Find, Object::Model, "", None),
        Action::PrepareModel { model, .. } => (Verb::Create, Object::Model, model.as_str(), None),
    };
    Deed {
        verb,
        object,
        name: name.to_owned(),
        instance: instance.cloned(),
    }
}

/// What a step does, in one line.
pub fn action(action: &Action) -> String {
    let Deed {
        verb, object, name, ..
    } = deed(action);
    match action {
        Action::KillContainer { signal, .. } => format!("send {signal} to container {name}"),
        Action::RenameContainer { .. } => format!("rename container to {name}"),
        Action::RemoveVolume { .. } => format!("remove volume {name} and all that is in it"),
        Action::RunProvider { kind, up, .. } => {
            let what = if *up { "bring up" } else { "take down" };
            format!("{what} {name} through the provider {kind}")
        }
        Action::FindModelRunner => "ask where models are served".into(),
        Action::PrepareModel { .. } => format!("prepare the model {name}"),
        _ => format!("{} {} {name}", verb.as_str(), object.as_str()),
    }
}

/// Why a step is done, in one line.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Missing => "it is wanted and not there".into(),
        Cause::NotRunning { state } => format!("it is {state}"),
        Cause::Differs(differences) => {
            let all: Vec<String> = differences.iter().map(super::Difference::to_text).collect();
            all.join("; ")
        }
        Cause::ImageChanged { from, to } => {
            format!("its image is another: {} → {}", from.short(), to.short())
        }
        Cause::Asked(flag) => format!("asked for by {flag}"),
        Cause::NotOurs => {
            "another program made it, from a definition that differs or cannot be compared".into()
        }
        Cause::DependencyReplaced(name) => format!("{name}, which it depends on, is replaced"),
        Cause::NetworkReplaced(name) => format!("the network {name} is replaced"),
        Cause::Replaced => "its successor takes its place".into(),
        Cause::LeftOver => "an interrupted run left it".into(),
        Cause::ScaledDown { wanted } => format!("only {wanted} wanted"),
        Cause::Orphan => "its service is not in the stack any more".into(),
        Cause::Down => "the project is taken down".into(),
        Cause::EveryRun => "it is asked on every run, and knows itself what is there".into(),
    }
}

/// A condition as it is said: `healthy`, `started`, `completed successfully`.
pub fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::ServiceStarted => "started",
        Condition::ServiceHealthy => "healthy",
        Condition::ServiceCompletedSuccessfully => "completed successfully",
    }
}

/// What a gate waits for.
pub fn gate(gate: &Gate) -> String {
    match gate {
        Gate::Dependency {
            service,
            condition: wanted,
            ..
        } => format!("{service} {}", condition(*wanted)),
        Gate::Proven(instance) => format!("{instance} proven"),
    }
}

/// One step with all that belongs to it, in one line.
pub fn step(step: &Step) -> String {
    let mut out = format!(
        "{:<4}{} — {}",
        step.id.to_string(),
        action(&step.action),
        cause(&step.cause)
    );
    if !step.after.is_empty() {
        let ids: Vec<String> = step.after.iter().map(StepId::to_string).collect();
        let _ = write!(out, "; after {}", ids.join(" "));
    }
    if !step.gates.is_empty() {
        let gates: Vec<String> = step.gates.iter().map(gate).collect();
        let _ = write!(out, "; when {}", gates.join(", "));
    }
    if let Some(super::Undo::PutBack { name, .. }) = &step.undo {
        let _ = write!(out, "; else {name} is put back");
    }
    out
}

/// A whole plan, a line a fact. Empty for a plan with nothing to do and nothing to say.
pub fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    for refusal in &plan.refusals {
        let _ = writeln!(out, "refused: {}\n  hint: {}", refusal.text, refusal.hint);
    }
    for one in &plan.steps {
        let _ = writeln!(out, "{}", step(one));
    }
    for one in &plan.unavailable {
        let kind = if one.optional {
            "unavailable (optional)"
        } else {
            "unavailable"
        };
        let _ = writeln!(out, "{kind}: {} — {}", one.service, one.reason);
    }
    for note in &plan.notes {
        let _ = writeln!(out, "note: {}", note.text);
        if let Some(hint) = &note.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
    out
}
