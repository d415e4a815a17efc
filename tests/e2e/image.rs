//! Images on a real engine: made from distribution packages, built, pulled from a registry that misbehaves.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use platform::engine::{Deadlines, Docker, EngineEnv, SharedEngine};
use platform::image::{
    Activity, HostEnv, ImageError, ImageProgress, ImageRequest, Options, Source, Supplied, Supply,
};
use platform::model::{Build, PullPolicy};
use serde_json::Value;

use crate::support::images;
use crate::support::project::Project;
use crate::support::registry::{Behaviour, Registry};

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

impl World {
    async fn run(&self, supply: &Supply, request: &ImageRequest) -> Result<Supplied, ImageError> {
        supply.supply(request, &|p| self.note(p)).await
    }

    fn request(&self, tag: &str, context: &str) -> ImageRequest {
        ImageRequest {
            reference: format!("{}:{tag}", self.project.name()),
            build: build(&self.project.dir().join(context)),
            pull_policy: Some(PullPolicy::Never),
            named: true,
            ..ImageRequest::default()
        }
    }

    /// Everything that an image carries: its layers and configuration as saved, history, inspection.
    fn whole(&self, reference: &str) -> Vec<u8> {
        let engine = self.project.engine();
        let mut bytes = engine
            .raw("GET", &format!("/images/{reference}/get"), "", &[])
            .unwrap();
        for path in ["history", "json"] {
            bytes.extend(
                engine
                    .get(&format!("/images/{reference}/{path}"))
                    .to_string()
                    .into_bytes(),
            );
        }
        bytes
    }

    fn inspect(&self, reference: &str) -> Value {
        self.project.engine().get(&format!("/images/{reference}/json"))
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|w| w.eq_ignore_ascii_case(text.as_bytes()))
}

fn in_full(error: &ImageError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}\n{}", source.unwrap_or_default())
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

/// Every image of the reference platform that distribution packages can give, from nothing: the
/// recipes are copied under names of this test, with nothing that an earlier build could have cached.
/// Takes minutes, so it is run by hand: `SHOW_PROGRESS=1 cargo test --test e2e image:: -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "takes minutes; run by hand"]
async fn the_reference_platform_is_made_from_packages() {
    let world = World::new().await;
    let root = world.project.dir().to_owned();
    let name = world.project.name();
    for folder in ["images", "app"] {
        copy(&repository().join(folder), &root.join(folder), &|file, text| {
            if file != "Dockerfile" {
                return text;
            }
            let text = text
                .replace("FROM debian:", &format!("FROM {name}-debian:"))
                .replace("FROM python:", &format!("FROM {name}-python:"));
            text.replace(" AS build\n", &format!(" AS build\nENV SALT={name}\n"))
        });
    }
    let options = Options {
        display_root: root.clone(),
        ..Options::default()
    };
    let supply = world.supply(&[], options);
    let base_images: IndexMap<String, PathBuf> =
        [("debian:trixie-slim", "debian"), ("python:3.13-slim", "python")]
            .map(|(image, folder)| (format!("{name}-{image}"), root.join("images").join(folder)))
            .into();
    let request = |image: &str, context: &str| ImageRequest {
        reference: format!("{name}-{image}:1"),
        named: true,
        build: build(&root.join(context)),
        base_images: base_images.clone(),
        ..ImageRequest::default()
    };
    let package = |image: &str| {
        let mut request = request(image, "images");
        if let Some(build) = &mut request.build {
            build.dockerfile = Some(format!("{image}/Dockerfile"));
        }
        request
    };
    let requests = [
        request("app", "app"),
        package("nginx"),
        package("prometheus"),
        package("alertmanager"),
    ];
    let begin = Instant::now();
    let note = |p: ImageProgress| {
        if let Activity::BaseReady { line } | Activity::Note(line) = &p.activity {
            eprintln!("{:6.1} s {line}", begin.elapsed().as_secs_f64());
        }
        world.note(p);
    };
    let all = futures_util::future::join_all(requests.iter().map(|request| async {
        let supplied = supply.supply(request, &note).await;
        let supplied = supplied.unwrap_or_else(|e| panic!("{}", in_full(&e)));
        eprintln!("{:6.1} s {}", begin.elapsed().as_secs_f64(), supplied.line);
        supplied
    }))
    .await;
    for supplied in all {
        assert!(matches!(supplied.source, Source::Built { .. }) && supplied.changed);
        assert!(supplied.version.is_some(), "{}", supplied.line);
    }
    // What is there is not made again.
    let begin = Instant::now();
    for request in &requests {
        let again = supply.supply(request, &note).await.unwrap();
        assert!(!again.changed && again.source == Source::Local && again.version.is_some());
        eprintln!("{}", again.line);
    }
    eprintln!("again after {:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(1));
}

/// Copies a folder; `change` is given each text file's name and text.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&str, String) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to, change);
        } else {
            match std::fs::read_to_string(&from) {
                Ok(text) => std::fs::write(&to, change(&name, text)).unwrap(),
                Err(_) => drop(std::fs::copy(&from, &to).unwrap()),
            }
        }
    }
}

/// Two canaries a kind: what a step may read, and what must be nowhere afterwards.
const CA: &str = "-----BEGIN CERTIFICATE-----\nCANARYCABUNDLE\n-----END CERTIFICATE-----\n";

#[tokio::test]
async fn what_the_host_knows_reaches_the_steps_and_stays_in_no_image() {
    let world = World::new().await;
    world.project.file("ca.pem", CA);
    let step = "set -eu; \\\n\
        for f in /run/secrets/platform_ca /in/platform_ca; do if [ -s $f ]; then grep CANARYCABUNDLE $f >/dev/null; echo got-ca; fi; done; \\\n\
        for f in /run/secrets/platform_pip_conf; do if [ -s $f ]; then grep canary-pip $f >/dev/null; echo got-pip; fi; done; \\\n\
        [ \"$HTTPS_PROXY\" = http://canary-proxy:1 ] && [ \"$https_proxy\" = http://canary-proxy:1 ] && echo got-proxy; \\\n\
        echo made >/made";
    world.project.file(
        "app/Dockerfile",
        &format!(
            "FROM @image@ AS build\nCOPY file platform_* /in/\n\
             # platform:secrets platform_ca platform_pip_conf\nRUN {step}\n\
             FROM @image@\nCOPY --from=build /made /made\n"
        ),
    );
    // Nothing that an earlier run of the test has left in the builder's cache.
    world.project.file("app/file", "@name@");
    let ca = world.project.dir().join("ca.pem").display().to_string();
    let mut vars = vec![
        ("SSL_CERT_FILE", ca.as_str()),
        ("HTTPS_PROXY", "http://canary-proxy:1"),
        ("https_proxy", "http://canary-proxy:1"),
        ("PIP_INDEX_URL", "https://me:canary-pip@host.invalid/simple"),
        ("PIP_CONFIG_FILE", "/dev/null"),
    ];
    for (builder, expected) in [("1", 3), ("0", 2)] {
        vars.push(("DOCKER_BUILDKIT", builder));
        world.told.lock().unwrap().clear();
        let request = world.request(&format!("b{builder}"), "app");
        let supplied = world
            .run(&world.supply(&vars, Options::default()), &request)
            .await
            .unwrap_or_else(|e| panic!("{}", in_full(&e)));
        assert!(matches!(supplied.source, Source::Built { .. }));
        let got = world.count(|a| matches!(a, Activity::Output(line) if line.starts_with("got-")));
        assert_eq!(
            got,
            expected,
            "builder {builder}: {:?}",
            world.told.lock().unwrap()
        );
        let whole = world.whole(&request.reference);
        assert!(
            holds(&whole, "dev.platform.image.source"),
            "the image was not read"
        );
        for canary in ["CANARYCABUNDLE", "canary-pip", "canary-proxy"] {
            assert!(
                !holds(&whole, canary),
                "builder {builder} left {canary} in the image"
            );
        }
    }
}

#[tokio::test]
async fn a_failing_build_tells_its_last_lines() {
    let world = World::new().await;
    world.project.file(
        "app/Dockerfile",
        "FROM @image@\nRUN for n in $(seq 50); do echo line-$n; done; sleep 0.5; echo the reason >&2; exit 3\n",
    );
    for builder in ["1", "0"] {
        let supply = world.supply(&[("DOCKER_BUILDKIT", builder)], Options::default());
        let error = world.run(&supply, &world.request("x", "app")).await.unwrap_err();
        let text = error.to_string();
        let lines = error.failed_build().unwrap();
        let wrote = |line: &str| lines.iter().any(|l| l == line);
        assert!(wrote("the reason") && wrote("line-50"), "{lines:?}");
        assert!(!wrote("line-20") && text.contains('3'), "{text}: {lines:?}");
        assert!(!error.is_missing_image());
    }
}

#[tokio::test]
async fn the_version_of_what_was_built_is_kept_and_not_inherited() {
    let world = World::new().await;
    world.project.file(
        "base/Dockerfile",
        "FROM @image@\nRUN mkdir -p /usr/share/platform && echo 'base 1.0' >/usr/share/platform/image.version\n",
    );
    world
        .project
        .file("heir/Dockerfile", "FROM @name@:base\nCMD [\"x\"]\n");
    world.project.file(
        "named/Dockerfile",
        "FROM @name@:base\nLABEL org.opencontainers.image.version=7.2\n",
    );
    let supply = world.supply(&[], Options::default());
    for (tag, version) in [("base", Some("base 1.0")), ("heir", None), ("named", Some("7.2"))] {
        let request = world.request(tag, tag);
        let built = world
            .run(&supply, &request)
            .await
            .unwrap_or_else(|e| panic!("{}", in_full(&e)));
        assert_eq!(built.version.as_deref(), version, "{tag}");
        let again = world.run(&supply, &request).await.unwrap();
        assert_eq!(
            (again.version, again.source),
            (built.version, Source::Local),
            "{tag}"
        );
        assert!(!again.changed);
    }
}

#[tokio::test]
async fn debian_is_made_from_its_packages_and_built_upon() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: making a root file system needs root");
        return;
    }
    let world = World::new().await;
    let base = format!("{}-debian:trixie", world.project.name());
    world.project.file(
        "app/Dockerfile",
        &format!("FROM {base}\nRUN apt-get --version >/made && test -s /etc/debian_version\n"),
    );
    let mut request = world.request("app", "app");
    request.base_images = IndexMap::from([(base.clone(), repository().join("images/debian"))]);
    let temp = world.project.dir().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let vars = [("TMPDIR", temp.to_str().unwrap())];
    let supply = world.supply(&vars, Options::default());
    let built = world
        .run(&supply, &request)
        .await
        .unwrap_or_else(|e| panic!("{}", in_full(&e)));
    assert!(built.changed);
    let inspected = world.inspect(&format!("platform.local/{base}"));
    let labels = &inspected["Config"]["Labels"];
    assert!(
        labels["dev.platform.image.version"]
            .as_str()
            .unwrap()
            .starts_with("debian 13")
    );
    assert_eq!(labels["dev.platform.recipe"].as_str().unwrap().len(), 64);
    // Another run takes what this one made.
    request.build_wanted = true;
    let begin = Instant::now();
    world.told.lock().unwrap().clear();
    world
        .run(&world.supply(&[], Options::default()), &request)
        .await
        .unwrap();
    assert_eq!(world.count(|a| matches!(a, Activity::Bootstrapping { .. })), 0);
    eprintln!("built again after {:?}", begin.elapsed());
    let left: Vec<_> = std::fs::read_dir(&temp).unwrap().flatten().collect();
    assert!(left.is_empty(), "temporary files are left: {left:?}");
}

fn pull_request(reference: String) -> ImageRequest {
    ImageRequest {
        reference,
        named: true,
        ..ImageRequest::default()
    }
}

#[tokio::test]
async fn a_registry_that_stalls_in_a_layer_is_given_up_after_its_attempts() {
    let world = World::new().await;
    let registry = Registry::open();
    registry.behave(Behaviour::StallInLayer(registry.layer_size() / 2));
    let options = Options {
        stall_deadline: Duration::from_secs(2),
        pull_attempts: 2,
        ..Options::default()
    };
    let request = pull_request(registry.reference(&format!("{}:1", world.project.name())));
    let begin = Instant::now();
    let error = world
        .run(&world.supply(&[], options), &request)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the pull broke 2 times") && text.contains("layer "),
        "{text}"
    );
    assert!(error.is_missing_image());
    assert_eq!(
        world.count(|a| matches!(a, Activity::Retrying { attempt: 2, .. })),
        1
    );
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    // The same registry, well again.
    registry.behave(Behaviour::Serve);
    let supplied = world
        .run(&world.supply(&[], Options::default()), &request)
        .await
        .unwrap_or_else(|e| panic!("{}", in_full(&e)));
    let digest = Some(registry.digest().to_owned());
    assert_eq!(supplied.source, Source::Pulled { digest });
    assert!(world.count(|a| matches!(a, Activity::Pulling { .. })) > 0);
}

#[tokio::test]
async fn a_silent_registry_costs_one_deadline_for_all_images() {
    let world = World::new().await;
    let registry = Registry::open();
    registry.behave(Behaviour::Silent);
    let options = Options {
        connect_deadline: Duration::from_secs(1),
        ..Options::default()
    };
    let supply = world.supply(&[], options);
    let requests: Vec<_> = (0..10)
        .map(|n| pull_request(registry.reference(&format!("{}-{n}:1", world.project.name()))))
        .collect();
    let begin = Instant::now();
    for result in futures_util::future::join_all(requests.iter().map(|r| world.run(&supply, r))).await {
        let text = result.unwrap_err().to_string();
        assert!(text.contains("cannot be reached (no answer within 1s)"), "{text}");
    }
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_registry_without_the_image_is_told_from_one_that_is_not_there() {
    let world = World::new().await;
    let registry = Registry::open();
    let supply = world.supply(&[], Options::default());
    let name = format!("{}:1", world.project.name());
    registry.behave(Behaviour::Missing);
    let text = |error: ImageError| error.to_string();
    let missing = text(
        world
            .run(&supply, &pull_request(registry.reference(&name)))
            .await
            .unwrap_err(),
    );
    assert!(missing.contains("does not have it, or not for us"), "{missing}");
    registry.behave(Behaviour::Unauthorized);
    let refused = text(
        world
            .run(&supply, &pull_request(registry.reference(&name)))
            .await
            .unwrap_err(),
    );
    assert!(!refused.contains("cannot be reached"), "{refused}");
    let absent = pull_request(Registry::refused_reference(&name));
    let gone = text(world.run(&supply, &absent).await.unwrap_err());
    assert!(gone.contains("cannot be reached"), "{gone}");
    // A digest that the registry does not have.
    registry.behave(Behaviour::Serve);
    let bare = registry.reference(world.project.name());
    let pinned = pull_request(format!("{bare}@{}", registry.digest()));
    let supplied = world
        .run(&supply, &pinned)
        .await
        .unwrap_or_else(|e| panic!("{}", in_full(&e)));
    assert!(matches!(supplied.source, Source::Pulled { .. }));
    let again = world.run(&supply, &pinned).await;
    // An image without a tag is not swept by its name.
    images::remove(world.project.engine(), &pinned.reference);
    assert_eq!(again.unwrap().source, Source::Local);
}
