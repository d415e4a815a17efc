//! What an explanation says.

use serde::Serialize;

use crate::stack::source::{SourceMap, Span};

/// A value, who said it, and who said otherwise. Also the JSON of `config --explain --format json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The variable, or the path of keys with dots between them.
    pub name: String,
    /// The value that holds; absent for a variable without one, and for lists and tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Who said it; absent where nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Who said something that does not hold, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Origin>,
    /// Of a variable: where the stack uses it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<Origin>,
    /// Of a value: the variables in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Explanation>,
    /// Of a list or a table: the values in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explanation>,
}

/// Somebody who said something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `environment` or `file`.
    pub kind: &'static str,
    /// The file, as named to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What was said, as written.
    pub written: String,
}

impl Origin {
    /// The process environment.
    pub(super) fn environment(value: &str) -> Self {
        Self {
            kind: "environment",
            file: None,
            line: None,
            column: None,
            written: value.to_owned(),
        }
    }

    /// A place in a file, with the text that stands there.
    pub(super) fn at(sources: &SourceMap, span: Span) -> Self {
        let position = sources.position(span);
        Self {
            kind: "file",
            file: Some(sources.name(span.file).to_owned()),
            line: Some(position.line),
            column: Some(position.column),
            written: sources.text(span).trim_end().to_owned(),
        }
    }
}
