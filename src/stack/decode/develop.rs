//! `develop`.

use super::Decoder;
use crate::model::{Develop, WatchAction, WatchRule};
use crate::stack::tree::Node;

const RULE: &[&str] = &[
    "path",
    "action",
    "target",
    "ignore",
    "include",
    "exec",
    "initial_sync",
];
const ACTIONS: &[&str] = &["rebuild", "sync", "restart", "sync+restart", "sync+exec"];

impl Decoder<'_> {
    pub(super) fn develop(&mut self, node: &Node) -> Option<Develop> {
        if node.is_null() {
            return None;
        }
        let table = self.mapping("develop", node)?;
        let mut out = Develop::default();
        for (key, entry) in table {
            match &**key {
                "watch" => {
                    let rules = self.list("watch", &entry.node);
                    out.watch = rules.iter().filter_map(|rule| self.watch_rule(rule)).collect();
                }
                other => self.unknown(other, entry, "`develop`", &["watch"], &[]),
            }
        }
        Some(out)
    }

    fn watch_rule(&mut self, node: &Node) -> Option<WatchRule> {
        let table = self.mapping("watch", node)?;
        let (mut path, mut action) = (None, None);
        let (mut target, mut ignore, mut include) = (None, Vec::new(), Vec::new());
        let (mut exec, mut initial_sync) = (None, false);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "path" => path = self.path("path", value),
                "action" => action = self.one_of("action", value, ACTIONS),
                "target" => target = self.text("target", value),
                "ignore" | "include" if value.sequence().is_some() => {
                    self.distinct(key, value);
                    let patterns = self.texts(key, value);
                    match &**key {
                        "ignore" => ignore = patterns,
                        _ => include = patterns,
                    }
                }
                "ignore" => ignore = self.text_or_texts("ignore", value),
                "include" => include = self.text_or_texts("include", value),
                "exec" => exec = self.hook("exec", value),
                "initial_sync" => initial_sync = self.boolean("initial_sync", value)?,
                other => self.unknown(other, entry, "a watch rule", RULE, &[]),
            }
        }
        for key in ["path", "action"] {
            if !table.contains_key(key) {
                self.missing(key, "a watch rule", node.span);
            }
        }
        if target.is_none() && !matches!(action.as_deref(), None | Some("rebuild" | "restart")) {
            let what = format!(
                "a watch rule that does `{}`",
                action.as_deref().unwrap_or_default()
            );
            self.missing("target", &what, node.span);
        }
        Some(WatchRule {
            path: path?,
            action: match action?.as_str() {
                "rebuild" => WatchAction::Rebuild,
                "restart" => WatchAction::Restart,
                "sync+restart" => WatchAction::SyncRestart,
                "sync+exec" => WatchAction::SyncExec,
                _ => WatchAction::Sync,
            },
            target,
            ignore,
            include,
            exec,
            initial_sync,
        })
    }
}
