//! Events and snapshots for people and machines.
