//! `volumes` of a service, and the files of `configs` and `secrets`.

use std::path::PathBuf;

use indexmap::IndexMap;

use super::Decoder;
use super::reader::last_of_each;
use crate::model::{FileMount, Mount, MountKind};
use crate::stack::diagnostic::{Code, Finding};
use crate::stack::tree::Node;

/// The most mounts of a service.
const MOST_MOUNTS: usize = 10_000;

const MOUNT: &[&str] = &[
    "type",
    "source",
    "target",
    "read_only",
    "consistency",
    "bind",
    "volume",
    "tmpfs",
    "image",
];
const TYPES: &[&str] = &["bind", "volume", "tmpfs", "image", "npipe", "cluster"];
const RECURSIVE: &[&str] = &["enabled", "disabled", "writable", "readonly"];
const FILE: &[&str] = &["source", "target", "uid", "gid", "mode"];
const PROPAGATIONS: &[&str] = &["private", "rprivate", "shared", "rshared", "slave", "rslave"];

impl Decoder<'_> {
    /// Mounts, the last of those with one target.
    pub(super) fn mounts(&mut self, node: &Node) -> Vec<Mount> {
        let mut items = self.list("volumes", node);
        if items.len() > MOST_MOUNTS {
            self.error(Code::Limit, format!("more than {MOST_MOUNTS} volumes"), node.span);
            items = &[];
        }
        let mounts = items.iter().filter_map(|item| {
            if item.mapping().is_some() {
                self.long_mount(item)
            } else {
                self.short_mount(item)
            }
        });
        last_of_each(mounts, |mount| mount.target.clone())
    }

    fn short_mount(&mut self, node: &Node) -> Option<Mount> {
        let text = self.text("volumes", node)?;
        let short = match parse_short(&text) {
            Ok(short) => short,
            Err(problem) => {
                self.findings.push(
                    Finding::error(Code::Value, format!("{text:?} is no volume: {problem}"))
                        .at(node.span)
                        .help("write [source:]target[:options], for example \"./data:/data:ro\""),
                );
                return None;
            }
        };
        if !short.target.starts_with('/') && text.len() > 2 && text.as_bytes().get(1) == Some(&b':') {
            self.findings.push(
                Finding::warning(
                    Code::Suspicious,
                    format!("{text:?} is taken for a path on a drive of Windows, not for a named volume"),
                )
                .at(node.span)
                .help("a volume's name has two letters at least; or use the long form"),
            );
        }
        Some(short.into_mount(|source| self.scopes.host_path(node.span.file, source)))
    }

    fn long_mount(&mut self, node: &Node) -> Option<Mount> {
        let table = self.mapping("volumes", node)?;
        let Some(kind) = table.get("type") else {
            self.missing("type", "a volume", node.span);
            return None;
        };
        let kind = self.text("type", &kind.node)?;
        let mut out = Mount {
            kind: match kind.as_str() {
                "bind" => MountKind::Bind {
                    source: Default::default(),
                    // Without options docker compose makes the same bind of it as of the short form.
                    create_host_path: !table.contains_key("bind"),
                    propagation: None,
                    selinux: None,
                    recursive: None,
                },
                "volume" => MountKind::Volume {
                    source: None,
                    nocopy: false,
                    subpath: None,
                    labels: IndexMap::new(),
                    selinux: None,
                },
                "npipe" => MountKind::Npipe {
                    source: String::new(),
                },
                "cluster" => MountKind::Cluster {
                    source: String::new(),
                },
                "image" => MountKind::Image {
                    source: String::new(),
                    subpath: None,
                },
                "tmpfs" => MountKind::Tmpfs {
                    size: None,
                    mode: None,
                },
                _ => {
                    let entry = table.get("type")?;
                    self.one_of("type", &entry.node, TYPES)?;
                    return None;
                }
            },
            target: String::new(),
            read_only: false,
            consistency: None,
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "type" => {}
                "consistency" => out.consistency = self.text("consistency", value),
                "source" => match &mut out.kind {
                    MountKind::Bind { source, .. } => *source = self.path("source", value)?,
                    MountKind::Volume { source, .. } => {
                        *source = self.text("source", value).filter(|s| !s.is_empty())
                    }
                    MountKind::Image { source, .. }
                    | MountKind::Npipe { source }
                    | MountKind::Cluster { source } => *source = self.text("source", value)?,
                    MountKind::Tmpfs { .. } => {
                        self.warn(
                            Code::Conflict,
                            "a tmpfs has no source: this has no effect",
                            entry.key_span,
                        );
                    }
                },
                "target" => out.target = self.text("target", value)?,
                "read_only" => out.read_only = self.boolean("read_only", value)?,
                "bind" => self.bind_options(value, &mut out.kind),
                "volume" => self.volume_options(value, &mut out.kind),
                "tmpfs" => self.tmpfs_options(value, &mut out.kind),
                "image" => self.image_options(value, &mut out.kind),
                other => self.unknown(other, entry, "a volume", MOUNT, &[]),
            }
        }
        if self.implied {
            out.target = clean_target(&out.target);
        }
        if out.target.is_empty() {
            self.missing("target", "a volume", node.span);
            return None;
        }
        if ["bind", "image"].contains(&kind.as_str()) && !table.contains_key("source") {
            self.missing("source", &format!("a volume of type {kind}"), node.span);
            return None;
        }
        Some(out)
    }

    fn bind_options(&mut self, node: &Node, kind: &mut MountKind) {
        let Some(table) = self.mapping("bind", node) else {
            return;
        };
        if let (MountKind::Volume { selinux, .. }, Some(label)) = (&mut *kind, table.get("selinux")) {
            // What `data:/data:z` means, in the long form that `config` and docker compose print.
            *selinux = self.one_of("selinux", &label.node, &["z", "Z"]);
            if table.len() == 1 {
                return;
            }
        }
        let MountKind::Bind {
            create_host_path,
            propagation,
            selinux,
            recursive,
            ..
        } = kind
        else {
            self.warn(
                Code::Conflict,
                "`bind` belongs to volumes of type bind: here it has no effect",
                node.span,
            );
            return;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "propagation" => *propagation = self.one_of("propagation", value, PROPAGATIONS),
                "create_host_path" => {
                    *create_host_path = self.boolean("create_host_path", value).unwrap_or(false);
                }
                "selinux" => *selinux = self.one_of("selinux", value, &["z", "Z"]),
                "recursive" => *recursive = self.one_of("recursive", value, RECURSIVE),
                other => self.unknown(
                    other,
                    entry,
                    "`bind`",
                    &["propagation", "create_host_path", "selinux", "recursive"],
                    &[],
                ),
            }
        }
    }

    fn volume_options(&mut self, node: &Node, kind: &mut MountKind) {
        let Some(table) = self.mapping("volume", node) else {
            return;
        };
        let MountKind::Volume {
            nocopy,
            subpath,
            labels,
            ..
        } = kind
        else {
            self.warn(
                Code::Conflict,
                "`volume` belongs to volumes of type volume: here it has no effect",
                node.span,
            );
            return;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "nocopy" => *nocopy = self.boolean("nocopy", value).unwrap_or(false),
                "subpath" => *subpath = self.text("subpath", value),
                "labels" => *labels = self.texts_by_key("labels", value),
                other => self.unknown(other, entry, "`volume`", &["nocopy", "subpath", "labels"], &[]),
            }
        }
    }

    fn image_options(&mut self, node: &Node, kind: &mut MountKind) {
        let Some(table) = self.mapping("image", node) else {
            return;
        };
        let MountKind::Image { subpath, .. } = kind else {
            self.warn(
                Code::Conflict,
                "`image` belongs to volumes of type image: here it has no effect",
                node.span,
            );
            return;
        };
        for (key, entry) in table {
            match &**key {
                "subpath" => *subpath = self.text("subpath", &entry.node),
                other => self.unknown(other, entry, "`image`", &["subpath"], &[]),
            }
        }
    }

    fn tmpfs_options(&mut self, node: &Node, kind: &mut MountKind) {
        let Some(table) = self.mapping("tmpfs", node) else {
            return;
        };
        let MountKind::Tmpfs { size, mode } = kind else {
            self.warn(
                Code::Conflict,
                "`tmpfs` belongs to volumes of type tmpfs: here it has no effect",
                node.span,
            );
            return;
        };
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "size" => *size = self.bytes("size", value),
                "mode" => *mode = self.mode("mode", value),
                other => self.unknown(other, entry, "`tmpfs`", &["size", "mode"], &[]),
            }
        }
    }

    /// `configs` or `secrets` of a service; a relative target stands under `folder`.
    pub(super) fn file_mounts(&mut self, name: &str, node: &Node, folder: &str) -> Vec<FileMount> {
        let mut items = self.list(name, node);
        if items.len() > MOST_MOUNTS {
            self.error(Code::Limit, format!("more than {MOST_MOUNTS} {name}"), node.span);
            items = &[];
        }
        let mounts = items
            .iter()
            .filter_map(|item| self.file_mount(name, item, folder));
        last_of_each(mounts, |mount| mount.target.clone())
    }

    fn file_mount(&mut self, name: &str, node: &Node, folder: &str) -> Option<FileMount> {
        let place = |target: &str| {
            if target.starts_with('/') {
                target.to_owned()
            } else {
                format!("{folder}/{target}")
            }
        };
        let Some(table) = node.mapping() else {
            let source = self.text(name, node)?;
            return Some(FileMount {
                target: place(&source),
                source,
                ..FileMount::default()
            });
        };
        let (mut source, mut target) = (None, None);
        let (mut uid, mut gid, mut mode) = (None, None, None);
        for (key, entry) in table {
            let value = &entry.node;
            match &**key {
                "source" => source = self.text("source", value),
                "target" => target = self.text("target", value).filter(|t| !t.is_empty()),
                "uid" => uid = self.text("uid", value),
                "gid" => gid = self.text("gid", value),
                "mode" => mode = self.mode("mode", value),
                other => self.unknown(other, entry, &format!("an item of `{name}`"), FILE, &[]),
            }
        }
        if !table.contains_key("source") {
            self.missing("source", &format!("an item of `{name}`"), node.span);
        }
        let source = source?;
        Some(FileMount {
            target: place(target.as_deref().unwrap_or(&source)),
            // A secret's own default is always written.
            written_target: target
                .filter(|target| folder.is_empty() || *target != format!("{folder}/{source}")),
            source,
            uid,
            gid,
            mode,
        })
    }
}

/// The short form of a mount.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Short<'t> {
    source: Option<&'t str>,
    pub(super) target: &'t str,
    read_only: bool,
    nocopy: bool,
    propagation: Option<&'t str>,
    selinux: Option<&'t str>,
}

impl Short<'_> {
    /// The mount; `host_path` makes a path of the host absolute.
    pub(super) fn into_mount(self, host_path: impl FnOnce(&str) -> PathBuf) -> Mount {
        let kind = match self.source {
            Some(source) if is_path(source) => MountKind::Bind {
                source: host_path(source),
                create_host_path: true,
                propagation: self.propagation.map(str::to_owned),
                selinux: self.selinux.map(str::to_owned),
                recursive: None,
            },
            source => MountKind::Volume {
                source: source.map(str::to_owned),
                nocopy: self.nocopy,
                subpath: None,
                labels: IndexMap::new(),
                selinux: self.selinux.map(str::to_owned),
            },
        };
        Mount {
            kind,
            target: clean_target(self.target),
            read_only: self.read_only,
            consistency: None,
        }
    }
}

/// `target`, `source:target` or `source:target:options`; a colon after a single letter belongs to
/// a drive of Windows.
pub(super) fn parse_short(text: &str) -> Result<Short<'_>, &'static str> {
    let mut out = Short::default();
    if text.is_empty() {
        return Err("nothing there");
    }
    if text.len() <= 2 {
        out.target = text;
        return Ok(out);
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let piece = &text[start..at];
        let is_drive = piece.len() == 1 && piece.starts_with(|c: char| c.is_ascii_alphabetic());
        if c == ':' && !is_drive {
            parts.push(piece);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    if parts.iter().any(|part| part.is_empty()) {
        return Err("nothing between two colons");
    }
    let options = match parts.as_slice() {
        [target] => {
            out.target = target;
            ""
        }
        [source, target] => {
            out.source = Some(*source);
            out.target = target;
            ""
        }
        [source, target, options] => {
            out.source = Some(*source);
            out.target = target;
            options
        }
        _ => return Err("too many colons"),
    };
    for option in options.split(',') {
        match option {
            "ro" => out.read_only = true,
            "rw" => out.read_only = false,
            "nocopy" => out.nocopy = true,
            "z" | "Z" => out.selinux = Some(option),
            option if PROPAGATIONS.contains(&option) => out.propagation = Some(option),
            // Compose ignores others (`cached`, `delegated`, `consistent` and anything else).
            _ => {}
        }
    }
    Ok(out)
}

/// The mount of a short form, where it can be read.
pub(in crate::stack) fn short_mount(text: &str, host_path: impl FnOnce(&str) -> PathBuf) -> Option<Mount> {
    parse_short(text).ok().map(|short| short.into_mount(host_path))
}

/// Whether the source of a short form is a path, not the name of a volume.
fn is_path(source: &str) -> bool {
    let mut chars = source.chars();
    let first = chars.next();
    source.starts_with(['.', '/', '~'])
        || source.starts_with(r"\\")
        || (first.is_some_and(char::is_alphabetic) && chars.next() == Some(':'))
}

/// A target without doubled and trailing slashes, `.` and `..`.
pub(in crate::stack) fn clean_target(target: &str) -> String {
    if !target.starts_with('/') {
        return target.to_owned();
    }
    crate::stack::scope::clean(std::path::Path::new(target))
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        let check = |text| match parse_short(text) {
            Ok(s) => format!(
                "{} {}{}{}{}",
                s.source.unwrap_or("-"),
                s.target,
                if s.read_only { " ro" } else { "" },
                if s.nocopy { " nocopy" } else { "" },
                s.selinux
                    .or(s.propagation)
                    .map(|o| format!(" {o}"))
                    .unwrap_or_default(),
            ),
            Err(problem) => problem.to_owned(),
        };
        assert_eq!(check("/data"), "- /data");
        assert_eq!(check("db:/data:ro"), "db /data ro");
        assert_eq!(check("./a:/b:z,ro"), "./a /b ro z");
        assert_eq!(check("db:/data:nocopy"), "db /data nocopy");
        assert_eq!(check(r"C:\a:/b"), r"C:\a /b");
        assert_eq!(check("e:/f"), "- e:/f");
        assert_eq!(check("/l:/m:rshared"), "/l /m rshared");
        assert_eq!(check("ab:/c:ro:x"), "too many colons");
        assert_eq!(check("ab::/c"), "nothing between two colons");
        assert_eq!(clean_target("/a//b/../c/"), "/a/c");
    }
}
