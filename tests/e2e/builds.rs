//! Builds: one that works, one that fails, one that is interrupted.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::project::Project;

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
