//! Where the stack's files define what later may fail: for reports only, never compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::ServiceName;

/// A place in a stack file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The file: relative to the folder that the command runs in where it is under that, else absolute.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// Where a project's files define its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePlaces {
    /// The key of each active service; of one that several files define, the last file's.
    pub services: BTreeMap<ServiceName, SourcePlace>,
    /// The item of each smoke test, by its name.
    pub smoke: BTreeMap<String, SourcePlace>,
}
