//! Several files into one tree (Compose Specification, 13-merge).
//!
//! Works on trees, before anything is decoded, so that `!reset`, `!override` and both forms of
//! an attribute can be told apart; what is not changed stays shared.

mod forms;
mod rules;
mod tree_merge;

pub use tree_merge::{Merger, without_resets};
