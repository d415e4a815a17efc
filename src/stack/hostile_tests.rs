//! Input made to hurt: an answer in bounded time, never a panic.

use proptest::prelude::*;

use super::testing::Case;

/// The first line of the findings and the place they point to.
fn answer(text: impl AsRef<[u8]>) -> String {
    let findings = Case::new(text).findings();
    let place = findings.lines().find(|l| l.contains("-->")).unwrap_or_default();
    format!("{} {}", findings.lines().next().unwrap_or_default(), place.trim())
}

#[test]
fn bombs_end_in_an_error_with_a_place() {
    let nine = |of: &str| vec![format!("*{of}"); 9].join(", ");
    let levels = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "a: &a {x: 1}\n".to_owned();
    for pair in levels.windows(2) {
        bomb += &format!("{1}: &{1} [{0}]\n", nine(pair[0]), pair[1]);
        merges += &format!("{1}: &{1} {{<<: [{0}], k{1}: 1}}\n", nine(pair[0]), pair[1]);
    }
    insta::assert_snapshot!(answer(bomb), @"error[yaml-limit]: more than 1000000 values, aliases written out --> compose.yaml:7:12");
    insta::assert_snapshot!(answer(merges), @"error[yaml-limit]: more than 1000000 values, aliases written out --> compose.yaml:7:29");
    let wide = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(1000), "*a,".repeat(2000));
    insta::assert_snapshot!(answer(wide), @"error[yaml-limit]: more than 1000000 values, aliases written out --> compose.yaml:2:3002");
    let keys: String = (0..1000).map(|n| format!("k{n}: 1,")).collect();
    let uses: String = (0..2000).map(|n| format!("s{n}: {{<<: *a}}\n")).collect();
    insta::assert_snapshot!(answer(format!("a: &a {{{keys}}}\n{uses}")), @"error[yaml-limit]: more than 1000000 values, aliases written out --> compose.yaml:500:7");
}

#[test]
fn depth_is_bounded_in_every_notation() {
    insta::assert_snapshot!(answer("[".repeat(200_000)), @"error[yaml-limit]: nested more than 100 levels deep --> compose.yaml:1:101");
    insta::assert_snapshot!(answer("{a: ".repeat(200_000)), @"error[yaml-limit]: nested more than 100 levels deep --> compose.yaml:1:401");
    insta::assert_snapshot!(answer("- ".repeat(200_000)), @"error[yaml-limit]: nested more than 100 levels deep --> compose.yaml:1:201");
    insta::assert_snapshot!(answer("? ".repeat(200_000)), @"error[yaml-limit]: nested more than 100 levels deep --> compose.yaml:1:201");
    let blocks: String = (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    insta::assert_snapshot!(answer(blocks), @"error[yaml-limit]: nested more than 100 levels deep --> compose.yaml:101:101");
    let lists: String = (1..6)
        .map(|n| format!("x{n}: &x{n} {}*x{}{}\n", "[".repeat(30), n - 1, "]".repeat(30)))
        .collect();
    insta::assert_snapshot!(answer(format!("x0: &x0 a\n{lists}")), @"error[yaml-limit]: nested more than 100 levels deep, aliases written out --> compose.yaml:5:30");
    insta::assert_snapshot!(answer(format!("a: \"{}{}\"", "${A:-".repeat(9_999), "}".repeat(9_999))), @"error[interpolation]: `${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-` is no valid variable expression --> compose.yaml:1:5");
}

#[test]
fn what_small_files_can_multiply_is_bounded() {
    let services = |count: usize, line: &dyn Fn(usize) -> String| {
        format!(
            "services:\n{}",
            (0..count)
                .map(|n| format!("  s{n}: {}\n", line(n)))
                .collect::<String>()
        )
    };
    insta::assert_snapshot!(answer(services(10_001, &|_| "{image: i}".into())), @"error[yaml-limit]: more than 10000 services --> compose.yaml:10002:3");
    insta::assert_snapshot!(answer(services(50, &|_| "{image: i, ports: ['1-16000:1-16000']}".into())), @"error[yaml-limit]: the stack has too many ports --> compose.yaml:14:26");
    let chain = services(500, &|n| format!("{{image: i, extends: s{}}}", n + 1));
    insta::assert_snapshot!(answer(chain), @"error[yaml-limit]: more than 100 services extend each other in a row --> compose.yaml:102:29");
    let labels: String = (0..2_000).map(|n| format!("l{n}: x,")).collect();
    let wide = services(2_000, &|n| match n {
        0 => format!("{{image: i, labels: {{{labels}}}}}"),
        n => format!("{{extends: s0, labels: {{m{n}: x}}}}"),
    });
    insta::assert_snapshot!(answer(wide), @"error[yaml-limit]: there is too much to merge --> compose.yaml:1001:9");
    let shared = services(2_000, &|n| match n {
        0 => format!("{{image: i, labels: {{{labels}}}}}"),
        n => format!("{{extends: s0, hostname: h{n}}}"),
    });
    insta::assert_snapshot!(answer(shared), @"error[yaml-limit]: more than 1000000 values, aliases, `extends` and `include` written out --> compose.yaml:1:1");
    let mounts: String = (0..10_001).map(|n| format!("'/a{n}:/b{n}',")).collect();
    insta::assert_snapshot!(answer(services(1, &|_| format!("{{image: i, volumes: [{mounts}]}}"))), @"error[yaml-limit]: more than 10000 volumes --> compose.yaml:2:27");
}

#[test]
fn a_circle_of_thousands_is_found_without_recursion() {
    let chain: String = (0..9_000)
        .map(|n| format!("  s{n}: {{image: i, depends_on: [s{}]}}\n", (n + 1) % 9_000))
        .collect();
    insta::assert_snapshot!(answer(format!("services:\n{chain}")), @"error[cycle]: services depend on each other in a circle: s0 → s1 → s2 → s3 → s4 → s5 → s6 → s7 → … → s8993 → s8994 → s8995 → s8996 → s8997 → s8998 → s8999 → s0 --> compose.yaml:2:31");
}

/// Stacks that are nearly right: the words of the specification, in any order.
fn nearly_yaml() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "services:",
        "  a:",
        "    image: i",
        "    ports:",
        "      - 80:80",
        "- ",
        "x: &x",
        "*x",
        "<<: *x",
        "[",
        "]",
        "{",
        "}",
        ",",
        ": ",
        "!reset",
        "!override",
        "${A:-b}",
        "${",
        "$$",
        "\"",
        "'",
        "|",
        ">",
        "\n",
        "  ",
        "#",
        "a",
        "networks:",
        "volumes:",
        "extends: a",
        "include: [compose.yaml]",
        "depends_on: [a]",
        "environment: [A=1]",
        "~",
        "0440",
        "1e3",
        "2001-01-01",
        "%YAML 1.2",
        "---",
        "...",
        "? ",
        "\u{feff}",
        "\t",
        "é",
        "x-platform:",
        "smoke:",
    ];
    prop::collection::vec(prop::sample::select(WORDS), 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        Case::new(bytes).findings();
    }

    #[test]
    fn any_words_give_an_answer(text in nearly_yaml()) {
        Case::new(text).findings();
    }

    #[test]
    fn any_value_of_any_attribute_gives_an_answer(
        key in prop::sample::select(&["ports", "volumes", "command", "environment", "build", "deploy", "healthcheck",
            "ulimits", "devices", "extra_hosts", "restart", "mem_limit", "expose", "configs", "networks", "depends_on",
            "x-platform", "env_file", "logging", "tmpfs", "cpus", "stop_grace_period", "pull_policy"][..]),
        text in "[ -~]{0,24}", as_list in any::<bool>(), as_key in any::<bool>(),
    ) {
        let quoted = text.replace('\'', "''");
        let value = match (as_list, as_key) {
            (true, _) => format!("['{quoted}']"),
            (_, true) => format!("{{'{quoted}': '{quoted}'}}"),
            _ => format!("'{quoted}'"),
        };
        Case::new(format!("services: {{a: {{image: i, {key}: {value}}}}}")).findings();
    }

    #[test]
    fn any_environment_file_gives_an_answer(text in "[ -~\\n\\t]{0,80}", name in "[A-Z=:#'\"\\\\$ {}\\n-]{0,20}") {
        let case = Case::new("services: {a: {image: i, env_file: [x.env, {path: y.env, format: raw}]}}");
        case.file("x.env", format!("{name}={text}")).file("y.env", text).findings();
    }

    #[test]
    fn what_is_printed_is_read_as_the_same_project(
        image in "[ -~]{1,12}", value in "\\PC{0,16}", label in "[a-z][a-z0-9.-]{0,8}", port in 1u16..65_535,
        mode in 0u32..0o777, replicas in 0u32..5, command in prop::collection::vec("[ -~]{0,8}", 0..4),
    ) {
        let quoted = |text: &str| serde_json::to_string(&text.replace('$', "$$")).unwrap_or_default();
        let command: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        let stack = format!(
            "name: p
services:
  a:
    image: {}
    command: [{}]
    environment: {{KEY: {}, {label}: null}}
    ports: [{{target: {port}, published: {port}}}]
    secrets: [{{source: s, mode: 0{mode:o}}}]
    volumes: ['v-v:/v', './x:/x:ro', {{type: tmpfs, target: /t, tmpfs: {{size: 1m, mode: 0{mode:o}}}}}]
    deploy: {{replicas: {replicas}, resources: {{limits: {{memory: 64m, cpus: 0.5}}}}, labels: {{{label}: {}}}}}
    ulimits: {{nofile: {{soft: 1, hard: {replicas}}}}}
    healthcheck: {{test: [CMD, {}], interval: 1m30s}}
    x-platform: {{probe: {{http: ':{port}/'}}, reload: {{signal: HUP}}}}
secrets: {{s: {{file: ./s}}}}
volumes: {{v-v: }}
",
            quoted(&image), command.join(", "), quoted(&value), quoted(&value), quoted(&image),
        );
        let first = Case::new(&stack).load();
        prop_assert!(first.project.is_some(), "{stack}\n{:?}", first.findings);
        let yaml = Case::new(&stack).yaml();
        let second = Case::new(&yaml).load();
        prop_assert_eq!(first.project, second.project, "{}\n{:?}", yaml, second.findings);
    }
}
