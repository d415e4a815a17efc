//! Services that exit, are killed for memory, or never get ready: the report says why.

use std::time::Duration;

use serde_json::json;

use crate::stacks::NEVER_READY;
use crate::support::project::Project;
use crate::support::proxy::{Fault, Nth, Proxy};

#[test]
fn a_dependency_that_exits_ends_the_wait_with_chain_code_and_log() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  web: { image: "@image@", depends_on: { api: { condition: service_healthy } } }
  api:
    image: "@image@"
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: [CMD, "true"] }
  db:
    image: "@image@"
    command: [sh, -c, "sleep 0.3; echo my dying words; exit 3"]
    healthcheck: { test: [CMD, "false"], interval: 30s, retries: 100 }
"#,
    );
    let outcome = project.run(["--progress", "json", "up", "-d", "web"]).expect(1);
    assert!(outcome.duration < Duration::from_secs(8), "{outcome}");
    let failed = outcome.failed_service();
    let fact = |key: &str| failed[key].clone();
    assert_eq!(
        [fact("service"), fact("cause"), fact("exit_code")],
        [json!("db"), json!("exited"), json!(3)],
        "{outcome}"
    );
    let chain: Vec<_> = failed["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["service"].clone())
        .collect();
    assert_eq!(chain, ["web", "api"], "{outcome}");
    assert_eq!(fact("logs"), json!(["my dying words"]), "{outcome}");
    // The same facts in words.
    let outcome = project
        .run(["up", "-d", "web"])
        .expect(1)
        .says("db")
        .says("3")
        .says("my dying words");
    assert!(
        outcome.stderr.contains("web") && outcome.stderr.contains("api"),
        "{outcome}"
    );
    assert_eq!(
        project
            .states()
            .iter()
            .filter(|state| state.ends_with("running"))
            .count(),
        0
    );
}

#[test]
fn a_service_that_exits_fails_up_and_the_rest_goes_on() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  bad: { image: "@image@", command: [sh, -c, "echo no luck >&2; exit 4"] }
  good:
    image: "@image@"
    command: [serve, "80", "1"]
    healthcheck: { test: [CMD, wget, -qO-, "http://127.0.0.1/"], interval: 1s, timeout: 5s, retries: 30 }
"#,
    );
    project
        .run(["up", "-d"])
        .expect(1)
        .says("bad")
        .says("4")
        .says("no luck");
    assert!(project.states().contains(&"good: running".to_owned()));
}

#[test]
fn a_one_shot_that_ends_well_is_as_wanted_and_one_that_fails_is_not() {
    let project = Project::shared();
    let stack = |code: u8| {
        format!(
            "services:\n  job: {{ image: \"@image@\", command: [sh, -c, \"exit {code}\"] }}\n  \
             web: {{ image: \"@image@\", depends_on: {{ job: {{ condition: service_completed_successfully }} }} }}\n"
        )
    };
    project.stack(&stack(6));
    project.run(["up", "-d"]).expect(1).says("job").says("6");
    assert!(!project.states().contains(&"web: running".to_owned()));
    project.stack(&stack(0));
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), ["job: exited", "web: running"]);
    project.assert_converged();
}

#[test]
fn a_service_killed_for_memory_is_told_so() {
    let project = Project::shared();
    project.stack(
        "services:\n  hungry:\n    image: \"@image@\"\n    command: [tail, /dev/zero]\n    mem_limit: 16m\n    \
         healthcheck: { test: [CMD, \"false\"], interval: 30s, retries: 100 }\n",
    );
    let outcome = project.run(["--progress", "json", "up", "-d"]).expect(1);
    let failed = outcome.failed_service();
    assert_eq!(
        (&failed["oom_killed"], &failed["exit_code"]),
        (&json!(true), &json!(137)),
        "{outcome}"
    );
    let outcome = project.run(["up", "-d"]).expect(1).says("hungry");
    assert!(outcome.stderr.to_lowercase().contains("memory"), "{outcome}");
}

#[test]
fn a_probe_that_fails_too_often_is_unhealthy_with_its_last_words() {
    let project = Project::shared();
    project.stack(
        "services:\n  web:\n    image: \"@image@\"\n    \
         healthcheck: { test: [CMD-SHELL, \"echo not yet; exit 1\"], interval: 1s, timeout: 10s, retries: 2 }\n",
    );
    let outcome = project.run(["--progress", "json", "up", "-d"]).expect(1);
    assert!(outcome.duration < Duration::from_secs(10), "{outcome}");
    let failed = outcome.failed_service();
    assert_eq!(
        (failed["service"].as_str(), failed["cause"].as_str()),
        (Some("web"), Some("unhealthy")),
        "{outcome}"
    );
    assert!(
        failed["last_probe"]["detail"].to_string().contains("not yet"),
        "{outcome}"
    );
    assert!(failed["probes"].as_u64() >= Some(2), "{outcome}");
    project.run(["up", "-d"]).expect(1).says("not yet");
}

#[test]
fn what_is_not_ready_in_time_is_not_ready() {
    let project = Project::shared();
    project.stack(NEVER_READY);
    let outcome = project
        .run(["--progress", "json", "up", "-d", "--wait-timeout", "1s"])
        .expect(1);
    assert!(outcome.duration < Duration::from_secs(8), "{outcome}");
    let failed = outcome.failed_service();
    assert_eq!(
        (failed["service"].as_str(), failed["cause"].as_str()),
        (Some("stuck"), Some("not_ready")),
        "{outcome}"
    );
    assert_eq!(failed["blocks"], json!(["after"]), "{outcome}");
}

#[test]
fn a_probe_that_hangs_is_ended_by_its_timeout() {
    let project = Project::shared();
    project.stack(
        "services:\n  web:\n    image: \"@image@\"\n    \
         healthcheck: { test: [CMD, sleep, \"1000\"], interval: 1s, timeout: 1s, retries: 2 }\n",
    );
    let outcome = project.run(["up", "-d"]).expect(1).says("web");
    assert!(outcome.duration < Duration::from_secs(12), "{outcome}");
}

#[test]
fn ci_is_told_the_file_and_line_of_what_failed() {
    let project = Project::shared();
    project.file(
        "deploy/compose.yaml",
        r#"
services:
  bad: { image: "@image@", command: [sh, -c, "exit 4"] }
  after: { image: "@image@", depends_on: { bad: { condition: service_completed_successfully } } }
"#,
    );
    let up = |args: &[&str]| {
        project
            .platform(args.iter().copied())
            .cwd(project.dir().join("deploy"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_WORKSPACE", project.dir())
            .run()
    };
    up(&["up", "-d"])
        .expect(1)
        .says("::error file=deploy/compose.yaml,line=3,title=bad exited with code 4::");
    let failed = up(&["--progress", "json", "up", "-d"]).expect(1).failed_service();
    assert_eq!(
        (&failed["file"], &failed["line"]),
        (&json!("compose.yaml"), &json!(3)),
        "{failed}"
    );
    project.file(
        "deploy/compose.yaml",
        r#"
services:
  web: { image: "@image@" }
x-platform:
  smoke:
    - name: words
      exec: { service: web, command: [echo, hello] }
      expect: { stdout: goodbye }
"#,
    );
    let told = "::error file=deploy/compose.yaml,line=6,title=smoke test words failed::";
    up(&["up", "-d"]).expect(1).says(told);
    up(&["smoke"]).expect(1).says(told);
    // Elsewhere, nobody reads them.
    let outcome = project
        .platform(["smoke"])
        .cwd(project.dir().join("deploy"))
        .run()
        .expect(1);
    assert!(!outcome.stderr.contains("::error"), "{outcome}");
}

#[test]
fn an_exit_after_a_service_counted_as_up_is_still_seen() {
    let slow = r#"
  slow:
    image: "@image@"
    command: [sh, -c, "sleep 2; touch /up; exec sleep 1000"]
    healthcheck: { test: [CMD, test, -e, /up], interval: 1s, timeout: 5s, retries: 30 }
"#;
    let project = Project::shared();
    // Nothing probes it, so it is up once it has run for a moment.
    project.stack(&format!(
        "services:\n  brief: {{ image: \"@image@\", command: [sh, -c, \"sleep 0.6; echo bye; exit 4\"] }}{slow}"
    ));
    let outcome = project.run(["--progress", "json", "up", "-d"]).expect(1);
    let failed = outcome.failed_service();
    assert_eq!(
        (&failed["service"], &failed["cause"], &failed["exit_code"]),
        (&json!("brief"), &json!("exited"), &json!(4)),
        "{outcome}"
    );
    assert_eq!(failed["logs"], json!(["bye"]), "{outcome}");
}

#[test]
fn an_exit_while_smoke_tests_run_is_still_seen() {
    let project = Project::shared();
    project.stack(
        r#"
services:
  brief: { image: "@image@", command: [sh, -c, "sleep 1.5; exit 4"] }
  web: { image: "@image@" }
x-platform:
  smoke:
    - name: patience
      exec: { service: web, command: [sleep, "3"] }
"#,
    );
    project
        .run(["up", "-d"])
        .expect(1)
        .says("brief exited with code 4");
}

#[test]
fn a_volume_that_lost_its_folder_is_told_with_the_command() {
    let project = Project::shared();
    project
        .stack("services: { web: { image: \"@image@\", volumes: [\"data:/data\"] } }\nvolumes: { data: }\n");
    let proxy = Proxy::before(project.engine());
    let said = "open /var/lib/docker/volumes/some-volume/_data: no such file or directory";
    proxy.rule(
        "POST",
        "^/containers/create",
        Nth::Every,
        Fault::Answer(500, said),
    );
    project
        .platform(["up", "-d"])
        .engine(&proxy.docker())
        .run()
        .expect(1)
        .says(said)
        .says("`docker volume rm some-volume`");
    // Nothing is removed unasked.
    assert_eq!(project.volumes().len(), 1);
    project.run(["up", "-d"]).expect(0);
}
