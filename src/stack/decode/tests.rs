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
    insta::assert_snapshot!(service("credential_spec: {file: x}"), @r#"
    error[not-supported]: `credential_spec` of service `a` is not supported yet
     --> compose.yaml:4:5
      |
    4 |     credential_spec: {file: x}
      |     ^^^^^^^^^^^^^^^
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
fn references_to_nothing_are_suggested_a_target() {
    let stack = "services:
  web:
    image: i
    depends_on: [databse]
    networks: [backend]
    volumes: ['data:/data']
    secrets: [token]
    configs: [{source: conf}]
    links: [cache:c]
  database: {image: i}
networks: {back-end: {}}
volumes: {datum: {}}
secrets: {tokens: {file: t}}
";
    insta::assert_snapshot!(Case::new(stack).findings(), @r#"
    error[undefined-reference]: service `web` refers to the undefined service `databse`
     --> compose.yaml:4:18
      |
    4 |     depends_on: [databse]
      |                  ^^^^^^^
      |
      = help: did you mean `database`?

    error[undefined-reference]: service `web` refers to the undefined service `cache`
     --> compose.yaml:9:13
      |
    9 |     links: [cache:c]
      |             ^^^^^^^

    error[undefined-reference]: service `web` refers to the undefined network `backend`
     --> compose.yaml:5:16
      |
    5 |     networks: [backend]
      |                ^^^^^^^
      |
      = help: did you mean `back-end`?

    error[undefined-reference]: service `web` refers to the undefined volume `data`
     --> compose.yaml:6:15
      |
    6 |     volumes: ['data:/data']
      |               ^^^^^^^^^^^^
      |
      = help: define it under the top-level `volumes`, or write ./data for a folder

    error[undefined-reference]: service `web` refers to the undefined config `conf`
     --> compose.yaml:8:15
      |
    8 |     configs: [{source: conf}]
      |               ^^^^^^^^^^^^^^

    error[undefined-reference]: service `web` refers to the undefined secret `token`
     --> compose.yaml:7:15
      |
    7 |     secrets: [token]
      |               ^^^^^
      |
      = help: did you mean `tokens`?
    "#);
}

#[test]
fn circles_are_shown_in_the_order_of_the_file() {
    let stack = "services:
  a: {image: i, depends_on: [b]}
  b: {image: i, links: [c]}
  c: {image: i, network_mode: \"service:a\"}
  d: {image: i, depends_on: [d]}
";
    insta::assert_snapshot!(Case::new(stack).findings(), @r#"
    error[cycle]: services depend on each other in a circle: a → b → c → a
     --> compose.yaml:2:30
      |
    2 |   a: {image: i, depends_on: [b]}
      |                              ^ `a` needs `b`
    3 |   b: {image: i, links: [c]}
      |                         - `b` needs `c`
    4 |   c: {image: i, network_mode: "service:a"}
      |                               ----------- `c` needs `a`

    error[cycle]: services depend on each other in a circle: d → d
     --> compose.yaml:5:30
      |
    5 |   d: {image: i, depends_on: [d]}
      |                              ^ `d` needs `d`
    "#);
}

#[test]
fn what_excludes_each_other_is_refused() {
    let stack = "services:
  a: {image: i, network_mode: host, networks: [default], ports: ['80:80']}
  b: {image: i, container_name: same, scale: 2}
  c: {image: i, container_name: same, cpus: 1, deploy: {resources: {limits: {cpus: 2}}}}
";
    insta::assert_snapshot!(Case::new(stack).findings(), @r#"
    error[conflict]: service `a` has both `network_mode` and `networks`
     --> compose.yaml:2:17
      |
    2 |   a: {image: i, network_mode: host, networks: [default], ports: ['80:80']}
      |                 ^^^^^^^^^^^^ this   -------- excludes this

    error[conflict]: service `b` has a fixed `container_name` and 2 replicas; a name can be used once
     --> compose.yaml:3:17
      |
    3 |   b: {image: i, container_name: same, scale: 2}
      |                 ^^^^^^^^^^^^^^

    error[conflict]: `cpus` and `deploy.resources.limits.cpus` of service `c` differ
     --> compose.yaml:4:39
      |
    4 |   c: {image: i, container_name: same, cpus: 1, deploy: {resources: {limits: {cpus: 2}}}}
      |                                       ^^^^     ------ and this
      |                                       |
      |                                       this

    error[duplicate]: two services have the container name "same"
     --> compose.yaml:4:33
      |
    3 |   b: {image: i, container_name: same, scale: 2}
      |                                 ---- and here
    4 |   c: {image: i, container_name: same, cpus: 1, deploy: {resources: {limits: {cpus: 2}}}}
      |                                 ^^^^ here

    warning[suspicious]: service `a` publishes ports and uses the host's network: they have no effect
     --> compose.yaml:2:58
      |
    2 |   a: {image: i, network_mode: host, networks: [default], ports: ['80:80']}
      |                                                          ^^^^^
    "#);
}

#[test]
fn clashes_on_the_host_are_warned_of() {
    let stack = "services:
  a: {image: i, ports: ['8080:80']}
  b: {image: i, ports: ['127.0.0.1:8080:80'], scale: 2}
  c: {image: i, ports: ['8080:80/udp'], volumes: ['./no.conf:/etc/no.conf']}
";
    insta::assert_snapshot!(Case::new(stack).findings(), @r#"
    warning[suspicious]: only one of the 2 replicas of `b` can publish port 8080
     --> compose.yaml:3:17
      |
    3 |   b: {image: i, ports: ['127.0.0.1:8080:80'], scale: 2}
      |                 ^^^^^
      |
      = help: publish a range ("8080-8090:80"), or only the target ("80")

    warning[duplicate]: services `a` and `b` both publish port 8080/tcp; they cannot run together
     --> compose.yaml:3:17
      |
    2 |   a: {image: i, ports: ['8080:80']}
      |                 ----- `a`
    3 |   b: {image: i, ports: ['127.0.0.1:8080:80'], scale: 2}
      |                 ^^^^^ `b`

    warning[suspicious]: service `c` mounts /p/no.conf, which does not exist
     --> compose.yaml:4:41
      |
    4 |   c: {image: i, ports: ['8080:80/udp'], volumes: ['./no.conf:/etc/no.conf']}
      |                                         ^^^^^^^
      |
      = help: the engine will make an empty folder there
    "#);
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
    deploy: {resources: {limits: {cpus: '${C:-0.5}'}}}
    configs: [{source: c, mode: 0440}]
    command: echo $$HOME
configs: {c: {content: '${NOTHING-}'}}
";
    insta::assert_snapshot!(Case::new(stack).part("/services/a"), @r#"{"command":["echo","$$HOME"],"configs":[{"source":"c","mode":"0440"}],"deploy":{"placement":{},"resources":{"limits":{"cpus":0.5}}},"entrypoint":null,"healthcheck":{"test":["CMD-SHELL","x"],"interval":"1s","retries":3},"image":"i:latest","mem_limit":"67108864","networks":{"default":null},"ports":[{"target":80,"published":"8080","protocol":"tcp","mode":"ingress"}],"read_only":true,"scale":2,"user":"1000"}"#);
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
fn implied_things_are_written_out() {
    let stack = "name: p
services:
  a: {image: i, links: ['b:x'], volumes_from: ['c:ro'], volumes: ['v:/v', ./rel:/r, ~/home:/h, /anon]}
  b: {build: .}
  c: {image: i, networks: {n: {priority: 1}, m: {priority: 5}}}
networks: {n: , m: {name: mine, ipam: {config: [{subnet: 10.9.0.0/16}]}}, unused: }
volumes: {v: , unused: }
";
    insta::assert_snapshot!(Case::new(stack).yaml(), @r#"
    name: p
    services:
      a:
        command: null
        depends_on:
          b:
            condition: service_started
            restart: true
            required: true
          c:
            condition: service_started
            required: true
        entrypoint: null
        image: i
        links:
          - b:x
        networks:
          default: null
        volumes:
          - type: volume
            target: v:/v
            volume: {}
          - type: bind
            source: /p/rel
            target: /r
            bind:
              create_host_path: true
          - type: bind
            source: /home/u/home
            target: /h
            bind:
              create_host_path: true
          - type: volume
            target: /anon
            volume: {}
        volumes_from:
          - c:ro
      b:
        build:
          context: /p
          dockerfile: Dockerfile
        command: null
        entrypoint: null
        networks:
          default: null
      c:
        command: null
        entrypoint: null
        image: i
        networks:
          m:
            priority: 5
          'n':
            priority: 1
    networks:
      'n':
        name: p_n
        ipam: {}
      m:
        name: mine
        ipam:
          config:
            - subnet: 10.9.0.0/16
      default:
        name: p_default
        ipam: {}
    "#);
}

#[test]
fn x_platform_of_a_service() {
    let stack = "services:
  a:
    image: i
    x-platform:
      probe: {http: ':8000/health', timeout: 1s, deadline: 1m}
      optional: true
      reload: {check: nginx -t, signal: HUP}
      restart_unhealthy: true
  b: {image: i, x-platform: {probe: {tcp: 5432}}}
  c: {image: i, x-platform: {probe: {exec: [pg_isready]}}}
  d: {image: i, x-platform: {probe: {log: 'ready in \\d+ms'}, reload: {http: {port: 9090, path: -/reload}}}}
  e: {image: i, x-platform: {probe: {http: 8080}, reload: {exec: reload now}}}
";
    for name in ["a", "b", "c", "d", "e"] {
        let part = Case::new(stack).part(&format!("/services/{name}/x-platform"));
        assert!(part.starts_with('{'), "{part}");
    }
    insta::assert_snapshot!(Case::new(stack).part("/services/a/x-platform"), @r#"{"probe":{"http":"http://:8000/health","timeout":"1s","deadline":"1m0s"},"optional":true,"reload":{"check":["nginx","-t"],"signal":"HUP"},"restart_unhealthy":true}"#);
    insta::assert_snapshot!(Case::new(stack).part("/services/d/x-platform"), @r#"{"probe":{"log":"ready in \\d+ms"},"reload":{"http":"http://:9090/-/reload"}}"#);
    insta::assert_snapshot!(
        service("x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}"),
        @r#"
    error[unknown-attribute]: `x-platform` of a service has no attribute `prob`
     --> compose.yaml:4:18
      |
    4 |     x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}
      |                  ^^^^
      |
      = help: did you mean `probe`?

    error[wrong-type]: `http` must be http://:port/path (only plain HTTP is spoken), found the string "https://x"
     --> compose.yaml:4:42
      |
    4 |     x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}
      |                                          ^^^^^^^^^^^

    error[wrong-value]: `tcp` must be between 1 and 65535, found 99999
     --> compose.yaml:4:60
      |
    4 |     x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}
      |                                                            ^^^^^

    error[conflict]: a probe has exactly one of http, tcp, exec and log
     --> compose.yaml:4:35
      |
    4 |     x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}
      |                                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[conflict]: `reload` has one of signal, http and exec
     --> compose.yaml:4:76
      |
    4 |     x-platform: {prob: {}, probe: {http: 'https://x', tcp: 99999}, reload: {check: x, signal: A, http: ':1'}}
      |                                                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#
    );
    insta::assert_snapshot!(service("x-platform: {probe: {log: '(', timeout: soon}}"), @r#"
    error[wrong-value]: `log` is no regular expression: unclosed group
     --> compose.yaml:4:31
      |
    4 |     x-platform: {probe: {log: '(', timeout: soon}}
      |                               ^^^

    error[wrong-type]: `timeout` must be a duration such as 1m30s, 10s or 250ms, found the string "soon"
     --> compose.yaml:4:45
      |
    4 |     x-platform: {probe: {log: '(', timeout: soon}}
      |                                             ^^^^
    "#);
}

#[test]
fn smoke_tests() {
    let stack = "services: {web: {image: i, ports: ['80:80']}, prom: {image: i}}
x-platform:
  base_images: {'debian:trixie-slim': ../images/debian}
  links: [{name: web, url: 'http://localhost/'}, {name: docs, url: 'http://d/', service: prom}]
  smoke:
    - name: page
      http: {service: web, port: 80, path: status, headers: {X-A: b}, method: post, body: {a: [1, true]}}
      expect: {status: [200, 204], headers: {content-type: ^text/}, body: ok, matches: 'v\\d', json: {$.a: 1, $.b: x}, within: 500ms}
      retry: {attempts: 3, interval: 100ms}
      timeout: 2s
      needs: web
    - {name: url, http: 'http://localhost:80/'}
    - {name: port, tcp: {service: web, port: 80}}
    - {name: run, exec: {service: web, command: nginx -t}, expect: {exit: 1, stdout: ok}}
    - {name: up, promql: {service: prom, port: 9090, query: up}, expect: {op: '>=', value: 1, series: 2, all: false}}
    - {name: any, promql: {url: 'http://localhost:9090', query: up}}
    - {name: panels, dashboards: {folder: ../grafana, service: prom}}
";
    insta::assert_snapshot!(Case::new(stack).part("/x-platform"), @r#"{"base_images":{"debian:trixie-slim":"/images/debian"},"links":[{"name":"web","url":"http://localhost/","service":"web"},{"name":"docs","url":"http://d/","service":"prom"}],"smoke":[{"name":"page","http":{"method":"POST","service":"web","port":80,"path":"/status","headers":{"X-A":"b"},"body":"{\"a\":[1,true]}"},"expect":{"status":[200,204],"headers":{"content-type":"^text/"},"body":"ok","matches":"v\\d","json":{"$.a":1,"$.b":"x"},"within":"500ms"},"retry":{"attempts":3,"interval":"100ms"},"timeout":"2s","needs":["web"]},{"name":"url","http":{"method":"GET","url":"http://localhost:80/","path":"/"}},{"name":"port","tcp":{"service":"web","port":80}},{"name":"run","exec":{"service":"web","command":["nginx","-t"]},"expect":{"exit":1,"stdout":"ok"}},{"name":"up","promql":{"service":"prom","port":9090,"query":"up"},"expect":{"op":">=","value":1.0,"all":false,"series":2}},{"name":"any","promql":{"url":"http://localhost:9090","query":"up"},"expect":{"op":"!=","value":0.0,"all":true,"series":1}},{"name":"panels","dashboards":{"service":"prom","folder":"/grafana"}}]}"#);
    let wrong = "services: {web: {image: i}}
x-platform:
  smok: []
  smoke:
    - {name: a, http: {service: wbe, url: 'http://x'}}
    - {name: b, tcp: {service: wbe}, expect: {}}
    - {name: b, http: {path: /}, tcp: {url: x}}
    - {http: {service: web}, expect: {status: 99, code: 1}}
    - {name: c, promql: {service: web}, expect: {op: '~', value: 1}}
";
    insta::assert_snapshot!(Case::new(wrong).findings(), @r#"
    error[unknown-attribute]: `x-platform` has no attribute `smok`
     --> compose.yaml:3:3
      |
    3 |   smok: []
      |   ^^^^
      |
      = help: did you mean `smoke`?

    error[conflict]: an http test has a `url` or a `service`, not both
     --> compose.yaml:5:23
      |
    5 |     - {name: a, http: {service: wbe, url: 'http://x'}}
      |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[conflict]: a test of kind `tcp` expects nothing more than an answer
     --> compose.yaml:6:46
      |
    6 |     - {name: b, tcp: {service: wbe}, expect: {}}
      |                                              ^^

    error[missing-attribute]: an http test needs a `url` or a `service`
     --> compose.yaml:7:23
      |
    7 |     - {name: b, http: {path: /}, tcp: {url: x}}
      |                       ^^^^^^^^^

    error[conflict]: a smoke test does exactly one of http, tcp, exec, promql, dashboards
     --> compose.yaml:7:7
      |
    7 |     - {name: b, http: {path: /}, tcp: {url: x}}
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[wrong-value]: `status` must be between 100 and 599, found 99
     --> compose.yaml:8:47
      |
    8 |     - {http: {service: web}, expect: {status: 99, code: 1}}
      |                                               ^^

    error[unknown-attribute]: `expect` of an http test has no attribute `code`
     --> compose.yaml:8:51
      |
    8 |     - {http: {service: web}, expect: {status: 99, code: 1}}
      |                                                   ^^^^

    error[missing-attribute]: a smoke test needs `name`
     --> compose.yaml:8:7
      |
    8 |     - {http: {service: web}, expect: {status: 99, code: 1}}
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[missing-attribute]: a promql test needs `query`
     --> compose.yaml:9:25
      |
    9 |     - {name: c, promql: {service: web}, expect: {op: '~', value: 1}}
      |                         ^^^^^^^^^^^^^^

    error[wrong-value]: `op` must be one of == != < <= > >=, found "~"
     --> compose.yaml:9:54
      |
    9 |     - {name: c, promql: {service: web}, expect: {op: '~', value: 1}}
      |                                                      ^^^

    error[undefined-reference]: the smoke test "b" refers to the undefined service `wbe`
     --> compose.yaml:2:1
      |
    2 | x-platform:
      | ^^^^^^^^^^
      |
      = help: did you mean `web`?
    "#);
}
