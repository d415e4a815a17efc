//! Smoke tests: runner, evidence, reports.
