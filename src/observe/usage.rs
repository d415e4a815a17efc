//! What containers use of the machine: one stream for each that is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::{AbortHandle, JoinSet};

use super::Shared;
use crate::base::ContainerId;
use crate::event::live::Fact;

/// After a stream ended, until it is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// Streams the use of the containers that are needed and run, until nobody listens.
pub(super) async fn run(mut shared: Shared) {
    let mut streams = JoinSet::new();
    let mut open: BTreeMap<ContainerId, AbortHandle> = BTreeMap::new();
    loop {
        {
            let there = shared.there.borrow_and_update().clone();
            let needs = shared.needs.borrow_and_update().clone();
            let wanted = |id: &ContainerId| {
                there.reached
                    && needs.usage.contains(id)
                    && there
                        .containers
                        .iter()
                        .any(|c| c.id == *id && c.state.is_running())
            };
            open.retain(|id, stream| {
                let keep = wanted(id);
                if !keep {
                    stream.abort();
                }
                keep
            });
            for id in needs.usage.iter().filter(|id| wanted(id)) {
                if !open.contains_key(id) {
                    let task = streams.spawn(stream(shared.clone(), id.clone()));
                    open.insert(id.clone(), task);
                }
            }
        }
        tokio::select! {
            changed = shared.needs.changed() => if changed.is_err() { return },
            changed = shared.there.changed() => if changed.is_err() { return },
            // Streams end when they are not needed any more; their results mean nothing.
            Some(_) = streams.join_next(), if !streams.is_empty() => {}
            () = shared.facts.closed() => return,
        }
    }
}

/// The use of one container, for as long as this is not aborted.
async fn stream(shared: Shared, id: ContainerId) {
    loop {
        let mut readings = shared.setting.engine.stats(&id);
        while let Some(Ok(reading)) = readings.next().await {
            if !shared.tell(Fact::Usage(id.clone(), reading)).await {
                return;
            }
        }
        drop(readings);
        tokio::time::sleep(AGAIN).await;
    }
}
