use crate::stack::testing::Case;

/// The findings of a stack with one service that has these lines.
fn service(lines: &str) -> String {
    let indented: String = lines.lines().map(|l| format!("    {l}\n")).collect();
    Case::new(format!("services:\n  a:\n    image: i\n{indented}")).findings()
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
