//! Between the model and the engine's API, both ways. Pure: no call is made here.

pub(super) mod container;
mod endpoint;
pub(super) mod found;
pub(super) mod mounts;
pub(super) mod network;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) mod tests_support {
    //! Small values for tests.

    use indexmap::IndexMap;

    use crate::model::{Project, StackExt};

    /// A project `p` with nothing in it.
    pub(in crate::engine) fn project() -> Project {
        Project {
            name: "p".into(),
            working_dir: "/work".into(),
            files: Vec::new(),
            env_files: Vec::new(),
            services: IndexMap::new(),
            disabled: Vec::new(),
            networks: IndexMap::new(),
            volumes: IndexMap::new(),
            secrets: IndexMap::new(),
            configs: IndexMap::new(),
            ext: StackExt::default(),
            extensions: Default::default(),
            nested_extensions: Vec::new(),
            models: Default::default(),
            places: Default::default(),
        }
    }
}
