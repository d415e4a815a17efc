//! Proving readiness: http, tcp, exec and log probes, and their schedule.
