//! Canary secrets in every place where a stack may hold one: in no output, plan, argument list or image history.

use std::fs;
use std::path::Path;

use crate::support::project::Project;

/// One canary for each place, so that a leak says where it came from.
const CANARIES: [&str; 6] = [
    "canary-environment-7f3a91",
    "canary-envfile-2b8c44",
    "canary-secretfile-9d0e17",
    "canary-secretenv-5a6b72",
    "canary-buildsecret-c3d485",
    "canary-dotenv-e1f296",
];

const STACK: &str = r#"
services:
  web:
    build: { context: ., secrets: [token] }
    image: "@name@-web:built"
    command: [sh, -c, "cat /run/secrets/file_secret /run/secrets/env_secret >/dev/null; echo the secrets were read; exec pause"]
    environment:
      DB_PASSWORD: canary-environment-7f3a91
      API_TOKEN: "${DOTENV_SECRET}"
    env_file: [app.env]
    secrets: [file_secret, env_secret]
  bad:
    image: "@image@"
    command: [sh, -c, "exit 5"]
    environment: { ADMIN_PASSWORD: canary-environment-7f3a91 }
    secrets: [env_secret]
secrets:
  file_secret: { file: ./secret.txt }
  env_secret: { environment: CANARY_IN_ENV }
  token: { file: ./token.txt }
"#;

fn project() -> Project {
    let project = Project::shared();
    project.stack(STACK);
    project.file("app.env", "SMTP_PASSWORD=canary-envfile-2b8c44\n");
    project.file("secret.txt", "canary-secretfile-9d0e17\n");
    project.file("token.txt", "canary-buildsecret-c3d485\n");
    project.file(".env", "DOTENV_SECRET=canary-dotenv-e1f296\n");
    project.file(
        "Dockerfile",
        "FROM @image@\nRUN --mount=type=secret,id=token wc -c /run/secrets/token && echo built\n",
    );
    project
}

/// Canaries that are plain values of variables.
const VARIABLES: [&str; 3] = [
    "canary-environment-7f3a91",
    "canary-envfile-2b8c44",
    "canary-dotenv-e1f296",
];

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} in {what}:\n{text}");
    }
}

#[test]
fn no_canary_in_any_output_at_any_level() {
    let project = project();
    let commands: [&[&str]; 12] = [
        &["config"],
        &["config", "--format", "json"],
        &["plan"],
        &["plan", "--format", "json"],
        &[
            "--log-level",
            "trace",
            "--progress",
            "plain",
            "up",
            "-d",
            "--build",
        ],
        &[
            "--log-level",
            "trace",
            "--progress",
            "json",
            "up",
            "-d",
            "--force-recreate",
        ],
        &["--verbose", "up", "-d"],
        &["--log-level", "trace", "ps", "--no-trunc"],
        &["--log-level", "trace", "logs"],
        &["--log-level", "trace", "exec", "-T", "web", "echo", "some words"],
        &["--log-level", "trace", "plan", "--force-recreate"],
        &["--log-level", "trace", "down"],
    ];
    for args in commands {
        let cli = project.platform(args.iter().copied());
        let cli = cli
            .env("CANARY_IN_ENV", "canary-secretenv-5a6b72")
            .env("RUST_LOG", "trace,bollard=trace,hyper=trace");
        let mut running = cli.start();
        let pid = running.pid();
        let mut seen = Vec::new();
        while !running.ended() {
            seen.extend(arguments_below(pid));
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let outcome = running.wait();
        assert!(outcome.stderr.len() + outcome.stdout.len() > 10, "{outcome}");
        let shown = outcome.all();
        if args.first() == Some(&"config") {
            // Off a terminal `config` is data, as docker compose's is: the values of variables are in
            // it, and nothing but them.
            let data = VARIABLES
                .iter()
                .fold(shown, |text, value| text.replace(value, ""));
            assert_clean(&args.join(" "), &data);
        } else {
            assert_clean(&args.join(" "), &shown);
        }
        assert_clean("an argument list", &seen.join("\n"));
        if args.contains(&"--build") {
            let image = format!("{}-web:built", project.name());
            assert_clean(
                "the image's history",
                &project
                    .engine()
                    .get(&format!("/images/{image}/history"))
                    .to_string(),
            );
            assert_clean(
                "the image",
                &project.engine().get(&format!("/images/{image}/json")).to_string(),
            );
            assert_labels_clean(&project);
        }
    }
}

/// Labels are shown by every tool that lists containers.
fn assert_labels_clean(project: &Project) {
    let containers = project.containers();
    assert!(!containers.is_empty());
    for container in containers {
        assert_clean("a label", &container["Labels"].to_string());
    }
}

/// The arguments of a process and of all that it started.
fn arguments_below(pid: u32) -> Vec<String> {
    let mut found = Vec::new();
    let mut queue = vec![pid];
    while let Some(pid) = queue.pop() {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        found.push(String::from_utf8_lossy(&words).replace('\0', " "));
        let children = Path::new("/proc")
            .join(pid.to_string())
            .join(format!("task/{pid}/children"));
        let children = fs::read_to_string(children).unwrap_or_default();
        queue.extend(
            children
                .split_whitespace()
                .filter_map(|child| child.parse::<u32>().ok()),
        );
    }
    found
}

#[test]
fn secrets_reach_the_service_with_their_mode_and_owner() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  web:
    image: "@image@"
    user: "1000:1000"
    secrets:
      - file_secret
      - { source: env_secret, target: /run/secrets/renamed, uid: "1000", gid: "1000", mode: 0400 }
secrets:
  file_secret: { file: ./secret.txt }
  env_secret: { environment: CANARY_IN_ENV }
"#,
    );
    project.file("secret.txt", "from a file");
    let up = project
        .platform(["up", "-d"])
        .env("CANARY_IN_ENV", "from the environment");
    up.run().expect(0);
    let exec = |words: &[&str]| {
        let args = ["exec", "-T", "web"].into_iter().chain(words.iter().copied());
        project
            .platform(args)
            .env("CANARY_IN_ENV", "from the environment")
            .run()
            .expect(0)
            .stdout
    };
    assert_eq!(exec(&["cat", "/run/secrets/file_secret"]), "from a file");
    assert_eq!(exec(&["cat", "/run/secrets/renamed"]), "from the environment");
    assert_eq!(
        exec(&["stat", "-c", "%a %u %g", "/run/secrets/renamed"]),
        "400 1000 1000\n"
    );
}
