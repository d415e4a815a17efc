//! What the dashboard is set to, and what it remembers between two times.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::view::tui::Settings;
use crate::view::tui::theme::{Palette, Theme};

use super::super::super::context::Context;
use super::super::super::env;
use super::super::super::exit::ExpectedError;
use super::super::super::settings::DashboardSettings;

/// A file larger than this was not written by us, nor by anybody in good faith.
const LARGEST: u64 = 1 << 20;

/// The settings of the file, where there is one.
///
/// # Errors
/// A file that was named and cannot be read, or one that is wrong: all that is, with lines.
pub fn settings(settings: &DashboardSettings) -> Result<Settings, ExpectedError> {
    let Some((path, named)) = &settings.file else {
        return Ok(Settings::default());
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {
            return Ok(Settings::default());
        }
        Err(source) => {
            return Err(ExpectedError::File {
                action: "read",
                path: path.display().to_string(),
                source,
            });
        }
    };
    Settings::parse(&text, &path.display().to_string()).map_err(|findings| ExpectedError::Usage {
        message: findings.join("\n       "),
        hint: Some("`platform dashboard --print-settings` prints all that can be set".into()),
    })
}

/// How things look: what was asked for, else what the terminal tells.
pub fn theme(context: &Context, settings: &Settings) -> Theme {
    let style = context.settings.stdout;
    let palette = match settings.palette {
        _ if !style.colour => Palette::Plain,
        Some(palette) => palette,
        None if has_light_background(context.env.get(env::COLORFGBG)) => Palette::Light,
        None => Palette::Dark,
    };
    Theme::new(palette, settings.colors.clone(), style.unicode)
}

/// `COLORFGBG` is `foreground;background` in the numbers of the sixteen colours; 7 and 15 are light.
fn has_light_background(value: Option<&str>) -> bool {
    let background = value.and_then(|text| text.rsplit(';').next()?.parse::<u8>().ok());
    matches!(background, Some(7 | 15))
}

/// What was remembered; nothing where that cannot be read, which is worth no error.
pub fn recall(path: Option<&Path>) -> Map<String, Value> {
    path.and_then(|path| read(path).ok())
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Remembers. Where that fails, the next time begins as the first did.
pub fn remember(path: Option<&Path>, remembered: &Map<String, Value>) {
    let Some(path) = path else { return };
    let Ok(text) = serde_json::to_string_pretty(remembered) else {
        return;
    };
    let half = path.with_extension(format!("json.{}", std::process::id()));
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&half, text))
        .and_then(|()| fs::rename(&half, path));
    if let Err(error) = written {
        tracing::debug!("what the dashboard looks like is not remembered: {error}");
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let length = fs::metadata(path)?.len();
    if length > LARGEST {
        return Err(std::io::Error::other(format!(
            "it is larger than {LARGEST} bytes"
        )));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backgrounds() {
        let light = [Some("0;15"), Some("0;default;15"), Some("12;7")];
        assert!(light.into_iter().all(has_light_background));
        let dark = [None, Some("15;0"), Some("default;default"), Some("")];
        assert!(!dark.into_iter().any(has_light_background));
    }

    #[test]
    fn what_is_remembered_comes_back_and_rubbish_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/dashboard.json");
        let mut map = Map::new();
        map.insert("screen".into(), "logs".into());
        remember(Some(&path), &map);
        assert_eq!(recall(Some(&path)), map);
        fs::write(&path, "[1").unwrap();
        assert_eq!(recall(Some(&path)), Map::new());
        assert_eq!(recall(None), Map::new());
    }
}
