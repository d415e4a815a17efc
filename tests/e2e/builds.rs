//! Builds: one that works, one that fails, one that is interrupted.

use std::time::Duration;

use rustix::process::Signal;

use crate::engine::peer;
use crate::support::project::Project;
use crate::support::registry::Registry;

fn project(run: &str) -> Project {
    let project = Project::shared();
    project.stack("services:\n  web: { build: ., image: \"@name@-web:built\", command: [pause] }\n  other: { image: \"@image@\" }\n");
    project.file(
        "Dockerfile",
        &format!("FROM @image@\nCOPY greeting /greeting\nRUN {run}\n"),
    );
    project.file("greeting", "hello from the context\n");
    project
}

#[test]
fn a_build_is_done_once_and_again_when_asked() {
    let project = project("cat /greeting");
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), ["other: running", "web: running"]);
    project
        .run(["exec", "-T", "web", "cat", "/greeting"])
        .expect(0)
        .prints("hello from the context");
    let before = project.ids();
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.ids(), before);
    project.file("greeting", "another\n");
    project.run(["up", "-d", "--build"]).expect(0);
    project
        .run(["exec", "-T", "web", "cat", "/greeting"])
        .expect(0)
        .prints("another");
    project.assert_converged();
}

#[test]
fn a_build_that_fails_shows_its_last_lines_and_its_code() {
    let project = project("echo the words before the end; exit 42");
    let outcome = project
        .run(["up", "-d"])
        .expect(1)
        .says("web could not be built")
        .says("    | the words before the end")
        .says("42");
    assert!(outcome.duration < Duration::from_secs(30), "{outcome}");
    assert_eq!(project.states(), ["other: running"]);
    let outcome = project.run(["--progress", "json", "up", "-d"]).expect(1);
    let failed = outcome.failed_service();
    assert_eq!(failed["service"], "web", "{outcome}");
    assert_eq!(failed["cause"], "build", "{outcome}");
    let logs = failed["logs"].as_array().unwrap();
    assert!(logs.iter().any(|l| l == "the words before the end"), "{outcome}");
    // They are told once.
    assert!(!failed["text"].as_str().unwrap().contains('\n'), "{outcome}");
    project.run(["up", "-d", "--report", "up.xml"]).expect(1);
    let junit = std::fs::read_to_string(project.dir().join("up.xml")).unwrap();
    assert!(
        junit.contains(r#"type="build""#) && junit.contains("| the words before the end"),
        "{junit}"
    );
}

#[test]
fn a_build_ends_when_interrupted() {
    let project = project("echo has begun; sleep 1000");
    let mut running = project.platform(["--progress", "json", "up", "-d"]).start();
    let begun = running.line(Duration::from_secs(30), |line| {
        line.contains("has begun") && !line.contains("sleep")
    });
    assert!(begun.is_some(), "{}", running.wait());
    let before = running.age();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.duration - before < Duration::from_secs(3), "{outcome}");
}

/// Everything that `build` and `pull` may not do.
fn assert_nothing_is_there(project: &Project) {
    assert!(project.containers().is_empty() && project.networks().is_empty());
}

#[test]
fn build_makes_images_and_nothing_else() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  web: { build: { context: ., args: { A: stack, B: stack } }, image: "@name@-web:built", depends_on: [base] }
  base: { build: { context: ., args: { A: base, B: base } }, image: "@name@-base:built" }
  other: { image: "@image@" }
"#,
    );
    project.file(
        "Dockerfile",
        "FROM @image@\nARG A\nARG B\nARG HOME_ARG=none\nRUN echo \"$A $B $HOME_ARG\" > /args\n",
    );
    let built = |service: &str| {
        let reference = format!("{}-{service}:built", project.name());
        let path = format!("/images/{reference}/json");
        project
            .engine()
            .call("GET", &path, &serde_json::Value::Null)
            .is_ok()
    };
    let args = ["build", "--build-arg", "B=line", "--build-arg", "HOME_ARG", "web"];
    let cli = project.platform(args).env("HOME_ARG", "from here");
    cli.run().expect(0);
    assert!(built("web") && !built("base"));
    assert_nothing_is_there(&project);
    project
        .run(["build", "other"])
        .expect(0)
        .says("no service to build");
    project
        .run(["build", "wbe"])
        .expect(2)
        .says("did you mean `web`?");
    project
        .run(["build", "--with-dependencies", "-q", "web"])
        .expect(0);
    assert!(built("base"));
    project
        .run(["build", "--build-arg", "B=line", "--build-arg", "HOME_ARG=here"])
        .expect(0);
    project.run(["up", "-d"]).expect(0);
    project
        .run(["exec", "-T", "web", "cat", "/args"])
        .expect(0)
        .prints("stack line here");
    project.file("Dockerfile", "FROM @image@\nRUN echo the end; exit 3\n");
    let outcome = project.run(["build"]).expect(1);
    assert!(outcome.stderr.contains("the end"), "{outcome}");
}

#[test]
fn a_service_is_built_after_those_that_it_is_built_from() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  app:
    build:
      context: .
      dockerfile_inline: |
        FROM @name@-lib:made
        COPY --from=docs note /note
        COPY --from=other /other /other
      additional_contexts:
        docs: ./docs
        other: service:other
    command: [pause]
  lib: { build: { context: ., dockerfile_inline: "FROM @image@\nRUN echo lib > /lib" }, image: "@name@-lib:made", command: [pause] }
  other: { build: { context: ., dockerfile_inline: "FROM @image@\nRUN echo other > /other" }, scale: 0 }
"#,
    );
    project.file("docs/note", "the note\n");
    project.run(["build", "app"]).expect(0);
    let built = |reference: &str| {
        let path = format!("/images/{}-{reference}/json", project.name());
        let found = project.engine().call("GET", &path, &serde_json::Value::Null);
        found.is_ok()
    };
    // One that the Dockerfile names, one that is a context.
    assert!(built("lib:made") && built("other"));
    project.run(["up", "-d", "app"]).expect(0);
    project
        .run(["exec", "-T", "app", "cat", "/note", "/lib", "/other"])
        .expect(0)
        .prints("the note\nlib\nother");
    let classic = project
        .platform(["build", "--no-cache"])
        .env("DOCKER_BUILDKIT", "0");
    classic.run().expect(0);
    project.run(["up", "-d", "--build"]).expect(0);
    project.assert_converged();
}

#[test]
fn what_was_built_is_pushed_with_its_tags() {
    let registry = Registry::open();
    let project = Project::shared();
    let reference = |name: &str| registry.reference(&format!("{}/{name}", project.name()));
    let refused = Registry::refused_reference("nobody:1");
    project.stack(&format!(
        r#"
services:
  web: {{ build: {{ context: ., tags: ["{}"] }}, image: "{}" }}
  gone: {{ build: . , image: "{refused}", profiles: [gone] }}
  other: {{ image: "@image@" }}
"#,
        reference("web:extra"),
        reference("web:1"),
    ));
    project.file("Dockerfile", "FROM @image@\nRUN echo pushed > /pushed\n");
    project.run(["build"]).expect(0);
    project
        .run(["--dry-run", "push"])
        .expect(0)
        .prints(&format!("push {}", reference("web:1")));
    assert!(registry.pushed().is_empty());
    project.run(["push"]).expect(0).says("pushed");
    let name = |tag: &str| format!("{}/web:{tag}", project.name());
    let mut pushed = registry.pushed();
    pushed.sort();
    assert_eq!(pushed, [name("1"), name("extra")]);
    project.run(["build", "--push"]).expect(0);
    assert_eq!(registry.pushed().len(), 4);
    // One that was never built.
    project.run(["push", "gone"]).expect(1).says("was not pushed");
    project
        .run(["push", "--ignore-push-failures", "gone"])
        .expect(0)
        .says("was not pushed");
}

#[test]
fn builds_are_printed_for_bake_as_docker_compose_does() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  web:
    image: "@name@-web:built"
    build:
      context: .
      args: { A: "$${x}" }
      additional_contexts: { lib: "service:li.b", docs: ./docs }
      secrets: [token]
      tags: ["@name@-web:more"]
      platforms: [linux/amd64, linux/arm64]
      shm_size: 64m
      no_cache: true
      extra_hosts: ["db=10.0.0.1"]
  li.b: { build: { context: ., dockerfile_inline: "FROM @image@", target: x, labels: { a: b }, network: none } }
  other: { image: "@image@" }
secrets:
  token: { environment: TOKEN }
"#,
    );
    project.file("Dockerfile", "FROM lib\n");
    project.file("docs/a", "a");
    let printed = |outcome: &str| -> serde_json::Value {
        let mut value: serde_json::Value = serde_json::from_str(outcome).unwrap();
        // The peer names targets in the order of a hash table, and labels images with its version.
        if let Some(targets) = value["group"]["default"]["targets"].as_array_mut() {
            targets.sort_by_key(ToString::to_string);
        }
        for target in value["target"].as_object_mut().unwrap().values_mut() {
            target["labels"]
                .as_object_mut()
                .unwrap()
                .remove("com.docker.compose.version");
        }
        value
    };
    let ours = project.run(["build", "--print", "web"]).expect(0);
    let ours = printed(&ours.stdout);
    if let Some(compose) = peer::required() {
        let theirs = project
            .program(compose.to_str().unwrap())
            .args(["build", "--print", "web"]);
        assert_eq!(ours, printed(&theirs.run().expect(0).stdout));
    }
    assert_eq!(
        ours["group"]["default"]["targets"],
        serde_json::json!(["li_b", "web"])
    );
}

#[test]
fn what_an_engine_cannot_be_asked_for_is_said() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  many: { build: { context: ., platforms: [linux/amd64, linux/arm64] } }
"#,
    );
    project.file("Dockerfile", "FROM @image@\n");
    let without = project.platform(["build"]).env("DOCKER_CONFIG", "/nonexistent");
    without
        .run()
        .expect(1)
        .says("several `platforms` needs the plugin `docker buildx`");
    let classic = project.platform(["build"]).env("DOCKER_BUILDKIT", "0");
    classic
        .run()
        .expect(1)
        .says("the classic builder doesn't support multi-arch build, set DOCKER_BUILDKIT=1 to use BuildKit");
    let no_agent = project.platform(["build", "--ssh", ""]).env("SSH_AUTH_SOCK", "");
    no_agent
        .run()
        .expect(1)
        .says("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set");
}
