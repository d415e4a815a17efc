//! Source texts and places in them: every value keeps the place it was written at until
//! validation is over, so that every finding can point at it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// A range of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// A range of a file; the ends are capped at 4 GiB, which no accepted input reaches.
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let cap = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            file,
            start: cap(range.start),
            end: cap(range.end.max(range.start)),
        }
    }

    /// The bytes of the file.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A text that was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// How it is named to people: as the user wrote it, or relative to the working folder.
    pub name: String,
    /// Where it is, absolute; `-` for standard input.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

/// All texts that a load has read.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        path: impl Into<PathBuf>,
        text: impl Into<Arc<str>>,
    ) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            path: path.into(),
            text: text.into(),
        });
        id
    }

    /// A text by its id.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The ids of the texts in the order of reading.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..).map(FileId).take(self.files.len())
    }

    /// The texts in the order of reading.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The name of a text, as shown to people.
    pub fn name(&self, id: FileId) -> &str {
        self.file(id).map_or("", |f| &f.name)
    }

    /// The path of a text.
    pub fn path(&self, id: FileId) -> &Path {
        self.file(id).map_or(Path::new(""), |f| &f.path)
    }

    /// The line and column at which a span begins.
    pub fn position(&self, span: Span) -> Position {
        let Some(file) = self.file(span.file) else {
            return Position { line: 1, column: 1 };
        };
        let at = floor_char_boundary(&file.text, span.start as usize);
        let before = &file.text[..at];
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        Position {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// `file:line:column` of a span's begin.
    pub fn locate(&self, span: Span) -> String {
        let Position { line, column } = self.position(span);
        format!("{}:{line}:{column}", self.name(span.file))
    }

    /// The text that a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file)
            .and_then(|f| f.text.get(span.range()))
            .unwrap_or("")
    }
}

/// The nearest character boundary at or before `at`, within the text.
pub(super) fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let mut map = SourceMap::default();
        let id = map.add("a.yaml", "/a.yaml", "aé: 1\nb: ü2\n");
        let at = |start| map.locate(Span::new(id, start..start + 1));
        assert_eq!(at(0), "a.yaml:1:1");
        assert_eq!(at(3), "a.yaml:1:3");
        assert_eq!(at(7), "a.yaml:2:1");
        assert_eq!(at(12), "a.yaml:2:5");
        assert_eq!(at(9999), "a.yaml:3:1");
        assert_eq!(map.text(Span::new(id, 10..12)), "ü");
        assert_eq!(map.text(Span::new(id, 11..99)), "");
    }
}
