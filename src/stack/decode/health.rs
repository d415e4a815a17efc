//! `healthcheck`.

use super::Decoder;
use crate::model::{Healthcheck, HealthcheckTest};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::{Node, Resolved};

const HEALTHCHECK: &[&str] = &[
    "test",
    "interval",
    "timeout",
    "retries",
    "start_period",
    "start_interval",
    "disable",
];

impl Decoder<'_> {
    pub(super) fn healthcheck(&mut self, node: &Node) -> Option<Healthcheck> {
        let table = self.mapping("healthcheck", node)?;
        let mut out = Healthcheck::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "test" => out.test = self.healthcheck_test(value),
                "interval" => out.interval = self.duration("interval", value),
                "timeout" => out.timeout = self.duration("timeout", value),
                "retries" => out.retries = self.unsigned("retries", value),
                "start_period" => out.start_period = self.duration("start_period", value),
                "start_interval" => out.start_interval = self.duration("start_interval", value),
                "disable" => out.disable = self.boolean("disable", value).unwrap_or(false),
                other => self.unknown(other, entry, "a health check", HEALTHCHECK, &[]),
            }
        }
        Some(out)
    }

    fn healthcheck_test(&mut self, node: &Node) -> Option<HealthcheckTest> {
        if let Some(Resolved::Text(line)) = node.resolved() {
            return Some(HealthcheckTest::Shell(line.to_owned()));
        }
        if node.sequence().is_none() {
            self.expected("test", "a string or a list of strings", node);
            return None;
        }
        let words = self.texts("test", node);
        match words.first().map(String::as_str) {
            // As good as none.
            None => None,
            Some("NONE") => Some(HealthcheckTest::None),
            Some("CMD") => Some(HealthcheckTest::Cmd(words[1..].to_vec())),
            Some("CMD-SHELL") => match words.get(1) {
                Some(line) => Some(HealthcheckTest::Shell(line.clone())),
                None => {
                    self.error(Code::Value, "`CMD-SHELL` needs a line for the shell", node.span);
                    None
                }
            },
            _ => {
                self.findings.push(
                    Finding::error(
                        Code::Value,
                        "a list in `test` must begin with CMD, CMD-SHELL or NONE",
                    )
                    .at(node.span)
                    .help("to run a program: [\"CMD\", \"program\", \"argument\"]"),
                );
                None
            }
        }
    }
}
