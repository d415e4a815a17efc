//! The part of the details that is measured: probes, use of the machine, traffic, differences, log lines.

use super::cells::{byte_rate, requests};
use super::details::{KEY, Section};
use super::item::{Item, rates};
use crate::base::Moment;
use crate::event::live::{Level, Reading, Shade};
use crate::view::tui::shared::Shared;
use crate::view::tui::theme::Role;
use crate::view::tui::widgets::{Line, age, ansi, bytes, millis, percent, ratio, spark};

/// How many log lines are shown.
const LOGS: usize = 6;
/// How far back in the buffer they are looked for.
const LOGS_BACK: u64 = 2_000;
/// How many columns a sparkline has.
const SPARK: usize = 24;

/// A moment of this process's clock as time of the day.
fn wall_time(shared: &Shared, at: Moment) -> String {
    let live = &shared.live;
    let ago = i64::try_from(live.at.saturating_sub(at).as_nanos()).unwrap_or(i64::MAX);
    shared.time(live.wall.saturating_sub(ago), false)
}

pub(super) fn probes(shared: &Shared, item: &Item) -> Option<Section> {
    let history = shared.live.probes.get(&item.row.instance)?;
    let mut section = Section::default();
    let times: Vec<f64> = history.iter().map(|p| p.attempt.took.as_secs_f64()).collect();
    let slowest = history.iter().map(|p| p.attempt.took).max()?;
    let passed = history.iter().filter(|p| p.attempt.passed).count();
    // On the way to ready, failing is no fault.
    let first = history.iter().position(|p| p.attempt.passed).unwrap_or(0);
    let mut line = Line::of(Role::Text, spark(&times, SPARK, None, shared.theme.is_unicode()));
    line.push(
        Role::Dim,
        format!(" {passed} of {} passed", history.len() - first),
    );
    if first > 0 {
        line.push(Role::Dim, format!(" after {first} that did not yet"));
    }
    line.push(Role::Dim, " · slowest ");
    section.value("probes", &line.with_number(&millis(slowest)));
    let mut what = "";
    for record in history.iter().rev().take(3) {
        let attempt = &record.attempt;
        // The same is tried again and again.
        if what != attempt.what {
            what = &attempt.what;
            section.value("", &Line::of(Role::Dim, what));
        }
        let shade = if attempt.passed { Shade::Good } else { Shade::Bad };
        let line = Line::of(Role::Dim, wall_time(shared, record.at))
            .with(shade.into(), format!(" {} ", shared.theme.mark(shade)))
            .with_number(&format!("{:>6}", millis(attempt.took)))
            .with(
                if attempt.passed { Role::Dim } else { Role::Bad },
                format!(" {}", attempt.detail),
            );
        section.value("", &line);
    }
    Some(section)
}

pub(super) fn usage(shared: &Shared, item: &Item) -> Option<Section> {
    let history = shared.live.usage.get(item.row.container.as_ref()?)?;
    let last = history.last()?;
    let unicode = shared.theme.is_unicode();
    let mut section = Section::default();
    let cpu: Vec<f64> = history.readings.iter().map(|(_, u)| u.cpu_percent).collect();
    let most = cpu.iter().copied().fold(0.0, f64::max);
    // Of one whole core, unless it has more.
    let line = Line::of(Role::Text, spark(&cpu, SPARK, Some(most.max(100.0)), unicode))
        .with(Role::Text, " ")
        .with_number(&percent(last.cpu_percent))
        .with(Role::Dim, " of a core · most ")
        .with_number(&percent(most));
    section.value("CPU", &line);
    #[expect(clippy::cast_precision_loss, reason = "bars of eight heights")]
    let memory: Vec<f64> = history.readings.iter().map(|(_, u)| u.memory as f64).collect();
    #[expect(clippy::cast_precision_loss, reason = "bars of eight heights")]
    let top = (last.memory_limit > 0).then_some(last.memory_limit as f64);
    let line = Line::of(Role::Text, spark(&memory, SPARK, top, unicode))
        .with(Role::Text, " ")
        .with_number(&bytes(last.memory))
        .with(Role::Dim, " of ")
        .with_number(&bytes(last.memory_limit))
        .with(Role::Dim, " · ")
        .with_number(&percent(last.memory_percent()));
    section.value("memory", &line);
    let now = |total: u64, rate: Option<f64>| {
        let line = Line::new().with_number(&bytes(total));
        match rate {
            Some(rate) => line.with(Role::Dim, " · ").with_number(&byte_rate(rate)),
            None => line,
        }
    };
    let rates = rates(history);
    let of = |n: usize| rates.and_then(|all| all.get(n).copied());
    for (key, [into, out], [total_in, total_out], [word_in, word_out]) in [
        ("network", [0, 1], [last.received, last.sent], ["in ", "out "]),
        ("disk", [2, 3], [last.read, last.written], ["read ", "written "]),
    ] {
        let mut line = Line::of(Role::Dim, word_in);
        line.append(&now(total_in, of(into)));
        line.push(Role::Dim, format!("   {word_out}"));
        line.append(&now(total_out, of(out)));
        section.value(key, &line);
    }
    section.value("processes", &Line::of(Role::Text, last.pids.to_string()));
    Some(section)
}

pub(super) fn traffic(shared: &Shared, item: &Item) -> Option<Section> {
    let live = &shared.live;
    let mut section = Section::default();
    let service = &item.row.instance.service;
    if let Some(traffic) = live.traffic.value().and_then(|all| all.get(service)) {
        let mut line = Line::new();
        if let Some(rate) = traffic.rate {
            line = line.with(Role::Text, requests(rate)).with(Role::Dim, " req/s");
        }
        if let Some(errors) = traffic.errors {
            line = line.with(Role::Dim, " · failed ").with_number(&ratio(errors));
        }
        if let Some(p95) = traffic
            .p95
            .and_then(|s| std::time::Duration::try_from_secs_f64(s).ok())
        {
            line = line.with(Role::Dim, " · p95 ").with_number(&millis(p95));
        }
        section.value("traffic", &line);
    }
    if let Some(why) = live.traffic.trouble() {
        let old = match &live.traffic {
            Reading::Stale {
                last: Some((_, at)), ..
            } => {
                format!("as of {} ago: ", age(live.at.saturating_sub(*at)))
            }
            _ => "not known: ".to_owned(),
        };
        section.value("", &Line::of(Role::Dim, format!("{old}{why}")));
    }
    // Without a value the key would be missing.
    if let Some((line, _)) = section.lines.first_mut()
        && live.traffic.value().and_then(|all| all.get(service)).is_none()
    {
        let text = line.text().trim_start().to_owned();
        *line = Line::of(Role::Dim, "traffic");
        line.tab(KEY);
        line.push(Role::Dim, text);
    }
    Some(section)
}

pub(super) fn plan(shared: &Shared, item: &Item) -> Option<Section> {
    let planned = shared.live.plan.as_ref()?.as_ref().ok()?;
    let own = planned
        .lines
        .iter()
        .filter(|line| line.service.as_ref() == Some(&item.row.instance.service));
    let mut section = Section::titled("differs from the files");
    for step in own {
        section.line(
            Line::of(Role::Text, format!("  {}", step.what)).with(Role::Dim, format!(" · {}", step.cause)),
        );
        for (path, was, will) in &step.differences {
            section.line(
                Line::of(Role::Dim, format!("    {path}  "))
                    .with(Role::Bad, was)
                    .with(Role::Dim, " → ")
                    .with(Role::Good, will),
            );
        }
    }
    (section.lines.len() > 1).then_some(section)
}

pub(super) fn logs(shared: &Shared, item: &Item) -> Option<Section> {
    let buffer = &shared.live.logs;
    let from = buffer.end().saturating_sub(LOGS_BACK);
    let mut newest: Vec<_> = buffer
        .from(from)
        .rev()
        .filter(|(_, line)| line.instance == item.row.instance)
        .take(LOGS)
        .collect();
    newest.reverse();
    let mut section = Section::titled("last log lines");
    for (_, record) in newest {
        let role = if record.level.is_some_and(|l| l >= Level::Error) {
            Role::Bad
        } else {
            Role::Text
        };
        section.line(
            Line::of(Role::Dim, format!("{} ", shared.time(record.time, false)))
                .with(role, ansi::strip(&record.text)),
        );
    }
    (section.lines.len() > 1).then_some(section)
}
