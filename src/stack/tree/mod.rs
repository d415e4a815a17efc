//! YAML as a tree: text → [`Document`]s of shared, spanned nodes.
//!
//! An own composer on the events of a safe YAML parser, since no ready one keeps raw text,
//! quoting, tags and places at once, nor stays within bounds on hostile input: aliases share
//! their node and are never expanded, and what an expansion would cost is counted instead.
//!
//! Invariant: what leaves this module is at most [`MAX_DEPTH`] deep and would have at most
//! [`MAX_NODES`] nodes if all aliases were written out, so that later stages may walk it
//! recursively.

mod compose;
mod merge_key;
mod node;
mod scalar;
mod weight;

pub use compose::{MAX_BYTES, MAX_DEPTH, MAX_NODES, compose};
pub use node::{Entry, Mapping, Node, Scalar, Tag, Value};
pub use scalar::{Resolved, format_float};
pub use weight::within_limits;
