//! The parts of a plan.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::compare::Difference;
use crate::base::{ContainerId, ImageId, NetworkId, ServiceName, Signal};
use crate::model::{Condition, ContainerState};

/// A step's number within its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One container of a service: the service and a number from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Instance {
    /// The service.
    pub service: ServiceName,
    /// The number.
    pub number: u32,
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number == 1 {
            f.pad(self.service.as_str())
        } else {
            f.pad(&format!("{}-{}", self.service, self.number))
        }
    }
}

/// A finished plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The steps, each after those it depends on.
    pub steps: Vec<Step>,
    /// Containers that are already as wanted.
    pub kept: Vec<Kept>,
    /// Networks that are there already: key, name and id.
    pub networks: Vec<(String, String, NetworkId)>,
    /// What is not done and why, and what else is worth saying.
    pub notes: Vec<Note>,
    /// What forbids the whole plan; nothing is done while there is any.
    pub refusals: Vec<Refusal>,
    /// Services that their providers have brought up before.
    pub provided: Vec<ServiceName>,
    /// Services left out because no image can be had: service and reason.
    pub unavailable: Vec<Unavailable>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether nothing is to be done but what is asked for on every run.
    pub fn is_settled(&self) -> bool {
        self.steps.iter().all(|step| step.cause == Cause::EveryRun)
    }

    /// A step by its id.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.0 as usize)
    }
}

/// A service that no image can be had for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The service.
    pub service: ServiceName,
    /// What was tried.
    pub reason: String,
    /// Whether the stack says that the run is good without it.
    pub optional: bool,
    /// What kind of failure that was.
    pub lack: Lack,
}

/// Why no image can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// No source has it: the only lack that `optional` excuses.
    Missing,
    /// It, or a base image of it, is to be built here, and that failed.
    BuildFailed {
        /// The last lines that the build wrote, oldest first.
        lines: Vec<String>,
    },
    /// Anything else.
    Other,
}

/// One operation at the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its number; also its index in the plan.
    pub id: StepId,
    /// What is done.
    pub action: Action,
    /// Steps that must have succeeded.
    pub after: Vec<StepId>,
    /// What must hold beside that.
    pub gates: Vec<Gate>,
    /// Why it is done.
    pub cause: Cause,
    /// What is done when it, or the proof of what it started, fails.
    pub undo: Option<Undo>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Creates a network.
    CreateNetwork {
        /// Key in the stack.
        key: String,
        /// Name at the engine.
        name: String,
    },
    /// Creates a volume.
    CreateVolume {
        /// Key in the stack.
        key: String,
        /// Name at the engine.
        name: String,
    },
    /// Creates a container without starting it.
    CreateContainer {
        /// Which.
        instance: Instance,
        /// Its name, a temporary one in a replacement.
        name: String,
        /// What it is made from.
        image: ImageId,
        /// Whose anonymous volumes it takes over.
        inherits: Option<ContainerId>,
    },
    /// Starts a container.
    StartContainer {
        /// Which.
        instance: Instance,
        /// The container.
        target: Target,
        /// Its name.
        name: String,
    },
    /// Stops a container: asks, and kills after the grace period.
    StopContainer {
        /// The container.
        id: ContainerId,
        /// Its name.
        name: String,
        /// Its service.
        service: ServiceName,
        /// The signal, where the service says.
        signal: Option<String>,
        /// The grace period.
        grace: Duration,
    },
    /// Sends a signal to the first process of a container.
    KillContainer {
        /// Which.
        instance: Instance,
        /// The container.
        id: ContainerId,
        /// Its name.
        name: String,
        /// What it is sent.
        signal: Signal,
    },
    /// Freezes the processes of a container.
    PauseContainer {
        /// Which.
        instance: Instance,
        /// The container.
        id: ContainerId,
        /// Its name.
        name: String,
    },
    /// Lets the processes of a frozen container go on.
    UnpauseContainer {
        /// Which.
        instance: Instance,
        /// The container.
        id: ContainerId,
        /// Its name.
        name: String,
    },
    /// Removes a container.
    RemoveContainer {
        /// The container.
        id: ContainerId,
        /// Its name.
        name: String,
        /// Its service.
        service: ServiceName,
        /// Whether its anonymous volumes go too.
        volumes: bool,
    },
    /// Gives a container its lasting name.
    RenameContainer {
        /// Which.
        instance: Instance,
        /// The container.
        target: Target,
        /// The name.
        name: String,
    },
    /// Removes a network.
    RemoveNetwork {
        /// The network.
        id: NetworkId,
        /// Its name.
        name: String,
    },
    /// Removes a volume and what is in it.
    RemoveVolume {
        /// Its name.
        name: String,
    },
    /// Removes an image reference.
    RemoveImage {
        /// The reference.
        reference: String,
    },
    /// Asks a provider to bring a service up, or to take it down.
    RunProvider {
        /// The service.
        service: ServiceName,
        /// The provider's type.
        kind: String,
        /// Whether up, else down.
        up: bool,
    },
    /// Asks where models are served, and which are there.
    FindModelRunner,
    /// Makes a model ready.
    PrepareModel {
        /// Key in the stack.
        key: String,
        /// Its reference.
        model: String,
    },
}

impl Action {
    /// The service whose container the step concerns.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::CreateContainer { instance, .. }
            | Self::StartContainer { instance, .. }
            | Self::KillContainer { instance, .. }
            | Self::PauseContainer { instance, .. }
            | Self::UnpauseContainer { instance, .. }
            | Self::RenameContainer { instance, .. } => Some(&instance.service),
            Self::StopContainer { service, .. }
            | Self::RemoveContainer { service, .. }
            | Self::RunProvider { service, .. } => Some(service),
            _ => None,
        }
    }
}

/// A container that a step works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One that is there.
    Existing(ContainerId),
    /// The one that a step before creates.
    CreatedBy(StepId),
}

/// What a step waits at beside the steps before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// A dependency in the stack.
    Dependency {
        /// On which service.
        service: ServiceName,
        /// What must hold.
        condition: Condition,
        /// Whether its failure is ours.
        required: bool,
    },
    /// The container of this instance has proven itself (ready, or running where nothing probes it).
    Proven(Instance),
}

/// Why a step is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// It is wanted and not there.
    Missing,
    /// It is there but does not run.
    NotRunning {
        /// Its state, in the engine's word, with the exit code.
        state: String,
    },
    /// It is there but differs from what is wanted.
    Differs(Vec<Difference>),
    /// Its image is another.
    ImageChanged {
        /// The image it was made from.
        from: ImageId,
        /// The image that the reference means now.
        to: ImageId,
    },
    /// Asked for (`--force-recreate`).
    Asked(&'static str),
    /// It was made by another program, so its definition cannot be compared.
    NotOurs,
    /// It depends on something that is replaced.
    DependencyReplaced(ServiceName),
    /// The network it is on is replaced.
    NetworkReplaced(String),
    /// Its successor takes its place.
    Replaced,
    /// An interrupted run left it.
    LeftOver,
    /// More containers than wanted.
    ScaledDown {
        /// How many are wanted.
        wanted: u32,
    },
    /// Its service is not in the stack any more.
    Orphan,
    /// The project is taken down.
    Down,
    /// It is asked on every run: only whoever is asked knows what is there.
    EveryRun,
}

/// What is done when a step or its proof fails.
#[derive(Debug, Clone, PartialEq)]
pub enum Undo {
    /// The successor is removed and the container that ran before is started again.
    PutBack {
        /// What ran before.
        id: ContainerId,
        /// Its name.
        name: String,
    },
}

/// A container that is already as wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Which.
    pub instance: Instance,
    /// The container.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// Its state; one that does not run is as wanted where it is completed, or where nothing is to be started.
    pub state: ContainerState,
    /// Whether it is a one-shot that has run to its good end.
    pub completed: bool,
    /// Whether the engine's own health check last found it healthy.
    pub healthy: bool,
}

/// Something that a plan says beside its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// In words.
    pub text: String,
    /// What to do about it, where something can be done.
    pub hint: Option<String>,
}

/// Something that forbids the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In words.
    pub text: String,
    /// What to do about it.
    pub hint: String,
}
