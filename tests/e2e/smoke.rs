//! Smoke tests against real containers, from the stack file to the report.

use platform::base::{Masker, MonotonicClock};
use platform::engine::{Deadlines, Docker, Engine, EngineEnv, Wanted};
use platform::probe::EngineHost;
use platform::smoke::{Outcome, Report, Seen, Setting, run, select, text, unavailable};
use platform::stack::{Disk, LoadRequest, load};
use serde_json::json;

use crate::support::docker::PROJECT;
use crate::support::ports;
use crate::support::project::Project;

/// Loads the project's stack file, looks at what is there and runs all tests.
async fn smoke(project: &Project) -> Report {
    let request = LoadRequest {
        working_dir: project.dir().to_owned(),
        ..LoadRequest::default()
    };
    let loaded = load(&request, &Disk);
    let errors: Vec<_> = loaded.errors().collect();
    assert!(errors.is_empty(), "{errors:?}");
    let stack = loaded.project.unwrap();
    let host = ("DOCKER_HOST".to_owned(), project.engine().host());
    let engine = Docker::find(EngineEnv::new([host]), Deadlines::default())
        .await
        .unwrap();
    let observed = engine.observe(&Wanted::of(&stack)).await.unwrap();
    let setting = Setting {
        project: &stack,
        observed: &observed,
        host: &EngineHost::Local,
        engine: &engine,
        clock: &MonotonicClock::start(),
        masker: &Masker::default(),
        unavailable: &unavailable(&stack, &observed),
        concurrency: 4,
    };
    let tests = select(&stack, &[]).unwrap();
    run(&setting, &tests, |_| {}).await
}

/// Starts the stack's service `web` as Compose would.
fn start_web(project: &Project, published: u16) {
    let docker = project.engine();
    let network = format!("{}_default", project.name());
    let labels = json!({
        PROJECT: project.name(),
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
    });
    docker
        .call(
            "POST",
            "/networks/create",
            &json!({"Name": network, "Labels": labels}),
        )
        .unwrap();
    let line = r#"echo '{"status": "ok", "list": [1, 2]}' > /www/api.json
        echo private > /www/private; httpd -p 80 -h /www; httpd -p 81 -h /www; exec pause"#;
    docker.run(
        project.name(),
        &format!("{}-web-1", project.name()),
        &project.image(),
        &["sh", "-c", line],
        json!({
            "Labels": labels,
            "ExposedPorts": {"80/tcp": {}},
            "HostConfig": {
                "NetworkMode": network, "Init": true,
                "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": published.to_string()}]},
            },
        }),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_tested_by_its_ports_addresses_and_commands() {
    let project = Project::shared();
    let published = ports::free();
    project.stack(&format!(
        r#"
name: @name@
services:
  web:
    image: "@image@"
    ports: ["127.0.0.1:{published}:80"]
  extra:
    image: t-nobody-has-this:1
    x-platform: {{optional: true}}
x-platform:
  smoke:
    - name: published
      http: {{service: web, path: /api.json}}
      expect: {{status: 200, headers: {{content-length: "^[0-9]+$$"}}, json: {{"$.status": ok, "$.list[1]": 2}}, within: 5s}}
      retry: {{attempts: 40, interval: 50ms}}
    - name: not published
      http: {{service: web, port: 81, path: /private}}
      expect: {{body: private}}
      retry: {{attempts: 40, interval: 50ms}}
    - name: connection
      tcp: {{service: web, port: 80}}
      retry: {{attempts: 40, interval: 50ms}}
    - name: command
      exec: {{service: web, command: [cat, /www/private, /nonesuch]}}
      expect: {{exit: 1, stdout: private, matches: "^priv"}}
      retry: {{attempts: 40, interval: 50ms}}
    - name: missing page
      http: {{service: web, path: /nonesuch}}
    - name: closed port
      tcp: {{service: web, port: 99}}
    - name: extra
      http: {{service: extra, port: 80}}
"#
    ));
    start_web(&project, published);
    let report = smoke(&project).await;
    let shown = text(&report, &Masker::default(), false);
    let outcomes: Vec<&str> = report
        .tests
        .iter()
        .map(|test| match test.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "passed", "passed", "passed", "passed", "failed", "failed", "skipped"
        ],
        "{shown}"
    );
    let tried = |n: usize| report.tests[n].evidence.as_ref().unwrap().tried.clone();
    assert_eq!(tried(0), format!("GET http://127.0.0.1:{published}/api.json"));
    assert!(
        tried(1).ends_with(":81/private") && !tried(1).contains("127.0.0.1"),
        "{shown}"
    );
    assert!(
        matches!(&report.tests[3].evidence.as_ref().unwrap().seen, Seen::Exec { stderr: Some(text), .. } if text.contains("/nonesuch")),
        "{shown}"
    );
    assert!(
        shown.contains("status: expected 200 to 299, found 404"),
        "{shown}"
    );
    assert!(
        shown.contains("connection: expected a connection, found connection refused"),
        "{shown}"
    );
    assert!(
        shown
            .contains("- extra  skipped: extra is unavailable: the engine does not have t-nobody-has-this:1"),
        "{shown}"
    );
}
