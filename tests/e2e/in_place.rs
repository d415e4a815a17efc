//! In the place of docker compose: called as `docker-compose`, or by docker as its plugin.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::support::cli::Cli;
use crate::support::project::Project;

/// One that runs, and one that ends with 3 after words on both streams.
const STACK: &str = r#"
services:
  web: { image: "@image@", init: true, stop_grace_period: 0s, command: [sleep, infinity] }
  job:
    image: "@image@"
    command: [sh, -c, "echo to stdout; echo to stderr >&2; exit 3"]
    depends_on: [web]
"#;

/// The binary under docker compose's name.
fn standalone(project: &Project) -> PathBuf {
    let path = project.dir().join("docker-compose");
    if !path.exists() {
        symlink(env!("CARGO_BIN_EXE_platform"), &path).unwrap();
    }
    path
}

fn as_compose(project: &Project, args: &[&str]) -> Cli {
    project.program(standalone(project).to_str().unwrap()).args(args)
}

/// `docker compose …`, with this program as the plugin.
fn as_plugin(project: &Project, args: &[&str]) -> Cli {
    let config = project.dir().join("docker");
    let plugins = config.join("cli-plugins");
    if !plugins.exists() {
        fs::create_dir_all(&plugins).unwrap();
        symlink(env!("CARGO_BIN_EXE_platform"), plugins.join("docker-compose")).unwrap();
    }
    project
        .program("docker")
        .env("DOCKER_CONFIG", config)
        .args(["compose"])
        .args(args)
}

#[test]
fn linked_as_docker_compose_it_answers_as_that() {
    let project = Project::shared();
    project.stack(STACK);
    let name = project.name();
    // What has failed meanwhile is nothing to `up -d` there.
    as_compose(&project, &["up", "-d"])
        .run()
        .expect(0)
        .says(&format!(" Container {name}-web-1  Created\n"))
        .says(&format!(" Container {name}-web-1  Started\n"))
        .says(&format!(" Container {name}-job-1  Started\n"));
    as_compose(&project, &["up", "-d", "web"])
        .run()
        .expect(0)
        .says(&format!(" Container {name}-web-1  Running\n"));
    let names = as_compose(&project, &["ps", "-a", "--format", "{{.Name}} {{.Service}}"])
        .run()
        .expect(0);
    let mut lines: Vec<&str> = names.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, [format!("{name}-job-1 job"), format!("{name}-web-1 web")]);
    let version = as_compose(&project, &["version", "--short"]).run().expect(0);
    assert!(version.stdout.starts_with("2."), "{version}");
    // Whatever is wrong, docker compose has one exit code for it.
    as_compose(&project, &["up", "--nonsense"]).run().expect(1);
    as_compose(&project, &["-f", "none.yaml", "config"])
        .run()
        .expect(1);
    as_compose(&project, &["down", "-t", "0"])
        .run()
        .expect(0)
        .says(&format!(" Container {name}-web-1  Removed\n"))
        .says(&format!(" Network {name}_default  Removed\n"));
}

#[test]
fn docker_calls_it_as_its_plugin() {
    let project = Project::shared();
    project.stack(STACK);
    as_plugin(&project, &["version"])
        .run()
        .expect(0)
        .prints("Docker Compose version v2.");
    let up = as_plugin(&project, &["up", "--abort-on-container-exit"])
        .run()
        .expect(3);
    // Seen from the first start on, each stream in its place, and what ended everything.
    assert!(up.stdout.contains("job-1  | to stdout\n"), "{up}");
    assert!(up.stdout.contains("job-1 exited with code 3\n"), "{up}");
    assert!(!up.stdout.contains("to stderr"), "{up}");
    assert!(
        project.states().iter().all(|state| state.ends_with("exited")),
        "{up}"
    );
    up.says("job-1  | to stderr\n")
        .says("Aborting on container exit...")
        .says(&format!(" Container {}-web-1  Stopped\n", project.name()));
    let code = as_plugin(&project, &["up", "--exit-code-from", "job"])
        .run()
        .expect(3);
    assert!(code.stdout.contains("exited with code"), "{code}");
}

#[test]
fn what_waits_for_an_end_is_started_though_nothing_is_proven() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  prepare: { image: "@image@", command: ["true"], restart: "no" }
  web:
    image: "@image@"
    init: true
    stop_grace_period: 0s
    command: [sleep, infinity]
    depends_on: { prepare: { condition: service_completed_successfully } }
"#,
    );
    project.run(["up", "-d", "--no-wait"]).expect(0);
    assert!(
        project.states().contains(&"web: running".into()),
        "{:?}",
        project.states()
    );
}

#[test]
fn a_volume_by_another_name_is_another_volume() {
    let project = Project::shared();
    let name = project.name().to_owned();
    let stack = |volume: &str| {
        project.stack(&format!(
            r#"
services:
  web: {{ image: "@image@", init: true, stop_grace_period: 0s, command: [sleep, infinity], volumes: ["data:/data"] }}
volumes: {{ data: {{ name: {volume} }} }}
"#
        ));
    };
    stack(&format!("{name}_one"));
    project.run(["up", "-d"]).expect(0);
    stack(&format!("{name}_two"));
    project.run(["plan"]).expect(0).prints(&format!("{name}_two"));
    project.run(["up", "-d"]).expect(0);
    project.run(["plan", "--exit-code"]).expect(0);
    project.run(["down", "-v"]).expect(0);
}
