//! As much of the Dockerfile language as is needed to know which images a build starts from,
//! and to put others in their place.
//!
//! [`parse`](Dockerfile::parse) finds stages, base images and the images named by `COPY --from`
//! and `RUN --mount=…,from=`; [`rewrite`](Dockerfile::rewrite) changes those words and nothing
//! else, so that line numbers in the builder's messages stay right.

mod lines;
mod parse;
mod rewrite;
mod words;

pub use parse::{Base, Dockerfile, DockerfileError, Stage};
pub use rewrite::Rewrite;
