//! The composer: parser events → nodes.

use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::merge_key;
use super::node::{Entry, Mapping, Node, Scalar, Tag, Value};
use crate::stack::diagnostic::{Code, Finding, Findings};
use crate::stack::source::{FileId, Span};

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// The deepest nesting, aliases written out.
pub const MAX_DEPTH: u32 = 100;
/// The most nodes, aliases written out.
pub const MAX_NODES: u64 = 1_000_000;

/// Reads a text into its documents; `None` where it is no usable YAML, with findings that say why.
pub fn compose(text: &str, file: FileId, findings: &mut Findings) -> Option<Vec<Rc<Node>>> {
    if text.len() > MAX_BYTES {
        findings.push(
            Finding::error(
                Code::Limit,
                format!("the file is larger than {} MiB", MAX_BYTES >> 20),
            )
            .at(Span::new(file, MAX_BYTES..MAX_BYTES)),
        );
        return None;
    }
    if let Some(at) = text.bytes().position(|b| b == 0) {
        findings.push(
            Finding::error(Code::Syntax, "a NUL byte is not allowed in YAML").at(Span::new(file, at..at + 1)),
        );
        return None;
    }
    match Composer::new(text, file).run() {
        Ok((documents, found)) => {
            let failed = !found.is_empty();
            for finding in found {
                findings.push(finding);
            }
            (!failed).then_some(documents)
        }
        Err(finding) => {
            findings.push(*finding);
            None
        }
    }
}

/// A finished node with what it would cost if all aliases were written out.
#[derive(Clone)]
struct Done {
    node: Rc<Node>,
    weight: u64,
    height: u32,
}

/// What an anchor stands for.
enum Anchor {
    /// Still being read: an alias to it is a cycle.
    Open,
    Done(Done),
}

/// A collection being read.
struct Frame {
    start: Span,
    anchor: usize,
    tag: Tag,
    weight: u64,
    height: u32,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Rc<Node>>),
    Mapping {
        entries: Mapping,
        /// A key that waits for its value, and whether it is a merge key.
        key: Option<(Rc<str>, Span, bool)>,
        merge: Option<(Span, Rc<Node>)>,
    },
}

struct Composer<'t> {
    file: FileId,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: Vec<Option<Anchor>>,
    stack: Vec<Frame>,
    documents: Vec<Rc<Node>>,
    findings: Vec<Finding>,
    nodes: u64,
    /// Length of the text, and whether it ends without a line break.
    length: usize,
    ends_open: bool,
}

type Step<T> = Result<T, Box<Finding>>;

/// Findings about duplicate keys that are collected before reading stops.
const MOST_DUPLICATES: usize = 20;

impl<'t> Composer<'t> {
    fn new(text: &'t str, file: FileId) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH as usize,
            block_nesting_limit: MAX_DEPTH as usize,
        };
        Self {
            file,
            parser: Parser::new_from_str_with_options(text, options),
            anchors: Vec::new(),
            stack: Vec::new(),
            documents: Vec::new(),
            findings: Vec::new(),
            nodes: 0,
            length: text.len(),
            ends_open: !text.ends_with('\n'),
        }
    }

    fn run(mut self) -> Step<(Vec<Rc<Node>>, Vec<Finding>)> {
        while let Some(next) = self.parser.next_event() {
            let (event, at) = next.map_err(|error| self.scan_error(&error))?;
            let span = Span::new(self.file, at.byte_range().unwrap_or_default());
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let tag = tag.as_deref().map_or(Tag::None, read_tag);
                    let mut text = text.into_owned();
                    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                    if is_block && self.ends_open && span.end as usize >= self.length && text.ends_with('\n')
                    {
                        // The parser adds the line break that the text's last line does not have.
                        text.pop();
                    }
                    self.scalar(text, style, anchor, tag, span)?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    let tag = tag.as_deref().map_or(Tag::None, read_tag);
                    self.open(Kind::Sequence(Vec::new()), anchor, tag, span)?;
                }
                Event::MappingStart(_, anchor, tag) => {
                    let tag = tag.as_deref().map_or(Tag::None, read_tag);
                    let kind = Kind::Mapping {
                        entries: Mapping::default(),
                        key: None,
                        merge: None,
                    };
                    self.open(kind, anchor, tag, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::UnresolvedAlias(name) => {
                    return Err(Box::new(
                        Finding::error(Code::Alias, format!("no anchor `&{name}` before this alias"))
                            .at(span),
                    ));
                }
                // Anchors do not reach over documents.
                Event::DocumentStart(..) => self.anchors.clear(),
                _ => {}
            }
        }
        Ok((self.documents, self.findings))
    }

    fn scan_error(&self, error: &ScanError) -> Box<Finding> {
        let at = error.marker().byte_offset().unwrap_or_default();
        let text = error.info();
        let nesting = text.contains("nest") || text.contains("recursion");
        let (code, message) = if nesting {
            (Code::Limit, format!("nested more than {MAX_DEPTH} levels deep"))
        } else {
            (Code::Syntax, format!("not valid YAML: {text}"))
        };
        let finding = Finding::error(code, message).at(Span::new(self.file, at..at + 1));
        Box::new(if text.contains("tab") {
            finding.help("YAML is indented with spaces, not with tabs")
        } else {
            finding
        })
    }

    fn count(&mut self, span: Span) -> Step<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(too_many(span));
        }
        Ok(())
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, anchor: usize, tag: Tag, span: Span) -> Step<()> {
        self.count(span)?;
        let text = text.into_boxed_str();
        let value = Value::Scalar(match style {
            ScalarStyle::Plain => Scalar::Plain(text),
            _ => Scalar::Quoted(text),
        });
        let done = Done {
            node: Rc::new(Node { value, span, tag }),
            weight: 1,
            height: 1,
        };
        self.define(anchor, || Anchor::Done(done.clone()));
        self.add(done, span)
    }

    fn open(&mut self, kind: Kind, anchor: usize, tag: Tag, span: Span) -> Step<()> {
        self.count(span)?;
        if self.stack.len() >= MAX_DEPTH as usize {
            return Err(too_deep(span));
        }
        self.define(anchor, || Anchor::Open);
        self.stack.push(Frame {
            start: span,
            anchor,
            tag,
            weight: 1,
            height: 1,
            kind,
        });
        Ok(())
    }

    fn define(&mut self, anchor: usize, value: impl FnOnce() -> Anchor) {
        // 0 stands for "no anchor".
        if anchor == 0 {
            return;
        }
        if self.anchors.len() <= anchor {
            self.anchors.resize_with(anchor + 1, || None);
        }
        self.anchors[anchor] = Some(value());
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step<()> {
        self.count(span)?;
        match self.anchors.get(anchor) {
            Some(Some(Anchor::Done(done))) => {
                let done = done.clone();
                self.add(done, span)
            }
            Some(Some(Anchor::Open)) => {
                let opened = self.stack.iter().find(|f| f.anchor == anchor).map(|f| f.start);
                let mut finding =
                    Finding::error(Code::Cycle, "the alias refers to a value that it is part of")
                        .label(span, "this alias");
                if let Some(opened) = opened {
                    finding = finding.label(opened, "stands within this value");
                }
                Err(Box::new(finding))
            }
            _ => Err(Box::new(Finding::error(Code::Alias, "no such anchor").at(span))),
        }
    }

    /// Adds a finished value to the collection being read.
    fn add(&mut self, done: Done, span: Span) -> Step<()> {
        let Some(frame) = self.stack.last_mut() else {
            self.documents.push(done.node);
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(done.weight);
        frame.height = frame.height.max(done.height + 1);
        if frame.weight > MAX_NODES {
            return Err(too_many(span));
        }
        if frame.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        match &mut frame.kind {
            Kind::Sequence(items) => items.push(done.node),
            Kind::Mapping { entries, key, merge } => match key.take() {
                None => {
                    let Value::Scalar(scalar) = &done.node.value else {
                        return Err(Box::new(
                            Finding::error(Code::Syntax, "a key must be a string, not a list or a mapping")
                                .at(span),
                        ));
                    };
                    let is_merge = matches!(scalar, Scalar::Plain(text) if &**text == "<<");
                    let text: Rc<str> = scalar.text().into();
                    if !is_merge && let Some(problem) = key_problem(&done.node) {
                        self.findings.push(problem.at(span));
                    }
                    *key = Some((text, span, is_merge));
                }
                Some((_, key_span, true)) => {
                    if let Some((first, _)) = merge {
                        return Err(Box::new(
                            Finding::error(Code::DuplicateKey, "the key `<<` stands twice in one mapping")
                                .label(key_span, "again here")
                                .label(*first, "first here")
                                .help("merge several with one list: `<<: [*a, *b]`"),
                        ));
                    }
                    *merge = Some((key_span, done.node));
                }
                Some((name, key_span, false)) => {
                    if let Some(first) = entries.get(&name) {
                        self.findings.push(
                            Finding::error(
                                Code::DuplicateKey,
                                format!("the key `{name}` stands twice in one mapping"),
                            )
                            .label(key_span, "again here")
                            .label(first.key_span, "first here"),
                        );
                        if self.findings.len() > MOST_DUPLICATES {
                            return Err(Box::new(
                                Finding::error(Code::DuplicateKey, "too many duplicate keys").at(key_span),
                            ));
                        }
                    } else {
                        entries.insert(
                            name,
                            Entry {
                                key_span,
                                node: done.node,
                            },
                        );
                    }
                }
            },
        }
        Ok(())
    }

    fn close(&mut self, end: Span) -> Step<()> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let span = Span {
            end: end.end.max(frame.start.start),
            ..frame.start
        };
        let value = match frame.kind {
            Kind::Sequence(items) => Value::Sequence(items),
            Kind::Mapping {
                mut entries, merge, ..
            } => {
                if let Some((key_span, merged)) = merge
                    && merge_key::apply(&mut entries, &merged).is_err()
                {
                    self.findings.push(
                        Finding::error(
                            Code::Type,
                            format!("`<<` merges mappings, found {}", merged.describe()),
                        )
                        .at(key_span),
                    );
                }
                Value::Mapping(entries)
            }
        };
        let done = Done {
            node: Rc::new(Node {
                value,
                span,
                tag: frame.tag,
            }),
            weight: frame.weight,
            height: frame.height,
        };
        self.define(frame.anchor, || Anchor::Done(done.clone()));
        self.add(done, span)
    }
}

/// Keys are texts; YAML lets a key look like a number, and Compose then refuses it.
fn key_problem(key: &Node) -> Option<Finding> {
    use super::scalar::Resolved;
    let resolved = key.resolved()?;
    if matches!(resolved, Resolved::Text(_)) {
        return None;
    }
    let Value::Scalar(scalar) = &key.value else {
        return None;
    };
    Some(
        Finding::error(
            Code::Type,
            format!("a key must be a string, found {}", resolved.describe()),
        )
        .help(format!("quote it: \"{}\"", scalar.text())),
    )
}

fn too_many(span: Span) -> Box<Finding> {
    Box::new(
        Finding::error(
            Code::Limit,
            format!("more than {MAX_NODES} values, aliases written out"),
        )
        .at(span),
    )
}

fn too_deep(span: Span) -> Box<Finding> {
    Box::new(
        Finding::error(
            Code::Limit,
            format!("nested more than {MAX_DEPTH} levels deep, aliases written out"),
        )
        .at(span),
    )
}

fn read_tag(tag: &granit_parser::Tag) -> Tag {
    match (tag.handle(), tag.suffix()) {
        ("!", "reset") => Tag::Reset,
        ("!", "override") => Tag::Override,
        _ => match tag.core_suffix() {
            Some("str") => Tag::Str,
            Some("int") => Tag::Int,
            Some("float") => Tag::Float,
            Some("bool") => Tag::Bool,
            Some("null") => Tag::Null,
            _ => Tag::None,
        },
    }
}
