//! Embeds the reference platform for `platform init`, and names the Git revision in release builds.
//!
//! Reads files only: no network, no other program. Files that are not part of the platform
//! (caches, virtual environments, anybody's own secrets) never get into the binary.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What `platform init` writes, beside the packages' root.
const EMBEDDED: [&str; 7] = [
    ".env.example",
    "app",
    "grafana",
    "images",
    "monitoring",
    "nginx",
    "stacks",
];
/// Files and folders that are left out wherever they are.
const LEFT_OUT: [&str; 11] = [
    ".env",
    ".git",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "venv",
];
/// Only the project's own tests use it.
const TESTS_ONLY: &str = "images/grafana-standin";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    embed(&root)?;
    revision(&root);
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn embed(root: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for top in EMBEDDED {
        collect(root, Path::new(top), &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in &files {
        let path = root.join(file);
        let executable = fs::metadata(&path)?.permissions().mode() & 0o100 != 0;
        let written = writeln!(
            code,
            "    Asset {{ path: {file:?}, executable: {executable}, bytes: include_bytes!({path:?}) }},",
        );
        written.map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&variable("OUT_DIR")?).join("assets.rs"), code)
}

/// Adds the files under `path`, and has cargo watch them; whether nothing was left out.
fn collect(root: &Path, path: &Path, files: &mut Vec<PathBuf>) -> io::Result<bool> {
    let full = root.join(path);
    let kind = match fs::symlink_metadata(&full) {
        Ok(meta) => meta.file_type(),
        // A part of the platform that is not there is missed by the tests of `init`.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    if !is_part(path) {
        return Ok(false);
    }
    if kind.is_file() {
        println!("cargo::rerun-if-changed={}", path.display());
        files.push(path.to_owned());
        return Ok(true);
    }
    if !kind.is_dir() {
        return Ok(false);
    }
    let mut clean = true;
    for entry in fs::read_dir(&full)? {
        clean &= collect(root, &path.join(entry?.file_name()), files)?;
    }
    if clean {
        // Notices new files. Of a folder with caches in it, only the files are watched: cargo
        // watches a folder with all that is in it.
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(clean)
}

fn is_part(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let in_secrets = path.parent().is_some_and(|dir| dir.ends_with("secrets"));
    !(LEFT_OUT.contains(&name.as_ref())
        || name.ends_with(".pyc")
        || name.ends_with(".egg-info")
        || name.ends_with('~')
        || path == Path::new(TESTS_ONLY)
        // The rest are somebody's own.
        || (in_secrets && !name.ends_with(".example") && name != ".gitignore" && name != "README.md"))
}

/// Names the revision: in release builds only, so that a commit does not rebuild anything else.
fn revision(root: &Path) {
    const GIVEN: &str = "PLATFORM_REVISION";
    println!("cargo::rerun-if-env-changed={GIVEN}");
    if let Ok(given) = std::env::var(GIVEN) {
        println!("cargo::rustc-env=PLATFORM_REVISION={given}");
    } else if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(revision) = git_revision(root)
    {
        println!("cargo::rustc-env=PLATFORM_REVISION={revision}");
    }
}

fn git_revision(root: &Path) -> Option<String> {
    let dot_git = root.join(".git");
    let dir = match fs::read_to_string(&dot_git) {
        // A worktree: the file says where its folder is.
        Ok(text) => root.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => dot_git,
    };
    let common = match fs::read_to_string(dir.join("commondir")) {
        Ok(text) => dir.join(text.trim()),
        Err(_) => dir.clone(),
    };
    let watched = [
        dir.join("HEAD"),
        dir.join("logs/HEAD"),
        common.join("packed-refs"),
    ];
    for file in watched.iter().filter(|file| file.is_file()) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let head = fs::read_to_string(dir.join("HEAD")).ok()?;
    let id = match head.trim().strip_prefix("ref: ") {
        None => head.trim().to_owned(),
        Some(name) => match fs::read_to_string(common.join(name)) {
            Ok(id) => {
                println!("cargo::rerun-if-changed={}", common.join(name).display());
                id.trim().to_owned()
            }
            Err(_) => packed(&common, name)?,
        },
    };
    let short = id.get(..12)?;
    short
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| short.to_owned())
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let refs = fs::read_to_string(common.join("packed-refs")).ok()?;
    refs.lines()
        .find_map(|line| line.strip_suffix(name)?.strip_suffix(' ').map(str::to_owned))
}
