//! What a load finds wrong or worth saying, as data; and its rendering.

mod finding;
mod render;
mod suggest;

pub use finding::{Code, Finding, Findings, Label, Severity};
pub use render::{RenderStyle, render, render_all};
pub use suggest::{did_you_mean, suggest};
