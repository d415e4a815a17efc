//! Benchmarks of what computes: no engine, no clock, no files but the reference stack's.
fn main() {}
