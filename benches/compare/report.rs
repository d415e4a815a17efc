//! The tables.

use std::fmt::Write as _;
use std::time::Duration;

use super::figures::{FLOOR_TARGET, Figures, Row, SIZE_TARGET, Spread, ms, spread};
use super::settings::Settings;
use super::stand::{Stand, Who};

/// Prints the tables, and writes them where that was asked for.
pub fn print(settings: &Settings, stand: &Stand, figures: &Figures) -> Result<(), String> {
    let text = tables(settings, stand, figures);
    println!("{text}");
    let write = |path: &std::path::Path, text: &str| {
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    if let Some(path) = &settings.markdown {
        write(path, &text)?;
    }
    if let Some(path) = &settings.json {
        write(path, &figures.json().to_string())?;
    }
    Ok(())
}

fn tables(settings: &Settings, stand: &Stand, figures: &Figures) -> String {
    let mut text = String::new();
    for (name, value) in &stand.machine {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(
        text,
        "- stack: {}",
        settings.stack.file_name().unwrap_or_default().to_string_lossy()
    );
    text += "\nMilliseconds: median (least–most, runs).\n\n";
    text += "| Command | platform | docker compose | ratio | target | met |\n|---|---:|---:|---:|---:|---|\n";
    for row in rows(figures) {
        let (ours, theirs) = (figures.wall(row, Who::Platform), figures.wall(row, Who::Compose));
        let ratio = ours.zip(theirs).map(|(a, b)| a.median / b.median);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            row.title(),
            cell(ours),
            cell(theirs),
            ratio.map_or_else(|| "–".into(), |r| format!("{r:.3}")),
            row.target().map_or_else(|| "–".into(), |t| format!("≤ {t:.3}")),
            met(ratio.zip(row.target())),
        );
    }
    floor(figures, &mut text);
    text += "\nProcessor time of the command itself (ms, median) and its highest memory (MiB):\n\n";
    text += "| Command | platform | docker compose | platform | docker compose | target | met |\n|---|---:|---:|---:|---:|---:|---|\n";
    for row in rows(figures) {
        let cpu = |who| {
            figures
                .cpu(row, who)
                .map_or_else(|| "–".into(), |s| format!("{:.0}", s.median))
        };
        let peak = |who| figures.peak(row, who);
        let show = |peak: Option<f64>| peak.map_or_else(|| "–".into(), |p| format!("{p:.1}"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | < {SIZE_TARGET:.0} | {} |",
            row.title(),
            cpu(Who::Platform),
            cpu(Who::Compose),
            show(peak(Who::Platform)),
            show(peak(Who::Compose)),
            met(peak(Who::Platform).map(|p| (p, SIZE_TARGET))),
        );
    }
    if let Ok(data) = std::fs::metadata(&stand.platform) {
        let size = data.len() as f64 / 1_048_576.0;
        let _ = writeln!(
            text,
            "\nBinary: {size:.1} MiB, target < {SIZE_TARGET:.0}: {}",
            met(Some((size, SIZE_TARGET)))
        );
    }
    text
}

fn rows(figures: &Figures) -> Vec<Row> {
    let mut rows: Vec<Row> = figures.samples.keys().map(|(row, _)| *row).collect();
    rows.dedup();
    rows
}

fn floor(figures: &Figures, text: &mut String) {
    let all = spread(figures.floor.iter().map(|m| ms(m.all)));
    let Some((all, ours)) = all.zip(figures.wall(Row::UpFast, Who::Platform)) else {
        return;
    };
    let ratio = ours.median / all.median;
    *text += "\nThe engine's floor (bare API calls for the same containers, ms):\n\n";
    *text += "| | |\n|---|---:|\n";
    let _ = writeln!(
        text,
        "| all created | {} |",
        cell(spread(figures.floor.iter().map(|m| ms(m.created))))
    );
    let services: std::collections::BTreeSet<&String> =
        figures.floor.iter().flat_map(|m| m.ready.keys()).collect();
    for service in services {
        let times = figures.floor.iter().filter_map(|m| m.ready.get(service)).copied();
        let _ = writeln!(
            text,
            "| {service} answers | {} |",
            cell(spread(times.map(|t: Duration| ms(t))))
        );
    }
    let _ = writeln!(text, "| everything answers | {} |", cell(Some(all)));
    let _ = writeln!(text, "| `platform up` | {} |", cell(Some(ours)));
    let _ = writeln!(
        text,
        "| ratio, target ≤ {FLOOR_TARGET} | {ratio:.3} ({}) |",
        met(Some((ratio, FLOOR_TARGET)))
    );
}

fn cell(spread: Option<Spread>) -> String {
    let Some(s) = spread else { return "–".into() };
    let digits = usize::from(s.median < 100.0);
    format!(
        "{:.digits$} ({:.digits$}–{:.digits$}, {})",
        s.median, s.least, s.most, s.runs
    )
}

fn met(value_and_target: Option<(f64, f64)>) -> &'static str {
    match value_and_target {
        Some((value, target)) if value <= target => "yes",
        Some(_) => "**no**",
        None => "–",
    }
}
