//! The stacks that several tests bring up.

/// Five services that wait for each other in every way, with a volume. `@salt@` is in each definition.
pub const FIVE: &str = r#"
x-common: &common
  image: "@image@"
  environment: { SALT: "${SALT:-none}" }
services:
  db:
    <<: *common
    command: [serve, "80"]
    volumes: ["data:/data"]
    healthcheck: { test: [CMD, wget, -qO-, "http://127.0.0.1/"], interval: 1s, timeout: 2s, retries: 30 }
  migrate:
    <<: *common
    command: ["true"]
    depends_on: { db: { condition: service_healthy } }
  api:
    <<: *common
    command: [serve, "80"]
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
    healthcheck: { test: [CMD, wget, -qO-, "http://db/"], interval: 1s, timeout: 2s, retries: 30 }
  web:
    <<: *common
    command: [serve, "80"]
    depends_on: { api: { condition: service_healthy } }
  cache:
    <<: *common
volumes: { data: {} }
"#;

/// What [`FIVE`] looks like when it is up.
pub const FIVE_UP: [&str; 5] = [
    "api: running",
    "cache: running",
    "db: running",
    "migrate: exited",
    "web: running",
];

/// One service that is never ready, though its probe goes on failing for long.
pub const NEVER_READY: &str = r#"
services:
  ok: { image: "@image@" }
  stuck:
    image: "@image@"
    healthcheck: { test: [CMD, "false"], interval: 1s, timeout: 1s, retries: 1000 }
  after:
    image: "@image@"
    depends_on: { stuck: { condition: service_healthy } }
"#;
