//! Plan to effects: executor, gates, stops.
