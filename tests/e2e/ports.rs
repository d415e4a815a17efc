//! A port that is taken: by whom, and then free again.

use std::net::TcpListener;

use regex::Regex;
use serde_json::json;

use crate::support::foreign::Foreign;
use crate::support::ports;
use crate::support::project::Project;

fn project(port: u16) -> Project {
    let project = Project::shared();
    project.stack(&format!(
        "services:\n  web: {{ image: \"@image@\", command: [serve], ports: [\"127.0.0.1:{port}:80\"] }}\n  other: {{ image: \"@image@\" }}\n"
    ));
    project
}

#[test]
fn a_process_that_holds_the_port_is_named_and_a_freed_port_is_used() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = project(port);
    let outcome = project
        .run(["up", "-d"])
        .expect(1)
        .says(&port.to_string())
        .says("web");
    let holder = Regex::new(&format!(r"(process|pid)\W+{}\b", std::process::id())).unwrap();
    assert!(
        holder.is_match(&outcome.stderr),
        "the holder is not named\n{outcome}"
    );
    drop(listener);
    project.run(["up", "-d"]).expect(0);
    assert_eq!(project.states(), ["other: running", "web: running"]);
    assert_eq!(ports::http_get(port, "/").unwrap().0, 200);
    project.assert_converged();
}

#[test]
fn a_container_that_holds_the_port_is_named_and_left_alone() {
    let port = ports::free();
    let project = project(port);
    let holder = format!("{}-holder", project.name());
    let publish = json!({ "ExposedPorts": { "80/tcp": {} }, "HostConfig": {
        "NetworkMode": "bridge", "PortBindings": { "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": port.to_string() }] } } });
    project
        .engine()
        .run(project.name(), &holder, &project.image(), &["serve"], publish);
    let foreign = Foreign::snapshot(project.engine(), project.name()).canary(project.engine(), &holder);
    project
        .run(["up", "-d"])
        .expect(1)
        .says(&port.to_string())
        .says(&holder);
    foreign.assert_untouched(project.engine());
    project.engine().remove(&holder);
    project.run(["up", "-d"]).expect(0);
    project.assert_converged();
}
