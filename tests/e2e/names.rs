//! Names that are held by what is not ours: refused before anything changes.

use serde_json::{Value, json};

use crate::support::docker::LABEL;
use crate::support::foreign::Foreign;
use crate::support::project::Project;

const STACK: &str = "services:\n  web: { image: \"@image@\", volumes: [\"data:/data\"] }\n  other: { image: \"@image@\" }\nvolumes: { data: {} }\n";

#[test]
fn a_foreign_container_keeps_its_name() {
    let project = Project::shared();
    project.stack(STACK);
    let name = format!("{}-web-1", project.name());
    let id = project
        .engine()
        .run(project.name(), &name, &project.image(), &["pause"], Value::Null);
    let foreign = Foreign::snapshot(project.engine(), project.name()).canary(project.engine(), &id);
    project.run(["up", "-d"]).expect(1).says(&name);
    foreign.assert_untouched(project.engine());
    assert!(
        project.containers().is_empty() && project.networks().is_empty(),
        "changed before it refused"
    );
    project.engine().remove(&id);
    project.run(["up", "-d"]).expect(0);
    project.assert_converged();
}

#[test]
fn a_foreign_container_with_a_fixed_name_is_not_taken() {
    let project = Project::shared();
    project.stack("services: { web: { image: \"@image@\", container_name: \"@name@-fixed\" } }\n");
    let name = format!("{}-fixed", project.name());
    let id = project
        .engine()
        .run(project.name(), &name, &project.image(), &["pause"], Value::Null);
    let foreign = Foreign::snapshot(project.engine(), project.name()).canary(project.engine(), &id);
    project.run(["up", "-d"]).expect(1).says(&name);
    foreign.assert_untouched(project.engine());
}

#[test]
fn a_foreign_network_and_a_foreign_volume_are_not_removed() {
    let project = Project::shared();
    project.stack(STACK);
    let docker = project.engine();
    let labels = json!({ LABEL: project.name() });
    let network = format!("{}_default", project.name());
    let volume = format!("{}_data", project.name());
    docker
        .call(
            "POST",
            "/networks/create",
            &json!({ "Name": network, "Labels": labels }),
        )
        .unwrap();
    docker
        .call(
            "POST",
            "/volumes/create",
            &json!({ "Name": volume, "Labels": labels }),
        )
        .unwrap();
    let foreign = Foreign::snapshot(docker, project.name());
    // Whether it uses or refuses them is for the planner to say; it must not lose them.
    for args in [&["up", "-d"][..], &["down", "-v"]] {
        let outcome = project.run(args.iter().copied());
        assert!(matches!(outcome.code(), Some(0 | 1)), "{outcome}");
    }
    foreign.assert_untouched(docker);
    assert!(
        docker
            .call("GET", &format!("/networks/{network}"), &Value::Null)
            .is_ok()
    );
    assert!(
        docker
            .call("GET", &format!("/volumes/{volume}"), &Value::Null)
            .is_ok()
    );
}

#[test]
fn down_leaves_a_foreign_container_and_the_network_it_is_on() {
    let project = Project::shared();
    project.stack(STACK);
    project.run(["up", "-d"]).expect(0);
    let network = format!("{}_default", project.name());
    let more = json!({ "HostConfig": { "NetworkMode": network } });
    let guest = format!("{}-guest", project.name());
    project
        .engine()
        .run(project.name(), &guest, &project.image(), &["pause"], more);
    let foreign = Foreign::snapshot(project.engine(), project.name()).canary(project.engine(), &guest);
    project.run(["down"]).expect(1).says(&guest);
    foreign.assert_untouched(project.engine());
    assert!(project.containers().is_empty());
    project.engine().remove(&guest);
    project.run(["down", "-v"]).expect(0);
    assert!(project.networks().is_empty() && project.volumes().is_empty());
}
