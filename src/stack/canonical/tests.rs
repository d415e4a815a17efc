//! A tree in long forms; `tests/e2e/compose_files.rs` compares with docker compose over a corpus.

use crate::stack::load::Skip;
use crate::stack::testing::Case;

#[test]
fn variables_stay_and_the_rest_is_written_out() {
    let case = Case::new(
        r#"
name: app-${STAGE}
services:
  web:
    image: "nginx:${TAG:-1}"
    build: ./${DIR}
    env_file: ${STAGE}.env
    environment: [STAGE, GONE, "A=${A:?no A}"]
    ports: ["${PORT}:80", "443:443"]
    volumes: ["./data:/data", "${DATA}:/d"]
    deploy: { replicas: $N }
    links: [db]
  db: { image: db, ports: [5432], profiles: [never], network_mode: host }
volumes: { old: { external: { name: theirs } } }
"#,
    );
    insta::assert_snapshot!(case.env("STAGE", "dev").undecoded(), @r"
    name: app-stage
    networks:
      default:
        name: app-stage_default
    services:
      db:
        image: db
        network_mode: host
        ports:
          - mode: ingress
            protocol: tcp
            target: 5432
        profiles:
          - never
      web:
        build:
          context: /p/${DIR}
          dockerfile: Dockerfile
        depends_on:
          db:
            condition: service_started
            required: true
            restart: true
        deploy:
          replicas: $N
        env_file:
          - path: /p/${STAGE}.env
            required: true
        environment:
          - STAGE=dev
          - GONE
          - A=${A:?no A}
        image: nginx:${TAG:-1}
        links:
          - db
        networks:
          default: null
        ports:
          - ${PORT}:80
          - '443:443'
        volumes:
          - bind:
              create_host_path: true
            source: /p/data
            target: /data
            type: bind
          - source: ${DATA}
            target: /d
            type: volume
            volume: {}
    volumes:
      old:
        external: true
        name: theirs
    ");
}

#[test]
fn both_files_pairs_become_a_list_and_the_later_wins() {
    let case = Case::new("services: {a: {image: x, environment: {B: 1, A: $A, C: }}}")
        .file("two.yaml", "services: {a: {environment: [B=$B]}}")
        .arg("compose.yaml")
        .arg("two.yaml")
        .skip(Skip {
            normalization: true,
            ..Skip::default()
        });
    insta::assert_snapshot!(case.undecoded(), @r"
    services:
      a:
        environment:
          - A=$A
          - B=$B
          - C
        image: x
    ");
}

#[test]
fn mistakes_are_found_where_no_variable_can_mend_them() {
    let wrong = |service: &str| Case::new(format!("services: {{a: {{image: x, {service}}}}}")).undecoded();
    insta::assert_snapshot!(wrong("imag: y"), @r"
    error[unknown-attribute]: service `a` has no attribute `imag`
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: x, imag: y}}
      |                          ^^^^
      |
      = help: did you mean `image`?
    ");
    insta::assert_snapshot!(wrong("mem_limit: many"), @r#"
    error[wrong-type]: `mem_limit` must be a size such as 512k, 64m or 1gb, found the string "many"
     --> compose.yaml:1:37
      |
    1 | services: {a: {image: x, mem_limit: many}}
      |                                     ^^^^
    "#);
    assert!(wrong("mem_limit: $MANY").contains("mem_limit: $MANY"));
}
