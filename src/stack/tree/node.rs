//! The nodes of a tree.

use std::rc::Rc;

use indexmap::IndexMap;

use super::scalar::{Resolved, resolve_plain};
use crate::stack::source::Span;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written (of an alias: where its anchor was).
    pub span: Span,
    /// Its tag.
    pub tag: Tag,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// A table.
    Mapping(Mapping),
}

/// A table; keys are texts, in the order of the file.
pub type Mapping = IndexMap<Rc<str>, Entry>;

/// An entry of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub node: Rc<Node>,
}

/// A scalar as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// Without quotes: its type depends on what it looks like.
    Plain(Box<str>),
    /// Quoted or a block: text.
    Quoted(Box<str>),
    /// Text that variables were put into. It is text like a quoted one, but takes the type that is wanted.
    Interpolated(Box<str>),
}

impl Scalar {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Quoted(text) | Self::Interpolated(text) => text,
        }
    }
}

/// An explicit tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tag {
    /// None, or one without meaning here.
    #[default]
    None,
    /// `!reset`: takes the attribute away when files are merged.
    Reset,
    /// `!override`: replaces the attribute when files are merged.
    Override,
    /// `!!str`.
    Str,
    /// `!!int`.
    Int,
    /// `!!float`.
    Float,
    /// `!!bool`.
    Bool,
    /// `!!null`.
    Null,
}

impl Node {
    /// A node without tag.
    pub fn new(value: Value, span: Span) -> Self {
        Self {
            value,
            span,
            tag: Tag::None,
        }
    }

    /// A quoted text.
    pub fn text(text: impl Into<Box<str>>, span: Span) -> Rc<Self> {
        Rc::new(Self::new(Value::Scalar(Scalar::Quoted(text.into())), span))
    }

    /// A null.
    pub fn null(span: Span) -> Rc<Self> {
        Rc::new(Self::new(Value::Scalar(Scalar::Plain("~".into())), span))
    }

    /// The typed value of a scalar, as Compose reads it; `None` for lists and tables.
    pub fn resolved(&self) -> Option<Resolved<'_>> {
        let Value::Scalar(scalar) = &self.value else {
            return None;
        };
        Some(match (self.tag, scalar) {
            (Tag::Str, scalar) => Resolved::Text(scalar.text()),
            (Tag::Null, _) => Resolved::Null,
            (Tag::Int | Tag::Float | Tag::Bool, scalar) => resolve_plain(scalar.text()),
            (_, Scalar::Plain(text)) => resolve_plain(text),
            (_, scalar) => Resolved::Text(scalar.text()),
        })
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.resolved(), Some(Resolved::Null))
    }

    /// Whether variables were put into it.
    pub fn is_interpolated(&self) -> bool {
        matches!(&self.value, Value::Scalar(Scalar::Interpolated(_)))
    }

    /// The table, where it is one.
    pub fn mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The list, where it is one.
    pub fn sequence(&self) -> Option<&[Rc<Node>]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entry of a table.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.mapping()?.get(key)
    }

    /// What it is, for people: `a list`, `the number 3`.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Scalar(_) => self.resolved().map_or_else(String::new, |r| r.describe()),
        }
    }
}
