use insta::assert_snapshot;

use super::*;
use crate::view::testing;

#[test]
fn says_all_that_is_known() {
    assert_snapshot!(text(&testing::report(), None, &Style::PLAIN), @r#"
    ✘ db did not get ready within 30s
      needed by    nginx → app → db (app needs it healthy)
      last probe   GET http://172.18.0.3:8000/health/ready → 503 Service Unavailable: {"status":"starting"} (2ms; 41 tries)
      before       the container that ran before runs again
      not started  nginx, prometheus
      defined in   stacks/devops.yaml:12
      log          last 2 lines
        | connecting to \x1b[31mpostgres\x1b[0m
        | still connecting
      hint         its database does not answer: is DATABASE_URL right?
    ✘ worker was killed for memory (exit code 137)
      hint         the kernel killed it for memory: raise its mem_limit (deploy.resources.limits.memory), or let it use less
    ✘ web could not be started
      because      driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated
    ✘ could not create network devops_devops
      because      could not find an available address pool
      hint         remove networks that nothing uses
    "#);
}

#[test]
fn fits_narrow_terminals() {
    assert_snapshot!(text(&testing::report(), Some(60), &Style::ASCII), @r#"
    x db did not get ready within 30s
      needed by    nginx -> app -> db (app needs it healthy)
      last probe   GET http://172.18.0.3:8000/health/ready ->
                   503 Service Unavailable:
                   {"status":"starting"} (2ms; 41 tries)
      before       the container that ran before runs again
      not started  nginx, prometheus
      defined in   stacks/devops.yaml:12
      log          last 2 lines
        | connecting to \x1b[31mpostgres\x1b[0m
        | still connecting
      hint         its database does not answer: is DATABASE_URL
                   right?
    x worker was killed for memory (exit code 137)
      hint         the kernel killed it for memory: raise its
                   mem_limit (deploy.resources.limits.memory),
                   or let it use less
    x web could not be started
      because      driver failed programming external
                   connectivity: Bind for 0.0.0.0:80 failed:
                   port is already allocated
    x could not create network devops_devops
      because      could not find an available address pool
      hint         remove networks that nothing uses
    "#);
    assert_snapshot!(text(&testing::report(), Some(30), &Style::PLAIN), @r#"
    ✘ db did not get ready within 30s
      needed by
        nginx → app → db (app
        needs it healthy)
      last probe
        GET
        http://172.18.0.3:8000/health/ready
        → 503 Service Unavailable:
        {"status":"starting"}
        (2ms; 41 tries)
      before
        the container that ran
        before runs again
      not started
        nginx, prometheus
      defined in
        stacks/devops.yaml:12
      log
        last 2 lines
        | connecting to \x1b[31mpostgres\x1b[0m
        | still connecting
      hint
        its database does not
        answer: is DATABASE_URL
        right?
    ✘ worker was killed for memory (exit code 137)
      hint
        the kernel killed it for
        memory: raise its
        mem_limit
        (deploy.resources.limits.memory),
        or let it use less
    ✘ web could not be started
      because
        driver failed programming
        external connectivity:
        Bind for 0.0.0.0:80
        failed: port is already
        allocated
    ✘ could not create network devops_devops
      because
        could not find an
        available address pool
      hint
        remove networks that
        nothing uses
    "#);
}

#[test]
fn is_the_same_for_programs() {
    assert_snapshot!(serde_json::to_string_pretty(&json(&testing::report())).unwrap(), @r#"
    {
      "v": 1,
      "services": [
        {
          "service": "db",
          "number": 1,
          "cause": "not_ready",
          "deadline_ms": 30000,
          "chain": [
            {
              "service": "nginx",
              "condition": "service_started"
            },
            {
              "service": "app",
              "condition": "service_healthy"
            }
          ],
          "last_probe": {
            "what": "GET http://172.18.0.3:8000/health/ready",
            "passed": false,
            "detail": "503 Service Unavailable: {\"status\":\"starting\"}",
            "took_ms": 2.3
          },
          "probes": 41,
          "logs": [
            "connecting to \u001b[31mpostgres\u001b[0m",
            "still connecting"
          ],
          "blocks": [
            "nginx",
            "prometheus"
          ],
          "previous": "put_back",
          "hint": "its database does not answer: is DATABASE_URL right?",
          "file": "stacks/devops.yaml",
          "line": 12,
          "took_ms": 30000
        },
        {
          "service": "worker",
          "number": 1,
          "cause": "exited",
          "chain": [],
          "exit_code": 137,
          "oom_killed": true,
          "probes": 0,
          "logs": [],
          "blocks": [],
          "hint": "the kernel killed it for memory: raise its mem_limit (deploy.resources.limits.memory), or let it use less",
          "took_ms": 0
        },
        {
          "service": "web",
          "number": 1,
          "cause": "start",
          "text": "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated",
          "chain": [],
          "probes": 0,
          "logs": [],
          "blocks": [],
          "took_ms": 0
        }
      ],
      "operations": [
        {
          "what": "create network devops_devops",
          "error": "could not find an available address pool",
          "hint": "remove networks that nothing uses"
        }
      ]
    }
    "#);
}
