//! Where an image comes from: local, pull, build, bootstrap.
