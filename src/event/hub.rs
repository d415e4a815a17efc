//! The one place that events are published through: gives them their order and time, folds
//! them into the snapshot and hands them on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, watch};

use super::{Body, Event, Snapshot, mask};
use crate::base::{Clock, Masker};

/// The publisher. Cheap to clone; all clones publish into the same order.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    masker: Masker,
    state: Mutex<State>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

#[derive(Default)]
struct State {
    seq: u64,
    snapshot: Snapshot,
    queues: Vec<Arc<Queue>>,
}

struct Queue {
    events: Mutex<VecDeque<Event>>,
    closed: Mutex<bool>,
    wake: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Hub {
    /// A hub whose moments are those of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_masker(clock, Masker::default())
    }

    /// As [`Hub::new`]; what `masker` knows, now or later, is masked in every event published.
    pub fn with_masker(clock: Arc<dyn Clock>, masker: Masker) -> Self {
        let (snapshots, _) = watch::channel(Arc::new(Snapshot::default()));
        Self {
            inner: Arc::new(Inner {
                clock,
                masker,
                state: Mutex::default(),
                snapshots,
            }),
        }
    }

    /// Publishes an event. Never waits: a slow subscriber costs memory bounded by the run's
    /// state changes, since progress of one subject replaces the progress still queued for it.
    pub fn publish(&self, body: Body) {
        let body = mask::masked(body, &self.inner.masker);
        let mut state = lock(&self.inner.state);
        state.seq += 1;
        let event = Event {
            seq: state.seq,
            at: self.inner.clock.now(),
            body,
        };
        state.snapshot.apply(&event);
        for queue in &state.queues {
            queue.push(event.clone());
        }
        let snapshot = Arc::new(state.snapshot.clone());
        drop(state);
        self.inner.snapshots.send_replace(snapshot);
    }

    /// All events from now on, in order.
    pub fn subscribe(&self) -> Subscription {
        let queue = Arc::new(Queue {
            events: Mutex::default(),
            closed: Mutex::new(false),
            wake: Notify::new(),
        });
        lock(&self.inner.state).queues.push(queue.clone());
        Subscription { queue }
    }

    /// The newest snapshot, now and as it changes.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.snapshots.subscribe()
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshots.borrow().clone()
    }

    /// Ends all subscriptions once they have delivered what was published.
    pub fn close(&self) {
        for queue in lock(&self.inner.state).queues.drain(..) {
            *lock(&queue.closed) = true;
            queue.wake.notify_one();
        }
    }
}

impl Queue {
    fn push(&self, event: Event) {
        let mut events = lock(&self.events);
        // Progress that nobody has read yet is worth nothing beside newer progress; it may stand
        // before that of other subjects, whose lines take turns.
        if let Body::Progress { subject, .. } = &event.body
            && let Some(overtaken) = events.iter().rposition(
                |queued| matches!(&queued.body, Body::Progress { subject: other, .. } if other == subject),
            )
        {
            events.remove(overtaken);
        }
        events.push_back(event);
        drop(events);
        self.wake.notify_one();
    }
}

/// A subscriber's end of the hub.
pub struct Subscription {
    queue: Arc<Queue>,
}

impl Subscription {
    /// The next event; `None` after the hub was closed and all was delivered.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = lock(&self.queue.events).pop_front() {
                return Some(event);
            }
            if *lock(&self.queue.closed) {
                return None;
            }
            self.queue.wake.notified().await;
        }
    }

    /// The next event that is already there.
    pub fn try_next(&mut self) -> Option<Event> {
        lock(&self.queue.events).pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MonotonicClock;

    fn progress(subject: &str, text: &str) -> Body {
        Body::Progress {
            subject: subject.into(),
            text: text.into(),
            amount: None,
        }
    }

    #[tokio::test]
    async fn delivers_in_order_and_merges_progress() {
        let hub = Hub::new(Arc::new(MonotonicClock::start()));
        let mut subscription = hub.subscribe();
        hub.publish(progress("a", "1"));
        hub.publish(progress("b", "1"));
        hub.publish(progress("a", "2"));
        hub.publish(Body::Info { text: "x".into() });
        hub.publish(progress("b", "2"));
        hub.close();
        let mut seen = Vec::new();
        while let Some(event) = subscription.next().await {
            seen.push((event.seq, event.body));
        }
        assert_eq!(
            seen,
            [
                (3, progress("a", "2")),
                (4, Body::Info { text: "x".into() }),
                (5, progress("b", "2"))
            ]
        );
        assert_eq!(hub.snapshot().progress["a"].text, "2");
    }

    #[test]
    fn secrets_that_become_known_later_are_masked_from_then_on() {
        let masker = Masker::default();
        let hub = Hub::with_masker(Arc::new(MonotonicClock::start()), masker.clone());
        let mut subscription = hub.subscribe();
        masker.add("hunter2");
        hub.publish(Body::Stopping {
            text: "password is hunter2".into(),
        });
        let event = subscription.try_next().unwrap();
        assert!(!format!("{:?} {:?}", event, hub.snapshot()).contains("hunter2"));
    }
}
