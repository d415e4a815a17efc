//! Text to model: spans, YAML tree, interpolation, include, extends, merge, profiles, decode, validate, load.
