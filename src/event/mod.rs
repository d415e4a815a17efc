//! What happened, and its fold: events, snapshot, hub, wire form.
