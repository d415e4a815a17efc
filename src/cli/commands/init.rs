//! `platform init`: the reference platform, out of the binary.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::super::exit::{Exit, ExpectedError, Outcome};
use super::super::output;
use super::super::settings::InitSettings;

/// A file of the reference platform.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Relative to the platform's folder.
    pub path: &'static str,
    /// Whether it is a script.
    pub executable: bool,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// The reference platform, as `build.rs` found it.
pub const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Keeps what must not be committed out of Git. Not written where there is one already.
const GITIGNORE: Asset = Asset {
    path: ".gitignore",
    executable: false,
    bytes: b".env\n__pycache__/\n.venv/\n/stacks/secrets/*\n!/stacks/secrets/*.example\n!/stacks/secrets/README.md\n",
};

/// How many files that are in the way are named.
const NAMED: usize = 8;

/// Writes the reference platform.
///
/// # Errors
/// Where files are in the way, or cannot be written.
pub fn run(settings: &InitSettings) -> Outcome {
    let written = write(settings)?;
    output::talk(&next_steps(settings, written));
    Ok(Exit::AsWanted)
}

/// Writes what is not there yet and returns how many files that were.
fn write(settings: &InitSettings) -> Result<usize, ExpectedError> {
    let mut missing = Vec::new();
    let mut in_the_way = Vec::new();
    for asset in ASSETS {
        match fs::read(settings.dir.join(asset.path)) {
            Ok(bytes) if bytes == asset.bytes => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(asset),
            _ => in_the_way.push(asset),
        }
    }
    if !in_the_way.is_empty() && !settings.force {
        return Err(ExpectedError::Usage {
            message: refusal(settings, &in_the_way),
            hint: Some("choose another folder, or write over them with --force".into()),
        });
    }
    if !settings.dir.join(GITIGNORE.path).exists() {
        missing.push(&GITIGNORE);
    }
    for asset in missing.iter().chain(&in_the_way) {
        let path = settings.dir.join(asset.path);
        write_file(&path, asset).map_err(|source| ExpectedError::File {
            action: "write",
            path: path.display().to_string(),
            source,
        })?;
    }
    Ok(missing.len() + in_the_way.len())
}

fn refusal(settings: &InitSettings, in_the_way: &[&Asset]) -> String {
    let mut message = format!("files in {} are in the way:", settings.shown.display());
    for asset in in_the_way.iter().take(NAMED) {
        // Writing to a String cannot fail.
        let _ = write!(message, "\n  {}", asset.path);
    }
    if in_the_way.len() > NAMED {
        let _ = write!(message, "\n  and {} more", in_the_way.len() - NAMED);
    }
    message
}

/// Writes a file whole or not at all; a link in its place is replaced, not followed.
fn write_file(path: &Path, asset: &Asset) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = folder.join(format!(".{name}.partial"));
    let _ = fs::remove_file(&partial);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if asset.executable { 0o777 } else { 0o666 }) // less the user's mask
        .open(&partial)
        .and_then(|mut file| file.write_all(asset.bytes))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

fn next_steps(settings: &InitSettings, written: usize) -> String {
    let place = settings.shown.display();
    let here = settings.shown == Path::new(".");
    let mut out = match written {
        0 => format!("the reference platform is already in {place}\n"),
        1 => format!("wrote 1 file into {place}\n"),
        _ => format!("wrote {written} files into {place}\n"),
    };
    out.push_str("\nnext:\n");
    if !here {
        let _ = writeln!(out, "  cd {place}");
    }
    out.push_str(
        "  platform up -d     bring it up, proven and smoke-tested\n  \
         platform ps        see what runs\n  \
         platform down      take it down again\n\n\
         .env.example lists every setting.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(dir: &Path, force: bool) -> InitSettings {
        InitSettings {
            dir: dir.to_owned(),
            shown: "demo".into(),
            force,
        }
    }

    #[test]
    fn the_platform_is_whole_and_nothing_else() {
        let has = |path: &str| ASSETS.iter().any(|a| a.path == path);
        for path in [
            ".env.example",
            "app/Dockerfile",
            "app/requirements.lock",
            "images/nginx/Dockerfile",
            "monitoring/alertmanager/alertmanager.yml",
            "monitoring/prometheus/prometheus.yml",
            "nginx/nginx.conf",
            "stacks/devops.yaml",
        ] {
            assert!(has(path), "{path}");
        }
        for top in [
            "grafana/dashboards/",
            "grafana/provisioning/",
            "images/debian/",
            "stacks/secrets/",
        ] {
            assert!(ASSETS.iter().any(|a| a.path.starts_with(top)), "{top}");
        }
        for asset in ASSETS {
            let unwanted = ["__pycache__", ".venv", ".pytest_cache", ".pyc", "standin"];
            assert!(
                !unwanted.iter().any(|part| asset.path.contains(part)),
                "{}",
                asset.path
            );
            assert!(
                !asset.path.starts_with("stacks/secrets/")
                    || asset.path.ends_with(".example")
                    || asset.path.ends_with("/README.md"),
                "{}",
                asset.path
            );
        }
        let total: usize = ASSETS.iter().map(|a| a.bytes.len()).sum();
        assert!(total < 2 << 20, "{total} bytes");
    }

    #[test]
    fn writes_everything_once_and_keeps_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(write(&settings(dir.path(), false)).unwrap(), ASSETS.len() + 1);
        assert_eq!(write(&settings(dir.path(), false)).unwrap(), 0);

        let changed = dir.path().join("stacks/devops.yaml");
        fs::write(&changed, "services: {}\n").unwrap();
        let error = write(&settings(dir.path(), false)).unwrap_err();
        insta::assert_snapshot!(error.to_text(), @r"
        error: files in demo are in the way:
          stacks/devops.yaml

        hint: choose another folder, or write over them with --force
        ");
        assert_eq!(fs::read_to_string(&changed).unwrap(), "services: {}\n");
        assert_eq!(write(&settings(dir.path(), true)).unwrap(), 1);
        assert_ne!(fs::read_to_string(&changed).unwrap(), "services: {}\n");
    }

    #[test]
    fn scripts_stay_executable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b.sh");
        for executable in [true, false] {
            let asset = Asset {
                path: "a/b.sh",
                executable,
                bytes: b"#!/bin/sh\n",
            };
            write_file(&path, &asset).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o100 != 0, executable, "{mode:o}");
        }
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        fs::create_dir(dir.path().join("nginx")).unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("nginx/nginx.conf")).unwrap();
        assert!(write(&settings(dir.path(), false)).is_err());
        write(&settings(dir.path(), true)).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    }

    #[test]
    fn the_next_steps_are_named() {
        let mut here = settings(Path::new("/x"), false);
        here.shown = ".".into();
        assert!(!next_steps(&here, 1).contains("cd "));
        insta::assert_snapshot!(next_steps(&settings(Path::new("/x"), false), 70), @r"
        wrote 70 files into demo

        next:
          cd demo
          platform up -d     bring it up, proven and smoke-tested
          platform ps        see what runs
          platform down      take it down again

        .env.example lists every setting.
        ");
    }
}
