//! Where an image comes from: local, pull, build, bootstrap.

pub mod decide;
pub mod dockerfile;
pub mod ignore;
pub mod reference;
