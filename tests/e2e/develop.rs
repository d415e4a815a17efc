//! `watch` and `up --watch`: containers kept in step with the files that change.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::project::Project;
use crate::support::running::Running;
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(30);

const STACK: &str = r#"
services:
  app:
    build: { context: ., dockerfile_inline: "FROM @image@\nRUN mkdir -p /app /etc/app\nCOPY baked /baked\n" }
    develop:
      watch:
        - { path: ./data, action: sync, target: /app/data, ignore: ["*.foo", "./ignored"] }
        - { path: ./conf, action: sync+restart, target: /etc/app }
        - { path: ./baked, action: rebuild }
  web:
    image: "@image@"
    develop:
      watch:
        - { path: ./www, action: sync+exec, target: /www, include: "*.html", initial_sync: true,
            exec: { command: [sh, -c, "echo reloaded $$WHO"], environment: { WHO: web } } }
        - { path: ./flag, action: restart }
  bystander: { image: "@image@" }
"#;

struct Watched {
    project: Project,
    run: Running,
}

impl Watched {
    /// A stack that is watched.
    fn new(args: &[&str]) -> Self {
        let project = Project::shared();
        project.stack(STACK);
        project.file("baked", "one");
        project.file(".dockerignore", "data/hidden\n");
        project.file("www/first.html", "first");
        project.file("www/first.css", "never");
        let run = project
            .platform(args.iter().copied())
            .timeout(Duration::from_secs(120))
            .start();
        let watched = Self { project, run };
        watched.said("Watch enabled");
        watched
    }

    fn said(&self, text: &str) {
        wait::until(text, LIMIT, || {
            let said = format!("{}{}", self.run.stdout(), self.run.stderr());
            said.contains(text).then_some(())
        });
    }

    fn times(&self, text: &str) -> usize {
        self.run.stdout().matches(text).count()
    }

    /// What a file in a container holds; `None` where there is none.
    fn inside(&self, service: &str, path: &str) -> Option<String> {
        let outcome = self.project.run(["exec", "-T", service, "cat", path]);
        (outcome.code() == Some(0)).then_some(outcome.stdout)
    }

    fn holds(&self, service: &str, path: &str, text: Option<&str>) {
        wait::until(&format!("{path} to be {text:?}"), LIMIT, || {
            (self.inside(service, path).as_deref() == text).then_some(())
        });
    }

    fn id(&self, service: &str) -> String {
        self.project.container(service).unwrap()["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn started(&self, service: &str) -> String {
        self.project.container(service).unwrap()["State"]["StartedAt"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[test]
fn each_action_does_what_it_says() {
    let watched = Watched::new(&["watch", "--progress", "plain"]);
    let project = &watched.project;
    let path = |path: &str| project.dir().join(path);
    assert_eq!(
        watched.inside("web", "/www/first.html").as_deref(),
        Some("first"),
        "initial_sync"
    );
    assert_eq!(watched.inside("web", "/www/first.css"), None);

    // sync: a folder that was not there, changed, deleted; what is ignored is not copied.
    let id = watched.id("app");
    project.file("data/ignored/x", "never");
    project.file("data/hidden/x", "never");
    project.file("data/y.foo", "never");
    project.file("data/a", "one");
    watched.holds("app", "/app/data/a", Some("one"));
    watched.said("Syncing service \"app\" after");
    project.file("data/a", "two");
    project.file("data/sub/deep/b", "b");
    watched.holds("app", "/app/data/a", Some("two"));
    watched.holds("app", "/app/data/sub/deep/b", Some("b"));
    fs::remove_file(path("data/a")).unwrap();
    fs::remove_dir_all(path("data/sub")).unwrap();
    watched.holds("app", "/app/data/a", None);
    let listed = project.run(["exec", "-T", "app", "ls", "/app/data"]).expect(0);
    assert_eq!(listed.stdout, "");
    assert_eq!(watched.id("app"), id);

    // sync+restart, restart: the same container, started anew.
    let started = watched.started("app");
    project.file("conf/app.conf", "x=1");
    watched.said("service(s) [\"app\"] restarted");
    assert_eq!(watched.inside("app", "/etc/app/app.conf").as_deref(), Some("x=1"));
    assert_ne!(watched.started("app"), started);
    assert_eq!(watched.id("app"), id);
    project.file("flag", "");
    watched.said("service(s) [\"web\"] restarted");

    // sync+exec: once for all files of a batch.
    let before = watched.times("reloaded web");
    project.file("www/a.html", "a");
    project.file("www/b.html", "b");
    project.file("www/c.css", "never");
    watched.holds("web", "/www/b.html", Some("b"));
    wait::until("the command", LIMIT, || {
        (watched.times("reloaded web") > before).then_some(())
    });
    assert_eq!(watched.times("reloaded web"), before + 1);
    assert_eq!(watched.inside("web", "/www/c.css"), None);

    // rebuild: another container from another image, and nothing left of the old one.
    let image = watched.project.container("app").unwrap()["Image"]
        .as_str()
        .unwrap()
        .to_owned();
    project.file("baked", "two");
    watched.said("service(s) [\"app\"] successfully built");
    watched.holds("app", "/baked", Some("two"));
    assert_ne!(watched.id("app"), id);
    wait::until("the old image to go", LIMIT, || {
        project
            .engine()
            .raw("GET", &format!("/images/{image}/json"), "", &[])
            .err()
            .map(drop)
    });
    assert_eq!(project.states().len(), 3);

    // A build that fails changes nothing, and the next one is tried.
    let id = watched.id("app");
    fs::remove_file(path("baked")).unwrap();
    watched.said("could not be built");
    assert_eq!(watched.id("app"), id);
    project.file("baked", "three");
    watched.holds("app", "/baked", Some("three"));
    // Only then is the old container gone.
    wait::until("the replacement", LIMIT, || {
        (watched.times("service(s) [\"app\"] successfully built") == 2).then_some(())
    });

    // Ctrl-C ends the watch, and nothing else.
    watched.run.signal(Signal::INT);
    let Watched { project, run } = watched;
    run.wait().expect(130).prints("Watch disabled");
    assert_eq!(
        project.states(),
        ["app: running", "bystander: running", "web: running"]
    );
}

#[test]
fn up_watches_beside_the_logs_and_stops_all_at_an_interrupt() {
    let watched = Watched::new(&["up", "--watch"]);
    watched.project.file("baked", "two");
    watched.holds("app", "/baked", Some("two"));
    watched.said("service(s) [\"app\"] successfully built");
    watched.project.file("data/a", "one");
    watched.holds("app", "/app/data/a", Some("one"));
    watched.run.signal(Signal::INT);
    let Watched { project, run } = watched;
    run.wait().expect(130);
    assert_eq!(
        project.states(),
        ["app: exited", "bystander: exited", "web: exited"]
    );
}

#[test]
fn what_cannot_be_watched_is_said_before_anything_is_done() {
    let project = Project::shared();
    let stack = |rule: &str| {
        let text = format!("services: {{ a: {{ image: \"@image@\", develop: {{ watch: [{rule}] }} }} }}");
        project.stack(&text);
    };
    stack("");
    for command in ["watch", "up"] {
        let args: &[&str] = if command == "up" {
            &["up", "-w"]
        } else {
            &["watch"]
        };
        let outcome = project.run(args.iter().copied());
        outcome
            .expect(1)
            .says("none of the selected services is configured for watch");
    }
    stack("{ path: ., action: rebuild }");
    project
        .run(["watch"])
        .expect(1)
        .says("can't watch service \"a\" with action rebuild without a build context");
    project.run(["up", "--watch", "--no-build"]).expect(2);
    project.run(["up", "--watch", "-d"]).expect(2);
    assert!(project.containers().is_empty());
    stack("{ path: ./none, action: restart }");
    // Without `up` there is nothing to watch for yet, and that is no error.
    let mut run = project.platform(["watch", "--no-up"]).start();
    assert!(run.line(LIMIT, |line| line.contains("Watch enabled")).is_some());
    run.signal(Signal::TERM);
    run.wait().expect(143);
    assert!(project.containers().is_empty());
}
