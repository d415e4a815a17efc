//! 16 MB of hostile stack file: an error with its place, in bounded time and memory.

use std::time::Duration;

use crate::support::project::Project;

const SIZE: usize = 16 << 20;

/// What may be used: the limits are for the release build; an unoptimised one gets more time.
const SECONDS: u64 = if cfg!(debug_assertions) { 20 } else { 2 };
const MEMORY: u64 = 256 << 20;

#[track_caller]
fn refused(name: &str, stack: &str) {
    let project = Project::shared();
    std::fs::write(project.dir().join("compose.yaml"), stack).unwrap();
    let cli = project
        .platform(["config", "-q"])
        .measured()
        .memory_limit(4 << 30);
    let outcome = cli.timeout(Duration::from_secs(SECONDS + 20)).run();
    let said: String = outcome.stderr.chars().take(2000).collect();
    assert_eq!(outcome.code(), Some(3), "{name}: {:?}\n{said}", outcome.status);
    assert!(
        outcome.stderr.len() < 100_000,
        "{name}: {} bytes of talk",
        outcome.stderr.len()
    );
    assert!(
        outcome.duration < Duration::from_secs(SECONDS),
        "{name}: {:?}",
        outcome.duration
    );
    assert!(
        outcome.peak_rss < MEMORY,
        "{name}: {} MiB",
        outcome.peak_rss >> 20
    );
    let place = regex::Regex::new(r"compose\.yaml:\d+:\d+").unwrap();
    assert!(place.is_match(&outcome.stderr), "{name}: no place\n{said}");
}

#[test]
fn deep_nesting() {
    refused("flow sequences", &"[".repeat(SIZE));
    refused("block sequences", &"- ".repeat(SIZE / 2));
    refused("flow mappings", &"{a: ".repeat(SIZE / 4));
}

#[test]
fn aliases() {
    let mut bomb = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n".to_owned();
    for n in 1..20 {
        bomb.push_str(&format!(
            "x{n}: &x{n} [{}]\n",
            vec![format!("*x{}", n - 1); 10].join(", ")
        ));
    }
    bomb.push_str("services: { web: { image: x, command: *x19 } }\n");
    refused("billion laughs", &bomb);
    let many = format!(
        "x-a: &a [{}]\nx-b:\n{}services: {{}}\n",
        "x, ".repeat(1000),
        "  - *a\n".repeat(1_000_000)
    );
    refused("quadratic", &many);
}

#[test]
fn long_lists_and_keys() {
    refused("a list where a mapping is wanted", &"- x\n".repeat(SIZE / 4));
    let services: String = (0..SIZE / 24)
        .map(|n| format!("  web{n}: {{ imagee: x }}\n"))
        .collect();
    refused("as many errors as fit", &format!("services:\n{services}"));
    refused("one scalar", &format!("services: {}", "x".repeat(SIZE)));
    refused(
        "an open quote",
        &format!("services: \"{}", "x\n".repeat(SIZE / 2)),
    );
}

#[test]
fn nested_defaults() {
    let nested = "${A:-".repeat(SIZE / 5);
    refused(
        "nested interpolation",
        &format!("services: {{ web: {{ image: \"{nested}\" }} }}\n"),
    );
}

#[test]
fn bytes_that_are_no_text() {
    let project = Project::shared();
    let bytes: Vec<u8> = (0..SIZE).map(|n| (n * 31 % 251) as u8).collect();
    std::fs::write(project.dir().join("compose.yaml"), bytes).unwrap();
    let outcome = project.platform(["config", "-q"]).measured().run().expect(3);
    assert!(outcome.peak_rss < MEMORY && outcome.stderr.len() < 100_000);
}
