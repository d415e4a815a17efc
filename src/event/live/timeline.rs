//! What happened to a project, on one axis.

use std::collections::VecDeque;

use crate::base::{ContainerId, ServiceName};
use crate::plan::Instance;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When, nanoseconds since 1970 on the engine's clock.
    pub time: i64,
    /// What kind.
    pub kind: Kind,
    /// The container's service and number, where it is about one.
    pub instance: Option<Instance>,
    /// The service, where it is about one (an alert, say).
    pub service: Option<ServiceName>,
    /// The container, where it is about one.
    pub container: Option<ContainerId>,
    /// In words: `exited with code 1`, `healthy again after 12 s`.
    pub text: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A container was created.
    Created,
    /// A container started.
    Started,
    /// A container started again after an end.
    Restarted,
    /// A container ended because somebody asked, or with exit code 0.
    Stopped,
    /// A container ended by itself with another exit code, or by a signal.
    Died,
    /// The kernel killed a container for memory.
    OutOfMemory,
    /// A container was removed.
    Removed,
    /// A container was paused, or goes on.
    Paused,
    /// A health check or probe passes (again).
    Healthy,
    /// A health check or probe fails.
    Unhealthy,
    /// An alert fires.
    AlertFiring,
    /// An alert is over.
    AlertResolved,
    /// The engine stopped answering.
    EngineLost,
    /// The engine answers again.
    EngineBack,
    /// Somebody asked for something here.
    Action,
}

impl Kind {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Restarted => "restarted",
            Self::Stopped => "stopped",
            Self::Died => "died",
            Self::OutOfMemory => "oom",
            Self::Removed => "removed",
            Self::Paused => "paused",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::AlertFiring => "alert",
            Self::AlertResolved => "resolved",
            Self::EngineLost => "engine lost",
            Self::EngineBack => "engine back",
            Self::Action => "action",
        }
    }
}

/// What happened, in the order of time, bounded.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    entries: VecDeque<Happening>,
    forgotten: u64,
}

impl Timeline {
    /// How many entries are kept.
    pub const MOST: usize = 5_000;

    /// Takes an entry in at its time. One that is already there is not taken twice: after a gap the
    /// same events are read again.
    pub fn push(&mut self, entry: Happening) {
        let at = self
            .entries
            .iter()
            .rposition(|other| other.time <= entry.time)
            .map_or(0, |i| i + 1);
        let known = self
            .entries
            .range(..at)
            .rev()
            .take_while(|e| e.time == entry.time);
        if known.into_iter().any(|other| *other == entry) {
            return;
        }
        self.entries.insert(at, entry);
        if self.entries.len() > Self::MOST {
            self.entries.pop_front();
            self.forgotten += 1;
        }
    }

    /// Oldest first.
    pub fn entries(&self) -> &VecDeque<Happening> {
        &self.entries
    }

    /// How many older ones are not kept any more.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: i64, text: &str) -> Happening {
        Happening {
            time,
            kind: Kind::Started,
            instance: None,
            service: None,
            container: None,
            text: text.into(),
        }
    }

    #[test]
    fn late_entries_find_their_place_and_none_is_there_twice() {
        let mut timeline = Timeline::default();
        for entry in [
            at(10, "a"),
            at(30, "c"),
            at(20, "b"),
            at(30, "c"),
            at(30, "d"),
            at(5, "z"),
        ] {
            timeline.push(entry);
        }
        let texts: Vec<&str> = timeline.entries().iter().map(|e| e.text.as_str()).collect();
        assert_eq!(texts, ["z", "a", "b", "c", "d"]);
    }

    #[test]
    fn the_oldest_go_first() {
        let mut timeline = Timeline::default();
        for time in 0..6_000 {
            timeline.push(at(time, "x"));
        }
        assert_eq!(timeline.entries().len(), Timeline::MOST);
        assert_eq!(timeline.forgotten(), 1_000);
        assert_eq!(timeline.entries().front().map(|e| e.time), Some(1_000));
    }
}
