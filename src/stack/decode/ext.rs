//! `x-platform`: ours beside the Compose Specification.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::Decoder;
use crate::model::ext::Link;
use crate::model::{ProbeSpec, ProbeTarget, Reload, ReloadAction, ServiceExt, StackExt};
use crate::stack::diagnostic::Code;
use crate::stack::tree::{Node, Resolved};

const SERVICE: &[&str] = &["probe", "optional", "reload", "restart_unhealthy"];
const PROBE: &[&str] = &["http", "tcp", "exec", "log", "timeout", "deadline"];
const RELOAD: &[&str] = &["check", "signal", "http", "exec"];
const STACK: &[&str] = &["base_images", "links", "smoke"];
const LINK: &[&str] = &["name", "url", "service"];

impl Decoder<'_> {
    /// `x-platform` of a service.
    pub(super) fn service_ext(&mut self, node: &Node) -> ServiceExt {
        let mut out = ServiceExt::default();
        let Some(table) = self.mapping("x-platform", node) else {
            return out;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "probe" => out.probe = self.probe(value),
                "optional" => out.optional = self.boolean("optional", value).unwrap_or(false),
                "reload" => out.reload = self.reload(value),
                "restart_unhealthy" => out.restart_unhealthy = self.boolean("restart_unhealthy", value),
                other => self.unknown(other, entry, "`x-platform` of a service", SERVICE, &["rollout"]),
            }
        }
        out
    }

    fn probe(&mut self, node: &Node) -> Option<ProbeSpec> {
        let table = self.mapping("probe", node)?;
        let mut targets = Vec::new();
        let (mut timeout, mut deadline) = (None, None);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "http" => targets.push(self.container_url("http", value).map(ProbeTarget::Http)),
                "tcp" => targets.push(self.port("tcp", value).map(ProbeTarget::Tcp)),
                "exec" => targets.push(self.words("exec", value).map(ProbeTarget::Exec)),
                "log" => targets.push(self.pattern("log", value).map(ProbeTarget::Log)),
                "timeout" => timeout = self.duration("timeout", value),
                "deadline" => deadline = self.duration("deadline", value),
                other => self.unknown(other, entry, "a probe", PROBE, &[]),
            }
        }
        if targets.len() != 1 {
            self.error(
                Code::Conflict,
                "a probe has exactly one of http, tcp, exec and log",
                node.span,
            );
        }
        Some(ProbeSpec {
            target: targets.into_iter().next()??,
            timeout,
            deadline,
        })
    }

    fn reload(&mut self, node: &Node) -> Option<Reload> {
        let table = self.mapping("reload", node)?;
        let mut out = Reload::default();
        let mut actions = Vec::new();
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "check" => out.check = self.words("check", value).unwrap_or_default(),
                "signal" => actions.push(self.text("signal", value).map(ReloadAction::Signal)),
                "http" => actions.push(self.container_url("http", value).map(ReloadAction::Http)),
                "exec" => actions.push(self.words("exec", value).map(ReloadAction::Exec)),
                other => self.unknown(other, entry, "`reload`", RELOAD, &[]),
            }
        }
        if actions.len() > 1 {
            self.error(
                Code::Conflict,
                "`reload` has one of signal, http and exec",
                node.span,
            );
        }
        out.action = actions.into_iter().next().flatten();
        Some(out)
    }

    /// `http://[host]:port/path`, `:port/path`, a port, or `{port, path}`; an empty host is the container's own.
    fn container_url(&mut self, name: &str, node: &Node) -> Option<String> {
        if let Some(table) = node.mapping() {
            let (mut port, mut path, mut host) = (None, "/".to_owned(), String::new());
            for (key, entry) in table {
                let value = &entry.node;
                match &**key {
                    "port" => port = self.port("port", value),
                    "path" => path = self.text("path", value)?,
                    "host" => host = self.text("host", value)?,
                    other => self.unknown(other, entry, &format!("`{name}`"), &["port", "path", "host"], &[]),
                }
            }
            if !table.contains_key("port") {
                self.missing("port", &format!("`{name}`"), node.span);
            }
            let slash = if path.starts_with('/') { "" } else { "/" };
            return Some(format!("http://{host}:{}{slash}{path}", port?));
        }
        if let Some(Resolved::Int(_)) = node.resolved() {
            return Some(format!("http://:{}/", self.port(name, node)?));
        }
        let text = self.text(name, node)?;
        let url = if text.starts_with(':') {
            format!("http://{text}")
        } else {
            text
        };
        let Some(rest) = url.strip_prefix("http://") else {
            self.expected(name, "http://:port/path (only plain HTTP is spoken)", node);
            return None;
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let valid = match port {
            Some(port) => port.parse::<u16>().is_ok_and(|p| p > 0),
            None => !authority.is_empty(),
        };
        if !valid {
            self.expected(name, "a URL with a port, such as http://:8000/health", node);
            return None;
        }
        Some(url)
    }

    pub(super) fn port(&mut self, name: &str, node: &Node) -> Option<u16> {
        u16::try_from(self.within(name, node, 1, 65_535)?).ok()
    }

    /// A command that cannot be empty.
    pub(super) fn words(&mut self, name: &str, node: &Node) -> Option<Vec<String>> {
        let words = self.command(name, node)?;
        if words.is_empty() {
            self.expected(name, "a command", node);
            return None;
        }
        Some(words)
    }

    /// A regular expression, checked.
    pub(super) fn pattern(&mut self, name: &str, node: &Node) -> Option<String> {
        let text = self.text(name, node)?;
        if let Err(problem) = regex::Regex::new(&text) {
            let reason = problem.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            self.error(
                Code::Value,
                format!("`{name}` is no regular expression: {reason}"),
                node.span,
            );
            return None;
        }
        Some(text)
    }

    /// `x-platform` at the top of a stack.
    pub(super) fn stack_ext(&mut self, node: &Node) -> StackExt {
        let mut out = StackExt::default();
        let Some(table) = self.mapping("x-platform", node) else {
            return out;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "base_images" => out.base_images = self.base_images(value),
                "links" => {
                    let items = self.list("links", value);
                    out.links = items.iter().filter_map(|item| self.link(item)).collect();
                }
                "smoke" => out.smoke = self.smoke(value),
                other => self.unknown(other, entry, "`x-platform`", STACK, &[]),
            }
        }
        out
    }

    fn base_images(&mut self, node: &Node) -> IndexMap<String, PathBuf> {
        let mut out = IndexMap::new();
        if let Some(table) = self.mapping("base_images", node) {
            for (image, entry) in table {
                if let Some(folder) = self.path("base_images", &entry.node) {
                    out.insert(image.to_string(), folder);
                }
            }
        }
        out
    }

    fn link(&mut self, node: &Node) -> Option<Link> {
        let table = self.mapping("links", node)?;
        let (mut name, mut url, mut service) = (None, None, None);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "name" => name = self.text("name", value),
                "url" => url = self.text("url", value),
                "service" => service = self.text("service", value),
                other => self.unknown(other, entry, "a link", LINK, &[]),
            }
        }
        for key in ["name", "url"] {
            if !table.contains_key(key) {
                self.missing(key, "a link", node.span);
            }
        }
        Some(Link {
            name: name?,
            url: url?,
            service,
        })
    }
}
