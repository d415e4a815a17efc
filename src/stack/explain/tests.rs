//! Explanations as text.

use super::to_text;
use crate::stack::load::load_explanation;
use crate::stack::testing::Case;

fn case() -> Case {
    Case::new(
        r#"
include: [inc.yaml]
services:
  web:
    image: "nginx:${TAG:-latest}"
    environment: { A: "1", B: "$$HOME", PASSWORD: "${PASSWORD}" }
  api:
    extends: { file: base.yaml, service: common }
    command: run
"#,
    )
    .file(
        "over.yaml",
        "services: {web: {image: \"nginx:${TAG}-slim\", environment: [A=2]}}",
    )
    .file("base.yaml", "services: {common: {image: base, command: sleep}}")
    .file("inc.yaml", "services: {db: {image: \"db:${DB-9}\"}}")
    .file(".env", "TAG=1\nPASSWORD=p\nTAG=2\n")
    .arg("compose.yaml")
    .arg("over.yaml")
}

fn explained(case: &Case, name: &str) -> String {
    let loaded = load_explanation(&case.request, &case.files, name);
    loaded
        .project
        .map_or("nothing".to_owned(), |explanation| to_text(&explanation))
}

#[test]
fn a_variable_comes_from_the_environment_before_files() {
    insta::assert_snapshot!(explained(&case(), "TAG"), @r"
    TAG = 2
      from  .env:3:1  TAG=2
      over  .env:1:1  TAG=1
      used  compose.yaml:5:19  ${TAG:-latest}
      used  over.yaml:1:32  ${TAG}
    ");
    insta::assert_snapshot!(explained(&case().env("TAG", "3"), "TAG"), @r"
    TAG = 3
      from  the environment
      over  .env:3:1  TAG=2
      over  .env:1:1  TAG=1
      used  compose.yaml:5:19  ${TAG:-latest}
      used  over.yaml:1:32  ${TAG}
    ");
    insta::assert_snapshot!(explained(&case(), "DB"), @r"
    DB is not set
      used  inc.yaml:1:28  ${DB-9}
    ");
    assert_eq!(explained(&case(), "NONE"), "nothing");
}

#[test]
fn a_value_comes_from_the_last_file_that_says_it() {
    insta::assert_snapshot!(explained(&case().env("TAG", "3"), "services.web.image"), @r#"
    services.web.image = nginx:3-slim
      from  over.yaml:1:25  "nginx:${TAG}-slim"
      over  compose.yaml:5:12  "nginx:${TAG:-latest}"
      with  TAG = 3, from the environment
              over .env:3:1  TAG=2
              over .env:1:1  TAG=1
    "#);
    insta::assert_snapshot!(explained(&case(), "services.web.environment"), @r#"
    services.web.environment.A = 2
      from  over.yaml:1:60  A=2
      over  compose.yaml:6:23  "1"
    services.web.environment.B = $HOME
      from  compose.yaml:6:31  "$$HOME"
    services.web.environment.PASSWORD = p
      from  compose.yaml:6:51  "${PASSWORD}"
      with  PASSWORD = p, from .env:2:1  PASSWORD=p
    "#);
    insta::assert_snapshot!(explained(&case(), "services.api.command"), @r"
    services.api.command = run
      from  compose.yaml:9:14  run
      over  base.yaml:1:43  sleep
    ");
    insta::assert_snapshot!(explained(&case(), "services.db.image"), @r#"
    services.db.image = db:9
      from  inc.yaml:1:24  "db:${DB-9}"
      with  DB not set
    "#);
    assert_eq!(explained(&case(), "services.web.ports"), "nothing");
}
