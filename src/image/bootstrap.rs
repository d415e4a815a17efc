//! Recipes that make a root file system: their tools, their command, the import.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::ImageError;
use super::progress::{Activity, Reporter};
use super::recipe::{Need, Recipe, RootFs, provenance_labels};
use super::run::{Job, KEPT_LINES, contained, run};
use super::scratch::Scratch;
use super::supply::Supply;
use super::version::first_line;
use crate::base::ImageId;

/// How long an installation of tools may take.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Supply {
    /// Runs a recipe's command and imports what it wrote as `tag`.
    pub(super) async fn bootstrap(
        &self,
        recipe: &Recipe,
        rootfs: &RootFs,
        hash: &str,
        tag: &str,
        report: Reporter<'_>,
    ) -> Result<ImageId, ImageError> {
        self.ensure_tools(recipe, rootfs, report).await?;
        let temp = self.host.temp_dir();
        let scratch = Scratch::new(&temp).map_err(|e| ImageError::io("creating a folder in", &temp, e))?;
        let output = scratch.path().join("rootfs.tar");
        let inner = scratch.path().join("tmp");
        std::fs::create_dir(&inner).map_err(|e| ImageError::io("creating", &inner, e))?;
        // Package managers work as users of their own below it.
        open_to_others(scratch.path(), &inner)?;

        let mut env = self.clean_env();
        env.extend(rootfs.environment.clone());
        env.insert("TMPDIR".to_owned(), inner.display().to_string());
        env.insert("PLATFORM_OUTPUT".to_owned(), output.display().to_string());
        let unshare = self.host.find_program("unshare").filter(|_| self.host.is_root);
        let job = Job {
            command: contained(&rootfs.run, unshare, &recipe.folder).await,
            folder: recipe.folder.clone(),
            env,
            timeout: recipe.timeout,
        };
        let failed = |reason: String, lines: Vec<String>| ImageError::Bootstrap {
            image: report.image.to_owned(),
            recipe: recipe.folder.clone(),
            reason,
            lines,
        };
        let ended = run(&job, &|line| report.tell(Activity::Output(line.to_owned())))
            .await
            .map_err(|e| failed(format!("could not be started: {e}"), Vec::new()))?;
        if !ended.is_success() {
            return Err(failed(ended.describe(recipe.timeout), ended.lines));
        }
        if !output.is_file() {
            return Err(failed(
                "ended well, but wrote no file at PLATFORM_OUTPUT".to_owned(),
                ended.lines,
            ));
        }
        let version = {
            let (output, file) = (output.clone(), recipe.version_file.clone());
            tokio::task::spawn_blocking(move || version_in_tar(&output, &file))
                .await
                .ok()
                .flatten()
        };
        let origin = self.made_by(&recipe.folder);
        let mut changes = rootfs.changes.clone();
        changes.extend(provenance_labels(hash, &origin, version.as_deref()));
        Ok(self.engine.import_image(&output, tag, &changes).await?)
    }

    /// What a recipe's command and an installer may see of our environment.
    fn clean_env(&self) -> BTreeMap<String, String> {
        let mut env = self.host.network_vars();
        for name in ["HOME", "SOURCE_DATE_EPOCH"] {
            if let Some(value) = self.host.var(name) {
                env.insert(name.to_owned(), value.to_owned());
            }
        }
        let path = self.host.var("PATH").unwrap_or(DEFAULT_PATH);
        env.insert("PATH".to_owned(), format!("{path}:/usr/sbin:/sbin"));
        env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
        env
    }

    fn missing<'n>(&self, rootfs: &'n RootFs) -> Vec<&'n Need> {
        let tools = rootfs
            .tools
            .iter()
            .filter(|need| self.host.find_program(&need.name).is_none());
        let files = rootfs
            .files
            .iter()
            .filter(|need| !self.host.has_file(Path::new(&need.name)));
        tools.chain(files).collect()
    }

    /// Installs what a recipe needs and the host lacks, where we may; else says how to.
    async fn ensure_tools(
        &self,
        recipe: &Recipe,
        rootfs: &RootFs,
        report: Reporter<'_>,
    ) -> Result<(), ImageError> {
        if self.missing(rootfs).is_empty() {
            return Ok(());
        }
        // One installation at a time; the one before may have brought what is missing here.
        let _installing = self.installing.lock().await;
        let missing = self.missing(rootfs);
        let mut packages: Vec<String> = missing.iter().map(|need| need.package.clone()).collect();
        packages.sort();
        packages.dedup();
        if packages.is_empty() {
            return Ok(());
        }
        let install = format!(
            "apt-get install -y --no-install-recommends {}",
            packages.join(" ")
        );
        let distribution = self.host.distribution();
        let refused = |reason: &str, command: String, lines: Vec<String>| ImageError::Tools {
            recipe: recipe.folder.clone(),
            missing: missing.iter().map(|need| need.name.clone()).collect(),
            reason: reason.to_owned(),
            command,
            lines,
        };
        let apt = self.host.find_program("apt-get");
        let (Some(apt), true) = (apt, distribution.is_debian_like) else {
            return Err(refused(
                &format!("{} has no Debian packages", distribution.name),
                format!(
                    "with the package manager of {}; Debian's packages are called {}",
                    distribution.name,
                    packages.join(" ")
                ),
                Vec::new(),
            ));
        };
        if !self.host.is_root || !self.options.install_tools {
            let reason = match self.host.is_root {
                false => "installing packages takes root",
                true => "installing packages is switched off",
            };
            return Err(refused(reason, format!("sudo {install}"), Vec::new()));
        }
        report.tell(Activity::Installing {
            packages: packages.clone(),
        });
        let apt = apt.display().to_string();
        let arguments = |rest: &[&str]| -> Vec<String> {
            [&[apt.as_str(), "-o", "DPkg::Lock::Timeout=120"], rest]
                .concat()
                .iter()
                .map(|s| (*s).to_owned())
                .collect()
        };
        let names: Vec<&str> = packages.iter().map(String::as_str).collect();
        let install_args = arguments(&[&["install", "-y", "--no-install-recommends"][..], &names].concat());
        let failed = |lines| refused("installing it failed", install.clone(), lines);
        let first = self.apt_get(&install_args).await;
        if first.is_err() {
            // Package lists may never have been fetched, or may be old.
            self.apt_get(&arguments(&["update"])).await.map_err(failed)?;
            self.apt_get(&install_args).await.map_err(failed)?;
        }
        let still: Vec<&Need> = self.missing(rootfs);
        match still.is_empty() {
            true => Ok(()),
            false => Err(refused(
                "its package was installed, but it is still not there",
                install.clone(),
                Vec::new(),
            )),
        }
    }

    /// Runs apt-get. One that has begun is never killed, since that would leave the host's
    /// packages half installed; its output goes to a file for the same reason.
    async fn apt_get(&self, command: &[String]) -> Result<(), Vec<String>> {
        let told = |e: std::io::Error| vec![e.to_string()];
        let scratch = Scratch::new(&self.host.temp_dir()).map_err(told)?;
        let log = scratch.path().join("log");
        let file = File::create(&log).map_err(told)?;
        let (program, args) = command.split_first().ok_or_else(Vec::new)?;
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(self.clean_env())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::from(file.try_clone().map_err(told)?))
            .stderr(Stdio::from(file))
            .process_group(0)
            .spawn()
            .map_err(told)?;
        let status = tokio::time::timeout(INSTALL_TIMEOUT, child.wait()).await;
        if matches!(&status, Ok(Ok(status)) if status.success()) {
            return Ok(());
        }
        let text = std::fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(KEPT_LINES);
        let mut kept: Vec<String> = lines.iter().skip(from).map(|l| (*l).to_owned()).collect();
        if status.is_err() {
            kept.push(format!(
                "it did not end within {}",
                crate::base::format_duration(INSTALL_TIMEOUT)
            ));
        }
        Err(kept)
    }
}

fn open_to_others(outer: &Path, inner: &Path) -> Result<(), ImageError> {
    use std::os::unix::fs::PermissionsExt;
    for (path, mode) in [(outer, 0o711), (inner, 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|e| ImageError::io("opening", path, e))?;
    }
    Ok(())
}

/// The first line of a file in a tar, without reading the rest of the archive's contents.
fn version_in_tar(tar: &Path, file: &str) -> Option<String> {
    let wanted = file.trim_start_matches('/');
    let mut archive = tar::Archive::new(File::open(tar).ok()?);
    for entry in archive.entries_with_seek().ok()? {
        let entry = entry.ok()?;
        let path = entry.path().ok()?;
        if path.strip_prefix("./").unwrap_or(&path) == Path::new(wanted) {
            let mut bytes = Vec::new();
            entry.take(4096).read_to_end(&mut bytes).ok()?;
            return first_line(&bytes);
        }
    }
    None
}
