//! Images that are built from each other, and builds with named contexts, on an engine in memory.

use futures_util::future::join_all;

use super::supply_tests::{World, files_of};
use super::{ImageError, ImageRequest, Supplied};

async fn run(world: &World, requests: &[(ImageRequest, bool)]) -> Vec<Result<Supplied, ImageError>> {
    let supply = world.supply(&[]).among(requests.iter().cloned());
    let wanted = requests.iter().filter(|(_, wanted)| *wanted);
    join_all(wanted.map(|(request, _)| supply.supply(request, &|_| {}))).await
}

fn order(world: &World) -> String {
    let tags: Vec<String> = world.built().into_iter().map(|(tags, _)| tags).collect();
    tags.join(" ")
}

#[tokio::test]
async fn an_image_is_built_after_those_it_is_built_from() {
    let world = World::new(&[
        ("app/Dockerfile", "FROM lib\nCOPY --from=tools:1 /t /t"),
        ("lib/Dockerfile", "FROM scratch"),
        ("tools/Dockerfile", "FROM lib:latest"),
    ]);
    let requests = [("app:1", "app"), ("tools:1", "tools"), ("lib", "lib")];
    let all = |wanted: fn(&str) -> bool| {
        requests.map(|(name, folder)| {
            let mut request = world.request(name, Some(folder));
            request.build_wanted = wanted(name);
            (request, wanted(name))
        })
    };
    assert!(run(&world, &all(|_| true)).await.iter().all(Result::is_ok));
    assert_eq!(order(&world), "lib tools:1 app:1");
    // Those that are there are left as they are.
    assert!(run(&world, &all(|name| name == "app:1")).await[0].is_ok());
    assert_eq!(order(&world), "lib tools:1 app:1 app:1");
}

#[tokio::test]
async fn one_that_is_missing_is_built_and_not_pulled() {
    let world = World::new(&[("app/Dockerfile", "FROM lib"), ("lib/Dockerfile", "FROM scratch")]);
    let requests = [
        (world.request("app:1", Some("app")), true),
        (world.request("lib", Some("lib")), false),
    ];
    let mut wanted = requests.clone();
    wanted[0].0.build_wanted = true;
    assert!(run(&world, &wanted).await[0].is_ok());
    assert_eq!(order(&world), "lib app:1");
}

#[tokio::test]
async fn images_that_need_each_other_end_in_an_error() {
    let world = World::new(&[("a/Dockerfile", "FROM b:1"), ("b/Dockerfile", "FROM a:1")]);
    let requests = ["a", "b"].map(|name| {
        let mut request = world.request(&format!("{name}:1"), Some(name));
        request.build_wanted = true;
        (request, true)
    });
    for result in run(&world, &requests).await {
        assert!(matches!(result, Err(ImageError::Cycle(_))), "{result:?}");
    }
}

#[tokio::test]
async fn named_contexts_take_the_place_of_their_names() {
    let world = World::new(&[
        ("app/Dockerfile", "FROM base\nCOPY --from=docs a /"),
        ("lib/Dockerfile", "FROM scratch"),
        ("docs/a", "the text"),
        ("docs/left", "out"),
        ("docs/.dockerignore", "left"),
    ]);
    let mut app = world.request("app:1", Some("app"));
    app.build_wanted = true;
    let build = app.build.as_mut().unwrap();
    build.additional_contexts = [
        ("base".to_owned(), "docker-image://p-lib".to_owned()),
        ("docs".to_owned(), world.path("docs").display().to_string()),
    ]
    .into();
    let lib = world.request("p-lib", Some("lib"));
    let results = run(&world, &[(app, true), (lib, false)]).await;
    assert!(results[0].is_ok(), "{results:?}");
    let (tags, dockerfile) = world.built().pop().unwrap();
    assert_eq!(tags, "app:1");
    insta::assert_snapshot!(dockerfile, @r"
    FROM scratch AS platform.context.1
    COPY .platform.context.1/ /
    FROM p-lib:latest
    COPY --from=platform.context.1 a /
    ");
    let (_, tar) = world.engine.builds().pop().unwrap();
    let files = files_of(&tar);
    assert_eq!(files[".platform.context.1/a"], "the text");
    assert!(!files.contains_key(".platform.context.1/left"), "{files:?}");
}
