//! Stack files that are wrong: every finding, with its place, and what to do.

use regex::Regex;

use crate::support::project::Project;
use crate::support::running::Outcome;

fn up(stack: &str) -> Outcome {
    let project = Project::shared();
    project.stack(stack);
    let outcome = project.run(["up", "-d"]).expect(3);
    assert!(
        project.containers().is_empty() && project.networks().is_empty(),
        "{outcome}"
    );
    assert_eq!(outcome.stdout, "", "{outcome}");
    outcome
}

/// Asserts that a finding points to this line and column of the stack file.
#[track_caller]
fn points_to(outcome: &Outcome, line: u32, column: u32) {
    let place = Regex::new(&format!(r"compose\.yaml:{line}:{column}\b")).unwrap();
    assert!(
        place.is_match(&outcome.stderr),
        "no finding at {line}:{column}\n{outcome}"
    );
    assert!(
        outcome.stderr.contains(['^', '━']),
        "nothing is underlined\n{outcome}"
    );
}

#[test]
fn a_cycle_is_shown_whole() {
    let outcome = up(
        "services:\n  a: { image: x, depends_on: [b] }\n  b: { image: x, depends_on: [c] }\n  c: { image: x, depends_on: [a] }\n  d: { image: x }\n",
    );
    let cycle =
        Regex::new(r"a\b.*\bb\b.*\bc\b.*\ba\b|b\b.*\bc\b.*\ba\b.*\bb\b|c\b.*\ba\b.*\bb\b.*\bc\b").unwrap();
    assert!(
        outcome.stderr.lines().any(|line| cycle.is_match(line)),
        "{outcome}"
    );
}

#[test]
fn yaml_that_is_none_points_to_its_place() {
    let outcome = up("services:\n  web:\n    image: \"never closed\n    command: [a\n");
    assert!(
        Regex::new(r"compose\.yaml:\d+:\d+")
            .unwrap()
            .is_match(&outcome.stderr),
        "{outcome}"
    );
}

#[test]
fn every_finding_is_reported_with_a_suggestion() {
    let outcome = up(
        "services:\n  web:\n    imagee: x\n    ports: [\"99999:80\"]\n  api:\n    image: x\n    depends_on: [databse]\n  database: { image: x }\n",
    );
    points_to(&outcome, 3, 5);
    points_to(&outcome, 4, 13);
    points_to(&outcome, 7, 18);
    assert!(
        outcome.stderr.contains("`image`") || outcome.stderr.contains("image?"),
        "no suggestion\n{outcome}"
    );
    assert!(outcome.stderr.contains("database"), "no suggestion\n{outcome}");
}

#[test]
fn a_key_given_twice_shows_both_places() {
    let outcome = up("services:\n  web:\n    image: x\n    image: y\n");
    points_to(&outcome, 4, 5);
    assert!(outcome.stderr.contains('3'), "{outcome}");
}

#[test]
fn a_required_variable_that_is_not_set_is_named_with_its_message() {
    let outcome = up("services:\n  web:\n    image: \"x:${NEEDED_TAG:?set it in .env}\"\n");
    assert!(
        outcome.stderr.contains("NEEDED_TAG") && outcome.stderr.contains("set it in .env"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("compose.yaml:3:"), "{outcome}");
}

#[test]
fn no_stack_file_says_what_was_looked_for() {
    let project = Project::shared();
    project
        .run(["up", "-d"])
        .expect(3)
        .says("compose.yaml")
        .says("init");
    project
        .run(["-f", "gone.yaml", "up", "-d"])
        .expect(3)
        .says("gone.yaml");
}

#[test]
fn what_is_not_supported_is_said_and_not_dropped() {
    let outcome = up("services:\n  web: { image: x, pull_refresh_after: 1d }\n");
    assert!(outcome.stderr.contains("pull_refresh_after"), "{outcome}");
}

#[test]
fn wrong_usage_is_not_a_wrong_stack() {
    let project = Project::shared();
    project.stack("services: { web: { image: x } }\n");
    project
        .run(["up", "--no-such-flag"])
        .expect(2)
        .says("--no-such-flag");
    project
        .run(["up", "-d", "nosuchservice"])
        .expect(2)
        .says("nosuchservice");
    project.run(["frobnicate"]).expect(2);
}
