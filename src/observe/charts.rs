//! The data of panels, while they are shown.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::Shared;
use super::boards::{self, Folder, Read, Source};
use crate::event::live::{Chart, ChartSeries, Fact};
use crate::event::request::ChartNeed;
use crate::metrics::Spans;
use crate::metrics::prometheus::{Range, Series, query, query_range, scrape_interval};
use crate::model::board::Query;
use crate::model::smoke::Address;
use crate::model::{Observed, Project};
use crate::probe::EngineHost;
use crate::probe::place::{Place, locate, of_service};

/// Between two readings of all panels.
const PACE: Duration = Duration::from_secs(5);
/// Between two looks at the dashboards' files, while they are shown.
const LOOK: Duration = Duration::from_secs(3);
/// For one query.
const PATIENCE: Duration = Duration::from_secs(4);
/// Queries at one time.
const AT_ONCE: usize = 4;
/// Points of a series.
const POINTS: u32 = 200;
/// Series of a panel: more cannot be told apart.
const MOST_SERIES: usize = 100;
/// How often a Prometheus is taken to scrape that does not tell.
const SCRAPE: Duration = Duration::from_secs(15);

/// Reads boards, and charts while they are needed.
pub(super) async fn run(mut shared: Shared) {
    let mut part = Part {
        shared: shared.clone(),
        folders: None,
        read: None,
        scrape: None,
    };
    let mut stack = shared.stack.clone();
    let (mut look_at, mut ask_at) = (Instant::now(), Instant::now());
    loop {
        if Instant::now() >= look_at {
            if part.look().await.is_none() {
                return;
            }
            look_at = Instant::now() + LOOK;
        }
        let need = shared.needs.borrow_and_update().charts.clone();
        let Some(need) = need else {
            tokio::select! {
                changed = shared.needs.changed() => if changed.is_err() { return },
                changed = stack.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    look_at = Instant::now();
                }
                () = shared.facts.closed() => return,
            }
            ask_at = Instant::now();
            continue;
        };
        tokio::select! {
            told = part.charts(&need, ask_at) => {
                if told.is_none() {
                    return;
                }
                ask_at = Instant::now() + PACE;
            }
            // What is shown now is asked at once.
            others = other_panels(&mut shared, &need) => {
                if others.is_none() {
                    return;
                }
                ask_at = Instant::now();
            }
            changed = stack.changed() => {
                if changed.is_err() {
                    return;
                }
                look_at = Instant::now();
            }
        }
    }
}

/// Waits until other panels are needed than these. `None` where nobody says any more.
async fn other_panels(shared: &mut Shared, need: &ChartNeed) -> Option<()> {
    loop {
        shared.needs.changed().await.ok()?;
        if shared.needs.borrow_and_update().charts.as_ref() != Some(need) {
            return Some(());
        }
    }
}

struct Part {
    shared: Shared,
    folders: Option<Result<Vec<Folder>, String>>,
    read: Option<Read>,
    /// How often a Prometheus scrapes.
    scrape: Option<(Place, Duration)>,
}

impl Part {
    /// Reads the dashboards where their files or the stack have changed. `None` where nobody listens.
    async fn look(&mut self) -> Option<()> {
        let folders = boards::folders(self.shared.stack.borrow().as_deref());
        let same = self.folders.as_ref() == Some(&folders);
        let found = match &folders {
            Err(why) => {
                if same {
                    return Some(());
                }
                self.read = None;
                Err(why.clone())
            }
            Ok(list) => {
                let (list, before) = (list.clone(), self.read.as_ref().map(|read| read.stamps.clone()));
                let looked = tokio::task::spawn_blocking(move || {
                    let changed = !same || before != Some(boards::stamps(&list));
                    changed.then(|| boards::read(&list))
                });
                let Some(read) = looked.await.ok()? else {
                    return Some(());
                };
                let boards = read.boards.clone();
                self.read = Some(read);
                boards
            }
        };
        self.folders = Some(folders);
        self.shared.tell(Fact::Boards(found)).await.then_some(())
    }

    /// Asks for the panels at `at` and tells them. `None` where nobody listens.
    async fn charts(&mut self, need: &ChartNeed, at: Instant) -> Option<()> {
        tokio::time::sleep_until(at).await;
        let source = self
            .read
            .as_ref()
            .and_then(|read| read.sources.get(need.board))
            .cloned();
        let Some(source) = source else {
            // The boards said why.
            return Some(());
        };
        let place = self.place(&source.at);
        let scrape = match &place {
            Ok(place) => self.scrape_of(place).await,
            Err(_) => SCRAPE,
        };
        let view = View::of(need.span, scrape, (self.shared.setting.wall)());
        let panels = need.panels.iter().copied();
        let mut asked = stream::iter(panels)
            .map(|panel| {
                let (source, place) = (&source, &place);
                async move {
                    let series = match place {
                        Ok(place) => view.series(source, panel, place).await,
                        Err(why) => Err(why.clone()),
                    };
                    Chart {
                        board: need.board,
                        panel,
                        from: view.range.from,
                        to: view.range.to,
                        series,
                    }
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some(chart) = asked.next().await {
            self.shared.facts.send(Fact::Chart(chart)).await.ok()?;
        }
        Some(())
    }

    fn place(&self, at: &Address) -> Result<Place, String> {
        let there = self.shared.there.borrow();
        if !there.listed {
            return Err("the containers are not known yet".to_owned());
        }
        let observed = Observed {
            containers: there.containers.to_vec(),
            ..Observed::default()
        };
        let project = self.shared.stack.borrow();
        place_of(at, project.as_deref(), &observed, &there.host)
    }

    async fn scrape_of(&mut self, place: &Place) -> Duration {
        if let Some((known, scrape)) = &self.scrape
            && known == place
        {
            return *scrape;
        }
        match scrape_interval(place, Instant::now() + PATIENCE).await {
            Ok(scrape) => {
                self.scrape = Some((place.clone(), scrape));
                scrape
            }
            Err(_) => SCRAPE,
        }
    }
}

fn place_of(
    at: &Address,
    project: Option<&Project>,
    observed: &Observed,
    host: &EngineHost,
) -> Result<Place, String> {
    match (project, at) {
        (Some(project), at) => locate(at, project, observed, host),
        (
            None,
            Address::Service {
                service,
                port: Some(port),
            },
        ) => of_service(service, *port, None, observed, host),
        (None, _) => Err("the stack's files are not at hand".to_owned()),
    }
}

/// The stretch of time that panels show.
#[derive(Debug, Clone, Copy)]
struct View {
    range: Range,
    spans: Spans,
}

impl View {
    /// Up to now, at a step that gives each series about so many points.
    fn of(span: Duration, scrape: Duration, wall: i64) -> Self {
        let step = (span / POINTS).max(scrape).max(Duration::from_secs(1));
        let step_s = step.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are enough")]
        let now = wall as f64 / 1e9;
        // On multiples of the step, so that a point stays the same point from one reading to the next.
        let to = (now / step_s).floor() * step_s;
        Self {
            range: Range {
                from: to - (span.as_secs_f64() / step_s).floor() * step_s,
                to,
                step: step_s,
            },
            spans: Spans::of(span, step, scrape),
        }
    }

    async fn series(&self, source: &Source, panel: usize, place: &Place) -> Result<Vec<ChartSeries>, String> {
        let queries = source.dashboard.queries_of(panel, &self.spans);
        let mut found = Vec::new();
        for asked in &queries {
            let until = Instant::now() + PATIENCE;
            let answer = if asked.instant {
                query(place, &asked.expression, until).await
            } else {
                query_range(place, &asked.expression, self.range, until).await
            };
            let series = answer.map_err(|error| match queries.as_slice() {
                [_] => error.text().to_owned(),
                _ => format!("query {}: {}", asked.letter, error.text()),
            })?;
            found.extend(series.iter().map(|series| drawn(series, asked)));
        }
        found.truncate(MOST_SERIES);
        Ok(found)
    }
}

fn drawn(series: &Series, query: &Query) -> ChartSeries {
    let points = series
        .points
        .iter()
        .copied()
        .filter(|(_, value)| value.is_finite());
    ChartSeries {
        name: legend(&query.legend, series),
        points: points.collect(),
    }
}

/// A series' name by a legend's pattern; all labels where there is none.
fn legend(pattern: &str, series: &Series) -> String {
    if pattern.is_empty() {
        // A sum of all has no labels, and the panel's title names it.
        return if series.labels.is_empty() {
            String::new()
        } else {
            series.name()
        };
    }
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((label, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        out.push_str(
            series
                .labels
                .get(label.trim())
                .map(String::as_str)
                .unwrap_or_default(),
        );
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legends() {
        let series = Series {
            labels: [("__name__", "up"), ("job", "app"), ("route", "/x")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            points: Vec::new(),
        };
        for (pattern, name) in [
            ("", "up{job=\"app\",route=\"/x\"}"),
            ("{{route}}", "/x"),
            ("{{ job }} of {{none}}!", "app of !"),
            ("p95", "p95"),
            ("{{job", "{{job"),
        ] {
            assert_eq!(legend(pattern, &series), name, "{pattern}");
        }
    }

    #[test]
    fn steps_and_ranges() {
        const NOW: i64 = 1_795_267_024_123_456_789;
        let view = View::of(Duration::from_secs(3600), Duration::from_secs(1), NOW);
        assert_eq!(view.range.step, 18.0);
        assert_eq!((view.range.to - view.range.from) / view.range.step, 200.0);
        assert_eq!(view.range.to % 18.0, 0.0);
        assert_eq!(view.spans.rate_interval, Duration::from_secs(19));
        let short = View::of(Duration::from_secs(60), Duration::from_millis(100), NOW);
        assert_eq!(short.range.step, 1.0);
        let slow = View::of(Duration::from_secs(60), Duration::from_secs(15), NOW);
        assert_eq!((slow.range.step, slow.spans.rate_interval.as_secs()), (15.0, 60));
    }
}
