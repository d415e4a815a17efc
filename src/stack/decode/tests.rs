use crate::stack::testing::Case;

/// The findings of a stack with one service that has these lines.
fn service(lines: &str) -> String {
    let indented: String = lines.lines().map(|l| format!("    {l}\n")).collect();
    Case::new(format!("services:\n  a:\n    image: i\n{indented}")).findings()
}

/// An attribute of a service, written so and resolved.
fn attribute(name: &str, written: &str) -> String {
    Case::new(format!(
        "services: {{a: {{image: i, {name}: {written}}}, b: {{image: i}}}}"
    ))
    .part(&format!("/services/a/{name}"))
}

#[test]
fn unknown_attributes_are_all_reported_with_the_nearest_known_one() {
    insta::assert_snapshot!(service("enviroment: {A: 1}\nport: ['80']\nhealthcheck: {tset: x}\nx-mine: 1"), @r#"
    error[unknown-attribute]: service `a` has no attribute `enviroment`
     --> compose.yaml:4:5
      |
    4 |     enviroment: {A: 1}
      |     ^^^^^^^^^^
      |
      = help: did you mean `environment`?

    error[unknown-attribute]: service `a` has no attribute `port`
     --> compose.yaml:5:5
      |
    5 |     port: ['80']
      |     ^^^^
      |
      = help: did you mean `ports`?

    error[unknown-attribute]: a health check has no attribute `tset`
     --> compose.yaml:6:19
      |
    6 |     healthcheck: {tset: x}
      |                   ^^^^
      |
      = help: did you mean `test`?
    "#);
    insta::assert_snapshot!(Case::new("service: {a: {image: i}}\nx-any: [1]").findings(), @r#"
    error[unknown-attribute]: a stack has no attribute `service`
     --> compose.yaml:1:1
      |
    1 | service: {a: {image: i}}
      | ^^^^^^^
      |
      = help: did you mean `services`?
    "#);
}

#[test]
fn attributes_of_the_specification_that_are_not_done_yet_say_so() {
    insta::assert_snapshot!(service("pull_refresh_after: 1d"), @r#"
    error[not-supported]: `pull_refresh_after` of service `a` is not supported yet
     --> compose.yaml:4:5
      |
    4 |     pull_refresh_after: 1d
      |     ^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(service("x-platform: {rollout: canary}"), @r#"
    error[not-supported]: `rollout` of `x-platform` of a service is not supported yet
     --> compose.yaml:4:18
      |
    4 |     x-platform: {rollout: canary}
      |                  ^^^^^^^
    "#);
}

#[test]
fn wrong_types_say_what_was_expected() {
    insta::assert_snapshot!(service("user: 1000\nports: 80\ncommand: [1]\nprivileged: maybe\nread_only: yes"), @r#"
    error[wrong-type]: `user` must be a string, found the number 1000
     --> compose.yaml:4:11
      |
    4 |     user: 1000
      |           ^^^^
      |
      = help: quote it: "1000"

    error[wrong-type]: `ports` must be a list, found the number 80
     --> compose.yaml:5:12
      |
    5 |     ports: 80
      |            ^^

    error[wrong-type]: `command` must be a string, found the number 1
     --> compose.yaml:6:15
      |
    6 |     command: [1]
      |               ^
      |
      = help: quote it: "1"

    error[wrong-type]: `privileged` must be true or false, found the string "maybe"
     --> compose.yaml:7:17
      |
    7 |     privileged: maybe
      |                 ^^^^^

    warning[obsolete]: `yes` is no boolean in YAML 1.2; write `true`
     --> compose.yaml:8:16
      |
    8 |     read_only: yes
      |                ^^^
    "#);
    insta::assert_snapshot!(service("environment:\nlabels: {when: 2001-01-01}\nmem_limit: lots\nstop_grace_period: 10"), @r#"
    error[wrong-type]: `environment` must be a mapping or a list of KEY=value, found nothing
     --> compose.yaml:4:16
      |
    4 |     environment:
      |                ^

    error[wrong-type]: `labels.when` must be a string, a number or a boolean, found the timestamp 2001-01-01
     --> compose.yaml:5:20
      |
    5 |     labels: {when: 2001-01-01}
      |                    ^^^^^^^^^^
      |
      = help: quote it: "2001-01-01"

    error[wrong-type]: `mem_limit` must be a size such as 512k, 64m or 1gb, found the string "lots"
     --> compose.yaml:6:16
      |
    6 |     mem_limit: lots
      |                ^^^^

    error[wrong-type]: `stop_grace_period` must be a duration such as 1m30s, 10s or 250ms, found the number 10
     --> compose.yaml:7:24
      |
    7 |     stop_grace_period: 10
      |                        ^^
    "#);
    insta::assert_snapshot!(service("restart: allways\npull_policy: dayly\nnetworks: 5\ndepends_on: {b: {}}"), @r#"
    error[wrong-value]: `restart` must be no, always, on-failure[:attempts] or unless-stopped, found "allways"
     --> compose.yaml:4:14
      |
    4 |     restart: allways
      |              ^^^^^^^
      |
      = help: did you mean `always`?

    error[wrong-value]: `pull_policy` must be always, never, missing, build, daily, weekly or every_<duration>, found "dayly"
     --> compose.yaml:5:18
      |
    5 |     pull_policy: dayly
      |                  ^^^^^
      |
      = help: did you mean `daily`?

    error[wrong-type]: `networks` must be a list of networks or a mapping, found the number 5
     --> compose.yaml:6:15
      |
    6 |     networks: 5
      |               ^

    error[missing-attribute]: a dependency needs `condition`
     --> compose.yaml:7:21
      |
    7 |     depends_on: {b: {}}
      |                     ^^

    error[undefined-reference]: service `a` refers to the undefined service `b`
     --> compose.yaml:7:18
      |
    7 |     depends_on: {b: {}}
      |                  ^
    "#);
}

#[test]
fn wrong_short_forms_say_how_they_are_written() {
    insta::assert_snapshot!(service("ports: ['80:x', '1-2:3-5', {published: 80}]"), @r#"
    error[wrong-value]: "80:x" is no port: "x" is not a number from 0 to 65535
     --> compose.yaml:4:13
      |
    4 |     ports: ['80:x', '1-2:3-5', {published: 80}]
      |             ^^^^^^
      |
      = help: write [[host-ip:]published:]target[/protocol], for example "127.0.0.1:8080:80/tcp"

    error[wrong-value]: "1-2:3-5" is no port: the two ranges differ in length
     --> compose.yaml:4:21
      |
    4 |     ports: ['80:x', '1-2:3-5', {published: 80}]
      |                     ^^^^^^^^^
      |
      = help: write [[host-ip:]published:]target[/protocol], for example "127.0.0.1:8080:80/tcp"

    error[missing-attribute]: a port needs `target`
     --> compose.yaml:4:32
      |
    4 |     ports: ['80:x', '1-2:3-5', {published: 80}]
      |                                ^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(service("volumes: ['a::b', {source: x, target: /y}, {type: bind, target: /y}]"), @r#"
    error[missing-attribute]: a volume needs `type`
     --> compose.yaml:4:23
      |
    4 |     volumes: ['a::b', {source: x, target: /y}, {type: bind, target: /y}]
      |                       ^^^^^^^^^^^^^^^^^^^^^^^

    error[missing-attribute]: a volume of type bind needs `source`
     --> compose.yaml:4:48
      |
    4 |     volumes: ['a::b', {source: x, target: /y}, {type: bind, target: /y}]
      |                                                ^^^^^^^^^^^^^^^^^^^^^^^^

    warning[suspicious]: "a::b" is taken for a path on a drive of Windows, not for a named volume
     --> compose.yaml:4:15
      |
    4 |     volumes: ['a::b', {source: x, target: /y}, {type: bind, target: /y}]
      |               ^^^^^^
      |
      = help: a volume's name has two letters at least; or use the long form
    "#);
    insta::assert_snapshot!(service("healthcheck: {test: [curl, x]}\nulimits: {nofile: {soft: 1}}\nextra_hosts: [x]"), @r#"
    error[wrong-value]: a list in `test` must begin with CMD, CMD-SHELL or NONE
     --> compose.yaml:4:25
      |
    4 |     healthcheck: {test: [curl, x]}
      |                         ^^^^^^^^^
      |
      = help: to run a program: ["CMD", "program", "argument"]

    error[missing-attribute]: a limit needs `hard`
     --> compose.yaml:5:23
      |
    5 |     ulimits: {nofile: {soft: 1}}
      |                       ^^^^^^^^^

    error[wrong-value]: `extra_hosts` holds host=address, found "x"
     --> compose.yaml:6:18
      |
    6 |     extra_hosts: [x]
      |                  ^^^
    "#);
}

#[test]
fn a_line_that_only_a_shell_could_read_is_pointed_out() {
    insta::assert_snapshot!(service("command: migrate && serve"), @r#"
    warning[suspicious]: `command` ends before `&& serve`: no shell reads it
     --> compose.yaml:4:14
      |
    4 |     command: migrate && serve
      |              ^^^^^^^^^^^^^^^^
      |
      = help: to run a shell, write: command: ["sh", "-c", "…"]
    "#);
    assert_eq!(
        attribute("command", "sh -c 'migrate && serve'"),
        r#"["sh","-c","migrate && serve"]"#
    );
}

#[test]
fn files_of_yaml_that_cannot_be_read_say_where() {
    for text in ["a: [", "a: b: c", "\ta: b", "a: \"x", "- a\nb: c", "%"] {
        let findings = Case::new(text).findings();
        assert!(findings.contains("compose.yaml:"), "{text}: {findings}");
    }
    insta::assert_snapshot!(Case::new("services:\n  a: {image: i}\n  a: {image: j}\n").findings(), @r#"
    error[duplicate-key]: the key `a` stands twice in one mapping
     --> compose.yaml:3:3
      |
    2 |   a: {image: i}
      |   - first here
    3 |   a: {image: j}
      |   ^ again here
    "#);
    insta::assert_snapshot!(Case::new("services:\n  a: {image: *x}\n").findings(), @r#"
    error[yaml-alias]: no anchor `&x` before this alias
     --> compose.yaml:2:14
      |
    2 |   a: {image: *x}
      |              ^^
    "#);
    insta::assert_snapshot!(Case::new("x: &a\n  b: *a\n").findings(), @r#"
    error[cycle]: the alias refers to a value that it is part of
     --> compose.yaml:2:6
      |
    2 |   b: *a
      |   -  ^^ this alias
      |   |
      |   stands within this value
    "#);
    insta::assert_snapshot!(Case::new("services:\n  a:\n    <<: {image: i}\n    <<: {command: j}\n").findings(), @r#"
    error[duplicate-key]: the key `<<` stands twice in one mapping
     --> compose.yaml:4:5
      |
    3 |     <<: {image: i}
      |     -- first here
    4 |     <<: {command: j}
      |     ^^ again here
      |
      = help: merge several with one list: `<<: [*a, *b]`
    "#);
    insta::assert_snapshot!(Case::new("services: {a: {image: i, environment: {1: x}}}").findings(), @r#"
    error[wrong-type]: a key must be a string, found the number 1
     --> compose.yaml:1:40
      |
    1 | services: {a: {image: i, environment: {1: x}}}
      |                                        ^
      |
      = help: quote it: "1"
    "#);
    insta::assert_snapshot!(Case::new("a: \0").findings(), @r#"
    error[yaml-syntax]: a NUL byte is not allowed in YAML
     --> compose.yaml:1:4
      |
    1 | a:  
      |    ^
    "#);
    insta::assert_snapshot!(Case::new(b"a: \xff".as_slice()).findings(), @r#"
    error[yaml-syntax]: the file is not UTF-8 text
     --> compose.yaml:1:4
      |
    1 | a: 
      |    ^
    "#);
    insta::assert_snapshot!(Case::new("").findings(), @"error[missing-attribute]: the stack file is empty");
}

#[test]
fn variables_are_cast_to_what_is_wanted() {
    let stack = "services:
  a:
    image: 'i:${TAG:-latest}'
    read_only: ${RO:-true}
    mem_limit: ${MEM:-64m}
    scale: ${N:-2}
    user: ${WHO:-1000}
    ports: ['${PORT:-8080}:80']
    healthcheck: {test: x, retries: '${R:-3}', interval: '${I:-1s}'}
    deploy: {resources: {limits: {cpus: '${C:-0.5}', memory: 64m}}}
    configs: [{source: c, mode: 0440}]
    command: echo $$HOME
configs: {c: {content: '${NOTHING-}'}}
";
    insta::assert_snapshot!(Case::new(stack).part("/services/a"), @r#"{"command":["echo","$$HOME"],"configs":[{"source":"c","mode":"0440"}],"deploy":{"placement":{},"resources":{"limits":{"cpus":0.5,"memory":"67108864"}}},"entrypoint":null,"healthcheck":{"test":["CMD-SHELL","x"],"interval":"1s","retries":3},"image":"i:latest","mem_limit":"67108864","networks":{"default":null},"ports":[{"target":80,"published":"8080","protocol":"tcp","mode":"ingress"}],"read_only":true,"scale":2,"user":"1000"}"#);
    insta::assert_snapshot!(Case::new("services: {a: {image: '${A:?set it}', user: '${B', labels: {\"${C}\": '$D'}}}").findings(), @r#"
    error[required-variable]: the required variable `A` has no value: set it
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: '${A:?set it}', user: '${B', labels: {"${C}": '$D'}}}
      |                          ^
      |
      = help: set it in the environment, or in an .env file: A=…

    error[interpolation]: `${B` is no valid variable expression
     --> compose.yaml:1:46
      |
    1 | services: {a: {image: '${A:?set it}', user: '${B', labels: {"${C}": '$D'}}}
      |                                              ^^^
      |
      = help: forms: ${VAR} ${VAR:-default} ${VAR:?message} ${VAR:+replacement}; write $$ for a $ itself

    warning[unset-variable]: the variable `D` is not set and taken as empty
     --> compose.yaml:1:71
      |
    1 | services: {a: {image: '${A:?set it}', user: '${B', labels: {"${C}": '$D'}}}
      |                                                                       ^
      |
      = help: give it a default: ${D:-value}, or write $$D for the text itself
    "#);
}

#[test]
fn devices_limits_and_what_rolls_out() {
    let stack = "services:
  a:
    image: i
    gpus: all
    blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 1mb}], weight_device: [{path: /dev/sda, weight: 400}]}
    cpu_percent: 50
    develop: {watch: [{path: ./src, action: sync+exec, target: /src, ignore: [a], exec: {command: make}}]}
    deploy:
      endpoint_mode: vip
      update_config: {order: start-first, delay: 10s, parallelism: 2}
      rollback_config: {failure_action: pause}
      resources: {reservations: {devices: [{capabilities: [gpu], driver: nvidia, device_ids: ['0', '1']}]}}
";
    insta::assert_snapshot!(Case::new(stack).part("/services/a"), @r#"{"blkio_config":{"weight":300,"weight_device":[{"Path":"/dev/sda","Weight":400}],"device_read_bps":[{"Path":"/dev/sda","Rate":"1048576"}]},"command":null,"cpu_percent":50,"deploy":{"endpoint_mode":"vip","placement":{},"resources":{"reservations":{"devices":[{"capabilities":["gpu"],"driver":"nvidia","device_ids":["0","1"]}]}},"rollback_config":{"failure_action":"pause"},"update_config":{"parallelism":2,"delay":"10s","order":"start-first"}},"develop":{"watch":[{"path":"/p/src","action":"sync+exec","target":"/src","ignore":["a"],"exec":{"command":["make"]}}]},"entrypoint":null,"gpus":[{"count":-1}],"image":"i","networks":{"default":null}}"#);
    assert_eq!(
        attribute("gpus", "[{driver: nvidia, count: 2}]"),
        r#"[{"driver":"nvidia","count":2}]"#
    );
    insta::assert_snapshot!(
        service("gpus: some\ndevelop: {watch: [{path: ., action: synk}]}\ndeploy: {resources: {reservations: {devices: [{count: 1, device_ids: ['0']}]}}}"),
        @r#"
    error[wrong-type]: `gpus` must be `all` or a list of devices, found the string "some"
     --> compose.yaml:4:11
      |
    4 |     gpus: some
      |           ^^^^

    error[wrong-value]: `action` must be one of rebuild, sync, restart, sync+restart, sync+exec, found "synk"
     --> compose.yaml:5:41
      |
    5 |     develop: {watch: [{path: ., action: synk}]}
      |                                         ^^^^
      |
      = help: did you mean `sync`?

    error[missing-attribute]: a device needs `capabilities`
     --> compose.yaml:6:51
      |
    6 |     deploy: {resources: {reservations: {devices: [{count: 1, device_ids: ['0']}]}}}
      |                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[conflict]: a device has a `count` or `device_ids`, not both
     --> compose.yaml:6:51
      |
    6 |     deploy: {resources: {reservations: {devices: [{count: 1, device_ids: ['0']}]}}}
      |                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#
    );
}

#[test]
fn empty_texts_are_as_good_as_none() {
    let stack =
        "services: {a: {image: i, hostname: '${HOST:-}', user: '', working_dir: \"\", platform: '${P-}'}}";
    let part = Case::new(stack).part("/services/a");
    assert_eq!(
        part,
        r#"{"command":null,"entrypoint":null,"image":"i","networks":{"default":null}}"#
    );
}

#[test]
fn a_block_at_the_end_has_a_line_break_where_the_file_has_one() {
    for (text, wanted) in [
        ("|\n    one", "\"one\""),
        ("|\n    one\n", "\"one\\n\""),
        ("|-\n    one\n", "\"one\""),
        ("|+\n    one\n\n", "\"one\\n\\n\""),
        (">\n    one\n    two", "\"one two\""),
    ] {
        let stack = format!("services: {{a: {{image: i, configs: [c]}}}}\nconfigs:\n c:\n  content: {text}");
        assert_eq!(Case::new(stack).part("/configs/c/content"), wanted, "{text:?}");
    }
}

#[test]
fn a_long_bind_makes_its_folder_unless_it_has_options() {
    for (written, made) in [
        (
            "{type: bind, source: ./a, target: /b}",
            r#"{"create_host_path":true}"#,
        ),
        ("{type: bind, source: ./a, target: /b, bind: {}}", "{}"),
        (
            "{type: bind, source: ./a, target: /b, bind: {create_host_path: true}}",
            r#"{"create_host_path":true}"#,
        ),
    ] {
        let stack = format!("services: {{a: {{image: i, volumes: [{written}]}}}}");
        assert_eq!(
            Case::new(stack).part("/services/a/volumes/0/bind"),
            made,
            "{written}"
        );
    }
}

#[test]
fn a_volumes_label_for_selinux_is_the_same_in_both_forms() {
    for written in [
        "'data:/data:z'",
        "{type: volume, source: data, target: /data, bind: {selinux: z}}",
    ] {
        let stack = format!("services: {{a: {{image: i, volumes: [{written}]}}}}\nvolumes: {{data: {{}}}}");
        let case = Case::new(stack);
        assert_eq!(case.findings(), "", "{written}");
        assert_eq!(case.part("/services/a/volumes/0/bind"), r#"{"selinux":"z"}"#);
    }
}
