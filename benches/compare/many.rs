//! Many services that do nothing: what the program itself costs a container.

use std::path::PathBuf;

use super::figures::{Figures, Row};
use super::settings::Settings;
use super::stand::{Stand, Who};
use super::{measure, rounds};

/// Up and down, both programs, a few rounds.
pub async fn all(
    settings: &Settings,
    stand: &Stand,
    both: &[Who],
    services: usize,
    figures: &mut Figures,
) -> Result<(), String> {
    let file = write(stand, services)?;
    for round in 0..settings.rounds.min(3) {
        eprintln!("round {} with {services} services", round + 1);
        for &who in both {
            let up = stand.line_on(who, std::slice::from_ref(&file), &rounds::up(who, true));
            figures.add(
                Row::ManyUp(services),
                who,
                measure::run(&up, stand.folder.path()).await?,
            );
            let down = stand.line_on(who, std::slice::from_ref(&file), &["down", "-v"]);
            figures.add(
                Row::ManyDown(services),
                who,
                measure::run(&down, stand.folder.path()).await?,
            );
        }
    }
    Ok(())
}

/// A stack of services without dependencies, on an image that the reference stack uses anyway.
fn write(stand: &Stand, services: usize) -> Result<PathBuf, String> {
    let image = stand
        .images
        .get("nginx")
        .ok_or("the stack has no nginx, whose image this would use")?;
    let mut text = format!(
        "x-idle: &idle\n  image: \"{image}\"\n  entrypoint: [sleep, infinity]\n  stop_signal: SIGKILL\n  user: \"65534\"\nservices:\n"
    );
    for number in 0..services {
        text += &format!("  s{number:03}: {{<<: *idle}}\n");
    }
    let file = stand.folder.path().join(format!("many-{services}.yaml"));
    std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(file)
}
