//! From the engine's events to what happened, in words.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::time::rfc3339;
use crate::base::{ContainerId, ServiceName};
use crate::engine::{EngineEventKind, ObjectEvent};
use crate::event::live::{Happening, Kind};
use crate::model::{EngineHealth, labels};
use crate::plan::Instance;

/// How many events are remembered to tell repeats from news.
const REMEMBERED: usize = 1024;
/// Events are asked for again from so long before the last one: they may come a little out of order.
const OVERLAP: i64 = 2_000_000_000;
/// Signals that mean something else than an end to most programs.
const NO_END: [&str; 10] = [
    "1", "10", "12", "28", "HUP", "USR1", "USR2", "WINCH", "18", "CONT",
];

/// What events have told so far.
#[derive(Debug, Default)]
pub(super) struct Happenings {
    /// Where the engine's memory is read from at first.
    begin: i64,
    last: Option<i64>,
    seen: HashSet<(i64, String, String)>,
    order: VecDeque<(i64, String, String)>,
    containers: BTreeMap<ContainerId, Past>,
}

/// What is known of a container's past.
#[derive(Debug, Clone, Default)]
struct Past {
    /// The signal that somebody asked it to end with, since its start.
    asked: Option<String>,
    /// Whether the kernel killed something in it, since its start.
    out_of_memory: bool,
    /// When it last died and last started, by events or inspections.
    died: Option<i64>,
    started: Option<i64>,
    unhealthy_since: Option<i64>,
}

impl Happenings {
    /// Nothing was told yet; the engine's memory is read from `begin` on, nanoseconds since 1970.
    pub(super) fn from(begin: i64) -> Self {
        Self {
            begin,
            ..Self::default()
        }
    }

    /// From when on events are to be asked for.
    pub(super) fn since(&self) -> String {
        rfc3339(self.last.map_or(self.begin, |last| last.saturating_sub(OVERLAP)))
    }

    /// When a container died or started last, as far as known.
    pub(super) fn last_of(&self, id: &ContainerId, kind: Kind) -> Option<i64> {
        let past = self.containers.get(id)?;
        if kind == Kind::Died {
            past.died
        } else {
            past.started
        }
    }

    /// Takes an event of a container in. Nothing for one that was taken in before.
    pub(super) fn take(&mut self, event: &ObjectEvent) -> Option<(EngineEventKind, Option<Happening>)> {
        if event.object != "container" {
            return None;
        }
        let key = (event.time, event.id.clone(), event.action.clone());
        if !self.seen.insert(key.clone()) {
            return None;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.last = Some(self.last.map_or(event.time, |last| last.max(event.time)));
        let kind = event.kind();
        let happening = self
            .told(event, &kind)
            .map(|(kind, text)| happening(event, kind, text));
        Some((kind, happening))
    }

    fn told(&mut self, event: &ObjectEvent, kind: &EngineEventKind) -> Option<(Kind, String)> {
        let id = ContainerId::from(event.id.as_str());
        if *kind == EngineEventKind::Destroy {
            self.containers.remove(&id);
            return Some((Kind::Removed, "removed".into()));
        }
        let past = self.containers.entry(id).or_default();
        Some(match kind {
            EngineEventKind::Create => {
                let image = event
                    .attributes
                    .get("image")
                    .map(String::as_str)
                    .unwrap_or_default();
                let text = match image {
                    "" => "created".to_owned(),
                    image => format!("created from {image}"),
                };
                (Kind::Created, text)
            }
            EngineEventKind::Start => past.start(event.time),
            EngineEventKind::Kill(signal) => {
                let bare = signal.trim_start_matches("SIG");
                if !NO_END.contains(&bare) {
                    past.asked = Some(signal_name(bare));
                }
                return None;
            }
            EngineEventKind::Oom => {
                past.out_of_memory = true;
                (
                    Kind::OutOfMemory,
                    "the kernel killed a process of it for memory".into(),
                )
            }
            EngineEventKind::Die(code) => past.die(event.time, *code),
            EngineEventKind::Pause => (Kind::Paused, "paused: its processes are frozen".into()),
            EngineEventKind::Unpause => (Kind::Paused, "goes on after a pause".into()),
            EngineEventKind::Health(EngineHealth::Healthy) => {
                let text = match past.unhealthy_since.take() {
                    Some(since) => {
                        let away = crate::event::live::since(since, event.time).as_secs();
                        format!("its health check passes again after {away} s")
                    }
                    None => "its health check passes".into(),
                };
                (Kind::Healthy, text)
            }
            EngineEventKind::Health(EngineHealth::Unhealthy) => {
                past.unhealthy_since = Some(event.time);
                (Kind::Unhealthy, "its health check fails".into())
            }
            _ => return None,
        })
    }

    /// What an inspection of a container shows that no event told: a start or an end while nobody
    /// listened. `at` is nanoseconds since 1970.
    pub(super) fn unseen(&mut self, id: &ContainerId, kind: Kind, at: i64, code: i64) -> (Kind, String) {
        let past = self.containers.entry(id.clone()).or_default();
        match kind {
            Kind::Died => past.die(at, code),
            _ => past.start(at),
        }
    }
}

impl Past {
    fn start(&mut self, at: i64) -> (Kind, String) {
        let again = self.died.is_some();
        *self = Self {
            died: self.died,
            started: Some(at),
            ..Self::default()
        };
        if again {
            (Kind::Restarted, "started again".into())
        } else {
            (Kind::Started, "started".into())
        }
    }

    fn die(&mut self, at: i64, code: i64) -> (Kind, String) {
        self.died = Some(at);
        self.unhealthy_since = None;
        let words = exit_in_words(code);
        match (&self.asked, self.out_of_memory, code) {
            (Some(signal), false, _) => (Kind::Stopped, format!("stopped with {signal}: {words}")),
            (_, true, 137) => (Kind::Died, format!("out of memory: {words}")),
            (_, _, 0) => (Kind::Stopped, "exited with code 0".into()),
            _ => (
                Kind::Died,
                format!("exited with {}", words.trim_start_matches("exit ")),
            ),
        }
    }
}

/// Something that happened to a container, by its labels.
fn happening(event: &ObjectEvent, kind: Kind, text: String) -> Happening {
    let label = |name: &str| event.attributes.get(name).map(String::as_str);
    let service = label(labels::SERVICE).map(ServiceName::from);
    let is_oneoff = label(labels::ONEOFF).is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let instance = service.clone().filter(|_| !is_oneoff).map(|service| Instance {
        service,
        number: label(labels::NUMBER).and_then(|n| n.parse().ok()).unwrap_or(1),
    });
    let text = if is_oneoff {
        format!("{}: {text}", label("name").unwrap_or_default())
    } else {
        text
    };
    Happening {
        time: event.time,
        kind,
        instance,
        service,
        container: Some(ContainerId::from(event.id.as_str())),
        text,
    }
}

/// `exit code 143 (SIGTERM)`.
fn exit_in_words(code: i64) -> String {
    match code {
        126 => "exit code 126 (the command cannot be executed)".into(),
        127 => "exit code 127 (command not found)".into(),
        129..=192 => format!("exit code {code} ({})", signal_name(&(code - 128).to_string())),
        code => format!("exit code {code}"),
    }
}

/// A signal's name by its number or name; Linux' numbers.
fn signal_name(signal: &str) -> String {
    const NAMES: [(&str, &str); 12] = [
        ("1", "HUP"),
        ("2", "INT"),
        ("3", "QUIT"),
        ("4", "ILL"),
        ("6", "ABRT"),
        ("7", "BUS"),
        ("8", "FPE"),
        ("9", "KILL"),
        ("11", "SEGV"),
        ("13", "PIPE"),
        ("14", "ALRM"),
        ("15", "TERM"),
    ];
    match NAMES.iter().find(|(number, _)| *number == signal) {
        Some((_, name)) => format!("SIG{name}"),
        None if signal.parse::<u8>().is_ok() => format!("signal {signal}"),
        None => format!("SIG{}", signal.trim_start_matches("SIG")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: i64, action: &str, more: &[(&str, &str)]) -> ObjectEvent {
        let mut attributes: BTreeMap<String, String> = [
            (labels::SERVICE, "app"),
            (labels::NUMBER, "2"),
            ("name", "p-app-2"),
            ("image", "app:1"),
        ]
        .into_iter()
        .chain(more.iter().copied())
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        attributes.retain(|_, value| !value.is_empty());
        ObjectEvent {
            object: "container".into(),
            action: action.into(),
            id: "c1".into(),
            attributes,
            time: time * 1_000_000_000,
        }
    }

    fn told(events: &[ObjectEvent]) -> String {
        let mut happenings = Happenings::from(0);
        let told = events
            .iter()
            .filter_map(|e| happenings.take(e)?.1)
            .map(|h| format!("{} {}: {}", h.time / 1_000_000_000, h.kind.as_str(), h.text));
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_life_in_words() {
        let die = |time, code| event(time, "die", &[("exitCode", code)]);
        let kill = |time, signal| event(time, "kill", &[("signal", signal)]);
        insta::assert_snapshot!(told(&[
            event(1, "create", &[]),
            event(2, "start", &[]),
            event(2, "exec_start: sh", &[]),
            event(3, "health_status: healthy", &[]),
            event(4, "health_status: unhealthy", &[]),
            event(16, "health_status: healthy", &[]),
            kill(17, "1"),
            die(18, "3"),
            event(19, "start", &[]),
            event(20, "oom", &[]),
            die(21, "137"),
            event(22, "start", &[]),
            kill(23, "15"),
            die(24, "143"),
            event(24, "stop", &[]),
            event(25, "start", &[]),
            die(26, "0"),
            event(27, "start", &[]),
            kill(28, "SIGQUIT"),
            die(29, "0"),
            event(30, "start", &[]),
            die(31, "139"),
            event(32, "pause", &[]),
            event(33, "unpause", &[]),
            event(34, "rename", &[]),
            event(35, "destroy", &[]),
        ]), @r"
        1 created: created from app:1
        2 started: started
        3 healthy: its health check passes
        4 unhealthy: its health check fails
        16 healthy: its health check passes again after 12 s
        18 died: exited with code 3
        19 restarted: started again
        20 oom: the kernel killed a process of it for memory
        21 died: out of memory: exit code 137 (SIGKILL)
        22 restarted: started again
        24 stopped: stopped with SIGTERM: exit code 143 (SIGTERM)
        25 restarted: started again
        26 stopped: exited with code 0
        27 restarted: started again
        29 stopped: stopped with SIGQUIT: exit code 0
        30 restarted: started again
        31 died: exited with code 139 (SIGSEGV)
        32 paused: paused: its processes are frozen
        33 paused: goes on after a pause
        35 removed: removed
        ");
    }

    #[test]
    fn an_event_counts_once_and_names_its_instance() {
        let mut happenings = Happenings::from(7_000_000_000);
        assert_eq!(happenings.since(), "1970-01-01T00:00:07Z");
        let start = event(100, "start", &[]);
        let (_, told) = happenings.take(&start).unwrap();
        let told = told.unwrap();
        assert_eq!(told.instance.unwrap().to_string(), "app-2");
        assert!(happenings.take(&start).is_none());
        assert_eq!(happenings.since(), "1970-01-01T00:01:38Z");
        let mut network = event(101, "connect", &[]);
        network.object = "network".into();
        assert!(happenings.take(&network).is_none());
        let oneoff = event(102, "start", &[(labels::ONEOFF, "True")]);
        let told = happenings.take(&oneoff).unwrap().1.unwrap();
        assert_eq!((told.instance, told.text.as_str()), (None, "p-app-2: started"));
    }

    #[test]
    fn what_no_event_told() {
        let mut happenings = Happenings::from(0);
        let id = ContainerId::from("c1");
        assert_eq!(
            happenings.unseen(&id, Kind::Died, 5, 255),
            (Kind::Died, "exited with code 255".into())
        );
        assert_eq!(happenings.last_of(&id, Kind::Died), Some(5));
        assert_eq!(happenings.unseen(&id, Kind::Started, 6, 0).0, Kind::Restarted);
    }
}
