//! Every panel's queries of the dashboards in a folder, asked of a Prometheus.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::outcome::{Evidence, Mismatch, Seen};
use super::runner::{Setting, Tried};
use crate::metrics::folder::load;
use crate::metrics::prometheus::{QueryError, query};
use crate::model::smoke::Address;
use crate::probe::place::locate;

/// How many queries are asked at one time.
const AT_ONCE: usize = 4;
/// How many failed queries are told in full.
const TOLD: usize = 10;

/// One try.
pub(super) async fn check(setting: &Setting<'_>, folder: &Path, at: &Address, timeout: Duration) -> Tried {
    let began = setting.clock.now();
    let until = Instant::now() + timeout;
    let tried = format!("queries of the dashboards in {}", folder.display());
    let place = match locate(at, setting.project, setting.observed, setting.host) {
        Ok(place) => place,
        Err(why) => return Tried::nowhere(why),
    };
    let tried = format!("{tried}, asked of {}", place.shown());
    let folder = folder.to_owned();
    let loaded = tokio::task::spawn_blocking(move || load(&folder)).await;
    let loaded = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(why)) => return Tried::untried("folder", "dashboards", why),
        Err(_) => return Tried::untried("folder", "dashboards", "it could not be read".to_owned()),
    };
    let wrong = |(file, why): &(String, String)| Mismatch::new(file.clone(), "a dashboard", why.clone());
    let mut mismatches: Vec<Mismatch> = loaded.broken.iter().map(wrong).collect();
    // Panels share queries: each is asked once.
    let mut expressions: Vec<&str> = loaded
        .dashboards
        .iter()
        .flat_map(|(_, d)| d.queries.iter().map(|q| q.expression.as_str()))
        .collect();
    expressions.sort_unstable();
    expressions.dedup();
    let answers: BTreeMap<&str, Result<usize, QueryError>> = stream::iter(expressions)
        .map(|expression| {
            let place = &place;
            async move {
                let answer = query(place, expression, until).await;
                (expression, answer.map(|series| series.len()))
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let took = setting.clock.now().saturating_sub(began);
    let (mut queries, mut empty, mut failed, mut other) = (0, 0, 0, 0);
    for (_, dashboard) in &loaded.dashboards {
        other += dashboard.other;
        for panel in &dashboard.queries {
            queries += 1;
            match answers.get(panel.expression.as_str()) {
                Some(Ok(0)) => empty += 1,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    failed += 1;
                    let what = format!("{} / {}", dashboard.title, panel.place);
                    let wanted = format!("an answer to {}", panel.expression);
                    mismatches.push(Mismatch::new(what, wanted, error.text()));
                }
                None => {}
            }
        }
    }
    // One that never answers fails every panel alike: said once.
    if let Some(Err(QueryError::NoAnswer(why))) = answers.values().next()
        && failed > 1
        && failed == queries
    {
        mismatches = vec![Mismatch::new("Prometheus", "an answer", why.clone())];
    }
    if mismatches.len() > TOLD {
        let more = mismatches.len() - TOLD;
        mismatches.truncate(TOLD);
        mismatches.push(Mismatch::new(format!("{more} more"), "an answer", "errors"));
    }
    if queries == 0 && mismatches.is_empty() {
        mismatches.push(Mismatch::new("dashboards", "at least one query", "none"));
    }
    Tried {
        mismatches,
        evidence: Some(Evidence {
            tried,
            took,
            seen: Seen::Panels {
                dashboards: loaded.dashboards.len(),
                queries,
                empty,
                other,
                failed,
            },
        }),
    }
}
