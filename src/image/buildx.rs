//! Builds through the plugin `docker buildx`, for what an engine's own build call has no word for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ImageError;
use super::bake::BakeFile;
use super::build::{BuildJob, Built, source_folder};
use super::progress::{Activity, Reporter};
use super::request::BuildxOptions;
use super::run::{Ended, Job, run};
use super::scratch::Scratch;
use super::supply::Supply;
use super::version::labelled_version;
use crate::base::{ImageId, ServiceName};
use crate::model::{Build, Image};

/// A build has no end that could be known; the run's own signals end it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The plugin, and what it is asked in all builds of a run.
#[derive(Debug, Clone, Default)]
pub struct Buildx {
    /// Its file; `None` where it is not installed.
    pub program: Option<PathBuf>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The project's builds.
    pub file: BakeFile,
    /// What the command line asks.
    pub asked: BuildxOptions,
}

/// What in a build only buildx can do, if anything.
pub fn needs_buildx(build: &Build) -> Option<&'static str> {
    let table = [
        (build.platforms.len() > 1, "several `platforms`"),
        (!build.ssh.is_empty(), "`ssh`"),
        (!build.cache_to.is_empty(), "`cache_to`"),
        (build.privileged, "`privileged`"),
        (!build.entitlements.is_empty(), "`entitlements`"),
        (is_remote(&build.context), "a context that is no folder"),
        (
            build.additional_contexts.values().any(|place| is_remote(place)),
            "a context that is no folder",
        ),
    ];
    table
        .into_iter()
        .find(|(needed, _)| *needed)
        .map(|(_, what)| what)
}

/// What in a build buildx does, and an image is no other without, if anything.
fn better_by_buildx(build: &Build) -> Option<&'static str> {
    let attested = |wanted: &Option<String>| wanted.as_deref().is_some_and(|wanted| wanted != "false");
    let table = [
        (!build.no_cache_filter.is_empty(), "`no_cache_filter`"),
        (attested(&build.provenance), "`provenance`"),
        (attested(&build.sbom), "`sbom`"),
    ];
    table
        .into_iter()
        .find(|(wanted, _)| *wanted)
        .map(|(_, what)| what)
}

/// What the classic builder cannot do, in docker compose's words.
fn refused_by_classic(build: &Build) -> Option<&'static str> {
    let table = [
        (build.platforms.len() > 1, "multi-arch build"),
        (build.privileged, "privileged mode"),
        (!build.ssh.is_empty(), "SSH keys"),
    ];
    table.into_iter().find(|(asked, _)| *asked).map(|(_, what)| what)
}

/// Whether a context is neither a folder nor an image nor a service.
fn is_remote(place: &str) -> bool {
    let known = place.starts_with(super::named::IMAGE) || place.starts_with(super::named::SERVICE);
    !place.is_empty() && !known && !Path::new(place).is_absolute()
}

impl BuildxOptions {
    /// Whether all builds have to go through it, and because of what.
    pub fn is_needed(&self) -> Option<&'static str> {
        let table = [
            (self.builder.is_some(), "`--builder`"),
            (self.provenance.is_some(), "`--provenance`"),
            (self.sbom.is_some(), "`--sbom`"),
        ];
        table.into_iter().find(|(asked, _)| *asked).map(|(_, what)| what)
    }
}

impl Buildx {
    /// Why it cannot be used for `what`.
    pub fn missing(what: &str) -> String {
        format!(
            "{what} needs the plugin `docker buildx`, which is not installed: an engine cannot be asked for it directly"
        )
    }

    /// Runs a bake file to its end; each line that it writes goes to `on_line`.
    async fn bake(
        &self,
        program: &Path,
        file: &BakeFile,
        scratch: &Scratch,
        on_line: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Ended, ImageError> {
        let bake = scratch.path().join("bake.json");
        std::fs::write(&bake, file.text()).map_err(|e| ImageError::io("writing", &bake, e))?;
        let mut command: Vec<String> = vec![program.display().to_string(), "bake".to_owned()];
        command.extend(["--file".to_owned(), bake.display().to_string()]);
        command.extend([
            "--metadata-file".to_owned(),
            metadata(scratch).display().to_string(),
        ]);
        // The stack's author wrote which folders are read and which rights are asked for.
        command.extend(["--progress=plain", "--allow=fs=*", "--allow=security.insecure"].map(str::to_owned));
        command.extend(["--allow=network.host".to_owned(), "--allow=ssh".to_owned()]);
        for (flag, value) in [
            ("builder", &self.asked.builder),
            ("provenance", &self.asked.provenance),
            ("sbom", &self.asked.sbom),
        ] {
            command.extend(value.iter().map(|value| format!("--{flag}={value}")));
        }
        let mut env = self.env.clone();
        env.extend(file.variables().clone());
        let job = Job {
            command,
            folder: scratch.path().to_owned(),
            env,
            timeout: LONGEST,
        };
        let ended = run(&job, on_line).await;
        ended.map_err(|e| ImageError::io("running", program, e))
    }

    /// Checks the Dockerfiles of the chosen builds; what it says goes to `on_line`. Gives whether
    /// there was nothing to complain of.
    ///
    /// # Errors
    /// The plugin is missing, or cannot be run.
    pub async fn check(&self, temp: &Path, on_line: impl Fn(&str) + Send + Sync) -> Result<bool, ImageError> {
        let Some(program) = &self.program else {
            return Err(ImageError::Unsupported {
                image: "images".to_owned(),
                what: Self::missing("`--check`"),
            });
        };
        let scratch = Scratch::new(temp).map_err(|e| ImageError::io("creating a folder in", temp, e))?;
        let ended = self.bake(program, &self.file, &scratch, &on_line).await?;
        Ok(ended.is_success())
    }
}

fn metadata(scratch: &Scratch) -> PathBuf {
    scratch.path().join("metadata.json")
}

/// The digest that a run's metadata tells of its one target.
fn digest(scratch: &Scratch) -> Option<String> {
    let text = std::fs::read(metadata(scratch)).ok()?;
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text).ok()?;
    all.values()
        .find_map(|target| target.get("containerimage.digest")?.as_str().map(str::to_owned))
}

impl Supply {
    /// Lets builds go through buildx where the engine cannot be asked.
    #[must_use]
    pub fn with_buildx(mut self, buildx: Buildx) -> Self {
        self.buildx = buildx;
        self
    }

    /// Builds through buildx where the engine cannot be asked; `None` where it can.
    pub(super) async fn build_otherwise(
        &self,
        job: &BuildJob<'_>,
        report: Reporter<'_>,
    ) -> Result<Option<Built>, ImageError> {
        if !job.of_project {
            return Ok(None);
        }
        let needed = self.buildx.asked.is_needed().or_else(|| needs_buildx(&job.build));
        let better = || better_by_buildx(&job.build);
        if self.host.var("DOCKER_BUILDKIT") == Some("0") {
            return match refused_by_classic(&job.build) {
                None => Ok(None),
                Some(what) => Err(ImageError::Unsupported {
                    image: job.image.clone(),
                    what: format!(
                        "the classic builder doesn't support {what}, set DOCKER_BUILDKIT=1 to use BuildKit"
                    ),
                }),
            };
        }
        match (needed, &self.buildx.program) {
            (None, None) => {
                if let Some(what) = better() {
                    report.note(format!("{what} has no effect: {}", Buildx::missing("it")));
                }
                Ok(None)
            }
            (None, Some(_)) => match better() {
                Some(what) => self.build_by_buildx(job, what, report).await.map(Some),
                None => Ok(None),
            },
            (Some(what), _) => self.build_by_buildx(job, what, report).await.map(Some),
        }
    }

    /// Builds through buildx, because of `what`.
    async fn build_by_buildx(
        &self,
        job: &BuildJob<'_>,
        what: &str,
        report: Reporter<'_>,
    ) -> Result<Built, ImageError> {
        let unsupported = |what: String| ImageError::Unsupported {
            image: job.image.clone(),
            what,
        };
        let Some(program) = &self.buildx.program else {
            return Err(unsupported(Buildx::missing(what)));
        };
        let service: ServiceName = self
            .buildx
            .file
            .builds(&job.image)
            .ok_or_else(|| unsupported(format!("{what} is only known in builds of a service")))?;
        let temp = self.host.temp_dir();
        let scratch = Scratch::new(&temp).map_err(|e| ImageError::io("creating a folder in", &temp, e))?;
        let _permit = self.builds.acquire().await.ok();
        report.tell(Activity::Building);
        let file = self.buildx.file.of_one(&service);
        let (sink, image) = (report.sink, report.image);
        let on_line = |line: &str| Reporter::new(image, sink).tell(Activity::Output(line.to_owned()));
        let ended = self.buildx.bake(program, &file, &scratch, &on_line).await?;
        if !ended.is_success() {
            let said = ended.lines.iter().rev();
            let reason = said
                .filter_map(|line| line.strip_prefix("ERROR: "))
                .next()
                .map_or_else(|| format!("buildx {}", ended.describe(LONGEST)), str::to_owned);
            return Err(ImageError::Build {
                image: job.image.clone(),
                context: self.shown(&source_folder(&job.build)),
                reason,
                lines: ended.lines,
            });
        }
        // One of several platforms stays with its builder, or goes to its registry.
        let image = match self.engine.image(&job.image).await? {
            Some(image) => image,
            None => Image {
                id: digest(&scratch).map(ImageId::from),
                ..Image::default()
            },
        };
        let version = labelled_version(&image);
        Ok(Built { image, version })
    }
}
