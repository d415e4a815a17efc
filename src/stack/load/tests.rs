use crate::stack::testing::Case;

/// What `/services/<name>/<attribute>` is.
fn of(case: &Case, path: &str) -> String {
    case.part(&format!("/services/{path}"))
}

#[test]
fn default_names_are_found_here_and_above_with_their_override() {
    let mut case = Case::empty()
        .file("compose.yml", "services: {a: {image: second}}")
        .file("compose.yaml", "services: {a: {image: first}}")
        .file("docker-compose.override.yml", "services: {a: {command: over}}");
    assert_eq!(of(&case, "a/image"), "\"first\"");
    assert_eq!(of(&case, "a/command"), "[\"over\"]");
    assert_eq!(case.load().warnings().count(), 1);
    case.request.working_dir = "/p/deep/er".into();
    assert_eq!(of(&case, "a/image"), "\"first\"");
    let project = case.load().project.unwrap();
    assert_eq!(project.working_dir.to_str(), Some("/p"));
    assert_eq!(project.name.as_str(), "p");
}

#[test]
fn stacks_are_found_by_name_or_when_there_is_one() {
    let mut case = Case::empty().file(
        "stacks/one.yaml",
        "services: {a: {image: one, volumes: [./x:/x]}}",
    );
    assert_eq!(of(&case, "a/image"), "\"one\"");
    assert_eq!(of(&case, "a/volumes/0/source"), "\"/p/stacks/x\"");
    case = case.file("stacks/two.yml", "services: {a: {image: two}}");
    insta::assert_snapshot!(case.findings(), @r#"
    error[no-stack-file]: /p/stacks holds several stacks: one, two
     |
     = help: choose one: --stack one
    "#);
    case.request.stack = Some("two".into());
    assert_eq!(of(&case, "a/image"), "\"two\"");
    case.request.stack = Some("tow".into());
    insta::assert_snapshot!(case.findings(), @r#"
    error[no-stack-file]: no stack `tow` in /p/stacks
     |
     = help: did you mean `two`?
     = help: there is: one, two
    "#);
}

#[test]
fn nothing_found_says_what_was_looked_for() {
    let case = Case::empty();
    assert!(case.load().is_not_found());
    insta::assert_snapshot!(case.findings(), @r#"
    error[no-stack-file]: no stack file in /p or above
     |
     = help: looked for compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml, then for one stack in stacks/*.yaml
     = help: name one with -f, or write the reference platform here: platform init
    "#);
    let case = Case::new("services: {}").arg("compsoe.yaml");
    assert!(case.load().is_not_found());
    insta::assert_snapshot!(case.findings(), @r#"
    error[no-stack-file]: no stack file /p/compsoe.yaml
     |
     = help: did you mean `compose.yaml`?
    "#);
}

#[test]
fn standard_input_is_a_file() {
    let case = Case::empty()
        .file("-", "services: {a: {image: in, build: ./x}}")
        .arg("-");
    assert_eq!(of(&case, "a/build/context"), "\"/p/x\"");
    let case = Case::empty().file("-", "services: {a: {imag: in}}").arg("-");
    insta::assert_snapshot!(case.findings(), @r#"
    error[unknown-attribute]: service `a` has no attribute `imag`
     --> <stdin>:1:16
      |
    1 | services: {a: {imag: in}}
      |                ^^^^
      |
      = help: did you mean `image`?
    "#);
}

#[test]
fn compose_file_may_come_from_env_files_and_the_environment() {
    let case = Case::empty()
        .file("q/x.yaml", "services: {a: {image: \"${V}-${W}\"}}")
        .file("q/y.yaml", "services: {a: {command: c}}")
        .file(
            ".env",
            "COMPOSE_FILE=q/x.yaml:q/y.yaml\nV=here\nCOMPOSE_PROJECT_NAME=named\n",
        )
        .file("q/.env", "V=there\nW=there\n");
    assert_eq!(of(&case, "a/image"), "\"here-there\"");
    assert_eq!(of(&case, "a/command"), "[\"c\"]");
    assert_eq!(case.part("/name"), "\"named\"");
    let case = case.env("COMPOSE_FILE", "q/x.yaml").env("V", "shell");
    assert_eq!(of(&case, "a/image"), "\"shell-there\"");
    assert_eq!(of(&case, "a/command"), "null");
    let case = case
        .env("COMPOSE_FILE", "q/x.yaml,q/y.yaml")
        .env("COMPOSE_PATH_SEPARATOR", ",");
    assert_eq!(of(&case, "a/command"), "[\"c\"]");
}

#[test]
fn env_files_are_read_in_order_and_the_shell_wins() {
    let stack = "services: {a: {image: \"${V}${W}\"}}";
    let case = Case::new(stack)
        .file("a.env", "V=1\nW=2\n")
        .file("b.env", "W=${V}3\n");
    let with = |case: Case, files: &[&str]| {
        let mut case = case;
        case.request.env_files = files.iter().map(Into::into).collect();
        of(&case, "a/image")
    };
    assert_eq!(with(case, &["a.env", "b.env"]), "\"113\"");
    let case = Case::new(stack).file("a.env", "V=1\nW=${V}\n").env("V", "shell");
    assert_eq!(with(case, &["a.env"]), "\"shellshell\"");
    let case = Case::new(stack)
        .file(".env", "V=1\nW=2")
        .env("COMPOSE_DISABLE_ENV_FILE", "true");
    insta::assert_snapshot!(case.findings(), @r#"
    error[wrong-value]: the image of service `a` is empty
     --> compose.yaml:1:23
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                       ^^^^^^^^^^

    warning[unset-variable]: the variable `V` is not set and taken as empty
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                          ^
      |
      = help: give it a default: ${V:-value}, or write $$V for the text itself

    warning[unset-variable]: the variable `W` is not set and taken as empty
     --> compose.yaml:1:30
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                              ^
      |
      = help: give it a default: ${W:-value}, or write $$W for the text itself
    "#);
    let case = Case::new(stack)
        .file("q.env", "V=q\nW=\n")
        .env("COMPOSE_ENV_FILES", "q.env");
    assert_eq!(of(&case, "a/image"), "\"q\"");
    let mut case = Case::new(stack);
    case.request.env_files = vec!["no.env".into()];
    insta::assert_snapshot!(case.findings(), @r#"
    error[cannot-read]: no environment file /p/no.env

    warning[unset-variable]: the variable `V` is not set and taken as empty
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                          ^
      |
      = help: give it a default: ${V:-value}, or write $$V for the text itself

    warning[unset-variable]: the variable `W` is not set and taken as empty
     --> compose.yaml:1:30
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                              ^
      |
      = help: give it a default: ${W:-value}, or write $$W for the text itself
    "#);
    let case = Case::new(stack).file(".env", "V=1\nW W=2\n");
    insta::assert_snapshot!(case.findings(), @r#"
    error[env-file]: the name of a variable cannot contain a space: "W W"
     --> .env:2:1
      |
    2 | W W=2
      | ^

    warning[unset-variable]: the variable `V` is not set and taken as empty
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                          ^
      |
      = help: give it a default: ${V:-value}, or write $$V for the text itself

    warning[unset-variable]: the variable `W` is not set and taken as empty
     --> compose.yaml:1:30
      |
    1 | services: {a: {image: "${V}${W}"}}
      |                              ^
      |
      = help: give it a default: ${W:-value}, or write $$W for the text itself
    "#);
}

#[test]
fn names_come_from_argument_environment_file_and_folder() {
    let mut case = Case::new("name: My App\nservices: {a: {image: \"${COMPOSE_PROJECT_NAME}\"}}");
    assert_eq!(of(&case, "a/image"), "\"myapp\"");
    case = case.env("COMPOSE_PROJECT_NAME", "fromenv");
    assert_eq!(case.part("/name"), "\"fromenv\"");
    case.request.project_name = Some("arg".into());
    assert_eq!(case.part("/name"), "\"arg\"");
    assert_eq!(case.part("/networks/default/name"), "\"arg_default\"");
    case.request.project_name = Some("No Name".into());
    insta::assert_snapshot!(case.findings(), @r#"
    error[project-name]: -p gives no project name: "No Name"
     |
     = help: a name has lower-case letters, digits, `-` and `_`, and begins with a letter or a digit
    "#);
    let mut case = Case::empty().file("-", "services: {a: {image: i}}").arg("-");
    case.request.working_dir = "/".into();
    insta::assert_snapshot!(case.findings(), @r#"
    error[project-name]: the project's folder gives no project name: ""
     |
     = help: a name has lower-case letters, digits, `-` and `_`, and begins with a letter or a digit
     = help: give one with -p or `name: …`
    "#);
}

#[test]
fn files_are_merged_attribute_by_attribute() {
    let case = Case::new(
        "services:
  a:
    image: i
    ports: ['80:80']
    environment: {A: 1, B: 2}
    dns: 1.1.1.1
    volumes: ['./a:/x']
    command: [one]
    labels: [l=1]
    networks: [n]
    depends_on: [b]
    build: .
    logging: {driver: one, options: {x: 1}}
    extra_hosts: ['h:1.1.1.1']
    ulimits: {nofile: {soft: 1, hard: 2}}
  b: {image: i}
networks: {n: , m: }
",
    )
    .file(
        "compose.override.yaml",
        "services:
  a:
    ports: ['80:80', '81:81']
    environment: [B=3]
    dns: [2.2.2.2]
    volumes: ['./b:/x', './c:/y']
    command: two
    labels: {m: 2}
    networks: {m: {aliases: [q]}}
    depends_on: {b: {condition: service_healthy}}
    build: {target: t}
    logging: {driver: two}
    extra_hosts: {h: 2.2.2.2}
    ulimits: {nofile: 5}
",
    );
    insta::assert_snapshot!(case.part("/services/a"), @r#"{"build":{"context":"/p","dockerfile":"Dockerfile","target":"t"},"command":["two"],"depends_on":{"b":{"condition":"service_healthy","required":true}},"dns":["1.1.1.1","2.2.2.2"],"entrypoint":null,"environment":{"A":"1","B":"3"},"extra_hosts":["h=1.1.1.1","h=2.2.2.2"],"image":"i","labels":{"l":"1","m":"2"},"logging":{"driver":"two"},"networks":{"n":null,"m":{"aliases":["q"]}},"ports":[{"target":80,"published":"80","protocol":"tcp","mode":"ingress"},{"target":81,"published":"81","protocol":"tcp","mode":"ingress"}],"ulimits":{"nofile":5},"volumes":[{"type":"bind","source":"/p/b","target":"/x","bind":{"create_host_path":true}},{"type":"bind","source":"/p/c","target":"/y","bind":{"create_host_path":true}}]}"#);
}

#[test]
fn reset_takes_away_and_override_replaces() {
    let case = Case::new(
        "services:
  a: {image: i, ports: ['80:80'], environment: {A: 1, B: 2}, command: [x], depends_on: [b], volumes: [./a:/a]}
  b: {image: i}
",
    )
    .file(
        "compose.override.yaml",
        "services:
  a:
    ports: !override ['81:81']
    environment: {A: !reset null}
    command: !reset []
    depends_on: !reset
    volumes: [!reset ./b:/b]
  b: !reset
",
    );
    insta::assert_snapshot!(case.part("/services"), @r#"{"a":{"command":null,"entrypoint":null,"environment":{"B":"2"},"image":"i","networks":{"default":null},"ports":[{"target":81,"published":"81","protocol":"tcp","mode":"ingress"}],"volumes":[{"type":"bind","source":"/p/a","target":"/a","bind":{"create_host_path":true}}]}}"#);
}

#[test]
fn what_cannot_be_merged_shows_both_places() {
    let case = Case::new("services: {a: {image: i, ports: ['80:80']}}")
        .file("compose.override.yaml", "services: {a: {ports: x}}");
    insta::assert_snapshot!(case.findings(), @r#"
    error[wrong-type]: `services.a.ports` cannot be overridden: a list there, the string "x" here
     --> compose.override.yaml:1:23
      |
    1 | services: {a: {ports: x}}
      |                       ^ here
      |
     ::: compose.yaml:1:33
      |
    1 | services: {a: {image: i, ports: ['80:80']}}
      |                                 --------- there
    "#);
}

#[test]
fn extends_inherits_from_this_file_and_others() {
    let case = Case::new(
        "services:
  base: {image: i, labels: {x: base, y: base}, ports: ['1:1'], command: base}
  mid: {extends: base, labels: [x=mid]}
  top: {extends: {service: mid}, ports: !override ['2:2'], command: !reset null}
  far: {extends: {file: sub/o.yaml, service: other}, environment: {B: here}}
networks: {n: }
",
    )
    .file(
        "sub/o.yaml",
        "services:
  other: {extends: {file: deep/d.yaml, service: d}, build: ., volumes: [./v:/v], networks: [n], environment: {A: 1, B: there}}
",
    )
    .file("sub/deep/d.yaml", "services: {d: {image: d, env_file: d.env, volumes: [./w:/w]}}")
    .file("sub/deep/d.env", "D=file\n");
    insta::assert_snapshot!(case.part("/services/top"), @r#"{"command":null,"entrypoint":null,"image":"i","labels":{"x":"mid","y":"base"},"networks":{"default":null},"ports":[{"target":2,"published":"2","protocol":"tcp","mode":"ingress"}]}"#);
    insta::assert_snapshot!(case.part("/services/far"), @r#"{"build":{"context":"/p/sub","dockerfile":"Dockerfile"},"command":null,"entrypoint":null,"environment":{"D":"file","A":"1","B":"here"},"image":"d","networks":{"n":null},"volumes":[{"type":"bind","source":"/p/sub/deep/w","target":"/w","bind":{"create_host_path":true}},{"type":"bind","source":"/p/sub/v","target":"/v","bind":{"create_host_path":true}}]}"#);
}

#[test]
fn extends_that_fails_says_why_once() {
    let cycle = "services:
  a: {image: i, extends: b}
  b: {extends: c}
  c: {extends: a}
";
    insta::assert_snapshot!(Case::new(cycle).findings(), @r#"
    error[cycle]: services extend each other in a circle: a → b → c → a
     --> compose.yaml:2:26
      |
    2 |   a: {image: i, extends: b}
      |                          ^ `a` extends this
    3 |   b: {extends: c}
      |                - `b` extends this
    4 |   c: {extends: a}
      |                - `c` extends this
    "#);
    let missing =
        "services: {base: {image: i}, a: {extends: bsae}, b: {extends: {file: no.yaml, service: x}}}";
    insta::assert_snapshot!(Case::new(missing).findings(), @r#"
    error[undefined-reference]: there is no service `bsae` to extend
     --> compose.yaml:1:43
      |
    1 | services: {base: {image: i}, a: {extends: bsae}, b: {extends: {file: no.yaml, service: x}}}
      |                                           ^^^^
      |
      = help: did you mean `base`?

    error[cannot-read]: no file /p/no.yaml to extend from
     --> compose.yaml:1:70
      |
    1 | services: {base: {image: i}, a: {extends: bsae}, b: {extends: {file: no.yaml, service: x}}}
      |                                                                      ^^^^^^^
    "#);
}

#[test]
fn include_brings_in_a_stack_with_its_own_folder_and_variables() {
    let case = Case::new("include: [sub/c.yaml]\nservices: {t: {image: \"t${V:-unset}${W}\", depends_on: [s]}}")
        .file(".env", "W=top\n")
        .file("sub/.env", "V=sub\nW=sub\n")
        .file(
            "sub/c.yaml",
            "services: {s: {image: \"s${V}${W}\", environment: [V], volumes: ['./d:/d', 'vol:/v']}}\nvolumes: {vol: }",
        );
    assert_eq!(of(&case, "t/image"), "\"tunsettop\"");
    assert_eq!(of(&case, "s/image"), "\"ssubtop\"");
    assert_eq!(of(&case, "s/environment"), "{\"V\":\"sub\"}");
    assert_eq!(of(&case, "s/volumes/0/source"), "\"/p/sub/d\"");
    assert_eq!(case.part("/volumes"), "{\"vol\":{\"name\":\"p_vol\"}}");
}

#[test]
fn include_in_long_form_merges_its_files() {
    let case = Case::new("include: [{path: [sub/c.yaml, o.yaml], project_directory: ., env_file: e.env}]")
        .file("sub/c.yaml", "services: {s: {image: s, build: x}}")
        .file("o.yaml", "services: {s: {image: \"o${Z}\"}}")
        .file("e.env", "Z=9");
    assert_eq!(of(&case, "s/image"), "\"o9\"");
    assert_eq!(of(&case, "s/build/context"), "\"/p/x\"");
}

#[test]
fn include_refuses_two_meanings_of_one_name_and_circles() {
    let case = Case::new("include: [sub/c.yaml]\nservices: {s: {image: here}}")
        .file("sub/c.yaml", "services: {s: {image: there}}");
    insta::assert_snapshot!(case.findings(), @r#"
    error[conflict]: the service `s` is defined here and in an included stack
     --> compose.yaml:2:12
      |
    1 | include: [sub/c.yaml]
      |           ---------- included here
    2 | services: {s: {image: here}}
      |            ^ here
      |
     ::: sub/c.yaml:1:12
      |
    1 | services: {s: {image: there}}
      |            - in the included stack
      |
      = help: change the included one in a file of its own: include: [{path: [stack.yaml, override.yaml]}]
    "#);
    let same = Case::new("include: [sub/c.yaml, d.yaml]\nservices: {s: {image: one}}")
        .file("sub/c.yaml", "services: {s: {image: one}}")
        .file("d.yaml", "include: [sub/c.yaml]");
    assert_eq!(of(&same, "s/image"), "\"one\"");
    let circle =
        Case::new("include: [x.yaml]\nservices: {a: {image: a}}").file("x.yaml", "include: [compose.yaml]");
    insta::assert_snapshot!(circle.findings(), @r#"
    error[cycle]: stacks include each other in a circle: /p/compose.yaml → /p/x.yaml → /p/compose.yaml
     --> x.yaml:1:11
      |
    1 | include: [compose.yaml]
      |           ^^^^^^^^^^^^
    "#);
}

#[test]
fn profiles_choose_services() {
    let stack = "services:
  a: {image: a}
  p: {image: p, profiles: [p]}
  q: {image: q, profiles: [q, r], depends_on: [p]}
";
    let names = |case: &Case| {
        let loaded = case.load();
        let project = loaded.project.expect("a project");
        project
            .services
            .keys()
            .map(|n| n.as_str().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(&Case::new(stack)), "a");
    assert_eq!(names(&Case::new(stack).profile("p")), "a p");
    assert_eq!(names(&Case::new(stack).profile("*")), "a p q");
    assert_eq!(names(&Case::new(stack).env("COMPOSE_PROFILES", "p,r")), "a p q");
    let mut asked = Case::new(stack);
    asked.request.services = vec!["p".into()];
    assert_eq!(names(&asked), "a p");
    insta::assert_snapshot!(Case::new(stack).profile("q").findings(), @r#"
    error[undefined-reference]: service `q` depends on `p`, whose profile is not active
     --> compose.yaml:4:48
      |
    4 |   q: {image: q, profiles: [q, r], depends_on: [p]}
      |                                                ^
      |
      = help: activate the profile with --profile, or write `required: false`
    "#);
}

#[test]
fn environment_files_of_services() {
    let case = Case::new(
        "services:
  a:
    image: x
    env_file: [a.env, {path: b.env, format: raw}, {path: no.env, required: false}]
    environment: {C: own, E: '${A:-no}', F: }
    label_file: l
    labels: {y: own}
",
    )
    .file("a.env", "A=1\nB=$A-$C\nC=file\nE=f\n")
    .file("b.env", "D=$A \"x\"\n")
    .file("l", "x=1\ny=2\n");
    insta::assert_snapshot!(of(&case, "a/environment"), @r#"{"A":"1","B":"1-own","C":"own","E":"no","D":"$$A \"x\"","F":null}"#);
    insta::assert_snapshot!(of(&case, "a/labels"), @r#"{"x":"1","y":"own"}"#);
    let case =
        Case::new("services: {a: {image: x, env_file: [no.env, bad.env]}}").file("bad.env", "ok=1\nA%=1\n");
    insta::assert_snapshot!(case.findings(), @r#"
    error[cannot-read]: no file /p/no.env
     --> compose.yaml:1:37
      |
    1 | services: {a: {image: x, env_file: [no.env, bad.env]}}
      |                                     ^^^^^^
      |
      = help: where it may be missing: {path: …, required: false}

    error[env-file]: unexpected character '%' in the name of a variable: A%=1
     --> /p/bad.env:2:2
      |
    2 | A%=1
      |  ^
      |
     ::: compose.yaml:1:45
      |
    1 | services: {a: {image: x, env_file: [no.env, bad.env]}}
      |                                             ------- read from here
    "#);
}

#[test]
fn contents_of_configs_and_secrets_have_digests() {
    let case = Case::new(
        "services: {a: {image: x, configs: [c], secrets: [f, e, n]}}
configs: {c: {content: \"hello\"}}
secrets: {f: {file: ./f}, e: {environment: TOKEN}, n: {file: ./missing}}
",
    )
    .file("f", "hello")
    .env("TOKEN", "hunter2");
    let loaded = case.load();
    let project = loaded.project.unwrap();
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(project.configs["c"].digest.as_deref(), Some(digest));
    assert_eq!(project.secrets["f"].digest.as_deref(), Some(digest));
    assert!(project.secrets["e"].digest.is_some());
    assert!(project.secrets["n"].digest.is_none());
    assert!(!format!("{project:?}").contains("hunter2"));
    assert!(!case.yaml().contains("hunter2"));
    insta::assert_snapshot!(case.findings(), @r#"
    warning[suspicious]: no file /p/missing
     --> compose.yaml:3:62
      |
    3 | secrets: {f: {file: ./f}, e: {environment: TOKEN}, n: {file: ./missing}}
      |                                                              ^^^^^^^^^
    "#);
}

#[test]
fn the_reference_stack_has_nothing_to_say() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let request = super::LoadRequest {
        working_dir: root.to_path_buf(),
        stack: Some("devops".into()),
        ..super::LoadRequest::default()
    };
    let loaded = super::load(&request, &super::Disk);
    assert_eq!(loaded.findings, []);
    let project = loaded.project.unwrap();
    let names: Vec<&str> = project.services.keys().map(|n| n.as_str()).collect();
    assert_eq!(names, ["app", "nginx", "prometheus", "alertmanager", "grafana"]);
    assert!(project.services.values().all(|s| s.ext.probe.is_some()));
    assert!(project.ext.smoke.len() > 10);

    // What `config` prints is the same project.
    let printed = Case::new(crate::stack::render::project_yaml(&project))
        .load()
        .project
        .unwrap();
    assert_eq!(printed.services, project.services);
    assert_eq!(printed.ext, project.ext);
    assert_eq!(printed.networks, project.networks);
}

#[test]
fn services_and_smoke_tests_keep_their_places() {
    let case = Case::empty()
        .file(
            "compose.yaml",
            "include: [inner/compose.yaml]\nservices:\n  a: { image: x }\n  b: { image: x }\nx-platform:\n  smoke:\n    \
             - name: first\n      tcp: { service: a, port: 1 }\n    - tcp: { service: a, port: 2 }\n      name: second\n",
        )
        .file(
            "compose.override.yaml",
            "\nservices:\n  b: { command: [x] }\nx-platform: { smoke: [{ name: third, tcp: { service: b, port: 1 } }] }\n",
        )
        .file("inner/compose.yaml", "services: { c: { image: x } }\n");
    let places = case.load().project.unwrap().places;
    let shown = |place: &crate::model::SourcePlace| format!("{}:{}", place.file.display(), place.line);
    let services: Vec<_> = places
        .services
        .iter()
        .map(|(n, p)| format!("{n} {}", shown(p)))
        .collect();
    let smoke: Vec<_> = places
        .smoke
        .iter()
        .map(|(n, p)| format!("{n} {}", shown(p)))
        .collect();
    assert_eq!(
        services,
        [
            "a compose.yaml:3",
            "b compose.override.yaml:3",
            "c inner/compose.yaml:1"
        ]
    );
    assert_eq!(
        smoke,
        [
            "first compose.yaml:7",
            "second compose.yaml:9",
            "third compose.override.yaml:4"
        ]
    );
}
