//! The order of it: both programs and the bare engine in turn, so that what else the machine
//! does hits all of them.

use super::figures::{Figures, Row};
use super::settings::Settings;
use super::stand::{Stand, Who};
use super::{engine, floor, many, measure};

/// Cheap commands are run so many times a round.
const REPEATS: usize = 3;

/// All that was asked for.
pub async fn all(settings: &Settings, stand: &Stand) -> Result<Figures, String> {
    let both: &[Who] = if settings.ours_only {
        &[Who::Platform]
    } else {
        &[Who::Platform, Who::Compose]
    };
    let mut figures = Figures::default();
    let mut template = None;
    if !settings.short {
        eprintln!("once to warm up");
        let mut unused = Figures::default();
        for &who in both {
            cycle(stand, who, 1, &mut unused, &mut template).await?;
        }
    }
    for round in 0..settings.rounds {
        eprintln!("round {} of {}", round + 1, settings.rounds);
        let mut order = both.to_vec();
        let turn = round % order.len();
        order.rotate_left(turn);
        for who in order {
            cycle(stand, who, REPEATS, &mut figures, &mut template).await?;
        }
        if let Some(template) = &template {
            figures.floor.push(floor::walk(stand, template).await?);
            engine::remove(&stand.docker, &stand.project).await?;
        }
    }
    for round in 0..settings.slow_rounds {
        eprintln!(
            "round {} of {} with the stack's own health intervals",
            round + 1,
            settings.slow_rounds
        );
        for &who in both {
            // Ours takes a second or two: a few more runs cost nothing.
            for _ in 0..if who == Who::Platform { 3 } else { 1 } {
                let command = up(who, true);
                figures.add(Row::UpOwn, who, run(stand, who, false, &command).await?);
                run(stand, who, false, &["down", "-v"]).await?;
            }
        }
    }
    if settings.many {
        for services in [42, 100] {
            many::all(settings, stand, both, services, &mut figures).await?;
        }
    }
    Ok(figures)
}

/// From nothing to everything and back, with each command in its place.
async fn cycle(
    stand: &Stand,
    who: Who,
    repeats: usize,
    figures: &mut Figures,
    template: &mut Option<floor::Template>,
) -> Result<(), String> {
    figures.add(Row::UpFast, who, run(stand, who, true, &up(who, true)).await?);
    if template.is_none() {
        *template = Some(floor::Template::take(stand).await?);
    }
    for _ in 0..repeats {
        figures.add(Row::Again, who, run(stand, who, true, &up(who, true)).await?);
        figures.add(
            Row::AgainUnproven,
            who,
            run(stand, who, true, &up(who, false)).await?,
        );
        figures.add(Row::Config, who, run(stand, who, true, &["config"]).await?);
        figures.add(Row::Ps, who, run(stand, who, true, &["ps"]).await?);
    }
    figures.add(Row::Down, who, run(stand, who, true, &["down", "-v"]).await?);
    Ok(())
}

/// `up` in the background. Smoke tests are left out: docker compose has none.
pub fn up(who: Who, proven: bool) -> Vec<&'static str> {
    match (who, proven) {
        (Who::Platform, true) => vec!["up", "-d", "--no-smoke"],
        (Who::Platform, false) => vec!["up", "-d", "--no-smoke", "--no-wait"],
        (Who::Compose, true) => vec!["up", "-d", "--wait"],
        (Who::Compose, false) => vec!["up", "-d"],
    }
}

async fn run(stand: &Stand, who: Who, fast: bool, command: &[&str]) -> Result<measure::Sample, String> {
    measure::run(&stand.line(who, fast, command), stand.folder.path()).await
}
