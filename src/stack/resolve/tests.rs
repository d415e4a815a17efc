use crate::stack::testing::Case;

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
      |                                       ^^^^ this                              ---- and this
      |
      = help: write one of them, or the same in both: `deploy.resources.limits.cpus`

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
        depends_on:
          b:
            condition: service_started
            restart: true
            required: true
          c:
            condition: service_started
            required: true
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
        networks:
          default: null
      c:
        image: i
        networks:
          m:
            priority: 5
          'n':
            priority: 1
    networks:
      'n':
        name: p_n
      m:
        name: mine
        ipam:
          config:
            - subnet: 10.9.0.0/16
      default:
        name: p_default
    "#);
}

#[test]
fn attributes_of_a_service_must_go_together() {
    let said = |service: &str| {
        let text = format!("services:\n  a: {service}\n  b: {{image: x}}\n");
        let loaded = Case::new(text).load();
        let lines = loaded.findings.iter().map(|finding| {
            let at = finding
                .labels
                .first()
                .map(|label| loaded.sources.locate(label.span));
            format!("{} {}", at.unwrap_or_default(), finding.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let all = [
        "{image: x, mem_limit: 64m, deploy: {resources: {limits: {memory: 32m}}}}",
        "{image: x, cpus: 1, deploy: {resources: {limits: {memory: 32m}}}}",
        "{image: x, mem_limit: 64m, deploy: {resources: {reservations: {memory: 32m}}}}",
        "{image: x, tmpfs: /a, volumes: [/a/]}",
        "{image: x, tmpfs: [\"/a:size=1m\", /a]}",
        "{image: x, models: [m]}",
        "{build: {context: ., additional_contexts: {c: \"service:b\"}}}",
        "{build: {context: ., additional_contexts: [\"c=service:bb\"]}}",
        "{build: {context: ., platforms: [linux/amd64]}, platform: linux/arm64}",
        "{image: x, security_opt: [a, b, a]}",
        "{image: x, networks: [default, default]}",
        "{image: x, develop: {watch: [{path: x, action: sync}]}}",
        "{image: x, ports: [{target: 80, host_ip: here}]}",
    ]
    .map(said)
    .join("\n");
    insta::assert_snapshot!(all, @r#"
    compose.yaml:2:17 `mem_limit` and `deploy.resources.limits.memory` of service `a` differ
    compose.yaml:2:17 `cpus` of service `a` stands beside a `deploy.resources.limits` without `cpus`

    compose.yaml:2:38 service `a` mounts two things at /a
    compose.yaml:2:39 service `a` mounts two things at /a
    compose.yaml:2:26 service `a` refers to the undefined model `m`
    compose.yaml:2:49 service `a` builds with the image of `b`, which is not built
    compose.yaml:2:49 service `a` builds with the image of the undefined service `bb`
    compose.yaml:2:64 service `a` runs on linux/arm64, and its build makes no image for that
    compose.yaml:2:38 `security_opt` has the string "a" twice
    compose.yaml:2:37 `networks` has the string "default" twice
    compose.yaml:2:35 a watch rule that does `sync` needs `target`
    compose.yaml:2:47 `host_ip` must be an address such as 127.0.0.1 or ::1, found the string "here"
    "#);
}
