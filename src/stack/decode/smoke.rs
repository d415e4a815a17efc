//! `x-platform.smoke`.

use std::collections::HashSet;
use std::rc::Rc;

use indexmap::IndexMap;

use super::Decoder;
use super::reader::to_json;
use crate::base::ServiceName;
use crate::model::SmokeTest;
use crate::model::smoke::{Address, Compare, CompareOp, HttpExpect, HttpRequest, SmokeCheck};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::{Mapping, Node, Resolved, Value};

const TEST: &[&str] = &[
    "name",
    "http",
    "tcp",
    "exec",
    "promql",
    "dashboards",
    "expect",
    "retry",
    "timeout",
    "needs",
];
const KINDS: [&str; 5] = ["http", "tcp", "exec", "promql", "dashboards"];
const HTTP: &[&str] = &["url", "service", "port", "path", "method", "headers", "body"];
const HTTP_EXPECT: &[&str] = &["status", "headers", "body", "matches", "json", "within"];
const EXEC: &[&str] = &["service", "command"];
const EXEC_EXPECT: &[&str] = &["exit", "stdout", "matches"];
const PROMQL: &[&str] = &["query", "url", "service", "port"];
const PROMQL_EXPECT: &[&str] = &["op", "value", "all", "series"];
const DASHBOARDS: &[&str] = &["folder", "url", "service", "port"];
const OPERATORS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];

impl Decoder<'_> {
    pub(super) fn smoke(&mut self, node: &Node) -> Vec<SmokeTest> {
        let items = self.list("smoke", node);
        let mut out: Vec<SmokeTest> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        for item in items {
            let Some(test) = self.smoke_test(item) else {
                continue;
            };
            if !names.insert(test.name.clone()) {
                let at = item.get("name").map_or(item.span, |e| e.node.span);
                self.error(
                    Code::Duplicate,
                    format!("two smoke tests are named `{}`", test.name),
                    at,
                );
            }
            out.push(test);
        }
        out
    }

    fn smoke_test(&mut self, node: &Node) -> Option<SmokeTest> {
        let table = self.mapping("smoke", node)?;
        let expect = table.get("expect").map(|e| &e.node);
        let mut name = None;
        let mut checks = Vec::new();
        let (mut attempts, mut interval, mut timeout, mut needs) = (1, None, None, Vec::new());
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "name" => name = self.text("name", value).filter(|n| !n.is_empty()),
                "http" => checks.push(self.http_check(value, expect)),
                "tcp" => {
                    self.no_expect("tcp", expect);
                    checks.push(self.tcp_check(value));
                }
                "exec" => checks.push(self.exec_check(value, expect)),
                "promql" => checks.push(self.promql_check(value, expect)),
                "dashboards" => {
                    self.no_expect("dashboards", expect);
                    checks.push(self.dashboards_check(value));
                }
                "expect" => {}
                "retry" => {
                    let table = self.mapping("retry", value)?;
                    for (key, entry) in table {
                        match &**key {
                            "attempts" => {
                                let count = self.within("attempts", &entry.node, 1, 100_000);
                                attempts = count.and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
                            }
                            "interval" => interval = self.duration("interval", &entry.node),
                            other => self.unknown(other, entry, "`retry`", &["attempts", "interval"], &[]),
                        }
                    }
                }
                "timeout" => timeout = self.duration("timeout", value),
                "needs" => {
                    needs = self
                        .text_or_texts("needs", value)
                        .into_iter()
                        .map(ServiceName::from)
                        .collect();
                }
                other => self.unknown(other, entry, "a smoke test", TEST, &[]),
            }
        }
        if !table.contains_key("name") {
            self.missing("name", "a smoke test", node.span);
        }
        if checks.len() != 1 {
            self.error(
                Code::Conflict,
                format!("a smoke test does exactly one of {}", KINDS.join(", ")),
                node.span,
            );
        }
        Some(SmokeTest {
            name: name?,
            check: checks.into_iter().next()??,
            attempts,
            interval,
            timeout,
            needs,
        })
    }

    fn no_expect(&mut self, kind: &str, expect: Option<&Rc<Node>>) {
        if let Some(node) = expect {
            self.error(
                Code::Conflict,
                format!("a test of kind `{kind}` expects nothing more than an answer"),
                node.span,
            );
        }
    }

    /// `url`, or `service` with an optional `port`.
    fn address(&mut self, what: &str, table: &Mapping, node: &Node) -> Option<Address> {
        let url = table.get("url").and_then(|e| self.text("url", &e.node));
        let service = table.get("service").and_then(|e| self.text("service", &e.node));
        let port = table.get("port").map(|e| self.port("port", &e.node));
        match (url, service) {
            (Some(url), None) => Some(Address::Url { url }),
            (None, Some(service)) => Some(Address::Service {
                service: ServiceName::from(service),
                port: port.flatten(),
            }),
            (Some(_), Some(_)) => {
                self.error(
                    Code::Conflict,
                    format!("{what} has a `url` or a `service`, not both"),
                    node.span,
                );
                None
            }
            (None, None) => {
                if !table.contains_key("url") && !table.contains_key("service") {
                    self.error(
                        Code::Missing,
                        format!("{what} needs a `url` or a `service`"),
                        node.span,
                    );
                }
                None
            }
        }
    }

    fn known_keys(&mut self, what: &str, table: &Mapping, known: &[&str]) {
        for (key, entry) in table {
            if !known.contains(&&**key) {
                self.unknown(key, entry, what, known, &[]);
            }
        }
    }

    fn http_check(&mut self, node: &Node, expect: Option<&Rc<Node>>) -> Option<SmokeCheck> {
        let expect = expect.map_or_else(|| Some(HttpExpect::default()), |e| self.http_expect(e));
        if let Some(Resolved::Text(url)) = node.resolved() {
            return Some(SmokeCheck::Http {
                request: HttpRequest {
                    method: "GET".to_owned(),
                    at: Address::Url { url: url.to_owned() },
                    path: "/".to_owned(),
                    headers: IndexMap::new(),
                    body: None,
                },
                expect: expect?,
            });
        }
        let table = self.mapping("http", node)?;
        self.known_keys("an http test", table, HTTP);
        let at = self.address("an http test", table, node);
        let get = |key: &str| table.get(key).map(|e| Rc::clone(&e.node));
        let (method, path, headers, body) = (get("method"), get("path"), get("headers"), get("body"));
        let path = match path {
            Some(node) => self.text("path", &node)?,
            None => "/".to_owned(),
        };
        let request = HttpRequest {
            method: match method {
                Some(node) => self.text("method", &node)?.to_ascii_uppercase(),
                None => "GET".to_owned(),
            },
            at: at?,
            path: if path.starts_with('/') {
                path
            } else {
                format!("/{path}")
            },
            headers: headers.map_or_else(IndexMap::new, |node| self.texts_by_key("headers", &node)),
            body: body.and_then(|node| self.request_body(&node)),
        };
        Some(SmokeCheck::Http {
            request,
            expect: expect?,
        })
    }

    /// A text as it is; a list or a table as JSON.
    fn request_body(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Scalar(_) => self.scalar("body", node),
            _ => Some(to_json(node).to_string()),
        }
    }

    fn http_expect(&mut self, node: &Node) -> Option<HttpExpect> {
        let table = self.mapping("expect", node)?;
        let mut out = HttpExpect::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "status" => {
                    let items = match value.sequence() {
                        Some(items) => items.iter().map(|i| &**i).collect(),
                        None => vec![&**value],
                    };
                    out.status = items
                        .into_iter()
                        .filter_map(|item| u16::try_from(self.within("status", item, 100, 599)?).ok())
                        .collect();
                }
                "headers" => {
                    let headers = self.mapping("headers", value)?;
                    for (name, header) in headers {
                        if let Some(pattern) = self.pattern("headers", &header.node) {
                            out.headers.insert(name.to_string(), pattern);
                        }
                    }
                }
                "body" => out.body = self.scalar("body", value),
                "matches" => out.matches = self.pattern("matches", value),
                "json" => {
                    let paths = self.mapping("json", value)?;
                    for (path, wanted) in paths {
                        out.json.insert(path.to_string(), to_json(&wanted.node));
                    }
                }
                "within" => out.within = self.duration("within", value),
                other => self.unknown(other, entry, "`expect` of an http test", HTTP_EXPECT, &[]),
            }
        }
        Some(out)
    }

    fn tcp_check(&mut self, node: &Node) -> Option<SmokeCheck> {
        if let Some(Resolved::Text(url)) = node.resolved() {
            return Some(SmokeCheck::Tcp(Address::Url { url: url.to_owned() }));
        }
        let table = self.mapping("tcp", node)?;
        self.known_keys("a tcp test", table, &["url", "service", "port"]);
        self.address("a tcp test", table, node).map(SmokeCheck::Tcp)
    }

    fn exec_check(&mut self, node: &Node, expect: Option<&Rc<Node>>) -> Option<SmokeCheck> {
        let table = self.mapping("exec", node)?;
        self.known_keys("an exec test", table, EXEC);
        for key in EXEC {
            if !table.contains_key(*key) {
                self.missing(key, "an exec test", node.span);
            }
        }
        let service = table.get("service").and_then(|e| self.text("service", &e.node));
        let command = table.get("command").and_then(|e| self.words("command", &e.node));
        let (mut exit, mut stdout, mut matches) = (0, None, None);
        if let Some(node) = expect {
            let table = self.mapping("expect", node)?;
            for (key, entry) in table {
                let value = &entry.node;
                match &**key {
                    "exit" => exit = self.within("exit", value, 0, 255)?,
                    "stdout" => stdout = self.scalar("stdout", value),
                    "matches" => matches = self.pattern("matches", value),
                    other => self.unknown(other, entry, "`expect` of an exec test", EXEC_EXPECT, &[]),
                }
            }
        }
        Some(SmokeCheck::Exec {
            service: ServiceName::from(service?),
            command: command?,
            exit,
            stdout,
            matches,
        })
    }

    /// Without `expect`, there must be a series, and none may be 0.
    fn promql_check(&mut self, node: &Node, expect: Option<&Rc<Node>>) -> Option<SmokeCheck> {
        let table = self.mapping("promql", node)?;
        self.known_keys("a promql test", table, PROMQL);
        if !table.contains_key("query") {
            self.missing("query", "a promql test", node.span);
        }
        let query = table.get("query").and_then(|e| self.text("query", &e.node));
        let at = self.address("a promql test", table, node);
        let mut compare = Compare {
            op: CompareOp::Ne,
            value: 0.0,
            all: true,
        };
        let mut series = 1;
        if let Some(node) = expect {
            let table = self.mapping("expect", node)?;
            if table.contains_key("value") && !table.contains_key("op") {
                compare.op = CompareOp::Eq;
            }
            for (key, entry) in table {
                let value = &entry.node;
                match &**key {
                    "op" => compare.op = self.operator(value)?,
                    "value" => compare.value = self.float("value", value)?,
                    "all" => compare.all = self.boolean("all", value)?,
                    "series" => series = usize::try_from(self.within("series", value, 0, 1_000_000)?).ok()?,
                    other => self.unknown(other, entry, "`expect` of a promql test", PROMQL_EXPECT, &[]),
                }
            }
            if table.contains_key("op") && !table.contains_key("value") {
                self.missing("value", "`expect` with an `op`", node.span);
            }
        }
        Some(SmokeCheck::Promql {
            at: at?,
            query: query?,
            compare,
            series,
        })
    }

    fn operator(&mut self, node: &Node) -> Option<CompareOp> {
        let text = self.text("op", node)?;
        Some(match text.as_str() {
            "==" | "=" => CompareOp::Eq,
            "!=" => CompareOp::Ne,
            "<" => CompareOp::Lt,
            "<=" => CompareOp::Le,
            ">" => CompareOp::Gt,
            ">=" => CompareOp::Ge,
            _ => {
                self.findings.push(
                    Finding::error(
                        Code::Value,
                        format!("`op` must be one of {}, found {text:?}", OPERATORS.join(" ")),
                    )
                    .at(node.span),
                );
                return None;
            }
        })
    }

    fn dashboards_check(&mut self, node: &Node) -> Option<SmokeCheck> {
        let table = self.mapping("dashboards", node)?;
        self.known_keys("a dashboards test", table, DASHBOARDS);
        if !table.contains_key("folder") {
            self.missing("folder", "a dashboards test", node.span);
        }
        let folder = table.get("folder").and_then(|e| self.path("folder", &e.node));
        let at = self.address("a dashboards test", table, node);
        Some(SmokeCheck::Dashboards {
            folder: folder?,
            at: at?,
        })
    }
}
