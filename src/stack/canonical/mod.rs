//! The merged tree in the specification's long forms, with nothing decoded: what `config --no-interpolate` shows.
//!
//! Where variables are not put in, values have no types yet: `replicas: ${N}` is a text, so there is no
//! [`Project`](crate::model::Project) to be had. This does with the tree alone what decoding and resolving do on
//! the way to one (compose-go's `transform`, `paths` and `loader/normalize.go`): short forms written out, paths
//! made absolute, defaults, and what is implied. All services are in it, whatever their profiles.

mod implied;
mod service;
mod tree;

#[cfg(test)]
mod tests;

pub use implied::write_implied;
pub use tree::canonical;
