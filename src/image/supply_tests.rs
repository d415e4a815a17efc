//! Supplying on an engine in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;

use super::*;
use crate::base::Secret;
use crate::engine::fake::{FakeEngine, Op};
use crate::model::{Build, BuildSecret, FileSource, Image, PullPolicy, labels};

pub(super) struct World {
    pub(super) engine: FakeEngine,
    dir: tempfile::TempDir,
    told: Mutex<Vec<ImageProgress>>,
}

impl World {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self {
            engine: FakeEngine::new(),
            dir,
            told: Mutex::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn supply(&self, vars: &[(&str, &str)]) -> Supply {
        let tmp = self.path("tmp");
        let home = self.path("home");
        let own = [
            ("TMPDIR", tmp.to_str().unwrap()),
            ("HOME", home.to_str().unwrap()),
            ("PATH", "/usr/bin:/bin"),
        ];
        let vars = own
            .iter()
            .chain(vars)
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let options = Options {
            display_root: self.dir.path().to_owned(),
            install_tools: false,
            ..Options::default()
        };
        Supply::new(Arc::new(self.engine.clone()), HostEnv::new(vars), options)
    }

    pub(super) fn request(&self, reference: &str, context: Option<&str>) -> ImageRequest {
        ImageRequest {
            reference: reference.to_owned(),
            named: true,
            build: context.map(|c| Build {
                context: self.path(c).display().to_string(),
                ..Build::default()
            }),
            ..ImageRequest::default()
        }
    }

    fn bases(&self, pairs: &[(&str, &str)]) -> IndexMap<String, PathBuf> {
        pairs
            .iter()
            .map(|(name, folder)| ((*name).to_owned(), self.path(folder)))
            .collect()
    }

    pub(super) async fn run(&self, supply: &Supply, request: &ImageRequest) -> Result<Supplied, ImageError> {
        supply
            .supply(request, &|p| self.told.lock().unwrap().push(p))
            .await
    }

    /// The builds so far: tags, and the Dockerfile each was given.
    pub(super) fn built(&self) -> Vec<(String, String)> {
        self.engine
            .builds()
            .into_iter()
            .map(|(request, tar)| {
                let files = files_of(&tar);
                (request.tags.join(" "), files[&request.dockerfile].clone())
            })
            .collect()
    }
}

pub(super) fn files_of(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

const ROOTFS: &str = "recipe: 1\nkind: rootfs\nrun: [sh, make.sh]\nenvironment: {SUITE: trixie}\n";
const MAKE: &str = "set -eu; test -z \"${CANARY:-}\"; cd \"$TMPDIR\"; mkdir -p usr/share/platform; \
                    echo \"debian 13 $SUITE\" >usr/share/platform/image.version; tar cf \"$PLATFORM_OUTPUT\" .";

#[tokio::test]
async fn what_is_there_costs_nothing() {
    let world = World::new(&[]);
    let labels = BTreeMap::from([
        (labels::IMAGE_SOURCE.to_owned(), "built from app".to_owned()),
        (labels::IMAGE_VERSION.to_owned(), "app 1".to_owned()),
    ]);
    world.engine.add_image_with(
        "app:1",
        Image {
            labels,
            size: 38_400_000,
            ..Image::default()
        },
    );
    let supply = world.supply(&[]);
    let mut request = world.request("app:1", Some("missing"));
    let supplied = world.run(&supply, &request).await.unwrap();
    assert_eq!(
        supplied.line,
        "app:1 ← there already, built from app: app 1, 38 MB"
    );
    assert!(!supplied.changed && supplied.source == Source::Local);
    assert_eq!(world.engine.count(Op::Image), 1);
    request.known = Known::of(Some(&supplied.image));
    world.run(&supply, &request).await.unwrap();
    assert_eq!(
        world.engine.count(Op::Image),
        1,
        "what is known is not asked again"
    );
}

#[tokio::test]
async fn an_image_is_pulled_before_it_is_built() {
    let world = World::new(&[("app/Dockerfile", "FROM scratch")]);
    world.engine.set_registry(&["app:1"]);
    let supply = world.supply(&[]);
    let request = world.request("app:1", Some("app"));
    let supplied = world.run(&supply, &request).await.unwrap();
    assert_eq!(supplied.source, Source::Pulled { digest: None });
    assert_eq!(world.engine.count(Op::Build), 0);
    assert!(
        supplied.line.starts_with("app:1 ← pulled from docker.io"),
        "{}",
        supplied.line
    );
}

#[tokio::test]
async fn ten_images_find_out_once_that_no_registry_answers() {
    let world = World::new(&[("app/Dockerfile", "FROM scratch")]);
    let supply = world.supply(&[]);
    let requests: Vec<_> = (0..10)
        .map(|n| world.request(&format!("app{n}:1"), Some("app")))
        .collect();
    let all = futures_util::future::join_all(requests.iter().map(|r| world.run(&supply, r))).await;
    for supplied in all {
        assert!(matches!(supplied.unwrap().source, Source::Built { .. }));
    }
    assert_eq!(
        (world.engine.count(Op::Pull), world.engine.count(Op::Build)),
        (1, 10)
    );
    let told = world.told.lock().unwrap();
    let notes = told.iter().filter(|p| matches!(p.activity, Activity::Note(_)));
    assert_eq!(notes.count(), 1, "one reason is told once");
}

#[tokio::test]
async fn what_nothing_can_supply_is_told_with_every_source_tried() {
    let world = World::new(&[]);
    let supply = world.supply(&[]);
    let error = world
        .run(&supply, &world.request("grafana/grafana:12.2.1", None))
        .await
        .unwrap_err();
    assert!(error.is_missing_image());
    insta::assert_snapshot!(format!("{error}\n{}", error.hints().join("\n")), @r#"
    no source has the image grafana/grafana:12.2.1: local: the engine does not have it; pull: the registry docker.io cannot be reached (Get "https://registry.invalid/v2/": dial tcp: no such host); build: the stack file has no `build` for it
    let the engine reach a registry: `registry-mirrors` or a proxy in the engine's daemon.json
    bring it from a machine that has it: `docker save grafana/grafana:12.2.1 -o image.tar`, then here `docker load -i image.tar`
    "#);
    let mut request = world.request("x:1", None);
    request.pull_policy = Some(PullPolicy::Never);
    let error = world.run(&supply, &request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no source has the image x:1: local: the engine does not have it; pull: pull_policy is never; \
         build: the stack file has no `build` for it"
    );
}

#[tokio::test]
async fn a_copy_does_not_do_where_a_new_one_is_asked_for() {
    let world = World::new(&[("app/Dockerfile", "FROM scratch")]);
    world.engine.add_image("app:1");
    let supply = world.supply(&[]);
    let mut request = world.request("app:1", None);
    request.pull_policy = Some(PullPolicy::Always);
    let error = world.run(&supply, &request).await.unwrap_err();
    assert!(!error.is_missing_image());
    assert!(error.to_string().starts_with(
        "app:1 is to be pulled anew (pull_policy is always), and that failed: the registry docker.io cannot be reached"
    ));
    // As in Compose: a service that can be built goes on with the copy that it has.
    request = world.request("app:1", Some("app"));
    request.pull_policy = Some(PullPolicy::Always);
    let supplied = world.run(&supply, &request).await.unwrap();
    assert_eq!(supplied.source, Source::Local);
}

#[tokio::test]
async fn base_images_are_made_by_recipes_once_and_only_when_they_change() {
    let world = World::new(&[
        ("images/debian/recipe.yaml", ROOTFS),
        ("images/debian/make.sh", MAKE),
        ("images/python/Dockerfile", "FROM debian:trixie-slim\nRUN python"),
        (
            "app/Dockerfile",
            "ARG V=3.13\nFROM python:$V-slim AS b\nFROM python:3.13-slim\nCOPY --from=b / /",
        ),
        ("web/Dockerfile", "FROM debian:trixie-slim"),
    ]);
    let bases = world.bases(&[
        ("debian:trixie-slim", "images/debian"),
        ("docker.io/library/python:3.13-slim", "images/python"),
    ]);
    let requests: Vec<_> = [("app:1", "app"), ("web:1", "web"), ("web:2", "web")]
        .map(|(name, context)| ImageRequest {
            base_images: bases.clone(),
            ..world.request(name, Some(context))
        })
        .to_vec();
    let supply = world.supply(&[("CANARY", "seen")]);
    let all = futures_util::future::join_all(requests.iter().map(|r| world.run(&supply, r))).await;
    for supplied in all {
        supplied.unwrap();
    }
    assert_eq!(
        (world.engine.count(Op::Pull), world.engine.count(Op::Import)),
        (1, 1)
    );
    let built: BTreeMap<_, _> = world.built().into_iter().collect();
    assert_eq!(
        built["platform.local/python:3.13-slim"],
        "FROM platform.local/debian:trixie-slim\nRUN python\n"
    );
    assert_eq!(
        built["app:1"],
        "ARG V=3.13\nFROM platform.local/python:3.13-slim AS b\nFROM platform.local/python:3.13-slim\nCOPY --from=b / /\n"
    );
    assert_eq!(built["web:2"], "FROM platform.local/debian:trixie-slim\n");
    let (recipe, _) = world
        .engine
        .builds()
        .into_iter()
        .find(|(r, _)| r.tags == ["platform.local/python:3.13-slim"])
        .unwrap();
    assert_eq!(recipe.build.labels[labels::RECIPE_HASH].len(), 64);
    let told = format!("{:?}", world.told.lock().unwrap());
    assert!(
        told.contains(
            "debian:trixie-slim ← made from distribution packages by images/debian: debian 13 trixie"
        ),
        "{told}"
    );

    // Another run builds what is asked for, and takes the base images that are there.
    let rebuild = ImageRequest {
        build_wanted: true,
        ..requests[0].clone()
    };
    world.run(&world.supply(&[]), &rebuild).await.unwrap();
    assert_eq!(
        (world.engine.count(Op::Pull), world.engine.count(Op::Import)),
        (1, 1)
    );
    // A changed recipe is carried out again, and so is what is made from it.
    fs::write(world.path("images/debian/more"), "x").unwrap();
    let before = world.engine.count(Op::Build);
    world.run(&world.supply(&[]), &rebuild).await.unwrap();
    assert_eq!(world.engine.count(Op::Import), 2);
    assert_eq!(world.engine.count(Op::Build), before + 2);
    assert_eq!(
        fs::read_dir(world.path("tmp")).unwrap().count(),
        0,
        "temporary files are left"
    );
}

#[tokio::test]
async fn recipes_that_need_each_other_are_refused() {
    let world = World::new(&[
        ("a/Dockerfile", "FROM b:1"),
        ("b/Dockerfile", "FROM a:1"),
        ("app/Dockerfile", "FROM a:1\nFROM b:1\nCOPY --from=0 / /"),
    ]);
    let mut request = world.request("app:1", Some("app"));
    request.base_images = world.bases(&[("a:1", "a"), ("b:1", "b")]);
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    assert_eq!(error.to_string(), "base images need each other: a:1 → b:1 → a:1");
}

#[tokio::test]
async fn a_base_image_that_nothing_gives_is_named_with_what_was_tried() {
    let world = World::new(&[("app/Dockerfile", "FROM ubuntu:24.04")]);
    let request = world.request("app:1", Some("app"));
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    assert!(error.is_missing_image());
    assert_eq!(
        error.to_string(),
        "app:1 is built from ubuntu:24.04, which cannot be had"
    );
    assert!(
        error
            .hints()
            .iter()
            .any(|h| h.contains("base_images: {\"ubuntu:24.04\": FOLDER}")),
        "{:?}",
        error.hints()
    );
}

#[tokio::test]
async fn a_recipe_that_fails_says_why_and_leaves_nothing() {
    let world = World::new(&[
        ("r/recipe.yaml", ROOTFS),
        (
            "r/make.sh",
            "echo working; touch $TMPDIR/left; echo no mirror >&2; exit 7",
        ),
        ("app/Dockerfile", "FROM debian:12"),
    ]);
    let mut request = world.request("app:1", Some("app"));
    request.base_images = world.bases(&[("debian:12", "r")]);
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    assert!(!error.is_missing_image());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("for debian:12 exited with 7"), "{source}");
    assert_eq!(error.failed_build().unwrap(), ["working", "no mirror"]);
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn missing_tools_are_told_with_the_command() {
    let world = World::new(&[
        (
            "r/recipe.yaml",
            &format!("{ROOTFS}tools: [{{command: no-such-tool-x, package: tool-x}}]\n"),
        ),
        ("app/Dockerfile", "FROM debian:12"),
    ]);
    let mut request = world.request("app:1", Some("app"));
    request.base_images = world.bases(&[("debian:12", "r")]);
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("needs no-such-tool-x"), "{source}");
    assert!(error.hints().concat().contains("tool-x"), "{:?}", error.hints());
}

#[tokio::test]
async fn what_the_host_knows_reaches_a_build_as_secrets_only() {
    let ca = "-----BEGIN CERTIFICATE-----\nCANARYCA\n-----END CERTIFICATE-----\n";
    let world = World::new(&[
        ("ca.pem", ca),
        ("secret.txt", "canary-file"),
        (
            "app/Dockerfile",
            "FROM scratch AS x\n# platform:secrets platform_ca platform_pip_conf other\nRUN pip\nFROM scratch\nRUN --mount=type=secret,id=token t",
        ),
        ("plain/Dockerfile", "FROM scratch"),
    ]);
    let ca_file = world.path("ca.pem").display().to_string();
    let vars = [
        ("SSL_CERT_FILE", ca_file.as_str()),
        ("HTTPS_PROXY", "http://canary-proxy:1"),
        ("PIP_INDEX_URL", "https://u:canary-pip@host/simple"),
        ("PIP_CONFIG_FILE", "/dev/null"),
    ];
    let mut request = world.request("app:1", Some("app"));
    request.secrets = IndexMap::from([
        ("file".to_owned(), FileSource::File(world.path("secret.txt"))),
        (
            "env".to_owned(),
            FileSource::Environment {
                variable: "V".to_owned(),
                value: Some(Secret::new("canary-env".to_owned())),
            },
        ),
    ]);
    if let Some(build) = &mut request.build {
        build.secrets = vec![
            BuildSecret {
                source: "file".to_owned(),
                target: Some("token".to_owned()),
                ..BuildSecret::default()
            },
            BuildSecret {
                source: "env".to_owned(),
                ..BuildSecret::default()
            },
        ];
    }
    world.run(&world.supply(&vars), &request).await.unwrap();
    let (build, tar) = world.engine.builds().remove(0);
    let secrets: Vec<_> = build.secrets.keys().map(String::as_str).collect();
    assert_eq!(secrets, ["env", "platform_ca", "platform_pip_conf", "token"]);
    assert_eq!(build.secrets["token"].expose(), b"canary-file");
    assert_eq!(build.hidden_args["https_proxy"], "http://canary-proxy:1");
    assert!(build.build.args.is_empty());
    assert!(!String::from_utf8_lossy(&tar).to_lowercase().contains("canary"));
    assert!(!format!("{build:?}").contains("canary-env"));
    let dockerfile = &files_of(&tar)["Dockerfile"];
    assert!(
        dockerfile
            .contains("RUN --mount=type=secret,id=platform_ca --mount=type=secret,id=platform_pip_conf pip"),
        "{dockerfile}"
    );

    // A Dockerfile that asks for nothing is given nothing.
    world
        .run(&world.supply(&vars), &world.request("plain:1", Some("plain")))
        .await
        .unwrap();
    assert!(world.engine.builds()[1].0.secrets.is_empty());

    // A builder without secrets: files in the context, but never a password.
    request.build.as_mut().unwrap().secrets.clear();
    request.reference = "app:2".to_owned();
    let classic = [&vars[..], &[("DOCKER_BUILDKIT", "0")]].concat();
    world.run(&world.supply(&classic), &request).await.unwrap();
    let (build, tar) = world.engine.builds().remove(2);
    let names: Vec<_> = files_of(&tar).into_keys().collect();
    assert_eq!(names, ["Dockerfile", "platform_ca"]);
    assert!(build.secrets.is_empty() && !build.buildkit);
    assert!(!String::from_utf8_lossy(&tar).contains("canary-pip"));
}

#[tokio::test]
async fn dockerfiles_inline_and_outside_the_context_are_handed_in() {
    let world = World::new(&[
        ("app/file", "x"),
        ("app/.dockerignore", "file"),
        ("docker/Special", "# syntax=docker/dockerfile:1\nFROM scratch"),
        ("docker/Special.dockerignore", "nothing"),
    ]);
    let supply = world.supply(&[]);
    let mut request = world.request("a:1", Some("app"));
    request.build.as_mut().unwrap().dockerfile_inline = Some("FROM scratch\nCOPY . .".to_owned());
    world.run(&supply, &request).await.unwrap();
    let mut request = world.request("a:2", Some("app"));
    request.build.as_mut().unwrap().dockerfile = Some("../docker/Special".to_owned());
    world.run(&supply, &request).await.unwrap();
    let builds = world.engine.builds();
    assert_eq!(
        files_of(&builds[0].1).into_keys().collect::<Vec<_>>(),
        [".dockerignore", ".platform.dockerfile"]
    );
    let files = files_of(&builds[1].1);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        [".dockerignore", ".platform.dockerfile", "file"]
    );
    // Nobody has the frontend, so the builder's own reads the file.
    assert_eq!(files[".platform.dockerfile"], "#\nFROM scratch\n");
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let world = World::new(&[("app/Dockerfile", "FROM scratch")]);
    let message = |change: &dyn Fn(&mut Build)| {
        let mut request = world.request("a:1", Some("app"));
        change(request.build.as_mut().unwrap());
        let supply = world.supply(&[]);
        let world = &world;
        async move { world.run(&supply, &request).await.unwrap_err().to_string() }
    };
    for (change, expected) in [
        (
            (&|b: &mut Build| b.ssh = vec!["default".to_owned()]) as &dyn Fn(&mut Build),
            "`ssh` needs the plugin",
        ),
        (
            &|b: &mut Build| b.context = "https://example.com/x.git".to_owned(),
            "needs the plugin",
        ),
        (
            &|b: &mut Build| b.context = "/no/such/folder".to_owned(),
            "/no/such/folder",
        ),
        (
            &|b: &mut Build| b.dockerfile = Some("Missing".to_owned()),
            "reading the Dockerfile",
        ),
        (
            &|b: &mut Build| b.target = Some("nothing".to_owned()),
            "app/Dockerfile",
        ),
        (
            &|b: &mut Build| {
                b.secrets = vec![BuildSecret {
                    source: "gone".to_owned(),
                    ..BuildSecret::default()
                }];
            },
            "secret `gone` is not defined",
        ),
    ] {
        let message = message(change).await;
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn a_failing_build_ends_with_its_reason() {
    let world = World::new(&[("app/Dockerfile", "FROM scratch")]);
    world.engine.fail_builds(Some(
        "process \"/bin/sh -c false\" did not complete: exit code: 1\n#5 more",
    ));
    let request = world.request("app:1", Some("app"));
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "building app:1 from app failed: process \"/bin/sh -c false\" did not complete: exit code: 1"
    );
    world.engine.set_down(true);
    let error = world.run(&world.supply(&[]), &request).await.unwrap_err();
    assert!(matches!(error, ImageError::Engine(_)), "{error}");
}
