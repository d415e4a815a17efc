//! Images on a real engine: made from distribution packages, built, pulled from a registry that misbehaves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use platform::engine::{Deadlines, Docker, Engine, EngineEnv, SharedEngine};
use platform::image::{Activity, HostEnv, ImageProgress, ImageRequest, Options, Source, Supply};
use platform::model::Build;

use crate::support::project::Project;

struct World {
    project: Project,
    engine: SharedEngine,
    told: Arc<Mutex<Vec<ImageProgress>>>,
}

impl World {
    async fn new() -> Self {
        let project = Project::shared();
        let host = ("DOCKER_HOST".to_owned(), project.engine().host());
        let engine = Docker::find(EngineEnv::new([host]), Deadlines::default())
            .await
            .unwrap();
        Self {
            project,
            engine: Arc::new(engine),
            told: Arc::default(),
        }
    }

    /// A supply with this host's environment and more variables.
    fn supply(&self, more: &[(&str, &str)], options: Options) -> Supply {
        let vars = std::env::vars().chain(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        Supply::new(Arc::clone(&self.engine), HostEnv::new(vars), options)
    }

    fn note(&self, progress: ImageProgress) {
        if std::env::var_os("SHOW_PROGRESS").is_some() {
            eprintln!("{progress:?}");
        }
        self.told.lock().unwrap().push(progress);
    }

    fn count(&self, wanted: impl Fn(&Activity) -> bool) -> usize {
        self.told
            .lock()
            .unwrap()
            .iter()
            .filter(|p| wanted(&p.activity))
            .count()
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn build(context: &Path) -> Option<Build> {
    Some(Build {
        context: context.display().to_string(),
        ..Build::default()
    })
}

/// Every image of the reference platform that distribution packages can give, from nothing.
/// Takes minutes and replaces `platform.local/*`: run by hand, `SHOW_PROGRESS=1 … --ignored --nocapture`.
#[tokio::test]
#[ignore = "takes minutes; run by hand"]
async fn the_reference_platform_is_made_from_packages() {
    let world = World::new().await;
    let root = repository();
    let options = Options {
        display_root: root.clone(),
        ..Options::default()
    };
    let supply = world.supply(&[], options);
    let base_images: IndexMap<String, PathBuf> =
        [("debian:trixie-slim", "debian"), ("python:3.13-slim", "python")]
            .map(|(name, folder)| (name.to_owned(), root.join("images").join(folder)))
            .into();
    let request = |name: &str, context: &str| ImageRequest {
        reference: format!("{}-{name}:1", world.project.name()),
        named: true,
        build: build(&root.join(context)),
        base_images: base_images.clone(),
        ..ImageRequest::default()
    };
    let requests = [
        request("app", "app"),
        request("nginx", "images/nginx"),
        request("prometheus", "images/prometheus"),
        request("alertmanager", "images/alertmanager"),
    ];
    let begin = Instant::now();
    let note = |p| world.note(p);
    let all = futures_util::future::join_all(requests.iter().map(|r| supply.supply(r, &note))).await;
    eprintln!("all after {:.1} s", begin.elapsed().as_secs_f64());
    for supplied in all {
        let supplied = supplied.unwrap_or_else(|e| panic!("{e}\n{:?}", e.hints()));
        eprintln!("{}", supplied.line);
        assert!(matches!(supplied.source, Source::Built { .. }) && supplied.changed);
        assert!(supplied.version.is_some());
    }
    // What is there is not made again.
    let begin = Instant::now();
    for request in &requests {
        let again = supply.supply(request, &note).await.unwrap();
        assert!(!again.changed && again.source == Source::Local);
        eprintln!("{}", again.line);
    }
    eprintln!("again after {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(1));
}
