//! `ulimits`, `devices`, `logging`, `restart`, `pull_policy`, `extra_hosts`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Decoder;
use super::reader::{last_of_each, unique};
use crate::model::{Device, Logging, PullPolicy, RestartPolicy, Ulimit};
use crate::stack::diagnostic::{Code, Finding, did_you_mean};
use crate::stack::tree::{Node, Value};

impl Decoder<'_> {
    pub(super) fn ulimits(&mut self, node: &Node) -> BTreeMap<String, Ulimit> {
        let Some(table) = self.mapping("ulimits", node) else {
            return BTreeMap::new();
        };
        let mut out = BTreeMap::new();
        for (name, entry) in table {
            if let Some(limit) = self.ulimit(name, &entry.node) {
                out.insert(name.to_string(), limit);
            }
        }
        out
    }

    fn ulimit(&mut self, name: &str, node: &Node) -> Option<Ulimit> {
        let Some(table) = node.mapping() else {
            let both = self.within(name, node, -1, i64::MAX)?;
            return Some(Ulimit {
                soft: both,
                hard: both,
            });
        };
        let (mut soft, mut hard) = (None, None);
        for (key, entry) in table {
            match &**key {
                "soft" => soft = self.within("soft", &entry.node, -1, i64::MAX),
                "hard" => hard = self.within("hard", &entry.node, -1, i64::MAX),
                other => self.unknown(other, entry, "a limit", &["soft", "hard"], &[]),
            }
        }
        for key in ["soft", "hard"] {
            if !table.contains_key(key) {
                self.missing(key, "a limit", node.span);
            }
        }
        Some(Ulimit {
            soft: soft?,
            hard: hard?,
        })
    }

    pub(super) fn devices(&mut self, node: &Node) -> Vec<Device> {
        let items = self.list("devices", node);
        let devices = items.iter().filter_map(|item| self.device(item));
        last_of_each(devices, |device| device.target.clone())
    }

    fn device(&mut self, node: &Node) -> Option<Device> {
        let Some(table) = node.mapping() else {
            let text = self.text("devices", node)?;
            let mut parts = text.split(':');
            let source = parts.next().unwrap_or_default();
            let (target, permissions) = match (parts.next(), parts.next(), parts.next()) {
                (None, ..) => (source, "rwm"),
                (Some(mode), None, _) if is_permissions(mode) => (source, mode),
                (Some(target), None, _) => (target, "rwm"),
                (Some(target), Some(mode), None) => (target, mode),
                _ => {
                    self.expected("devices", "SOURCE[:TARGET[:PERMISSIONS]]", node);
                    return None;
                }
            };
            return Some(Device {
                source: PathBuf::from(source),
                target: target.to_owned(),
                permissions: permissions.to_owned(),
            });
        };
        let (mut source, mut target, mut permissions) = (None, None, None);
        for (key, entry) in table {
            match &**key {
                "source" => source = self.text("source", &entry.node),
                "target" => target = self.text("target", &entry.node),
                "permissions" => permissions = self.text("permissions", &entry.node),
                other => self.unknown(
                    other,
                    entry,
                    "a device",
                    &["source", "target", "permissions"],
                    &[],
                ),
            }
        }
        if !table.contains_key("source") {
            self.missing("source", "a device", node.span);
        }
        let source = source?;
        Some(Device {
            target: target.unwrap_or_else(|| source.clone()),
            source: PathBuf::from(source),
            permissions: permissions.unwrap_or_else(|| "rwm".to_owned()),
        })
    }

    pub(super) fn logging(&mut self, node: &Node) -> Option<Logging> {
        let table = self.mapping("logging", node)?;
        let mut out = Logging::default();
        for (key, entry) in table {
            match &**key {
                "driver" => out.driver = self.text("driver", &entry.node),
                "options" => {
                    let options = self.mapping("options", &entry.node)?;
                    for (name, option) in options {
                        let value = self.scalar(name, &option.node).unwrap_or_default();
                        out.options.insert(name.to_string(), value);
                    }
                }
                other => self.unknown(other, entry, "`logging`", &["driver", "options"], &[]),
            }
        }
        Some(out)
    }

    pub(super) fn restart(&mut self, node: &Node) -> Option<RestartPolicy> {
        const POLICIES: [&str; 4] = ["no", "always", "on-failure", "unless-stopped"];
        let text = self.text("restart", node)?;
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => (name, Some(count)),
            None => (text.as_str(), None),
        };
        let policy = match (name, count) {
            ("no" | "", None) => Some(RestartPolicy::No),
            ("always", None) => Some(RestartPolicy::Always),
            ("unless-stopped", None) => Some(RestartPolicy::UnlessStopped),
            ("on-failure", None) => Some(RestartPolicy::OnFailure(None)),
            ("on-failure", Some(count)) => count.parse().ok().map(|n| RestartPolicy::OnFailure(Some(n))),
            _ => None,
        };
        if policy.is_none() {
            self.findings.push(
                Finding::error(
                    Code::Value,
                    format!("`restart` must be no, always, on-failure[:attempts] or unless-stopped, found {text:?}"),
                )
                .at(node.span)
                .help_opt(did_you_mean(name, POLICIES)),
            );
        }
        policy
    }

    pub(super) fn pull_policy(&mut self, node: &Node) -> Option<PullPolicy> {
        const POLICIES: [&str; 8] = [
            "always",
            "never",
            "missing",
            "if_not_present",
            "build",
            "daily",
            "weekly",
            "every_",
        ];
        let text = self.text("pull_policy", node)?;
        Some(match text.as_str() {
            "always" => PullPolicy::Always,
            "never" => PullPolicy::Never,
            // Its other name is kept where what was written is to be seen.
            "if_not_present" if !self.implied => PullPolicy::Every(text),
            "missing" | "if_not_present" | "" => PullPolicy::Missing,
            "build" => PullPolicy::Build,
            "daily" | "weekly" => PullPolicy::Every(text),
            every if every.strip_prefix("every_").is_some_and(is_weeks_and_days) => PullPolicy::Every(text),
            _ => {
                self.findings.push(
                    Finding::error(
                        Code::Value,
                        format!("`pull_policy` must be always, never, missing, build, daily, weekly or every_<duration>, found {text:?}"),
                    )
                    .at(node.span)
                    .help_opt(did_you_mean(&text, POLICIES)),
                );
                return None;
            }
        })
    }

    /// `host=address` or `host:address` items, or a table of one or several addresses; as `host=address`.
    pub(super) fn extra_hosts(&mut self, name: &str, node: &Node) -> Vec<String> {
        let mut out = Vec::new();
        match &node.value {
            Value::Sequence(_) => {
                for item in self.texts(name, node) {
                    match item.split_once('=').or_else(|| item.split_once(':')) {
                        Some((host, address)) if !host.is_empty() && !address.is_empty() => {
                            out.push(format!("{host}={}", bare_address(address)));
                        }
                        _ => self.error(
                            Code::Value,
                            format!("`{name}` holds host=address, found {item:?}"),
                            node.span,
                        ),
                    }
                }
            }
            Value::Mapping(table) => {
                for (host, entry) in table {
                    for address in self.text_or_texts(name, &entry.node) {
                        out.push(format!("{host}={}", bare_address(&address)));
                    }
                }
            }
            Value::Scalar(_) => self.expected(name, "a list of host=address or a mapping", node),
        }
        unique(out)
    }
}

/// An address without the brackets of IPv6.
fn bare_address(address: &str) -> &str {
    address
        .strip_prefix('[')
        .and_then(|a| a.strip_suffix(']'))
        .unwrap_or(address)
}

fn is_permissions(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| "rwm".contains(c))
}

/// `1w2d`, `12h`.
fn is_weeks_and_days(text: &str) -> bool {
    let mut digits = false;
    let mut units = 0;
    for c in text.chars() {
        match c {
            '0'..='9' => digits = true,
            'w' | 'd' | 'h' | 'm' | 's' if digits => {
                digits = false;
                units += 1;
            }
            _ => return false,
        }
    }
    units > 0 && !digits
}
