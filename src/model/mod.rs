//! What is wanted and what is there, as plain values.
//!
//! What is wanted ([`Project`]) comes from the loader, fully resolved: no variables, no
//! short forms, paths absolute, defaults of the Compose Specification filled in. What is
//! there ([`Observed`]) comes from the engine. The planner compares the two.
//!
//! `Serialize` gives each wanted value the form the Compose Specification has for it; that
//! one form serves `config`, the specification label on a container and the field-by-field
//! comparison of plans.
//!
//! Invariant: no I/O, no clock, no environment.

pub mod api_socket;
pub mod board;
pub mod build;
pub mod compose;
pub mod develop;
pub mod ext;
pub mod foreign;
pub mod health;
pub mod labels;
pub mod mount;
pub mod network;
pub mod observed;
pub mod place;
pub mod project;
pub mod render;
pub mod resources;
pub mod rollout;
pub mod service;
pub mod smoke;
pub mod usage;
#[cfg(test)]
pub(crate) mod testing;

pub use build::{Build, BuildSecret};
pub use develop::{Develop, WatchAction, WatchRule};
pub use ext::{ProbeSpec, ProbeTarget, Reload, ReloadAction, ServiceExt, StackExt};
pub use foreign::{
    CredentialSpec, ModelSpec, ModelUse, ModelVariables, Provider, model_variables, provider_prefix,
};
pub use health::{Healthcheck, HealthcheckTest};
pub use mount::{FileMount, FileSource, Mount, MountKind, ResourceFile, VolumeSpec};
pub use network::{Endpoint, IpamPool, NetworkMode, NetworkSpec, PortBinding, Protocol};
pub use observed::{Container, ContainerState, EngineHealth, Image, NetworkFound, Observed, VolumeFound};
pub use place::{SourcePlace, SourcePlaces};
pub use project::Project;
pub use resources::{BlkioConfig, DeviceRate, DeviceRequest, DeviceWeight};
pub use rollout::UpdateConfig;
pub use service::{
    Condition, Dependency, Deploy, Device, EnvFile, Hook, Logging, Placement, PullPolicy, RestartPolicy,
    Service, Spread, Ulimit,
};
pub use smoke::SmokeTest;
pub use usage::Usage;
