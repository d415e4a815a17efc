//! `post_start` and `pre_stop`.

use super::Decoder;
use crate::model::Hook;
use crate::stack::tree::Node;

const HOOK: &[&str] = &["command", "user", "privileged", "working_dir", "environment"];

impl Decoder<'_> {
    pub(super) fn hooks(&mut self, name: &str, node: &Node) -> Vec<Hook> {
        let items = self.list(name, node);
        items.iter().filter_map(|item| self.hook(name, item)).collect()
    }

    pub(super) fn hook(&mut self, name: &str, node: &Node) -> Option<Hook> {
        let table = self.mapping(name, node)?;
        let mut out = Hook::default();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "command" => out.command = self.command("command", value).unwrap_or_default(),
                "user" => out.user = self.text("user", value),
                "privileged" => out.privileged = self.boolean("privileged", value).unwrap_or(false),
                "working_dir" => out.working_dir = self.text("working_dir", value),
                "environment" => out.environment = self.environment("environment", value),
                other => self.unknown(other, entry, "a hook", HOOK, &[]),
            }
        }
        if !table.contains_key("command") {
            self.missing("command", "a hook", node.span);
        }
        Some(out)
    }
}
